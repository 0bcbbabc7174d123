//! Reads the lines of one stream in order, and keeps what one line means for the next: an open message, a
//! trace, an unfinished column line.
//!
//! **Invariant:** no line fails. What is not a form's own line is passed over.

use std::sync::Arc;

use crate::domain::job::{Form, LineKey, Observation, Stage, Timestamp, TraceHalf};

use super::json::Document;
use super::last_lines::LastLines;
use super::quotation::{Origin, Quotation, Verdict};
use super::records::{Findings, Head, Records, stage_of};
use super::rule::Rule;
use super::sighting::{Names, Sighting, cut};
use super::store_error;
use super::{
    artisan, bare, bracket, columns, cut_json, error_json, flat_json, fpm, monolog, normalise, process,
    queued, trace, worker_json,
};

/// What a payload's lines of one stream say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classified {
    /// One observation for each line that says something, store errors included.
    pub observations: Vec<Observation>,
    /// Store errors and traces that the payload cut apart.
    pub halves: Vec<TraceHalf>,
    /// The last lines that tell of trouble and are in no known form.
    pub last_lines: Vec<(Timestamp, Arc<str>)>,
}

/// Reads one stream's lines, in the order of the payload.
#[derive(Debug)]
pub struct StreamReader<'c> {
    rules: &'c [Rule],
    has_presets: bool,
    names: Names,
    found: Findings,
    quotation: Quotation,
    records: Records,
    /// A `  time Class` line of 9.21–9.40 whose end has not come: its class, where a seam showed it.
    unfinished: Option<Option<String>>,
    line_number: u64,
    /// The last failed attempt without a text, and the number of its line.
    failed: Option<(usize, u64)>,
    last_lines: LastLines,
}

/// One line and its place.
#[derive(Clone, Copy)]
struct Line<'a> {
    key: LineKey,
    at: Timestamp,
    text: &'a str,
}

impl<'c> StreamReader<'c> {
    pub(super) fn new(rules: &'c [Rule], has_presets: bool) -> Self {
        Self {
            rules,
            has_presets,
            names: Names::default(),
            found: Findings::default(),
            quotation: Quotation::at_start(),
            records: Records::default(),
            unfinished: None,
            line_number: 0,
            failed: None,
            last_lines: LastLines::default(),
        }
    }

    /// Reads one log event.
    pub fn line(&mut self, line: LineKey, at: Timestamp, message: &str) {
        self.line_number = self.line_number.saturating_add(1);
        self.event(line, at, message, true);
    }

    /// Ends the stream's part of the payload.
    #[must_use]
    pub fn finish(mut self) -> Classified {
        self.records.finish(self.line_number, &mut self.found);
        let mut quoted = self.quotation.into_quoted();
        quoted.append(&mut self.found.withdrawn);
        let mut observations = self.found.observations;
        if !quoted.is_empty() {
            let mut place = 0_usize;
            observations.retain(|_| {
                let is_quoted = quoted.contains(&place);
                place = place.saturating_add(1);
                !is_quoted
            });
        }
        Classified { observations, halves: self.found.halves, last_lines: self.last_lines.into_lines() }
    }

    /// Reads an event: its first line, then the rest as evidence only.
    fn event(&mut self, key: LineKey, at: Timestamp, message: &str, may_unwrap: bool) {
        let plain = normalise::strip(message);
        let (text, rest) = normalise::first_line(&plain);
        if text.len() > normalise::LINE_BYTES_MAX {
            return;
        }
        // Once: no child of php-fpm is a master of its own.
        let inner = fpm::inner(text);
        let line = Line { key, at, text: inner.unwrap_or(text) };
        let read = |rule: &Rule| rule.read(text).or_else(|| rule.read(inner?));
        if let Some(seen) = self.rules.iter().find_map(read) {
            self.observe(line, seen);
        } else if self.has_presets {
            let known_count = self.found.observations.len();
            self.preset(line, may_unwrap);
            if self.found.observations.len() == known_count {
                self.last_lines.note(at, line.text);
            }
        }
        if let Some(rest) = rest.filter(|_| self.has_presets) {
            self.evidence(line, rest);
        }
    }

    /// The first-byte gate: each form has its own beginning.
    fn preset(&mut self, line: Line<'_>, may_unwrap: bool) {
        if let Some(head) = monolog::head(line.text) {
            return self.head(line, head);
        }
        match self.quotation.line(line.text) {
            Verdict::Line => {}
            Verdict::Part => {
                if line.text == "Stack trace:" {
                    self.records.open_other(self.line_number);
                }
                return;
            }
            Verdict::Exception(origin) => return self.late_exception(line, origin),
        }
        let seen = match line.text.as_bytes().first() {
            None => None,
            Some(b'{') => return self.json(line, may_unwrap),
            Some(b' ') => return self.indented(line),
            Some(b'#') => return self.frame(line),
            Some(b'[') if line.text.starts_with("[previous exception] [object] (") => {
                return self.records.open_other(self.line_number);
            }
            Some(b'[') => bracket::read(line.text).or_else(|| process::read(line.text)),
            Some(b'P' | b'F') => {
                if line.text.contains("Fatal error:") && line.text.contains("Uncaught ") {
                    return self.quotation.fatal();
                }
                bare::read(line.text).or_else(|| process::read(line.text))
            }
            Some(b'S') if line.text == "Stack trace:" => return self.records.open_other(self.line_number),
            Some(b'Q') => columns::read_pause(line.text).or_else(|| process::read(line.text)),
            Some(b'A' | b'B' | b'E') => artisan::read(line.text)
                .or_else(|| artisan::refused(line.text))
                .or_else(|| process::read(line.text)),
            Some(_) => process::read(line.text),
        };
        if let Some(seen) = seen {
            self.observe(line, seen);
        }
    }

    /// A line that begins with a space: columns, their fragments, or artisan's banner.
    fn indented(&mut self, line: Line<'_>) {
        let artisan = || artisan::read(line.text).or_else(|| artisan::refused(line.text));
        if let Some(seen) = columns::read(line.text).or_else(artisan) {
            return self.observe(line, seen);
        }
        if let Some(mut seen) = columns::read_continuation(line.text) {
            // Without a dot and without a beginning it is anyone's text.
            if self.unfinished.is_some() || line.text.starts_with(" .") {
                seen.class = self.unfinished.take().flatten().map(Into::into);
                self.observe(line, seen);
            }
            return;
        }
        let Some((class, glued)) = columns::split_glued(line.text) else { return };
        self.unfinished = Some(class.map(str::to_owned));
        let glued = Line { text: glued, ..line };
        if let Some(head) = monolog::head(glued.text) {
            self.head(glued, head);
        } else if glued.text.starts_with('{') {
            self.json(glued, false);
        } else if let Some(seen) = process::read(glued.text) {
            self.observe(line, seen);
        }
    }

    fn json(&mut self, line: Line<'_>, may_unwrap: bool) {
        if let Some(record) = flat_json::read(line.text) {
            if let Some(seen) = worker_json::read(record) {
                self.observe(line, seen);
            }
            return;
        }
        let Some(mut document) = Document::read(line.text) else {
            return match process::task_state(line.text) {
                Some(seen) => self.observe(line, seen),
                None => self.cut_json(line),
            };
        };
        if document.is_monolog() {
            let message = document.message.as_text().unwrap_or_default();
            if let Some(seen) = queued::read_json(message, document.context) {
                return self.observe(line, seen);
            }
            if document.level_name.as_text().is_some_and(monolog::is_error_level)
                && let Some(stage) = error_json::read(document.context)
            {
                self.observe(line, Sighting::new(stage, Form::Monolog).saying(message.to_owned()));
            }
            return;
        }
        if may_unwrap && let Some(inner) = document.take_inner_line() {
            return self.event(line.key, line.at, &inner, false);
        }
        if let Some(seen) = worker_json::read(document.into()) {
            self.observe(line, seen);
        }
    }

    /// The first part of a record that was cut: what it says of an error. Its level is behind the cut.
    fn cut_json(&mut self, line: Line<'_>) {
        let Some(mended) = cut_json::mend(line.text) else { return };
        let Some(document) = Document::read(&mended) else { return };
        let message = document.message.as_text().unwrap_or_default();
        if let Some(stage) = error_json::read(document.context) {
            self.observe(line, Sighting::new(stage, Form::Monolog).saying(message.to_owned()));
        }
    }

    /// A record's first line.
    fn head(&mut self, line: Line<'_>, head: monolog::Head<'_>) {
        let minute = head.stamp.get(..16).unwrap_or_default();
        let seen = queued::read_line(head.body);
        if self.quotation.quotes(minute) {
            if let Some(seen) = seen {
                self.observe(line, seen);
            }
            return;
        }
        self.quotation.close();
        if let Some(seen) = seen {
            return self.observe(line, seen);
        }
        let is_error = monolog::is_error_level(head.level);
        let previous = self.line_number.saturating_sub(1);
        let failed =
            self.failed.filter(|(_, number)| is_error && *number == previous).map(|(place, _)| place);
        let exception = head.exception().filter(|_| is_error);
        if let Some(exception) = exception {
            self.exception(
                Head { at: line.at, line: line.key, text: cut(head.message()) },
                exception,
                failed,
            );
        } else if let Some(side) = store_error::side_of_message(head.body).filter(|_| is_error) {
            let text = head.message().trim_end().to_owned();
            self.observe(line, Sighting::new(stage_of(side), Form::Monolog).saying(text));
        }
        if head.is_open() {
            let text = head.message().into();
            let origin =
                Origin { at: line.at, line: line.key, minute: minute.into(), text, is_error, failed };
            if exception.is_some() {
                self.quotation.exception(origin)
            } else {
                self.quotation.message(origin)
            }
        }
    }

    /// An exception that comes lines after its record's head.
    fn late_exception(&mut self, line: Line<'_>, origin: Option<Origin>) {
        let Some(exception) = monolog::exception(line.text) else { return };
        // Without its head the level is unknown; only errors carry exceptions in practice.
        let (head, is_error, failed) = match origin {
            Some(o) => (Head { at: o.at, line: o.line, text: cut(&o.text) }, o.is_error, o.failed),
            None => {
                let text = store_error::split_printed(exception).1;
                (Head { at: line.at, line: line.key, text: cut(text) }, true, None)
            }
        };
        if is_error {
            self.exception(head, exception, failed);
        }
    }

    fn exception(&mut self, head: Head, exception: &str, failed: Option<usize>) {
        let (class, message) = store_error::split_printed(exception);
        let fault = store_error::fault(class, message);
        let said = |place| (place, cut(&format!("{}: {}", class.replace("\\\\", "\\"), head.text)));
        let failed = failed.map(said);
        let is_whole = exception.trim_end().ends_with("\"}");
        self.records.open(head, fault, failed, self.line_number, &mut self.found);
        if is_whole {
            self.records.close_last();
        }
    }

    fn frame(&mut self, line: Line<'_>) {
        if let Some(frame) = trace::frame(line.text) {
            self.records.frame(frame, line.at, self.line_number, &mut self.found);
        }
    }

    /// The lines after an event's first: never lifecycle lines.
    fn evidence(&mut self, line: Line<'_>, rest: &str) {
        let is_record = monolog::head(line.text).is_some();
        for text in rest.lines() {
            let part = Line { text: text.trim_end_matches('\r'), ..line };
            if part.text.starts_with('#') {
                self.frame(part);
            } else if part.text.starts_with("[previous exception]") || part.text == "Stack trace:" {
                self.records.open_other(self.line_number);
            } else if is_record && let Verdict::Exception(origin) = self.quotation.line(part.text) {
                self.late_exception(part, origin);
            }
        }
        // The event held the whole record: nothing of it is still to come.
        self.records.close_since(self.line_number);
        if is_record {
            self.quotation.close();
        }
    }

    fn observe(&mut self, line: Line<'_>, seen: Sighting<'_>) {
        let is_bare_failure = seen.stage == Stage::Failed && seen.text.is_none();
        let observation = self.names.own(seen, line.at, line.key);
        let place = self.found.push(observation);
        self.quotation.note(place);
        if is_bare_failure {
            self.failed = Some((place, self.line_number));
        }
    }
}

//! Reads a stream's lines in their order, and keeps what one line means for the next: an open message, a trace,
//! unfinished column lines.
//!
//! **Invariant:** no line fails. What is not a form's own line is passed over.

use std::borrow::Cow;

use crate::domain::job::{Form, Observation, Stage, TracePart};

use super::objects::{self, Found};
use super::quotation::{Origin, Quotation, Verdict};
use super::records::{Findings, Head, Records, stage_of};
use super::sighting::{Names, Sighting, cut};
use super::step::Step;
use super::{
    artisan, bare, bracket, columns, flat_json, glued, monolog, own_format, platforms, process, queued,
    store_error, trace, unfinished::Unfinished, worker_json,
};
use crate::domain::origin::of_line;
use crate::domain::printable::printable;
use crate::domain::systems::line::Line;
use crate::domain::systems::wrappers::bundles;

/// The record that an event began with, while it is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// None: what comes is lines.
    Nothing,
    /// Its message, as far as can be told; or a multiline pattern glued other lines to it.
    Message,
    /// Its exception's text, or its trace.
    Exception,
}

/// Reads one stream's lines.
#[derive(Debug)]
pub(in crate::domain::systems) struct Reader {
    names: Names,
    found: Findings,
    quotation: Quotation,
    records: Records,
    unfinished: Unfinished,
    event_number: u64,
    /// The last failed attempt without a text, and the number of its event.
    failed: Option<(usize, u64)>,
    /// What the event at hand began with, and what is not over.
    inside: Inside,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            names: Names::default(),
            found: Findings::default(),
            quotation: Quotation::at_start(),
            records: Records::default(),
            unfinished: Unfinished::default(),
            event_number: 0,
            failed: None,
            inside: Inside::Nothing,
        }
    }
}

impl Reader {
    /// A new event begins.
    pub(in crate::domain::systems) const fn begin_event(&mut self) {
        self.event_number = self.event_number.saturating_add(1);
        self.inside = Inside::Nothing;
    }

    /// An event of several lines ends: it held its record whole, and nothing of it is still to come.
    pub(in crate::domain::systems) fn end_event(&mut self) {
        self.records.close_since(self.event_number);
        if self.inside != Inside::Nothing {
            self.quotation.close();
            self.inside = Inside::Nothing;
        }
    }

    /// Ends the stream's part of the payload.
    pub(in crate::domain::systems) fn finish(mut self) -> (Vec<Observation>, Vec<TracePart>) {
        self.records.finish(self.event_number, &mut self.found);
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
        (observations, self.found.split_traces)
    }

    /// Reads one line.
    pub(in crate::domain::systems) fn line<'a>(&mut self, line: Line<'a>) -> Step<'a> {
        if let Some(head) = monolog::head(line.text) {
            self.head(line, head);
            return Step::Done;
        }
        // A record in a format of the app's own ends an open one, too.
        if self.quotation.is_open()
            && let Some(minute) = own_format::minute(line.text)
            && !self.quotation.quotes(minute)
        {
            self.quotation.close();
            self.inside = Inside::Nothing;
        }
        match self.quotation.line(line.text) {
            Verdict::Line => {}
            Verdict::Part => {
                if line.text == "Stack trace:" {
                    self.records.open_other(self.event_number);
                }
                if self.inside == Inside::Message {
                    self.inside = Inside::Nothing;
                }
                return Step::Done;
            }
            Verdict::Exception(origin) => {
                if self.inside == Inside::Message {
                    self.inside = Inside::Exception;
                }
                self.late_exception(line, origin);
                return Step::Done;
            }
        }
        match self.inside {
            Inside::Nothing => {}
            Inside::Message => return self.in_message(line),
            Inside::Exception => return self.in_exception(line),
        }
        self.form_or_tail(line)
    }

    /// Reads a line in its form, or the whole line that stands behind a job's output.
    fn form_or_tail<'a>(&mut self, line: Line<'a>) -> Step<'a> {
        let step = self.form(line);
        if !matches!(step, Step::Unread) {
            return step;
        }
        let record = queued::read_unstamped(line.text)
            .or_else(|| own_format::read(line.text))
            .or_else(|| glued::record(line.text));
        if self.observe_if(line, record) {
            return Step::Done;
        }
        if let Some(head) = own_format::error(line.text) {
            self.head(line, head);
            return Step::Done;
        }
        match glued::tail(line.text) {
            Some(tail) => self.form(Line { text: tail, ..line }),
            None => step,
        }
    }

    /// A line of an event whose message may not be over. A multiline pattern glues lines that begin with blanks to the
    /// record before them, so a worker's own line counts, unless the message turns out to go on; nothing else does.
    fn in_message(&mut self, line: Line<'_>) -> Step<'static> {
        let seen =
            columns::read(line.text).or_else(|| flat_json::read(line.text).and_then(worker_json::read));
        self.observe_if(line, seen);
        Step::Done
    }

    /// A line of an event whose exception is not over: evidence for its trace, never a lifecycle line.
    fn in_exception(&mut self, line: Line<'_>) -> Step<'static> {
        if line.text.starts_with('#') {
            self.frame(line);
        } else if line.text.starts_with("[previous exception]") || line.text == "Stack trace:" {
            self.records.open_other(self.event_number);
        } else if line.text.trim_end().ends_with("\"}") {
            self.inside = Inside::Nothing;
        }
        Step::Done
    }

    /// The first-byte gate: each form has its own beginning.
    fn form<'a>(&mut self, line: Line<'a>) -> Step<'a> {
        let text = line.text;
        let seen = match text.as_bytes().first() {
            None => None,
            Some(b'{') => return self.json(line),
            Some(b' ') => return self.indented(line),
            Some(b'0'..=b'9') => columns::read_trimmed(text).or_else(|| process::read(text)),
            Some(b'#') => return self.frame(line).into(),
            Some(b'[') if text.starts_with("[previous exception] [object] (") => {
                self.records.open_other(self.event_number);
                return Step::Done;
            }
            // The seams of a record's trace.
            Some(b'[') if text == "[stacktrace]" => return Step::Done,
            Some(b'"') if text.trim_end() == "\"}" => return Step::Done,
            Some(b'[') if text.starts_with("[{\"") || text.starts_with("[\"") => {
                return bundles::lines(text).map_or(Step::Unread, |it| Step::Within(it.into(), "".into()));
            }
            Some(b'[') => bracket::read(text).or_else(|| process::read(text)),
            Some(b'P' | b'F') => {
                if text.contains("Fatal error:") && text.contains("Uncaught ") {
                    self.quotation.fatal();
                    return Step::Done;
                }
                bare::read(text).or_else(|| process::read(text))
            }
            Some(b'S') if text == "Stack trace:" => {
                self.records.open_other(self.event_number);
                return Step::Done;
            }
            Some(b'Q') => columns::read_pause(text).or_else(|| process::read(text)),
            Some(b'A' | b'B' | b'E') => {
                artisan::read(text).or_else(|| artisan::refused(text)).or_else(|| process::read(text))
            }
            Some(_) => process::read(text),
        };
        self.observe_if(line, seen).into()
    }

    /// Reads what a process says of itself or of another, whatever stands before it.
    pub(in crate::domain::systems) fn process(&mut self, line: Line<'_>) -> bool {
        self.observe_if(line, process::read(line.text))
    }

    /// A line that begins with a space: columns, their fragments, or artisan's banner.
    fn indented<'a>(&mut self, line: Line<'a>) -> Step<'a> {
        let artisan = || artisan::read(line.text).or_else(|| artisan::refused(line.text));
        if self.observe_if(line, columns::read(line.text).or_else(artisan)) {
            return Step::Done;
        }
        if let Some(mut seen) = columns::read_continuation(line.text) {
            if let Some(class) = self.unfinished.end(line.text.starts_with(" .")) {
                seen.class = class.map(Into::into);
                self.observe(line, seen);
            }
            return Step::Done;
        }
        let Some((class, glued)) = columns::split_glued(line.text) else {
            // Columns end otherwise than they begin only where a process was killed.
            return self.observe_if(line, process::read(line.text.trim_start())).into();
        };
        self.unfinished.begin(columns::after_stamp(line.text).unwrap_or_default(), class);
        let glued = Line { text: glued, ..line };
        if let Some(head) = monolog::head(glued.text) {
            self.head(glued, head);
            Step::Done
        } else {
            match glued.text.as_bytes().first() {
                Some(b'{') => self.json(glued),
                Some(b' ') => self.indented(glued),
                _ => self.observe_if(line, process::read(glued.text)).into(),
            }
        }
    }

    fn json<'a>(&mut self, line: Line<'a>) -> Step<'a> {
        match objects::read(line.text) {
            Found::Says(seen) => self.observe(line, *seen),
            Found::Within(inner, label) => return Step::Within(inner, label),
            Found::Several(first, rest) => {
                let step = self.json(Line { text: first, ..line });
                let last = self.form_or_tail(Line { text: rest, ..line });
                // Two lines within cannot both be handed out; a router prints one a line.
                return if matches!(last, Step::Unread) { step } else { last };
            }
            Found::BrokenOff => return Step::BrokenOff,
            Found::Nothing => return self.observe_if(line, platforms::event(line.text)).into(),
        }
        Step::Done
    }

    /// A JSON record of which only the beginning came: what it says, as far as it goes.
    pub(in crate::domain::systems) fn half(&mut self, line: Line<'_>) {
        self.observe_if(line, objects::read_half(line.text));
    }

    /// A record's first line.
    fn head(&mut self, line: Line<'_>, head: monolog::Head<'_>) {
        let minute = head.stamp.get(..16).unwrap_or_default();
        let channel = || Some(Cow::Borrowed(head.channel));
        let seen = queued::read_line(head.body).map(|seen| Sighting { channel: channel(), ..seen });
        if self.quotation.quotes(minute) {
            self.observe_if(line, seen);
            return;
        }
        self.quotation.close();
        self.inside = Inside::Nothing;
        let is_error = monolog::is_error_level(head.level);
        let seen = seen.or_else(|| glued::record(line.text));
        if self.observe_if(line, seen) && !is_error {
            return;
        }
        let previous = self.event_number.saturating_sub(1);
        let failed =
            self.failed.filter(|(_, number)| is_error && *number >= previous).map(|(place, _)| place);
        let exception = head.exception().filter(|_| is_error);
        // `queue:listen` reports that the worker which it started took too long.
        if is_error && let Some(seen) = process::timed_out(head.message()) {
            self.observe(line, seen);
        }
        if let Some(exception) = exception {
            if !exception.trim_end().ends_with("\"}") {
                self.inside = Inside::Exception;
            }
            self.exception(
                Head { at: line.at, line: line.key, text: cut(head.message()) },
                exception,
                failed,
            );
        } else if is_error && let Some(side) = store_error::side_of_message(head.body) {
            let text = head.message().trim_end().to_owned();
            self.observe(line, Sighting::new(stage_of(side), Form::Monolog).saying(text));
        }
        if head.is_open() {
            if exception.is_none() {
                self.inside = Inside::Message;
            }
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
        self.records.open(head, fault, failed, self.event_number, &mut self.found);
        if is_whole {
            self.records.close_last();
        }
    }

    fn frame(&mut self, line: Line<'_>) -> bool {
        let Some(frame) = trace::frame(line.text) else { return false };
        self.records.frame(frame, line.at, self.event_number, &mut self.found);
        true
    }

    fn observe_if(&mut self, line: Line<'_>, seen: Option<Sighting<'_>>) -> bool {
        let Some(seen) = seen else { return false };
        self.observe(line, seen);
        true
    }

    /// Takes what a line says.
    pub(in crate::domain::systems) fn observe(&mut self, line: Line<'_>, seen: Sighting<'_>) {
        let is_bare_failure = seen.stage == Stage::Failed && seen.text.is_none();
        let mut observation = self.names.own(seen, line.at, line.next_key());
        if observation.stage == Stage::Enqueued && !line.label.is_empty() {
            let channel = observation.origin.take().unwrap_or_default();
            observation.origin = Some(of_line(&channel, &printable(line.label)));
        }
        // Where the line's own time is to the second, so is what lies between a start and its end.
        if let Some(runtime) = observation.runtime.as_mut().filter(|_| line.is_rough) {
            runtime.is_whole_seconds = true;
        }
        let place = self.found.push(observation);
        self.quotation.note(place);
        if is_bare_failure {
            self.failed = Some((place, self.event_number));
        }
    }
}

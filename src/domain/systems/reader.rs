//! Reads the events of one stream: takes off what stands around their lines, and hands each line to the rules and to
//! the systems whose forms are asked for.
//!
//! **Invariant:** no line fails. A line over a limit, or in no known form, is passed over and counted.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::job::{LineKey, Observation, Timestamp, TracePart};
use crate::domain::line::LineStamp;

use super::laravel::{self, Step};
use super::last_lines::LastLines;
use super::line::{EventClock, Line, Said};
use super::rules::Rule;
use super::unread::Unread;
use super::{Preset, normalise, wrappers};

/// What a payload's lines of one stream say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classified {
    /// One observation for each line that says something, store errors included.
    pub observations: Vec<Observation>,
    /// Store errors and traces that the payload cut apart.
    pub split_traces: Vec<TracePart>,
    /// Lines that stand within events which said something before: lines of their own.
    pub within: Vec<LineStamp>,
    /// The lines that say nothing: how many, of which shapes, and what nearly was one.
    pub unread: Unread,
    /// The last of them that tell of trouble.
    pub last_lines: Vec<(Timestamp, Arc<str>)>,
}

/// What has been taken off around a line.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    depth: usize,
    /// The outermost of what is left was within this: no prefix stands within another of its own kind.
    by: Option<&'static str>,
}

impl Around {
    fn deeper(self) -> Option<Self> {
        (self.depth < wrappers::DEPTH_MAX).then(|| Self { depth: self.depth.saturating_add(1), ..self })
    }
}

/// A piece of a line, whose rest is to come.
#[derive(Debug)]
struct Piece {
    key: LineKey,
    at: Timestamp,
    text: String,
    /// Lines of others that may come between.
    lines_left: u32,
}

/// Lines that other processes of a stream may put between two pieces.
const BETWEEN_MAX: u32 = 16;

/// From this length on a line may have been cut: 16 KiB, where the awslogs driver, containerd and Docker cut.
const CUT_BYTES_MIN: usize = 16_000;

/// Reads one stream's lines, in the order of the payload.
#[derive(Debug)]
pub struct StreamReader<'c> {
    rules: &'c [Rule],
    has_presets: bool,
    laravel: laravel::Reader,
    /// A JSON record that broke off.
    broken: Option<Piece>,
    /// A piece of a line that a container runtime cut, and marked.
    piece: Option<Piece>,
    within: Vec<LineStamp>,
    unread: Unread,
    last_lines: LastLines,
}

impl<'c> StreamReader<'c> {
    pub(super) fn new(rules: &'c [Rule], presets: &[Preset]) -> Self {
        Self {
            rules,
            has_presets: presets.contains(&Preset::Laravel),
            laravel: laravel::Reader::default(),
            broken: None,
            piece: None,
            within: Vec::new(),
            unread: Unread::default(),
            last_lines: LastLines::default(),
        }
    }

    /// Reads one log event.
    pub fn line(&mut self, key: LineKey, at: Timestamp, message: &str) {
        self.laravel.begin_event();
        let said = Said::default();
        let plain = normalise::strip(message);
        self.each(Line::new(key, at, &plain, &said), Around::default());
        self.within.append(&mut said.into_within());
    }

    /// Lines passed over so far.
    pub(super) const fn unread_count(&self) -> u64 {
        self.unread.lines_count
    }

    /// Ends the stream's part of the payload.
    #[must_use]
    pub fn finish(mut self) -> Classified {
        if let Some(broken) = self.broken.take() {
            self.half(&broken);
        }
        let (observations, split_traces) = self.laravel.finish();
        let last_lines = self.last_lines.into_lines();
        Classified { observations, split_traces, within: self.within, unread: self.unread, last_lines }
    }

    /// Reads every line of a text.
    fn each(&mut self, line: Line<'_>, around: Around) {
        let (first, rest) = normalise::first_line(line.text);
        if first.trim_end() == "{" && serde_json::from_str::<serde::de::IgnoredAny>(line.text).is_ok() {
            // One object over many lines: somebody prints JSON for people.
            return self.one(line, around);
        }
        self.one(Line { text: first, ..line }, around);
        let Some(rest) = rest else { return };
        let mut clock = EventClock::new(line.at, first);
        for text in rest.lines() {
            let text = text.trim_end_matches('\r');
            self.one(Line { text, at: clock.at(text), is_rough: true, ..line }, around);
        }
        if around.depth == 0 {
            self.laravel.end_event();
        }
    }

    /// Reads one line: by rules, without what stands around it, in the systems' forms.
    fn one(&mut self, line: Line<'_>, around: Around) {
        if line.text.len() > normalise::LINE_BYTES_MAX {
            return;
        }
        if self.by_rule(line) || !self.has_presets {
            return;
        }
        if self.broken.is_some() && self.joins(line) {
            return;
        }
        if let Some(around) = around.deeper()
            && let Some((wrapper, peeled)) = wrappers::peel(line.text)
            && around.by != Some(wrapper.name)
        {
            if !(peeled.is_supervisors && self.laravel.process(line)) {
                let label = if peeled.label.is_empty() { line.label } else { &peeled.label };
                let around = Around { by: Some(wrapper.name), ..around };
                self.within(Line { label, ..line }, &peeled.inner, peeled.goes_on, around);
            }
            return;
        }
        match self.laravel.line(line) {
            Step::Done => {}
            Step::Within(inner, label) => match around.deeper() {
                Some(around) => {
                    let label = if label.is_empty() { line.label } else { &label };
                    self.within(Line { label, ..line }, &inner, false, Around { by: None, ..around });
                }
                None => self.pass_over(line),
            },
            Step::BrokenOff if line.text.len() >= CUT_BYTES_MIN => self.broken = Some(Piece::of(line)),
            Step::BrokenOff | Step::Unread => match normalise::without_remnants(line.text) {
                Some(plain) => self.one(Line { text: &plain, ..line }, around),
                None => self.pass_over(line),
            },
        }
    }

    /// Counts a line that says nothing, and keeps it if it tells of trouble.
    fn pass_over(&mut self, line: Line<'_>) {
        self.unread.note(line.text);
        self.last_lines.note(line.at, line.text);
    }

    fn by_rule(&mut self, line: Line<'_>) -> bool {
        let Some(seen) = self.rules.iter().find_map(|rule| rule.read(line.text)) else { return false };
        self.laravel.observe(line, seen);
        true
    }

    /// Reads what a wrapper held, once all of it is there.
    fn within(&mut self, line: Line<'_>, inner: &str, goes_on: bool, around: Around) {
        let inner = normalise::strip(inner);
        let piece = self.piece.take();
        let text: Cow<'_, str> = match piece {
            Some(piece) => Cow::Owned(format!("{}{inner}", piece.text)),
            None => inner,
        };
        if goes_on && text.len() <= normalise::LINE_BYTES_MAX {
            self.piece = Some(Piece::of(Line { text: &text, ..line }));
            return;
        }
        self.each(Line { text: &text, ..line }, around);
    }

    /// Whether a line is the rest of the record that broke off; together they are read as one.
    fn joins(&mut self, line: Line<'_>) -> bool {
        let Some(mut broken) = self.broken.take() else { return false };
        let whole = format!("{}{}", broken.text, line.text);
        let is_whole = serde_json::from_str::<serde::de::IgnoredAny>(&whole).is_ok();
        let goes_on = !is_whole && line.text.len() >= CUT_BYTES_MIN && !line.text.starts_with('{');
        if is_whole {
            let line = Line { key: broken.key, at: broken.at, text: &whole, ..line };
            self.one(line, Around { depth: wrappers::DEPTH_MAX, by: None });
        } else if goes_on && whole.len() <= normalise::LINE_BYTES_MAX {
            self.broken = Some(Piece { text: whole, ..broken });
        } else if broken.lines_left > 0 {
            broken.lines_left = broken.lines_left.saturating_sub(1);
            self.broken = Some(broken);
        } else {
            self.half(&broken);
        }
        is_whole || goes_on
    }

    /// Reads what came of a record whose rest did not.
    fn half(&mut self, broken: &Piece) {
        let said = Said::default();
        self.laravel.half(Line::new(broken.key, broken.at, &broken.text, &said));
    }
}

impl Piece {
    fn of(line: Line<'_>) -> Self {
        Self { key: line.key, at: line.at, text: line.text.to_owned(), lines_left: BETWEEN_MAX }
    }
}

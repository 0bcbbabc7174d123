//! Lines that may be inside a record's message: an exception's text may hold line breaks, and then anything.
//!
//! A record's first line shows that its message goes on, or a payload begins and nobody knows. What is read
//! from then on is *provisional*: kept, unless the record's own continuation follows and shows that it was all
//! quoted. **Invariant:** without such evidence nothing is lost.

use crate::domain::job::{LineKey, Timestamp};

use super::monolog::{self, EXCEPTION};

/// Lines after which a message is over, or never was open. Messages of more lines are dumps of data.
const LINES_MAX: u32 = 200;

/// What is open.
#[derive(Clone, Debug, PartialEq)]
enum Open {
    /// The payload began here, perhaps inside a message.
    Start,
    /// A record without a context yet.
    Message(Origin),
    /// A record inside its exception's text.
    Exception(Origin),
    /// `PHP Fatal error:  Uncaught …` before its `Stack trace:`.
    Fatal,
}

/// The open record's first line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin {
    pub(super) at: Timestamp,
    pub(super) line: LineKey,
    /// Its printed minute, by which a record *quoted* in the message is told from one that follows it.
    pub(super) minute: Box<str>,
    /// The message's first line.
    pub(super) text: Box<str>,
    pub(super) is_error: bool,
    /// The failed attempt just before it.
    pub(super) failed: Option<usize>,
}

/// What a line is to the open message.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Not known to be a part of it.
    Line,
    /// A part of it.
    Part,
    /// The part with the exception, and the first line of its record if that was in this payload.
    Exception(Option<Origin>),
}

/// The open message of a stream, if any.
#[derive(Debug)]
pub(super) struct Quotation {
    open: Option<Open>,
    lines_left: u32,
    provisional: Vec<usize>,
    quoted: Vec<usize>,
    after_place: bool,
}

impl Quotation {
    /// The state at a payload's start.
    pub(super) const fn at_start() -> Self {
        let open = Some(Open::Start);
        Self { open, lines_left: LINES_MAX, provisional: Vec::new(), quoted: Vec::new(), after_place: false }
    }

    fn begin(&mut self, open: Open) {
        self.close();
        self.open = Some(open);
        self.lines_left = LINES_MAX;
    }

    /// A record whose message goes on.
    pub(super) fn message(&mut self, origin: Origin) {
        self.begin(Open::Message(origin));
    }

    /// A record whose exception's text goes on.
    pub(super) fn exception(&mut self, origin: Origin) {
        self.begin(Open::Exception(origin));
    }

    /// PHP's own report of an uncaught exception.
    pub(super) fn fatal(&mut self) {
        self.begin(Open::Fatal);
    }

    /// Ends it; what was read stands.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.after_place = false;
        self.provisional.clear();
    }

    fn close_as_quoted(&mut self) {
        self.quoted.append(&mut self.provisional);
        self.close();
    }

    /// Whether a message may go on.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether a record's head is quoted in the open message, by its printed minute.
    pub(super) fn quotes(&self, minute: &str) -> bool {
        match &self.open {
            Some(Open::Message(origin) | Open::Exception(origin)) => *origin.minute != *minute,
            Some(Open::Start | Open::Fatal) | None => false,
        }
    }

    /// Remembers an observation read while something is open.
    pub(super) fn note(&mut self, observation: usize) {
        if self.open.is_some() {
            self.provisional.push(observation);
        }
    }

    /// Judges a line that is no record's head.
    pub(super) fn line(&mut self, line: &str) -> Verdict {
        if self.open.is_none() {
            return Verdict::Line;
        }
        if self.lines_left == 0 {
            self.close();
            return Verdict::Line;
        }
        self.lines_left = self.lines_left.saturating_sub(1);
        let after_place = std::mem::replace(&mut self.after_place, monolog::ends_with_place(line));
        if line.contains(EXCEPTION) && !line.starts_with("  ") && !line.starts_with('{') {
            return self.meet_exception(line);
        }
        let is_over = match &self.open {
            Some(Open::Exception(_)) => self.after_place,
            Some(Open::Message(_)) => line.ends_with("} ") || (line == "[stacktrace]" && after_place),
            Some(Open::Start) => line == "[stacktrace]" && after_place,
            Some(Open::Fatal) => line == "Stack trace:",
            None => false,
        };
        if is_over {
            self.close_as_quoted();
            return Verdict::Part;
        }
        Verdict::Line
    }

    fn meet_exception(&mut self, line: &str) -> Verdict {
        let origin = match self.open.take() {
            Some(Open::Message(origin) | Open::Exception(origin)) => Some(origin),
            Some(Open::Start | Open::Fatal) | None => None,
        };
        let is_closed = self.after_place || line.trim_end().ends_with("\"}");
        self.close_as_quoted();
        if !is_closed {
            let unknown = Origin {
                at: Timestamp::MIN,
                line: LineKey(0),
                minute: Box::default(),
                text: Box::default(),
                is_error: false,
                failed: None,
            };
            self.exception(origin.clone().unwrap_or(unknown));
        }
        Verdict::Exception(origin)
    }

    /// Places of the observations that turned out to be quoted.
    pub(super) fn into_quoted(self) -> Vec<usize> {
        self.quoted
    }
}

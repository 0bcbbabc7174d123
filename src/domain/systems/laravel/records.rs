//! Error records whose traces are still being read, told apart by the numbers of their frames.
//!
//! A trace is spread over many log events, and in a shared stream two traces may alternate line by line. Each
//! open record expects one next number, so a frame finds its own record.

use std::sync::Arc;

use crate::domain::job::{Ending, Form, LineKey, Observation, Stage, Timestamp, TracePart, TraceSide};

use super::store_error::Fault;
use super::trace::{Frame, Part};

/// Open records kept: more errors than this do not alternate in one stream.
const OPEN_MAX: usize = 8;

/// Lines after which a record that has had no frame is over. A trace follows its head at once; other
/// processes of a shared stream put a few lines between.
const SILENT_LINES_MAX: u64 = 200;

/// Where an error was logged.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) at: Timestamp,
    pub(super) line: LineKey,
    pub(super) text: Arc<str>,
}

/// One trace being read.
#[derive(Debug)]
struct Record {
    /// `None` for a trace whose head was in an earlier payload.
    head: Option<Head>,
    fault: Fault,
    /// Whether a frame has told whose the error is, or nothing is to be learned from its frames.
    is_decided: bool,
    /// The store error's observation.
    observation: Option<usize>,
    /// The failed attempt just before the head, and what to say of it if the trace shows a job's run.
    failed: Option<(usize, Arc<str>)>,
    /// The frame expected; `None` before the first.
    next: Option<u32>,
    line_number: u64,
}

/// What a reader has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) observations: Vec<Observation>,
    pub(super) split_traces: Vec<TracePart>,
    /// Places of observations that a trace took back.
    pub(super) withdrawn: Vec<usize>,
}

impl Findings {
    /// Adds an observation, and returns its place.
    pub(super) fn push(&mut self, observation: Observation) -> usize {
        self.observations.push(observation);
        self.observations.len().saturating_sub(1)
    }

    /// Adds a store error.
    pub(super) fn store_error(&mut self, head: &Head, stage: Stage) -> usize {
        let mut observation = Observation::bare(stage, head.at, head.line, Form::Monolog);
        observation.text = Some(Arc::clone(&head.text));
        self.push(observation)
    }
}

/// The open records of a stream.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<Record>);

impl Records {
    /// Opens a record. Its trace is expected in the lines to come.
    pub(super) fn open(
        &mut self,
        head: Head,
        fault: Fault,
        failed: Option<(usize, Arc<str>)>,
        line_number: u64,
        found: &mut Findings,
    ) {
        let stage = match fault {
            Fault::Store => Some(Stage::RedisError),
            Fault::Sided(side) => Some(stage_of(side)),
            Fault::Other => None,
        };
        let observation = stage.map(|stage| found.store_error(&head, stage));
        let (head, is_decided) = (Some(head), matches!(fault, Fault::Sided(_)));
        self.add(Record { head, fault, is_decided, observation, failed, next: None, line_number });
    }

    /// Opens a trace that is nobody's evidence, so that its frames are not taken for another's.
    pub(super) fn open_other(&mut self, line_number: u64) {
        self.add(Record::headless(true, line_number));
    }

    fn add(&mut self, record: Record) {
        if self.0.len() >= OPEN_MAX {
            self.0.remove(0);
        }
        self.0.push(record);
    }

    /// Closes the record opened last: it was whole in one event.
    pub(super) fn close_last(&mut self) {
        self.0.pop();
    }

    /// Closes the records last heard of in this line: they were whole in one event.
    pub(super) fn close_since(&mut self, line_number: u64) {
        self.0.retain(|record| record.line_number != line_number);
    }

    /// Reads one frame.
    pub(super) fn frame(&mut self, frame: Frame<'_>, at: Timestamp, line_number: u64, found: &mut Findings) {
        self.0.retain(|record| line_number.saturating_sub(record.line_number) <= SILENT_LINES_MAX);
        let expected = self.0.iter().position(|record| record.next == Some(frame.number));
        let first = || self.0.iter().position(|record| record.next.is_none()).filter(|_| frame.number == 0);
        let place = expected.or_else(first).unwrap_or_else(|| {
            // No head in this payload: whatever side this trace shows belongs to one in an earlier payload.
            self.add(Record::headless(false, line_number));
            self.0.len().saturating_sub(1)
        });
        let Some(record) = self.0.get_mut(place) else { return };
        record.next = Some(frame.number.saturating_add(1));
        record.line_number = line_number;
        record.learn(frame, at, found);
        if frame.is_last() {
            self.0.remove(place);
        }
    }

    /// Ends the payload: what is still undecided is one half of a record.
    pub(super) fn finish(self, line_number: u64, found: &mut Findings) {
        for record in self.0 {
            let is_fresh = line_number.saturating_sub(record.line_number) <= SILENT_LINES_MAX;
            let Some(head) = record.head.filter(|_| is_fresh && !record.is_decided) else { continue };
            found.split_traces.push(match record.fault {
                Fault::Store | Fault::Sided(_) => TracePart::Head(head.at, head.line),
                // Its trace may yet show a queue.
                Fault::Other => TracePart::Exception(head.at, head.line, head.text),
            });
        }
    }
}

impl Record {
    fn learn(&mut self, frame: Frame<'_>, at: Timestamp, found: &mut Findings) {
        if frame.is_job_run()
            && let Some((failed, text)) = self.failed.take()
            && let Some(observation) = found.observations.get_mut(failed)
        {
            if is_last_word(&text) {
                observation.ending = Ending::UsedUp;
            }
            observation.text = Some(text);
        }
        let Some(part) = frame.part().filter(|_| !self.is_decided) else { return };
        self.is_decided = true;
        match (part, &self.head, self.observation) {
            (Part::Side(side), None, _) => found.split_traces.push(TracePart::Tail(at, side)),
            (Part::Side(side), Some(_), Some(place)) => {
                if let Some(observation) = found.observations.get_mut(place) {
                    observation.stage = stage_of(side);
                }
            }
            (Part::Side(side), Some(head), None) => {
                found.store_error(head, stage_of(side));
            }
            // The job's own: its store may be the queue's, but it is not the queue that was asked.
            (Part::Job, _, Some(place)) => found.withdrawn.push(place),
            (Part::Job, _, None) => {}
        }
    }

    /// A trace whose head is not known.
    const fn headless(is_decided: bool, line_number: u64) -> Self {
        let fault = Fault::Other;
        Self { head: None, fault, is_decided, observation: None, failed: None, next: None, line_number }
    }
}

/// Whether an exception tells that its job is not tried again: a worker throws it before the attempt that would be one
/// too many.
fn is_last_word(text: &str) -> bool {
    text.split(": ").next().is_some_and(|class| class.ends_with("\\MaxAttemptsExceededException"))
}

/// A push that failed is the app's; a fetch that failed is the worker's.
pub(super) const fn stage_of(side: TraceSide) -> Stage {
    match side {
        TraceSide::Push => Stage::EnqueueError,
        TraceSide::Pop => Stage::WorkerError,
    }
}

//! What reached the outside, from whom, and what became of who sent it.

use std::collections::BTreeMap;

use queuewatch::domain::metric::Datum;
use queuewatch::domain::outbox::OutgoingMessage;

/// A process: one invocation of a function, by number.
pub(crate) type ProcessId = usize;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It did all it had to do.
    Done,
    /// It found another at work, and did nothing more.
    Stood,
    /// A newer version has been there.
    Refused,
    /// It gave up with an error.
    Failed,
    /// It died, or was killed because its time was over.
    Died,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) by: ProcessId,
    pub(crate) message: OutgoingMessage,
    pub(crate) is_reply_lost: bool,
    /// Whether its sender wrote anything to the table afterwards.
    pub(crate) is_noted: bool,
}

/// Counters that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) by: ProcessId,
    pub(crate) data: Vec<Datum>,
    pub(crate) is_reply_lost: bool,
    /// Whether its sender wrote the checkpoint afterwards, and with it that they are published.
    pub(crate) is_noted: bool,
}

/// Everything that reached the outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    pub(crate) messages: Vec<Sent>,
    pub(crate) counters: Vec<Counted>,
    /// The gauges of the newest sweep.
    pub(crate) gauges: Vec<Datum>,
    /// How the processes ended that have.
    pub(crate) ends: BTreeMap<ProcessId, End>,
    /// When a delivery with the line first came.
    pub(crate) came_ms: BTreeMap<usize, i64>,
    /// When a delivery with the line was first taken in to the end.
    pub(crate) known_ms: BTreeMap<usize, i64>,
    /// Letters that came again though neither a reply was lost nor their sender had died before its next write.
    pub(crate) repeats_without_cause: Vec<String>,
    /// What was acknowledged and is not there, and when that was seen.
    pub(crate) gone: Vec<String>,
    /// Messages that nobody had written down.
    pub(crate) unwritten: Vec<String>,
    /// What happened how often, so that histories in which nothing happens are noticed.
    pub(crate) tally: BTreeMap<&'static str, usize>,
}

impl Witness {
    pub(crate) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// A write of the table took effect.
    pub(crate) fn wrote(&mut self, by: ProcessId, is_checkpoint: bool) {
        for sent in self.messages.iter_mut().filter(|sent| sent.by == by) {
            sent.is_noted = true;
        }
        for counted in self.counters.iter_mut().filter(|counted| is_checkpoint && counted.by == by) {
            counted.is_noted = true;
        }
    }

    /// Counters arrived.
    pub(crate) fn published(&mut self, by: ProcessId, data: Vec<Datum>, is_reply_lost: bool) {
        if self.counters.iter().any(|counted| counted.is_reply_lost || !counted.is_noted) {
            self.note("counters repeated");
        }
        self.counters.push(Counted { by, data, is_reply_lost, is_noted: false });
    }

    /// A message arrived.
    ///
    /// It may be one that arrived before only where that one's reply was lost, or its sender ended, by death or by an
    /// error, before its very next write of the table took effect. A table that keeps refusing that write is as good
    /// as a death before it.
    pub(crate) fn received(
        &mut self,
        by: ProcessId,
        at_ms: i64,
        message: &OutgoingMessage,
        is_reply_lost: bool,
    ) {
        let before: Vec<&Sent> =
            self.messages.iter().filter(|sent| sent.message.id() == message.id()).collect();
        for first in &before {
            let has_died = matches!(self.ends.get(&first.by), Some(End::Died | End::Failed));
            let is_same = first.message == *message;
            if !(is_same && (first.is_reply_lost || (has_died && !first.is_noted))) {
                self.repeats_without_cause.push(format!(
                    "{:?} of process {} again from {by} at {at_ms}, is the same: {is_same}",
                    message.id(),
                    first.by
                ));
            }
        }
        if !before.is_empty() {
            self.note("messages repeated");
        }
        let message = message.clone();
        self.messages.push(Sent { by, message, is_reply_lost, is_noted: false });
    }
}

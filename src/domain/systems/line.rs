//! One line and its place: what is read of an event, and the key of each thing that it says.

use std::cell::Cell;

use crate::domain::intake::LineHash;
use crate::domain::job::{LineKey, Timestamp};

/// One line of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The event's.
    pub(super) key: LineKey,
    /// CloudWatch's stamp.
    pub(super) at: Timestamp,
    /// Without colours, line ends and what stands around it.
    pub(super) text: &'a str,
    /// How many things the event has said so far.
    pub(super) said: &'a Cell<u64>,
}

impl<'a> Line<'a> {
    pub(super) const fn new(key: LineKey, at: Timestamp, text: &'a str, said: &'a Cell<u64>) -> Self {
        Self { key, at, text, said }
    }

    /// The key of the next thing that the event says: its own for the first, and one made of it for each further one.
    /// Several lines in one event, or two on one line, are lines of their own.
    pub(super) fn next_key(&self) -> LineKey {
        let number = self.said.get();
        self.said.set(number.saturating_add(1));
        nth_key(self.key, number)
    }
}

/// The key of an event's nth line that says something, from zero.
pub(super) fn nth_key(key: LineKey, number: u64) -> LineKey {
    if number == 0 {
        return key;
    }
    LineKey(LineHash::default().with_key(key).with_key(LineKey(number)).finish())
}

//! What is known of each log stream: its name, where its worker broke off, what its lines say of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::halves::Halves;
use super::record::StreamIx;
use crate::domain::job::Timestamp;

/// All streams met, numbered in the order they were met.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    numbers: BTreeMap<(Arc<str>, Arc<str>), StreamIx>,
    facts: Vec<StreamFacts>,
}

/// What is known of one stream.
#[derive(Clone, Debug)]
pub struct StreamFacts {
    /// Its log group.
    pub log_group: Arc<str>,
    /// Its name.
    pub log_stream: Arc<str>,
    /// Boots, stops, exits and kills of workers: no attempt in this stream outlives one.
    pub breaks: BTreeSet<Timestamp>,
    /// The newest line that says a worker was started.
    pub newest_boot: Option<Timestamp>,
    /// Files that its lines say worker output goes to, newest last.
    pub log_files: BTreeMap<Timestamp, Arc<str>>,
    /// Store errors and traces that payloads cut apart.
    pub halves: Halves,
}

impl Streams {
    /// The number of a stream, given one if it is new.
    pub fn number(&mut self, log_group: &str, log_stream: &str) -> StreamIx {
        let key = (Arc::from(log_group), Arc::from(log_stream));
        if let Some(ix) = self.numbers.get(&key) {
            return *ix;
        }
        let ix = StreamIx(u32::try_from(self.facts.len()).unwrap_or(u32::MAX));
        self.facts.push(StreamFacts {
            log_group: Arc::clone(&key.0),
            log_stream: Arc::clone(&key.1),
            breaks: BTreeSet::new(),
            newest_boot: None,
            log_files: BTreeMap::new(),
            halves: Halves::default(),
        });
        self.numbers.insert(key, ix);
        ix
    }

    /// What is known of a stream.
    #[must_use]
    pub fn get(&self, ix: StreamIx) -> Option<&StreamFacts> {
        self.facts.get(usize::try_from(ix.0).ok()?)
    }

    /// What is known of a stream, to be added to.
    pub fn get_mut(&mut self, ix: StreamIx) -> Option<&mut StreamFacts> {
        self.facts.get_mut(usize::try_from(ix.0).ok()?)
    }

    /// All streams, by group and name.
    pub fn iter(&self) -> impl Iterator<Item = &StreamFacts> {
        self.numbers.values().filter_map(|ix| self.get(*ix))
    }

    /// Whether the stream's worker broke off after `start` and by `now`.
    #[must_use]
    pub fn broke_since(&self, ix: StreamIx, start: Timestamp, now: Timestamp) -> bool {
        self.get(ix)
            .is_some_and(|stream| stream.breaks.range(start.plus_ms(1)..).next().is_some_and(|at| *at <= now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn a_break_ends_what_started_before_it_in_its_own_stream() {
        let mut streams = Streams::default();
        let (one, other) = (streams.number("g", "a"), streams.number("g", "b"));
        streams.get_mut(one).unwrap().breaks.insert(ms(500));
        assert!(streams.broke_since(one, ms(400), ms(500)));
        assert!(!streams.broke_since(one, ms(400), ms(499)), "not yet");
        assert!(!streams.broke_since(one, ms(500), ms(900)), "a boot line before the start");
        assert!(!streams.broke_since(other, ms(400), ms(900)), "another stream");
    }
}

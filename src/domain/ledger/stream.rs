//! What is known of each log stream: its name, where its worker broke off, what its lines say of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::job_facts::StreamKey;
use super::split_traces::SplitTraces;
use crate::domain::job::Timestamp;

/// All streams met.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    facts: BTreeMap<StreamKey, StreamFacts>,
}

/// What is known of one stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StreamFacts {
    /// Its log group.
    pub log_group: Arc<str>,
    /// Its name.
    pub log_stream: Arc<str>,
    /// Its newest line in a delivery that told something.
    pub newest_line: Option<Timestamp>,
    /// Boots, stops, exits and kills of workers: no attempt in this stream outlives one.
    pub breaks: BTreeSet<Timestamp>,
    /// PHP's own last words: a process ended, a worker's where nobody else speaks in this stream.
    #[serde(default)]
    pub faults: BTreeSet<Timestamp>,
    /// Lines that say a worker was started.
    #[serde(default)]
    pub boots: BTreeSet<Timestamp>,
    /// Lines that say a worker was killed.
    #[serde(default)]
    pub kills: BTreeSet<Timestamp>,
    /// What lines say of a worker's end: `worker exited with code 137`, `memory`.
    #[serde(default)]
    pub stops: BTreeMap<Timestamp, Arc<str>>,
    /// The newest line of a job's start or end.
    #[serde(default)]
    pub newest_worker_line: Option<Timestamp>,
    /// The oldest line of a job's start or end.
    #[serde(default)]
    pub oldest_worker_line: Option<Timestamp>,
    /// The newest line of a job's enqueue.
    #[serde(default)]
    pub newest_enqueue_line: Option<Timestamp>,
    /// Files that its lines say worker output goes to, newest last.
    pub log_files: BTreeMap<Timestamp, Arc<str>>,
    /// The newest lines that tell of trouble and are in no known form.
    #[serde(default)]
    pub last_lines: BTreeSet<(Timestamp, Arc<str>)>,
    /// The newest end of an attempt.
    #[serde(default)]
    pub newest_end_line: Option<Timestamp>,
    /// Store errors and traces that payloads cut apart.
    #[serde(alias = "halves")]
    pub split_traces: SplitTraces,
}

/// Lines of trouble remembered of one stream.
const LAST_LINES_MAX: usize = 3;

impl StreamFacts {
    /// Notes lines of trouble that no form knows; the newest few stay, so that order does not matter.
    pub fn note_last_lines(&mut self, lines: &[(Timestamp, Arc<str>)]) {
        self.last_lines.extend(lines.iter().cloned());
        while self.last_lines.len() > LAST_LINES_MAX {
            self.last_lines.pop_first();
        }
    }

    /// Notes what a line says of a worker's end; the least of several of one moment, so that order does not matter.
    pub fn note_stop(&mut self, at: Timestamp, text: &Arc<str>) {
        let known = self.stops.entry(at).or_insert_with(|| Arc::clone(text));
        if text < known {
            *known = Arc::clone(text);
        }
    }
}

impl Streams {
    /// The key of a stream, which is noted if it is new.
    pub fn note(&mut self, log_group: &str, log_stream: &str) -> StreamKey {
        let key = StreamKey::of(log_group, log_stream);
        self.facts.entry(key).or_insert_with(|| StreamFacts {
            log_group: Arc::from(log_group),
            log_stream: Arc::from(log_stream),
            newest_line: None,
            breaks: BTreeSet::new(),
            faults: BTreeSet::new(),
            boots: BTreeSet::new(),
            kills: BTreeSet::new(),
            stops: BTreeMap::new(),
            newest_worker_line: None,
            oldest_worker_line: None,
            newest_enqueue_line: None,
            log_files: BTreeMap::new(),
            last_lines: BTreeSet::new(),
            newest_end_line: None,
            split_traces: SplitTraces::default(),
        });
        key
    }

    /// Puts back a stream that was known before.
    pub fn restore(&mut self, facts: StreamFacts) {
        self.facts.insert(StreamKey::of(&facts.log_group, &facts.log_stream), facts);
    }

    /// What is known of a stream.
    #[must_use]
    pub fn get(&self, key: StreamKey) -> Option<&StreamFacts> {
        self.facts.get(&key)
    }

    /// What is known of a stream, to be added to.
    pub fn get_mut(&mut self, key: StreamKey) -> Option<&mut StreamFacts> {
        self.facts.get_mut(&key)
    }

    /// All streams, by group and name.
    #[must_use]
    pub fn all(&self) -> Vec<&StreamFacts> {
        let mut all: Vec<&StreamFacts> = self.facts.values().collect();
        all.sort_by(|a, b| (&a.log_group, &a.log_stream).cmp(&(&b.log_group, &b.log_stream)));
        all
    }

    /// Whether the stream's worker broke off after `start` and by `now`.
    #[must_use]
    pub fn broke_since(&self, ix: StreamKey, start: Timestamp, now: Timestamp) -> bool {
        self.get(ix).is_some_and(|stream| is_between(&stream.breaks, start, now))
    }

    /// The same, or one of its PHP processes ended in its own last words. Several workers may share the stream, so this
    /// tells why an attempt has not ended, and not that none goes on.
    #[must_use]
    pub fn may_have_broken_since(&self, ix: StreamKey, start: Timestamp, now: Timestamp) -> bool {
        self.get(ix).is_some_and(|stream| {
            // Beside an app that enqueues, PHP may as well speak of a web request.
            let is_workers_own = stream.newest_enqueue_line.is_none();
            is_between(&stream.breaks, start, now)
                || (is_workers_own && is_between(&stream.faults, start, now))
        })
    }
}

fn is_between(marks: &BTreeSet<Timestamp>, start: Timestamp, now: Timestamp) -> bool {
    marks.range(start.plus_ms(1)..).next().is_some_and(|at| *at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn of_two_last_words_of_one_moment_the_least_stays_whatever_comes_first() {
        for words in [["exit 0", "exit 1"], ["exit 1", "exit 0"]] {
            let mut streams = Streams::default();
            let key = streams.note("g", "a");
            for text in words {
                streams.get_mut(key).unwrap().note_stop(ms(5), &Arc::from(text));
            }
            assert_eq!(streams.get(key).unwrap().stops.get(&ms(5)).map(|it| &**it), Some("exit 0"));
        }
    }

    #[test]
    fn a_break_ends_what_started_before_it_in_its_own_stream() {
        let mut streams = Streams::default();
        let (one, other) = (streams.note("g", "a"), streams.note("g", "b"));
        streams.get_mut(one).unwrap().breaks.insert(ms(500));
        assert!(streams.broke_since(one, ms(400), ms(500)));
        assert!(!streams.broke_since(one, ms(400), ms(499)), "not yet");
        assert!(!streams.broke_since(one, ms(500), ms(900)), "a boot line before the start");
        assert!(!streams.broke_since(other, ms(400), ms(900)), "another stream");
        streams.get_mut(other).unwrap().faults.insert(ms(500));
        assert!(streams.may_have_broken_since(other, ms(400), ms(900)), "only workers speak there");
        assert!(!streams.broke_since(other, ms(400), ms(900)), "it may be another worker that ended");
        streams.get_mut(other).unwrap().newest_enqueue_line = Some(ms(1));
        assert!(!streams.may_have_broken_since(other, ms(400), ms(900)), "it may be a web request");
    }
}

//! What of a class's counting is written down: its lines, and what of them is settled for good.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ClassSeries, JobIx, Outcome, StartKey};
use crate::domain::job::{LineKey, Timestamp};
use crate::domain::ledger::job_facts::{State, StreamKey};
use crate::domain::ledger::job_record::Counted;
use crate::domain::ledger::pairing::{CountedEnd, Place, StreamSeries};

/// The id-less lines of one class in one stream, as they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamLines {
    /// The stream.
    pub stream: StreamKey,
    /// Start lines.
    pub starts: Vec<Place>,
    /// End lines.
    pub ends: Vec<(LineKey, CountedEnd)>,
}

impl ClassSeries {
    /// What can be settled for good: the jobs whose every attempt started before `before` and has ended, and the
    /// starts, those of nobody included, that need not be kept for them.
    #[must_use]
    pub fn past(&self, before: Timestamp) -> (Vec<(JobIx, Counted)>, BTreeSet<StartKey>) {
        let (mut jobs, mut starts) = (Vec::new(), BTreeSet::new());
        for (key, matched) in self.starts.range(..(before, LineKey(0), StreamKey(0))) {
            match matched.outcome {
                Outcome::Took(job) => {
                    let attempts = self.attempts(*key);
                    let (state, settled_at) = self.outcome(*key);
                    let is_past = attempts.last().is_some_and(|last| last.0 < before);
                    if is_past && state != State::Running {
                        let is_failure = state == State::Failed;
                        jobs.push((job, Counted { started_at: key.0, is_failure, settled_at }));
                        starts.extend(attempts);
                    }
                }
                Outcome::Surplus => {
                    starts.insert(*key);
                }
                Outcome::Retried => {}
            }
        }
        (jobs, starts)
    }

    /// The start and the retries that follow it.
    fn attempts(&self, start: StartKey) -> Vec<StartKey> {
        let mut attempts = vec![start];
        let mut key = start;
        while let Some(end) = self.paired(key).and_then(|paired| paired.failure).map(|(_, end)| end.at)
            && let Some(retry) = self.failures.get(&(end, key)).copied().flatten()
        {
            attempts.push(retry);
            key = retry;
        }
        attempts
    }

    /// The lines it was told of, but for those of the starts in `past`.
    #[must_use]
    pub fn lines(&self, past: &BTreeSet<StartKey>) -> Vec<StreamLines> {
        let of = |(stream, series): (&StreamKey, &StreamSeries)| {
            let (starts, ends) = series.lines(|(at, line)| !past.contains(&(at, line, *stream)));
            StreamLines { stream: *stream, starts, ends }
        };
        self.streams.iter().map(of).collect()
    }

    /// Takes back lines it was told of before.
    pub fn restore(&mut self, lines: StreamLines) {
        let series = self.streams.entry(lines.stream).or_default();
        for place in lines.starts {
            series.add_start(place);
        }
        for (line, end) in lines.ends {
            series.add_end(line, end);
        }
    }
}

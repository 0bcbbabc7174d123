//! When the attempts of one job were released and started, so that its class's backoff can be learned.
//!
//! **Invariant:** a union, so that the gaps found do not depend on the order the lines came in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{Observation, Stage, Timestamp};

/// Attempts remembered of one job, the first ones: a job that is retried for ever shows its backoff in those.
const ATTEMPTS_MAX: usize = 8;

/// Releases and starts by attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    released: BTreeMap<u32, Timestamp>,
    started: BTreeMap<u32, Timestamp>,
}

impl Retries {
    /// Whether a line says anything here: it must carry its attempt.
    pub fn concerns(observation: &Observation) -> bool {
        match observation.attempt {
            Some(attempt) => {
                observation.stage == Stage::Released
                    || (observation.stage == Stage::Processing && attempt > 1)
            }
            None => false,
        }
    }

    /// Takes a line.
    pub fn add(&mut self, observation: &Observation) {
        let Some(attempt) = observation.attempt else { return };
        let is_release = observation.stage == Stage::Released;
        let (marks, at) = (if is_release { &mut self.released } else { &mut self.started }, observation.at);
        let mark = marks.entry(attempt).or_insert(at);
        *mark = (*mark).min(at);
        while marks.len() > ATTEMPTS_MAX {
            marks.pop_last();
        }
    }

    /// Takes what another record of the same job has.
    pub fn join(&mut self, other: Self) {
        for (mine, others) in [(&mut self.released, other.released), (&mut self.started, other.started)] {
            for (attempt, at) in others {
                let mark = mine.entry(attempt).or_insert(at);
                *mark = (*mark).min(at);
            }
            while mine.len() > ATTEMPTS_MAX {
                mine.pop_last();
            }
        }
    }

    /// The longest time from a release to the start of the attempt after it.
    pub fn longest_backoff_ms(&self) -> Option<i64> {
        let gaps = self.released.iter().filter_map(|(attempt, released)| {
            let started = self.started.get(&attempt.saturating_add(1))?;
            Some(started.since_ms(*released)).filter(|gap_ms| *gap_ms >= 0)
        });
        gaps.max()
    }
}

//! What is known of one job: all that its lines say, joined, and what sweeps found out about it.
//!
//! **Invariant:** [`JobRecord::join`] is commutative, associative and idempotent, so that a store may join what
//! deliveries say in any order and as often as it likes.

use serde::{Deserialize, Serialize};

use super::job_facts::{JobFacts, State, StreamKey};
use super::retries::Retries;
use crate::domain::job::{LineKey, Observation, Stage, Timestamp};

/// What a job was found to be by counting, once and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counted {
    /// The id-less start it was taken to have.
    pub started_at: Timestamp,
    /// Whether the last attempt failed.
    pub is_failure: bool,
    /// When it settled.
    pub settled_at: Option<Timestamp>,
}

/// Everything that is known of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobRecord {
    /// What its lines say.
    #[serde(rename = "k")]
    pub known: JobFacts,
    /// When it was released and started again, by attempt.
    #[serde(rename = "rt", skip_serializing_if = "Option::is_none")]
    pub retries: Option<Box<Retries>>,
    /// Its first line: orders jobs that became ready at the same moment.
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    pub born: Option<LineKey>,
    /// The stream of its enqueue line.
    #[serde(rename = "src", skip_serializing_if = "Option::is_none")]
    pub source: Option<StreamKey>,
    /// When a job that became ready later was seen to start first.
    #[serde(rename = "po", skip_serializing_if = "Option::is_none")]
    pub passed_over_at: Option<Timestamp>,
    /// Given up: nobody can tell any more what became of it. Holds for what is known up to this moment.
    #[serde(rename = "gu", skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
    /// Found to have been consumed where no line shows it.
    #[serde(rename = "un", skip_serializing_if = "std::ops::Not::not")]
    pub is_hidden: bool,
    /// What it was found to be by counting.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

impl JobRecord {
    /// What one line says of its job.
    #[must_use]
    pub fn of(observation: &Observation, stream: StreamKey, arrived_at: Timestamp) -> Self {
        let mut record = Self {
            known: JobFacts::of(observation, stream, arrived_at),
            born: Some(observation.line),
            source: (observation.stage == Stage::Enqueued).then_some(stream),
            ..Self::default()
        };
        if Retries::concerns(observation) {
            let mut retries = Retries::default();
            retries.add(observation);
            record.retries = Some(Box::new(retries));
        }
        record
    }

    /// Joins what another source knows of the same job.
    pub fn join(&mut self, other: &Self) {
        self.known.join(&other.known);
        if let Some(retries) = &other.retries {
            self.retries.get_or_insert_default().join((**retries).clone());
        }
        self.born = least(self.born, other.born);
        self.source = least(self.source, other.source);
        self.passed_over_at = least(self.passed_over_at, other.passed_over_at);
        self.unknown_since = self.unknown_since.max(other.unknown_since);
        self.is_hidden |= other.is_hidden;
        self.counted = self.counted.max(other.counted);
    }

    /// What the job is doing, as far as this record tells.
    #[must_use]
    pub fn state(&self) -> State {
        let state = self.known.state();
        match self.counted {
            Some(counted) if state.is_waiting() => {
                if counted.is_failure {
                    State::Failed
                } else {
                    State::Processed
                }
            }
            _ if state.is_open()
                && self.unknown_since.is_some()
                && self.known.newest_fact() <= self.unknown_since =>
            {
                State::Unknown
            }
            _ => state,
        }
    }

    /// Whether the job waits or runs, so that a sweep must look at it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().is_open()
    }

    /// Whether everything is told: enqueued, started, ended well, nothing else. Such a job is never asked for again.
    #[must_use]
    pub fn is_whole_life(&self) -> bool {
        self.known.enqueued.is_some()
            && self.known.released.is_none()
            && self.known.newest_failure.is_none()
            && self.known.state() == State::Processed
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

//! What is known of one job apart from all others: what a store keeps of it, under which key.
//!
//! **Invariant:** [`JobRecord::join`] is commutative, associative and idempotent, so that a store may join what
//! deliveries say in any order and as often as it likes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{ENQUEUE_TOLERANCE_MS, Registers, State, StreamKey};
use super::retries::Retries;
use crate::domain::intake::LineHash;
use crate::domain::job::{JobId, JobUuid, LineKey, Observation, Stage, Timestamp};

/// The name under which a store keeps a job.
///
/// `i` and its id, so that an enqueue, which carries id and uuid, meets worker lines that carry either one or both.
/// On a database a retry has a new id, so from the second attempt on it is `u` and the uuid. An enqueue that
/// carries neither is `l` and its own line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobKey(String);

/// A job's key, hashed: enough to tell jobs apart where their names are not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobHash(pub u64);

impl JobKey {
    /// The key of the job that a line speaks of. `None` for a worker line without any name: that is counted.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<Self> {
        let by_uuid = observation.uuid.as_ref().map(|uuid| Self::of_uuid(uuid).0);
        let is_renewed = observation.attempt.is_some_and(|attempt| attempt >= 2);
        let key = match (&observation.id, by_uuid) {
            (Some(id), Some(by_uuid)) if id.is_numeric() && is_renewed => by_uuid,
            (Some(id), _) => format!("i{}", id.as_str()),
            (None, Some(by_uuid)) => by_uuid,
            (None, None) if observation.stage == Stage::Enqueued => format!("l{:016x}", observation.line.0),
            (None, None) => return None,
        };
        Some(Self(key))
    }

    /// The name by which lines of a class tell its jobs apart: the id, or where that is a row's and the line carries
    /// it the uuid. `None` for a line without any.
    #[must_use]
    pub fn of_name(id: Option<&JobId>, uuid: Option<&JobUuid>) -> Option<Self> {
        match (id, uuid) {
            (Some(id), None) => Some(Self(format!("i{}", id.as_str()))),
            (Some(id), Some(_)) if !id.is_numeric() => Some(Self(format!("i{}", id.as_str()))),
            (_, Some(uuid)) => Some(Self::of_uuid(uuid)),
            (None, None) => None,
        }
    }

    /// The key of a job that is known by its uuid.
    #[must_use]
    pub fn of_uuid(uuid: &JobUuid) -> Self {
        Self(format!("u{}", uuid.as_str()))
    }

    /// A key as a store spells it.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The key as a store spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, hashed.
    #[must_use]
    pub fn hash(&self) -> JobHash {
        JobHash(LineHash::default().with(self.0.as_bytes()).finish())
    }

    /// Whether the key is a database row's, which is used again for other jobs.
    #[must_use]
    pub fn is_row(&self) -> bool {
        self.0.strip_prefix('i').is_some_and(|id| JobId::from(id).is_numeric())
    }
}

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
    pub known: Registers,
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
    pub given_up_at: Option<Timestamp>,
    /// Found to have been consumed unseen.
    #[serde(rename = "un", skip_serializing_if = "std::ops::Not::not")]
    pub is_unseen: bool,
    /// What it was found to be by counting.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

impl JobRecord {
    /// What one line says of its job.
    #[must_use]
    pub fn of(observation: &Observation, stream: StreamKey, arrived_at: Timestamp) -> Self {
        let mut record = Self {
            known: Registers::of(observation, stream, arrived_at),
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
        self.given_up_at = self.given_up_at.max(other.given_up_at);
        self.is_unseen |= other.is_unseen;
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
                && self.given_up_at.is_some()
                && self.known.newest_fact() <= self.given_up_at =>
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

    /// The record of the newest job under a row's id: what its lines say from its newest enqueue on. The id of a
    /// database row is used again, so that what came before may be another job's.
    #[must_use]
    pub fn newest_life(mut self) -> Self {
        let Some(enqueue) = self.known.enqueued else { return self };
        let from = enqueue.at.minus_ms(ENQUEUE_TOLERANCE_MS);
        let known = &mut self.known;
        if known.first_enqueued.is_none_or(|first| first >= from) {
            return self;
        }
        known.first_enqueued = Some(enqueue.at);
        known.newest_start = known.newest_start.filter(|(mark, _)| mark.at >= from);
        known.first_start = known
            .first_start
            .filter(|at| *at >= from)
            .or_else(|| known.newest_start.map(|(mark, _)| mark.at));
        known.implied_start = known.implied_start.filter(|start| start.earliest.at >= from);
        known.bare_end = known.bare_end.filter(|(mark, _)| mark.at >= from);
        known.newest_failure = known.newest_failure.filter(|at| *at >= from);
        known.newest_success = known.newest_success.filter(|at| *at >= from);
        known.released = known.released.filter(|mark| mark.at >= from);
        known.attempts.forget_before(from);
        self.counted = self.counted.filter(|counted| counted.started_at >= from);
        self
    }
}

/// What a delivery's lines say of each job that they name.
#[must_use]
pub fn jobs_of<'a>(
    observations: impl Iterator<Item = &'a Observation>,
    stream: StreamKey,
    arrived_at: Timestamp,
) -> BTreeMap<JobKey, JobRecord> {
    let mut jobs: BTreeMap<JobKey, JobRecord> = BTreeMap::new();
    for observation in observations.filter(|observation| observation.stage.is_lifecycle()) {
        let Some(key) = JobKey::of(observation) else { continue };
        let record = JobRecord::of(observation, stream, arrived_at);
        if observation.stage == Stage::Released && key.is_row() && observation.uuid.is_some() {
            // The row is gone, and the job goes on under its uuid.
            let renewed =
                Observation { attempt: Some(observation.attempt.unwrap_or(1).max(2)), ..observation.clone() };
            if let Some(next) = JobKey::of(&renewed) {
                jobs.entry(next).or_default().join(&record);
            }
            let mut ended = record;
            ended.known.newest_failure = ended.known.released.take().map(|mark| mark.at);
            jobs.entry(key).or_default().join(&ended);
            continue;
        }
        jobs.entry(key).or_default().join(&record);
    }
    jobs
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

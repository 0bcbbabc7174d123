//! What is known of one job: facts that only grow, so that any order of deliveries ends in the same record.
//!
//! **Invariant:** [`JobFacts::join`] is commutative, associative and idempotent: every field is a maximum,
//! a minimum or a ranked name. The state is computed from the facts and never stored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attempts::Attempts;
pub use super::implied_start::{ImpliedStart, STAMP_TOLERANCE_MS, runtime_tolerance_ms};
use super::names::Names;
pub use super::state::State;
use crate::domain::job::{
    ConnectionName, Ending, JobClass, JobId, JobUuid, Observation, QueueName, SECOND_MS, Stage, Timestamp,
};
use crate::domain::line::LineHash;
use crate::domain::model::queue_ref::QueueRef;

/// How much later than the push its line may be written, and a start still belong to it: the listener logs
/// after the push, and two hosts' clocks differ. Measured gaps stay under 2.4 s.
pub const ENQUEUE_TOLERANCE_MS: i64 = 5 * SECOND_MS;
/// How far the clocks of two hosts may differ and their lines still be told apart. Hosts that keep time at all differ by
/// less than a second; one that lost its time server drifts by seconds a day, and somebody sees it before it is a minute.
pub const CLOCKS_APART_MAX_MS: i64 = 60 * SECOND_MS;

/// A moment in a job's life, ordered by time, then attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// When the line was stamped.
    pub at: Timestamp,
    /// The attempt the line carried, 0 where it carried none.
    pub attempt: u32,
}

/// The newest enqueue of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Enqueue {
    /// When the line was stamped.
    pub at: Timestamp,
    /// The delay on the line; `None` where it carried no such field.
    pub delay_ms: Option<i64>,
}

impl Enqueue {
    /// When a worker may take the job.
    #[must_use]
    pub fn ready_at(self) -> Timestamp {
        self.at.plus_ms(self.delay_ms.unwrap_or(0).max(0))
    }
}

/// A name and how far it is to be believed: the enqueue's own words outrank a worker's, ties go to the
/// greater name so that order does not matter.
pub(super) type Ranked<T> = Option<(u8, T)>;

/// The facts of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobFacts {
    /// Newest enqueue.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub enqueued: Option<Enqueue>,
    /// Earliest enqueue.
    #[serde(rename = "fe", skip_serializing_if = "Option::is_none")]
    pub first_enqueued: Option<Timestamp>,
    /// When the newest enqueue's line reached us: least, so that a repeat does not renew it.
    #[serde(rename = "ar", skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    /// Newest release back to the queue.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub released: Option<Mark>,
    /// Earliest start line.
    #[serde(rename = "fs", skip_serializing_if = "Option::is_none")]
    pub first_start: Option<Timestamp>,
    /// Newest start line, and the stream it was printed in.
    #[serde(rename = "ns", skip_serializing_if = "Option::is_none")]
    pub newest_start: Option<(Mark, StreamKey)>,
    /// Newest start that an end with a runtime proves.
    #[serde(rename = "is", skip_serializing_if = "Option::is_none")]
    pub implied_start: Option<ImpliedStart>,
    /// Earliest end without a runtime: a start lies before it, nobody knows how long.
    #[serde(rename = "be", skip_serializing_if = "Option::is_none")]
    pub bare_end: Option<(Mark, StreamKey)>,
    /// Newest failure.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub newest_failure: Option<Timestamp>,
    /// Newest success.
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub newest_success: Option<Timestamp>,
    /// When its attempts started and ended.
    #[serde(rename = "a", skip_serializing_if = "is_unset")]
    pub attempts: Attempts,
    /// The timeout the job's own lines carry.
    #[serde(rename = "to", skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i64>,
    #[serde(rename = "cl", skip_serializing_if = "Option::is_none")]
    pub(super) class: Ranked<JobClass>,
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub(super) queue: Ranked<QueueName>,
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub(super) connection: Ranked<ConnectionName>,
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Arc<str>>,
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    pub(super) id: Ranked<JobId>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    pub(super) uuid: Ranked<JobUuid>,
    #[serde(rename = "fn", skip_serializing_if = "has_none")]
    forgotten: Names,
}

/// A log stream's identity, hashed from (log group, log stream): the same in every process that reads of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamKey(pub u64);

impl StreamKey {
    /// The identity of a stream.
    #[must_use]
    pub fn of(log_group: &str, log_stream: &str) -> Self {
        Self(LineHash::default().with(log_group.as_bytes()).with(log_stream.as_bytes()).finish())
    }
}

impl JobFacts {
    /// The facts after one lifecycle observation alone.
    #[must_use]
    pub fn of(observation: &Observation, stream: StreamKey, arrived_at: Timestamp) -> Self {
        let at = observation.at;
        let mark = Mark { at, attempt: observation.attempt.unwrap_or(0) };
        let is_enqueue = observation.stage == Stage::Enqueued;
        let rank = u8::from(is_enqueue);
        let mut registers = Self {
            class: observation.class.clone().map(|name| (rank, name)),
            queue: observation.queue.clone().map(|name| (rank, name)),
            connection: observation.connection.clone().map(|name| (rank, name)),
            origin: observation.origin.clone(),
            id: observation.id.clone().map(|name| (rank, name)),
            uuid: observation.uuid.clone().map(|name| (rank, name)),
            timeout_ms: observation.timeout_ms,
            attempts: Attempts::of(observation),
            ..Self::default()
        };
        if is_enqueue {
            registers.enqueued = Some(Enqueue { at, delay_ms: observation.delay_ms });
            registers.first_enqueued = Some(at);
            registers.arrived_at = Some(arrived_at);
        } else if observation.stage == Stage::Processing {
            registers.first_start = Some(at);
            registers.newest_start = Some((mark, stream));
        } else if observation.stage.is_end() {
            registers.imply_start(observation, mark, stream);
            registers.newest_success = Some(at).filter(|_| observation.stage == Stage::Processed);
            registers.newest_failure = Some(at).filter(|_| observation.stage == Stage::Failed);
            registers.released = Some(mark).filter(|_| observation.stage == Stage::Released);
        }
        registers
    }

    /// An end that meets no start line proves a start all the same.
    pub(super) fn imply_start(&mut self, observation: &Observation, mark: Mark, stream: StreamKey) {
        match observation.runtime {
            Some(runtime) => {
                let at = observation.at.minus_ms(runtime.ms.max(0));
                let earliest = Mark { at: at.minus_ms(runtime_tolerance_ms(runtime)), attempt: mark.attempt };
                self.implied_start = self.implied_start.max(Some(ImpliedStart { earliest, at, stream }));
            }
            None => self.bare_end = least(self.bare_end, Some((mark, stream))),
        }
    }

    /// Joins what another delivery knows of the same job.
    pub fn join(&mut self, other: &Self) {
        if other.enqueued > self.enqueued {
            self.arrived_at = other.arrived_at;
        } else if other.enqueued == self.enqueued {
            self.arrived_at = least(self.arrived_at, other.arrived_at);
        }
        self.enqueued = self.enqueued.max(other.enqueued);
        self.first_enqueued = least(self.first_enqueued, other.first_enqueued);
        self.released = self.released.max(other.released);
        self.first_start = least(self.first_start, other.first_start);
        self.newest_start = self.newest_start.max(other.newest_start);
        self.implied_start = self.implied_start.max(other.implied_start);
        self.bare_end = least(self.bare_end, other.bare_end);
        self.newest_failure = self.newest_failure.max(other.newest_failure);
        self.newest_success = self.newest_success.max(other.newest_success);
        self.timeout_ms = self.timeout_ms.max(other.timeout_ms);
        self.attempts.join(&other.attempts);
        greater(&mut self.class, &other.class);
        greater(&mut self.queue, &other.queue);
        greater(&mut self.connection, &other.connection);
        if other.origin > self.origin {
            self.origin.clone_from(&other.origin);
        }
        greater(&mut self.id, &other.id);
        greater(&mut self.uuid, &other.uuid);
        self.forgotten = self.forgotten.or(other.forgotten);
    }

    /// The job's display name.
    #[must_use]
    pub fn class(&self) -> Option<&JobClass> {
        self.class.as_ref().map(|(_, name)| name)
    }

    /// The job's queue.
    #[must_use]
    pub fn queue(&self) -> Option<&QueueName> {
        self.queue.as_ref().map(|(_, name)| name)
    }

    /// The queue and connection, as far as they are known.
    #[must_use]
    pub fn queue_ref(&self) -> QueueRef {
        QueueRef { connection: self.connection().cloned(), queue: self.queue().cloned() }
    }

    /// The job's queue connection.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionName> {
        self.connection.as_ref().map(|(_, name)| name)
    }

    /// The id the enqueue carried, else a worker line's.
    #[must_use]
    pub fn id(&self) -> Option<&JobId> {
        self.id.as_ref().map(|(_, name)| name)
    }

    /// The payload's uuid.
    #[must_use]
    pub fn uuid(&self) -> Option<&JobUuid> {
        self.uuid.as_ref().map(|(_, name)| name)
    }

    /// Forgets the names that tell it from other jobs, but for which kinds it had.
    pub fn forget_names(&mut self, had: Names) {
        self.forgotten = had;
        (self.id, self.uuid) = (None, None);
    }

    /// Forgets that names were forgotten: whoever keeps this knows the job by its key.
    pub fn forget_forgotten(&mut self) {
        self.forgotten = Names::default();
    }

    /// Names that it had and that are not kept.
    #[must_use]
    pub const fn forgotten(&self) -> Names {
        self.forgotten
    }

    /// Whether nothing has been said of the job.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.enqueued.is_none() && self.start().is_none()
    }

    /// What the job is doing.
    ///
    /// A success never outranks a failure of the same attempt: `fail()` inside a job prints both, in that
    /// order, and with a `retry_after` shorter than the job two workers print one each, in any order.
    #[must_use]
    pub fn state(&self) -> State {
        let Some((mark, _)) = self.start() else {
            return if self.released.is_some() { State::Released } else { State::Pending };
        };
        if self.is_released_after(mark) {
            return State::Released;
        }
        if self.is_enqueued_again_after(mark) {
            return State::Pending;
        }
        let start = Some(mark.at);
        if self.newest_failure >= start {
            State::Failed
        } else if self.newest_success >= start {
            State::Processed
        } else {
            State::Running
        }
    }

    /// Whether the job was enqueued once more after `start`. Its only enqueue cannot be: the names are one
    /// job's, so a start before it is a clock that differs or a listener that was slow.
    fn is_enqueued_again_after(&self, start: Mark) -> bool {
        let by = start.at.plus_ms(ENQUEUE_TOLERANCE_MS);
        self.enqueued.is_some_and(|newest| newest.at > by)
            && self.first_enqueued.is_some_and(|first| first <= by)
    }

    fn is_released_after(&self, start: Mark) -> bool {
        self.released.is_some_and(|released| {
            if released.attempt > 0 && start.attempt > 0 && released.attempt != start.attempt {
                released.attempt > start.attempt
            } else {
                released.at >= start.at
            }
        })
    }

    /// The start of the newest attempt and its stream: its own line, unless a later end proves a start whose
    /// line was lost; without any start line what the ends prove.
    #[must_use]
    pub fn start(&self) -> Option<(Mark, StreamKey)> {
        let implied = self.implied_start.map(|start| (start.earliest, start.stream));
        match (self.newest_start, implied) {
            (Some(line), Some(proved)) => {
                let is_newer = proved.0.at > line.0.at && Some(proved.0.at) > self.newest_failure;
                Some(if is_newer { proved } else { line })
            }
            (Some(line), None) => Some(line),
            (None, Some(proved)) => Some(proved),
            (None, None) => self.bare_end,
        }
    }

    /// Whether its newest start is only proved by an end: no line of it was read.
    #[must_use]
    pub fn is_start_unread(&self) -> bool {
        let start = self.start().map(|(mark, _)| mark);
        start.is_some() && self.newest_start.map(|(mark, _)| mark) != start
    }

    /// When the job was first started: its earliest start line, else the start an end proves.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.first_start
            .or_else(|| self.implied_start.map(|start| start.at))
            .or_else(|| self.bare_end.map(|(mark, _)| mark.at))
    }

    /// When the job may be taken, for a job that waits: after its newest release `backoff_ms` later, else
    /// its enqueue and delay.
    #[must_use]
    pub fn ready_at(&self, backoff_ms: i64) -> Option<Timestamp> {
        if self.state() == State::Released {
            self.released.map(|mark| mark.at.plus_ms(backoff_ms))
        } else {
            self.enqueued.map(Enqueue::ready_at)
        }
    }

    /// The newest moment that any of its lines tells of.
    #[must_use]
    pub fn newest_fact(&self) -> Option<Timestamp> {
        let start = self.start().map(|(mark, _)| mark.at);
        let released = self.released.map(|mark| mark.at);
        let enqueued = self.enqueued.map(|enqueue| enqueue.at);
        [start, released, enqueued, self.newest_failure, self.newest_success].into_iter().max().flatten()
    }

    /// When the newest attempt ended, for a job that has settled.
    #[must_use]
    pub fn settled_at(&self) -> Option<Timestamp> {
        match self.state() {
            State::Processed => self.newest_success,
            State::Failed => self.newest_failure,
            State::Pending | State::Released | State::Running | State::Unknown => None,
        }
    }
}

fn has_none(names: &Names) -> bool {
    *names == Names::default()
}

fn is_unset(attempts: &Attempts) -> bool {
    *attempts == Attempts::default()
}

pub(super) fn least<T: Ord + Copy>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

fn greater<T: Ord + Clone>(mine: &mut Ranked<T>, other: &Ranked<T>) {
    if *other > *mine {
        mine.clone_from(other);
    }
}

/// Whether an end line leaves open if the job will be tried again.
#[must_use]
pub const fn may_be_retried(observation: &Observation) -> bool {
    matches!(observation.ending, Ending::FailOrRetry)
}

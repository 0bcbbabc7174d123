//! What a line tells of whose it is: which names it carries, and where the job is. A start whose line names no job that
//! is known may still be told from some that wait.

use serde::{Deserialize, Serialize};

use super::job_facts::JobFacts;
use crate::domain::model::queue_ref::QueueRef;

/// Which of a job's names are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Names {
    /// The driver's id.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub has_id: bool,
    /// The payload's uuid.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub has_uuid: bool,
}

impl Names {
    /// Those that a job's lines carried.
    #[must_use]
    pub fn of(known: &JobFacts) -> Self {
        let forgotten = known.forgotten();
        Self {
            has_id: known.id().is_some() || forgotten.has_id,
            has_uuid: known.uuid().is_some() || forgotten.has_uuid,
        }
    }

    /// Whether both carry the same kind of name, so that names alone tell if they are one job's.
    const fn are_comparable(self, other: Self) -> bool {
        (self.has_id && other.has_id) || (self.has_uuid && other.has_uuid)
    }

    /// The names of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { has_id: self.has_id || other.has_id, has_uuid: self.has_uuid || other.has_uuid }
    }
}

/// What all jobs of one kind have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Likeness {
    /// The names that their lines carry.
    #[serde(rename = "n", default)]
    pub names: Names,
    /// The queue and connection that they name.
    #[serde(rename = "l", default)]
    pub queue_ref: QueueRef,
}

impl Likeness {
    /// What a job's lines carried.
    #[must_use]
    pub fn of(known: &JobFacts) -> Self {
        Self { names: Names::of(known), queue_ref: known.queue_ref() }
    }

    /// Whether nothing tells a start and a job apart: no name that both carry, for then names decide; and no queue or
    /// connection in which they differ.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        !self.names.are_comparable(other.names) && self.queue_ref.may_be(&other.queue_ref)
    }
}

//! What a diagnosis comes to, as data: causes, facts, what is left open, and what to run.

use serde::{Deserialize, Serialize};

use super::advice::{LogsQuery, Step};
use super::cause::{Cause, SubCause};
use super::fact::{Fact, Trend, Unknown};
use super::weight::Weight;
use crate::domain::job::Timestamp;

/// What is likely, and what supports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The likeliest cause.
    pub cause: Cause,
    /// What is behind it, where lines say.
    pub sub_cause: Option<SubCause>,
    /// Whether the lines leave no other.
    pub is_certain: bool,
    /// How much speaks for the likeliest.
    #[serde(default)]
    pub weight: Weight,
    /// At most two more.
    pub runners_up: Vec<Cause>,
    /// What supports it.
    pub evidence: Vec<Fact>,
    /// What changed within the last hour.
    pub changes: Vec<Fact>,
    /// Where the queue is heading.
    pub trend: Option<Trend>,
    /// What logs cannot tell.
    pub cannot_tell: Vec<Unknown>,
    /// What to run, best first; then what finds the variables in it.
    pub commands: Vec<Step>,
    /// Where to read on.
    pub logs: Option<LogsQuery>,
    /// When it was asked.
    pub as_of: Timestamp,
}

impl Diagnosis {
    /// Whether it names a cause, as the likeliest or as another.
    #[must_use]
    pub fn names(&self, cause: Cause) -> bool {
        self.cause == cause || self.runners_up.contains(&cause)
    }
}

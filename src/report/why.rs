//! The diagnosis of an incident, as the JSON contract has it.

use serde::Serialize;

use crate::message::Explanation;

/// Why, in English, times in UTC.
#[derive(Clone, Debug, Serialize)]
pub struct DiagnosisRow {
    /// The likeliest cause.
    pub cause: &'static str,
    /// Whether the lines leave no other.
    pub certain: bool,
    /// At most two more.
    pub runners_up: Vec<&'static str>,
    /// What supports it.
    pub evidence: Vec<String>,
    /// What logs cannot tell.
    pub cannot_tell: Vec<String>,
    /// What to run, best first.
    pub commands: Vec<String>,
}

impl From<Explanation> for DiagnosisRow {
    fn from(explained: Explanation) -> Self {
        Self {
            cause: explained.cause,
            certain: explained.is_certain,
            runners_up: explained.runners_up,
            evidence: explained.evidence,
            cannot_tell: explained.cannot_tell,
            commands: explained.commands,
        }
    }
}

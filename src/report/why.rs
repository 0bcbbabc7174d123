//! The diagnosis of an incident, as the JSON contract has it.

use serde::Serialize;

use crate::message::Told;

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

impl From<Told> for DiagnosisRow {
    fn from(told: Told) -> Self {
        Self {
            cause: told.cause,
            certain: told.is_certain,
            runners_up: told.runners_up,
            evidence: told.evidence,
            cannot_tell: told.cannot_tell,
            commands: told.commands,
        }
    }
}

//! A diagnosis in plain strings, for programs: English, times in UTC, commands as they are pasted.

use super::clock::Clock;
use super::words;
use crate::domain::blind_spots::BlindSpot;
use crate::domain::diagnosis::Diagnosis;
use crate::domain::diagnosis::finding::Fact;
use crate::domain::policy::Language;
use crate::domain::runbook::Step;

/// A diagnosis in strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The likeliest cause.
    pub cause: &'static str,
    /// Whether the lines leave no other.
    pub is_certain: bool,
    /// At most two more.
    pub runners_up: Vec<&'static str>,
    /// What supports it.
    pub evidence: Vec<String>,
    /// What logs cannot tell.
    pub cannot_tell: Vec<String>,
    /// What to run; what is to be known first stands above a command, as a comment.
    pub commands: Vec<String>,
}

/// Puts a diagnosis into strings.
#[must_use]
pub fn explain(diagnosis: &Diagnosis) -> Explanation {
    let changes = diagnosis.changes.iter().filter(|fact| !diagnosis.evidence.contains(fact));
    Explanation {
        cause: diagnosis.cause.as_str(),
        is_certain: diagnosis.is_certain,
        runners_up: diagnosis.runners_up.iter().map(|cause| cause.as_str()).collect(),
        evidence: diagnosis.evidence.iter().chain(changes).map(fact).collect(),
        cannot_tell: diagnosis.cannot_tell.iter().map(|it| words::unknown(Language::En, *it)).collect(),
        commands: diagnosis.commands.iter().map(|step| pasted(Language::En, step)).collect(),
    }
}

/// A fact in English, its time in UTC.
#[must_use]
pub fn fact(fact: &Fact) -> String {
    words::fact(Language::En, fact, &Clock::of("UTC"), None)
}

/// What logs cannot show, in English, without its full stop.
#[must_use]
pub fn blind_spot(spot: BlindSpot) -> String {
    words::watching::blind_spot(Language::En, spot)
}

/// A command as it is pasted: what to know of it above it, as a comment.
pub(super) fn pasted(language: Language, step: &Step) -> String {
    match step.note {
        Some(note) => format!("# {}\n{}", words::note(language, note), step.command),
        None => step.command.clone(),
    }
}

//! A diagnosis in plain strings, for programs: English, times in UTC, commands as they are pasted.
//!
//! It is the `diagnosis` of an incident in every JSON: of a report, and of the machine JSON.

use serde::Serialize;

use super::clock::utc;
use super::compose;
use super::words::{self, Voice};
use crate::domain::blind_spots::BlindSpot;
use crate::domain::deployment::Deployment;
use crate::domain::incidents::Incident;
use crate::domain::incidents::fact::Fact;
use crate::domain::model::policy::Language;
use crate::domain::runbook::Step;

/// A diagnosis in strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
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
    /// What to run, best first; what is to be known first stands above a command, as a comment.
    pub commands: Vec<String>,
}

/// Puts the diagnosis of an incident into strings.
#[must_use]
pub fn explain(incident: &Incident, deployment: &Deployment) -> Option<Explanation> {
    let diagnosis = incident.diagnosis.as_ref()?;
    let voice = Voice::english(compose::store(incident), deployment.is_on_aws());
    let changes = diagnosis.changes.iter().filter(|fact| !diagnosis.evidence.contains(fact));
    let has = |asked: &str| diagnosis.commands.iter().any(|step| step.command.contains(asked));
    let cannot_tell = diagnosis.cannot_tell.iter();
    Some(Explanation {
        cause: diagnosis.cause.as_str(),
        certain: compose::is_certain(diagnosis),
        runners_up: diagnosis.runners_up.iter().map(|cause| cause.as_str()).collect(),
        evidence: diagnosis.evidence.iter().chain(changes).map(|it| fact(it, &voice)).collect(),
        cannot_tell: cannot_tell
            .map(|it| words::unknown_and_command(*it, has(it.asked_by()), &voice))
            .collect(),
        commands: diagnosis.commands.iter().map(pasted).collect(),
    })
}

/// A fact in English, its time in UTC.
fn fact(fact: &Fact, voice: &Voice) -> String {
    words::fact(fact, fact.at.map(utc).as_deref(), voice)
}

/// What logs cannot show, in English, without its full stop.
#[must_use]
pub fn blind_spot(spot: BlindSpot) -> String {
    words::watching::blind_spot(Language::En, spot)
}

/// A command as it is pasted: what to know of it above it, as a comment.
fn pasted(step: &Step) -> String {
    match step.note {
        Some(note) => format!("# {}\n{}", words::note(Language::En, note), step.command),
        None => step.command.clone(),
    }
}

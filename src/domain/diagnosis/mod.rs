//! Why: from what is known to the likely causes, best first, what logs cannot tell, and what to run.
//!
//! Three steps: `evidence` gathers what lines show around an incident; each rule in `rules` names a cause if the
//! evidence supports it, and how much; `ranking` puts them in order. Silence never names a cause alone: it looks the
//! same for an idle, dead, paused, misrouted and file-logging worker, so that what it leaves open is listed, too.

pub mod cause;
mod evidence;
pub mod finding;
mod ranking;
mod rules;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests;
mod weight;

use serde::{Deserialize, Serialize};

use super::detect::queues::{QueueView, Queues, WaitingJob};
use super::incident::Incident;
use super::job::Timestamp;
use super::ledger::Ledger;
use super::ledger::class::Lane;
use super::ledger::reads::Missing;
use super::policy::Policy;
use super::runbook::{LogsQuery, Step};
use finding::{Trend, Unknown};

pub use cause::{Cause, SubCause};
pub use evidence::queue_facts;
pub use finding::{Fact, Finding, Who};
pub use weight::Weight;

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

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The incident as it stands; its list of jobs may be empty.
    pub incident: &'a Incident,
    /// The place it is at.
    pub lane: &'a Lane,
    /// That place at this moment.
    pub view: &'a QueueView,
    /// The jobs it is about, oldest first, for kinds of jobs that wait.
    pub jobs: &'a [&'a WaitingJob],
    /// Every queue.
    pub queues: &'a Queues,
    /// Worker lines that are missing, where that is more than chance.
    pub missing: Option<Missing>,
    /// Now.
    pub now: Timestamp,
    /// Until when silence means anything: the end of a replay's input, else now.
    pub heard_until: Timestamp,
}

/// Names the likely causes. Pure: the same knowledge and question give the same answer.
#[must_use]
pub fn diagnose(ledger: &Ledger, policy: &Policy, question: &Question<'_>) -> Diagnosis {
    let evidence = evidence::Evidence::gather(ledger, policy, question);
    let candidates = rules::candidates(&evidence);
    ranking::rank(candidates, &evidence)
}

//! Why: from what is known to the likely causes, best first, what logs cannot tell, and what to run.
//!
//! Three steps: `evidence` gathers what lines show around an incident; each rule in `rules` names a cause if the
//! evidence supports it, and how much; `ranking` puts them in order. Silence never names a cause alone: it looks the
//! same for an idle, dead, paused, misrouted and file-logging worker, so that what it leaves open is listed, too.

mod evidence;
mod ranking;
mod rules;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
pub(super) mod tests;

use super::incidents::Incident;
use super::job::Timestamp;
use super::ledger::Ledger;
use super::ledger::coverage::Missing;
use super::model::policy::Policy;
use super::model::queue_ref::QueueRef;
use super::queues::resolver::QueueResolver;
use super::queues::view::{QueueView, Queues, WaitingJob};

pub use super::incidents::cause::{self, Cause, SubCause};
pub use super::incidents::diagnosis::Diagnosis;
pub use super::incidents::fact::{self as finding, Fact, Finding, Who};
pub use super::incidents::weight::Weight;
pub use evidence::queue_facts;
/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The incident as it stands; its list of jobs may be empty.
    pub incident: &'a Incident,
    /// The place it is at.
    pub place: &'a QueueRef,
    /// That place at this moment.
    pub view: &'a QueueView,
    /// The jobs it is about, oldest first, for kinds of jobs that wait.
    pub jobs: &'a [&'a WaitingJob],
    /// Every queue.
    pub queues: &'a Queues,
    /// Which queue a line without one is about.
    pub resolver: &'a QueueResolver<'a>,
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

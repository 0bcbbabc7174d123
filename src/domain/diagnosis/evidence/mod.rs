//! What lines show around an incident, gathered once and asked by every rule.

mod attempts;
mod ends;
mod failures;
mod files;
mod fleet;
mod queue;
mod side;
mod sight;
mod store;
mod workers;

use super::Question;
use crate::domain::incidents::Kind;
use crate::domain::incidents::fact::{Fact, Finding};
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::model::policy::Policy;

pub(super) use attempts::Attempts;
pub(super) use ends::End;
pub(super) use failures::ClassFailure;
pub(super) use files::LogFile;
use fleet::Fleet;
pub(super) use queue::counting;
pub use queue::queue_facts;
pub(super) use queue::{Elsewhere, QueueEvidence};
pub(super) use side::Others;
pub(super) use sight::Sight;
pub(super) use store::{Errors, Store};
pub(super) use workers::Workers;

/// How far before the trouble its causes are looked for, and within how long boots or kills are a storm.
pub(super) const AROUND_MS: i64 = 10 * MINUTE_MS;

/// Everything a rule may ask.
pub(super) struct Evidence<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) policy: &'a Policy,
    pub(super) question: &'a Question<'a>,
    /// Until when lines were heard: later, silence means nothing.
    pub(super) heard: Timestamp,
    /// When the trouble began.
    pub(super) since: Timestamp,
    /// Other apps, whose lines tell nothing of this one.
    pub(super) others: Others<'a>,
    pub(super) queue: QueueEvidence<'a>,
    pub(super) workers: Workers<'a>,
    /// Of the workers, those that are not heard any more beside others that are.
    pub(super) fleet: Option<Fleet>,
    pub(super) attempts: Attempts<'a>,
    pub(super) store: Store<'a>,
    /// Files that worker output goes to, the newest first.
    pub(super) files: Vec<LogFile<'a>>,
    pub(super) sight: Sight<'a>,
    /// How the concerned classes' last attempts ended, where some ended badly; the newest first.
    pub(super) failures: Vec<ClassFailure<'a>>,
}

impl<'a> Evidence<'a> {
    pub(super) fn gather(ledger: &'a Ledger, policy: &'a Policy, question: &'a Question<'a>) -> Self {
        let heard = question.now.min(question.heard_until);
        let since = since(question);
        let from = since.min(heard).minus_ms(AROUND_MS);
        let others = side::others(ledger, question);
        let mut queue = QueueEvidence::gather(ledger, question, since, heard);
        queue.elsewhere.retain(|it| !others.own(ledger, it.place));
        let streams = side::streams(ledger, &others);
        Self {
            ledger,
            policy,
            question,
            heard,
            since,
            workers: Workers::gather(ledger, question, &streams, from, heard),
            fleet: Fleet::of(&streams, queue.longest_run_ms(ledger), since, heard),
            attempts: Attempts::gather(ledger, policy, &queue.classes, from, (heard, question.now)),
            store: Store::gather(ledger, &others.places, from, heard),
            files: files::gather(ledger, heard),
            sight: Sight::gather(ledger, heard),
            failures: failures::gather(ledger, &queue.classes, question.incident.key.kind, heard),
            queue,
            others,
        }
    }

    /// The incident's kind.
    pub(super) fn kind(&self) -> Kind {
        self.question.incident.key.kind
    }

    /// Whether anything has started on the queue within its grace: else only work in progress keeps it going.
    pub(super) fn is_moving(&self) -> bool {
        let grace_ms = self.policy.grace_ms(self.question.place.queue.as_ref(), None);
        self.queue.newest_start.is_some_and(|at| at.plus_ms(grace_ms) > self.heard)
    }

    /// That fewer workers say that they live than somebody expects here.
    pub(super) fn too_few_workers(&self) -> Option<Fact> {
        let expected = u64::from(self.policy.expect_workers(self.question.place.queue.as_ref())?);
        let alive = self.workers.naming.len() as u64;
        (alive < expected).then(|| Fact::timeless(Finding::WorkersExpected { alive, expected }))
    }

    /// Whether no job line of a worker was ever seen.
    pub(super) fn is_hidden(&self) -> bool {
        self.workers.newest_job_line.is_none()
    }
}

/// When the trouble began: for jobs that wait, when the oldest was ready.
fn since(question: &Question<'_>) -> Timestamp {
    let incident = question.incident;
    let oldest = question.jobs.first().map(|job| job.ready_at);
    oldest.or(incident.oldest_ready_at).or(incident.since).unwrap_or(incident.opened_at)
}

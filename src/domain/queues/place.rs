//! One queue as a sweep looks at it: what is known there, at one moment.

use std::collections::BTreeMap;

use super::resolver::QueueResolver;
use super::view::{QueueView, Queues, WaitingJob};
use crate::domain::job::Timestamp;
use crate::domain::ledger::{Ledger, QueueActivity};
use crate::domain::model::policy::Policy;
use crate::domain::model::queue_ref::QueueRef;

/// For a queue whose name was learned while an incident was open, the name in the incident's key.
pub type Learned = BTreeMap<QueueRef, QueueRef>;

/// Everything at one moment.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Everything that is known.
    pub ledger: &'a Ledger,
    /// What is allowed.
    pub policy: &'a Policy,
    /// Which queue a line without one is about.
    pub resolver: &'a QueueResolver<'a>,
    /// Names learned while an incident was open.
    pub learned: &'a Learned,
    /// Every queue.
    pub queues: &'a Queues,
    /// The moment.
    pub now: Timestamp,
    /// The last delivery of a replay; `None` where there is no end.
    pub last_delivery: Option<Timestamp>,
}

/// One queue at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Everything that is known.
    pub ledger: &'a Ledger,
    /// What is allowed.
    pub policy: &'a Policy,
    /// Which queue a line without one is about.
    pub resolver: &'a QueueResolver<'a>,
    /// Names learned while an incident was open.
    pub learned: &'a Learned,
    /// Which queue, as its incidents name it.
    pub at: &'a QueueRef,
    /// Who waits and runs there.
    pub view: &'a QueueView,
    /// The moment.
    pub now: Timestamp,
    /// The last delivery of a replay; `None` where there is no end.
    pub last_delivery: Option<Timestamp>,
}

impl<'a> World<'a> {
    /// One of its queues.
    #[must_use]
    pub const fn place(&self, at: &'a QueueRef, view: &'a QueueView) -> Place<'a> {
        let Self { ledger, policy, resolver, learned, queues: _, now, last_delivery } = *self;
        Place { ledger, policy, resolver, learned, at, view, now, last_delivery }
    }
}

impl<'a> Place<'a> {
    /// Whether lines that carry these names are about this queue.
    #[must_use]
    pub fn is_here(&self, names: &QueueRef) -> bool {
        let resolved = self.resolver.resolve(names);
        resolved == *self.at || self.learned.get(&resolved) == Some(self.at)
    }

    /// What the ledger knows of this queue, once for each way in which lines name it.
    pub fn facts(&self) -> impl Iterator<Item = &'a QueueActivity> {
        let (at, resolver) = (self.at, self.resolver);
        let learned = self.learned.iter().filter(move |(_, known)| *known == at).map(|(name, _)| name);
        [at].into_iter().chain(learned).flat_map(move |name| resolver.activity(name).iter().copied())
    }

    /// How long a job of this queue may wait, whatever its class.
    #[must_use]
    pub fn grace_ms(&self) -> i64 {
        self.policy.grace_ms(self.at.queue.as_ref(), None)
    }

    /// The jobs that are overdue, have been known to us for as long, and were not overtaken.
    pub fn overdue(&self) -> impl Iterator<Item = &'a WaitingJob> {
        let now = self.now;
        self.view.waiting.iter().filter(move |job| job.due_at <= now && job.overtaken_at.is_none())
    }

    /// The jobs that were overtaken, overdue or not.
    pub fn overtaken(&self) -> impl Iterator<Item = &'a WaitingJob> {
        self.view.waiting.iter().filter(|job| job.overtaken_at.is_some())
    }
}

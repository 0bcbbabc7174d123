//! What opens, keeps and resolves each kind of incident: one file a kind.
//!
//! Judging is pure: what a queue shows, what could be seen of its jobs, the past incident, the policy and the moment make
//! a [`Verdict`]. No detector reads what another has decided in the same sweep; in which order they are asked is
//! `sweep`'s.

pub mod backlog;
pub mod blind;
pub mod failing;
mod jobs;
pub mod lost;
pub mod refused;
pub mod stalled;
pub mod stuck;

use crate::domain::incidents::cases::Verdict;
use crate::domain::incidents::{Detail, Incident, Key};
use crate::domain::job::{QueueName, Timestamp};
use crate::domain::model::policy::Policy;
use crate::domain::queues::place::{Place, World};

pub use jobs::jobs_of;

/// The incident, where it is open.
fn opened(past: Option<&Incident>) -> Option<Incident> {
    past.filter(|incident| incident.is_open()).cloned()
}

/// What it takes to open an incident.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The newest incident of the same key.
    pub past: Option<&'a Incident>,
    /// What is allowed.
    pub policy: &'a Policy,
    /// The moment.
    pub now: Timestamp,
    /// The last delivery of a replay; `None` where there is no end.
    pub last_delivery: Option<Timestamp>,
}

impl<'a> Opening<'a> {
    const fn of(world: &World<'a>, past: Option<&'a Incident>) -> Self {
        Self { past, policy: world.policy, now: world.now, last_delivery: world.last_delivery }
    }

    const fn at(place: &Place<'a>, past: Option<&'a Incident>) -> Self {
        Self { past, policy: place.policy, now: place.now, last_delivery: place.last_delivery }
    }

    /// A new incident; within the grace of its end the last one goes on, unless somebody closed it by hand. What its
    /// payload starts with is `detail`'s to say: it gets the payload of the one that goes on.
    fn reopen<'q>(
        &self,
        key: Key,
        queues: impl Iterator<Item = &'q QueueName>,
        detail: impl FnOnce(Option<&Detail>) -> Detail,
    ) -> Incident {
        let grace_ms = self.policy.grace_ms(key.queue.as_ref(), None);
        let is_fresh = |at: Timestamp| self.now.since_ms(at) <= grace_ms;
        let past = self.past.filter(|past| past.closed_because.is_none());
        let past = past.filter(|past| past.resolved_at.is_some_and(is_fresh));
        let blank = past.cloned().unwrap_or_else(|| self.open(key, queues));
        let detail = detail(past.map(|past| &past.detail));
        Incident { resolved_at: None, diagnosis: None, detail, ..blank }
    }

    /// A new incident. One that is of no queue in particular may concern any of `queues`.
    fn open<'q>(&self, key: Key, queues: impl Iterator<Item = &'q QueueName>) -> Incident {
        let id = key.id_at(self.now, self.past.map(|before| before.opened_at));
        let is_after_end = self.last_delivery.is_some_and(|last| self.now > last);
        let mut incident = Incident { is_after_end, ..Incident::open(id, key, self.now) };
        match incident.key.queue.clone() {
            Some(queue) => incident.queues.extend([queue]),
            None => incident.queues.extend(queues.cloned()),
        }
        incident
    }
}

//! What opens, keeps and resolves each kind of incident: one file a kind.
//!
//! A detector is a pure function of the queue's view, the presence of its jobs, the past incident, the policy and the
//! moment; it returns a [`Verdict`]. It never reads what another detector has decided in the same sweep. `sweep` calls
//! them in order.

pub mod backlog;
pub mod blind;
pub mod failing;
mod jobs;
pub mod lost;
pub mod refused;
pub mod stalled;
pub mod stuck;
#[cfg(test)]
mod tests;
mod usual;

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

/// When somebody closed the incident by hand: nothing of before then is told again.
fn closed_by_hand_at(past: Option<&Incident>) -> Option<Timestamp> {
    past.filter(|past| past.closed_because.is_some()).and_then(|past| past.resolved_at)
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

    /// A new incident. Within the grace of its end the last one is reopened instead, unless somebody closed it by hand.
    /// `detail` makes the payload; it gets that of the incident that is reopened.
    fn reopen<'q>(
        &self,
        key: Key,
        queues: impl Iterator<Item = &'q QueueName>,
        detail: impl FnOnce(Option<&Detail>) -> Detail,
    ) -> Incident {
        let grace_ms = self.policy.grace_ms(key.queue.as_ref(), None);
        self.reopen_within(grace_ms, key, queues, detail)
    }

    /// The same, within so long of the end of the last one.
    fn reopen_within<'q>(
        &self,
        within_ms: i64,
        key: Key,
        queues: impl Iterator<Item = &'q QueueName>,
        detail: impl FnOnce(Option<&Detail>) -> Detail,
    ) -> Incident {
        let is_fresh = |at: Timestamp| self.now.since_ms(at) <= within_ms;
        let past = self.past.filter(|past| past.closed_because.is_none());
        let past = past.filter(|past| past.resolved_at.is_some_and(is_fresh));
        let blank = past.cloned().unwrap_or_else(|| self.open(key, queues));
        let detail = detail(past.map(|past| &past.detail));
        Incident { resolved_at: None, diagnosis: None, detail, ..blank }
    }

    /// A new incident. Where its key names no queue, it may concern any of `queues`.
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

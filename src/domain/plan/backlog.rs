//! Jobs wait too long, though their queue moves.

use super::{Planner, key_of};
use crate::domain::incidents::Kind;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::throughput;
use crate::domain::queues::view::{QueueView, WaitingJob};

impl Planner<'_> {
    pub(super) fn judge_backlog(&mut self, lane: &QueueRef, view: &QueueView) {
        let now = self.horizon.now;
        let key = key_of(Kind::Backlog, lane);
        let open = self.opened(&key);
        let overdue = self.overdue(view, open.is_some());
        if overdue.is_empty() && open.is_none() {
            return;
        }
        let ready_count = view.waiting.iter().filter(|job| job.ready_at <= now).count();
        let done_in_ms = throughput::drained_in_ms(self.ledger, &self.resolver, lane, ready_count, now);
        let Some(mut incident) = open else {
            if self.moves(lane, view)
                && done_in_ms.is_none()
                && !self.is_told_otherwise(lane)
                && !self.may_wait_by_intent(&overdue)
            {
                let mut incident = self.reopen(key, view);
                self.follow_jobs(&mut incident, &overdue);
                self.suspect(&overdue);
                self.diagnose(&mut incident, view, &overdue);
                incident.evidence = self.queue_evidence(view, &overdue);
                self.fire(incident);
            }
            return;
        };
        if overdue.len() as u64 > incident.jobs_count {
            self.suspect(&overdue);
        }
        self.follow_jobs(&mut incident, &overdue);
        incident.done_in_ms = done_in_ms;
        // A queue that is just not late is no quicker than before: it is calm where nobody has waited half as long.
        let half_ms = |job: &WaitingJob| job.overdue_at.since_ms(job.ready_at).wrapping_div(2);
        let is_calm = view.waiting.iter().all(|job| job.ready_at.plus_ms(half_ms(job)) > now);
        if !overdue.is_empty() || !is_calm {
            incident.calm_since = None;
            self.diagnose(&mut incident, view, &overdue);
            self.keep(incident);
        } else if incident.calm_since.is_some_and(|since| since < now) {
            self.complete_waits(&mut incident, lane, view);
            self.resolve(incident);
        } else {
            // One sweep without an overdue job may be chance.
            incident.calm_since = Some(now);
            self.plan.wake.at(now.plus_ms(1), now);
            self.keep(incident);
        }
    }

    /// Whether anything has started on the queue within its grace, or runs there.
    pub(super) fn moves(&self, lane: &QueueRef, view: &QueueView) -> bool {
        let now = self.horizon.now;
        let grace_ms = self.policy.grace_ms(lane.queue.as_ref(), None);
        let has_started = view.newest_start.is_some_and(|start| start.plus_ms(grace_ms) > now);
        has_started || view.working_until.is_some()
    }

    /// Whether a stall of the queue tells of the same jobs: it is open, or the first starts after it are still being
    /// looked at.
    fn is_told_otherwise(&self, lane: &QueueRef) -> bool {
        let key = key_of(Kind::Stalled, lane);
        let is_changed =
            |id: &str| self.plan.incidents.iter().any(|changed| changed.id == id && changed.is_open());
        self.book
            .newest
            .get(&key)
            .is_some_and(|stall| stall.is_open() || is_changed(&stall.id) || self.is_gap_open(stall))
            || self.plan.incidents.iter().any(|changed| changed.key == key && changed.is_open())
    }
}

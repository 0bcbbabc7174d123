//! Jobs wait, none was passed over, and nothing moves.

use super::{Planner, key_of};
use crate::domain::incidents::Kind;
use crate::domain::job::MINUTE_MS;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::QueueView;

impl Planner<'_> {
    pub(super) fn judge_stalled(&mut self, lane: &QueueRef, view: &QueueView) {
        let now = self.horizon.now;
        let grace_ms = self.policy.grace_ms(lane.queue.as_ref(), None);
        let key = key_of(Kind::Stalled, lane);
        let open = self.opened(&key);
        let overdue = self.overdue(view, open.is_some());
        // Lines that come late come late for everybody: a worker's may be on their way.
        let lag_ms = self.ledger.deliveries.unusual_lag_ms(now);
        let moved_until = view.newest_start.map(|start| start.plus_ms(grace_ms).plus_ms(lag_ms));
        if !overdue.is_empty() {
            for until in [moved_until, view.working_until].into_iter().flatten() {
                self.plan.wake.at(until, now);
            }
        }
        let is_still = moved_until.is_none_or(|until| until <= now);
        let is_stalled = !overdue.is_empty() && is_still && view.working_until.is_none();
        let is_certain = !self.ledger.deliveries.is_behind
            && overdue.iter().any(|job| job.overdue_at.plus_ms(lag_ms) <= now)
            && !self.may_wait_by_intent(&overdue);
        if lag_ms > 0 {
            self.plan.wake.at(now.plus_ms(MINUTE_MS), now);
        }
        match open {
            Some(mut incident) => {
                if overdue.len() as u64 > incident.jobs_count {
                    self.suspect(&overdue);
                }
                self.follow_jobs(&mut incident, &overdue);
                let has_started = view.newest_start > incident.newest_start_at_opening;
                // Nothing has started for a while again, and whoever still seems to wait is not there.
                let is_drifted =
                    is_stalled && has_started && overdue.iter().all(|job| self.drifted.contains(&job.ix));
                let is_stalled = is_stalled && !is_drifted;
                if is_stalled {
                    (incident.starts_since, incident.is_gap_judged) = (None, false);
                } else if has_started && incident.starts_since.is_none() {
                    incident.starts_since = view.newest_start;
                }
                let going_on = incident.starts_since.map(|since| since.plus_ms(grace_ms));
                if let Some(until) = going_on {
                    self.plan.wake.at(until, now);
                }
                let goes_on = going_on.is_some_and(|until| until <= now) && !is_still;
                // Nobody overdue is no proof by itself: an enqueue line again makes a job young. A start is,
                // and so is a queue where nobody waits any more.
                let is_drained = overdue.is_empty() && (has_started || view.waiting.is_empty());
                if is_drained || is_drifted || (has_started && goes_on) {
                    self.complete_waits(&mut incident, lane, view);
                    self.resolve(incident);
                } else {
                    if is_stalled {
                        self.diagnose(&mut incident, view, &overdue);
                    }
                    self.keep(incident);
                }
            }
            None if is_stalled && is_certain => {
                let mut incident = self.reopen(key, view);
                self.follow_jobs(&mut incident, &overdue);
                self.suspect(&overdue);
                self.diagnose(&mut incident, view, &overdue);
                incident.evidence = self.queue_evidence(view, &overdue);
                self.fire(incident);
            }
            None => {}
        }
    }
}

//! Jobs cannot be put on their queue.

use super::{Planner, key_of};
use crate::domain::detectors::refusals;
use crate::domain::incidents::Kind;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::QueueView;

impl Planner<'_> {
    /// The lines of such errors name neither connection nor queue, so there is one incident for the app.
    pub(super) fn judge_enqueue_errors(&mut self) {
        let now = self.horizon.now;
        let refusals = refusals::detect(self.ledger, now);
        let key = key_of(Kind::EnqueueErrors, &QueueRef::default());
        let view = QueueView::default();
        match self.opened(&key) {
            Some(mut incident) => {
                incident.jobs_now = refusals.count;
                incident.jobs_count = incident.jobs_count.max(refusals.count);
                let calm_at = refusals.calm_at();
                if let Some(calm_at) = calm_at {
                    self.plan.wake.at(calm_at, now);
                }
                let newest_enqueue = self.ledger.lanes().filter_map(|(_, facts)| facts.newest_enqueue).max();
                let is_taken = newest_enqueue > refusals.newest;
                if is_taken && calm_at.is_none_or(|at| at <= now) {
                    self.resolve(incident);
                } else {
                    self.diagnose(&mut incident, &view, &[]);
                    self.keep(incident);
                }
            }
            None if refusals.is_burst && refusals.calm_at().is_some_and(|at| at > now) => {
                let mut incident = self.reopen(key, &view);
                incident.since = refusals.oldest;
                incident.jobs_now = refusals.count;
                incident.jobs_count = incident.jobs_count.max(refusals.count);
                self.diagnose(&mut incident, &view, &[]);
                self.fire(incident);
            }
            None => {}
        }
    }
}

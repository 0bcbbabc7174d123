//! Whether jobs may be waiting because they are meant to, under a delay that no line tells of.

use super::Planner;
use crate::domain::job::MINUTE_MS;
use crate::domain::queues::view::WaitingJob;

/// How improbable it must be that nobody but jobs with a delay waits, or that lines which are missing explain what is not
/// seen. Every enqueue is a new chance to be wrong, and a queue may have thousands a day.
pub(super) const CHANCE_MAX: f64 = 1e-4;

impl Planner<'_> {
    /// Whether it is not improbable that all of them wait by intent. Where delays are logged, none does. Else a class
    /// shows by how long its jobs usually wait how probable that is for one, and jobs are enqueued independently.
    pub(super) fn may_wait_by_intent(&mut self, waiting: &[&WaitingJob]) -> bool {
        if self.ledger.traits.is_delay_logged {
            return false;
        }
        let mut chance = 1.0;
        for job in waiting {
            let class = self.ledger.job(job.ix).and_then(|it| it.known.class());
            let waited_ms = self.horizon.now.since_ms(job.ready_at);
            chance *= self.ledger.class(class).map_or(0.0, |facts| facts.waits.usual_share(waited_ms));
            if chance < CHANCE_MAX {
                return false;
            }
        }
        // It grows less with each that comes, and with each minute.
        self.plan.wake.at(self.horizon.now.plus_ms(MINUTE_MS), self.horizon.now);
        !waiting.is_empty()
    }
}

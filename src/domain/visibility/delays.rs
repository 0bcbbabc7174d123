//! Expected delays: jobs that may be waiting because they are meant to, where no line tells of a delay.

use super::CHANCE_MAX;
use crate::domain::ledger::counting::JobIx;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;

/// The overdue jobs of a queue that were not overtaken, where it is not improbable that all of them are meant to wait;
/// else none. Where delays are logged, none is. Else a class shows by how long its jobs usually wait how probable that is
/// for one, and jobs are enqueued independently.
pub(super) fn expected(place: &Place<'_>) -> Vec<JobIx> {
    if place.ledger.traits.is_delay_logged {
        return Vec::new();
    }
    let mut chance = 1.0;
    let mut waiting = Vec::new();
    for job in place.overdue() {
        let class = place.ledger.job(job.ix).and_then(|it| it.known.class());
        let waited_ms = place.now.since_ms(job.ready_at);
        chance *= place.ledger.class(class).map_or(0.0, |facts| facts.waits.usual_share(waited_ms));
        if chance < CHANCE_MAX {
            return Vec::new();
        }
        waiting.push(job.ix);
    }
    waiting
}

/// How long ago a job must have been overtaken before somebody should look for it. Where delays are not logged, a job
/// may be waiting by intent: then for as long as 99 of 100 jobs of its class waited, and as hardly any usually does, if
/// that is longer. Of a thousand jobs a day ten wait longer than 99 of 100, and nobody would look for them twice.
pub(super) fn longest_ms(place: &Place<'_>, waiting: &WaitingJob) -> i64 {
    let Some(job) = place.ledger.job(waiting.ix) else { return 0 };
    let class = job.known.class();
    let grace_ms = place.policy.grace_ms(job.known.queue(), class);
    if place.ledger.traits.is_delay_logged {
        return grace_ms;
    }
    let waits = place.ledger.class(class).map(|facts| &facts.waits);
    grace_ms.max(waits.map_or(0, |waits| waits.p99_ms().max(waits.unusual_ms(CHANCE_MAX))))
}

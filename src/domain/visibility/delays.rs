//! Expected delays: jobs that may be waiting because they are meant to, where no line tells of a delay.

use std::collections::BTreeSet;

use super::{CHANCE_MAX, prompt};
use crate::domain::job::{JobClass, SECOND_MS};
use crate::domain::ledger::counting::JobIx;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;

/// How probable it must be that all jobs that wait are delayed, for them to be left alone. Where a tenth of 1,440 jobs a day
/// is, there are five minutes in which no other job comes and at least five of these do once in a year.
pub(super) const ALL_DELAYED_MIN: f64 = 1e-5;
/// How long ago a job was enqueued that would have been taken by now, and its line read.
pub(super) const MISSED_MS: i64 = 30 * SECOND_MS;

/// The jobs of a queue that are likely to be meant to wait. Where delays are logged, none is. Else the overdue jobs that
/// were not overtaken, where it is not improbable that all of them are: a class shows by how long its jobs usually wait
/// how probable that is for one, and jobs are enqueued independently. Where starts carry no id, that is no job's wait; the
/// moments of starts tell instead.
pub(super) fn expected(place: &Place<'_>) -> Vec<JobIx> {
    if place.ledger.traits.is_delay_logged {
        return Vec::new();
    }
    let class_of = |job: &WaitingJob| place.ledger.job(job.ix).and_then(|it| it.known.class());
    let is_due = |job: &&WaitingJob| job.due_at <= place.now;
    let counted = place.view.waiting.iter().filter(is_due).filter(|job| job.is_counted);
    let classes: BTreeSet<&JobClass> = counted.filter_map(class_of).collect();
    let is_prompt = |class: &&JobClass| prompt::are_delayed(place, class);
    let delayed: BTreeSet<&JobClass> = classes.into_iter().filter(is_prompt).collect();
    let is_shown =
        |job: &WaitingJob| job.is_counted && class_of(job).is_some_and(|class| delayed.contains(class));
    let due = place.view.waiting.iter().filter(is_due);
    let mut shown: Vec<JobIx> = due.filter(|job| is_shown(job)).map(|job| job.ix).collect();
    // Those that are not overdue yet wait as well, and are as improbable.
    let waiting = place.view.waiting.iter().filter(|job| job.overtaken_at.is_none() && !is_shown(job));
    let waiting = waiting.filter(|job| place.now.since_ms(job.ready_at) >= MISSED_MS);
    let mut chance = 1.0;
    for job in waiting.clone() {
        let waited_ms = place.now.since_ms(job.ready_at);
        chance *= place.ledger.class(class_of(job)).map_or(0.0, |facts| facts.waits.usual_share(waited_ms));
        if chance < ALL_DELAYED_MIN {
            return shown;
        }
    }
    shown.extend(waiting.filter(is_due).map(|job| job.ix));
    shown
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

//! Which jobs an incident is about, and how they are kept with it.

use crate::domain::incidents::{Incident, JOBS_LISTED_MAX, Kind, ListedJob, MatchedBy};
use crate::domain::job::Timestamp;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::{Ledger, Traits};
use crate::domain::queues::place::Place;
use crate::domain::queues::view::{QueueView, WaitingJob};

/// Brings an incident's jobs up to date. The list and the oldest wait stay as they were when it held most jobs.
pub(super) fn follow(incident: &mut Incident, place: &Place<'_>, jobs: &[&WaitingJob]) {
    incident.jobs_now = jobs.len() as u64;
    let Some(oldest) = jobs.first() else { return };
    let waited_ms = place.now.since_ms(oldest.ready_at);
    incident.longest_wait_ms = incident.longest_wait_ms.max(waited_ms);
    let known = incident.oldest_ready_at.unwrap_or(oldest.ready_at);
    incident.oldest_ready_at = Some(known.min(oldest.ready_at));
    if incident.jobs_now <= incident.jobs_count {
        return;
    }
    incident.jobs_count = incident.jobs_now;
    incident.jobs = jobs.iter().take(JOBS_LISTED_MAX).map(|job| listed(place.ledger, job.ix)).collect();
    incident.matched_by = jobs.iter().map(|job| matched_by(place.ledger, job)).max();
    if incident.key.queue.is_none() {
        // FIFO matching says how many jobs wait, not on which of the class's queues.
        for job in jobs.iter().filter_map(|job| place.ledger.job(job.ix)) {
            incident.queues.extend(job.known.queue().cloned());
            let facts = place.ledger.class(job.known.class()).filter(|_| job.known.queue().is_some());
            let enqueued_on = facts.into_iter().flat_map(|facts| &facts.enqueued_on);
            incident.queues.extend(enqueued_on.filter_map(|at| at.queue.clone()));
        }
    }
}

/// The longest wait, now that the incident is over: of the jobs that were ready since its oldest, by their starts, and
/// of those that still wait. While it was open, sweeps saw only parts of waits, and late lines may have corrected them.
pub(super) fn complete_waits(incident: &mut Incident, place: &Place<'_>) {
    let now = place.now;
    let Some(since) = incident.oldest_ready_at else { return };
    let started =
        place.facts().flat_map(|facts| facts.firsts.range((since, JobIx(0))..=(now, JobIx(usize::MAX))));
    let started_ms = started.map(|((ready_at, _), first)| first.at.since_ms(*ready_at).max(0));
    let held = place.view.waiting.iter().filter(|job| job.overdue_at <= now);
    let held_ms = held.map(|job| now.since_ms(job.ready_at));
    // No job is left: they turned out to be on another queue. The wait cannot have been longer than this.
    let most_ms = now.since_ms(since);
    incident.longest_wait_ms = started_ms.chain(held_ms).max().unwrap_or(most_ms);
}

pub(super) fn listed(ledger: &Ledger, ix: JobIx) -> ListedJob {
    let known = ledger.job(ix).map(|job| &job.known);
    ListedJob {
        id: known.and_then(|k| k.id()).cloned(),
        uuid: known.and_then(|k| k.uuid()).cloned(),
        class: known.and_then(|k| k.class()).cloned(),
        enqueued_at: known.and_then(|k| k.enqueued).map(|enqueue| enqueue.at),
    }
}

/// How this job's start would be known: by the best name that its own lines and, as far as any came,
/// worker lines carry.
fn matched_by(ledger: &Ledger, waiting: &WaitingJob) -> MatchedBy {
    let Some(job) = ledger.job(waiting.ix) else { return MatchedBy::Count };
    let traits = &ledger.traits;
    let has_worker_lines = traits.first_worker_line_at.is_some();
    if waiting.is_counted || (traits.worker_has_neither && !traits.worker_has_id && !traits.worker_has_uuid) {
        MatchedBy::Count
    } else if job.known.uuid().is_some() && (traits.worker_has_uuid || !has_worker_lines) {
        MatchedBy::Uuid
    } else if job.known.id().is_some() {
        MatchedBy::Id
    } else {
        MatchedBy::Count
    }
}

/// How worker lines tell attempts apart, where it is not by counting: by the best name that any carries.
pub(super) const fn attempts_matched_by(traits: &Traits, is_counted: bool) -> MatchedBy {
    match (is_counted, traits.worker_has_uuid) {
        (true, _) => MatchedBy::Count,
        (false, true) => MatchedBy::Uuid,
        (false, false) => MatchedBy::Id,
    }
}

/// The jobs of a queue that an incident of a kind is about.
pub fn jobs_of(kind: Kind, view: &QueueView, now: Timestamp) -> impl Iterator<Item = JobIx> {
    let is_stuck = kind == Kind::StuckRunning;
    let stuck = view.stuck.iter().filter(move |_| is_stuck).filter_map(|attempt| attempt.ix);
    let overdue = view.waiting.iter().filter(move |job| !is_stuck && job.due_at <= now);
    let is_of = move |job: &&WaitingJob| (kind == Kind::Lost) == job.overtaken_at.is_some();
    stuck.chain(overdue.filter(is_of).map(|job| job.ix))
}

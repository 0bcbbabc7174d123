//! Whom an incident hits, and the facts shown with it.

use super::Planner;
use crate::domain::diagnosis::queue_facts;
use crate::domain::incidents::{Fact, Incident, JOBS_LISTED_MAX, ListedJob, MatchedBy};
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::{QueueView, WaitingJob};

impl Planner<'_> {
    /// The jobs of a place that are overdue and were not passed over. What counting alone takes for one opens no incident;
    /// one that is open goes on until starts show that it is over.
    pub(super) fn overdue<'v>(&self, view: &'v QueueView, is_open: bool) -> Vec<&'v WaitingJob> {
        let now = self.horizon.now;
        let waiting = view.waiting.iter().filter(|job| job.due_at <= now && job.passed_over_at.is_none());
        waiting.filter(|job| is_open || !self.drifted.contains(&job.ix)).collect()
    }

    /// Brings an incident's jobs up to date. The list and the oldest wait stay as they were at its worst
    /// once the jobs are gone.
    pub(super) fn follow_jobs(&self, incident: &mut Incident, jobs: &[&WaitingJob]) {
        incident.jobs_now = jobs.len() as u64;
        let Some(oldest) = jobs.first() else { return };
        let waited_ms = self.horizon.now.since_ms(oldest.ready_at);
        incident.longest_wait_ms = incident.longest_wait_ms.max(waited_ms);
        let known = incident.oldest_ready_at.unwrap_or(oldest.ready_at);
        incident.oldest_ready_at = Some(known.min(oldest.ready_at));
        if incident.jobs_now <= incident.jobs_count {
            return;
        }
        incident.jobs_count = incident.jobs_now;
        incident.jobs = jobs.iter().take(JOBS_LISTED_MAX).map(|job| self.listed(job.ix)).collect();
        incident.matched_by = jobs.iter().map(|job| self.matched_by(job)).max();
        if incident.key.queue.is_none() {
            // Counting tells how many wait, not on which of the class's queues.
            for job in jobs.iter().filter_map(|job| self.ledger.job(job.ix)) {
                incident.queues.extend(job.known.queue().cloned());
                if let Some(facts) =
                    self.ledger.class(job.known.class()).filter(|_| job.known.queue().is_some())
                {
                    incident.queues.extend(facts.enqueued_on.iter().filter_map(|(_, queue)| queue.clone()));
                }
            }
        }
    }

    /// The longest wait, now that the incident is over: of the jobs that were ready since its oldest, by their
    /// starts, and of those that wait on. What sweeps saw on the way was only ever a part of a wait, and lines
    /// that came late may have told better.
    pub(super) fn complete_waits(&self, incident: &mut Incident, lane: &QueueRef, view: &QueueView) {
        let now = self.horizon.now;
        let Some(since) = incident.oldest_ready_at else { return };
        let of_lane = self.ledger.lanes().filter(|(raw, _)| self.is_at(*raw, lane));
        let started =
            of_lane.flat_map(|(_, facts)| facts.firsts.range((since, JobIx(0))..=(now, JobIx(usize::MAX))));
        let started_ms = started.map(|((ready_at, _), first)| first.at.since_ms(*ready_at).max(0));
        let held = view.waiting.iter().filter(|job| job.overdue_at <= now);
        let held_ms = held.map(|job| now.since_ms(job.ready_at));
        // Nobody left to ask: the jobs were found to be on another queue. It cannot have been longer than this.
        let most_ms = now.since_ms(since);
        incident.longest_wait_ms = started_ms.chain(held_ms).max().unwrap_or(most_ms);
    }

    pub(super) fn listed(&self, ix: JobIx) -> ListedJob {
        let known = self.ledger.job(ix).map(|job| &job.known);
        ListedJob {
            id: known.and_then(|k| k.id()).cloned(),
            uuid: known.and_then(|k| k.uuid()).cloned(),
            class: known.and_then(|k| k.class()).cloned(),
            enqueued_at: known.and_then(|k| k.enqueued).map(|enqueue| enqueue.at),
        }
    }

    /// How this job's start would be known: by the best name that its own lines and, as far as any came,
    /// worker lines carry.
    pub(super) fn matched_by(&self, waiting: &WaitingJob) -> MatchedBy {
        let Some(job) = self.ledger.job(waiting.ix) else { return MatchedBy::Count };
        let traits = &self.ledger.traits;
        let has_worker_lines = traits.first_worker_line_at.is_some();
        if waiting.is_counted
            || (traits.worker_has_neither && !traits.worker_has_id && !traits.worker_has_uuid)
        {
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
    pub(super) const fn told_by(&self, is_counted: bool) -> MatchedBy {
        match (is_counted, self.ledger.traits.worker_has_uuid) {
            (true, _) => MatchedBy::Count,
            (false, true) => MatchedBy::Uuid,
            (false, false) => MatchedBy::Id,
        }
    }

    /// The facts of a queue where jobs wait.
    pub(super) fn queue_evidence(&self, view: &QueueView, jobs: &[&WaitingJob]) -> Vec<Fact> {
        queue_facts(self.ledger, view, jobs, self.horizon.now)
    }
}

//! Whom an incident hits, and the facts shown with it.

use std::collections::BTreeSet;

use super::Planner;
use crate::domain::detect::blind;
use crate::domain::detect::queues::{QueueView, WaitingJob};
use crate::domain::incident::{Incident, JOBS_LISTED_MAX, ListedJob, MatchedBy};
use crate::domain::job::Timestamp;

impl Planner<'_> {
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
        incident.jobs = jobs.iter().take(JOBS_LISTED_MAX).map(|job| self.listed(job)).collect();
        incident.matched_by = jobs.iter().map(|job| self.matched_by(job)).max();
        if incident.key.queue.is_none() {
            let queues = jobs.iter().filter_map(|job| self.ledger.job(job.ix)?.known.queue().cloned());
            incident.queues.extend(queues);
        }
    }

    pub(super) fn listed(&self, waiting: &WaitingJob) -> ListedJob {
        let known = self.ledger.job(waiting.ix).map(|job| &job.known);
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

    pub(super) fn queue_evidence(&self, view: &QueueView, jobs: &[&WaitingJob]) -> Vec<String> {
        let traits = &self.ledger.traits;
        let mut evidence = Vec::new();
        let when = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), blind::clock);
        let waiting = view.waiting.len();
        evidence.push(format!(
            "last enqueue on this queue: {}; waiting there: {waiting}",
            when(view.newest_enqueue)
        ));
        evidence.push(format!("last start on this queue: {}", when(view.newest_start)));
        if view.newest_start.is_none() || traits.newest_worker_line_at > view.newest_start {
            let newest = traits.newest_worker_line_at;
            evidence.push(format!("last worker line on any queue: {}", when(newest)));
        }
        let heard = self.ledger.sources.iter().filter_map(|(_, facts)| facts.newest_line).max();
        evidence.push(format!("last line of any kind: {}", when(heard)));
        if jobs.iter().any(|job| job.is_counted) {
            evidence.push("worker lines carry no id: jobs are matched by counting, oldest first".to_owned());
            let doubtful = self.retries_unaccounted(jobs);
            if doubtful > 0 {
                evidence.push(format!("starts that may have been retries: \u{b1} {doubtful}"));
            }
        }
        for stream in self.ledger.streams.iter() {
            if let Some((at, file)) = stream.log_files.last_key_value() {
                let at = blind::clock(*at);
                evidence.push(format!("a line of {at} names a log file for worker output: {file}"));
            }
        }
        evidence.dedup();
        evidence
    }

    pub(super) fn retries_unaccounted(&self, jobs: &[&WaitingJob]) -> usize {
        let classes: BTreeSet<_> =
            jobs.iter().filter_map(|job| self.ledger.job(job.ix)?.known.class()).collect();
        self.ledger
            .series()
            .filter(|(class, _)| classes.contains(class))
            .map(|(_, series)| series.retries_unaccounted())
            .fold(0, usize::saturating_add)
    }
}

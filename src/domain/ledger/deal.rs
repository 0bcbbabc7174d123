//! How the lines of a database row are dealt out to the jobs of the ledger, and again whenever the row has new lines.

use std::collections::BTreeSet;

use super::Ledger;
use super::counting::JobIx;
use super::entry::Entry;
use super::job_key::JobKey;
use super::job_record::JobRecord;
use super::row::{RowJob, RowRecord};
use super::unmatched_starts;
use crate::domain::job::{LineKey, Timestamp};

/// A row of a database table, and the jobs it was dealt out to.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) record: RowRecord,
    /// Each with the enqueue line that it began with.
    jobs: Vec<(JobIx, Option<LineKey>)>,
}

impl Ledger {
    /// Takes lines of a row, and deals all of its lines out again.
    pub(super) fn take_row(&mut self, key: &JobKey, record: &RowRecord) -> Vec<JobIx> {
        let mut row = self.rows.remove(key).unwrap_or_default();
        if !row.record.join(record) && !row.jobs.is_empty() {
            let jobs = row.jobs.iter().map(|(ix, _)| *ix).collect();
            self.rows.insert(key.clone(), row);
            return jobs;
        }
        for (ix, enqueue) in &row.jobs {
            // What was found out about a job stays with its enqueue line, whatever the job is called from now on.
            if let (Some(enqueue), Some(job)) = (enqueue, self.jobs.get(*ix)) {
                let findings = job.findings();
                if findings != JobRecord::default() {
                    row.record.note(*enqueue, findings);
                }
            }
        }
        let before: BTreeSet<JobIx> = row.jobs.iter().map(|(ix, _)| *ix).collect();
        let mut dealt = Vec::new();
        for job in row.record.jobs() {
            let ix = self.slot(key, &job);
            dealt.push((ix, job));
        }
        row.jobs = dealt.iter().map(|(ix, job)| (*ix, job.enqueue)).collect();
        let now: BTreeSet<JobIx> = row.jobs.iter().map(|(ix, _)| *ix).collect();
        for ix in before.difference(&now) {
            if let Some(job) = self.jobs.get_mut(*ix) {
                job.is_unexplained_row = false;
                job.set_row(key, None);
            }
            self.refresh(*ix);
        }
        for (ix, job) in dealt {
            self.deal(key, &row.record, ix, job);
        }
        self.rows.insert(key.clone(), row);
        now.into_iter().collect()
    }

    /// The job of the ledger that one of a row's is.
    fn slot(&mut self, key: &JobKey, job: &RowJob) -> JobIx {
        let name = job.name(key);
        if let Some(ix) = self.by_name.get(&name) {
            return *ix;
        }
        let ix = self.new_job();
        self.name(ix, name);
        ix
    }

    /// Gives a job what its row says of it.
    fn deal(&mut self, key: &JobKey, row: &RowRecord, ix: JobIx, dealt: RowJob) {
        let is_unexplained = dealt.enqueue.is_none() && dealt.uuid.is_none();
        let lines = if is_unexplained { dealt.lines } else { Vec::new() };
        if let Some(job) = self.jobs.get_mut(ix) {
            job.is_unexplained_row = is_unexplained;
            job.set_row(key, Some(dealt.record));
        }
        self.learn_backoff(ix);
        self.refresh(ix);
        if is_unexplained {
            let lines = lines.iter().filter_map(|(at, line)| Some((*at, *line, row.line(*line)?)));
            self.set_unmatched_starts(ix, unmatched_starts::of_row(ix, lines));
        }
    }

    /// What a store should keep under a key, as far as this ledger knows it.
    #[must_use]
    pub fn entry_of(&self, key: &JobKey) -> Entry {
        let Some(row) = self.rows.get(key).filter(|_| key.is_row()) else {
            let ix = self.by_name.get(&key.hash());
            return ix.map_or_else(|| Entry::empty(key), |ix| Entry::Job(Box::new(self.record_of(*ix))));
        };
        let mut record = row.record.clone();
        for (ix, enqueue) in &row.jobs {
            let (Some(enqueue), Some(job)) = (enqueue, self.jobs.get(*ix)) else { continue };
            let has_other_names = job.sources.as_ref().is_some_and(|it| it.own != JobRecord::default());
            let beyond = if has_other_names { self.record_of(*ix) } else { job.findings() };
            if beyond != JobRecord::default() {
                record.note(*enqueue, beyond);
            }
        }
        Entry::Row(record)
    }

    /// The rows that are known, with the newest moment of each.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&JobKey, &Row, Option<Timestamp>)> {
        self.rows.iter().map(|(key, row)| (key, row, row.record.newest_fact()))
    }
}

impl Row {
    /// Notes that a job turned out to be another.
    pub(super) fn replace(&mut self, gone: JobIx, kept: JobIx) {
        for (ix, _) in self.jobs.iter_mut().filter(|(ix, _)| *ix == gone) {
            *ix = kept;
        }
    }

    /// The jobs it was dealt out to.
    pub(super) fn jobs(&self) -> impl Iterator<Item = JobIx> {
        self.jobs.iter().map(|(ix, _)| *ix)
    }
}

//! The jobs and rows that moved lately, as a checkpoint keeps them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::checkpoint::Room;
use super::counting::JobIx;
use super::entry::Entry;
use super::job_facts::StreamKey;
use super::job_key::{JobHash, JobKey};
use super::job_record::JobRecord;
use super::names::Names;
use super::row::RowRecord;
use crate::domain::job::Timestamp;

/// Settled jobs kept, newest first; some 45 bytes each once deflated.
const RECENT_MAX: usize = 2_000;
/// Jobs that wait and whose keys are kept, oldest first; some 40 bytes each once deflated. A sweep looks closely at a
/// hundred a queue, and mostly the store's index shows it their keys again.
const OPEN_MAX: usize = 500;

/// Where a store keeps a job of `recent` that waits: its index may lag, and not show a job that has just settled there
/// while it does not show yet what settled it. Then the job's own item must be asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Open {
    #[serde(rename = "k")]
    pub(super) keys: Vec<JobKey>,
    /// The stream of its enqueue line.
    #[serde(rename = "src")]
    pub(super) source: Option<StreamKey>,
}

/// What moved lately.
#[derive(Default)]
pub(super) struct Recent {
    /// Jobs without their names.
    pub(super) kept: Vec<(Vec<JobHash>, JobRecord)>,
    pub(super) open: Vec<Open>,
    pub(super) rows: Vec<(JobKey, RowRecord)>,
    /// All other jobs.
    pub(super) past: Vec<JobIx>,
}

/// A job with a lasting name, or a row.
struct Moved {
    /// The store shows it open, and it is not.
    is_wrong_there: bool,
    /// The newest that is known of it.
    at: Option<Timestamp>,
    jobs: Vec<JobIx>,
    record: Option<JobRecord>,
    row: Option<(JobKey, RowRecord)>,
}

impl Ledger {
    /// The jobs and rows that moved after `from`, the newest; and the other jobs.
    ///
    /// Before all of them, however old, those that the store shows open and that are not: what shows it may be gone by
    /// the next sweep, and this one may die before it has put the store right.
    pub(super) fn recent(
        &self,
        from: Timestamp,
        room: Room,
        is_kept_apart: impl Fn(JobIx) -> bool,
    ) -> Recent {
        let mut moved: Vec<Moved> = self.moved(&is_kept_apart);
        moved.retain(|it| it.at.is_some_and(|at| at >= from) || it.is_wrong_there);
        moved.sort_by_key(|it| (std::cmp::Reverse((it.is_wrong_there, it.at)), it.jobs.first().copied()));
        moved.truncate(room.of(RECENT_MAX));
        let held: BTreeSet<JobIx> = moved.iter().flat_map(|it| it.jobs.iter().copied()).collect();
        let past = self.jobs().map(|(ix, _)| ix).filter(|ix| !held.contains(ix)).collect();
        let mut recent = Recent { past, ..Recent::default() };
        for Moved { jobs, row, record, .. } in moved.into_iter().rev() {
            if let Some((key, row)) = row {
                recent.rows.push((key, row));
            }
            let (Some(record), Some(ix)) = (record, jobs.first()) else { continue };
            if record.state().is_waiting() && recent.open.len() < room.of(OPEN_MAX) {
                recent.open.extend(self.open(*ix, &record));
            }
            recent.kept.extend(self.without_names(*ix, record));
        }
        recent
    }

    /// All jobs that have a lasting name, and all rows.
    fn moved(&self, is_kept_apart: impl Fn(JobIx) -> bool) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (ix, _) in self.jobs() {
            let Some(record) = self.own_record(ix) else { continue };
            let is_wrong_there = !self.record_of(ix).is_open() && is_kept_apart(ix);
            let at = record.known.newest_fact();
            moved.push(Moved { is_wrong_there, at, jobs: vec![ix], record: Some(record), row: None });
        }
        for (key, row, at) in self.rows() {
            let jobs: Vec<JobIx> = row.jobs().collect();
            let is_closed = |ix: &JobIx| !self.record_of(*ix).is_open();
            let is_wrong_there = jobs.iter().any(|ix| is_kept_apart(*ix)) && jobs.iter().all(is_closed);
            let Entry::Row(record) = self.entry_of(key) else { continue };
            moved.push(Moved {
                is_wrong_there,
                at,
                jobs,
                record: None,
                row: Some((key.clone(), record.compacted())),
            });
        }
        moved
    }

    /// Where a store keeps a job that waits.
    fn open(&self, ix: JobIx, record: &JobRecord) -> Option<Open> {
        let keys = self.keys_of(ix);
        (!keys.is_empty()).then_some(Open { keys, source: record.source })
    }

    fn without_names(&self, ix: JobIx, mut record: JobRecord) -> Option<(Vec<JobHash>, JobRecord)> {
        let job = self.job(ix)?;
        record.known.forget_names(Names::of(&job.known));
        record.source = None;
        Some((job.hashes.as_slice().to_vec(), record))
    }
}

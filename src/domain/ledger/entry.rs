//! What a store keeps under one key: a job, or a row of a database table and the jobs that it was.
//!
//! **Invariant:** [`Entry::join`] is commutative, associative and idempotent, so that a store may join what deliveries
//! say in any order and as often as it likes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::job_facts::{State, StreamKey};
use super::job_key::JobKey;
use super::job_record::JobRecord;
use super::row::RowRecord;
use crate::domain::job::{Observation, Stage, Timestamp};

/// What is known under one key. [`JobKey::is_row`] tells which of the two it is, also to whoever reads it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// The jobs that had one numeric id.
    Row(RowRecord),
    /// One job.
    Job(Box<JobRecord>),
}

impl Entry {
    /// Nothing yet, under `key`.
    #[must_use]
    pub fn empty(key: &JobKey) -> Self {
        if key.is_row() { Self::Row(RowRecord::default()) } else { Self::Job(Box::default()) }
    }

    /// Joins what another source knows under the same key.
    pub fn join(&mut self, other: &Self) {
        match (self, other) {
            (Self::Row(mine), Self::Row(other)) => {
                mine.join(other);
            }
            (Self::Job(mine), Self::Job(other)) => mine.join(other),
            // Only one of the two stands under one key.
            (Self::Row(_), Self::Job(_)) | (Self::Job(_), Self::Row(_)) => {}
        }
    }

    /// The jobs.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobRecord> {
        match self {
            Self::Row(row) => row.jobs().into_iter().map(|job| job.record).collect(),
            Self::Job(job) => vec![(**job).clone()],
        }
    }

    fn all(&self, is: impl Fn(&JobRecord) -> bool) -> bool {
        match self {
            Self::Row(row) => row.jobs().iter().all(|job| is(&job.record)),
            Self::Job(job) => is(job),
        }
    }

    /// Whether any of its jobs waits or runs, so that a sweep must look at it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.all(|job| !job.is_open())
    }

    /// Whether everything is told of all its jobs: enqueued, started, ended well. They are never asked for again.
    #[must_use]
    pub fn is_whole_life(&self) -> bool {
        self.all(JobRecord::is_whole_life)
    }

    /// Whether nothing but enqueues is known.
    #[must_use]
    pub fn is_only_enqueued(&self) -> bool {
        self.all(|job| job.known.state() == State::Pending && job.known.start().is_none())
    }

    /// Whether there are only ends, neither an enqueue nor a start.
    #[must_use]
    pub fn has_only_ends(&self) -> bool {
        self.all(|job| job.known.enqueued.is_none() && job.known.first_start.is_none())
    }

    /// Whether a sweep found out something about it that its lines do not say.
    #[must_use]
    pub fn has_passed_over(&self) -> bool {
        !self.all(|job| job.passed_over_at.is_none())
    }

    /// When the first of the jobs that are open was ready, without any backoff; the newest fact where none is.
    #[must_use]
    pub fn ready_at(&self) -> Option<Timestamp> {
        let jobs = self.jobs();
        let open = jobs.iter().filter(|job| job.is_open()).filter_map(|job| job.known.ready_at(0));
        open.min().or_else(|| self.newest_fact())
    }

    /// The newest moment that is known or expected of it.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        let ready = self.jobs().iter().filter_map(|job| job.known.ready_at(0)).max();
        ready.max(self.newest_fact())
    }

    fn newest_fact(&self) -> Option<Timestamp> {
        match self {
            Self::Row(row) => row.newest_fact(),
            Self::Job(job) => job.known.newest_fact(),
        }
    }
}

/// What a delivery's lines say, by the names that they carry.
#[must_use]
pub fn entries_of<'a>(
    observations: impl Iterator<Item = &'a Observation>,
    stream: StreamKey,
    arrived_at: Timestamp,
) -> BTreeMap<JobKey, Entry> {
    let mut entries: BTreeMap<JobKey, Entry> = BTreeMap::new();
    for observation in observations.filter(|observation| observation.stage.is_lifecycle()) {
        let Some(key) = JobKey::of(observation) else { continue };
        let mut record = JobRecord::of(observation, stream, arrived_at);
        if !key.is_row() {
            add(&mut entries, key, Entry::Job(Box::new(record)));
            continue;
        }
        if observation.stage == Stage::Released
            && let Some(uuid) = &observation.uuid
        {
            // The row is gone, and the job goes on under its uuid.
            add(&mut entries, JobKey::of_uuid(uuid), Entry::Job(Box::new(record.clone())));
            record.known.newest_failure = record.known.released.take().map(|mark| mark.at);
        }
        add(&mut entries, key, Entry::Row(RowRecord::of(observation.line, record)));
    }
    entries
}

fn add(entries: &mut BTreeMap<JobKey, Entry>, key: JobKey, entry: Entry) {
    match entries.entry(key) {
        std::collections::btree_map::Entry::Vacant(vacant) => {
            vacant.insert(entry);
        }
        std::collections::btree_map::Entry::Occupied(mut held) => held.get_mut().join(&entry),
    }
}

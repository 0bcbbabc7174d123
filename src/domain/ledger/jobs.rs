//! The jobs that a ledger holds, each joined from all that is known under its names: by deliveries, and by the store
//! that keeps them.

use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use super::counting::JobIx;
use super::entry::Entry;
use super::job_facts::{JobFacts, StreamKey};
use super::job_key::{JobHash, JobKey};
use super::job_record::JobRecord;
use super::names::Names;
use super::retries::Retries;
use super::{Job, Ledger};
use crate::domain::job::{Observation, Stage, Timestamp};
use crate::domain::line::KeyHasher;

#[expect(
    clippy::disallowed_types,
    reason = "looked up by key only, never iterated: its order cannot show, and keys are hashes"
)]
pub(super) type ByName = std::collections::HashMap<JobHash, JobIx, BuildHasherDefault<KeyHasher>>;

/// Where what is known of a job comes from, if lines of a row are among it: those are dealt out again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// What is known under names that last.
    pub(super) own: JobRecord,
    /// What each row says.
    rows: BTreeMap<JobKey, JobRecord>,
}

impl Job {
    /// All that is known of the job.
    fn record(&self) -> JobRecord {
        JobRecord {
            known: self.known.clone(),
            retries: self.retries.clone(),
            born: self.born,
            source: self.source,
            passed_over_at: self.passed_over_at,
            unknown_since: self.unknown_since,
            is_hidden: self.is_hidden,
            counted: self.by_count,
        }
    }

    fn set_record(&mut self, record: JobRecord) {
        self.known = record.known;
        self.retries = record.retries;
        self.born = record.born;
        self.source = record.source;
        self.passed_over_at = record.passed_over_at;
        self.unknown_since = record.unknown_since;
        self.is_hidden = record.is_hidden;
        self.by_count = record.counted;
        self.lane = None;
    }

    /// Notes where a store keeps it.
    fn add_key(&mut self, key: &JobKey) {
        let keys = self.keys.get_or_insert_default();
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }

    /// Joins what one line says that carries a lasting name of it: what [`Job::learn`] would make of
    /// [`JobRecord::of`] it.
    fn take(&mut self, line: &Observation, stream: StreamKey, arrived_at: Timestamp) {
        if self.sources.is_some() {
            return self.learn(JobRecord::of(line, stream, arrived_at));
        }
        if self.known.take(line, stream, arrived_at) {
            self.lane = None;
        }
        if Retries::concerns(line) {
            let mut retries = Retries::default();
            retries.add(line);
            self.retries.get_or_insert_default().join(retries);
        }
        self.born = [self.born, Some(line.line)].into_iter().flatten().min();
        if line.stage == Stage::Enqueued {
            self.source = [self.source, Some(stream)].into_iter().flatten().min();
        }
    }

    /// Joins what is known under one of its lasting names.
    fn learn(&mut self, record: JobRecord) {
        if let Some(sources) = &mut self.sources {
            sources.own.join(&record);
            return self.gather();
        }
        if self.known == JobFacts::default() {
            // Most jobs are enqueued by the first line that tells of them.
            let mut record = record;
            record.join(&self.findings());
            return self.set_record(record);
        }
        self.known.join(&record.known);
        self.lane = None;
        if let Some(retries) = record.retries {
            self.retries.get_or_insert_default().join(*retries);
        }
        self.born = [self.born, record.born].into_iter().flatten().min();
        self.source = [self.source, record.source].into_iter().flatten().min();
        self.passed_over_at = [self.passed_over_at, record.passed_over_at].into_iter().flatten().min();
        self.unknown_since = self.unknown_since.max(record.unknown_since);
        self.is_hidden |= record.is_hidden;
        self.by_count = self.by_count.max(record.counted);
    }

    /// Joins anew what its names and rows say.
    fn gather(&mut self) {
        let Some(sources) = &self.sources else { return };
        let mut all = sources.own.clone();
        for row in sources.rows.values() {
            all.join(row);
        }
        if !all.known.is_empty() {
            all.join(&self.findings());
        }
        self.set_record(all);
    }

    /// Replaces what a row says of it; `None` where that is nothing any more.
    pub(super) fn set_row(&mut self, row: &JobKey, says: Option<JobRecord>) {
        let mut sources = match self.sources.take() {
            Some(sources) => sources,
            None => Box::new(Sources { own: self.record(), rows: BTreeMap::new() }),
        };
        match says {
            Some(record) => {
                sources.rows.insert(row.clone(), record);
            }
            None => {
                sources.rows.remove(row);
            }
        }
        self.sources = Some(sources);
        self.gather();
    }

    /// What sweeps found out about it, without what its lines say.
    pub(super) fn findings(&self) -> JobRecord {
        JobRecord {
            passed_over_at: self.passed_over_at,
            unknown_since: self.unknown_since,
            is_hidden: self.is_hidden,
            counted: self.by_count,
            ..JobRecord::default()
        }
    }
}

impl Ledger {
    /// Takes what a store keeps under one key, and answers which jobs that is.
    pub fn adopt(&mut self, key: &JobKey, entry: &Entry) -> Vec<JobIx> {
        let jobs = self.take_entry(key, entry.clone());
        if !key.is_row() {
            for ix in &jobs {
                self.note_key(*ix, key);
            }
        }
        jobs
    }

    fn note_key(&mut self, ix: JobIx, key: &JobKey) {
        if let Some(job) = self.jobs.get_mut(ix) {
            job.add_key(key);
        }
    }

    /// Takes what is known under one key.
    pub(super) fn take_entry(&mut self, key: &JobKey, entry: Entry) -> Vec<JobIx> {
        match entry {
            Entry::Job(record) => vec![self.take_record(key.hash(), *record)],
            Entry::Row(record) => self.take_row(key, &record),
        }
    }

    /// Takes back what was known of a job whose names are not kept.
    pub(super) fn take_recent(&mut self, hashes: &[JobHash], record: JobRecord) {
        let Some((first, others)) = hashes.split_first() else { return };
        let ix = self.take_record(*first, record);
        for hash in others {
            self.name(ix, *hash);
        }
    }

    /// Takes back where a store keeps a job whose names are not kept.
    pub(super) fn find_again(&mut self, keys: &[JobKey], source: Option<StreamKey>) {
        let Some(ix) = keys.iter().find_map(|key| self.by_name.get(&key.hash())).copied() else { return };
        for key in keys {
            self.note_key(ix, key);
        }
        if let Some(job) = self.jobs.get_mut(ix) {
            job.source = job.source.or(source);
        }
    }

    /// Takes what is known of a job under one lasting name.
    pub(super) fn take_record(&mut self, hash: JobHash, record: JobRecord) -> JobIx {
        let by_uuid = record.known.uuid().map(JobHash::of_uuid);
        let ix = self.job_of(hash, by_uuid);
        if let Some(job) = self.jobs.get_mut(ix) {
            job.learn(record);
        }
        self.learn_backoff(ix);
        self.refresh(ix);
        ix
    }

    /// Takes what one line says of the job that has these names, and answers which that is. The indexes are not brought in
    /// line: more lines of the delivery may be of it.
    pub(super) fn take_line(
        &mut self,
        (hash, by_uuid): (JobHash, Option<JobHash>),
        line: &Observation,
        stream: StreamKey,
        arrived_at: Timestamp,
    ) -> JobIx {
        let ix = self.job_of(hash, by_uuid);
        if let Some(job) = self.jobs.get_mut(ix) {
            job.take(line, stream, arrived_at);
        }
        ix
    }

    /// The job that has these names, which is made where there is none.
    fn job_of(&mut self, hash: JobHash, by_uuid: Option<JobHash>) -> JobIx {
        let held = self.by_name.get(&hash).copied();
        let twin = by_uuid.and_then(|by_uuid| self.by_name.get(&by_uuid)).copied();
        let ix = match (held, twin) {
            (Some(one), Some(other)) if one != other => self.unite(one, other),
            (Some(ix), _) | (None, Some(ix)) => ix,
            (None, None) => self.new_job(),
        };
        if held != Some(ix) {
            self.name(ix, hash);
        }
        if let Some(by_uuid) = by_uuid.filter(|_| twin != Some(ix)) {
            self.name(ix, by_uuid);
        }
        ix
    }

    pub(super) fn new_job(&mut self) -> JobIx {
        self.jobs.add()
    }

    /// Notes that a name is a job's.
    pub(super) fn name(&mut self, ix: JobIx, hash: JobHash) {
        self.by_name.insert(hash, ix);
        let told_at = self.told.get(&hash).copied();
        if let Some(job) = self.jobs.get_mut(ix) {
            job.wait_told_at = job.wait_told_at.max(told_at);
            job.hashes.add(hash);
        }
    }

    /// Makes one job of two that a line showed to be the same.
    fn unite(&mut self, kept: JobIx, gone: JobIx) -> JobIx {
        let Some(lost) = self.jobs.get_mut(gone) else { return kept };
        let record = lost.record();
        let (sources, keys, hashes) =
            (lost.sources.take(), std::mem::take(&mut lost.keys), std::mem::take(&mut lost.hashes));
        let wait_told_at = lost.wait_told_at;
        lost.set_record(JobRecord::default());
        lost.is_merged_away = true;
        // Nothing is known of it any more, so that every index lets it go.
        self.refresh(gone);
        for hash in hashes.as_slice() {
            self.name(kept, *hash);
        }
        let Some(job) = self.jobs.get_mut(kept) else { return kept };
        job.wait_told_at = job.wait_told_at.max(wait_told_at);
        for key in keys.iter().flat_map(|keys| keys.iter()) {
            job.add_key(key);
        }
        let Some(sources) = sources else {
            job.learn(record);
            self.refresh(kept);
            return kept;
        };
        job.learn(sources.own);
        for (key, record) in sources.rows {
            job.set_row(&key, Some(record));
            if let Some(row) = self.rows.get_mut(&key) {
                row.replace(gone, kept);
            }
        }
        self.refresh(kept);
        kept
    }

    /// Learns how long the class's released jobs wait before they start again.
    pub(super) fn learn_backoff(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get(ix) else { return };
        let Some(retries) = &job.retries else { return };
        if let Some(class) = job.known.class()
            && let Some(facts) = self.classes.get_mut(class)
        {
            facts.longest_backoff_ms = facts.longest_backoff_ms.max(retries.longest_backoff_ms());
        }
    }

    /// The keys under which a store keeps a job.
    #[must_use]
    pub fn keys_of(&self, ix: JobIx) -> Vec<JobKey> {
        let Some(job) = self.jobs.get(ix) else { return Vec::new() };
        let mut keys = job.keys.as_deref().cloned().unwrap_or_default();
        keys.extend(job.sources.iter().flat_map(|sources| sources.rows.keys().cloned()));
        // The others follow from the names, so that a job need not hold what only stores ask for.
        let born = job.born.filter(|_| job.known.forgotten() == Names::default());
        for key in JobKey::all_of(job.known.id(), job.known.uuid(), born) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The stream of a job's enqueue line.
    #[must_use]
    pub fn source_of(&self, ix: JobIx) -> Option<StreamKey> {
        self.jobs.get(ix)?.source
    }

    /// What a store should keep of a job, as far as this ledger knows it.
    #[must_use]
    pub fn record_of(&self, ix: JobIx) -> JobRecord {
        let Some(job) = self.jobs.get(ix) else { return JobRecord::default() };
        let mut record = job.record();
        record.known.forget_forgotten();
        record
    }

    /// What is known of a job under its lasting names, if it has any.
    pub(super) fn own_record(&self, ix: JobIx) -> Option<JobRecord> {
        let job = self.jobs.get(ix)?;
        match &job.sources {
            None => Some(self.record_of(ix)),
            Some(sources) if sources.own == JobRecord::default() => None,
            Some(sources) => Some(sources.own.clone()),
        }
    }
}

//! A ledger whose jobs are kept one by one in a store: it holds those that a sweep must look at, and a little of
//! those that settled lately.
//!
//! Deliveries tell it of classes, streams and counts, as ever; of jobs it is told by records, each already joined
//! from everything that was known when it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use super::counting::JobIx;
use super::identity::Found;
use super::life::{JobHash, JobKey, JobRecord, jobs_of};
use super::record::StreamKey;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::Timestamp;

/// Which records its jobs are.
#[derive(Clone, Debug, Default)]
pub(super) struct Apart {
    by_hash: BTreeMap<JobHash, JobIx>,
    /// The keys of a job; a job on a database has one for its row and one for its uuid.
    pub(super) keys: BTreeMap<JobIx, Vec<JobKey>>,
    pub(super) hashes: BTreeMap<JobIx, JobHash>,
    /// Jobs whose wait has been told to their class, and when: not again.
    pub(super) told: BTreeMap<JobHash, Timestamp>,
    pub(super) sources: BTreeMap<JobIx, StreamKey>,
}

impl Ledger {
    /// Folds a delivery: what its lines say, and what is known of the jobs they name beyond these lines.
    /// Lines that were noted as seen say nothing again.
    pub fn fold(&mut self, record: &DeliveryRecord, known: &[(JobKey, JobRecord)]) {
        self.apart.get_or_insert_default();
        let payloads = &mut self.tally.payloads.data;
        *payloads = payloads.saturating_add(1);
        let repeated = self.note_lines(record);
        self.join_lines(record, &repeated);
        let stream = StreamKey::of(&record.log_group, &record.log_stream);
        let mut jobs = jobs_of(record.observations.iter(), stream, record.arrived_at);
        // An end tells nothing new of how long the job waited, unless its start was never printed.
        let is_news = |job: &JobRecord| job.known.enqueued.is_some() || job.known.first_start.is_some();
        let news: BTreeSet<JobHash> =
            jobs.iter().filter(|(_, job)| is_news(job)).map(|(key, _)| key.hash()).collect();
        for (key, beyond) in known {
            jobs.entry(key.clone()).or_default().join(beyond);
        }
        for (key, job) in &jobs {
            let ix = self.adopt(key, job);
            if news.contains(&key.hash()) || job.known.first_start.is_none() {
                self.tell_wait(ix, record.arrived_at);
            }
        }
    }

    /// Notes lines as seen, so that [`Self::fold`] passes over them.
    pub fn note_seen(&mut self, record: &DeliveryRecord) {
        for line in &record.lines {
            self.seen_lines.insert(line.key.0);
        }
    }

    /// Takes what a store keeps of a job.
    pub fn adopt(&mut self, key: &JobKey, record: &JobRecord) -> JobIx {
        let ix = self.adopt_hashed(key.hash(), record, key.is_row());
        if let Some(apart) = &mut self.apart {
            let keys = apart.keys.entry(ix).or_default();
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        ix
    }

    /// Takes what is known of a job whose names are not kept.
    pub(super) fn adopt_hashed(&mut self, hash: JobHash, record: &JobRecord, is_row: bool) -> JobIx {
        let held = self.apart.get_or_insert_default().by_hash.get(&hash).copied();
        let uuid = record.known.uuid();
        let ix = held.unwrap_or_else(|| match self.identity.find(uuid, None) {
            Found::One(ix) | Found::OneByPart(ix) | Found::Both(ix, _) => ix,
            Found::New => self.new_job(),
        });
        self.identity.name(ix, uuid, None);
        if let Some(apart) = &mut self.apart {
            apart.by_hash.insert(hash, ix);
            apart.hashes.entry(ix).or_insert(hash);
            if let Some(source) = record.source {
                apart.sources.entry(ix).or_insert(source);
            }
        }
        if let Some(job) = self.jobs.get_mut(ix.0) {
            let mut joined = JobRecord { known: std::mem::take(&mut job.known), ..JobRecord::default() };
            joined.join(record);
            if is_row {
                joined = joined.newest_life();
            }
            job.known = joined.known;
            job.born = [job.born, joined.born].into_iter().flatten().min();
            job.passed_over_at = [job.passed_over_at, joined.passed_over_at].into_iter().flatten().min();
            job.is_unknown |= joined.given_up_at.is_some();
            job.by_count = job.by_count.max(joined.counted);
            if let Some(retries) = joined.retries {
                job.retries.get_or_insert_default().join(*retries);
            }
            let longest_ms = job.retries.as_ref().and_then(|retries| retries.longest_backoff_ms());
            if let Some(class) = job.known.class()
                && let Some(facts) = self.classes.get_mut(class)
            {
                facts.longest_backoff_ms = facts.longest_backoff_ms.max(longest_ms);
            }
        }
        self.refresh(ix);
        ix
    }

    /// Tells its class, once, how long a job waited, as of `now`.
    pub(super) fn tell_wait(&mut self, ix: JobIx, now: Timestamp) {
        let Some(apart) = &mut self.apart else { return };
        let Some(hash) = apart.hashes.get(&ix) else { return };
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
        let Some(wait_ms) = job.waited_ms() else { return };
        if apart.told.insert(*hash, now).is_some() {
            return;
        }
        job.wait_ms = Some(wait_ms);
        if let Some(facts) = job.known.class().and_then(|class| self.classes.get_mut(class)) {
            facts.add_wait(wait_ms);
        }
        self.fresh_waits.insert(ix);
    }

    /// The keys under which a store keeps a job.
    #[must_use]
    pub fn keys_of(&self, ix: JobIx) -> &[JobKey] {
        self.apart.as_ref().and_then(|apart| apart.keys.get(&ix)).map_or(&[], Vec::as_slice)
    }

    /// The stream of a job's enqueue line.
    #[must_use]
    pub fn source_of(&self, ix: JobIx) -> Option<StreamKey> {
        self.apart.as_ref()?.sources.get(&ix).copied()
    }

    /// What a store should keep of a job, as far as this ledger knows it.
    #[must_use]
    pub fn record_of(&self, ix: JobIx, now: Timestamp) -> JobRecord {
        let Some(job) = self.job(ix) else { return JobRecord::default() };
        JobRecord {
            known: job.known.clone(),
            retries: job.retries.clone(),
            born: job.born,
            source: self.source_of(ix),
            passed_over_at: job.passed_over_at,
            given_up_at: job.is_unknown.then_some(now),
            counted: job.by_count,
        }
    }
}

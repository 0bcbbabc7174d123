//! A ledger whose jobs are kept one by one in a store: it holds those that a sweep must look at, and a little of
//! those that settled lately.
//!
//! Deliveries tell it of classes, streams and counts, as ever; of jobs it is told by records, each already joined
//! from everything that was known when it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use super::counting::JobIx;
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
    /// The same, hashed, of those without names as well.
    pub(super) hashes: BTreeMap<JobIx, Vec<JobHash>>,
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

    /// Takes back what was known of a job whose names are not kept.
    pub(super) fn adopt_recent(&mut self, hashes: &[JobHash], record: &JobRecord) {
        let Some((first, others)) = hashes.split_first() else { return };
        let ix = self.adopt_hashed(*first, record, false);
        if let Some(apart) = &mut self.apart {
            apart.by_hash.extend(others.iter().map(|hash| (*hash, ix)));
            apart.hashes.entry(ix).or_default().extend(others);
        }
    }

    /// Takes back where a store keeps a job whose names are not kept.
    pub(super) fn find_again(&mut self, keys: &[JobKey], source: Option<StreamKey>) {
        let Some(apart) = &mut self.apart else { return };
        let Some(ix) = keys.iter().find_map(|key| apart.by_hash.get(&key.hash())).copied() else { return };
        apart.keys.entry(ix).or_default().extend(keys.iter().cloned());
        if let Some(source) = source {
            apart.sources.entry(ix).or_insert(source);
        }
    }

    /// Takes what is known of a job under one of its keys.
    fn adopt_hashed(&mut self, hash: JobHash, record: &JobRecord, is_row: bool) -> JobIx {
        let by_uuid = record.known.uuid().map(|uuid| JobKey::of_uuid(uuid).hash());
        let apart = self.apart.get_or_insert_default();
        let held = apart.by_hash.get(&hash).copied();
        let twin = by_uuid.and_then(|by_uuid| apart.by_hash.get(&by_uuid)).copied();
        let ix = match (held, twin) {
            (Some(one), Some(other)) if one != other => self.unite_apart(one, other),
            (Some(ix), _) | (None, Some(ix)) => ix,
            (None, None) => self.new_job(),
        };
        if let Some(apart) = &mut self.apart {
            for hash in [Some(hash), by_uuid].into_iter().flatten() {
                apart.by_hash.insert(hash, ix);
                let hashes = apart.hashes.entry(ix).or_default();
                if !hashes.contains(&hash) {
                    hashes.push(hash);
                }
            }
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
            job.given_up_at = job.given_up_at.max(joined.given_up_at);
            job.is_unseen |= joined.is_unseen;
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

    /// Makes one job of two that a record showed to be the same.
    fn unite_apart(&mut self, kept: JobIx, gone: JobIx) -> JobIx {
        self.unite(kept, gone);
        if let Some(apart) = &mut self.apart {
            let hashes = apart.hashes.remove(&gone).unwrap_or_default();
            apart.by_hash.extend(hashes.iter().map(|hash| (*hash, kept)));
            apart.hashes.entry(kept).or_default().extend(hashes);
            let keys = apart.keys.remove(&gone).unwrap_or_default();
            apart.keys.entry(kept).or_default().extend(keys);
            if let Some(source) = apart.sources.remove(&gone) {
                apart.sources.entry(kept).or_insert(source);
            }
        }
        kept
    }

    /// Tells its class, once, how long a job waited, as of `now`.
    pub(super) fn tell_wait(&mut self, ix: JobIx, now: Timestamp) {
        let Some(apart) = &mut self.apart else { return };
        let Some(hashes) = apart.hashes.get(&ix) else { return };
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
        let Some((wait_ms, started_at)) = job.waited() else { return };
        let mut was_told = false;
        for hash in hashes {
            was_told |= apart.told.insert(*hash, now).is_some();
        }
        if was_told {
            return;
        }
        job.wait = Some((wait_ms, started_at));
        if let Some(facts) = job.known.class().and_then(|class| self.classes.get_mut(class)) {
            facts.waits.add(started_at, wait_ms);
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
    pub fn record_of(&self, ix: JobIx) -> JobRecord {
        let Some(job) = self.job(ix) else { return JobRecord::default() };
        let mut known = job.known.clone();
        known.forget_forgotten();
        JobRecord {
            known,
            retries: job.retries.clone(),
            born: job.born,
            source: self.source_of(ix),
            passed_over_at: job.passed_over_at,
            given_up_at: job.given_up_at,
            is_unseen: job.is_unseen,
            counted: job.by_count,
        }
    }
}

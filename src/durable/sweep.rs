//! A sweep's first half: the checkpoint read, deliveries folded, open jobs looked up; nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::checkpoint::CheckpointItem;
use super::ingest::{Stored, beyond};
use super::items::{self, is_expired};
use super::jobs;
use super::{DurableError, WRITES_IN_FLIGHT};
use crate::domain::incidents::Register;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::entry::entries_of;
use crate::domain::ledger::heard::Heard;
use crate::domain::ledger::job_facts::{ENQUEUE_TOLERANCE_MS, StreamKey};
use crate::domain::ledger::job_key::{JobHash, JobKey};
use crate::domain::ledger::job_record::JobRecord;
use crate::ports::table::{Item, ItemKey, Listed, Table};
use crate::ports::{Disposed, View};

/// Deliveries folded from one partition of the index in one sweep; what is left waits a minute.
const DELIVERIES_MAX: usize = 1_000;
/// Deliveries held at once: each may take a megabyte or two in memory.
const DELIVERIES_AT_ONCE: usize = 50;
/// Open jobs looked at in one partition of the index, oldest first: 80,000 in all, of about a kilobyte each.
const JOBS_MAX: usize = 5_000;
/// Freshness items read: one for each log group and container of a day.
const HEARD_MAX: usize = 2_000;
/// Deliveries of one stream that are asked whether lines came before, or whether a life was told whole.
const NEIGHBOURS_MAX: usize = 200;

/// A sweep at work.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) now: Timestamp,
    pub(super) owner: String,
    pub(super) checkpoint: CheckpointItem,
    pub(super) ledger: Ledger,
    pub(super) register: Register,
    /// Deliveries that this sweep folded.
    pub(super) folded: Vec<ItemKey>,
    /// Open jobs as the index shows them.
    pub(super) listed: BTreeMap<JobKey, Vec<JobIx>>,
    /// Jobs whose items are to be put right.
    pub(super) repairs: Vec<JobKey>,
}

/// A delivery's item, read.
struct Delivery {
    key: ItemKey,
    stored: Stored,
}

impl Sweep {
    /// Begins; `None` where another sweep is at work.
    pub(super) async fn begin<T: Table>(
        table: &T,
        app: &str,
        has_class_dimension: bool,
        owner: String,
        now: Timestamp,
    ) -> Result<Option<Self>, DurableError<T::Error>> {
        let mut checkpoint = CheckpointItem::read(table, app).await?;
        checkpoint.saved.ledger.set_class_dimension(has_class_dimension);
        if checkpoint.saved.lease_until.is_some_and(|until| until > now) {
            return Ok(None);
        }
        Self::read(table, app, checkpoint, owner, now).await.map(Some)
    }

    /// Reads what has come since `checkpoint`, and what is open.
    pub(super) async fn read<T: Table>(
        table: &T,
        app: &str,
        mut checkpoint: CheckpointItem,
        owner: String,
        now: Timestamp,
    ) -> Result<Self, DurableError<T::Error>> {
        let mut register = Register::default();
        register.silences.clone_from(&checkpoint.saved.silences);
        register.greeted_at = checkpoint.saved.greeted_at;
        for incident in checkpoint.saved.incidents.drain(..) {
            register.write(incident);
        }
        let ledger = Ledger::restore(std::mem::take(&mut checkpoint.saved.ledger));
        let (folded, listed, repairs) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut sweep = Self { now, owner, checkpoint, ledger, register, folded, listed, repairs };
        sweep.fold_deliveries(table).await?;
        sweep.take_jobs(table, app).await?;
        sweep.take_heard(table, app).await?;
        sweep.ledger.forget_before(now);
        sweep.ledger.settle();
        Ok(sweep)
    }

    pub(super) fn view(&self) -> View<'_> {
        View { ledger: &self.ledger, register: &self.register }
    }

    /// Folds what the index shows and is not folded yet, a few at a time: a delivery may be large.
    async fn fold_deliveries<T: Table>(&mut self, table: &T) -> Result<(), DurableError<T::Error>> {
        let keys = self.unfolded(table).await?;
        for keys in keys.chunks(DELIVERIES_AT_ONCE) {
            let mut fresh = Vec::new();
            // The index lags: an item that is no longer due has been folded.
            for item in table.get(keys).await?.into_iter().flatten().filter(|item| item.due.is_some()) {
                fresh.push(Delivery { stored: items::read(&item.key, &item.body)?, key: item.key });
            }
            self.note_seen(table, &fresh).await?;
            for Delivery { key, stored } in fresh {
                match stored {
                    Stored::Lines { record, known, rows } => self.ledger.fold(&record, beyond(known, rows)),
                    Stored::Rejected { reason, at } => self.ledger.reject(&reason, at),
                }
                self.folded.push(key);
            }
        }
        Ok(())
    }

    /// The deliveries that the index shows, without those known to be folded, in the order they came.
    async fn unfolded<T: Table>(&mut self, table: &T) -> Result<Vec<ItemKey>, DurableError<T::Error>> {
        let until = items::sortable(self.now.plus_ms(MINUTE_MS));
        let mut listed: Vec<Listed> = Vec::new();
        for number in 0..items::DELIVERY_PARTITIONS {
            let partition = items::delivery_due_partition(number);
            let found = table.due(&partition, "", &until, DELIVERIES_MAX).await?;
            let last = found.last().filter(|_| found.len() >= DELIVERIES_MAX);
            let minute_ago = items::sortable(self.now.minus_ms(MINUTE_MS));
            self.ledger.deliveries.is_behind |= last.is_some_and(|last| last.order < minute_ago);
            listed.extend(found);
        }
        listed.sort_by(|a, b| (&a.order, &a.key).cmp(&(&b.order, &b.key)));
        let applied: BTreeSet<&(String, String)> = self.checkpoint.saved.applied.iter().collect();
        let is_applied = |key: &ItemKey| applied.contains(&(key.partition.clone(), key.sort.clone()));
        Ok(listed.into_iter().map(|listed| listed.key).filter(|key| !is_applied(key)).collect())
    }

    /// Notes the lines that came in deliveries folded before: those of the same stream that reach as far.
    async fn note_seen<T: Table>(
        &mut self,
        table: &T,
        fresh: &[Delivery],
    ) -> Result<(), DurableError<T::Error>> {
        let mut from: BTreeMap<&str, String> = BTreeMap::new();
        for delivery in fresh {
            let Stored::Lines { record, .. } = &delivery.stored else { continue };
            let oldest = items::sortable(record.lines.iter().map(|line| line.at).min().unwrap_or_default());
            let from = from.entry(&delivery.key.partition).or_insert_with(|| oldest.clone());
            *from = std::mem::take(from).min(oldest);
        }
        let is_fresh: BTreeSet<&ItemKey> = fresh.iter().map(|delivery| &delivery.key).collect();
        for (partition, mut from) in from {
            loop {
                let page = table.range(partition, &from, DELIVERIES_AT_ONCE).await?;
                let is_last = page.len() < DELIVERIES_AT_ONCE;
                for item in page {
                    // The least text that is greater.
                    from = format!("{}\0", item.key.sort);
                    if !is_fresh.contains(&item.key) && self.is_folded(&item) {
                        self.note_lines_of(&item)?;
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    fn is_folded(&self, item: &Item) -> bool {
        let place = (item.key.partition.clone(), item.key.sort.clone());
        item.due.is_none() || self.checkpoint.saved.applied.contains(&place)
    }

    fn note_lines_of<E: Disposed>(&mut self, item: &Item) -> Result<(), DurableError<E>> {
        if let Stored::Lines { record, .. } = items::read(&item.key, &item.body)? {
            self.ledger.note_seen(&record);
        }
        Ok(())
    }

    /// Takes the jobs that are open by the index: those that are ready, and those that run.
    async fn take_jobs<T: Table>(&mut self, table: &T, app: &str) -> Result<(), DurableError<T::Error>> {
        let until = items::sortable(self.now.plus_ms(ENQUEUE_TOLERANCE_MS).plus_ms(1));
        let partitions: Vec<String> = (0..items::JOB_PARTITIONS).map(items::job_partition).collect();
        let asked = partitions.iter().map(|partition| table.due(partition, "", &until, JOBS_MAX));
        let found: Vec<Vec<Listed>> = stream::iter(asked).buffered(WRITES_IN_FLIGHT).try_collect().await?;
        for listed in found.into_iter().flatten().filter(|it| !is_expired(it.expires_at, self.now)) {
            let (Some(key), Some(body)) = (items::job_of(app, &listed.key), &listed.body) else { continue };
            let entry = items::read_entry(&key, &listed.key, body)?;
            let jobs = self.ledger.adopt(&key, &entry);
            self.listed.insert(key, jobs);
        }
        Ok(())
    }

    /// Takes what the functions have heard since the last sweep, lines that say nothing included.
    async fn take_heard<T: Table>(&mut self, table: &T, app: &str) -> Result<(), DurableError<T::Error>> {
        let found = table.range(&items::freshness_partition(app), "", HEARD_MAX).await?;
        let mut heard: BTreeMap<String, Heard> = BTreeMap::new();
        for item in found.into_iter().filter(|item| !is_expired(item.expires_at, self.now)) {
            heard.insert(item.key.sort.clone(), items::read(&item.key, &item.body)?);
        }
        self.ledger.take_heard(&heard, &self.checkpoint.saved.heard, self.now);
        self.checkpoint.saved.heard = heard;
        Ok(())
    }

    /// Reads the items of jobs as they are now, their twins under the uuid, and the deliveries that may have told
    /// their whole life. Answers whether anything was not known.
    pub(super) async fn confirm<T: Table>(
        &mut self,
        table: &T,
        app: &str,
        jobs: &[JobIx],
    ) -> Result<bool, DurableError<T::Error>> {
        let before: Vec<JobRecord> = jobs.iter().map(|ix| self.ledger.record_of(*ix)).collect();
        let keys: BTreeSet<JobKey> = jobs.iter().flat_map(|ix| self.ledger.keys_of(*ix)).collect();
        let keys: Vec<JobKey> = keys.into_iter().collect();
        let places: Vec<ItemKey> = keys.iter().map(|key| items::job_key(app, key)).collect();
        if !places.is_empty() {
            for (key, item) in keys.iter().zip(table.get(&places).await?) {
                if let Some(entry) = jobs::entry_in(key, item.as_ref(), self.now)? {
                    self.ledger.adopt(key, &entry);
                }
            }
        }
        self.take_lives(table, jobs).await?;
        self.ledger.settle();
        let is_same = |(ix, before): (&JobIx, &JobRecord)| self.ledger.record_of(*ix) == *before;
        Ok(!jobs.iter().zip(&before).all(is_same))
    }

    /// Looks in the deliveries around each job's enqueue for one that told its whole life: such a job has no item,
    /// but another delivery of the enqueue line alone may have made one.
    async fn take_lives<T: Table>(
        &mut self,
        table: &T,
        jobs: &[JobIx],
    ) -> Result<(), DurableError<T::Error>> {
        let mut wanted: BTreeMap<StreamKey, (Timestamp, BTreeSet<JobHash>)> = BTreeMap::new();
        for ix in jobs {
            let enqueued_at = self.ledger.job(*ix).and_then(|job| job.known.enqueued).map(|it| it.at);
            let (Some(stream), Some(at)) = (self.ledger.source_of(*ix), enqueued_at) else { continue };
            let of = wanted.entry(stream).or_insert_with(|| (at, BTreeSet::new()));
            of.0 = of.0.min(at);
            of.1.extend(self.ledger.keys_of(*ix).iter().map(JobKey::hash));
        }
        for (stream, (from, hashes)) in wanted {
            let partition = items::delivery_partition(stream);
            for item in table.range(&partition, &items::sortable(from), NEIGHBOURS_MAX).await? {
                let Stored::Lines { record, .. } = items::read(&item.key, &item.body)? else { continue };
                self.adopt_lives(&record, stream, &hashes);
            }
        }
        Ok(())
    }

    fn adopt_lives(&mut self, record: &DeliveryRecord, stream: StreamKey, wanted: &BTreeSet<JobHash>) {
        for (key, entry) in entries_of(record.observations.iter(), stream, record.arrived_at) {
            if wanted.contains(&key.hash()) && entry.is_whole_life() {
                self.ledger.adopt(&key, &entry);
            }
        }
    }
}

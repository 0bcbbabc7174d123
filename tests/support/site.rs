//! A folder of logs, and a watch over it whose clock the test holds.

use std::fs::{self, OpenOptions};
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use queuewatch::adapters::memory::{LatestGauges, MemoryTable, RecordedAlarms};
use queuewatch::adapters::settled;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::ledger::tally::StageTally;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::TableLedger;
use queuewatch::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};
use queuewatch::ports::{Disposed, Disposition, LedgerStore};
use queuewatch::watch::{Inputs, Notice, Outside, Settings, Watch};
use serde_json::{Value, json};

/// 2026-01-05T09:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_767_603_600_000;

/// A watch of a test.
pub(crate) type Watching = Watch<Mortal, TableLedger<Mortal>, LatestGauges, RecordedAlarms>;

/// A folder, and what outlives the processes that watch it.
pub(crate) struct Site {
    folder: PathBuf,
    pub(crate) table: MemoryTable,
    pub(crate) policy: Policy,
    pub(crate) is_from_start: bool,
    /// Seconds since the beginning.
    pub(crate) now_s: f64,
    pub(crate) notices: Vec<Notice>,
}

impl Site {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("site-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            table: MemoryTable::new(),
            policy: Policy::default(),
            is_from_start: false,
            now_s: 0.0,
            notices: Vec::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_ms(BEGIN_MS + (self.now_s * 1_000.0) as i64)
    }

    /// Starts a watch.
    pub(crate) fn watch(&self, names: &[&str]) -> Watching {
        self.try_watch(names, &Mortal::new(self.table.clone(), usize::MAX, Death::Before)).unwrap()
    }

    /// Starts a watch over a table that may fail.
    pub(crate) fn try_watch(&self, names: &[&str], table: &Mortal) -> Result<Watching, String> {
        let mut inputs = Inputs::default();
        for name in names {
            inputs.add_path(&self.path(name));
        }
        self.try_watch_of(inputs, table)
    }

    pub(crate) fn try_watch_of(&self, inputs: Inputs, table: &Mortal) -> Result<Watching, String> {
        let store = TableLedger::new(table.clone(), &self.policy, format!("test-{}", self.now_s)).alone();
        let (metrics, alarms) = (LatestGauges::default(), RecordedAlarms::default());
        let settings = Settings {
            classifier: Classifier::default(),
            policy: self.policy.clone(),
            log_group: "watch".to_owned(),
            is_from_start: self.is_from_start,
        };
        let outside = Outside { table: table.clone(), store, metrics, alarms };
        settled(Watch::start(inputs, outside, settings, self.now())).map_err(|error| error.to_string())
    }

    /// Lets a fifth of a second pass, and reads.
    pub(crate) fn poll(&mut self, watch: &mut Watching) {
        self.try_poll(watch).unwrap();
    }

    pub(crate) fn try_poll(&mut self, watch: &mut Watching) -> Result<(), String> {
        self.now_s += 0.2;
        loop {
            let polled = settled(watch.poll(self.now()));
            self.notices.extend(watch.take_notices());
            if !polled.map_err(|error| error.to_string())?.has_more {
                return Ok(());
            }
        }
    }

    pub(crate) fn sweep(&mut self, watch: &mut Watching) {
        settled(watch.sweep(self.now())).unwrap();
    }

    /// Reads and sweeps once a second, for so many seconds.
    pub(crate) fn pass(&mut self, watch: &mut Watching, seconds: u32) {
        for _ in 0..seconds {
            self.now_s += 0.8;
            self.poll(watch);
            self.sweep(watch);
        }
    }

    /// The lifecycle lines that the ledger has counted.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let StageTally { enqueued, processing, processed, .. } = self.view(|view| view.tally.counts);
        (enqueued, processing, processed)
    }

    fn view<R>(&self, look: impl Fn(&queuewatch::domain::ledger::Ledger) -> R) -> R {
        let mut ledger = TableLedger::new(self.table.clone(), &self.policy, "look".to_owned()).alone();
        let view = settled(ledger.fold(self.now())).unwrap().unwrap();
        look(view.ledger)
    }
}

/// What was said, without greetings.
pub(crate) fn subjects(watch: &mut Watching) -> Vec<String> {
    let sent = watch.alarms_mut().sent.iter().filter(|letter| letter.severity.is_some());
    sent.map(|letter| letter.subject.clone()).collect()
}

/// When a process dies: before the write that it was making, or when that was made and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    Before,
    After,
}

/// A table whose process dies at a write, after which nothing works any more.
#[derive(Clone, Debug)]
pub(crate) struct Mortal {
    table: MemoryTable,
    writes: Arc<AtomicUsize>,
    last: usize,
    death: Death,
}

/// The process died.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the process died")]
pub(crate) struct Died;

impl Disposed for Died {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

impl Mortal {
    /// A table whose process dies at its write number `last`, from 0.
    pub(crate) fn new(table: MemoryTable, last: usize, death: Death) -> Self {
        Self { table, writes: Arc::default(), last, death }
    }

    async fn write<R>(&self, write: impl Future<Output = R>) -> Result<R, Died> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        if number > self.last || (number == self.last && self.death == Death::Before) {
            return Err(Died);
        }
        let written = write.await;
        if number == self.last { Err(Died) } else { Ok(written) }
    }

    fn alive(&self) -> Result<(), Died> {
        if self.writes.load(Ordering::Relaxed) > self.last { Err(Died) } else { Ok(()) }
    }
}

impl Table for Mortal {
    type Error = Died;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, Died> {
        self.alive()?;
        Ok(never(self.table.get(keys).await))
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, Died> {
        self.write(self.table.put(item, expected)).await.map(never)
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), Died> {
        self.write(self.table.unmark(key)).await.map(never)
    }

    async fn due(&self, partition: &str, from: &str, until: &str, limit: usize) -> Result<Vec<Listed>, Died> {
        self.alive()?;
        Ok(never(self.table.due(partition, from, until, limit).await))
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, Died> {
        self.alive()?;
        Ok(never(self.table.range(partition, from, limit).await))
    }
}

fn never<R>(result: Result<R, std::convert::Infallible>) -> R {
    let Ok(value) = result;
    value
}

/// The record that a listener writes when a job is enqueued; its time is 09:00:00 of the day.
pub(crate) fn enqueue(n: u32) -> String {
    enqueue_at(n, "2026-01-05 09:00:00")
}

pub(crate) fn enqueue_at(n: u32, time: &str) -> String {
    let context = json!({"id": format!("{n:A>32}"), "job": "App\\Jobs\\Mail", "queue": "default",
        "connection": "redis", "uuid": uuid(n), "delay": null});
    format!("[{time}] production.INFO: Job queued {context} \n")
}

/// The worker's line for a start.
pub(crate) fn start(n: u32) -> String {
    worker(n, "starting", &Value::Null, "2026-01-05T09:00:00.000000+00:00")
}

/// The worker's line for a good end.
pub(crate) fn success(n: u32) -> String {
    success_at(n, "2026-01-05T09:00:00.000000+00:00")
}

pub(crate) fn success_at(n: u32, time: &str) -> String {
    worker(n, "success", &json!("deleted"), time)
}

fn worker(n: u32, status: &str, result: &Value, time: &str) -> String {
    let line = json!({"level": "info", "id": format!("{n:A>32}"), "uuid": uuid(n), "connection": "redis",
        "queue": "default", "job": "App\\Jobs\\Mail", "status": status, "result": result, "attempts": 1,
        "exception": null, "message": null, "timestamp": time});
    format!("{line}\n")
}

fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

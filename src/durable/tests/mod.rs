//! The rules of the protocol one by one, over a table in memory: each of them can be broken without a history of the
//! simulation showing it, because something else makes up for it most of the time.

mod checkpoint;
mod deliveries;
mod jobs;
mod limits;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::json;

use super::TableLedger;
use crate::adapters::memory::{MemoryTable, RecordedAlarms};
use crate::app::{self, Swept};
use crate::domain::envelope::Line;
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::metric::{Datum, Metric};
use crate::domain::model::policy::Policy;
use crate::domain::outbox::OutgoingMessage;
use crate::domain::reading::read_lines;
use crate::domain::sweep::Horizon;
use crate::domain::systems::Classifier;
use crate::ports::MetricSink;
use crate::ports::table::{Item, Table};

/// 2026-01-05T09:00:00Z.
const BEGIN: Timestamp = Timestamp::from_ms(1_767_603_600_000);
/// Long enough for a sweep to find a job overdue.
const OVERDUE_MS: i64 = 12 * MINUTE_MS;

/// A job's line, and when it was written.
type Told = (Timestamp, String);

fn uuid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The enqueue line of a job with this id, which may be taken after `delay_s`.
fn enqueued(at: Timestamp, id: &str, number: u32, delay_s: i64) -> Told {
    let context = json!({
        "job": "App\\Jobs\\Mail", "queue": "default", "connection": "redis", "delay": delay_s,
        "id": id, "uuid": uuid(number),
    });
    (at, format!("[2026-01-05 09:00:00] production.INFO: Job queued {context} "))
}

/// A worker's line: `starting`, `success`, `failed`, `released_after_exception`.
fn worker(at: Timestamp, id: &str, number: u32, attempt: u32, status: &str) -> Told {
    let result = match status {
        "success" => json!("deleted"),
        "failed" => json!("failed"),
        "released_after_exception" => json!("released"),
        _ => json!(null),
    };
    let line = json!({
        "level": "info", "id": id, "uuid": uuid(number), "job": "App\\Jobs\\Mail", "connection": "redis",
        "queue": "default", "attempts": attempt, "status": status, "result": result, "exception": "",
        "message": "",
    });
    (at, line.to_string())
}

/// A delivery of these lines from one stream, a second after the newest of them. What a line says is its event id.
fn delivery(lines: &[Told]) -> DeliveryRecord {
    let ids: Vec<String> = lines.iter().map(|(at, text)| format!("{} {text}", at.as_ms())).collect();
    let read = lines.iter().zip(&ids).map(|((at, text), id)| Line { id, at: *at, message: text });
    let mut record = *read_lines("/ecs/app", "ecs/app/1", read, &Classifier::default());
    record.arrived_at = record.newest().unwrap().plus_ms(1_000);
    record
}

/// What a future that never waits comes to.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("memory keeps nobody waiting"),
    }
}

/// Merges a delivery, as a process of its own.
fn merge<T: Table + Clone>(table: &T, record: &DeliveryRecord) -> Merged {
    let mut store = TableLedger::new(table.clone(), &Policy::default(), "ingest".to_owned());
    now(app::ingest(&mut store, record)).unwrap()
}

/// What a sweep sent and counted, and whether it was done.
struct Seen {
    is_done: bool,
    messages: Vec<OutgoingMessage>,
    data: Vec<Datum>,
}

impl Seen {
    /// The value of a gauge or counter of the app, over all minutes.
    fn sum(&self, metric: Metric) -> i64 {
        let of_app = |datum: &&Datum| {
            datum.metric == metric && datum.dimensions == crate::domain::metric::Dimensions::App
        };
        let values = self.data.iter().filter(of_app).flat_map(|datum| &datum.values);
        values.map(|(value, count)| value.saturating_mul(i64::try_from(*count).unwrap())).sum()
    }
}

/// Sweeps, as a process of its own.
fn sweep<T: Table + Clone>(table: &T, at: Timestamp) -> Seen {
    let policy = Policy::default();
    let mut store = TableLedger::new(table.clone(), &policy, format!("sweep {}", at.as_ms()));
    let (mut metrics, mut alarms) = (Published::default(), RecordedAlarms::default());
    let horizon = Horizon { now: at, last_delivery: None };
    let swept = app::sweep(&mut store, &mut metrics, &mut alarms, &policy, horizon);
    let is_done = matches!(now(swept).unwrap(), Swept::Done(_));
    Seen { is_done, messages: alarms.sent, data: metrics.0 }
}

#[derive(Debug, Default)]
struct Published(Vec<Datum>);

impl MetricSink for Published {
    type Error = std::convert::Infallible;

    async fn put(&mut self, _app: &str, data: Vec<Datum>, _now: Timestamp) -> Result<(), Self::Error> {
        self.0.extend(data);
        Ok(())
    }
}

/// The items of a kind, by the first letters of their partition.
fn items(table: &MemoryTable, kind: &str) -> Vec<Item> {
    table.items().filter(|item| item.key.partition.starts_with(kind)).collect()
}

/// The only item of a kind.
#[track_caller]
fn only(table: &MemoryTable, kind: &str) -> Item {
    let mut found = items(table, kind);
    assert_eq!(found.len(), 1, "{kind}: {found:#?}");
    found.remove(0)
}

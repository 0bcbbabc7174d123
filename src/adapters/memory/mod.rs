//! A ledger, a table, a metric sink and an alarm channel that live and die with the process: replay's.

mod latest;
mod table;

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::domain::incidents::Register;
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::heard::Heard;
use crate::domain::line::KeySet;
use crate::domain::metric::{Datum, Dimensions, Kind, Metric};
use crate::domain::outbox::{MessageId, OutgoingMessage};
use crate::ports::{AlarmChannel, Commit, Committed, Disposed, Disposition, LedgerStore, MetricSink, View};

pub use latest::LatestGauges;
pub use table::{INDEX_LAG_MAX, MemoryTable, Traffic};

impl Disposed for Infallible {
    fn disposition(&self) -> Disposition {
        match *self {}
    }
}

/// A ledger in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    /// What is known.
    pub ledger: Ledger,
    /// What went wrong.
    pub register: Register,
    seen_deliveries: KeySet,
    /// What has been heard of each log group, now and when the last sweep asked.
    heard: BTreeMap<String, Heard>,
    heard_before: BTreeMap<String, Heard>,
}

impl LedgerStore for MemoryLedger {
    type Error = Infallible;

    async fn merge(&mut self, record: &DeliveryRecord) -> Result<Merged, Infallible> {
        let is_new = !record.is_telling() || self.seen_deliveries.insert(record.key);
        let merged = if is_new { Merged::New } else { Merged::Duplicate };
        if is_new && record.is_telling() {
            self.ledger.fold(record, []);
        }
        self.heard.entry(record.log_group.clone()).or_default().take(record, merged);
        Ok(merged)
    }

    fn attend_since(&mut self, at: Timestamp) {
        self.ledger.sources.attended_since = Some(at);
    }

    async fn reject(&mut self, reason: &'static str, _key: u64, at: Timestamp) -> Result<(), Infallible> {
        self.ledger.reject(reason, at);
        Ok(())
    }

    async fn fold(&mut self, now: Timestamp) -> Result<Option<View<'_>>, Infallible> {
        self.ledger.take_heard(&self.heard, &self.heard_before, now);
        self.heard_before.clone_from(&self.heard);
        self.ledger.forget_before(now);
        self.ledger.settle();
        Ok(Some(View { ledger: &self.ledger, register: &self.register }))
    }

    async fn confirm(&mut self, _jobs: &[JobIx]) -> Result<Option<View<'_>>, Infallible> {
        Ok(None)
    }

    async fn commit(&mut self, commit: Commit) -> Result<Option<Committed>, Infallible> {
        for incident in commit.incidents {
            self.register.write(incident);
        }
        self.register.silences.extend(commit.silences);
        self.register.greeted_at = self.register.greeted_at.or(commit.greeted_at);
        for (ix, at) in commit.passed_over {
            self.ledger.mark_passed_over(ix, at);
        }
        for ix in commit.given_up {
            self.ledger.mark_unknown(ix, commit.at);
        }
        let counters = self.ledger.unpublished.drain();
        Ok(Some(Committed { messages: commit.messages, counters }))
    }

    async fn sent(&mut self, _letters: &[MessageId]) -> Result<bool, Infallible> {
        Ok(true)
    }

    async fn finish(&mut self, _is_published: bool) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Metrics, added up as CloudWatch would show them.
#[derive(Clone, Debug, Default)]
pub struct RecordedMetrics {
    series: BTreeMap<(Metric, Dimensions), BTreeMap<Timestamp, BTreeMap<i64, u64>>>,
}

/// One statistic set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
}

impl Statistics {
    fn of<'a>(values: impl Iterator<Item = (&'a i64, &'a u64)>) -> Self {
        let mut all: Option<Self> = None;
        for (value, count) in values {
            let times = i64::try_from(*count).unwrap_or(i64::MAX);
            let one = Self { count: *count, sum: value.saturating_mul(times), min: *value, max: *value };
            all = Some(all.map_or(one, |sum| Self {
                count: sum.count.saturating_add(one.count),
                sum: sum.sum.saturating_add(one.sum),
                min: sum.min.min(one.min),
                max: sum.max.max(one.max),
            }));
        }
        all.unwrap_or_default()
    }
}

impl RecordedMetrics {
    /// Every metric and its dimensions, with its statistics over all minutes and in each.
    pub fn rows(
        &self,
    ) -> impl Iterator<Item = (Metric, &Dimensions, Statistics, Vec<(Timestamp, Statistics)>)> {
        self.series.iter().map(|((metric, dimensions), minutes)| {
            let all = Statistics::of(minutes.values().flatten());
            let each = minutes.iter().map(|(at, values)| (*at, Statistics::of(values.iter()))).collect();
            (*metric, dimensions, all, each)
        })
    }
}

impl MetricSink for RecordedMetrics {
    type Error = Infallible;

    async fn put(&mut self, _app: &str, data: Vec<Datum>, _now: Timestamp) -> Result<(), Infallible> {
        for datum in data {
            let minutes = self.series.entry((datum.metric, datum.dimensions)).or_default();
            let values = minutes.entry(datum.at).or_default();
            match datum.metric.kind() {
                // A minute that is counted in two parts is one minute.
                Kind::Counter => {
                    let before = values.pop_first().map_or(0, |(value, _)| value);
                    let added: i64 = Statistics::of(datum.values.iter()).sum;
                    values.insert(before.saturating_add(added), 1);
                }
                Kind::Distribution | Kind::Gauge => {
                    for (value, count) in datum.values {
                        let held = values.entry(value).or_default();
                        *held = held.saturating_add(count);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Alarms, in the order they were sent.
#[derive(Clone, Debug, Default)]
pub struct RecordedAlarms {
    /// What was sent.
    pub sent: Vec<OutgoingMessage>,
}

impl AlarmChannel for RecordedAlarms {
    type Error = Infallible;

    async fn send(&mut self, message: &OutgoingMessage) -> Result<(), Infallible> {
        self.sent.push(message.clone());
        Ok(())
    }
}

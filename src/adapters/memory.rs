//! A ledger, a metric sink and an alarm channel that live and die with the process: replay's.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::domain::incident::{Book, Incident, Notification};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::merge::Merged;
use crate::domain::metric::{Datum, Dimensions, Kind, Metric};
use crate::ports::{AlarmChannel, Commit, Disposed, Disposition, LedgerStore, MetricSink};

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
    pub book: Book,
}

impl LedgerStore for MemoryLedger {
    type Error = Infallible;

    async fn merge(&mut self, record: &DeliveryRecord) -> Result<Merged, Infallible> {
        Ok(self.ledger.merge(record))
    }

    async fn reject(&mut self, reason: &'static str, at: Timestamp) -> Result<(), Infallible> {
        self.ledger.reject(reason, at);
        Ok(())
    }

    async fn note_control(&mut self, at: Timestamp) -> Result<(), Infallible> {
        self.ledger.note_control(at);
        Ok(())
    }

    async fn fold(&mut self) -> Result<(&Ledger, &Book), Infallible> {
        self.ledger.settle();
        Ok((&self.ledger, &self.book))
    }

    async fn commit(&mut self, commit: Commit) -> Result<Vec<Datum>, Infallible> {
        for incident in commit.incidents {
            self.book.write(incident);
        }
        for (ix, at) in commit.passed_over {
            self.ledger.mark_passed_over(ix, at);
        }
        for ix in commit.given_up {
            self.ledger.give_up(ix);
        }
        Ok(self.ledger.unpublished.drain())
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

    async fn put(&mut self, _app: &str, data: Vec<Datum>) -> Result<(), Infallible> {
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
    /// What was sent: the incident's id and the notification.
    pub sent: Vec<(String, Notification)>,
}

impl AlarmChannel for RecordedAlarms {
    type Error = Infallible;

    async fn send(&mut self, incident: &Incident, notification: &Notification) -> Result<(), Infallible> {
        self.sent.push((incident.id.clone(), notification.clone()));
        Ok(())
    }
}

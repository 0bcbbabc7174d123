//! The same story, each line delivered once and in order, to one process in which nothing goes wrong.

use std::collections::BTreeMap;

use queuewatch::adapters::memory::{MemoryTable, RecordedAlarms};
use queuewatch::app;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::metric::{Datum, Dimensions, Kind, Metric};
use queuewatch::domain::sweep::Horizon;
use queuewatch::durable::TableLedger;
use queuewatch::ports::MetricSink;

use crate::history::History;
use crate::ledger;
use crate::outside::at_once;

/// In what the ledger of a history differs from that of the reference.
pub(crate) fn differences(history: &History) -> Vec<String> {
    let table = MemoryTable::new();
    let gauges = play(history, &table);
    let mut differences = Vec::new();
    let wanted = ledger::jobs(&table, &history.story);
    let found = ledger::jobs(&history.outside.table, &history.story);
    for (job, (wanted, found)) in wanted.iter().zip(&found).enumerate() {
        if wanted.value() != found.value() {
            differences.push(format!("job {job}: {} rather than {}", found.value(), wanted.value()));
        }
    }
    let (wanted, found) = (rows(&gauges), rows(&history.outside.witness.gauges));
    if wanted != found {
        differences.push(format!("gauges: {found:?} rather than {wanted:?}"));
    }
    differences
}

/// What a sweep sees of the ledger.
fn rows(gauges: &[Datum]) -> BTreeMap<(Metric, Dimensions), BTreeMap<i64, u64>> {
    let seen = [Metric::Pending, Metric::OldestPendingAge, Metric::Overdue, Metric::Running];
    let of_ledger = gauges.iter().filter(|datum| seen.contains(&datum.metric));
    of_ledger.map(|datum| ((datum.metric, datum.dimensions.clone()), datum.values.clone())).collect()
}

/// Plays the story and answers the last sweep's gauges.
fn play(history: &History, table: &MemoryTable) -> Vec<Datum> {
    let mut store = TableLedger::new(table.clone(), &history.policy, "reference".to_owned());
    let (mut metrics, mut alarms) = (Newest::default(), RecordedAlarms::default());
    let mut deliveries: Vec<_> = history.deliveries.iter().filter(|delivery| delivery.is_original).collect();
    deliveries.sort_by_key(|delivery| delivery.at_ms);
    let mut deliveries = deliveries.into_iter().peekable();
    // Its sweeps are few: the first of those that go well is one too many.
    for tick in history.ticks.iter().filter(|tick| tick.is_calm).skip(1) {
        while let Some(delivery) = deliveries.next_if(|delivery| delivery.at_ms <= tick.at_ms) {
            let mut record = delivery.opened.clone().unwrap();
            record.arrived_at = Timestamp::from_ms(delivery.at_ms);
            at_once(app::ingest(&mut store, &record)).unwrap();
        }
        let horizon = Horizon { now: Timestamp::from_ms(tick.at_ms), last_delivery: None };
        at_once(app::sweep(&mut store, &mut metrics, &mut alarms, &history.policy, horizon)).unwrap();
    }
    assert!(deliveries.peek().is_none(), "the last sweeps come after everything");
    metrics.gauges
}

#[derive(Debug, Default)]
struct Newest {
    gauges: Vec<Datum>,
}

impl MetricSink for Newest {
    type Error = std::convert::Infallible;

    async fn put(&mut self, _app: &str, data: Vec<Datum>, _now: Timestamp) -> Result<(), Self::Error> {
        let is_gauge =
            |datum: &Datum| datum.metric.kind() == Kind::Gauge && datum.metric != Metric::SweepHeartbeat;
        if data.iter().any(is_gauge) {
            self.gauges = data;
        }
        Ok(())
    }
}

//! The metrics of a replay, as CloudWatch would add them up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Moment;
use crate::adapters::memory::Statistics;
use crate::domain::job::Timestamp;
use crate::replay::Outcome;

/// One metric with one set of dimensions.
#[derive(Clone, Debug, Serialize)]
pub struct MetricRow {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its dimensions.
    pub dimensions: BTreeMap<&'static str, String>,
    /// Values, or for a counter minutes.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
    /// Minute by minute, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<Vec<MinuteRow>>,
}

/// One minute of a metric.
#[derive(Clone, Debug, Serialize)]
pub struct MinuteRow {
    /// The minute.
    pub at: Moment,
    /// The sum of its values.
    pub sum: i64,
    /// How many values.
    pub count: u64,
}

/// Every metric and its dimensions, by name.
pub(super) fn rows<S>(outcome: &Outcome<S>, app: &str, with_minutes: bool) -> Vec<MetricRow> {
    let mut rows: Vec<MetricRow> = outcome
        .metrics
        .rows()
        .map(|(metric, dimensions, all, minutes)| {
            let Statistics { count, sum, min, max } = all;
            let minutes = with_minutes.then(|| {
                let row = |(at, one): &(Timestamp, Statistics)| MinuteRow {
                    at: Moment(*at),
                    sum: one.sum,
                    count: one.count,
                };
                minutes.iter().map(row).collect()
            });
            let dimensions = dimensions.pairs(app).into_iter().collect();
            MetricRow { name: metric.name(), unit: metric.unit(), dimensions, count, sum, min, max, minutes }
        })
        .collect();
    rows.sort_by(|a, b| (a.name, &a.dimensions).cmp(&(b.name, &b.dimensions)));
    rows
}

//! The newest value of each of the app's gauges, for whoever looks at them and keeps nothing.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::domain::job::Timestamp;
use crate::domain::metric::{Datum, Dimensions, Kind, Metric};
use crate::ports::MetricSink;

/// The newest value of each gauge of the app.
#[derive(Clone, Debug, Default)]
pub struct LatestGauges {
    values: BTreeMap<Metric, i64>,
}

impl LatestGauges {
    /// The newest value; 0 before there is one.
    #[must_use]
    pub fn get(&self, metric: Metric) -> i64 {
        self.values.get(&metric).copied().unwrap_or(0)
    }
}

impl MetricSink for LatestGauges {
    type Error = Infallible;

    async fn put(&mut self, _app: &str, data: Vec<Datum>, _now: Timestamp) -> Result<(), Infallible> {
        let of_app = data.into_iter().filter(|datum| datum.dimensions == Dimensions::App);
        let gauges = of_app.filter(|datum| datum.metric.kind() == Kind::Gauge);
        for datum in gauges {
            if let Some((value, _)) = datum.values.last_key_value() {
                self.values.insert(datum.metric, *value);
            }
        }
        Ok(())
    }
}

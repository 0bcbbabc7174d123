//! The newest value of each gauge, and what counters and distributions add up to since the process began.
//!
//! Their names are those of [`crate::domain::metric::series`].

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;

use crate::adapters::memory::LatestGauges;
use crate::domain::job::Timestamp;
use crate::domain::metric::series::{self, Level};
use crate::domain::metric::{Datum, Dimensions, Kind, Metric};
use crate::ports::MetricSink;

/// How many values there were, and what they add up to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    total: i64,
}

/// Series by what they are of; within each, by their labels as they are written.
type Families<T> = BTreeMap<(Metric, Level), BTreeMap<String, T>>;

/// A metric sink that a scraper can read.
#[derive(Clone, Debug, Default)]
pub struct Series {
    latest: LatestGauges,
    gauges: Families<i64>,
    sums: Families<Sum>,
    swept_at: Option<Timestamp>,
}

impl Series {
    /// The newest value of each gauge of the app.
    #[must_use]
    pub const fn latest(&self) -> &LatestGauges {
        &self.latest
    }

    /// Everything, as OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for ((metric, level), series) in &self.gauges {
            let name = head(&mut text, *metric, *level, "gauge");
            for (labels, value) in series {
                line(&mut text, &name, "", labels, value);
            }
        }
        for ((metric, level), series) in &self.sums {
            let is_counter = metric.kind() == Kind::Counter;
            let name = head(&mut text, *metric, *level, if is_counter { "counter" } else { "summary" });
            for (labels, sum) in series {
                if is_counter {
                    line(&mut text, &name, "_total", labels, &sum.total);
                } else {
                    line(&mut text, &name, "_count", labels, &sum.count);
                    line(&mut text, &name, "_sum", labels, &thousandths(sum.total));
                }
            }
        }
        if let Some(at) = self.swept_at {
            let name = "queuewatch_last_sweep_timestamp_seconds";
            text.push_str("# TYPE queuewatch_last_sweep_timestamp_seconds gauge\n");
            text.push_str("# UNIT queuewatch_last_sweep_timestamp_seconds seconds\n");
            text.push_str(
                "# HELP queuewatch_last_sweep_timestamp_seconds When queuewatch last looked at everything.\n",
            );
            line(&mut text, name, "", "", &thousandths(at.as_ms()));
        }
        text.push_str("# EOF\n");
        text
    }
}

impl MetricSink for Series {
    type Error = Infallible;

    async fn put(&mut self, app: &str, data: Vec<Datum>, now: Timestamp) -> Result<(), Infallible> {
        let is_measured =
            |datum: &Datum| datum.metric.kind() == Kind::Gauge && datum.metric != Metric::SweepHeartbeat;
        if data.iter().any(is_measured) {
            // Each sweep measures all of them: a queue that it does not name any more has nothing to show.
            self.gauges.clear();
        }
        for datum in &data {
            if datum.metric == Metric::SweepHeartbeat {
                self.swept_at = Some(now);
                continue;
            }
            let key = (datum.metric, Level::of(&datum.dimensions));
            let labels = labels(&datum.dimensions, app);
            if datum.metric.kind() == Kind::Gauge {
                if let Some((value, _)) = datum.values.last_key_value() {
                    self.gauges.entry(key).or_default().insert(labels, *value);
                }
                continue;
            }
            let sum = self.sums.entry(key).or_default().entry(labels).or_default();
            for (value, count) in &datum.values {
                sum.count = sum.count.saturating_add(*count);
                let times = i64::try_from(*count).unwrap_or(i64::MAX);
                sum.total = sum.total.saturating_add(value.saturating_mul(times));
            }
        }
        self.latest.put(app, data, now).await
    }
}

/// Writes what stands above the samples of a name, and answers the name.
fn head(text: &mut String, metric: Metric, level: Level, kind: &str) -> String {
    let family = series::name(metric, level);
    // Writing to a string cannot fail; the results are let go.
    let _ = writeln!(text, "# TYPE {family} {kind}");
    if family.ends_with("_seconds") {
        let _ = writeln!(text, "# UNIT {family} seconds");
    }
    let _ = writeln!(text, "# HELP {family} {}", series::help(metric));
    family
}

fn line(text: &mut String, name: &str, suffix: &str, labels: &str, value: &impl ToString) {
    let _ = writeln!(text, "{name}{suffix}{labels} {}", value.to_string());
}

/// `{app="shop",queue="default"}`
fn labels(dimensions: &Dimensions, app: &str) -> String {
    let pairs: Vec<String> = series::labels(dimensions, app)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(&value)))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Milliseconds in seconds, exactly.
fn thousandths(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    format!("{sign}{}.{:03}", ms.wrapping_div(1_000), ms.wrapping_rem(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::settled;

    fn datum(metric: Metric, dimensions: Dimensions, values: &[(i64, u64)]) -> Datum {
        Datum { metric, dimensions, at: Timestamp::MIN, values: values.iter().copied().collect() }
    }

    fn put(series: &mut Series, data: Vec<Datum>) {
        settled(series.put("shop", data, Timestamp::from_ms(1_765_024_620_500))).unwrap();
    }

    #[test]
    fn gauges_are_the_newest_counters_add_up_and_waits_are_seconds() {
        let mut series = Series::default();
        let queue = || Dimensions::Queue(r#"a"b\c"#.into());
        for _ in 0..2 {
            put(&mut series, vec![datum(Metric::Enqueued, Dimensions::App, &[(3, 1)])]);
        }
        put(&mut series, vec![datum(Metric::QueueWait, Dimensions::App, &[(1_500, 2), (250, 1)])]);
        put(
            &mut series,
            vec![
                datum(Metric::Pending, Dimensions::App, &[(9, 1)]),
                datum(Metric::Pending, queue(), &[(9, 1)]),
            ],
        );
        put(&mut series, vec![datum(Metric::SweepHeartbeat, Dimensions::None, &[(1, 1)])]);
        let text = series.text();
        for line in [
            "# TYPE queuewatch_pending gauge\n",
            "queuewatch_pending{app=\"shop\"} 9\n",
            "queuewatch_queue_pending{app=\"shop\",queue=\"a\\\"b\\\\c\"} 9\n",
            "# TYPE queuewatch_enqueued counter\n",
            "queuewatch_enqueued_total{app=\"shop\"} 6\n",
            "# UNIT queuewatch_wait_seconds seconds\n",
            "queuewatch_wait_seconds_count{app=\"shop\"} 3\n",
            "queuewatch_wait_seconds_sum{app=\"shop\"} 3.250\n",
            "queuewatch_last_sweep_timestamp_seconds 1765024620.500\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
        put(&mut series, vec![datum(Metric::Pending, Dimensions::App, &[(0, 1)])]);
        let text = series.text();
        assert!(
            text.contains("queuewatch_pending{app=\"shop\"} 0\n") && !text.contains("queue_pending"),
            "{text}"
        );
        assert_eq!(series.latest().get(Metric::Pending), 0);
    }
}

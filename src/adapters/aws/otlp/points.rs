//! What one sweep tells of queues and classes, as OTLP's messages: a point a series.
//!
//! CloudWatch's own metrics add up what is sent twice for a minute. Here a second point of a series and moment may take
//! the place of the first; so all that a sweep tells of a series is one point, and its moment is the sweep's.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric as Family, NumberDataPoint, Sum,
};

use crate::domain::job::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::metric::series::{self, Level};
use crate::domain::metric::{Datum, Dimensions, Kind, Metric};

/// What a redriven delivery tells of long ago is not told as of now: the bound from which on CloudWatch shows its own
/// metrics hours late, too.
const AGE_MAX_MS: i64 = 3 * HOUR_MS;

/// Where the buckets of waits and run times end, in seconds: some steps for each power of ten, and minutes and hours as
/// people say them. The last one is open.
const BOUNDS: [f64; 18] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 10_800.0,
    21_600.0, 86_400.0,
];

/// One series of one sweep.
#[derive(Debug, Default)]
struct Series {
    from: Option<Timestamp>,
    values: BTreeMap<i64, u64>,
}

/// The points of a sweep at `now`, each with its family's head; and how many data were too old to be told.
pub(super) fn points(app: &str, data: &[Datum], now: Timestamp) -> (Vec<Family>, u64) {
    let mut all: BTreeMap<(Metric, Dimensions), Series> = BTreeMap::new();
    let mut too_old_count: u64 = 0;
    for datum in data {
        if now.since_ms(datum.at) > AGE_MAX_MS {
            too_old_count = too_old_count.saturating_add(1);
            continue;
        }
        let series = all.entry((datum.metric, datum.dimensions.clone())).or_default();
        series.from = Some(series.from.map_or(datum.at, |from| from.min(datum.at)));
        if datum.metric.kind() == Kind::Gauge {
            series.values.clear();
        }
        for (value, count) in &datum.values {
            let sum = series.values.entry(*value).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    let points = all
        .into_iter()
        .filter(|(_, series)| series.values.values().any(|count| *count > 0))
        .map(|((metric, dimensions), series)| family(app, metric, &dimensions, &series, now))
        .collect();
    (points, too_old_count)
}

fn family(app: &str, metric: Metric, dimensions: &Dimensions, series: &Series, now: Timestamp) -> Family {
    let attributes = || series::labels(dimensions, app).map(|(name, value)| attribute(name, value)).collect();
    let from = series.from.unwrap_or_else(|| now.minus_ms(MINUTE_MS)).min(now);
    let (start_time_unix_nano, time_unix_nano) = (nanoseconds(from), nanoseconds(now));
    let number = |value| NumberDataPoint {
        attributes: attributes(),
        start_time_unix_nano,
        time_unix_nano,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    let temporality = AggregationTemporality::Delta.into();
    let data = match metric.kind() {
        Kind::Gauge => {
            let newest = series.values.last_key_value().map_or(0, |(value, _)| *value);
            Data::Gauge(Gauge { data_points: vec![number(Number::AsInt(newest))] })
        }
        Kind::Counter => {
            let total = series.values.iter().fold(0_i64, |sum, (value, count)| {
                sum.saturating_add(value.saturating_mul(i64::try_from(*count).unwrap_or(i64::MAX)))
            });
            Data::Sum(Sum {
                data_points: vec![number(Number::AsInt(total))],
                aggregation_temporality: temporality,
                is_monotonic: true,
            })
        }
        Kind::Distribution => Data::Histogram(Histogram {
            data_points: vec![HistogramDataPoint {
                attributes: attributes(),
                start_time_unix_nano,
                time_unix_nano,
                ..distribution(&series.values)
            }],
            aggregation_temporality: temporality,
        }),
    };
    let name = series::name(metric, Level::of(dimensions));
    let unit = if name.ends_with("_seconds") { "s" } else { "1" };
    Family { name, unit: unit.to_owned(), data: Some(data), ..Family::default() }
}

/// Milliseconds and their counts, as buckets of seconds.
fn distribution(values: &BTreeMap<i64, u64>) -> HistogramDataPoint {
    let mut buckets = [0_u64; BOUNDS.len() + 1];
    let (mut count, mut sum) = (0_u64, 0.0);
    for (value, times) in values {
        let place = BOUNDS.partition_point(|bound| *bound < seconds(*value));
        if let Some(bucket) = buckets.get_mut(place) {
            *bucket = bucket.saturating_add(*times);
        }
        count = count.saturating_add(*times);
        sum += seconds(*value) * real(*times);
    }
    HistogramDataPoint {
        count,
        sum: Some(sum),
        bucket_counts: buckets.to_vec(),
        explicit_bounds: BOUNDS.to_vec(),
        min: values.first_key_value().map(|(value, _)| seconds(*value)),
        max: values.last_key_value().map(|(value, _)| seconds(*value)),
        ..HistogramDataPoint::default()
    }
}

pub(super) fn attribute(name: &str, value: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value)) });
    KeyValue { key: name.to_owned(), value, ..KeyValue::default() }
}

fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_ms()).unwrap_or_default().saturating_mul(1_000_000)
}

#[expect(clippy::cast_precision_loss, reason = "a wait of centuries may be off by a microsecond")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "doubles are exact up to 9,007,199,254,740,992")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::QueueName;

    const NOW: Timestamp = Timestamp::from_ms(1_765_024_620_500);

    fn queue() -> Dimensions {
        Dimensions::Queue(QueueName::parse("media").unwrap())
    }

    fn datum(metric: Metric, age_ms: i64, values: &[(i64, u64)]) -> Datum {
        let values = values.iter().copied().collect();
        Datum { metric, dimensions: queue(), at: NOW.minus_ms(age_ms), values }
    }

    #[track_caller]
    fn only(data: &[Datum]) -> Family {
        let (families, too_old_count) = points("shop", data, NOW);
        assert_eq!((families.len(), too_old_count), (1, 0));
        families.into_iter().next().unwrap()
    }

    #[test]
    fn what_a_sweep_tells_of_a_counter_is_one_point_that_ends_with_the_sweep() {
        let told = only(&[
            datum(Metric::Enqueued, 120_500, &[(1, 3)]),
            datum(Metric::Enqueued, 60_500, &[(2, 1), (1, 1)]),
        ]);
        assert_eq!((told.name.as_str(), told.unit.as_str()), ("queuewatch_queue_enqueued", "1"));
        let Some(Data::Sum(sum)) = told.data else { panic!("a sum") };
        assert!(sum.is_monotonic);
        assert_eq!(sum.aggregation_temporality, i32::from(AggregationTemporality::Delta));
        let point = &sum.data_points[0];
        assert_eq!(point.value, Some(Number::AsInt(6)));
        assert_eq!(
            (point.start_time_unix_nano, point.time_unix_nano),
            (1_765_024_500_000_000_000, 1_765_024_620_500_000_000)
        );
        assert_eq!(point.attributes, [attribute("app", "shop".into()), attribute("queue", "media".into())]);
    }

    #[test]
    fn a_gauge_is_its_newest_value() {
        let told = only(&[datum(Metric::Pending, 60_000, &[(9, 1)]), datum(Metric::Pending, 0, &[(4, 1)])]);
        let Some(Data::Gauge(gauge)) = told.data else { panic!("a gauge") };
        assert_eq!(gauge.data_points[0].value, Some(Number::AsInt(4)));
    }

    #[test]
    fn waits_are_buckets_of_seconds() {
        let told = only(&[datum(Metric::QueueWait, 0, &[(50, 2), (51, 1), (90_000_000, 1)])]);
        assert_eq!((told.name.as_str(), told.unit.as_str()), ("queuewatch_queue_wait_seconds", "s"));
        let Some(Data::Histogram(histogram)) = told.data else { panic!("a histogram") };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.min, point.max), (4, Some(0.05), Some(90_000.0)));
        assert_eq!(point.sum, Some(90_000.151));
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!((point.bucket_counts[0], point.bucket_counts[1], point.bucket_counts[18]), (2, 1, 1));
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), 4);
    }

    #[test]
    fn what_is_hours_old_or_never_came_is_not_told_as_of_now() {
        let old = datum(Metric::Enqueued, AGE_MAX_MS + 1, &[(1, 1)]);
        let none = datum(Metric::Enqueued, 0, &[(1, 0)]);
        assert_eq!(points("shop", &[old, none], NOW), (Vec::new(), 1));
    }
}

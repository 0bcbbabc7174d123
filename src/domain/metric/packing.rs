//! Which data go to CloudWatch together: the decision, taken before anything is sent.
//!
//! One datum that CloudWatch refuses fails its whole request, so what it would refuse is split off and counted
//! here, and data that it treats differently for their age do not share a request.
//!
//! **Invariant:** every value of every datum is in exactly one request, or counted as left out.

use super::legal::legal;
use super::{Datum, Metric, NAMESPACE};
use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// Data of a request
/// ([PutMetricData](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html)).
pub const METRICS_MAX: usize = 1_000;
/// Distinct values of a datum, by the same page.
pub const VALUES_MAX: usize = 150;
/// Bytes of a request, by the same page; it says 1 MB, and the smaller reading of that is the safe one.
pub const REQUEST_BYTES_MAX: usize = 1_000_000;

/// How old data may be, by the same page.
const AGE_MAX_MS: i64 = 14 * DAY_MS;
/// How far ahead data may be, by the same page.
const AHEAD_MAX_MS: i64 = 2 * HOUR_MS;
/// CloudWatch judges by its own clock, when the request arrives: ours may be off, and requests take time.
const MARGIN_MS: i64 = 5 * MINUTE_MS;
/// Data up to this age show up within minutes, older ones after hours.
const FRESH_MS: i64 = 3 * HOUR_MS;

/// A datum's share of a request without its dimensions and values: keys, timestamp, unit, name. Twice what the wire
/// form takes today, because the SDK may change the form.
const ROW_BYTES: usize = 400;
/// What a dimension takes beside its name and value.
const DIMENSION_BYTES: usize = 60;
/// One value and its count, two numbers of nine bytes each on the wire, written out twice as long.
const VALUE_BYTES: usize = 40;

/// One datum, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which metric.
    pub metric: Metric,
    /// Names and legal values.
    pub dimensions: Vec<(&'static str, String)>,
    /// The minute.
    pub at: Timestamp,
    /// At most [`VALUES_MAX`] values, each with how often it came.
    pub values: Vec<(i64, u64)>,
}

impl Row {
    fn bytes(&self) -> usize {
        let dimensions = self.dimensions.iter().fold(0_usize, |sum, (name, value)| {
            sum.saturating_add(name.len()).saturating_add(value.len()).saturating_add(DIMENSION_BYTES)
        });
        ROW_BYTES.saturating_add(dimensions).saturating_add(self.values.len().saturating_mul(VALUE_BYTES))
    }
}

/// What is to be sent, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Requests, the fresh ones first.
    pub requests: Vec<Vec<Row>>,
    /// Data too old for CloudWatch.
    pub too_old_count: u64,
    /// Data too far ahead for CloudWatch.
    pub too_early_count: u64,
}

/// Packs data of one app into requests.
#[must_use]
pub fn pack(app: &str, data: Vec<Datum>, now: Timestamp) -> Packed {
    let mut packed = Packed::default();
    let (mut fresh, mut older) = (Filling::default(), Filling::default());
    for datum in data {
        let age_ms = now.since_ms(datum.at);
        if age_ms > AGE_MAX_MS.saturating_sub(MARGIN_MS) {
            packed.too_old_count = packed.too_old_count.saturating_add(1);
        } else if age_ms < MARGIN_MS.saturating_sub(AHEAD_MAX_MS) {
            packed.too_early_count = packed.too_early_count.saturating_add(1);
        } else {
            let filling = if age_ms < FRESH_MS { &mut fresh } else { &mut older };
            rows(app, &datum).for_each(|row| filling.add(row));
        }
    }
    packed.requests = fresh.finish();
    packed.requests.extend(older.finish());
    packed
}

/// A datum's rows: more than one where it has more values than a row may hold.
fn rows(app: &str, datum: &Datum) -> impl Iterator<Item = Row> {
    let dimensions: Vec<_> = datum
        .dimensions
        .pairs(app)
        .into_iter()
        .map(|(name, value)| (name, legal(&value).into_owned()))
        .collect();
    // A value that never came is no value, and a datum without values is refused.
    let values: Vec<_> =
        datum.values.iter().filter(|(_, count)| **count > 0).map(|(value, count)| (*value, *count)).collect();
    let (metric, at) = (datum.metric, datum.at);
    let chunks: Vec<_> = values.chunks(VALUES_MAX).map(<[_]>::to_vec).collect();
    chunks.into_iter().map(move |values| Row { metric, dimensions: dimensions.clone(), at, values })
}

/// Requests being filled.
#[derive(Default)]
struct Filling {
    full: Vec<Vec<Row>>,
    open: Vec<Row>,
    open_bytes: usize,
}

impl Filling {
    fn add(&mut self, row: Row) {
        let bytes = row.bytes();
        let sum = self.open_bytes.saturating_add(bytes).saturating_add(NAMESPACE.len());
        if !self.open.is_empty() && (self.open.len() >= METRICS_MAX || sum > REQUEST_BYTES_MAX) {
            self.full.push(std::mem::take(&mut self.open));
            self.open_bytes = 0;
        }
        self.open_bytes = self.open_bytes.saturating_add(bytes);
        self.open.push(row);
    }

    fn finish(mut self) -> Vec<Vec<Row>> {
        if !self.open.is_empty() {
            self.full.push(self.open);
        }
        self.full
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::job::QueueName;
    use crate::domain::metric::Dimensions;

    const NOW: Timestamp = Timestamp::from_ms(1_765_024_270_000);

    fn datum(at: Timestamp, values: impl IntoIterator<Item = i64>) -> Datum {
        let values = values.into_iter().map(|value| (value, 1)).collect();
        Datum { metric: Metric::Enqueued, dimensions: Dimensions::App, at, values }
    }

    fn sizes(packed: &Packed) -> Vec<usize> {
        packed.requests.iter().map(Vec::len).collect()
    }

    /// Whether a datum of this age goes out.
    #[track_caller]
    fn check(age_ms: i64, expected: (usize, u64, u64)) {
        let packed = pack("shop", vec![datum(NOW.minus_ms(age_ms), [1])], NOW);
        assert_eq!((packed.requests.len(), packed.too_old_count, packed.too_early_count), expected);
    }

    #[test]
    fn data_that_cloudwatch_refuses_is_left_out_and_counted() {
        check(0, (1, 0, 0));
        check(14 * DAY_MS - 5 * MINUTE_MS, (1, 0, 0));
        check(14 * DAY_MS - 5 * MINUTE_MS + 1, (0, 1, 0));
        check(15 * DAY_MS, (0, 1, 0));
        check(-(2 * HOUR_MS - 5 * MINUTE_MS), (1, 0, 0));
        check(-(2 * HOUR_MS - 5 * MINUTE_MS + 1), (0, 0, 1));
        check(i64::MIN, (0, 0, 1));
        check(i64::MAX, (0, 1, 0));
    }

    #[test]
    fn one_late_datum_costs_no_other_and_travels_alone() {
        let late = NOW.minus_ms(3 * HOUR_MS);
        let data = vec![
            datum(NOW, [1]),
            datum(late, [2]),
            datum(NOW.minus_ms(15 * DAY_MS), [3]),
            datum(late.plus_ms(1), [4]),
        ];
        let packed = pack("shop", data, NOW);
        let values: Vec<Vec<i64>> = packed
            .requests
            .iter()
            .map(|rows| rows.iter().flat_map(|row| &row.values).map(|(value, _)| *value).collect())
            .collect();
        assert_eq!(values, [vec![1, 4], vec![2]]);
        assert_eq!(packed.too_old_count, 1);
    }

    #[test]
    fn a_request_holds_a_thousand_data() {
        let data = |n: usize| (0..n).map(|_| datum(NOW, [1])).collect::<Vec<_>>();
        assert_eq!(sizes(&pack("shop", data(1_000), NOW)), [1_000]);
        assert_eq!(sizes(&pack("shop", data(1_001), NOW)), [1_000, 1]);
        assert_eq!(sizes(&pack("shop", Vec::new(), NOW)), [0; 0]);
    }

    #[test]
    fn a_datum_with_many_values_is_split_and_loses_none() {
        let packed = pack("shop", vec![datum(NOW, 0..301)], NOW);
        let [rows] = packed.requests.as_slice() else { panic!("one request") };
        assert_eq!(rows.iter().map(|row| row.values.len()).collect::<Vec<_>>(), [150, 150, 1]);
        let values: Vec<i64> = rows.iter().flat_map(|row| &row.values).map(|(value, _)| *value).collect();
        assert_eq!(values, (0..301).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row.at == NOW && row.metric == Metric::Enqueued));
    }

    #[test]
    fn a_request_stays_under_its_bytes() {
        let data = (0..1_000).map(|_| datum(NOW, 0..150)).collect::<Vec<_>>();
        let packed = pack("shop", data, NOW);
        assert!(packed.requests.len() > 1);
        for rows in &packed.requests {
            assert!(rows.iter().map(Row::bytes).sum::<usize>() <= REQUEST_BYTES_MAX);
        }
        assert_eq!(packed.requests.iter().map(Vec::len).sum::<usize>(), 1_000);
        // The largest row there can be still fits in a request of its own.
        let values = (0..150).map(|n| (i64::MAX - n, u64::MAX)).collect();
        let dimensions = vec![("Queue", "q".repeat(1_024)); 30];
        let row = Row { metric: Metric::QueueWait, dimensions, at: NOW, values };
        assert!(row.bytes() < REQUEST_BYTES_MAX);
    }

    #[test]
    fn a_value_that_never_came_and_a_datum_without_values_are_nothing_to_send() {
        let dimensions = Dimensions::App;
        let never = Datum {
            metric: Metric::QueueWait,
            dimensions,
            at: NOW,
            values: BTreeMap::from([(5, 0), (7, 2)]),
        };
        let packed = pack("shop", vec![datum(NOW, []), never], NOW);
        assert_eq!(sizes(&packed), [1]);
        assert_eq!(packed.requests[0][0].values, [(7, 2)]);
    }

    #[test]
    fn a_queue_of_another_script_is_named_legally() {
        let queue = QueueName::parse("\u{30e1}\u{30fc}\u{30eb}").unwrap();
        let datum = Datum { dimensions: Dimensions::Queue(queue), ..datum(NOW, [1]) };
        let packed = pack("shop", vec![datum], NOW);
        let expected = vec![("App", "shop".to_owned()), ("Queue", "%E3%83%A1%E3%83%BC%E3%83%AB".to_owned())];
        assert_eq!(packed.requests[0][0].dimensions, expected);
    }
}

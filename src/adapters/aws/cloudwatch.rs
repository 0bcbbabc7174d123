//! Metrics to CloudWatch. What goes into which request is decided in [`crate::domain::metric::packing`].

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use thiserror::Error;
use tracing::warn;

use super::client::{self, Cause};
use crate::domain::job::Timestamp;
use crate::domain::metric::packing::{Row, pack};
use crate::domain::metric::{Datum, NAMESPACE};
use crate::ports::{Disposed, Disposition, MetricSink};

/// A request that CloudWatch did not take.
#[derive(Debug, Error)]
#[error("CloudWatch did not take {data_count} data")]
pub struct CloudWatchError {
    data_count: usize,
    disposition: Disposition,
    #[source]
    source: Cause,
}

impl Disposed for CloudWatchError {
    fn disposition(&self) -> Disposition {
        self.disposition
    }
}

/// CloudWatch's metrics.
#[derive(Clone, Debug)]
pub struct CloudWatchMetrics {
    client: Client,
}

impl CloudWatchMetrics {
    /// Publishes with `client`, which must not try again by itself: a repeat counts twice.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    async fn send(&self, rows: Vec<Row>) -> Result<(), CloudWatchError> {
        let data_count = rows.len();
        let data = rows.into_iter().map(datum).collect();
        let request = self.client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(data));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(CloudWatchError {
                data_count,
                disposition: client::disposition(&error),
                source: error.into(),
            }),
        }
    }
}

impl MetricSink for CloudWatchMetrics {
    type Error = CloudWatchError;

    /// Sends the requests one after the other.
    ///
    /// A request that CloudWatch finds fault with does not keep back the others. One that gets no good answer
    /// does: the whole is offered again by the next sweep, and what had gone out by then would count twice.
    async fn put(&mut self, app: &str, data: Vec<Datum>, now: Timestamp) -> Result<(), CloudWatchError> {
        let packed = pack(app, data, now);
        if packed.too_old_count > 0 || packed.too_early_count > 0 {
            warn!(
                too_old_count = packed.too_old_count,
                too_early_count = packed.too_early_count,
                "left out metric data that CloudWatch does not take for their time"
            );
        }
        let mut first = None;
        for rows in packed.requests {
            match self.send(rows).await {
                Ok(()) => {}
                Err(error) if error.disposition == Disposition::Drop => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        first.map_or(Ok(()), Err)
    }
}

fn datum(row: Row) -> MetricDatum {
    let mut datum = MetricDatum::builder()
        .metric_name(row.metric.name())
        .unit(StandardUnit::from(row.metric.unit()))
        .timestamp(moment(row.at));
    for (name, value) in row.dimensions {
        datum = datum.dimensions(Dimension::builder().name(name).value(value).build());
    }
    for (value, count) in row.values {
        datum = datum.values(real(value)).counts(whole(count));
    }
    datum.build()
}

/// CloudWatch's clock stops at whole seconds for some wire forms; milliseconds are what ours has.
fn moment(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_ms())
}

#[expect(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles, exact up to 9,007,199,254,740,992")]
fn real(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "as above")]
fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::super::loopback::{Answer, Loopback};
    use super::*;
    use crate::domain::job::QueueName;
    use crate::domain::metric::{Dimensions, Metric};

    const NOW: Timestamp = Timestamp::from_ms(1_765_024_270_000);
    const CBOR: &str = "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n";

    /// An empty map.
    fn fine() -> Answer {
        Answer::new(200, CBOR, [0xa0])
    }

    /// `{"__type": …}`, both texts shorter than 256 bytes.
    fn refusal(status: u16, code: &str) -> Answer {
        let mut body = vec![0xa1, 0x66];
        body.extend(b"__type");
        body.extend([0x78, u8::try_from(code.len()).unwrap()]);
        body.extend(code.as_bytes());
        Answer::new(status, CBOR, body)
    }

    fn data(n: usize) -> Vec<Datum> {
        (0..n)
            .map(|n| Datum {
                metric: Metric::QueueWait,
                dimensions: Dimensions::Queue(QueueName::parse(&format!("queue-{n}")).unwrap()),
                at: NOW,
                values: BTreeMap::from([(5, 2), (7, 1)]),
            })
            .collect()
    }

    async fn put(server: &Loopback, data: Vec<Datum>) -> Result<(), CloudWatchError> {
        CloudWatchMetrics::new(server.clients().cloudwatch()).put("shop", data, NOW).await
    }

    #[tokio::test]
    async fn a_small_request_goes_plain_and_a_large_one_compressed() {
        let server = Loopback::new([fine(), fine()]);
        put(&server, data(1)).await.unwrap();
        put(&server, data(500)).await.unwrap();
        let asked = server.asked();
        assert_eq!(asked[0].path, "/service/GraniteServiceVersion20100801/operation/PutMetricData");
        assert_eq!(asked[0].header("content-encoding"), None);
        let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        for text in ["QueueWatch", "QueueWait", "Milliseconds", "App", "shop", "Queue", "queue-0", "Counts"] {
            assert!(holds(&asked[0].body, text), "{text}");
        }
        assert_eq!(asked[1].header("content-encoding"), Some("gzip"));
        let mut plain = Vec::new();
        #[expect(clippy::disallowed_types, reason = "what our own client wrote a moment ago")]
        flate2::read::GzDecoder::new(asked[1].body.as_slice()).read_to_end(&mut plain).unwrap();
        assert!(plain.len() > 10 * asked[1].body.len() && holds(&plain, "queue-499"));
    }

    #[tokio::test]
    async fn nothing_to_send_asks_nothing() {
        let server = Loopback::new([]);
        put(&server, Vec::new()).await.unwrap();
        let late = Datum { at: Timestamp::from_ms(0), ..data(1).remove(0) };
        put(&server, vec![late]).await.unwrap();
        assert_eq!(server.asked().len(), 0);
    }

    #[tokio::test]
    async fn a_request_found_fault_with_does_not_keep_back_the_others() {
        let server = Loopback::new([refusal(400, "InvalidParameterValueException"), fine()]);
        let error = put(&server, data(1_001)).await.unwrap_err();
        assert_eq!(error.to_string(), "CloudWatch did not take 1000 data");
        assert_eq!(error.disposition(), Disposition::Drop);
        assert_eq!(server.asked().len(), 2);
    }

    #[tokio::test]
    async fn a_request_without_a_good_answer_is_sent_once_and_keeps_back_the_others() {
        for answer in [Answer::lost(), refusal(503, "ServiceUnavailable"), refusal(400, "Throttling")] {
            let server = Loopback::new([answer, fine()]);
            let error = put(&server, data(1_001)).await.unwrap_err();
            assert_eq!(error.disposition(), Disposition::Retry);
            assert_eq!(server.asked().len(), 1);
        }
    }
}

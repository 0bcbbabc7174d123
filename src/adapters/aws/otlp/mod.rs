//! Metrics of queues and classes to CloudWatch's OpenTelemetry endpoint, which bills by the gigabyte and not by the
//! metric; the few that alarms stand on stay CloudWatch's own.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>. The endpoint was not
//! called by this project: what it takes is known from that page and from those who send to it.

mod points;

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use thiserror::Error;
use tracing::warn;

use super::client::Clients;
use super::cloudwatch::{CloudWatchError, CloudWatchMetrics};
use super::signed::{SignedEndpoint, SignedError};
use crate::domain::job::Timestamp;
use crate::domain::metric::{Datum, Dimensions};
use crate::ports::{Disposed, Disposition, MetricSink};

/// Points of a request: the endpoint answers 400 to more
/// (["Maximum datapoint count"](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html)).
const POINTS_MAX: usize = 1_000;
/// Bytes of a request, by the same page 1 MB; the rest is for what stands around the points.
const POINTS_BYTES_MAX: usize = 900_000;
/// What a message takes around a point: its tag and its length.
const FRAME_BYTES: usize = 8;

/// How much of an answer that is no message is repeated.
const REASON_CHARS_MAX: usize = 200;

/// Metrics that did not go out.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// CloudWatch's own.
    #[error(transparent)]
    CloudWatch(#[from] CloudWatchError),
    /// The endpoint was not reached.
    #[error(
        "the OpenTelemetry endpoint was not reached: {points_count} points of queues and classes are not told"
    )]
    Unanswered {
        /// How many.
        points_count: usize,
        /// Why.
        #[source]
        source: SignedError,
    },
    /// The endpoint did not take them.
    #[error(
        "the OpenTelemetry endpoint did not take {points_count} points of queues and classes: {status} {reason}; \
         MetricsFormat=cloudwatch goes without it"
    )]
    Refused {
        /// How many.
        points_count: usize,
        /// The status of the answer.
        status: u16,
        /// What it said.
        reason: String,
    },
}

impl Disposed for MetricsError {
    /// CloudWatch's own metrics have gone out before, and would count twice: a minute of what nothing stands on is let
    /// go instead.
    fn disposition(&self) -> Disposition {
        match self {
            Self::CloudWatch(error) => error.disposition(),
            Self::Unanswered { .. } | Self::Refused { .. } => Disposition::Drop,
        }
    }
}

/// The OpenTelemetry endpoint.
#[derive(Clone, Debug)]
pub struct OtlpEndpoint {
    endpoint: SignedEndpoint,
}

impl OtlpEndpoint {
    /// The endpoint in the account and region of `clients`.
    #[must_use]
    pub fn new(clients: Clients, clock: fn() -> Timestamp) -> Self {
        Self { endpoint: SignedEndpoint::new(clients, "monitoring", "/v1/metrics", clock) }
    }

    async fn send(&self, app: &str, metrics: Vec<Metric>) -> Result<(), MetricsError> {
        let points_count = metrics.len();
        let body = request(app, metrics).encode_to_vec();
        let headers = [("content-type", "application/x-protobuf")];
        let answered = self.endpoint.post(&headers, body).await;
        let answered = answered.map_err(|source| MetricsError::Unanswered { points_count, source })?;
        if answered.status != 200 {
            let text = String::from_utf8_lossy(&answered.body);
            let reason = text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
            return Err(MetricsError::Refused { points_count, status: answered.status, reason });
        }
        let answer = ExportMetricsServiceResponse::decode(answered.body.as_slice()).unwrap_or_default();
        if let Some(partial) = answer.partial_success.filter(|partial| partial.rejected_data_points > 0) {
            warn!(
                rejected_count = partial.rejected_data_points,
                reason = partial.error_message,
                "the OpenTelemetry endpoint left out points"
            );
        }
        Ok(())
    }
}

/// Where metrics go.
#[derive(Clone, Debug)]
pub struct Metrics {
    cloudwatch: CloudWatchMetrics,
    otlp: Option<OtlpEndpoint>,
}

impl Metrics {
    /// To CloudWatch; those of queues and classes to `otlp`, where there is one.
    #[must_use]
    pub const fn new(cloudwatch: CloudWatchMetrics, otlp: Option<OtlpEndpoint>) -> Self {
        Self { cloudwatch, otlp }
    }
}

impl MetricSink for Metrics {
    type Error = MetricsError;

    /// CloudWatch's own first: alarms stand on them.
    async fn put(&mut self, app: &str, data: Vec<Datum>, now: Timestamp) -> Result<(), MetricsError> {
        let Some(otlp) = &self.otlp else {
            return Ok(self.cloudwatch.put(app, data, now).await?);
        };
        let (by_name, own): (Vec<_>, Vec<_>) = data
            .into_iter()
            .partition(|datum| matches!(datum.dimensions, Dimensions::Queue(_) | Dimensions::Class(..)));
        self.cloudwatch.put(app, own, now).await?;
        let (points, too_old_count) = points::points(app, &by_name, now);
        if too_old_count > 0 {
            warn!(too_old_count, "left out metric data that are hours old");
        }
        for request in requests(points) {
            otlp.send(app, request).await?;
        }
        Ok(())
    }
}

/// As many points together as the endpoint takes.
fn requests(points: Vec<Metric>) -> Vec<Vec<Metric>> {
    let (mut full, mut open, mut open_bytes) = (Vec::new(), Vec::new(), 0_usize);
    for point in points {
        let bytes = point.encoded_len().saturating_add(FRAME_BYTES);
        let is_full = open.len() >= POINTS_MAX || open_bytes.saturating_add(bytes) > POINTS_BYTES_MAX;
        if is_full && !open.is_empty() {
            full.push(std::mem::take(&mut open));
            open_bytes = 0;
        }
        open_bytes = open_bytes.saturating_add(bytes);
        open.push(point);
    }
    if !open.is_empty() {
        full.push(open);
    }
    full
}

fn request(app: &str, metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let resource = Resource {
        attributes: vec![
            points::attribute("service.name", "queuewatch".into()),
            points::attribute("service.namespace", app.to_owned()),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "queuewatch".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: String::new() }],
            schema_url: String::new(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::super::loopback::{Answer, Loopback};
    use super::*;
    use crate::domain::job::{JobClass, QueueName};
    use crate::domain::metric::Metric as Name;

    const NOW: Timestamp = Timestamp::from_ms(1_765_024_620_500);
    const CBOR: &str = "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n";

    fn fine() -> Answer {
        Answer::new(200, CBOR, [0xa0])
    }

    fn datum(metric: Name, dimensions: Dimensions) -> Datum {
        Datum { metric, dimensions, at: NOW, values: BTreeMap::from([(5, 1)]) }
    }

    fn of_queues(count: usize) -> Vec<Datum> {
        let queue = |n| Dimensions::Queue(QueueName::parse(&format!("queue-{n}")).unwrap());
        (0..count).map(|n| datum(Name::Pending, queue(n))).collect()
    }

    async fn put(server: &Loopback, data: Vec<Datum>) -> Result<(), MetricsError> {
        let clients = server.clients();
        let cloudwatch = CloudWatchMetrics::new(clients.cloudwatch());
        Metrics::new(cloudwatch, Some(OtlpEndpoint::new(clients, || NOW))).put("shop", data, NOW).await
    }

    #[tokio::test]
    async fn queues_go_to_the_endpoint_and_what_alarms_stand_on_to_cloudwatch() {
        let server = Loopback::new([fine(), Answer::new(200, "", "")]);
        let mut data = of_queues(1);
        data.push(datum(Name::StalledQueues, Dimensions::App));
        put(&server, data).await.unwrap();
        let asked = server.asked();
        let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(asked[0].path.ends_with("PutMetricData") && holds(&asked[0].body, "StalledQueues"));
        assert!(!holds(&asked[0].body, "queue-0"));
        assert_eq!((asked.len(), asked[1].path.as_str()), (2, "/v1/metrics"));
        assert_eq!(asked[1].header("content-type"), Some("application/x-protobuf"));
        let signed = asked[1].header("authorization").unwrap();
        assert!(signed.contains("/eu-west-1/monitoring/aws4_request"), "{signed}");
        let told = ExportMetricsServiceRequest::decode(asked[1].body.as_slice()).unwrap();
        let scope = &told.resource_metrics[0].scope_metrics[0];
        assert_eq!(scope.metrics.len(), 1);
        assert_eq!(scope.metrics[0].name, "queuewatch_queue_pending");
    }

    #[tokio::test]
    async fn a_request_holds_a_thousand_points() {
        let server = Loopback::new([Answer::new(200, "", ""), Answer::new(200, "", "")]);
        put(&server, of_queues(1_001)).await.unwrap();
        let counts: Vec<usize> = server
            .asked()
            .iter()
            .map(|asked| ExportMetricsServiceRequest::decode(asked.body.as_slice()).unwrap())
            .map(|told| told.resource_metrics[0].scope_metrics[0].metrics.len())
            .collect();
        assert_eq!(counts, [1_000, 1]);
    }

    #[test]
    fn a_request_stays_under_its_bytes() {
        let long = |n: usize| Metric { name: format!("{n}{}", "n".repeat(2_000)), ..Metric::default() };
        let requests = requests((0..1_000).map(long).collect());
        assert_eq!(requests.iter().map(Vec::len).sum::<usize>(), 1_000);
        assert!(requests.len() > 1);
        for metrics in requests {
            assert!(request("shop", metrics).encoded_len() < 1_000_000);
        }
    }

    /// The arithmetic of docs/deploy.md: what a queue and a class of it take in a minute in which all of it happens.
    #[test]
    fn bytes_of_a_busy_minute() {
        let (queue, class) =
            (QueueName::from("a-queue-of-20-letters"), JobClass::from("AClassOfTwentyLetter"));
        let counters = [Name::Enqueued, Name::Processing, Name::Processed, Name::Failed, Name::Released];
        let each = [Name::EnqueueErrors, Name::QueueWait, Name::JobDuration];
        let gauges = [Name::Pending, Name::OldestPendingAge, Name::Overdue, Name::Running];
        let bytes = |dimensions: &Dimensions, names: &[Name]| {
            let data: Vec<Datum> = names.iter().map(|name| datum(*name, dimensions.clone())).collect();
            let points = points::points("shop", &data, NOW).0;
            points.iter().map(|point| point.encoded_len() + FRAME_BYTES).sum::<usize>()
        };
        let of_queue = bytes(&Dimensions::Queue(queue.clone()), &[&counters[..], &each, &gauges].concat());
        let of_class = bytes(&Dimensions::Class(queue, class), &[&counters[..], &each].concat());
        assert_eq!((of_queue, of_class), (2_144, 1_921));
    }

    #[tokio::test]
    async fn an_endpoint_that_is_ill_is_told_and_counts_nothing_twice() {
        for (answer, words) in [
            (Answer::new(403, "", "AccessDenied\u{1b}"), "403 AccessDenied;"),
            (Answer::new(503, "", ""), "503 ;"),
            (Answer::lost(), "was not reached"),
        ] {
            let server = Loopback::new([answer]);
            let error = put(&server, of_queues(1)).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!((error.disposition(), server.asked().len()), (Disposition::Drop, 1));
        }
    }

    #[tokio::test]
    async fn what_cloudwatch_is_too_ill_for_is_kept_with_all_of_it() {
        let server = Loopback::new([Answer::lost()]);
        let mut data = of_queues(1);
        data.push(datum(Name::StalledQueues, Dimensions::App));
        let error = put(&server, data).await.unwrap_err();
        assert_eq!((error.disposition(), server.asked().len()), (Disposition::Retry, 1));
    }

    #[tokio::test]
    async fn points_that_are_left_out_are_no_failure() {
        let partial = ExportMetricsPartialSuccess { rejected_data_points: 1, error_message: "no".into() };
        let answer = ExportMetricsServiceResponse { partial_success: Some(partial) };
        let server = Loopback::new([Answer::new(200, "", answer.encode_to_vec())]);
        put(&server, of_queues(1)).await.unwrap();
    }
}

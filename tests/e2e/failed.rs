//! Deliveries that fail: what Lambda keeps of them, and what becomes of them when they come again.

use std::io::Write as _;

use base64_simd::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::{Ended, World};

/// What CloudWatch Logs sends to see whether a destination can be reached.
pub(crate) const CONTROL_MESSAGE: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1767603600000,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#;

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A subscription's event with this payload.
pub(crate) fn subscription(payload: &[u8]) -> Value {
    json!({ "awslogs": { "data": STANDARD.encode_to_string(payload) } })
}

/// What an asynchronous invocation's destination gets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).
pub(crate) fn async_record(event: &Value, ended: &Ended) -> Value {
    json!({
        "version": "1.0",
        "timestamp": "2026-01-05T09:10:00.000Z",
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:ingest:$LATEST",
            "condition": "RetriesExhausted", "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "responsePayload": serde_json::from_str(&ended.payload).unwrap_or(Value::Null),
    })
}

/// What a Kinesis mapping's destination in S3 gets, which holds the event as a text
/// (<https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>).
pub(crate) fn kinesis_record(records: &[Value]) -> Value {
    let number = |record: Option<&Value>| record.unwrap()["kinesis"]["sequenceNumber"].clone();
    json!({
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:ingest",
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": null },
        "version": "1.0",
        "timestamp": "2026-01-05T09:10:00.000Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": number(records.first()), "endSequenceNumber": number(records.last()),
            "batchSize": records.len(),
            "streamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/lines",
        },
        "payload": json!({ "Records": records }).to_string(),
    })
}

#[test]
fn a_reachability_check_is_answered_and_leaves_no_trace() {
    let servers = Servers::start(Tables::Moto);
    let world = World::new(&servers, "control", "/ecs/control", BEGIN_MS);
    let ended = world.invoke("ingest", &subscription(&gzip(CONTROL_MESSAGE)));
    assert_eq!((&*ended.outcome, &*ended.payload), ("response", "null"));
    assert_eq!(world.calls().len(), 0, "{:?}", world.calls());
}

#[test]
fn a_payload_that_can_never_work_is_counted_once_and_handed_to_the_destination() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "never", "/ecs/never", BEGIN_MS);
    let event = subscription(b"no gzip at all");
    let ended = world.attempt(&event).expect_err("it fails each of the three times");
    assert_eq!(ended.outcome, "error");
    assert!(ended.payload.contains(r#""errorType":"Drop""#), "{}", ended.payload);
    assert!(world.attempt(&async_record(&event, &ended)).is_err());
    world.sweep();
    world.sweep();
    let rejected: Vec<f64> =
        world.data().iter().filter(|it| it.name == "PayloadsRejected").map(|it| it.value).collect();
    assert_eq!(rejected, [1.0]);
}

#[test]
fn a_delivery_that_lambda_gave_up_is_whole_in_its_record() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "gaveup", "/ecs/gaveup", BEGIN_MS);
    let events =
        world.put("ecs/app/one", &[(BEGIN_MS, &story::enqueued(0)), (BEGIN_MS + 1, &story::enqueued(1))]);
    // It dies at the second job, each time.
    world.faults(&json!([{ "kind": "kill", "operation": "PutItem", "detail": "J", "nth": 2, "times": 100 }]));
    let ended = world.attempt(&events[0]).expect_err("three deaths");
    assert_eq!(ended.outcome, "exit");
    world.sweep();
    assert_eq!(world.sum("Enqueued"), 0.0, "half a delivery is not counted");
    world.faults(&json!([]));
    let record = async_record(&events[0], &ended);
    for _ in 0..2 {
        world.deliver(&record);
        world.sweep();
        assert_eq!((world.sum("Enqueued"), world.gauge("Pending", None)), (2.0, 2.0));
    }
}

//! Lines that come by a Kinesis stream: batches, of which a part may fail.

use base64_simd::STANDARD;
use queuewatch::domain::metric::{Dimensions, Metric};
use serde_json::{Value, json};

use crate::failed;
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::{Ended, World};

/// A stream that a log group is subscribed to, read from its beginning as Lambda's event source mapping reads.
struct Stream<'w, 's> {
    world: &'w mut World<'s>,
    name: String,
    next: String,
}

fn kinesis(servers: &Servers, operation: &str, input: &Value) -> Value {
    servers.aws("kinesis", &format!("Kinesis_20131202.{operation}"), input)
}

impl<'w, 's> Stream<'w, 's> {
    fn new(world: &'w mut World<'s>) -> Self {
        let name = format!("{}-lines", world.name);
        kinesis(world.servers, "CreateStream", &json!({ "StreamName": name, "ShardCount": 1 }));
        let described = kinesis(world.servers, "DescribeStream", &json!({ "StreamName": name }));
        let stream = &described["StreamDescription"];
        let iterator = json!({
            "StreamName": name, "ShardId": stream["Shards"][0]["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON",
        });
        let next = kinesis(world.servers, "GetShardIterator", &iterator);
        let filter = json!({
            "logGroupName": world.log_group, "filterName": name, "filterPattern": "",
            "destinationArn": stream["StreamARN"], "roleArn": "arn:aws:iam::123456789012:role/logs",
        });
        world.logs(
            "DeleteSubscriptionFilter",
            &json!({ "logGroupName": world.log_group, "filterName": world.name }),
        );
        world.logs("PutSubscriptionFilter", &filter);
        Self { name, next: next["ShardIterator"].as_str().unwrap().to_owned(), world }
    }

    /// Lines that CloudWatch Logs puts into the stream.
    fn log(&mut self, log_stream: &str, lines: &[(i64, &str)]) {
        assert_eq!(
            self.world.put(log_stream, lines),
            [json!(null); 0],
            "nothing goes to the function directly"
        );
    }

    /// A record that somebody else puts there.
    fn put(&self, data: &[u8]) {
        let record =
            json!({ "StreamName": self.name, "PartitionKey": "x", "Data": STANDARD.encode_to_string(data) });
        kinesis(self.world.servers, "PutRecord", &record);
    }

    /// The next batch, as the function is given it
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>).
    fn batch(&mut self) -> Vec<Value> {
        let answer = kinesis(self.world.servers, "GetRecords", &json!({ "ShardIterator": self.next }));
        self.next = answer["NextShardIterator"].as_str().unwrap().to_owned();
        let records = answer["Records"].as_array().unwrap().iter();
        let event = |record: &Value| {
            let number = record["SequenceNumber"].as_str().unwrap();
            json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0", "partitionKey": record["PartitionKey"],
                    "sequenceNumber": number, "data": record["Data"],
                    "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
                },
                "eventSource": "aws:kinesis", "eventVersion": "1.0", "awsRegion": "us-east-1",
                "eventID": format!("shardId-000000000000:{number}"), "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/ingest",
                "eventSourceARN": format!("arn:aws:kinesis:us-east-1:123456789012:stream/{}", self.name),
            })
        };
        records.map(event).collect()
    }
}

fn number(record: &Value) -> &str {
    record["kinesis"]["sequenceNumber"].as_str().unwrap()
}

/// Gives the function a batch once; answers what is to be given again: from the lowest record that failed, or all of it
/// where nobody said.
fn give(world: &World<'_>, batch: &[Value]) -> (Ended, usize) {
    let ended = world.invoke("ingest", &json!({ "Records": batch }));
    if ended.outcome != "response" {
        return (ended, 0);
    }
    let answer: Value = serde_json::from_str(&ended.payload).unwrap();
    let failures = answer["batchItemFailures"].as_array().expect("a partial response");
    let from = failures.iter().map(|failure| {
        let named = failure["itemIdentifier"].as_str().unwrap();
        // A name that is not of the batch means the whole batch to Lambda.
        batch.iter().position(|record| number(record) == named).unwrap_or(0)
    });
    let from = from.min().unwrap_or(batch.len());
    (ended, from)
}

fn rejected(world: &World<'_>) -> Vec<(String, f64)> {
    let name = Metric::PayloadsRejected.name();
    let reason = Dimensions::Reason("".into()).pairs("").last().unwrap().0;
    let data = world.data().into_iter().filter(|it| it.name == name);
    data.map(|it| (it.dimensions[reason].clone(), it.value)).collect()
}

#[test]
fn a_record_that_can_never_work_keeps_no_other_waiting_and_is_counted_once() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "kinesis", "/ecs/kinesis", BEGIN_MS);
    let mut stream = Stream::new(&mut world);
    stream.put(&failed::gzip(failed::CONTROL_MESSAGE));
    stream.log("ecs/app/one", &[(BEGIN_MS, &story::enqueued(0))]);
    stream.put(b"no gzip at all");
    stream.log("ecs/worker/one", &[(BEGIN_MS + 50, &story::worked(0, "starting"))]);
    stream.log("ecs/worker/one", &[(BEGIN_MS + 90, &story::worked(0, "success"))]);
    let batch = stream.batch();
    assert_eq!(batch.len(), 5);
    let mut left = batch.as_slice();
    for _ in 0..3 {
        let (ended, from) = give(&world, left);
        assert_eq!(ended.outcome, "response", "{}", world.output());
        left = &left[from..];
        assert_eq!(left.len(), 3, "from the third on: {}", ended.payload);
    }
    // What the mapping gives up goes to its destination, and from there comes once more, by hand.
    let record = failed::kinesis_record(left);
    let ended = world.invoke("ingest", &record);
    assert_eq!(ended.outcome, "error", "{}", ended.payload);
    assert!(ended.payload.contains("not_gzip"), "{}", ended.payload);
    world.sweep();
    world.sweep();
    let sums = ["Enqueued", "Processing", "Processed"].map(|name| world.sum(name));
    assert_eq!(sums, [1.0, 1.0, 1.0]);
    assert_eq!(rejected(&world), [("not_gzip".to_owned(), 1.0)]);
    assert_eq!(world.held().jobs[0]["state"], "processed");
}

#[test]
fn a_batch_goes_on_where_the_table_was_ill() {
    let servers = Servers::start(Tables::Moto);
    for kind in [
        // Longer than the SDK tries.
        json!({ "kind": "refuse", "status": 500, "code": "InternalServerError", "times": 4 }),
        json!({ "kind": "kill" }),
        json!({ "kind": "kill_after" }),
    ] {
        let name = format!("ill{}", kind["kind"].as_str().unwrap().replace('_', ""));
        let mut world = World::new(&servers, &name, &format!("/ecs/{name}"), BEGIN_MS);
        let mut stream = Stream::new(&mut world);
        for n in 0..4 {
            stream.log("ecs/app/one", &[(BEGIN_MS + n, &story::enqueued(n))]);
        }
        let batch = stream.batch();
        let mut rule = kind.clone();
        (rule["operation"], rule["detail"], rule["nth"]) = (json!("PutItem"), json!("J"), json!(3));
        world.faults(&json!([rule]));
        let (ended, from) = give(&world, &batch);
        let wanted = if kind["kind"] == "refuse" { ("response", 2) } else { ("exit", 0) };
        assert_eq!((&*ended.outcome, from), wanted, "{}", ended.payload);
        world.faults(&json!([]));
        let (ended, from) = give(&world, &batch[from..]);
        assert_eq!((&*ended.outcome, from), ("response", batch.len() - wanted.1), "{}", ended.payload);
        world.sweep();
        assert_eq!((world.sum("Enqueued"), world.gauge("Pending", Some("default"))), (4.0, 4.0));
        assert_eq!(world.held().jobs.as_array().unwrap().len(), 4);
    }
}

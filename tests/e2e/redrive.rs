//! `queuewatch redrive`: what Lambda gave up comes once more, and what was delivered leaves the bucket.

use std::path::Path;

use serde_json::{Value, json};

use crate::failed::{async_record, gzip, kinesis_record, subscription};
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::wire;
use crate::world::{Ended, World};

fn record(event: &Value) -> Value {
    async_record(event, &Ended { outcome: "exit".to_owned(), payload: String::new() })
}

fn enqueue(n: i64) -> Value {
    let events = wire::events("/ecs/shop", "ecs/app/one", &[(BEGIN_MS + n, story::enqueued(n))], 5_000);
    serde_json::from_str(&events[0]).unwrap()
}

fn kinesis(n: i64) -> Value {
    json!({ "kinesis": { "sequenceNumber": n.to_string(), "data": enqueue(n)["awslogs"]["data"] } })
}

#[test]
fn what_failed_is_delivered_and_leaves_the_bucket_and_the_rest_stays_there() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "redrive", "/ecs/redrive", BEGIN_MS);
    world.describe();
    // It was given up for good, so nothing of it is known.
    let given_up = enqueue(0);
    world.faults(&json!([{ "kind": "kill", "operation": "PutItem", "times": 3 }]));
    let ended = world.attempt(&given_up).unwrap_err();
    world.faults(&json!([]));
    let one = world.keep_failed("1-subscription", &async_record(&given_up, &ended));
    let two = world.keep_failed("2-batch", &kinesis_record(&[kinesis(1), kinesis(2)]));
    let three = world.keep_failed("3-hopeless", &record(&subscription(b"no gzip at all")));
    let four = world.keep_failed("4-tick", &record(&json!({ "tick": true })));
    let five = world.keep_failed("5-again", &record(&given_up));
    let stack = ["--stack", "redrive"];

    let calls = world.calls().len();
    let ran = world.command(&[&["redrive", "--dry-run"], stack.as_slice()].concat());
    assert_eq!((ran.status, world.failed().len(), world.calls().len()), (1, 5, calls), "{ran:?}");
    assert_eq!(ran.out.matches("would send").count(), 4, "{}", ran.out);

    let ran = world.command(&[&["redrive"], stack.as_slice()].concat());
    assert_eq!(ran.status, 1, "{ran:#?}");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[..2], [format!("delivered   {one}"), format!("delivered   {two}")]);
    assert!(
        lines[2].starts_with(&format!("never works {three}: ")) && lines[2].contains("not_gzip"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], format!("left        {four}: it is for the sweep, and of its minute"));
    assert_eq!(lines[4], format!("delivered   {five}"));
    assert_eq!(ran.err, "3 delivered, 1 can never work, 1 left\n");
    assert_eq!(world.failed(), [three, four]);

    world.sweep();
    world.sweep();
    assert_eq!((world.sum("Enqueued"), world.gauge("Pending", None)), (3.0, 3.0), "each line once");
}

#[test]
fn where_the_function_is_ill_nothing_is_lost_and_it_does_not_go_on_for_ever() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "illness", "/ecs/illness", BEGIN_MS);
    world.describe();
    let keys: Vec<String> = (0..8).map(|n| world.keep_failed(&n.to_string(), &record(&enqueue(n)))).collect();
    world.faults(&json!([{ "kind": "kill", "operation": "PutItem", "times": 100 }]));
    let ran = world.command(&["redrive", "--stack", "illness"]);
    assert_eq!((ran.status, ran.out.lines().count()), (1, 5), "{ran:#?}");
    assert!(ran.err.contains("stopped after 5 failures one after the other"), "{}", ran.err);
    assert_eq!(world.failed(), keys);
    world.faults(&json!([]));
    let bucket = world.bucket();
    let names = ["--bucket", &*bucket, "--function", &*world.function("ingest")].map(ToOwned::to_owned);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // What was delivered is delivered again, and changes nothing.
    let ran = world.command(&[&["redrive", "--keep"], names.as_slice()].concat());
    assert_eq!((ran.status, &*ran.err), (0, "8 delivered, 0 can never work, 0 left\n"), "{ran:#?}");
    assert_eq!(world.failed(), keys);
    let ran = world.command(&[&["redrive"], names.as_slice()].concat());
    assert_eq!((ran.status, world.failed().len()), (0, 0), "{ran:#?}");
    world.sweep();
    world.sweep();
    assert_eq!((world.sum("Enqueued"), world.gauge("Pending", None)), (8.0, 8.0));
}

#[test]
fn saved_files_are_delivered_too_and_stay() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "files", "/ecs/files", BEGIN_MS);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-redrive");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let lines = format!("{}\n{}\n", record(&enqueue(0)), enqueue(1));
    std::fs::write(folder.join("a.jsonl"), lines).unwrap();
    let batch = json!({ "Records": [kinesis(2), { "kinesis": { "sequenceNumber": "9", "data": "AAAA" } }] });
    std::fs::write(folder.join("b.json"), batch.to_string()).unwrap();
    std::fs::write(folder.join("c.json.gz"), gzip(&record(&enqueue(3)).to_string())).unwrap();
    let function = world.function("ingest");
    let path = folder.to_str().unwrap();
    let ran = world.command(&["redrive", "--function", &function, path, "/nowhere/at/all.json"]);
    assert_eq!(ran.status, 2, "a path that cannot be read, {ran:#?}");
    assert!(ran.err.ends_with("3 delivered, 1 can never work, 0 left\n"), "{}", ran.err);
    assert!(ran.out.contains(&format!("never works {path}/b.json: ")), "{}", ran.out);
    world.sweep();
    world.sweep();
    assert_eq!(world.sum("Enqueued"), 4.0, "a bad record of a batch costs itself");
    let ran = world.command(&["redrive", "--function", "nobody", &format!("{path}/c.json.gz")]);
    assert!(ran.status == 2 && ran.err.contains("ResourceNotFoundException"), "{ran:#?}");
}

//! The zip that is deployed, run as it is: no feature of the tests is in it, and its time is the machine's.

use serde_json::{Value, json};

use crate::failed::subscription;
use crate::servers::{Servers, Tables};
use crate::story;
use crate::world::World;

/// How to start it: the emulator of its machine, where it is another's, and the binary.
#[expect(clippy::disallowed_methods, reason = "where `make proof` says what to run")]
fn command() -> Vec<String> {
    let command = std::env::var("QUEUEWATCH_PACKAGED").expect("QUEUEWATCH_PACKAGED: `make proof` sets it");
    command.split(' ').map(ToOwned::to_owned).collect()
}

#[test]
fn what_is_packed_reads_counts_and_tells() {
    let command = command();
    assert!(std::path::Path::new(command.last().unwrap()).exists(), "{command:?}");
    let servers = Servers::start(Tables::Dynalite);
    #[expect(clippy::disallowed_methods, reason = "the packed function goes by the machine's time")]
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let mut world = World::running(command.clone(), &servers, "packed", "/ecs/packed", now_ms);
    let (start, enqueue) = (story::worked(1, "starting"), [story::enqueued(0), story::enqueued(1)]);
    let lines: Vec<(i64, &str)> = enqueue.iter().map(|line| (now_ms - 2_000, line.as_str())).collect();
    for (stream, lines) in [("ecs/app/one", &*lines), ("ecs/worker/one", &[(now_ms - 1_000, &*start)])] {
        for event in world.put(stream, lines) {
            world.deliver(&event);
            world.deliver(&event);
        }
    }
    for n in 0..3 {
        let ended = world.attempt(&subscription(format!("no gzip {n}").as_bytes())).unwrap_err();
        assert!(ended.payload.contains("not_gzip"), "{}", ended.payload);
    }
    let ended = world.invoke("sweep", &json!({ "tick": true }));
    assert_eq!((&*ended.outcome, &*ended.payload), ("response", "null"), "{}", world.output());
    assert_eq!((world.sum("Enqueued"), world.sum("Processing")), (2.0, 1.0));
    assert_eq!(
        (world.gauge("Pending", Some("default")), world.gauge("Running", Some("default"))),
        (1.0, 1.0)
    );
    let told: Vec<(&str, String)> = world.messages().into_iter().map(|it| (it.topic, it.subject)).collect();
    assert_eq!(told.len(), 1, "a warning goes to the chat alone: {told:?}");
    assert_eq!(told[0].0, "chat");
    let faults: Vec<Value> = world
        .output()
        .lines()
        .filter_map(|line| serde_json::from_str(line.split_once(": ").map_or(line, |(_, line)| line)).ok())
        .filter(|line: &Value| line["level"] == "ERROR" && line["error_type"] != "Drop")
        .collect();
    assert_eq!(faults, [json!(null); 0]);
    println!("{command:?}: two deliveries and three that cannot be opened, one sweep, one warning");
}

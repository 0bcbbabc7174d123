//! Twenty deliveries at once, repeated and overlapping, against the same in turn.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::wire;
use crate::world::World;

const JOBS: i64 = 20;
const AT_ONCE: usize = 20;

/// The same lines cut in two ways, so that payloads overlap, and every payload twice.
fn payloads() -> Vec<Value> {
    let (mut app, mut worker) = (Vec::new(), Vec::new());
    for n in 0..JOBS {
        let at_ms = BEGIN_MS + n * 100;
        app.push((at_ms, story::enqueued(n)));
        if n % 2 == 0 {
            worker.push((at_ms + 20, story::worked(n, "starting")));
            worker.push((at_ms + 50, story::worked(n, "success")));
        }
    }
    let cut = |batch_ms| {
        let app = wire::events("/ecs/shop", "ecs/app/one", &app, batch_ms);
        [app, wire::events("/ecs/shop", "ecs/worker/one", &worker, batch_ms)].concat()
    };
    let once = [cut(1), cut(300)].concat();
    [once.clone(), once].concat().iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

/// What is known of each job, as the table has it; versions tell how often it was written, and are left out.
fn jobs(world: &World<'_>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut from = Value::Null;
    loop {
        let mut input = json!({ "TableName": world.name, "ConsistentRead": true });
        if !from.is_null() {
            input["ExclusiveStartKey"] = from;
        }
        let answer = world.servers.aws("dynamodb", "DynamoDB_20120810.Scan", &input);
        for item in answer["Items"].as_array().unwrap() {
            let key = item["pk"]["S"].as_str().unwrap();
            let Some(job) = key.strip_prefix(&format!("J#{}#", world.name)) else { continue };
            let body = item["d"]["S"].as_str().or_else(|| item["b"]["S"].as_str()).unwrap();
            found.insert(job.to_owned(), serde_json::from_str(body).unwrap());
        }
        from = answer["LastEvaluatedKey"].clone();
        if from.is_null() {
            return found;
        }
    }
}

fn sums(world: &World<'_>) -> Vec<(&'static str, f64)> {
    ["Enqueued", "Processing", "Processed", "Failed", "Released"].map(|name| (name, world.sum(name))).to_vec()
}

#[test]
fn twenty_deliveries_at_once_come_to_what_they_come_to_in_turn() {
    for tables in [Tables::Moto, Tables::Dynalite] {
        let servers = Servers::start(tables);
        let mut in_turn = World::new(&servers, "turn", "/ecs/turn", BEGIN_MS + 10_000);
        let payloads = payloads();
        assert!(payloads.len() > 2 * AT_ONCE);
        for payload in &payloads {
            in_turn.deliver(payload);
        }
        let mut at_once = World::new(&servers, "once", "/ecs/once", BEGIN_MS + 10_000);
        std::thread::scope(|scope| {
            for share in 0..AT_ONCE {
                let (world, payloads) = (&at_once, &payloads);
                scope.spawn(move || {
                    for payload in payloads.iter().skip(share).step_by(AT_ONCE) {
                        world.deliver(payload);
                    }
                });
            }
        });
        for world in [&mut in_turn, &mut at_once] {
            world.sweep();
        }
        assert_eq!(jobs(&at_once), jobs(&in_turn), "{tables:?}");
        assert_eq!(sums(&at_once), sums(&in_turn), "{tables:?}");
        assert_eq!(in_turn.sum("Enqueued"), 20.0);
        assert_eq!(in_turn.sum("Processed"), 10.0);
        let pending = |world: &World<'_>| world.metric("Pending", None).last().unwrap().1;
        assert_eq!((pending(&at_once), pending(&in_turn)), (10.0, 10.0), "{tables:?}");
    }
}

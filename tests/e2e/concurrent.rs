//! Twenty deliveries at once, repeated and overlapping, come to what one pass over every line comes to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::wire;
use crate::world::World;

const JOBS: i64 = 20;
const AT_ONCE: usize = 20;

/// The same lines cut so that a payload holds `batch_ms` of them: an app's, a worker's that takes every other job, and
/// a container's that is both, whose lives may stand in one payload whole.
fn payloads(batch_ms: i64) -> Vec<Value> {
    let (mut app, mut worker, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..JOBS {
        let at_ms = BEGIN_MS + n * 100;
        app.push((at_ms, story::enqueued(n)));
        if n % 2 == 0 {
            worker.push((at_ms + 20, story::worked(n, "starting")));
            worker.push((at_ms + 50, story::worked(n, "success")));
        } else {
            let other = n + JOBS;
            both.push((at_ms, story::enqueued(other)));
            both.push((at_ms + 20, story::worked(other, "starting")));
            both.push((at_ms + 50, story::worked(other, "success")));
        }
    }
    [("ecs/app/one", app), ("ecs/worker/one", worker), ("ecs/both/one", both)]
        .iter()
        .flat_map(|(stream, lines)| wire::events("/ecs/shop", stream, lines, batch_ms))
        .map(|event| serde_json::from_str(&event).unwrap())
        .collect()
}

/// The jobs without their names: of a life that was told whole no name is kept.
fn nameless(mut jobs: Value) -> Vec<String> {
    for job in jobs.as_array_mut().unwrap() {
        for name in ["app", "id", "uuid", "class", "queue", "connection"] {
            job[name] = Value::Null;
        }
    }
    let mut jobs: Vec<String> = jobs.as_array().unwrap().iter().map(ToString::to_string).collect();
    jobs.sort();
    jobs
}

/// Every counter of every minute, and every gauge. Of deliveries there were more, and waits are looked at one by one.
fn counters(world: &World<'_>) -> BTreeMap<String, f64> {
    let others = ["LinesRead", "DuplicateDeliveries", "DeliveryLag", "QueueWait"];
    let mut sums = BTreeMap::new();
    for datum in world.data().into_iter().filter(|it| !others.contains(&&*it.name)) {
        let queue = datum.dimensions.get("Queue").cloned();
        *sums.entry(format!("{} {queue:?} {}", datum.name, datum.at_ms)).or_default() += datum.value;
    }
    sums
}

#[track_caller]
fn twenty_at_once(tables: Tables) {
    let servers = Servers::start(tables);
    let once = payloads(300);
    let overlapping = [payloads(1), once.clone()].concat();
    let repeated = [overlapping.clone(), overlapping].concat();
    assert!(repeated.len() > 2 * AT_ONCE);

    let world = |name: &str| World::new(&servers, name, &format!("/ecs/{name}"), BEGIN_MS + 10_000);
    let (mut in_turn, mut at_once) = (world("turn"), world("once"));
    for payload in &once {
        in_turn.deliver(payload);
    }
    std::thread::scope(|scope| {
        for share in 0..AT_ONCE {
            let (world, repeated) = (&at_once, &repeated);
            scope.spawn(move || {
                for payload in repeated.iter().skip(share).step_by(AT_ONCE) {
                    world.deliver(payload);
                }
            });
        }
    });
    let instances = at_once.calls().iter().map(|call| call.caller.clone()).collect::<BTreeSet<_>>();
    assert!(instances.len() > AT_ONCE / 2, "{instances:?}: were they at work at once?");
    for world in [&mut in_turn, &mut at_once] {
        world.sweep();
        world.sweep();
    }
    let (one, other) = (in_turn.held(), at_once.held());
    assert_eq!(nameless(other.jobs), nameless(one.jobs));
    assert_eq!((other.incidents, other.indexed), (json!([]), 10));
    assert_eq!((one.incidents, one.indexed), (json!([]), 10));
    assert_eq!(counters(&at_once), counters(&in_turn));
    // A wait is told once and not taken back: one whose end overtook its start was told up to the end.
    let waits = at_once.metric("QueueWait", None);
    assert_eq!(waits.len(), 20, "{waits:?}");
    assert!(waits.iter().all(|(_, ms)| [20.0, 50.0].contains(ms)), "{waits:?}");
    let sums = ["Enqueued", "Processing", "Processed", "Failed"].map(|name| at_once.sum(name));
    assert_eq!(sums, [30.0, 20.0, 20.0, 0.0]);
}

#[track_caller]
fn four_ticks_at_once(tables: Tables) {
    let servers = Servers::start(tables);
    let wanted = story::clean(&mut World::new(&servers, "once", "/ecs/once", BEGIN_MS));
    let mut world = World::new(&servers, "often", "/ecs/often", BEGIN_MS);
    world.ticks_at_once = 4;
    let end = story::play(&mut world);
    assert_eq!(end, wanted, "{}", world.output());
    let calls = world.calls();
    let sweeps: BTreeSet<&str> =
        calls.iter().filter(|call| call.function == "sweep").map(|call| &*call.caller).collect();
    assert!(sweeps.len() > 1, "{sweeps:?}: were they at work at once?");
}

#[test]
fn a_minute_that_comes_four_times_at_once_comes_to_one_on_moto() {
    four_ticks_at_once(Tables::Moto);
}

#[test]
fn a_minute_that_comes_four_times_at_once_comes_to_one_on_dynalite() {
    four_ticks_at_once(Tables::Dynalite);
}

#[test]
fn twenty_deliveries_at_once_come_to_what_they_come_to_in_turn_on_moto() {
    twenty_at_once(Tables::Moto);
}

#[test]
fn twenty_deliveries_at_once_come_to_what_they_come_to_in_turn_on_dynalite() {
    twenty_at_once(Tables::Dynalite);
}

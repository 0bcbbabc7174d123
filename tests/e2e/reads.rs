//! What a sweep reads does not grow with the jobs that are done: it costs the same with a hundred and a hundred thousand.

use serde_json::{Value, json};

use crate::seen::Call;
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::World;

/// Items of one `BatchWriteItem`.
const BATCH: usize = 25;
/// Requests at a time: both cores are at work then.
const AT_ONCE: usize = 4;

/// Writes finished jobs as the functions write them: copies of one that they wrote, under other names.
fn finish(world: &World<'_>, count: usize) {
    let is_finished = |item: &&Value| item["pk"]["S"] == json!(format!("J#{}#ijob0", world.name));
    let items = world.items();
    let sample = items.iter().find(is_finished).expect("a job that the functions finished");
    assert_eq!(sample.get("w"), None, "a finished job is not in the index");
    let sample = sample.to_string();
    let copy = |n: usize| -> Value {
        let other = sample.replace("job0", &format!("done{n:06}"));
        let other = other.replace("-000000000000", &format!("-{n:012}"));
        assert_ne!(other, sample);
        serde_json::from_str(&other).unwrap()
    };
    let (name, servers) = (&world.name, world.servers);
    std::thread::scope(|scope| {
        for share in 0..AT_ONCE {
            scope.spawn(move || {
                for first in (share * BATCH..count).step_by(AT_ONCE * BATCH) {
                    let puts: Vec<Value> = (first..count.min(first + BATCH))
                        .map(|n| json!({ "PutRequest": { "Item": copy(n) } }))
                        .collect();
                    let input = json!({ "RequestItems": { name: puts } });
                    let answer = servers.aws("dynamodb", "DynamoDB_20120810.BatchWriteItem", &input);
                    assert_eq!(answer["UnprocessedItems"], json!({}));
                }
            });
        }
    });
}

/// What a sweep asks of the table, and what each answer cost, where so many jobs are done and some are not.
fn sweep_over(servers: &Servers, name: &str, done: usize) -> Vec<String> {
    let mut world = World::new(servers, name, &format!("/ecs/{name}"), BEGIN_MS);
    let enqueued: Vec<String> = (0..6).map(story::enqueued).collect();
    let lines: Vec<(i64, &str)> = (BEGIN_MS..).zip(enqueued.iter().map(String::as_str)).collect();
    let (start, end) = (story::worked(0, "starting"), story::worked(0, "success"));
    let worker = [(BEGIN_MS + 10, &*start), (BEGIN_MS + 20, &*end)];
    for (stream, lines) in [("ecs/app/one", &*lines), ("ecs/worker/one", &worker)] {
        for event in world.put(stream, lines) {
            world.deliver(&event);
        }
    }
    world.sweep();
    finish(&world, done);
    // The next is told more, and everything is overdue that is not done: it looks at what it does not look at often.
    let more = story::enqueued(7);
    world.set_clock(BEGIN_MS + 8 * 60_000);
    for event in world.put("ecs/app/one", &[(world.now_ms, &more)]) {
        world.deliver(&event);
    }
    let before = world.calls().len();
    world.sweep();
    let items = world.items().len();
    assert!(items > done, "{items} items, and {done} finished jobs");
    let shown = |call: &Call| {
        let Call { operation, detail, table_units, index_units, scanned, .. } = call;
        format!("{operation} {detail}: {table_units} + {index_units}, {scanned} looked at")
    };
    let calls = world.calls();
    let mut asked: Vec<String> =
        calls[before..].iter().filter(|call| call.service == "dynamodb").map(shown).collect();
    // The index's partitions are asked all at once.
    asked.sort();
    asked
}

#[test]
fn a_sweep_reads_the_same_whether_a_hundred_jobs_are_done_or_a_hundred_thousand() {
    let servers = Servers::start(Tables::Dynalite);
    let few = sweep_over(&servers, "done100", 100);
    let many = sweep_over(&servers, "doneall", 100_000);
    // Five jobs that wait too long are looked at once more, each by its id and by its uuid.
    assert!(few.iter().any(|call| call.starts_with("BatchGetItem J: 10 + 0")), "{few:#?}");
    assert_eq!(few, many);
}

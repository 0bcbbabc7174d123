//! What is written for a delivery and a sweep, call by call, with the capacity that the table's server counts.
//!
//! It counts what the table takes; what the index takes follows from what is written to it: one unit for each item that
//! appears, changes or goes without moving, two for one that moves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::seen::Call;
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::World;

const LINES: [&str; 2] = ["10.0.1.7 - - \"GET / HTTP/1.1\" 200", "[Entrypoint] Database is ready"];

/// A stack of which every call is looked at once.
struct Bill<'a> {
    world: World<'a>,
    billed: usize,
}

impl Bill<'_> {
    /// The calls since the last time.
    fn calls(&mut self) -> Vec<Call> {
        let calls = self.world.calls().split_off(self.billed);
        self.billed += calls.len();
        calls
    }

    /// Delivers lines, and answers what was read and what was written, each with its units.
    fn deliver(&mut self, stream: &str, lines: &[(i64, &str)]) -> (Vec<String>, Vec<String>) {
        let events = self.world.put(stream, lines);
        assert_eq!(events.len(), 1);
        self.world.deliver(&events[0]);
        self.sorted()
    }

    fn sorted(&mut self) -> (Vec<String>, Vec<String>) {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for call in self.calls().iter().filter(|call| call.service == "dynamodb") {
            let shown = format!("{} {}", call.detail, call.table_units);
            let is_write = ["PutItem", "UpdateItem"].contains(&&*call.operation);
            if is_write { writes.push(shown) } else { reads.push(shown) }
        }
        (reads, writes)
    }

    #[track_caller]
    fn check(&mut self, stream: &str, lines: &[(i64, &str)], reads: &[&str], writes: &[&str]) {
        let (read, written) = self.deliver(stream, lines);
        assert_eq!((read, written), (owned(reads), owned(writes)));
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Where each job's item stood in the index, write by write.
fn places(calls: &[Call]) -> BTreeMap<String, Vec<Value>> {
    let mut places: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.operation == "PutItem" && call.detail == "J") {
        let key = call.said["key"].as_str().unwrap().to_owned();
        places.entry(key).or_default().push(call.said["due"].clone());
    }
    places
}

#[test]
fn a_delivery_writes_each_job_once_and_then_itself() {
    let servers = Servers::start(Tables::Dynalite);
    let world = World::new(&servers, "cost", "/ecs/cost", BEGIN_MS);
    let mut bill = Bill { world, billed: 0 };
    let at = BEGIN_MS;
    let (app, worker) = ("ecs/app/one", "ecs/worker/one");
    let (start, end) = (|n| story::worked(n, "starting"), |n| story::worked(n, "success"));

    // A process writes once in 30 s that it hears a group; nothing else is written for lines that say nothing.
    bill.check(app, &[(at, LINES[0])], &[], &["H 1"]);
    bill.check(app, &[(at, LINES[0]), (at, LINES[1])], &[], &[]);

    // A job whose lines come one by one: three deliveries, three writes, and each delivery's own.
    bill.check(app, &[(at, &story::enqueued(1))], &["D 1"], &["J 1", "D 1"]);
    bill.check(worker, &[(at + 10, &start(1))], &["D 1", "J 1"], &["J 1", "D 1"]);
    bill.check(worker, &[(at + 90, &end(1))], &["D 1", "J 1"], &["J 1", "D 1"]);
    // One whose start and end come together: two.
    bill.check(app, &[(at, &story::enqueued(2))], &["D 1"], &["J 1", "D 1"]);
    bill.check(worker, &[(at + 20, &start(2)), (at + 80, &end(2))], &["D 1", "J 1"], &["J 1", "D 1"]);
    // One whose life is told whole: none.
    let (enqueued, start9, end9) = (story::enqueued(9), start(9), end(9));
    let life = [(at, &*enqueued), (at + 10, &*start9), (at + 20, &*end9)];
    bill.check("ecs/both/one", &life, &["D 1"], &["D 1"]);
    // Several at once are read by one call.
    let lines: Vec<String> = (3..6).map(story::enqueued).collect();
    let lines: Vec<(i64, &str)> = lines.iter().map(|line| (at, line.as_str())).collect();
    bill.check(app, &lines, &["D 1"], &["J 1", "J 1", "J 1", "D 1"]);
    let starts: Vec<String> = (3..6).map(start).collect();
    let starts: Vec<(i64, &str)> = starts.iter().map(|line| (at + 30, line.as_str())).collect();
    bill.check(worker, &starts, &["D 1", "J 3"], &["J 1", "J 1", "J 1", "D 1"]);

    // What comes again costs one read.
    let again = bill.world.put(app, &[(at, &story::enqueued(6))]);
    bill.world.deliver(&again[0]);
    bill.calls();
    bill.world.deliver(&again[0]);
    assert_eq!(bill.sorted(), (owned(&["D 1"]), vec![]));

    // In the index an open job stands where it stood first, so that a start is one unit there, not two.
    let places = places(&bill.world.calls());
    assert_eq!(places.len(), 6);
    for (job, places) in &places {
        let first = &places[0];
        assert!(first.is_string(), "{job}: {places:?}");
        assert!(places.iter().all(|place| place == first || place.is_null()), "{job}: {places:?}");
    }
    let job = |n: i64| places[&format!("J#cost#ijob{n}")].iter().map(Value::is_string).collect::<Vec<_>>();
    assert_eq!((job(1), job(2), job(3)), (vec![true, true, false], vec![true, false], vec![true, true]));
}

#[test]
fn a_sweep_writes_the_checkpoint_twice_and_thrice_if_it_says_something() {
    let servers = Servers::start(Tables::Dynalite);
    let world = World::new(&servers, "cost", "/ecs/cost", BEGIN_MS);
    let mut bill = Bill { world, billed: 0 };
    for n in 0..3 {
        bill.deliver("ecs/app/one", &[(BEGIN_MS, &story::enqueued(n))]);
    }
    bill.world.sweep();
    let (read, written) = bill.sorted();
    assert_eq!(count(&written), json!({ "C": 2, "D": 3 }), "each delivery is marked once");
    // The three deliveries are read by one call, and those before them in their stream by one more.
    assert_eq!(count(&read), json!({ "C": 1, "D": 1, "due f": 4, "due o": 16, "range D": 1, "range H": 1 }));

    bill.world.sweep();
    let (read, written) = bill.sorted();
    assert_eq!(count(&written), json!({ "C": 2 }));
    assert_eq!(count(&read), json!({ "C": 1, "due f": 4, "due o": 16, "range H": 1 }));

    bill.world.set_clock(BEGIN_MS + 6 * 60_000);
    bill.world.sweep();
    let (_, written) = bill.sorted();
    assert_eq!(bill.world.messages().len(), 2, "the page, on both topics");
    assert_eq!(count(&written), json!({ "C": 3 }));
}

fn count(shown: &[String]) -> Value {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for call in shown {
        *kinds.entry(call.rsplit_once(' ').unwrap().0).or_default() += 1;
    }
    json!(kinds)
}

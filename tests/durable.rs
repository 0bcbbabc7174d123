//! The ledger in a table against the ledger in memory: whatever is delivered, in whatever order, both say the same.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "what cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "other tests ask for more")]
mod corpus;
#[path = "support/cuts.rs"]
#[expect(dead_code, reason = "other tests ask for more")]
mod cuts;
#[path = "support/stories.rs"]
mod stories;
#[path = "support/wire.rs"]
#[expect(dead_code, reason = "other tests ask for more")]
mod wire;
#[path = "support/worlds.rs"]
mod worlds;

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cuts::{Cut, Stream, deliver};
use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::domain::incidents::Register;
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::ledger::Ledger;
use queuewatch::domain::ledger::entry::{Entry, entries_of};
use queuewatch::domain::ledger::job_facts::StreamKey;
use queuewatch::domain::ledger::job_key::JobKey;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::sweep::{Horizon, plan_sweep};
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::{Kept, TableLedger};
use queuewatch::replay::{Input, Outcome, Settings, replay, replay_over};
use queuewatch::report::{Extent, Known, Report};
use serde_json::{Value, json};
use worlds::world;

/// Everything there is to report: every job, every metric in each minute, every incident and message.
const ALL: Extent = Extent { jobs: true, minutes: true };

fn in_memory(inputs: Vec<Input>, settings: &Settings) -> Value {
    let outcome = replay(inputs, settings, |_| ());
    all(&outcome, Known { ledger: &outcome.store.ledger, register: &outcome.store.register }, settings)
}

fn in_a_table(inputs: Vec<Input>, settings: &Settings) -> Value {
    let table = MemoryTable::new();
    let store = TableLedger::new(table.clone(), &settings.policy, "test".to_owned());
    let mut outcome = replay_over(store, inputs, settings, |_| ()).unwrap();
    let (ledger, register) = kept(&table, &outcome);
    // The last sweep named jobs by their places in a ledger that is gone; whoever looks again sees the same.
    let horizon = Horizon { now: outcome.ends_at, last_delivery: outcome.last_delivery };
    outcome.last_plan = plan_sweep(&ledger, &register, &settings.policy, horizon);
    all(&outcome, Known { ledger: &ledger, register: &register }, settings)
}

/// The report and what was sent. A table keeps no message's text once it is sent, so that it stands there alone.
fn all<S>(outcome: &Outcome<S>, known: Known<'_>, settings: &Settings) -> Value {
    let mut report = serde_json::to_value(Report::over(outcome, known, &settings.policy, ALL)).unwrap();
    for incident in report["incidents"].as_array_mut().unwrap() {
        for notification in incident["notifications"].as_array_mut().unwrap() {
            notification["body"] = Value::Null;
        }
    }
    let sent: Vec<String> = outcome.alarms.sent.iter().map(|message| format!("{message:#?}")).collect();
    json!({"report": report, "sent": sent})
}

/// All that a table keeps: what a sweep sees, settled jobs, jobs that a single delivery told of, closed incidents.
fn kept(table: &MemoryTable, outcome: &Outcome<TableLedger<MemoryTable>>) -> (Ledger, Register) {
    let Kept { mut ledger, register: newest, .. } = now(outcome.store.read_only(outcome.ends_at)).unwrap();
    let mut register = Register::default();
    for item in table.items() {
        let partition = item.key.partition.as_str();
        if let Some(key) = partition.strip_prefix("J#app#") {
            let key = JobKey::from_text(key.to_owned());
            let entry = if key.is_row() {
                Entry::Row(serde_json::from_str(&item.body).unwrap())
            } else {
                Entry::Job(serde_json::from_str(&item.body).unwrap())
            };
            ledger.adopt(&key, &entry);
        } else if partition.starts_with("D#") && partition != "D#rejected" {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            let record: DeliveryRecord = serde_json::from_value(body["lines"]["record"].clone()).unwrap();
            let stream = StreamKey::of(&record.log_group, &record.log_stream);
            for (key, entry) in entries_of(record.observations.iter(), stream, record.arrived_at) {
                ledger.adopt(&key, &entry);
            }
        } else if partition.starts_with("I#") {
            register.write(serde_json::from_str(&item.body).unwrap());
        }
    }
    // The history holds an incident as it closed, and not that it opened again.
    newest.all().into_iter().cloned().for_each(|incident| register.write(incident));
    ledger.settle();
    (ledger, register)
}

/// What somebody outside can see of a run: what was said, what was counted, how many wait. Which of the jobs it lists an
/// incident names, and what counting matched a settled job with, a table forgets.
fn outside(all: Value) -> Value {
    const COUNTERS: [&str; 6] =
        ["Enqueued", "Processing", "Processed", "Failed", "Released", "EnqueueErrors"];
    let report = &all["report"];
    let is_counter = |row: &&Value| COUNTERS.contains(&row["name"].as_str().unwrap());
    let counters: Vec<&Value> = report["metrics"].as_array().unwrap().iter().filter(is_counter).collect();
    json!({"sent": all["sent"], "counts": report["counts"], "pending": report["pending"], "counters": counters})
}

/// What a future that never waits comes to.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory keeps nobody waiting"),
    }
}

/// Compares two reports, and names the first places where they differ.
fn same(memory: &Value, table: &Value) -> Result<(), String> {
    let mut paths = Vec::new();
    differences("", memory, table, &mut paths);
    paths.truncate(8);
    if paths.is_empty() { Ok(()) } else { Err(paths.join("\n")) }
}

fn differences(path: &str, one: &Value, other: &Value, paths: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                differences(&format!("{path}.{key}"), value, &b[key], paths);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{n}]"), a, b, paths);
            }
        }
        _ if one == other => {}
        (Value::String(a), Value::String(b)) => {
            let line = a.split("\\n").zip(b.split("\\n")).find(|(a, b)| a != b);
            paths.push(format!("{path}: {line:?}"));
        }
        _ => paths.push(format!("{path}: {one} in memory, {other} in the table")),
    }
}

/// A sweep a minute, as on AWS: a table does not show delayed jobs before they are ready, so it cannot tell a clock
/// when to wake.
fn grace(grace_ms: i64) -> Settings {
    let settings = wire::settings(Policy::default().with_grace(grace_ms));
    Settings { visits_every_minute: true, ..settings }
}

#[test]
fn every_capture_is_the_same_in_a_table() {
    let mut wrong = Vec::new();
    for capture in corpus::captures() {
        let apart = [
            wire::events("/ecs/app", "ecs/app/1", &capture.app, 5_000),
            wire::events("/ecs/worker", "ecs/worker/1", &capture.worker, 5_000),
        ]
        .concat();
        let merged = wire::events("/ecs/app", "ecs/app/1", &capture.merged(), 5_000);
        for (how, events) in [("apart", apart), ("merged", merged)] {
            let settings = grace(5_000);
            let inputs = wire::inputs(&events, &Classifier::default());
            let memory = in_memory(inputs.clone(), &settings);
            if let Err(error) = same(&memory, &in_a_table(inputs, &settings)) {
                wrong.push(format!("{} {how}: {error}", capture.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_story_is_the_same_in_a_table() {
    let mut wrong = Vec::new();
    for folder in stories::all() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let story = stories::read(&folder);
        let settings = Settings { visits_every_minute: true, ..story.settings };
        let memory = in_memory(story.inputs.clone(), &settings);
        if let Err(error) = same(&memory, &in_a_table(story.inputs, &settings)) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The founding incident's deliveries.
fn founding() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut events = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|it| it == "json")) {
        events.push(std::fs::read_to_string(path).unwrap());
    }
    events
}

#[test]
fn the_founding_incident_is_the_same_in_a_table() {
    let settings = wire::settings(Policy::default());
    let inputs = wire::inputs(&founding(), &Classifier::default());
    let memory = in_memory(inputs.clone(), &settings);
    assert_eq!(memory["report"]["incidents"][0]["id"], "stalled-redis-default-20251206T1237Z");
    same(&memory, &in_a_table(inputs, &settings)).unwrap();
}

#[test]
fn whoever_only_looks_sees_what_a_sweep_sees_and_changes_nothing() {
    let settings = wire::settings(Policy::default());
    let inputs = wire::inputs(&founding(), &Classifier::default());
    let table = MemoryTable::new();
    let store = TableLedger::new(table.clone(), &settings.policy, "test".to_owned());
    let outcome = replay_over(store, inputs, &settings, |_| ()).unwrap();
    let before: Vec<_> = table.items().collect();

    let kept = now(outcome.store.read_only(outcome.ends_at)).unwrap();
    let open: Vec<&str> = kept.register.open().map(|incident| incident.id.as_str()).collect();
    assert_eq!(open, ["stalled-redis-default-20251206T1237Z"]);
    assert_eq!(kept.ledger.waiting().count(), 7);
    assert_eq!(kept.swept_at, Some(outcome.ends_at));
    assert_eq!((kept.unsent_count, kept.unfolded_count), (0, 0));
    assert_eq!(table.items().collect::<Vec<_>>(), before);
}

#[track_caller]
fn law<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    if let Err(error) = TestRunner::new_with_rng(config, rng).run(strategy, test) {
        panic!("{error}");
    }
}

fn cut() -> impl Strategy<Value = Cut> {
    let lines_max = prop_oneof![Just(1_usize), Just(2), Just(5), Just(40), Just(1_000)];
    (lines_max, 0_u64..9, 0_u64..5).prop_map(|(lines_max, shuffle, repeat)| Cut {
        lines_max,
        shuffle,
        repeat,
        keeps_order: false,
    })
}

#[test]
fn worlds_are_the_same_in_a_table_however_they_are_delivered() {
    law(128, &(world(), cut(), any::<bool>()), |(world, cut, is_merged)| {
        let streams: Vec<Stream> = if is_merged { world.merged() } else { world.streams() };
        let settings = grace(60_000);
        let inputs = deliver(&streams, cut, &Classifier::default());
        let memory = outside(in_memory(inputs.clone(), &settings));
        same(&memory, &outside(in_a_table(inputs, &settings))).map_err(TestCaseError::fail)
    });
}

/// An app that enqueues two jobs a second for an hour and a half, and whose worker lines carry no name.
fn busy() -> Vec<String> {
    let (mut app, mut worker) = (Vec::new(), Vec::new());
    for n in 0..10_000_i64 {
        // Hashes stand for names and moments, which do not repeat.
        let hash = |what: &str| StreamKey::of(what, &n.to_string()).0;
        let late = |what: &str| i64::try_from(hash(what) % 400).unwrap();
        let at = worlds::BEGIN_MS + n * 500 + late("enqueued");
        let (started, ended) = (at + 900 + late("started"), at + 2_100 + late("ended"));
        app.push((
            at,
            format!(
                r#"[2026-01-05 00:00:00] production.INFO: Job queued {{"job":"App\\Jobs\\Job{}","queue":"default","id":"{:032x}","uuid":"{:08x}-0000-4000-8000-{:012x}","connection":"redis","delay":null}} "#,
                n % 8,
                hash("id"),
                hash("uuid") >> 32,
                hash("uuid") & 0xffff_ffff
            ),
        ));
        let line = |what: &str| format!(r"  2026-01-05 00:00:00 App\Jobs\Job{} ........ {what}", n % 8);
        worker.push((started, line("RUNNING")));
        worker.push((ended, line(&format!("{}.12ms DONE", ended - started))));
    }
    app.sort();
    worker.sort();
    let events = [
        wire::events("/ecs/app", "ecs/app/1", &app, 5_000),
        wire::events("/ecs/worker", "ecs/worker/1", &worker, 5_000),
    ];
    events.concat()
}

#[test]
fn the_checkpoint_of_a_busy_app_fits_an_item_and_it_raises_nothing() {
    let settings = Settings { settle_ms: 60_000, ..grace(300_000) };
    let table = MemoryTable::new();
    let store = TableLedger::new(table.clone(), &settings.policy, "test".to_owned());
    let inputs = wire::inputs(&busy(), &Classifier::default());
    let outcome = replay_over(store, inputs, &settings, |_| ()).unwrap();
    assert!(outcome.alarms.sent.is_empty(), "{:#?}", outcome.alarms.sent);
    let checkpoint = table.items().find(|item| item.key.partition == "C#app").unwrap();
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflated.write_all(checkpoint.body.as_bytes()).unwrap();
    let bytes = deflated.finish().unwrap().len();
    assert!((300_000..400 * 1024).contains(&bytes), "{bytes}: a lot is remembered, and DynamoDB takes it");
}

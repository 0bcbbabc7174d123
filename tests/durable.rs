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

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cuts::{Cut, Stream, deliver};
use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use queuewatch::adapters::memory::{MemoryTable, RecordedMetrics};
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::ledger::life::{JobKey, JobRecord, jobs_of};
use queuewatch::domain::ledger::record::StreamKey;
use queuewatch::domain::metric::Metric;
use queuewatch::domain::policy::Policy;
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::TableLedger;
use queuewatch::replay::{Input, Outcome, Settings, replay, replay_over};
use serde_json::Value;
use worlds::world;

/// What somebody outside can see of a run: what was said, what was counted, what became of each named job.
#[derive(Debug, PartialEq)]
struct Seen {
    letters: Vec<String>,
    counters: BTreeMap<String, i64>,
    jobs: BTreeMap<String, &'static str>,
}

const COUNTERS: [Metric; 6] = [
    Metric::Enqueued,
    Metric::Processing,
    Metric::Processed,
    Metric::Failed,
    Metric::Released,
    Metric::EnqueueErrors,
];

fn counters(metrics: &RecordedMetrics) -> BTreeMap<String, i64> {
    metrics
        .rows()
        .filter(|(metric, ..)| COUNTERS.contains(metric))
        .flat_map(|(metric, dimensions, _, minutes)| {
            minutes.into_iter().map(move |(at, sum)| (format!("{metric:?} {dimensions:?} {at}"), sum.sum))
        })
        .collect()
}

fn letters<S>(outcome: &Outcome<S>) -> Vec<String> {
    outcome.alarms.sent.iter().map(|letter| format!("{letter:#?}")).collect()
}

fn in_memory(inputs: Vec<Input>, settings: &Settings) -> Seen {
    let outcome = replay(inputs, settings, |_| ());
    let ledger = &outcome.store.ledger;
    let jobs = ledger.jobs().filter(|(_, job)| job.counted.is_none()).filter_map(|(_, job)| {
        let name = job.known.uuid().map(ToString::to_string).or(job.known.id().map(ToString::to_string))?;
        Some((name, ledger.state(job).0.as_str()))
    });
    Seen { letters: letters(&outcome), counters: counters(&outcome.metrics), jobs: jobs.collect() }
}

fn in_a_table(inputs: Vec<Input>, settings: &Settings) -> Seen {
    let table = MemoryTable::new();
    let store = TableLedger::new(table.clone(), &settings.policy, "test".to_owned());
    let outcome = replay_over(store, inputs, settings, |_| ()).unwrap();
    Seen { letters: letters(&outcome), counters: counters(&outcome.metrics), jobs: jobs_in(&table) }
}

/// Every named job, by its item and by the deliveries that told a whole life.
fn jobs_in(table: &MemoryTable) -> BTreeMap<String, &'static str> {
    let mut records: BTreeMap<JobKey, JobRecord> = BTreeMap::new();
    for item in table.items() {
        if let Some(key) = item.key.partition.strip_prefix("J#app#") {
            let record: JobRecord = serde_json::from_str(&item.body).unwrap();
            records.entry(JobKey::from_text(key.to_owned())).or_default().join(&record);
        } else if item.key.partition.starts_with("D#") && !item.key.partition.ends_with("rejected") {
            let body: Value = serde_json::from_str(&item.body).unwrap();
            let record: DeliveryRecord = serde_json::from_value(body["lines"]["record"].clone()).unwrap();
            let stream = StreamKey::of(&record.log_group, &record.log_stream);
            for (key, job) in jobs_of(record.observations.iter(), stream, record.arrived_at) {
                records.entry(key).or_default().join(&job);
            }
        }
    }
    let mut by_name: BTreeMap<String, JobRecord> = BTreeMap::new();
    for (key, record) in records {
        let record = if key.is_row() { record.newest_life() } else { record };
        let name =
            record.known.uuid().map(ToString::to_string).or(record.known.id().map(ToString::to_string));
        if let Some(name) = name {
            by_name.entry(name).or_default().join(&record);
        }
    }
    by_name.into_iter().map(|(name, record)| (name, record.state().as_str())).collect()
}

/// Compares; of the jobs those that both know by the same name.
fn same(memory: &Seen, table: &Seen) -> Result<(), String> {
    if memory.letters != table.letters {
        let (a, b) = (memory.letters.join("\n"), table.letters.join("\n"));
        let first = a.lines().zip(b.lines()).find(|(a, b)| a != b);
        return Err(format!("letters: {first:#?}\n{a}\n-- in the table\n{b}"));
    }
    if memory.counters != table.counters {
        return Err(format!("counters: {:#?}\n{:#?}", memory.counters, table.counters));
    }
    for (name, state) in &memory.jobs {
        match table.jobs.get(name) {
            Some(found) if found == state => {}
            found => return Err(format!("job {name}: {state} in memory, {found:?} in the table")),
        }
    }
    Ok(())
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

/// Stories that are told otherwise. A delivery that tells nothing leaves no record in a table, so that it neither counts
/// as one that opened nor shows where the app runs; and a checkpoint forgets what happened in minutes long gone, by
/// which memory goes on to say where a queue is heading.
const OTHERWISE: [&str; 7] = [
    "every-source-is-silent",
    "one-rejected-payload-among-good-ones",
    "one-rejected-payload-of-a-quiet-app",
    "one-source-of-two-is-silent",
    "payloads-open-again-after-ten-minutes",
    "reminders-over-three-days-of-silence",
    "three-payloads-in-ten-minutes-do-not-open",
];

#[test]
fn every_story_but_seven_is_the_same_in_a_table() {
    let (mut wrong, mut otherwise) = (Vec::new(), Vec::new());
    for folder in stories::all() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let story = stories::read(&folder);
        let settings = Settings { visits_every_minute: true, ..story.settings };
        let memory = in_memory(story.inputs.clone(), &settings);
        match same(&memory, &in_a_table(story.inputs, &settings)) {
            Err(_) if OTHERWISE.contains(&&*name) => otherwise.push(name),
            Err(error) => wrong.push(format!("{name}: {error}")),
            Ok(()) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(otherwise, OTHERWISE, "those that are the same now");
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
    assert!(memory.letters[0].contains("stalled-redis-default-20251206T1237Z"), "{:#?}", memory.letters);
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

    let look = pin!(outcome.store.look(outcome.ends_at));
    let Poll::Ready(kept) = look.poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    let kept = kept.unwrap();
    let open: Vec<&str> = kept.book.open().map(|incident| incident.id.as_str()).collect();
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
        // A table knows a database's job by its row, and no two rows that live at once have one id.
        prop_assume!(!world.is_database || world.jobs.len() <= worlds::ROW_IDS);
        // Memory does not join a row's number alone with lines that carry it and a uuid; a table does.
        prop_assume!(
            !(world.is_database && world.prints == worlds::Prints::Json)
                || world.jobs.iter().all(|job| job.names_uuid)
        );
        let streams: Vec<Stream> = if is_merged { world.merged() } else { world.streams() };
        let settings = grace(60_000);
        let inputs = deliver(&streams, cut, &Classifier::default());
        let memory = in_memory(inputs.clone(), &settings);
        same(&memory, &in_a_table(inputs, &settings)).map_err(TestCaseError::fail)
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
    assert_eq!(letters(&outcome), [""; 0]);
    let checkpoint = table.items().find(|item| item.key.partition == "C#app").unwrap();
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflated.write_all(checkpoint.body.as_bytes()).unwrap();
    let bytes = deflated.finish().unwrap().len();
    assert!((300_000..400 * 1024).contains(&bytes), "{bytes}: a lot is remembered, and DynamoDB takes it");
}

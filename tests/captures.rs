//! Every capture replayed whole, against what really happened to its jobs: counts, each job's state, and
//! whether anybody would have been told.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a capture that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "captures/causes.rs"]
mod causes;
#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use corpus::{Capture, Counts, Job, captures};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use serde_json::Value;

/// Short enough for captures of a minute.
const GRACE_MS: i64 = 5_000;

/// The capture's report, with app and worker apart (two log groups), and merged into one stream.
fn reports(capture: &Capture) -> [Value; 2] {
    let apart = [
        wire::events("/ecs/app", "ecs/app/1", &capture.app, 5_000),
        wire::events("/ecs/worker", "ecs/worker/1", &capture.worker, 5_000),
    ]
    .concat();
    let merged = wire::events("/ecs/app", "ecs/app/1", &capture.merged(), 5_000);
    [apart, merged].map(|events| {
        let settings = wire::settings(Policy::default().with_grace(GRACE_MS));
        wire::report(wire::inputs(&events, &Classifier::default()), &settings)
    })
}

/// Checks every capture that `is` picks, both ways.
fn check_each(is: impl Fn(&Capture) -> bool, check: impl Fn(&Capture, &Value) -> Result<(), String>) {
    let mut wrong = Vec::new();
    for capture in captures().iter().filter(|capture| is(capture)) {
        for (report, how) in reports(capture).iter().zip(["apart", "merged"]) {
            if let Err(what) = check(capture, report) {
                wrong.push(format!("{} ({how}): {what}", capture.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}

fn rows<'a>(report: &'a Value, key: &str) -> &'a [Value] {
    report[key].as_array().unwrap()
}

fn counts(report: &Value) -> Counts {
    let count = |key: &str| report["counts"][key].as_u64().unwrap();
    Counts {
        enqueued: count("enqueued"),
        starts: count("processing"),
        ends: count("processed") + count("failed") + count("released"),
        enqueue_errors: count("enqueue_errors"),
    }
}

/// The state a job ends in, by the truth; `None` where it never came to be.
fn true_state(job: &Job) -> Option<&'static str> {
    match job.outcome.as_str() {
        "processed" => Some("processed"),
        "failed" => Some("failed"),
        "lost" | "pending" => Some("pending"),
        "pending_after_attempt" => Some("running"),
        "dispatch_failed" => None,
        other => unreachable!("outcome {other}"),
    }
}

/// How many jobs are in each state.
fn states<'a>(states: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counted = BTreeMap::new();
    for state in states {
        *counted.entry(state).or_default() += 1;
    }
    counted
}

fn kinds(report: &Value) -> BTreeSet<&str> {
    rows(report, "incidents").iter().map(|incident| incident["kind"].as_str().unwrap()).collect()
}

/// `b1` of `12.67.0/b1-never`.
fn scenario(capture: &Capture) -> &str {
    capture.name.split('/').nth(1).and_then(|name| name.split('-').next()).unwrap()
}

fn prints_every_start(capture: &Capture) -> bool {
    !capture.is_redirected() && scenario(capture) != "o"
}

#[test]
fn counts_are_what_the_queues_own_events_tell() {
    check_each(|_| true, |capture, report| same(&counts(report), &capture.expected()));
}

#[test]
fn every_job_with_an_id_on_its_lines_ends_in_its_true_state() {
    check_each(
        |capture| capture.prints_ids() && prints_every_start(capture),
        |capture, report| {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let mut by_name: BTreeMap<String, &Value> = BTreeMap::new();
            for row in rows(report, "jobs") {
                for name in [&row["uuid"], &row["id"]] {
                    by_name.insert(text(name), row);
                }
            }
            let mut wrong = Vec::new();
            let jobs = capture.truth.jobs.iter().filter(|job| true_state(job).is_some());
            for job in jobs.clone() {
                let id = job.enqueue_id.as_ref().map(text);
                let row = job.uuid.as_ref().and_then(|uuid| by_name.get(uuid));
                let row = row.or_else(|| by_name.get(&id?));
                let got = row.and_then(|row| row["state"].as_str());
                if got != true_state(job) {
                    wrong.push(format!("{:?} {}: {got:?}, not {:?}", job.uuid, job.class, true_state(job)));
                }
            }
            same(&rows(report, "jobs").len(), &jobs.count())?;
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
        },
    );
}

#[test]
fn without_ids_as_many_jobs_end_in_each_state_as_really_did() {
    check_each(
        |capture| !capture.prints_ids() && prints_every_start(capture),
        |capture, report| {
            let got = states(rows(report, "jobs").iter().map(|row| row["state"].as_str().unwrap()));
            same(&got, &states(capture.truth.jobs.iter().filter_map(true_state)))
        },
    );
}

#[test]
fn jobs_that_never_ran_raise_an_alarm() {
    check_each(
        |capture| ["b1", "b2", "c", "d"].contains(&scenario(capture)),
        |_, report| {
            let kinds = kinds(report);
            if kinds.contains("stalled") || kinds.contains("lost") {
                Ok(())
            } else {
                Err(format!("only {kinds:?}"))
            }
        },
    );
}

#[test]
fn a_worker_that_works_raises_none() {
    check_each(
        |capture| ["a", "e", "g", "k", "k1", "o"].contains(&scenario(capture)),
        |capture, report| {
            let stuck: BTreeSet<&str> =
                kinds(report).into_iter().filter(|kind| !["blind", "failing"].contains(kind)).collect();
            // Restarted every 8 seconds with pauses of 3, a worker is slow where 5 seconds are all that is allowed.
            let slow = if scenario(capture) == "g" { BTreeSet::from(["backlog"]) } else { BTreeSet::new() };
            same(&stuck, &slow)
        },
    );
}

#[test]
fn a_worker_that_writes_into_a_file_looks_like_one_that_does_nothing() {
    check_each(Capture::is_redirected, |_, report| {
        same(&report["pending"]["jobs"], &Value::from(80))?;
        let stalled: Vec<&Value> = rows(report, "incidents").iter().collect();
        same(&stalled.iter().map(|incident| incident["kind"].as_str()).collect(), &vec![Some("stalled")])?;
        same(&stalled[0]["jobs_count"], &Value::from(80))
    });
}

#[test]
fn a_batch_that_no_line_enqueued_is_processed_all_the_same() {
    check_each(
        |capture| scenario(capture) == "o",
        |_, report| {
            let got = states(rows(report, "jobs").iter().map(|row| row["state"].as_str().unwrap()));
            same(&got, &BTreeMap::from([("processed", 20)]))?;
            same(
                &rows(report, "blind_spots")[0].as_str().map(|s| s.starts_with("no enqueue line")),
                &Some(true),
            )
        },
    );
}

#[test]
fn a_delay_that_is_not_logged_looks_like_a_wait() {
    check_each(
        |capture| scenario(capture) == "i",
        |capture, report| {
            let hit: u64 = rows(report, "incidents")
                .iter()
                .map(|incident| incident["jobs_count"].as_u64().unwrap())
                .sum();
            // The 8.x listener logs no delay; four jobs are meant to wait for an hour.
            same(&hit, &if capture.truth.laravel.starts_with("8.") { 4 } else { 0 })
        },
    );
}

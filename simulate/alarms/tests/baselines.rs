//! How the baselines behave on a small day: a worker in a log group of its own that dies at noon, or has little to do.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test helpers are outside clippy's exemption"
)]

use cloudwatch_alarms::alarm::{Spell, watch};
use cloudwatch_alarms::baseline;
use cloudwatch_alarms::logs::{Fact, Line, Logs, MINUTE_MS};

const NOON: i64 = 720;
const END: i64 = 14 * 60;

/// A job every `every` minutes from the first hour on, done within its minute until `dies` in minutes; the app's group
/// takes something in each minute.
fn day(every: i64, dies: i64) -> Logs {
    let mut logs = Logs::default();
    for minute in 0..END {
        let mut add = |log_group, fact| {
            let at_ms = minute * MINUTE_MS + 1_000;
            logs.take(Line { at_ms, taken_in_ms: at_ms + 2_000, log_group, fact, queue: Some("default") });
        };
        add("/app", None);
        if minute % every == 0 {
            add("/app", Some(Fact::Enqueued));
            if minute < dies {
                add("/worker", Some(Fact::Started));
                add("/worker", Some(Fact::Done));
            }
        }
    }
    logs
}

fn spells(logs: &Logs, name: &str) -> Vec<Spell> {
    let watched = baseline::all(logs);
    let at = watched.iter().position(|any| any.name == name).unwrap();
    watch(&watched, logs, END * MINUTE_MS)[at].clone()
}

/// Asserts the minutes from noon to each alarm.
#[track_caller]
fn check(logs: &Logs, name: &str, after_noon: &[i64]) {
    let minutes: Vec<i64> =
        spells(logs, name).iter().map(|spell| spell.alarm_at_ms / MINUTE_MS - NOON).collect();
    assert_eq!(minutes, after_noon, "{name}");
}

#[test]
fn a_worker_that_dies_is_found_as_late_as_its_alarm_looks_back() {
    let logs = day(1, NOON);
    check(&logs, "B1", &[15]);
    check(&logs, "B1n", &[]);
    check(&logs, "B2", &[5]);
    check(&logs, "B2b", &[10]);
    check(&logs, "B3", &[18]);
    check(&logs, "B4", &[45]);
    check(&logs, "B5", &[]);
    check(&logs, "B2+B3+B5", &[5]);
    check(&logs, "per queue", &[5]);
}

#[test]
fn a_healthy_day_of_many_jobs_is_quiet() {
    let logs = day(1, END);
    for any in baseline::all(&logs) {
        assert_eq!(spells(&logs, &any.name), [], "{}", any.name);
    }
}

#[test]
fn a_healthy_day_of_few_jobs_is_not() {
    let logs = day(30, END);
    assert!(spells(&logs, "B1").len() > 20, "an alarm for nearly every pause");
    assert_eq!(spells(&logs, "B2b"), []);
}

#[test]
fn a_gated_alarm_goes_ok_when_nothing_is_enqueued_any_more() {
    let logs = day(30, NOON);
    let first = spells(&logs, "B2")[0];
    assert!(first.ok_at_ms.is_some(), "the job still waits");
    assert!(spells(&logs, "B2").len() > 1, "and is reported again with the next");
}

#[test]
fn a_job_that_failed_is_finished() {
    let mut logs = day(30, END);
    for minute in (NOON..END).step_by(2) {
        for fact in [Fact::Enqueued, Fact::Started, Fact::Failed] {
            let (at_ms, log_group) = (minute * MINUTE_MS + 1_000, "/worker");
            logs.take(Line {
                at_ms,
                taken_in_ms: at_ms,
                log_group,
                fact: Some(fact),
                queue: Some("default"),
            });
        }
    }
    check(&logs, "B3", &[]);
    check(&logs, "B5", &[2]);
}

/// A year lies between the two: each minute of it looked at would be felt.
#[test]
fn a_pause_of_a_year_is_stepped_over() {
    let mut logs = Logs::default();
    let year = 365 * 24 * 60;
    for minute in [0, year] {
        let at_ms = minute * MINUTE_MS;
        let (log_group, fact) = ("/app", Some(Fact::Done));
        logs.take(Line { at_ms, taken_in_ms: at_ms, log_group, fact, queue: None });
    }
    let watched = baseline::all(&logs);
    let spells = watch(&watched, &logs, (year + 60) * MINUTE_MS);
    let minutes = |at: &Spell| (at.alarm_at_ms / MINUTE_MS, at.ok_at_ms.map(|ms| ms / MINUTE_MS - year));
    assert_eq!(watched[0].name, "B1");
    assert_eq!(spells[0].iter().map(minutes).collect::<Vec<_>>(), [(16, Some(2)), (year + 16, None)]);
}

#[test]
fn queues_with_the_most_jobs_get_alarms_of_their_own() {
    let mut logs = Logs::default();
    for queue in ["b", "c", "a", "c", "b"] {
        let fact = Some(Fact::Enqueued);
        logs.take(Line { at_ms: 0, taken_in_ms: 0, log_group: "/app", fact, queue: Some(queue) });
    }
    let fact = Some(Fact::Started);
    logs.take(Line { at_ms: 0, taken_in_ms: 0, log_group: "/app", fact, queue: Some("never enqueued") });
    assert_eq!(logs.queues(2), ["b", "c"]);
    assert_eq!(logs.queues(9), ["a", "b", "c"]);
    let per_queue = baseline::all(&logs).pop().unwrap();
    assert_eq!(per_queue.alarms.len(), 7);
}

#[test]
fn every_baseline_says_what_it_is() {
    for any in baseline::all(&day(1, NOON)) {
        assert!(!baseline::describe(&any.name).is_empty(), "{}", any.name);
    }
}

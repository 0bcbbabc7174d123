//! Workers that are killed and come back, that wait on the wrong queue, and that are not there at all.

use std::collections::BTreeMap;

use crate::app::App;
use crate::process::{Line, Process, now_ms};
use crate::verdict::{Verdict, causes, verdict};

/// `job_timeout` of the tests' configuration, and more than its grace: so long a killed job passes for work.
const WORKING_MS: i64 = 10_000;
const MINUTE_MS: i64 = 60_000;

fn wait_until(moment: i64) {
    std::thread::sleep(std::time::Duration::from_millis(u64::try_from(moment - now_ms()).unwrap_or(0)));
}

/// The next whole minute, which is when sweeps are.
fn next_sweep(after: i64) -> i64 {
    (after / MINUTE_MS + 1) * MINUTE_MS
}

/// Waits, in real time, until no sweep comes before a job that is killed now no longer passes for work.
fn wait_for_room() {
    let now = now_ms();
    if next_sweep(now) - now < WORKING_MS + 8_000 {
        wait_until(next_sweep(now));
    }
}

/// Waits, in real time, until a sweep has found whatever is overdue and not worked on since now.
fn wait_for_sweep() {
    wait_until(next_sweep(now_ms() + WORKING_MS + 1_000));
}

fn by_time(streams: &[&[Line]]) -> Vec<Line> {
    let mut lines = streams.concat();
    lines.sort_by_key(|(ms, _)| *ms);
    lines
}

/// The stall, of which there is one.
fn stall(verdict: &Verdict) -> &serde_json::Value {
    let stalls: Vec<_> = verdict.rows("incidents").iter().filter(|row| row["kind"] == "stalled").collect();
    assert_eq!(stalls.len(), 1, "{:?}", verdict.incidents());
    stalls[0]
}

fn at(incident: &serde_json::Value, key: &str) -> i64 {
    incident[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[test]
fn a_killed_worker_is_a_stall_until_another_starts_a_job() {
    let app = App::new("killed", "redis");
    let work = || {
        Process::start(
            app.artisan(&["queue:work", "--sleep=0.1", "--max-time=150"]).env("QUEUE_RETRY_AFTER", "3"),
        )
    };
    wait_for_room();
    let first = work();
    let mut printed = app.dispatch(&["plain", "plain", "plain", "slow:3"]);
    first.wait_for(r"] Processed:  App\Jobs\Plain", 3);
    first.wait_for(r"] Processing: App\Jobs\Slow", 1);
    first.signal("KILL");
    let (status, killed) = first.end();
    assert!(!status.success(), "{status}");
    let killed_at = now_ms();
    printed.extend(app.dispatch(&["plain", "plain", "plain"]));
    wait_for_sweep();
    let back_at = now_ms();
    let second = work();
    second.wait_for(r"] Processed:  App\Jobs\Plain", 3);
    second.wait_for(r"] Processed:  App\Jobs\Slow", 1);
    second.signal("TERM");
    let (_, back) = second.end();

    let both = by_time(&[&killed, &back]);
    let shared = by_time(&[&printed, &both]);
    for verdict in [
        verdict(&app.folder, &[("ecs/web/1", &printed), ("ecs/worker/1", &killed), ("ecs/worker/2", &back)]),
        verdict(&app.folder, &[("ecs/web/1", &printed), ("ecs/worker/1", &both)]),
        verdict(&app.folder, &[("ecs/app/1", &shared)]),
    ] {
        // The job that was killed is stuck, too, until it is started again.
        let both = [("stalled", "redis", "default", true), ("stuck_running", "redis", "default", true)];
        assert_eq!(verdict.incidents(), both);
        assert_eq!(verdict.counts(), [7, 8, 7, 0, 0]);
        let states = BTreeMap::from([(("Plain", "processed"), 6), (("Slow", "processed"), 1)]);
        assert_eq!(verdict.states(), states);
        let stall = stall(&verdict);
        let (opened_at, resolved_at) = (at(stall, "opened_at"), at(stall, "resolved_at"));
        assert!(killed_at < opened_at && opened_at <= back_at + 1_000, "{killed_at} {opened_at} {back_at}");
        assert!(back_at < resolved_at, "{back_at} {resolved_at}");
        // The three that waited; the one that was killed was started, and is no waiting job.
        assert_eq!(stall["jobs_count"], 3);
        // A line less, and lines do not say why.
        assert!(causes(stall).contains(&"worker_silent"), "{:?}", causes(stall));
    }
}

#[test]
fn a_worker_on_another_queue_leaves_a_stall_that_names_the_right_one() {
    let app = App::new("wrong-queue", "redis");
    let worker = app.work(&["--queue=emails"]);
    let printed = app.dispatch(&["plain", "plain", "plain@emails", "plain"]);
    worker.wait_for(r"] Processed:  App\Jobs\Plain", 1);
    worker.signal("TERM");
    let (_, worked) = worker.end();
    let shared = by_time(&[&printed, &worked]);
    for verdict in [
        verdict(&app.folder, &[("ecs/web/1", &printed), ("ecs/worker/1", &worked)]),
        verdict(&app.folder, &[("ecs/app/1", &shared)]),
    ] {
        assert_eq!(verdict.incidents(), [("stalled", "redis", "default", false)]);
        assert_eq!(verdict.counts(), [4, 1, 1, 0, 0]);
        assert_eq!(
            verdict.states(),
            BTreeMap::from([(("Plain", "pending"), 3), (("Plain", "processed"), 1)])
        );
        assert_eq!(verdict.rows("incidents")[0]["jobs_count"], 3);
        assert_eq!(verdict.rows("incidents")[0]["after_end"], true, "that is silence after the last line");
        assert_eq!(causes(&verdict.rows("incidents")[0])[0], "queue_not_consumed");
    }
}

#[test]
fn without_a_worker_there_is_a_stall_and_a_job_that_must_wait_is_not_in_it() {
    let app = App::new("no-worker", "redis");
    let printed = app.dispatch(&["plain", "delayed:7200", "batch:2"]);
    let verdict = verdict(&app.folder, &[("ecs/web/1", &printed)]);
    assert_eq!(verdict.incidents(), [("stalled", "redis", "default", false)]);
    assert_eq!(verdict.states(), BTreeMap::from([(("Batched", "pending"), 2), (("Plain", "pending"), 2)]));
    assert_eq!(verdict.rows("incidents")[0]["jobs_count"], 3);
    assert_eq!(verdict.0["pending"]["jobs"], 4);
    assert_eq!(causes(&verdict.rows("incidents")[0])[0], "never_observed");
}

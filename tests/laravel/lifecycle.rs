//! Every way in which an app puts jobs on a queue, to the end of each job.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::process::Line;
use crate::verdict::{Stream, Verdict, verdict};

/// Every way but retries; jobs of a sync connection are on no queue, and the second of two unique ones is none.
const EVERY_WAY: [&str; 12] = [
    "plain",
    "delayed:2",
    "failing",
    "forging",
    "unique:1",
    "unique:1",
    "closure",
    "string",
    "sync",
    "chained",
    "batch:3",
    "plain@emails",
];

/// Enqueues that the app prints for them: two jobs of the chain are queued by the worker.
const PRINTED: usize = 12;

/// What becomes of their jobs.
const EVERY_END: [((&str, &str), usize); 7] = [
    (("Batched", "processed"), 3),
    (("Closure (Dispatch.php:35)", "processed"), 1),
    (("Failing", "failed"), 1),
    (("Forging", "failed"), 1),
    (("Handler", "processed"), 1),
    (("Plain", "processed"), 6),
    (("Unique", "processed"), 1),
];

/// Both sides' lines: apart as of two tasks, and as one container prints them.
fn both_ways(app: &App, printed: &[Line], worked: &[Line]) -> [Verdict; 2] {
    let mut shared = [printed, worked].concat();
    shared.sort_by_key(|(ms, _)| *ms);
    let apart: [Stream<'_>; 2] = [("ecs/web/1", printed), ("ecs/worker/1", worked)];
    [verdict(&app.folder, &apart), verdict(&app.folder, &[("ecs/app/1", &shared)])]
}

/// Works until there are so many `Processed` and `Failed` lines, then ends as a deploy would end it.
fn work_until(app: &App, processed: usize, failed: usize) -> Vec<Line> {
    let worker = app.work(&["--queue=default,emails"]);
    worker.wait_until("every job's end", |lines| {
        let ends = |what: &str| lines.iter().filter(|(_, line)| line.contains(what)).count();
        ends("] Processed: ") >= processed && ends("] Failed: ") >= failed
    });
    worker.signal("TERM");
    let (status, lines) = worker.end();
    assert!(status.success(), "{status}");
    lines
}

#[track_caller]
fn check_ends(verdict: &Verdict, connection: &str, blind_spots: usize) {
    assert_eq!(verdict.states(), BTreeMap::from(EVERY_END));
    assert_eq!(verdict.counts(), [14, 14, 12, 2, 0]);
    assert_eq!(verdict.queues(), BTreeSet::from([(connection, "default"), (connection, "emails")]));
    assert_eq!(verdict.incidents(), []);
    assert_eq!(verdict.0["pending"]["jobs"], 0);
    let have = |key: &str| verdict.rows("jobs").iter().all(|job| job[key].is_string());
    assert!(have("uuid") && have("id"), "{:#?}", verdict.rows("jobs"));
    assert_eq!(verdict.blind_spots().len(), blind_spots, "{:?}", verdict.blind_spots());
}

#[test]
fn on_redis_every_job_is_seen_from_its_enqueue_to_its_end() {
    let app = App::new("redis", "redis");
    let printed = app.dispatch(&EVERY_WAY);
    assert_eq!(printed.len(), PRINTED, "{printed:#?}");
    let worked = work_until(&app, 12, 2);
    for verdict in both_ways(&app, &printed, &worked) {
        check_ends(&verdict, "redis", 0);
    }
}

#[test]
fn on_a_database_a_batch_is_seen_though_no_event_tells_of_it() {
    let app = App::new("database", "database");
    let printed = app.dispatch(&[&EVERY_WAY[..], &["rejected:2"]].concat());
    assert_eq!(printed.len(), PRINTED, "none for the batch that was rejected: {printed:#?}");
    let worked = work_until(&app, 12, 2);
    for verdict in both_ways(&app, &printed, &worked) {
        // Worker lines of this version carry row ids, and queuewatch says what that may lead to.
        check_ends(&verdict, "database", 1);
    }
}

#[test]
fn a_job_that_is_tried_again_is_one_job() {
    let app = App::new("retries", "redis");
    let printed = app.dispatch(&["retried", "released"]);
    // A failure that is tried again prints no end before 9.21, and a release one like any other.
    let worked = work_until(&app, 3, 0);
    for verdict in both_ways(&app, &printed, &worked) {
        assert_eq!(verdict.counts(), [2, 4, 3, 0, 0]);
        assert_eq!(
            verdict.states(),
            BTreeMap::from([(("Released", "processed"), 1), (("Retried", "processed"), 1)])
        );
        assert_eq!(verdict.incidents(), []);
    }
}

#[test]
fn on_a_database_a_job_that_is_tried_again_looks_like_another_and_that_is_said() {
    let app = App::new("database-retries", "database");
    let printed = app.dispatch(&["retried", "released"]);
    let worked = work_until(&app, 3, 0);
    for verdict in both_ways(&app, &printed, &worked) {
        assert_eq!(verdict.counts(), [2, 4, 3, 0, 0]);
        assert_eq!(
            verdict.states(),
            BTreeMap::from([
                (("Released", "processed"), 2),
                (("Retried", "processed"), 1),
                (("Retried", "running"), 1)
            ])
        );
        let said = verdict.blind_spots();
        assert!(said.len() == 1 && said[0].contains("every retry has a new id"), "{said:?}");
    }
}

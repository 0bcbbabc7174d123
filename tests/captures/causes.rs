//! Every capture's incidents, against why they really happened; and questions that a capture is too short to raise
//! an incident for.

use std::collections::BTreeSet;

use queuewatch::domain::diagnosis::{Cause, Diagnosis, Question, diagnose};
use queuewatch::domain::incidents::{Incident, Key, Kind};
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::ledger::Ledger;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::model::queue_ref::QueueRef;
use queuewatch::domain::model::wake::Wake;
use queuewatch::domain::queues::resolver::QueueResolver;
use queuewatch::domain::queues::view::{self, WaitingJob};
use queuewatch::domain::systems::Classifier;
use queuewatch::replay::{Outcome, replay};
use serde_json::Value;

use super::corpus::{Capture, captures};
use super::{GRACE_MS, wire};

/// App and worker apart, and merged into one stream.
fn both_ways(capture: &Capture) -> [(Vec<String>, &'static str); 2] {
    let apart = [
        wire::events("/ecs/app", "ecs/app/1", &capture.app, 5_000),
        wire::events("/ecs/worker", "ecs/worker/1", &capture.worker, 5_000),
    ]
    .concat();
    let merged = wire::events("/ecs/app", "ecs/app/1", &capture.merged(), 5_000);
    [(apart, "apart"), (merged, "merged")]
}

fn policy() -> Policy {
    Policy::default().with_grace(GRACE_MS)
}

/// Of an incident of this kind in a capture whose name holds this: the causes that are true, the likeliest first where
/// lines can tell it.
const TRUTH: [(&str, &str, &[&str]); 20] = [
    ("/b1-never", "stalled", &["never_observed"]),
    ("/b2-killed", "stalled", &["worker_silent"]),
    ("/b2-killed", "backlog", &["*", "worker_silent"]),
    ("/b2-killed", "stuck_running", &["worker_silent"]),
    ("/c-wrong-queue", "stalled", &["queue_not_consumed"]),
    ("/d-redis-lost", "enqueue_errors", &["enqueue_errors"]),
    ("/d-redis-lost", "stalled", &["cannot_fetch"]),
    ("/d-redis-lost", "lost", &["cannot_fetch"]),
    ("/e-retries", "failing", &["failing_fast"]),
    ("/f-timeouts", "stuck_running", &["job_timeout"]),
    ("/g-restarts", "backlog", &["slow_backlog"]),
    // The capture has no line that names the file: from lines alone it is the same as no worker at all.
    ("/h-redirected", "stalled", &["*", "logs_not_forwarded"]),
    ("/q-horizon", "stalled", &["crash_loop"]),
    // Delays that are not logged: no cause is, and each message says that they may be meant.
    ("8.83.26/i-delayed", "stalled", &["*"]),
    ("8.83.26/i-delayed", "lost", &["*"]),
    ("/n-queue-pause", "stalled", &["paused"]),
    ("/l-stuck", "backlog", &["behind_long_job"]),
    ("/l-stuck", "stalled", &["*", "behind_long_job"]),
    ("/j-memory", "stuck_running", &["crash_loop"]),
    ("/o-batch", "blind", &["monitor_blind"]),
];

#[test]
fn the_cause_of_every_captured_incident_is_right_or_among_the_three() {
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for capture in captures() {
        for (events, how) in both_ways(&capture) {
            let report =
                wire::report(wire::inputs(&events, &Classifier::default()), &wire::settings(policy()));
            for incident in report["incidents"].as_array().unwrap() {
                let kind = incident["kind"].as_str().unwrap();
                let truth = TRUTH.iter().find(|(name, of, _)| capture.name.contains(name) && *of == kind);
                let Some((name, _, causes)) = truth else {
                    wrong.push(format!("{} ({how}): nothing is known of a {kind}", capture.name));
                    continue;
                };
                met.insert(format!("{name} {kind}"));
                if let Some(what) = judge(&incident["diagnosis"], causes) {
                    wrong.push(format!("{} ({how}) {kind}: {what}", capture.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(met.len() >= 14, "{met:?}");
}

/// What is wrong with a diagnosis, if the true causes are these: the first is named, and what is certain is true. `*`
/// stands for any that is not certain.
fn judge(diagnosis: &Value, truth: &[&str]) -> Option<String> {
    let named = diagnosis["cause"].as_str()?;
    let others = diagnosis["runners_up"].as_array()?.iter().filter_map(Value::as_str);
    let all: Vec<&str> = [named].into_iter().chain(others).collect();
    let is_certain = diagnosis["certain"] == true;
    let is_right = match truth {
        ["*"] => !is_certain,
        ["*", among] => !is_certain && all.contains(among),
        [first, ..] => named == *first,
        [] => false,
    };
    (!is_right).then(|| format!("{all:?}, certain: {is_certain}"))
}

#[test]
fn a_delay_that_is_not_logged_is_said_to_be_unknown() {
    for capture in captures().iter().filter(|capture| capture.name == "8.83.26/i-delayed") {
        let [(events, _), _] = both_ways(capture);
        let report = wire::report(wire::inputs(&events, &Classifier::default()), &wire::settings(policy()));
        for incident in report["incidents"].as_array().unwrap() {
            let unknown = incident["diagnosis"]["cannot_tell"].to_string();
            assert!(unknown.contains("delays are not logged"), "{unknown}");
        }
    }
}

/// What is known of a capture `after_ms` after its first line.
fn ledger_after(name: &str, after_ms: i64) -> (Ledger, Timestamp) {
    let capture = captures().into_iter().find(|capture| capture.name == name).unwrap();
    let lines = capture.merged();
    let now_ms = lines[0].0 + after_ms;
    let until: Vec<(i64, String)> = lines.into_iter().filter(|(ms, _)| *ms <= now_ms).collect();
    let events = wire::events("/ecs/app", "ecs/app/1", &until, 1_000);
    let settings = wire::settings(policy());
    let outcome: Outcome = replay(wire::inputs(&events, &Classifier::default()), &settings, |_| ());
    (outcome.store.ledger, Timestamp::from_ms(now_ms))
}

/// Asks why the only queue of a capture is ill at that moment.
fn ask(name: &str, kind: Kind, after_ms: i64) -> Diagnosis {
    let (ledger, now) = ledger_after(name, after_ms);
    let policy = policy();
    let queues = view::read(&ledger, &policy, now, &mut Wake::default());
    let (place, view) = queues.iter().find(|(place, _)| place.queue.is_some()).unwrap();
    let place: QueueRef = place.clone();
    let overdue: Vec<&WaitingJob> = view.waiting.iter().filter(|job| job.overdue_at <= now).collect();
    let jobs = if kind == Kind::Backlog { overdue } else { Vec::new() };
    let incident = Incident::open("one".into(), Key::at(kind, &place), now);
    let resolver = QueueResolver::of(&ledger, &policy);
    let question = Question {
        incident: &incident,
        resolver: &resolver,
        place: &place,
        view,
        jobs: &jobs,
        queues: &queues,
        missing: ledger.missing_lines(now),
        now,
        heard_until: now,
    };
    diagnose(&ledger, &policy, &question)
}

#[test]
fn a_long_job_that_blocks_the_only_worker_is_named() {
    // It starts 1 s into the capture, and blocks until the 26th.
    let found = ask("12.67.0/l-stuck", Kind::Backlog, 20_000);
    assert_eq!((found.cause, found.is_certain), (Cause::BehindLongJob, false), "{:#?}", found.evidence);
}

#[test]
fn used_up_attempts_after_a_kill_leave_open_what_used_them_up() {
    let found = ask("12.67.0/k1-maxattempts-json", Kind::Failing, 14_000);
    assert_eq!((found.cause, found.is_certain), (Cause::FailingFast, false), "{:#?}", found.evidence);
    assert!(found.runners_up.contains(&Cause::JobTimeout));
}

#[test]
fn memory_that_runs_out_again_and_again_is_a_crash_loop() {
    let found = ask("12.67.0/j-memory", Kind::StuckRunning, 60_000);
    assert_eq!(found.cause, Cause::CrashLoop, "{:#?}", found.evidence);
}

#[test]
fn timeouts_of_bracket_lines_are_told_by_kills() {
    let found = ask("8.83.26/f-timeouts", Kind::StuckRunning, 20_000);
    let all: Vec<Cause> = [found.cause].into_iter().chain(found.runners_up).collect();
    assert!(
        all.contains(&Cause::JobTimeout) && all.contains(&Cause::CrashLoop),
        "{all:?} {:#?}",
        found.evidence
    );
}

//! Lost jobs, backlogs, attempts that do not end, refused enqueues, blindness.

use super::*;
use crate::domain::incidents::Blindness;
use crate::domain::incidents::fact::{Finding, Trend, Unknown};

/// A job that another one passed over.
const PASSED_OVER: &str = "100 app queued lost\n200 app queued z\n201 worker start z\n202 worker done z";

#[track_caller]
fn lost(more: &str, expected: &str) {
    check(Kind::Lost, &format!("{PASSED_OVER}\n{more}"), 900, expected);
}

#[test]
fn a_job_that_was_passed_over_is_gone_or_was_processed_unseen() {
    lost("", "logs_not_forwarded, cannot_fetch");
    lost("150 app push Connection refused", "cannot_fetch/StoreForgot, logs_not_forwarded");
    lost("150 worker pop Connection lost", "cannot_fetch/StoreForgot, logs_not_forwarded");
    // An app whose password is wrong for a while loses nothing that it has put there.
    lost("150 app push NOAUTH Authentication required.", "cannot_fetch/Unauthorized, logs_not_forwarded");
    lost("50 other raw Queue Worker logs: storage/logs/queue.log", "logs_not_forwarded, cannot_fetch");
    let rows = PASSED_OVER
        .replace("queued lost", "queued 1 default database")
        .replace("queued z", "queued 2 default database");
    let rows =
        rows.replace("start z", "start 2 default database").replace("done z", "done 2 default database");
    let found = World::read(&rows).ask_of(Kind::Lost, (Some("database".into()), Some("default".into())), 900);
    assert_eq!((found.cause, found.runners_up.len()), (Cause::LogsNotForwarded, 0));
    assert!(found.cannot_tell.contains(&Unknown::GoneOrUnseen));
}

#[test]
fn a_backlog_is_slow_unless_something_holds_it_up() {
    let flowing: String = (0..20)
        .map(|n| {
            format!(
                "{0} app queued j{n}\n{1} worker start j{n}\n{2} worker done j{n}\n",
                300 + n,
                600 + n * 20,
                601 + n * 20
            )
        })
        .collect();
    let waiting =
        |every: i64| (0..40).map(|n| format!("{} app queued w{n}\n", 630 + n * every)).collect::<String>();
    let burst = World::read(&format!("{flowing}{}", waiting(1)));
    check_world(&burst, Kind::Backlog, 1_000, "slow_backlog!");
    assert_eq!(burst.ask(Kind::Backlog, 1_000).trend, None, "nothing came for minutes");
    let world = World::read(&format!("{flowing}{}", waiting(9)));
    check_world(&world, Kind::Backlog, 1_000, "slow_backlog!");
    assert_eq!(world.ask(Kind::Backlog, 1_000).trend, Some(Trend::Growing { per_hour: 120 }));
    // One long job, and nothing else started since the oldest that waits was ready.
    let mut world = World::read("300 app queued long\n301 worker start long\n310 app queued w");
    world.policy.job_timeout_ms = Some(3_600_000);
    check_world(&world, Kind::Backlog, 700, "behind_long_job, slow_backlog, worker_silent");
}

#[test]
fn a_backlog_of_jobs_that_fail_is_told_by_their_failures() {
    let failing: String = (0..10)
        .map(|n| {
            format!(
                "{0} app queued f{n}\n{1} worker start f{n}\n{2} worker fail f{n} | E: x\n",
                300 + n,
                600 + n * 20,
                601 + n * 20
            )
        })
        .collect();
    let waiting: String = (0..40).map(|n| format!("{} app queued w{n}\n", 330 + n)).collect();
    check(Kind::Backlog, &format!("{failing}{waiting}"), 1_000, "failing_fast, slow_backlog");
}

#[test]
fn a_backlog_beside_a_busier_queue_may_be_starved() {
    let mine = "300 app queued a\n700 worker start a\n701 worker done a\n310 app queued b";
    let high =
        "690 app queued h high\n695 worker start h high\n696 worker done h high\n697 app queued i high";
    check(Kind::Backlog, &format!("{mine}\n{high}"), 1_000, "slow_backlog, queue_not_consumed");
}

#[test]
fn an_attempt_that_does_not_end_hangs_or_its_worker_died() {
    // Its stream is heard.
    let heard = "100 worker start x\n150 worker raw memory: 12 MB";
    check(Kind::StuckRunning, heard, 600, "job_timeout, logs_not_forwarded");
    check(Kind::StuckRunning, "100 worker start x", 600, "worker_silent, job_timeout, logs_not_forwarded");
    // Others go on: what one attempt holds up is one worker, and nothing else says that it is gone.
    let beside = "100 worker start x\n400 app queued y\n401 second start y\n402 second done y";
    check(Kind::StuckRunning, beside, 600, "job_timeout, worker_silent, logs_not_forwarded");
    let exit = "100 worker start x\n101 worker raw worker exited with code 137\n300 worker start x\n301 worker raw worker exited with code 137\n500 worker start x";
    check(Kind::StuckRunning, exit, 560, "crash_loop, job_timeout, worker_silent");
}

#[test]
fn a_retry_period_shorter_than_the_timeout_may_run_a_job_twice() {
    let world =
        World::read("100 worker start x\n190 worker start x\n280 worker start x\n281 worker raw noise");
    check_world(&world, Kind::StuckRunning, 600, "job_timeout, crash_loop, logs_not_forwarded");
    let found = world.ask(Kind::StuckRunning, 600);
    let every =
        |fact: &Fact| fact.what == Finding::RetriedEvery { every_ms: 90_000, timeout_ms: Some(120_000) };
    assert!(found.evidence.iter().any(every), "{:#?}", found.evidence);
    assert!(found.cannot_tell.contains(&Unknown::RanTwice));
}

#[test]
fn a_refused_enqueue_is_certain_and_its_words_tell_more() {
    for (text, sub_cause) in [
        ("Connection refused", "Refused"),
        ("Operation timed out", "TimedOut"),
        ("WRONGPASS invalid", "Unauthorized"),
    ] {
        let errors: String = [500, 510, 520].iter().map(|s| format!("{s} app push {text}\n")).collect();
        let world = World::read(&errors);
        let found = world.ask_of(Kind::EnqueueErrors, (None, None), 540);
        assert_eq!((found.cause, found.is_certain), (Cause::EnqueueErrors, true));
        assert_eq!(format!("{:?}", found.sub_cause.unwrap()), sub_cause);
        assert!(matches!(found.evidence[1].what, Finding::StoreErrors { who: Who::App, count: 3, .. }));
    }
}

#[test]
fn blindness_is_ours_unless_every_line_is_missing() {
    let ask = |reason, lines: &str, now_s| {
        let mut world = World::read(lines);
        world.reason = Some(reason);
        if reason == Blindness::Rejected {
            world.ledger.reject("not_json", world::second(now_s));
        }
        let found = world.ask_of(Kind::Blind, (None, None), now_s);
        (found.cause, found.is_certain, found.runners_up)
    };
    let worker = "10 worker start z\n11 worker done z";
    assert_eq!(ask(Blindness::NoEnqueueLines, worker, 2_000), (Cause::MonitorBlind, true, vec![]));
    assert_eq!(ask(Blindness::Rejected, worker, 2_000), (Cause::MonitorBlind, true, vec![]));
    assert_eq!(ask(Blindness::Late, worker, 2_000), (Cause::MonitorBlind, true, vec![]));
    let chatter: String = (0..25).map(|n| format!("{} app raw GET /health {n}\n", n * 20)).collect();
    let silent = ask(Blindness::SourceSilent, &chatter, 4_000);
    assert_eq!(silent, (Cause::LogPathDown, false, vec![Cause::MonitorBlind]));
}

#[test]
fn what_changed_within_the_hour_is_told() {
    let lines = "100 app raw    INFO  Broadcasting queue restart signal.  \n4000 w raw Starting queue worker\n4100 app raw    INFO  Broadcasting queue restart signal.  \n4200 app queued a";
    let found = World::read(lines).ask(Kind::Stalled, 4_600);
    let told: Vec<_> = found.changes.iter().map(|fact| (&fact.what, fact.at)).collect();
    let boot = Finding::Booted { stream: "w".into() };
    assert_eq!(told, [(&Finding::Deployed, Some(world::second(4_100))), (&boot, Some(world::second(4_000)))]);
}

#[test]
fn a_diagnosis_survives_a_checkpoint() {
    let found = World::read("5 app raw Queue Worker logs: storage/logs/queue.log\n600 app queued a")
        .ask(Kind::Stalled, 1_200);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), found);
}

#[test]
fn the_order_of_deliveries_changes_nothing() {
    let rows: Vec<&str> = vec![
        "10 worker raw worker exited with code 1",
        "10 worker raw worker exited with code 0",
        "20 worker raw Starting queue worker",
        "300 worker start p",
        "310 worker start q",
        "320 worker start r",
        "600 app queued a",
        "700 worker pop Connection refused",
        "710 app raw    INFO  Broadcasting queue restart signal.  ",
    ];
    let first = World::read(&rows.join("\n")).ask(Kind::Stalled, 1_200);
    for turn in 1..rows.len() {
        let mut turned = rows.clone();
        turned.rotate_left(turn);
        turned.extend_from_slice(&rows[..3]);
        assert_eq!(World::read(&turned.join("\n")).ask(Kind::Stalled, 1_200), first, "turn {turn}");
    }
}

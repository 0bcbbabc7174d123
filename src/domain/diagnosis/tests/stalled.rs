//! Jobs wait and nothing starts: what separates a cause from its neighbours.

use super::super::finding::Finding;
use super::world::second;
use super::*;
use crate::domain::incidents::Register;
use crate::domain::incidents::fact::Unknown;
use crate::domain::metric::{Datum, Dimensions, Metric};
use crate::domain::model::policy::QueuePolicy;
use crate::domain::sweep::{Horizon, plan_sweep};

/// A job that has waited for ten minutes.
const WAITS: &str = "600 app queued a";
const NOW: i64 = 1_200;

#[track_caller]
fn stalled(before: &str, after: &str, expected: &str) {
    check(Kind::Stalled, &format!("{before}\n{WAITS}\n{after}"), NOW, expected);
}

const WORKED: &str = "10 app queued z\n11 worker start z\n12 worker done z";

#[test]
fn silence_names_what_it_leaves_open() {
    stalled("", "", "never_observed, logs_not_forwarded");
    stalled(
        "5 worker raw [Entrypoint] Queue Worker started with PID: 70",
        "",
        "never_observed, worker_silent, logs_not_forwarded",
    );
    stalled(WORKED, "", "worker_silent, logs_not_forwarded");
}

#[test]
fn a_file_that_output_goes_to_hides_everything_until_lines_come_all_the_same() {
    let hint = "raw [Entrypoint] Queue Worker logs: storage/logs/queue-20260105.log";
    let boot = "raw [Entrypoint] Queue Worker started with PID: 70";
    let hidden = "logs_not_forwarded, worker_silent, failing_fast";
    stalled(&format!("5 app {boot}\n5 app {hint}"), "", hidden);
    // A deploy that began to write into a file.
    stalled(&format!("{WORKED}\n500 worker {hint}"), "", hidden);
    // Lines of the same stream came after it: the output goes to both.
    stalled(&format!("5 worker {hint}\n{WORKED}"), "", "worker_silent, logs_not_forwarded");
    // Another container's hint, and this worker was heard since.
    stalled(&format!("5 app {hint}\n{WORKED}"), "", "logs_not_forwarded, worker_silent, failing_fast");
}

#[test]
fn the_file_and_what_is_in_it_are_told() {
    let hint = "5 app raw [Entrypoint] Queue Worker logs: storage/logs/queue-20260105.log";
    let found = World::read(&format!("{hint}\n{WAITS}")).ask(Kind::Stalled, NOW);
    assert!(
        matches!(&found.evidence[0].what, Finding::LogFile { file, .. } if &**file == "storage/logs/queue-20260105.log")
    );
    assert_eq!(found.cannot_tell[0], Unknown::FileContent);
    assert_eq!(found.commands[0].command, "tail -n 100 storage/logs/queue-20260105.log");
}

#[test]
fn last_words_and_ceased_heartbeats_say_more_than_silence() {
    let found = World::read(&format!("{WORKED}\n20 worker raw worker exited with code 137\n{WAITS}"));
    check_world(&found, Kind::Stalled, NOW, "worker_silent, logs_not_forwarded");
    let evidence = found.ask(Kind::Stalled, NOW).evidence;
    assert!(
        matches!(&evidence[0].what, Finding::WorkerStopped(text) if text.contains("137")),
        "{evidence:#?}"
    );
    stalled("100 worker beat default", "", "worker_silent, never_observed, logs_not_forwarded");
}

#[test]
fn jobs_that_start_elsewhere_show_which_queue_is_left_out() {
    let other = "700 worker queued m mail\n705 worker start m mail\n706 worker done m mail";
    stalled("", other, "queue_not_consumed/WrongQueue, worker_silent, logs_not_forwarded");
    // It was consumed once: its own worker may have died.
    stalled(WORKED, other, "queue_not_consumed, worker_silent, logs_not_forwarded");
    // Shortly before, others had a worker, and this one never did.
    let before = "100 app queued m mail\n105 worker start m mail\n106 worker done m mail";
    stalled(before, "", "queue_not_consumed/WrongQueue, worker_silent, logs_not_forwarded");
    // Where it had one, or others wait in vain as well, that says nothing.
    stalled(
        WORKED,
        "590 worker queued m mail\n591 worker start m mail\n592 worker done m mail",
        "worker_silent, logs_not_forwarded",
    );
    stalled(before, "700 app queued n mail", "worker_silent, logs_not_forwarded");
}

#[test]
fn a_queue_that_comes_first_starves_the_others() {
    let busy =
        "700 app queued m high\n705 worker start m high\n706 worker done m high\n710 app queued n high";
    stalled(WORKED, busy, "queue_not_consumed/Starved, worker_silent, logs_not_forwarded");
}

#[test]
fn another_connection_is_told_from_another_queue() {
    let other = "700 app queued 7 default database\n705 worker start 7 default database\n706 worker done 7 default database";
    stalled("", other, "queue_not_consumed/WrongConnection, worker_silent, logs_not_forwarded");
}

#[test]
fn heartbeats_tell_idle_from_silent() {
    stalled("", "1100 worker beat default", "cannot_fetch, never_observed, worker_silent");
    stalled(WORKED, "1100 worker beat high,default", "cannot_fetch, worker_silent, logs_not_forwarded");
    // Older than the job, though fresh: it had nothing to fetch then.
    check(
        Kind::Stalled,
        "590 worker beat default\n600 app queued a",
        880,
        "never_observed, worker_silent, logs_not_forwarded",
    );
    stalled(
        "",
        "1100 worker beat mail,high",
        "queue_not_consumed/WrongQueue, never_observed, logs_not_forwarded",
    );
    stalled(
        "",
        "1100 worker beat default database",
        "queue_not_consumed/WrongConnection, never_observed, logs_not_forwarded",
    );
    let works =
        "700 app queued m mail\n705 worker start m mail\n706 worker done m mail\n1100 worker beat mail";
    stalled("", works, "queue_not_consumed!/WrongQueue");
}

#[test]
fn a_store_that_refuses_workers_is_certain_while_it_goes_on() {
    let refused = |seconds: &[i64]| {
        seconds.iter().map(|s| format!("{s} worker pop Connection refused\n")).collect::<String>()
    };
    stalled(WORKED, &refused(&[1_000, 1_100, 1_190]), "cannot_fetch!/Refused");
    // Two may be chance, and what is long past may be over.
    stalled(WORKED, &refused(&[1_100, 1_190]), "cannot_fetch/Refused, worker_silent, logs_not_forwarded");
    stalled(WORKED, &refused(&[610, 620, 630]), "cannot_fetch/Refused, worker_silent, logs_not_forwarded");
    // A job started since: they fetch again.
    let again = format!(
        "{}1150 worker queued m mail\n1151 worker start m mail\n1152 worker done m mail",
        refused(&[610, 620, 630])
    );
    stalled(WORKED, &again, "queue_not_consumed, worker_silent, logs_not_forwarded");
}

#[test]
fn a_store_that_came_back_may_have_lost_what_it_held() {
    let down = "610 app push Connection refused\n620 worker pop Connection refused";
    let again = "640 app queued y\n641 worker start y\n642 worker done y";
    // The first was passed over; the second waits behind it.
    let lost = "650 app queued b";
    check(
        Kind::Stalled,
        &format!("{WORKED}\n600 app queued a\n{down}\n{lost}\n{again}"),
        NOW,
        "worker_silent, logs_not_forwarded",
    );
    let world = World::read(&format!(
        "{WORKED}\n605 app queued a\n{down}\n604 app queued y\n641 worker start y\n642 worker done y"
    ));
    check_world(&world, Kind::Stalled, NOW, "cannot_fetch/StoreForgot, worker_silent, logs_not_forwarded");
}

#[test]
fn each_refusal_is_told_by_its_words() {
    for (text, sub_cause) in [
        ("Operation timed out", "TimedOut"),
        ("NOAUTH Authentication required.", "Unauthorized"),
        ("php_network_getaddresses: getaddrinfo for cache failed", "HostUnknown"),
        ("MOVED 866 10.0.0.1:6379", "ClusterMoved"),
        ("READONLY You can't write against a read only replica.", "ReadOnly"),
        ("Redis server 127.0.0.1:6410 went away", "ConnectionLost"),
    ] {
        let errors: String =
            [1_000, 1_100, 1_190].iter().map(|s| format!("{s} worker pop {text}\n")).collect();
        stalled(WORKED, &errors, &format!("cannot_fetch!/{sub_cause}"));
    }
    // Words that nobody knows leave something open.
    let odd: String =
        [1_000, 1_100, 1_190].iter().map(|s| format!("{s} worker pop protocol error\n")).collect();
    stalled(WORKED, &odd, "cannot_fetch, worker_silent, logs_not_forwarded");
}

#[test]
fn an_error_whose_side_nobody_shows_is_a_hint() {
    let errors: String =
        [1_000, 1_100, 1_190].iter().map(|s| format!("{s} worker redis Connection refused\n")).collect();
    stalled(WORKED, &errors, "cannot_fetch/Refused, worker_silent, logs_not_forwarded");
    let found = World::read(&format!("{WORKED}\n{WAITS}\n{errors}")).ask(Kind::Stalled, NOW);
    assert!(found.cannot_tell.contains(&Unknown::WhoMetIt));
}

#[test]
fn a_pause_is_certain_until_a_line_ends_it() {
    stalled(WORKED, "700 worker raw Queue default PAUSED", "paused!");
    let paused = "   INFO  Job processing on queue [redis:default] has been paused.  ";
    stalled(&format!("{WORKED}\n500 app raw {paused}"), "", "paused!");
    let resumed = "   INFO  Job processing on queue [redis:default] has been resumed.  ";
    stalled(
        &format!("{WORKED}\n500 app raw {paused}\n550 app raw {resumed}"),
        "",
        "worker_silent, logs_not_forwarded",
    );
    // Another queue's.
    let other = "   INFO  Job processing on queue [redis:mail] has been paused.  ";
    stalled(&format!("{WORKED}\n500 app raw {other}"), "", "worker_silent, logs_not_forwarded");
    // A job started since: whatever the line said, it is over.
    let after = "510 worker queued y\n520 worker start y\n521 worker done y";
    stalled(&format!("{WORKED}\n500 app raw {paused}\n{after}"), "", "worker_silent, logs_not_forwarded");
    let down = "   INFO  Application is now in maintenance mode.  ";
    stalled(
        &format!("{WORKED}\n500 app raw {down}"),
        "",
        "paused/Maintenance, worker_silent, logs_not_forwarded",
    );
}

#[test]
fn where_two_causes_are_certain_none_is() {
    let paused = "   INFO  Job processing on queue [redis:default] has been paused.  ";
    let refused: String =
        [1_000, 1_100, 1_190].iter().map(|s| format!("{s} worker pop Connection refused\n")).collect();
    stalled(&format!("{WORKED}\n500 app raw {paused}"), &refused, "paused, cannot_fetch, worker_silent");
}

#[test]
fn boots_of_one_stream_are_a_crash_loop() {
    let boot = "raw [Entrypoint] Queue Worker started with PID: 70";
    let boots = |stream: &str, seconds: &[i64]| {
        seconds.iter().map(|s| format!("{s} {stream} {boot}\n")).collect::<String>()
    };
    stalled(WORKED, &boots("worker", &[700, 900, 1_100]), "crash_loop, worker_silent, logs_not_forwarded");
    stalled(WORKED, &boots("worker", &[700, 900]), "worker_silent, logs_not_forwarded");
    stalled(WORKED, &boots("worker", &[100, 800, 1_100]), "worker_silent, logs_not_forwarded");
    // A rollout: each container boots once.
    let rollout = format!("{}{}{}", boots("w1", &[700]), boots("w2", &[710]), boots("w3", &[720]));
    stalled(WORKED, &rollout, "worker_silent, logs_not_forwarded");
    // The lines of one boot.
    let one = format!(
        "700 worker {boot}\n701 worker raw Starting queue worker...\n702 worker raw Starting horizon"
    );
    stalled(WORKED, &one, "worker_silent, logs_not_forwarded");
}

#[test]
fn kills_lost_jobs_and_starts_without_an_end_are_a_crash_loop() {
    let killed = "raw /bin/bash: line 1:  6258 Killed                  php artisan queue:work --sleep=1";
    let kills =
        |seconds: &[i64]| seconds.iter().map(|s| format!("{s} worker {killed}\n")).collect::<String>();
    stalled(WORKED, &kills(&[700, 800, 900]), "crash_loop, worker_silent, logs_not_forwarded");
    stalled(WORKED, &kills(&[700, 900]), "worker_silent, logs_not_forwarded");
    // The same job starts for the third time.
    let lost =
        "100 app queued x\n110 worker start x\n300 worker start x\n500 worker start x\n510 worker done x";
    stalled(lost, "", "crash_loop, worker_silent, logs_not_forwarded");
    // Lost once, it may be a deploy.
    let once = "100 app queued x\n300 worker start x\n500 worker start x\n510 worker done x";
    stalled(once, "", "worker_silent, logs_not_forwarded");
    let open = "300 worker start p\n310 worker start q\n320 worker start r";
    stalled(open, "", "crash_loop, worker_silent, behind_long_job");
    // One of them ended well since the oldest started.
    stalled(
        &format!("{open}\n330 worker done q\n335 worker start s"),
        "",
        "worker_silent, behind_long_job, logs_not_forwarded",
    );
    // Attempts that end in nothing, and workers that die: the lines leave nothing else.
    stalled(open, &kills(&[700, 800, 900]), "crash_loop!");
}

#[test]
fn a_worker_that_dies_at_its_start_says_so() {
    let console = |s: i64| format!("{s} worker console The \"stop-when-empty-for\" option does not exist.");
    let memory = |s: i64| {
        format!("{s} worker raw PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried)")
    };
    let thrice = |line: &dyn Fn(i64) -> String| [700, 800, 900].map(line).join("\n");
    stalled("", &thrice(&console), "crash_loop!/DiesAtStart");
    stalled("", &console(700), "never_observed, logs_not_forwarded");
    stalled(WORKED, &thrice(&memory), "crash_loop!/OutOfMemory");
    stalled(WORKED, &memory(700), "worker_silent, logs_not_forwarded");
}

#[test]
fn an_attempt_that_goes_on_may_hold_the_worker_or_have_killed_it() {
    stalled("500 worker start x", "", "worker_silent, behind_long_job, logs_not_forwarded");
}

#[test]
fn what_only_failed_before_may_fail_on_unseen() {
    let failed: String = (0..5)
        .map(|n| format!("{} worker start f{n}\n{} worker fail f{n} | E: x\n", 400 + n, 401 + n))
        .collect();
    stalled(&failed, "", "worker_silent, logs_not_forwarded, failing_fast");
}

#[test]
fn what_we_do_not_get_to_see_comes_first() {
    let mut world = World::read(&format!("{WORKED}\n{WAITS}"));
    for _ in 0..3 {
        world.ledger.reject("not_gzip", world::second(1_190));
    }
    // Those tell of nothing but themselves.
    check_world(&world, Kind::Stalled, NOW, "worker_silent, logs_not_forwarded");
    let mut world = World::read(&format!("{WORKED}\n{WAITS}"));
    world.ledger.deliveries.opened(world::second(1_190), Some(700_000));
    check_world(&world, Kind::Stalled, NOW, "monitor_blind, logs_not_forwarded, worker_silent");
}

#[test]
fn where_nothing_is_heard_from_anywhere_it_is_the_way_of_the_lines() {
    let chatter: String = (0..25).map(|n| format!("{} app raw GET /health {n}\n", n * 20)).collect();
    let world = World::read(&format!("{chatter}{WORKED}\n{WAITS}"));
    check_world(&world, Kind::Stalled, 600 + 1_799, "worker_silent, logs_not_forwarded");
    check_world(&world, Kind::Stalled, 600 + 1_801, "worker_silent, logs_not_forwarded");
    let one = World::read(&format!("{chatter}{WAITS}"));
    check_world(&one, Kind::Stalled, 600 + 1_801, "log_path_down, never_observed, logs_not_forwarded");
}

#[test]
fn expected_workers_that_are_not_heard_are_told_and_measured() {
    for (beat_s, alive) in [(1_100, 1), (100, 0)] {
        let mut world = World::read(&format!("{WORKED}\n{WAITS}\n{beat_s} worker beat default"));
        let queue = QueuePolicy { name: "default".into(), grace_ms: None, expect_workers: Some(2) };
        world.policy.queues.push(queue);
        let found = world.ask(Kind::Stalled, NOW);
        let expected = Finding::WorkersExpected { alive, expected: 2 };
        assert!(found.evidence.iter().any(|fact| fact.what == expected), "{:#?}", found.evidence);
        let horizon = Horizon { now: second(NOW), last_delivery: None };
        let plan = plan_sweep(&world.ledger, &Register::default(), &world.policy, horizon);
        let of_queue = |datum: &&Datum| {
            datum.metric == Metric::WorkersAlive && datum.dimensions == Dimensions::Queue("default".into())
        };
        let measured: Vec<_> =
            plan.gauges.iter().filter(of_queue).map(|datum| datum.values.clone()).collect();
        assert_eq!(measured, [[(i64::try_from(alive).unwrap(), 1)].into()]);
    }
}

//! One small world of lines a row, and what one detector makes of it: no sweep, no other detector.

use super::*;
use crate::domain::diagnosis::tests::world::{World as Lines, second};
use crate::domain::incidents::cases::Change;
use crate::domain::incidents::{Kind, Stall};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::{Learned, World};
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::view::{self, QueueView};
use crate::domain::visibility;
use crate::domain::visibility::coverage::Coverage;

fn redis_default() -> QueueRef {
    (Some("redis".into()), Some("default".into())).into()
}

/// What a kind's detector makes of lines at `now_s`, after `past`: `open 2`, `keep 1`, `resolve 0` (jobs it holds now).
fn judged(lines: &str, now_s: i64, kind: Kind, past: Option<&Incident>) -> String {
    let lines = Lines::read(lines);
    let (ledger, policy, now) = (&lines.ledger, &lines.policy, second(now_s));
    let queues = view::read(ledger, policy, now, &mut Wake::default());
    let (resolver, learned) = (QueueResolver::of(ledger, policy), Learned::new());
    let world = World {
        ledger,
        policy,
        resolver: &resolver,
        learned: &learned,
        queues: &queues,
        now,
        last_delivery: None,
    };
    let (at, nothing) = (redis_default(), QueueView::default());
    let place = world.place(&at, queues.get(&at).unwrap_or(&nothing));
    let coverage = Coverage::of(ledger, now);
    let visible = visibility::decide(&place, &coverage, past.filter(|_| kind == Kind::Lost));
    let verdict = match kind {
        Kind::Stalled => stalled::judge(&place, &visible, past, None),
        Kind::Lost => lost::judge(&place, &visible, past, None),
        Kind::Backlog => backlog::judge(&place, &visible, past, None),
        Kind::StuckRunning => stuck::judge(&place, &visible, past),
        Kind::EnqueueErrors => refused::judge(&world, past),
        Kind::Failing | Kind::Blind => unreachable!("judged for the whole app"),
    };
    match verdict.change {
        Change::Nothing => String::new(),
        Change::Open(incident) => format!("open {}", incident.jobs_now),
        Change::Keep { incident, .. } => format!("keep {}", incident.jobs_now),
        Change::Resolve(incident) => format!("resolve {}", incident.jobs_now),
        Change::Amend(incident) | Change::Note(incident) => format!("note {}", incident.jobs_now),
    }
}

#[track_caller]
fn check(kind: Kind, lines: &str, now_s: i64, expected: &str) {
    assert_eq!(judged(lines, now_s, kind, None), expected);
}

/// The same, with an incident of the kind open since second 300.
#[track_caller]
fn check_open(kind: Kind, lines: &str, now_s: i64, expected: &str) {
    let mut past = Incident::open("one".into(), Key::at(kind, &redis_default()), second(300));
    past.jobs_count = 1;
    if kind == Kind::Stalled {
        past.detail =
            Detail::Stalled(Stall { newest_start_at_opening: Some(second(-9)), ..Stall::default() });
    }
    assert_eq!(judged(lines, now_s, kind, Some(&past)), expected);
}

#[test]
fn a_queue_is_stalled_where_a_job_is_overdue_and_nothing_starts() {
    let lines = "0 app queued a";
    check(Kind::Stalled, lines, 299, "");
    check(Kind::Stalled, lines, 300, "open 1");
    let lines = "-20 app queued z\n-9 worker start z\n-8 worker done z\n0 app queued a";
    check(Kind::Stalled, lines, 300, "open 1");
    let lines = "-20 app queued z\n100 worker start z\n101 worker done z\n0 app queued a";
    check(Kind::Stalled, lines, 399, "");
    check(Kind::Stalled, lines, 401, "open 1");
}

#[test]
fn a_job_at_work_is_progress_until_its_timeout() {
    let lines = "-20 app queued z\n299 worker start z\n0 app queued a\n250 app queued b";
    check(Kind::Stalled, lines, 418, "");
    check(Kind::Backlog, lines, 418, "open 1");
    check(Kind::StuckRunning, lines, 418, "");
    check(Kind::StuckRunning, lines, 419, "open 1");
}

#[test]
fn a_stall_is_over_by_a_newer_start_and_not_by_silence() {
    let before = "-20 app queued z\n-9 worker start z\n-8 worker done z\n0 app queued a";
    check_open(Kind::Stalled, before, 900, "keep 1");
    check_open(Kind::Stalled, &format!("{before}\n800 worker start a"), 801, "resolve 0");
    // Another start alone shows only that somebody works; the job that is overdue still waits behind it.
    let other = format!("{before}\n-19 app queued y\n800 worker start y\n801 worker done y");
    check_open(Kind::Stalled, &other, 802, "keep 1");
    check_open(
        Kind::Stalled,
        &format!("{other}\n1099 app queued x\n1099 worker start x"),
        1_100,
        "resolve 0",
    );
}

#[test]
fn a_job_that_was_overtaken_is_lost_and_neither_stalled_nor_a_backlog() {
    let lines = "0 app queued a\n10 app queued b\n20 worker start b\n21 worker done b";
    check(Kind::Lost, lines, 319, "");
    check(Kind::Lost, lines, 320, "open 1");
    check(Kind::Stalled, lines, 400, "");
    check(Kind::Backlog, lines, 400, "");
    check_open(Kind::Lost, &format!("{lines}\n500 worker start a"), 501, "resolve 0");
    // Nobody looks for it for longer than three days.
    check(Kind::Lost, lines, 300 + 3 * 86_400, "resolve 0");
}

#[test]
fn a_backlog_is_calm_for_two_sweeps_before_it_is_over() {
    let lines = "0 app queued a\n600 worker start a\n601 worker done a";
    check_open(Kind::Backlog, lines, 602, "keep 0");
    let mut past = Incident::open("one".into(), Key::at(Kind::Backlog, &redis_default()), second(300));
    let calm = crate::domain::incidents::Delay { calm_since: Some(second(602)), done_in_ms: None };
    past.detail = Detail::Backlog(calm);
    assert_eq!(judged(lines, 662, Kind::Backlog, Some(&past)), "resolve 0");
}

#[test]
fn three_refused_enqueues_are_an_incident_until_one_is_taken_and_none_is_refused() {
    let lines = "0 app push | RedisException: refused\n1 app push | RedisException: refused\n2 app push | RedisException: refused";
    check(Kind::EnqueueErrors, lines, 59, "");
    check(Kind::EnqueueErrors, lines, 60, "open 3");
    check_open(Kind::EnqueueErrors, lines, 303, "keep 3");
    check_open(Kind::EnqueueErrors, &format!("{lines}\n100 app queued a"), 301, "keep 3");
    check_open(Kind::EnqueueErrors, &format!("{lines}\n100 app queued a"), 302, "resolve 3");
}

#[test]
fn an_incident_is_reopened_within_its_grace_unless_somebody_closed_it() {
    let lines = "0 app queued a";
    let stalled = |closed_because: Option<&str>| Incident {
        resolved_at: Some(second(250)),
        closed_because: closed_because.map(str::to_owned),
        ..Incident::open("one".into(), Key::at(Kind::Stalled, &redis_default()), second(-300))
    };
    let opened = |past: &Incident| {
        let opening =
            Opening { past: Some(past), policy: &Policy::default(), now: second(300), last_delivery: None };
        let key = Key::at(Kind::Stalled, &redis_default());
        opening.reopen(key, [].into_iter(), |_| Detail::blank(Kind::Stalled)).id
    };
    assert_eq!(judged(lines, 300, Kind::Stalled, Some(&stalled(None))), "open 1");
    assert_eq!(opened(&stalled(None)), "one");
    assert_ne!(opened(&stalled(Some("by hand"))), "one");
    assert_ne!(opened(&Incident { resolved_at: Some(second(-1)), ..stalled(None) }), "one");
}

#[test]
fn a_store_that_was_away_for_a_moment_pages_nobody() {
    let refused = |from: i64, until: i64| -> String {
        (from..until).step_by(5).map(|at| format!("{at} app push | RedisException: refused\n")).collect()
    };
    let lines = format!("{}21 app queued a", refused(0, 20));
    for now_s in [15, 21, 60, 120, 299] {
        check(Kind::EnqueueErrors, &lines, now_s, "");
    }
    // Half of the enqueues may be taken all the time.
    let lines = format!("{}21 app queued a\n{}62 app queued b", refused(0, 20), refused(40, 61));
    check(Kind::EnqueueErrors, &lines, 63, "open 9");
}

/// The same, after somebody closed an incident of the kind at second 300.
#[track_caller]
fn check_closed(kind: Kind, lines: &str, now_s: i64, expected: &str) {
    let mut past = Incident::open("one".into(), Key::at(kind, &redis_default()), second(100));
    (past.resolved_at, past.closed_because) = (Some(second(300)), Some("by hand".into()));
    assert_eq!(judged(lines, now_s, kind, Some(&past)), expected);
}

#[test]
fn after_a_close_by_hand_nothing_is_told_again() {
    let waits = "-90 app queued a";
    check_closed(Kind::Stalled, waits, 400, "");
    check_closed(Kind::Stalled, &format!("{waits}\n301 app queued b"), 600, "");
    check_closed(Kind::Stalled, &format!("{waits}\n301 app queued b"), 601, "open 2");
    let slow = format!("{waits}\n-91 app queued z\n390 worker start z\n391 worker done z");
    check_closed(Kind::Backlog, &slow, 400, "");
    let refused = |from: i64, until: i64| -> String {
        (from..until).step_by(20).map(|at| format!("{at} app push | RedisException: refused\n")).collect()
    };
    for now_s in [301, 360, 600] {
        check_closed(Kind::EnqueueErrors, &refused(0, 580), now_s, "");
    }
    let again = format!("{}{}", refused(0, 580), refused(900, 980));
    check_closed(Kind::EnqueueErrors, &again, 981, "open 4");
}

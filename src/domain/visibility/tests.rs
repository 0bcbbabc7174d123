//! What is decided of one job, by lines a row.

use super::*;
use crate::domain::diagnosis::tests::world::{World as Lines, second};
use crate::domain::job::DAY_MS;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::place::{Learned, World};
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::view;

/// The presence of job `a`, which may be marked hidden by an earlier sweep.
fn presence(lines: &str, now_s: i64, was_hidden: bool) -> Presence {
    let mut lines = Lines::read(lines);
    let job = |ledger: &crate::domain::ledger::Ledger| {
        let is_it =
            |known: Option<&crate::domain::job::JobUuid>| known.is_some_and(|uuid| uuid.as_str() == "a");
        ledger.jobs().find(|(_, job)| is_it(job.known.uuid())).map(|(ix, _)| ix).unwrap()
    };
    let ix = job(&lines.ledger);
    if was_hidden {
        lines.ledger.mark_hidden(ix);
    }
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
    let at: QueueRef = (Some("redis".into()), Some("default".into())).into();
    let place = world.place(&at, queues.get(&at).unwrap());
    decide(&place, &Coverage::of(ledger, now), None).of(ix)
}

#[track_caller]
fn check(lines: &str, now_s: i64, was_hidden: bool, expected: Presence) {
    assert_eq!(presence(lines, now_s, was_hidden), expected);
}

const OVERTAKEN: &str = "0 app queued a\n10 app queued b\n100 worker start b\n101 worker done b";

#[test]
fn an_overtaken_job_is_delayed_for_its_grace_then_waits_and_after_three_days_is_unknown() {
    let three_days_s = DAY_MS / 1_000 * 3;
    check(OVERTAKEN, 399, false, Presence::Delayed);
    check(OVERTAKEN, 400, false, Presence::Waits);
    check(OVERTAKEN, 299 + three_days_s, false, Presence::Waits);
    check(OVERTAKEN, 300 + three_days_s, false, Presence::Unknown);
}

#[test]
fn what_a_sweep_has_found_hidden_stays_hidden_until_nobody_looks_for_it() {
    check(OVERTAKEN, 399, true, Presence::Hidden);
    check(OVERTAKEN, 400, true, Presence::Hidden);
    check(OVERTAKEN, 300 + DAY_MS / 1_000 * 3, true, Presence::Unknown);
    // A job that nobody overtook is not the question of a silence.
    check("0 app queued a", 400, true, Presence::Waits);
}

#[test]
fn an_attempt_that_does_not_end_runs_until_nobody_looks_for_it() {
    let lines = "0 app queued a\n1 worker start a";
    check(lines, 130, false, Presence::Waits);
    check(lines, 121 + DAY_MS / 1_000 * 3, false, Presence::Unknown);
}

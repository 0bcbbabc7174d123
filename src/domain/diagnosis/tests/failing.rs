//! Jobs do nothing but fail: how, and what is behind it.

use super::*;
use crate::domain::incidents::fact::{Finding, Unknown};

/// Five jobs, each started and failed with `text`.
fn failures(text: &str) -> String {
    (0..5)
        .map(|n| {
            format!(
                "{0} app queued f{n}\n{0} worker start f{n}\n{1} worker fail f{n} | {text}\n",
                500 + n * 10,
                501 + n * 10
            )
        })
        .collect()
}

#[track_caller]
fn failing(lines: &str, expected: &str) {
    check(Kind::Failing, lines, 600, expected);
}

#[test]
fn a_stale_payload_a_missing_setting_and_any_other_exception_are_told_apart() {
    failing(
        &failures(
            "Illuminate\\\\Contracts\\\\Container\\\\BindingResolutionException: Target class [App\\\\Jobs\\\\OpenAIService] does not exist.",
        ),
        "failing_fast!/StalePayload",
    );
    failing(
        &failures("TypeError: Cannot assign null to property App\\\\X::$key of type string"),
        "failing_fast!/MissingConfig",
    );
    failing(&failures("RedisException: Connection refused"), "failing_fast!/Refused");
    failing(&failures("LogicException: Unexpected null in cart #3"), "failing_fast!");
}

#[test]
fn a_timeout_in_its_own_words_is_no_fast_failure() {
    failing(
        &failures("Illuminate\\\\Queue\\\\TimeoutExceededException: App\\\\Jobs\\\\Make has timed out."),
        "job_timeout!",
    );
}

#[test]
fn used_up_attempts_leave_open_what_used_them_up() {
    let text = "Illuminate\\\\Queue\\\\MaxAttemptsExceededException: App\\\\Jobs\\\\Make has been attempted too many times.";
    failing(&failures(text), "failing_fast/MaxAttempts, job_timeout");
    let found = World::read(&failures(text)).ask(Kind::Failing, 600);
    assert!(found.cannot_tell.contains(&Unknown::WhyItDied));
}

#[test]
fn workers_that_die_under_jobs_are_no_failing_jobs() {
    let lost: String = (0..5)
        .map(|n| {
            format!(
                "{} worker start j{n}\n{} worker start j{n}\n{} worker start j{n}\n",
                100 + n,
                250 + n,
                400 + n
            )
        })
        .collect();
    failing(&lost, "crash_loop, job_timeout");
}

#[test]
fn the_exception_stands_first_and_the_runtime_is_told() {
    let found = World::read(&failures("LogicException: Unexpected null in cart #3")).ask(Kind::Failing, 600);
    let what: Vec<_> = found.evidence.iter().map(|fact| &fact.what).collect();
    assert!(matches!(what[0], Finding::BadEnds { bad: 5, of: 5, .. }), "{what:#?}");
    assert!(
        matches!(what[1], Finding::Exception(text) if &**text == "LogicException: Unexpected null in cart #3")
    );
    assert!(matches!(what[2], Finding::BadRuntime(12)));
}

#[test]
fn a_text_fail_may_be_tried_again() {
    let lines: String = (0..10)
        .map(|n| {
            let at = 400 + n * 10;
            format!(
                "{at} worker raw   2026-01-05 12:00:00 App\\Jobs\\Make .......... RUNNING\n{0} worker raw   2026-01-05 12:00:01 App\\Jobs\\Make .......... 12.3ms FAIL\n",
                at + 1
            )
        })
        .collect();
    let mut world = World::read(&lines);
    world.classes.push(r"App\Jobs\Make");
    let found = world.ask(Kind::Failing, 600);
    assert_eq!((found.cause, found.is_certain), (Cause::FailingFast, true));
    assert!(found.cannot_tell.contains(&Unknown::FailOrRetry));
}

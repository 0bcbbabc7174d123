//! Facts in, verdicts out.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::adapters::memory::MemoryTable;
use crate::domain::envelope::Limits;
use crate::domain::job::{HOUR_MS, MINUTE_MS};
use crate::domain::model::policy::Policy;
use crate::domain::systems::Classifier;
use crate::durable::TableLedger;
use crate::pack::{PackLine, PackOptions, pack};
use crate::replay::{Input, Settings, open, replay_over};
use crate::saved::{Saved, SavedBody};

/// 2026-01-05T09:00:10Z.
const BEGIN: Timestamp = Timestamp::from_ms(1_767_603_610_000);

fn enqueue(at: Timestamp, n: u32) -> PackLine {
    let message = format!(
        r#"[2026-01-05 09:00:10] production.INFO: Job queued {{"id":"job{n}","job":"App\\Jobs\\Render","queue":"default","connection":"redis","delay":null}} "#
    );
    PackLine { at, message }
}

/// An attempt of a second: its start and its end.
fn attempt(at: Timestamp, n: u32) -> [PackLine; 2] {
    [("Processing: ", at), ("Processed:  ", at.plus_ms(1_000))].map(|(word, at)| {
        let message = format!("[2026-01-05 09:00:11][job{n}] {word}App\\Jobs\\Render");
        PackLine { at, message }
    })
}

/// What is kept after these lines of one group, and the moment of the last sweep.
fn kept(lines: &[PackLine], settle_ms: i64) -> (Kept, Timestamp) {
    let events = pack(lines, &PackOptions::new("/ecs/shop", "ecs/app/1"));
    let opened = |event: String| -> Vec<Input> {
        let saved = Saved { source: "x".into(), body: SavedBody::Event(event.into_bytes()) };
        open(&saved, &Classifier::default(), &Limits::default())
    };
    let inputs = events.into_iter().flat_map(opened).collect();
    let store = TableLedger::new(MemoryTable::new(), &Policy::default(), "test".to_owned());
    let settings =
        Settings { policy: Policy::default(), settle_ms, keeps_order: false, visits_every_minute: true };
    let outcome = replay_over(store, inputs, &settings, |_| ()).unwrap();
    let look = pin!(outcome.store.read_only(outcome.ends_at));
    let Poll::Ready(Ok(kept)) = look.poll(&mut Context::from_waker(Waker::noop())) else { panic!("memory") };
    (kept, outcome.ends_at)
}

/// A job that was taken, and a stack with nothing wrong at the moment of its last sweep.
fn healthy() -> Facts {
    let [start, end] = attempt(BEGIN.plus_ms(1_000), 1);
    let (kept, now) = kept(&[enqueue(BEGIN, 1), start, end], MINUTE_MS);
    Facts {
        now,
        stack: StackFacts {
            name: "queuewatch".into(),
            region: "eu-west-1".into(),
            status: "UPDATE_COMPLETE".into(),
            app: "app".into(),
            sweep_function: "queuewatch-SweepFunction-1".into(),
        },
        kept: Ok(kept),
        groups: vec![GroupFacts {
            log_group: "/ecs/shop".into(),
            is_subscribed: Ok(true),
            subscribe_command: "aws logs put-subscription-filter".into(),
        }],
        stream: None,
        topics: vec![TopicFacts { name: "mail", arn: "arn:mail".into(), subscribers: Ok((1, 0)) }],
        failed_events: Ok(FailedEventsFacts { count: 0, has_more: false }),
    }
}

/// Checks what is not fine: verdict, subject, and the beginning of the finding.
#[track_caller]
fn check(change: impl FnOnce(&mut Facts), expected: &[(Verdict, &str, &str)]) -> Vec<Check> {
    let mut facts = healthy();
    change(&mut facts);
    let checks = examine(&facts);
    let is_usual = |check: &Check| check.subject == "blind spot" && check.verdict == Verdict::Note;
    let found: Vec<Check> =
        checks.iter().filter(|it| it.verdict != Verdict::Fine && !is_usual(it)).cloned().collect();
    let shown = found.iter().map(|it| (it.verdict, it.subject.as_str(), it.finding.as_str()));
    for (shown, expected) in shown.clone().zip(expected) {
        assert_eq!((shown.0, shown.1), (expected.0, expected.1));
        assert!(shown.2.starts_with(expected.2), "{} does not begin with {}", shown.2, expected.2);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert_eq!(is_wrong(&checks), expected.iter().any(|(verdict, ..)| *verdict == Verdict::Wrong));
    found
}

#[test]
fn a_stack_that_is_well_has_nothing_wrong() {
    check(|_| (), &[]);
    let facts = healthy();
    let text = render(&facts.stack, &examine(&facts));
    assert!(
        text.starts_with("queuewatch in eu-west-1, app app\n\nok     stack          UPDATE_COMPLETE\n"),
        "{text}"
    );
    assert!(text.contains("ok     sweep          0s ago\n"), "{text}");
    assert!(text.ends_with("\nNothing is wrong.\n"), "{text}");
}

#[test]
fn a_sweep_that_is_missing_is_wrong_after_three_minutes() {
    check(|facts| facts.now = facts.now.plus_ms(3 * MINUTE_MS), &[]);
    check(
        |facts| facts.now = facts.now.plus_ms(3 * MINUTE_MS + 1_000),
        &[(Verdict::Wrong, "sweep", "the last was 3m01s ago: nobody watches the queues")],
    );
    check(
        |facts| {
            if let Ok(kept) = &mut facts.kept {
                kept.swept_at = None;
            }
        },
        &[(Verdict::Wrong, "sweep", "none was ever finished")],
    );
    check(
        |facts| facts.kept = Err("DynamoDB's BatchGetItem failed: not there".into()),
        &[(Verdict::Wrong, "table", "DynamoDB's BatchGetItem failed")],
    );
}

#[test]
fn a_message_that_cannot_be_sent_is_wrong() {
    let unsent = |facts: &mut Facts| {
        if let Ok(kept) = &mut facts.kept {
            kept.unsent_count = 2;
        }
    };
    check(unsent, &[(Verdict::Wrong, "messages", "2 messages are written and not sent")]);
}

#[test]
fn a_group_must_be_subscribed_and_heard() {
    let found = check(
        |facts| facts.groups[0].is_subscribed = Ok(false),
        &[(Verdict::Wrong, "filter", "/ecs/shop: no subscription filter")],
    );
    assert_eq!(found[0].remedy.as_deref(), Some("aws logs put-subscription-filter"));
    check(
        |facts| facts.groups[0].is_subscribed = Err("AccessDenied: no".into()),
        &[(Verdict::Wrong, "filter", "/ecs/shop: AccessDenied: no")],
    );
    check(
        |facts| facts.groups[0].log_group = "/ecs/other".into(),
        &[(Verdict::Wrong, "lines", "/ecs/other: no line has come")],
    );
    // Without a habit to go by a silence is no more than worth a word.
    check(
        |facts| {
            facts.now = facts.now.plus_ms(HOUR_MS);
            if let Ok(kept) = &mut facts.kept {
                kept.swept_at = Some(facts.now);
            }
        },
        &[(Verdict::Note, "lines", "/ecs/shop: the newest is 1h0")],
    );
}

#[test]
fn a_group_that_used_to_speak_each_minute_and_does_not_is_wrong() {
    let mut lines: Vec<PackLine> = (0..40)
        .map(|n| PackLine { at: BEGIN.plus_ms(i64::from(n) * MINUTE_MS), message: "GET /".into() })
        .collect();
    lines.push(enqueue(BEGIN, 1));
    lines.extend(attempt(BEGIN.plus_ms(1_000), 1));
    lines.sort_by_key(|line| line.at);
    let (kept, now) = kept(&lines, MINUTE_MS);
    let now = now.plus_ms(31 * MINUTE_MS);
    check(
        |facts| {
            facts.now = now;
            facts.kept = Ok(Kept { swept_at: Some(now), ..kept });
        },
        &[(Verdict::Wrong, "lines", "/ecs/shop: the newest is 3")],
    );
}

#[test]
fn a_stream_must_be_read() {
    let with = |mapping: Result<Option<(&str, &str)>, &str>| {
        let mapping = mapping.map(|it| it.map(|(state, result)| (state.to_owned(), result.to_owned())));
        let mapping = mapping.map_err(ToOwned::to_owned);
        move |facts: &mut Facts| facts.stream = Some(StreamFacts { arn: "arn:s".into(), mapping })
    };
    check(with(Ok(Some(("Enabled", "OK")))), &[]);
    check(with(Ok(Some(("Disabled", "")))), &[(Verdict::Wrong, "stream", "arn:s: Disabled")]);
    check(with(Ok(None)), &[(Verdict::Wrong, "stream", "arn:s: nothing reads it")]);
    check(with(Err("AccessDenied")), &[(Verdict::Wrong, "stream", "AccessDenied")]);
}

#[test]
fn somebody_must_have_said_yes() {
    let with = |subscribers| move |facts: &mut Facts| facts.topics[0].subscribers = subscribers;
    check(with(Ok((2, 1))), &[]);
    check(with(Ok((0, 1))), &[(Verdict::Wrong, "mail", "1 asked, none has confirmed")]);
    let found = check(with(Ok((0, 0))), &[(Verdict::Wrong, "mail", "nobody is subscribed")]);
    assert_eq!(found[0].remedy.as_deref(), Some("arn:mail"));
    check(with(Err("NotFound: no topic".into())), &[(Verdict::Wrong, "mail", "NotFound: no topic")]);
}

#[test]
fn failed_events_and_a_rollback_are_worth_a_word() {
    let with = |count, has_more| {
        move |facts: &mut Facts| facts.failed_events = Ok(FailedEventsFacts { count, has_more })
    };
    let found = check(with(3, false), &[(Verdict::Note, "failed events", "3 deliveries")]);
    assert_eq!(
        found[0].remedy.as_deref(),
        Some("AWS_REGION=eu-west-1 queuewatch redrive --stack queuewatch")
    );
    check(with(1_000, true), &[(Verdict::Note, "failed events", "more than 1000 deliveries")]);
    check(
        |facts| facts.stack.status = "UPDATE_ROLLBACK_COMPLETE".into(),
        &[(Verdict::Note, "stack", "UPDATE_ROLLBACK_COMPLETE")],
    );
}

#[test]
fn an_incident_is_shown_with_what_closes_it_and_a_blind_one_is_wrong() {
    let (stalled, now) = kept(&[enqueue(BEGIN, 1)], 10 * MINUTE_MS);
    let found = check(
        |facts| {
            facts.now = now;
            facts.kept = Ok(stalled);
        },
        &[(
            Verdict::Note,
            "incident",
            "stalled-redis-default-20260105T0906Z since 2026-01-05T09:06:00.000Z, 1 job",
        )],
    );
    let close = found[0].remedy.as_deref().unwrap();
    assert!(
        close.starts_with("aws lambda invoke --region eu-west-1 --function-name queuewatch-SweepFunction-1 ")
    );
    assert!(
        close.contains(r#"'{"close": "stalled-redis-default-20260105T0906Z", "reason": "WHY"}'"#),
        "{close}"
    );

    let later = PackLine { at: BEGIN.plus_ms(32 * MINUTE_MS), message: "GET /".into() };
    let [start, end] = attempt(BEGIN, 1);
    let (blind, now) = kept(&[start, end, later], MINUTE_MS);
    check(
        |facts| {
            facts.now = now;
            facts.kept = Ok(blind);
        },
        &[
            (Verdict::Wrong, "blind spot", "no enqueue line has ever matched in this app"),
            (Verdict::Wrong, "incident", "blind-"),
        ],
    );
}

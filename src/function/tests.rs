//! Invocations over memory.

use std::convert::Infallible;

use serde_json::{Value, json};
use thiserror::Error;

use super::*;
use crate::adapters::memory::{MemoryLedger, RecordedAlarms, RecordedMetrics};
use crate::domain::incidents::Register;
use crate::domain::intake::DeliveryRecord;
use crate::domain::intake::Merged;
use crate::domain::ledger::counting::JobIx;
use crate::domain::metric::Metric;
use crate::domain::outbox::MessageId;
use crate::pack::{PackLine, PackOptions, pack};
use crate::ports::{Commit, Committed, Disposed, Disposition, View};

const NOW: Timestamp = Timestamp::from_ms(1_765_024_270_000);

/// A store that fails at the merge of the given number, and counts what it was asked.
#[derive(Default)]
struct Brittle {
    memory: MemoryLedger,
    merges: usize,
    fails_at: Option<usize>,
    rejected: Vec<(&'static str, u64)>,
}

#[derive(Debug, Error)]
#[error("the store is ill")]
struct Ill;

impl Disposed for Ill {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

fn sure<T>(result: Result<T, Infallible>) -> T {
    let Ok(value) = result;
    value
}

impl LedgerStore for Brittle {
    type Error = Ill;

    async fn merge(&mut self, record: &DeliveryRecord) -> Result<Merged, Ill> {
        self.merges = self.merges.saturating_add(1);
        if self.fails_at == Some(self.merges) {
            return Err(Ill);
        }
        Ok(sure(self.memory.merge(record).await))
    }

    async fn reject(&mut self, reason: &'static str, key: u64, at: Timestamp) -> Result<(), Ill> {
        self.rejected.push((reason, key));
        sure(self.memory.reject(reason, key, at).await);
        Ok(())
    }

    async fn fold(&mut self, now: Timestamp) -> Result<Option<View<'_>>, Ill> {
        Ok(sure(self.memory.fold(now).await))
    }

    async fn confirm(&mut self, jobs: &[JobIx]) -> Result<Option<View<'_>>, Ill> {
        Ok(sure(self.memory.confirm(jobs).await))
    }

    async fn commit(&mut self, commit: Commit) -> Result<Option<Committed>, Ill> {
        Ok(sure(self.memory.commit(commit).await))
    }

    async fn sent(&mut self, messages: &[MessageId]) -> Result<bool, Ill> {
        Ok(sure(self.memory.sent(messages).await))
    }

    async fn finish(&mut self, is_published: bool) -> Result<(), Ill> {
        sure(self.memory.finish(is_published).await);
        Ok(())
    }
}

type World = Outside<Brittle, RecordedMetrics, RecordedAlarms>;

fn world() -> World {
    Outside {
        store: Brittle::default(),
        metrics: RecordedMetrics::default(),
        alarms: RecordedAlarms::default(),
    }
}

fn function(role: Role) -> Function {
    Function {
        role,
        policy: Policy::default(),
        classifier: Classifier::default(),
        limits: Limits::default(),
        own_log_groups: vec!["/aws/lambda/qw-ingest".into(), "/aws/lambda/qw-sweep".into()],
    }
}

/// A subscription's event with one line that tells of a start.
fn event(log_group: &str, stream: &str) -> Value {
    let message = "[2025-12-06 12:31:10][7] Processing: App\\Jobs\\SendMail".to_owned();
    let lines = [PackLine { at: NOW.minus_ms(1_000), message }];
    let packed = pack(&lines, &PackOptions::new(log_group, stream)).remove(0);
    serde_json::from_str(&packed).unwrap()
}

fn kinesis(records: &[(&str, &Value)]) -> Value {
    let records: Vec<Value> = records
        .iter()
        .map(|(sequence, data)| json!({"kinesis": {"sequenceNumber": sequence, "data": data}}))
        .collect();
    json!({"Records": records})
}

fn data(stream: &str) -> Value {
    event("/ecs/shop", stream)["awslogs"]["data"].clone()
}

async fn handle(role: Role, event: &Value, world: &mut World) -> Result<Answer, (String, Disposition)> {
    let payload = event.to_string();
    let result = function(role).handle(payload.as_bytes(), NOW, world).await;
    result.map_err(|error| (error::chain(&error), error.disposition()))
}

fn failures(answer: &Answer) -> Value {
    serde_json::to_value(answer).unwrap()
}

#[tokio::test]
async fn a_delivery_is_taken_in_and_a_second_time_changes_nothing() {
    let mut world = world();
    for _ in 0..2 {
        let answer = handle(Role::Ingest, &event("/ecs/shop", "ecs/app/1"), &mut world).await.unwrap();
        assert_eq!(failures(&answer), Value::Null);
    }
    let tally = &world.store.memory.ledger.tally;
    assert_eq!((tally.lines_classified, tally.counts.processing), (1, 1));
}

#[tokio::test]
async fn the_functions_own_log_groups_are_refused_without_a_trace() {
    let mut world = world();
    for group in ["/aws/lambda/qw-ingest", "/aws/lambda/qw-sweep"] {
        let answer = handle(Role::Ingest, &event(group, "2025/12/06/[1]"), &mut world).await.unwrap();
        assert_eq!(answer, Answer::Done);
        let record = event(group, "x")["awslogs"]["data"].clone();
        let answer = handle(Role::Ingest, &kinesis(&[("1", &record)]), &mut world).await.unwrap();
        assert_eq!(failures(&answer), json!({"batchItemFailures": []}));
    }
    assert_eq!((world.store.merges, world.store.rejected.len()), (0, 0));
    handle(Role::Ingest, &event("/aws/lambda/qw-ingest-2", "x"), &mut world).await.unwrap();
    assert_eq!(world.store.merges, 1, "another stack's function is anybody's");
}

#[tokio::test]
async fn a_payload_that_can_never_work_is_counted_and_given_back() {
    let mut world = world();
    let bad = json!({"awslogs": {"data": "AAAA"}});
    let again = json!({"version": "1.0", "requestPayload": bad, "responsePayload": {}});
    for event in [&bad, &bad, &again] {
        let (error, disposition) = handle(Role::Ingest, event, &mut world).await.unwrap_err();
        assert!(error.starts_with("the payload cannot be opened: not_gzip"), "{error}");
        assert_eq!(disposition, Disposition::Drop);
    }
    let [first, second, third] = world.store.rejected.as_slice() else { panic!("three") };
    assert_eq!((first.0, first, second), ("not_gzip", second, third), "the same bytes have the same key");
}

#[tokio::test]
async fn an_event_that_is_nothing_known_is_counted_and_given_back() {
    let mut world = world();
    let (error, disposition) = handle(Role::Ingest, &json!({"a": 1}), &mut world).await.unwrap_err();
    assert!(error.starts_with("the event cannot be read: none of awslogs"), "{error}");
    assert_eq!((disposition, world.store.rejected.len()), (Disposition::Drop, 1));
    assert_eq!(world.store.rejected[0].0, "no_payload");
}

#[tokio::test]
async fn an_ill_store_is_worth_another_try() {
    let mut world = world();
    world.store.fails_at = Some(1);
    let (error, disposition) = handle(Role::Ingest, &event("/ecs/shop", "s"), &mut world).await.unwrap_err();
    assert_eq!(error, "the ledger's store failed: the store is ill");
    assert_eq!(disposition, Disposition::Retry);
}

#[tokio::test]
async fn of_a_kinesis_batch_the_first_failure_is_named_and_a_bad_record_keeps_nobody_waiting() {
    let mut world = world();
    let (good, bad) = (data("s1"), json!("AAAA"));
    let batch = kinesis(&[("1", &good), ("2", &bad), ("3", &data("s2")), ("4", &json!("!"))]);
    let answer = handle(Role::Ingest, &batch, &mut world).await.unwrap();
    assert_eq!(failures(&answer), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(world.store.memory.ledger.tally.counts.processing, 2);
    let reasons: Vec<&str> = world.store.rejected.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, ["not_gzip", "bad_base64"]);
}

#[tokio::test]
async fn an_ill_store_ends_a_kinesis_batch_where_it_was() {
    let mut world = world();
    world.store.fails_at = Some(2);
    let batch = kinesis(&[("1", &data("s1")), ("2", &data("s2")), ("3", &data("s3"))]);
    let answer = handle(Role::Ingest, &batch, &mut world).await.unwrap();
    assert_eq!(failures(&answer), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    assert_eq!(world.store.merges, 2);
}

#[tokio::test]
async fn a_batch_sent_once_more_by_hand_fails_as_an_error() {
    let mut world = world();
    let batch = kinesis(&[("1", &json!("AAAA"))]);
    let again = json!({"requestPayload": batch});
    let (error, disposition) = handle(Role::Ingest, &again, &mut world).await.unwrap_err();
    assert!(error.starts_with("the payload cannot be opened"), "{error}");
    assert_eq!(disposition, Disposition::Drop);
    let nameless = json!({"Records": [{"kinesis": {"data": "AAAA"}}]});
    assert!(handle(Role::Ingest, &nameless, &mut world).await.is_err());
}

#[tokio::test]
async fn each_role_declines_the_others_events_without_counting_them() {
    let mut world = world();
    let close = json!({"close": "stalled-redis-default-20251206T1237Z"});
    let silence = json!({"silence": {"queue": "reports", "until": "2026-12-01T00:00:00Z"}});
    for (role, event, expected) in [
        (Role::Ingest, json!({"tick": true}), "a tick came to the ingest function"),
        (Role::Ingest, close.clone(), "a command came to the ingest function"),
        (Role::Sweep, event("/ecs/shop", "s"), "log lines came to the sweep function"),
        (Role::Sweep, kinesis(&[("1", &data("s"))]), "log lines came to the sweep function"),
        (Role::Sweep, close, "no incident of this id is open; `queuewatch doctor` lists those that are"),
    ] {
        let error = handle(role, &event, &mut world).await.unwrap_err();
        assert_eq!(error, (expected.to_owned(), Disposition::Drop));
    }
    assert!(handle(Role::Sweep, &silence, &mut world).await.is_ok());
    assert_eq!((world.store.merges, world.store.rejected.len()), (0, 0));
}

#[tokio::test]
async fn a_tick_sweeps() {
    let mut world = world();
    handle(Role::Ingest, &event("/ecs/shop", "ecs/app/1"), &mut world).await.unwrap();
    let answer = handle(Role::Sweep, &json!({"tick": true}), &mut world).await.unwrap();
    assert_eq!((failures(&answer), &answer), (Value::Null, &Answer::Swept));
    let published: Vec<Metric> = world.metrics.rows().map(|(metric, ..)| metric).collect();
    assert!(published.contains(&Metric::SweepHeartbeat) && published.contains(&Metric::Processing));
    let register: &Register = &world.store.memory.register;
    assert_eq!(register.open().count(), 0);
}

#[tokio::test]
async fn lambda_is_told_what_to_do_with_the_event() {
    let result = function(Role::Ingest).handle(b"{}", NOW, &mut world()).await;
    let told = lambda_runtime::Diagnostic::from(result.unwrap_err());
    assert_eq!(told.error_type, "Drop");
    assert!(told.error_message.starts_with("the event cannot be read: "));
}

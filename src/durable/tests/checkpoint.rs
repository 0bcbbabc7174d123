//! The checkpoint: who may write it, what it says when there is too much to say, what it hands on.

use super::*;
use crate::domain::model::channel::Channel;
use crate::durable::DurableError;
use crate::ports::table::{Expected, ItemKey, Listed, Written};
use crate::ports::{Commit, LedgerStore};

const ID: &str = "job00000000000000000000000000001";

/// A table whose acknowledgements of the checkpoint are lost: the client tries again by itself, and is told that
/// somebody else has written.
#[derive(Clone, Debug)]
struct Forgetful(MemoryTable);

impl Table for Forgetful {
    type Error = std::convert::Infallible;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, Self::Error> {
        self.0.get(keys).await
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, Self::Error> {
        let written = self.0.put(item, expected).await?;
        if item.key.partition.starts_with("C#") { self.0.put(item, expected).await } else { Ok(written) }
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), Self::Error> {
        self.0.unmark(key).await
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, Self::Error> {
        self.0.due(partition, from, until, limit).await
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, Self::Error> {
        self.0.range(partition, from, limit).await
    }
}

#[test]
fn a_lost_acknowledgement_of_the_checkpoint_is_not_somebody_else() {
    let table = Forgetful(MemoryTable::new());
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
    let seen = sweep(&table, BEGIN.plus_ms(OVERDUE_MS));
    assert!(seen.is_done);
    assert!(!seen.messages.is_empty(), "the page goes out with the sweep that decided it");
}

#[test]
fn somebody_elses_checkpoint_is_not_taken_for_a_lost_acknowledgement() {
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
    let at = BEGIN.plus_ms(OVERDUE_MS);
    let [mut one, mut other] =
        ["one", "other"].map(|owner| TableLedger::new(table.clone(), &Policy::default(), owner.to_owned()));
    assert!(now(one.fold(at)).unwrap().is_some());
    assert!(now(other.fold(at)).unwrap().is_some(), "nobody holds the lease yet");
    assert!(now(one.commit(Commit::default())).unwrap().is_some());
    assert!(now(other.commit(Commit::default())).unwrap().is_none());
}

#[test]
fn a_full_outbox_lets_go_of_the_oldest() {
    let table = MemoryTable::new();
    let message = |number: usize| OutgoingMessage {
        channel: Channel::Email,
        subject: String::new(),
        body: String::new(),
        incident: "stalled".to_owned(),
        notification: number.to_string(),
        severity: None,
        queue: None,
        labels: std::collections::BTreeMap::new(),
    };
    let mut store = TableLedger::new(table, &Policy::default(), "sweep".to_owned());
    assert!(now(store.fold(BEGIN)).unwrap().is_some());
    let commit = Commit { messages: (0..150).map(message).collect(), ..Commit::default() };
    let committed = now(store.commit(commit)).unwrap().unwrap();
    let kept: Vec<&str> = committed.messages.iter().map(|message| message.notification.as_str()).collect();
    assert_eq!((kept.first(), kept.last(), kept.len()), (Some(&"50"), Some(&"149"), 100));
}

#[test]
fn a_checkpoint_of_a_newer_version_is_left_alone_and_said() {
    let table = MemoryTable::new();
    sweep(&table, BEGIN);
    let item = only(&table, "C#");
    let mut body: serde_json::Value = serde_json::from_str(&item.body).unwrap();
    body["format"] = json!(super::super::FORMAT.saturating_add(1));
    let newer = Item { body: body.to_string(), ..item };
    let Ok(_) = now(table.put(&newer, Expected::Anything));
    let mut store = TableLedger::new(table.clone(), &Policy::default(), "older".to_owned());
    let refused = now(store.fold(BEGIN.plus_ms(MINUTE_MS))).err().unwrap();
    assert!(matches!(refused, DurableError::Newer { .. }), "{refused}");
    assert!(refused.to_string().contains("deploy one version of both functions"), "{refused}");
    assert_eq!(only(&table, "C#"), newer);
    let looked = now(store.read_only(BEGIN.plus_ms(MINUTE_MS))).err().unwrap();
    assert!(matches!(looked, DurableError::Newer { .. }), "{looked}");
}

#[test]
fn a_closed_incident_is_in_the_history_and_not_left_in_the_checkpoint() {
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
    let opened = BEGIN.plus_ms(OVERDUE_MS);
    assert!(!sweep(&table, opened).messages.is_empty());
    assert_eq!(items(&table, "I#").len(), 0);
    merge(&table, &delivery(&[worker(opened.plus_ms(5_000), ID, 1, 1, "starting")]));
    merge(&table, &delivery(&[worker(opened.plus_ms(6_000), ID, 1, 1, "success")]));
    for minutes in 1..=3_i64 {
        sweep(&table, opened.plus_ms(minutes.saturating_mul(MINUTE_MS)));
    }
    let history: serde_json::Value = serde_json::from_str(&only(&table, "I#").body).unwrap();
    assert!(history["resolved_at"].is_i64() || history["resolved_at"].is_string(), "{history}");
    // Words of earlier sweeps are not kept, but for the subjects.
    let said = history["notifications"].as_array().unwrap();
    assert!(
        said.len() == 2 && said.iter().all(|told| told["subject"] != "") && said[1]["body"] != "",
        "{history}"
    );
    let checkpoint: serde_json::Value = serde_json::from_str(&only(&table, "C#").body).unwrap();
    assert_eq!(checkpoint["closed"], json!([]));
}

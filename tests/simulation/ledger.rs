//! What a table holds, read without asking the code that wrote it what it means, but for joining records.

use std::collections::BTreeMap;

use queuewatch::adapters::memory::MemoryTable;
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::ledger::entry::{Entry, entries_of};
use queuewatch::domain::ledger::job_facts::StreamKey;
use queuewatch::domain::ledger::job_key::JobKey;
use queuewatch::domain::ledger::job_record::JobRecord;
use queuewatch::ports::table::Item;
use serde_json::Value;

use crate::story::Story;

/// What a table says of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// By its items and by the delivery that told its whole life.
    pub(crate) record: JobRecord,
    /// Whether sweeps are shown it.
    pub(crate) is_listed: bool,
    /// Whether sweeps are shown it as one that waits.
    pub(crate) is_listed_waiting: bool,
}

impl Found {
    pub(crate) fn state(&self) -> &'static str {
        self.record.state().as_str()
    }

    /// Everything that is known, but for what may differ: when its enqueue arrived, and whether a job that has been
    /// taken seemed passed over, or consumed unseen, before.
    pub(crate) fn value(&self) -> Value {
        let mut record = self.record.clone();
        record.known.arrived_at = None;
        let is_waiting = record.state().is_waiting();
        record.passed_over_at = record.passed_over_at.filter(|_| is_waiting);
        record.is_hidden &= is_waiting;
        serde_json::to_value(record).unwrap()
    }
}

/// What a table says of each job of a story. A job may have an item under its id and one under its uuid.
pub(crate) fn jobs(table: &MemoryTable, story: &Story) -> Vec<Found> {
    let mut found = vec![Found::default(); story.jobs.len()];
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for job in 0..story.jobs.len() {
        let [first, second, uuid] = story.names(job);
        names.extend([(format!("i{first}"), job), (format!("i{second}"), job), (format!("u{uuid}"), job)]);
    }
    for item in table.items() {
        if let Some(job) = item.key.partition.strip_prefix("J#app#").and_then(|key| names.get(key)) {
            let key = item.key.partition.trim_start_matches("J#app#");
            let record = joined(&entry(&JobKey::from_text(key.to_owned()), &item.body));
            let found = &mut found[*job];
            found.is_listed |= item.due.is_some();
            found.is_listed_waiting |= item.due.is_some() && record.state().is_waiting();
            found.record.join(&record);
        } else if item.key.partition.starts_with("D#") {
            for (key, life) in lives(&item) {
                found[names[key.as_str()]].record.join(&joined(&life));
            }
        }
    }
    found
}

/// Lives that one delivery told whole; their jobs have no item of their own.
fn lives(delivery: &Item) -> Vec<(JobKey, Entry)> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap();
    if body["lines"].is_null() {
        return Vec::new();
    }
    let record: DeliveryRecord = serde_json::from_value(body["lines"]["record"].clone()).unwrap();
    let stream = StreamKey::of(&record.log_group, &record.log_stream);
    let jobs = entries_of(record.observations.iter(), stream, record.arrived_at);
    jobs.into_iter().filter(|(_, job)| job.is_whole_life()).collect()
}

/// What an item says under a key.
fn entry(key: &JobKey, body: &str) -> Entry {
    if key.is_row() {
        Entry::Row(serde_json::from_str(body).unwrap())
    } else {
        Entry::Job(serde_json::from_str(body).unwrap())
    }
}

/// All that is said under a key: no story uses the id of a row for two jobs.
fn joined(entry: &Entry) -> JobRecord {
    let mut all = JobRecord::default();
    for job in entry.jobs() {
        all.join(&job);
    }
    all
}

/// What the last sweep left.
pub(crate) fn checkpoint(table: &MemoryTable) -> Option<Value> {
    let item = table.items().find(|item| item.key.partition.starts_with("C#"))?;
    Some(serde_json::from_str(&item.body).unwrap())
}

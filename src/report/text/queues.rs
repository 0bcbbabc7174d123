//! Queue by queue: what became of the jobs, and how long they waited.

use std::collections::BTreeMap;

use super::table::Table;
use crate::domain::job::Timestamp;
use crate::domain::ledger::job_facts::State;
use crate::domain::model::policy::Policy;
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::view::ready_at;
use crate::message::duration;
use crate::replay::Outcome;

#[derive(Default)]
struct Row {
    enqueued: u64,
    started: u64,
    processed: u64,
    failed: u64,
    waiting: u64,
    unknown: u64,
    oldest: Option<Timestamp>,
    waits_ms: Vec<i64>,
}

/// What became of each queue's jobs, a sentence each; those that wait come first.
pub(super) fn sentences(outcome: &Outcome, policy: &Policy) -> Vec<String> {
    let mut rows: Vec<(String, Row)> = rows(outcome, policy).into_iter().collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.waiting));
    let sentence = |(name, row): &(String, Row)| {
        let started = if row.started == 0 { "none".to_owned() } else { row.started.to_string() };
        let mut text = format!("{name}: {} enqueued, {started} started", row.enqueued);
        for (count, what) in [(row.failed, "failed"), (row.unknown, "unknown")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if row.waiting > 0 {
            text.push_str(&format!(", {} waiting at the end", row.waiting));
        }
        if let Some(age_ms) = row.oldest_age_ms(outcome) {
            text.push_str(&format!(", the oldest for {}", duration(age_ms)));
        }
        text
    };
    rows.iter().map(sentence).collect()
}

impl Row {
    fn add(&mut self, mut other: Self) {
        for (mine, others) in [
            (&mut self.enqueued, other.enqueued),
            (&mut self.started, other.started),
            (&mut self.processed, other.processed),
            (&mut self.failed, other.failed),
            (&mut self.waiting, other.waiting),
            (&mut self.unknown, other.unknown),
        ] {
            *mine = mine.saturating_add(others);
        }
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
        self.waits_ms.append(&mut other.waits_ms);
    }

    /// How long the oldest job that waits has been ready.
    fn oldest_age_ms(&self, outcome: &Outcome) -> Option<i64> {
        self.oldest.map(|at| outcome.ends_at.since_ms(at)).filter(|age_ms| *age_ms > 0)
    }
}

fn rows(outcome: &Outcome, policy: &Policy) -> BTreeMap<String, Row> {
    let ledger = &outcome.store.ledger;
    let resolver = QueueResolver::of(ledger, policy);
    // Where jobs are is looked up once for all that have as much in common as decides it: a replay may know a million.
    let mut by_kind: BTreeMap<_, (String, Row)> = BTreeMap::new();
    for (ix, job) in ledger.jobs() {
        let (state, _) = ledger.state(job);
        let (queue, known) = (job.known.queue(), &job.known);
        // Where the line names no queue, the stream of its start may decide: that is the job's own.
        let own = queue.is_none().then_some(ix);
        let kind = (known.class(), queue, known.connection(), known.origin(), own);
        let (_, row) =
            by_kind.entry(kind).or_insert_with(|| (resolver.queue_of_job(ix).to_string(), Row::default()));
        let enqueue = job.known.enqueued;
        row.enqueued = row.enqueued.saturating_add(u64::from(enqueue.is_some()));
        let started_at = ledger.started_at(job).filter(|_| state != State::Pending);
        row.started = row.started.saturating_add(u64::from(started_at.is_some()));
        if let Some((started_at, enqueue)) = started_at.zip(enqueue) {
            row.waits_ms.push(started_at.since_ms(enqueue.ready_at()).max(0));
        }
        let count = match state {
            State::Pending | State::Released => {
                let ready = ready_at(ledger, policy, job);
                row.oldest = [row.oldest, ready].into_iter().flatten().min();
                &mut row.waiting
            }
            State::Processed => &mut row.processed,
            State::Failed => &mut row.failed,
            State::Unknown => &mut row.unknown,
            State::Running => continue,
        };
        *count = count.saturating_add(1);
    }
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (name, row) in by_kind.into_values() {
        rows.entry(name).or_default().add(row);
    }
    rows
}

pub(super) fn table(outcome: &Outcome, policy: &Policy) -> Table {
    let mut table = Table::new(&[
        "queue",
        ">enqueued",
        ">started",
        ">processed",
        ">failed",
        ">waiting",
        ">oldest",
        ">unknown",
        ">wait p50",
        ">wait max",
    ]);
    for (name, mut row) in rows(outcome, policy) {
        row.waits_ms.sort_unstable();
        let wait = |ms: Option<&i64>| ms.map_or_else(|| "-".to_owned(), |ms| precise(*ms));
        let median = row.waits_ms.get(row.waits_ms.len().wrapping_shr(1));
        let oldest = row.oldest_age_ms(outcome);
        table.row(vec![
            name,
            row.enqueued.to_string(),
            row.started.to_string(),
            row.processed.to_string(),
            row.failed.to_string(),
            row.waiting.to_string(),
            oldest.map_or_else(|| "-".to_owned(), duration),
            row.unknown.to_string(),
            wait(median),
            wait(row.waits_ms.last()),
        ]);
    }
    table
}

/// Milliseconds below ten seconds, where they matter.
fn precise(ms: i64) -> String {
    if ms < 10_000 { format!("{ms}ms") } else { duration(ms) }
}

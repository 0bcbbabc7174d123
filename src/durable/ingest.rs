//! What a delivery leaves in the table: its jobs first, then itself.
//!
//! **Invariant:** a delivery's item is written after everything else it says, so whoever finds it knows that the rest
//! is there; and before it is written a repeat does everything once more, to the same end.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::items::{self, is_expired};
use super::jobs::{self, Lookup};
use super::sharing::TableSharing;
use super::{DurableError, WRITES_IN_FLIGHT};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{LineKey, Observation, Timestamp};
use crate::domain::ledger::entry::{Entry, entries_of};
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::job_key::JobKey;
use crate::domain::ledger::job_record::JobRecord;
use crate::domain::ledger::row::RowRecord;
use crate::domain::line::{LineHash, LineStamp};
use crate::ports::table::{Expected, Table, Written};

/// Observations in one item: DynamoDB takes 400 KB, and the longest of them, an error with its text, stays under
/// 800 bytes before it is deflated.
const OBSERVATIONS_MAX: usize = 1_000;

/// A delivery as its item holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stored {
    /// Lines, and what was known beyond them of the jobs they name.
    Lines {
        /// The lines that say something, and the newest one.
        record: Box<DeliveryRecord>,
        /// Jobs of which more was known.
        known: Vec<(JobKey, JobRecord)>,
        /// Rows of which more was known. Format 1 kept them among the jobs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rows: Vec<(JobKey, RowRecord)>,
    },
    /// A payload that could not be opened.
    Rejected {
        /// Why.
        reason: String,
        /// When it came.
        at: Timestamp,
    },
}

impl Stored {
    /// A delivery and what was known beyond it.
    fn lines(record: DeliveryRecord, beyond: Vec<(JobKey, Entry)>) -> Self {
        let (mut known, mut rows) = (Vec::new(), Vec::new());
        for (key, entry) in beyond {
            match entry {
                Entry::Job(job) => known.push((key, *job)),
                Entry::Row(row) => rows.push((key, row)),
            }
        }
        Self::Lines { record: Box::new(record), known, rows }
    }
}

/// What was known beyond a delivery, as its item holds it.
pub(super) fn beyond(
    known: Vec<(JobKey, JobRecord)>,
    rows: Vec<(JobKey, RowRecord)>,
) -> impl Iterator<Item = (JobKey, Entry)> {
    let jobs = known.into_iter().map(|(key, job)| {
        let entry =
            if key.is_row() { Entry::Row(RowRecord::of_joined(job)) } else { Entry::Job(Box::new(job)) };
        (key, entry)
    });
    jobs.chain(rows.into_iter().map(|(key, row)| (key, Entry::Row(row))))
}

/// Cuts a delivery into what fits an item each; none where no line says anything.
pub(super) fn pieces(record: &DeliveryRecord) -> Vec<DeliveryRecord> {
    let mut cuts: Vec<Vec<Observation>> = Vec::new();
    for observation in &record.observations {
        // What one line says stands together.
        let fits = cuts.last().is_some_and(|cut| {
            cut.len() < OBSERVATIONS_MAX || cut.last().is_some_and(|last| last.line == observation.line)
        });
        match cuts.last_mut() {
            Some(cut) if fits => cut.push(observation.clone()),
            _ => cuts.push(vec![observation.clone()]),
        }
    }
    if cuts.is_empty() && !(record.split_traces.is_empty() && record.last_lines.is_empty()) {
        cuts.push(Vec::new());
    }
    let newest = record.newest();
    // Which moment a delivery reaches to is told by a line that says nothing; a line that another piece tells would
    // count as seen there.
    let telling: BTreeSet<LineKey> = record.observations.iter().map(|observation| observation.line).collect();
    let is_mark = |line: &&LineStamp| Some(line.at) == newest && !telling.contains(&line.key);
    let mark = record.lines.iter().find(is_mark).copied();
    let pieces = cuts.into_iter().zip(0_u64..).map(|(observations, number)| {
        let told: BTreeSet<LineKey> = observations.iter().map(|observation| observation.line).collect();
        let key = if number == 0 {
            record.key
        } else {
            LineHash::default().with_key(LineKey(record.key)).with_key(LineKey(number)).finish()
        };
        let mut lines: Vec<LineStamp> =
            record.lines.iter().filter(|line| told.contains(&line.key)).copied().collect();
        if lines.iter().all(|line| Some(line.at) != newest) {
            // Where every such line is told elsewhere, one that nobody has ever read stands for them.
            lines.extend(mark.or(newest.map(|at| LineStamp { key: LineKey(key), at })));
        }
        DeliveryRecord {
            owner: record.owner.clone(),
            app: record.app.clone(),
            log_group: record.log_group.clone(),
            log_stream: record.log_stream.clone(),
            key,
            lines,
            observations,
            split_traces: if number == 0 { record.split_traces.clone() } else { Vec::new() },
            last_lines: if number == 0 { record.last_lines.clone() } else { Vec::new() },
            late: BTreeSet::new(),
            unread: if number == 0 { record.unread.clone() } else { Box::default() },
            arrived_at: record.arrived_at,
        }
    });
    pieces.collect()
}

/// Stores a delivery. `false` where it was there already.
pub(super) async fn store<T: Table>(
    table: &T,
    app: &str,
    record: DeliveryRecord,
    sharing: TableSharing,
) -> Result<bool, DurableError<T::Error>> {
    let now = record.arrived_at;
    let stream = StreamKey::of(&record.log_group, &record.log_stream);
    let key = items::delivery_key(stream, &record);
    let before = table.get(std::slice::from_ref(&key)).await?.pop().flatten();
    if before.as_ref().is_some_and(|item| !is_expired(item.expires_at, now)) {
        return Ok(false);
    }
    let known = join_jobs(table, app, &record, stream, sharing).await?;
    let newest = record.newest().unwrap_or(now);
    let due = items::delivery_due(record.key, now);
    let expires_at = items::delivery_expires_at(newest, now, sharing);
    let body = items::written(&key, &Stored::lines(record, known))?;
    let expected = before.as_ref().map_or(Expected::Nothing, |item| Expected::Version(item.version));
    let item = items::item(key, before.as_ref(), Some(due), Some(expires_at), body);
    Ok(table.put(&item, expected).await? == Written::Done)
}

/// Joins what the lines say of their jobs to the jobs' items, and answers what else was known of each.
async fn join_jobs<T: Table>(
    table: &T,
    app: &str,
    record: &DeliveryRecord,
    stream: StreamKey,
    sharing: TableSharing,
) -> Result<Vec<(JobKey, Entry)>, DurableError<T::Error>> {
    let now = record.arrived_at;
    let mut fresh = entries_of(record.observations.iter(), stream, now);
    // A life told whole needs no item: nobody will ask for it, and the delivery says that it was lived.
    fresh.retain(|_, job| !job.is_whole_life());
    // A job that is only enqueued is mostly new; what is said of any other is mostly a part.
    let told: Vec<&JobKey> =
        fresh.iter().filter(|(_, entry)| !entry.is_only_enqueued()).map(|(key, _)| key).collect();
    let keys: Vec<_> = told.iter().map(|job| items::job_key(app, job)).collect();
    let found = if keys.is_empty() { Vec::new() } else { table.get(&keys).await? };
    let mut lookups: std::collections::BTreeMap<JobKey, Lookup> =
        told.into_iter().cloned().zip(found.into_iter().map(Lookup::Read)).collect();
    let work: Vec<(JobKey, Entry, Lookup)> = fresh
        .into_iter()
        .map(|(key, job)| {
            let lookup = lookups.remove(&key).unwrap_or(Lookup::Unread);
            (key, job, lookup)
        })
        .collect();
    let joined = stream::iter(work)
        .map(|(key, job, lookup)| async move {
            let (joined, was_known) = jobs::join(table, app, &key, &job, lookup, now, sharing).await?;
            Ok::<_, DurableError<T::Error>>((was_known && joined != job).then_some((key, joined)))
        })
        .buffer_unordered(WRITES_IN_FLIGHT);
    let mut known: Vec<(JobKey, Entry)> =
        joined.try_filter_map(|known| async move { Ok(known) }).try_collect().await?;
    known.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(known)
}

/// Stores that a payload could not be opened, once for the same bytes.
pub(super) async fn reject<T: Table>(
    table: &T,
    reason: &'static str,
    hash: u64,
    at: Timestamp,
    sharing: TableSharing,
) -> Result<(), DurableError<T::Error>> {
    let key = items::rejected_key(hash);
    let body = items::written(&key, &Stored::Rejected { reason: reason.to_owned(), at })?;
    let expires_at = items::delivery_expires_at(at, at, sharing);
    let item = items::item(key, None, Some(items::delivery_due(hash, at)), Some(expires_at), body);
    table.put(&item, Expected::Nothing).await?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;
    use crate::domain::envelope::Line;
    use crate::domain::job::{TracePart, TraceSide};
    use crate::domain::reading::read_lines;
    use crate::domain::systems::Classifier;

    /// A delivery of starts, stamped as `stamp` says of each.
    fn delivery(count: usize, stamp: impl Fn(usize) -> i64) -> DeliveryRecord {
        let ids: Vec<(String, String)> = (0..count)
            .map(|n| {
                (format!("{n:056}"), format!("  2026-01-05 09:00:00 App\\Jobs\\Mail job{n:029} ... RUNNING"))
            })
            .collect();
        let at = |n: usize| Timestamp::from_ms(1_767_603_600_000 + stamp(n));
        let lines = ids.iter().enumerate().map(|(n, (id, message))| Line { id, at: at(n), message });
        *read_lines("g", "s", lines, &Classifier::default())
    }

    #[track_caller]
    fn check(record: &DeliveryRecord, expected: usize) {
        let pieces = pieces(record);
        assert_eq!(pieces.len(), expected);
        let mut told = BTreeSet::new();
        for piece in &pieces {
            assert_eq!(piece.newest(), record.newest(), "all lie where the delivery lies");
            let lines: BTreeSet<LineKey> = piece.lines.iter().map(|line| line.key).collect();
            let own: BTreeSet<LineKey> = piece.observations.iter().map(|it| it.line).collect();
            assert!(own.is_subset(&lines));
            assert!(lines.is_disjoint(&told), "no line is in two pieces");
            assert!(lines.len() <= own.len() + 1, "one mark at most");
            told.extend(own);
        }
        assert_eq!(told.len(), record.observations.len());
    }

    #[test]
    fn no_piece_of_a_delivery_takes_a_line_that_another_one_tells() {
        check(&delivery(1, |_| 0), 1);
        check(&delivery(2_500, |n| n as i64), 3);
        // As where lines are read together: all are the newest.
        check(&delivery(2_500, |_| 0), 3);
        check(&delivery(2_500, |n| -(n as i64)), 3);
    }

    #[test]
    fn what_is_not_of_one_line_is_in_one_piece_only() {
        let mut record = delivery(2_500, |n| n as i64);
        let at = Timestamp::from_ms(1_767_603_600_000);
        record.split_traces = vec![TracePart::Tail(at, TraceSide::Push)];
        record.last_lines = vec![(at, "Killed".into())];
        let pieces = pieces(&record);
        let traces: Vec<usize> = pieces.iter().map(|piece| piece.split_traces.len()).collect();
        let last_lines: Vec<usize> = pieces.iter().map(|piece| piece.last_lines.len()).collect();
        assert_eq!((traces, last_lines), (vec![1, 0, 0], vec![1, 0, 0]));
    }
}

//! The items of the table: their keys, how long they live, how they are written down.
//!
//! | item | partition, sort | what |
//! |---|---|---|
//! | job | `J#<app>#<key>`, `-` | what is known of one job; due while it waits or runs |
//! | delivery | `D#<stream>`, `<newest ms>#<hash>` | what one payload says; due until a sweep has folded it |
//! | checkpoint | `C#<app>`, `-` | everything else, and what is being said |
//! | freshness | `H#<app>`, `<group>#<container>` | when a log group was last heard, and how much |
//! | history | `I#<app>`, `<opened>#<id>` | a closed incident |

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DurableError;
use super::sharing::TableSharing;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{DAY_MS, Timestamp};
use crate::domain::ledger::entry::Entry;
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::job_key::JobKey;
use crate::ports::Disposed;
use crate::ports::table::{Due, Item, ItemKey};

/// Partitions of the index that jobs are spread over: one takes 1,000 writes a second.
pub(super) const JOB_PARTITIONS: u64 = 16;
/// Partitions of the index that deliveries are spread over.
pub(super) const DELIVERY_PARTITIONS: u64 = 4;
/// How long an open job is kept after the last thing that is known or expected of it.
const OPEN_JOB_KEPT_MS: i64 = 14 * DAY_MS;
/// How long freshness is kept after a container fell silent.
const FRESHNESS_KEPT_MS: i64 = DAY_MS;
/// How long a closed incident is kept.
const HISTORY_KEPT_MS: i64 = 90 * DAY_MS;
/// The sort key of an item that is alone in its partition.
const ALONE: &str = "-";

fn key(partition: String, sort: impl Into<String>) -> ItemKey {
    ItemKey { partition, sort: sort.into() }
}

/// A moment so that texts sort as moments do: 13 digits, which last until the year 2286.
pub(super) fn sortable(at: Timestamp) -> String {
    format!("{:013}", at.as_ms().clamp(0, 9_999_999_999_999))
}

/// Whose checkpoint lies there.
pub(super) fn checkpoint_of(item: &ItemKey) -> Option<&str> {
    item.partition.strip_prefix("C#")
}

/// Where a job lies.
pub(super) fn job_key(app: &str, job: &JobKey) -> ItemKey {
    key(format!("J#{app}#{}", job.as_str()), ALONE)
}

/// Which job lies there.
pub(super) fn job_of(app: &str, item: &ItemKey) -> Option<JobKey> {
    let job = item.partition.strip_prefix("J#")?.strip_prefix(app)?.strip_prefix('#')?;
    Some(JobKey::from_text(job.to_owned()))
}

/// The index's partition of a job.
pub(super) fn job_partition(number: u64) -> String {
    format!("o{number}")
}

/// A job's place in the index: by when it was ready. It stays where it is while the job is open, as every move
/// would be two writes.
pub(super) fn job_due(job: &JobKey, entry: &Entry) -> Due {
    let ready_at = entry.ready_at().unwrap_or_default();
    Due {
        partition: job_partition(job.hash().0.checked_rem(JOB_PARTITIONS).unwrap_or(0)),
        order: format!("{}#{}", sortable(ready_at), job.as_str()),
        shows_body: true,
    }
}

/// When a job may be forgotten. One that waits is kept from when it was read, however old its lines are: forgotten at once,
/// as an old log is read from its beginning, it would look as if it waited no more.
pub(super) fn job_expires_at(entry: &Entry, now: Timestamp, sharing: TableSharing) -> Option<Timestamp> {
    let newest = entry.newest()?;
    Some(match entry.is_open() {
        true => newest.max(now).plus_ms(OPEN_JOB_KEPT_MS),
        false => newest.plus_ms(sharing.settled_job_kept_ms()),
    })
}

/// The partition of a stream's deliveries.
pub(super) fn delivery_partition(stream: StreamKey) -> String {
    format!("D#{:016x}", stream.0)
}

/// Where a delivery lies: deliveries that share a line lie from that line's moment on.
pub(super) fn delivery_key(stream: StreamKey, record: &DeliveryRecord) -> ItemKey {
    let newest = record.newest().unwrap_or_default();
    key(delivery_partition(stream), format!("{}#{:016x}", sortable(newest), record.key))
}

/// Where a payload lies that could not be opened.
pub(super) fn rejected_key(hash: u64) -> ItemKey {
    key("D#rejected".to_owned(), format!("{hash:016x}"))
}

/// A delivery's place in the index: by when it came.
pub(super) fn delivery_due(hash: u64, arrived_at: Timestamp) -> Due {
    Due {
        partition: delivery_due_partition(hash.checked_rem(DELIVERY_PARTITIONS).unwrap_or(0)),
        order: format!("{}#{hash:016x}", sortable(arrived_at)),
        shows_body: false,
    }
}

/// The index's partition of deliveries.
pub(super) fn delivery_due_partition(number: u64) -> String {
    format!("f{number}")
}

/// When a delivery may be forgotten: one that is redriven after a week meets what else came that week.
pub(super) fn delivery_expires_at(
    newest: Timestamp,
    arrived_at: Timestamp,
    sharing: TableSharing,
) -> Timestamp {
    arrived_at.plus_ms(arrived_at.since_ms(newest).max(0)).plus_ms(sharing.delivery_kept_ms())
}

/// Where the checkpoint lies.
pub(super) fn checkpoint_key(app: &str) -> ItemKey {
    key(format!("C#{app}"), ALONE)
}

/// The partition of an app's freshness.
pub(super) fn freshness_partition(app: &str) -> String {
    format!("H#{app}")
}

/// Where a container notes when it heard a log group.
pub(super) fn freshness_key(app: &str, log_group: &str, container: &str) -> ItemKey {
    key(freshness_partition(app), format!("{log_group}#{container}"))
}

/// When freshness may be forgotten.
pub(super) fn freshness_expires_at(seen_at: Timestamp) -> Timestamp {
    seen_at.plus_ms(FRESHNESS_KEPT_MS)
}

/// Where a closed incident lies.
pub(super) fn history_key(app: &str, opened_at: Timestamp, id: &str) -> ItemKey {
    key(format!("I#{app}"), format!("{}#{id}", sortable(opened_at)))
}

/// When a closed incident may be forgotten.
pub(super) fn history_expires_at(closed_at: Timestamp) -> Timestamp {
    closed_at.plus_ms(HISTORY_KEPT_MS)
}

/// Whether an item is expired: a store may show it for days.
pub(super) fn is_expired(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_some_and(|at| at <= now)
}

/// Writes a body down.
pub(super) fn written<T: Serialize, E: Disposed>(key: &ItemKey, body: &T) -> Result<String, DurableError<E>> {
    serde_json::to_string(body).map_err(|source| unreadable(key, source))
}

/// Reads a body.
pub(super) fn read<T: DeserializeOwned, E: Disposed>(
    key: &ItemKey,
    body: &str,
) -> Result<T, DurableError<E>> {
    serde_json::from_str(body).map_err(|source| unreadable(key, source))
}

/// Reads what is kept under a job's key.
pub(super) fn read_entry<E: Disposed>(
    job: &JobKey,
    key: &ItemKey,
    body: &str,
) -> Result<Entry, DurableError<E>> {
    if job.is_row() { read(key, body).map(Entry::Row) } else { read(key, body).map(Entry::Job) }
}

fn unreadable<E: Disposed>(key: &ItemKey, source: serde_json::Error) -> DurableError<E> {
    DurableError::Body { key: format!("{} {}", key.partition, key.sort), source }
}

/// An item to be written.
pub(super) fn item(
    key: ItemKey,
    before: Option<&Item>,
    due: Option<Due>,
    expires_at: Option<Timestamp>,
    body: String,
) -> Item {
    Item { key, version: before.map_or(1, |item| item.version.saturating_add(1)), due, expires_at, body }
}

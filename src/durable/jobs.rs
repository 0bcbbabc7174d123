//! One job's item: read, joined with what is new, written if that changed it.

use super::DurableError;
use super::items::{self, is_expired};
use super::sharing::TableSharing;
use crate::domain::job::Timestamp;
use crate::domain::ledger::entry::Entry;
use crate::domain::ledger::job_key::JobKey;
use crate::ports::Disposed;
use crate::ports::table::{Expected, Item, Table, Written};

/// How often a write is tried over while others write the same job. Each try loses to one other writer, and twenty
/// deliveries at once that all speak of one job are unusual.
pub(super) const TRIES_MAX: usize = 40;

/// What is known of a job that is looked up.
#[derive(Clone, Debug)]
pub(super) enum Lookup {
    /// Nobody has looked: it is taken to be new, and looked up if it is not.
    Unread,
    /// What was there, if anything.
    Read(Option<Item>),
}

/// What an item says of its job at `now`.
pub(super) fn entry_in<E: Disposed>(
    job: &JobKey,
    item: Option<&Item>,
    now: Timestamp,
) -> Result<Option<Entry>, DurableError<E>> {
    match item {
        Some(item) if !is_expired(item.expires_at, now) => {
            Ok(Some(items::read_entry(job, &item.key, &item.body)?))
        }
        _ => Ok(None),
    }
}

/// Joins `fresh` to what the table knows of a job. Answers all that is then known, and whether something else was
/// known before.
pub(super) async fn join<T: Table>(
    table: &T,
    app: &str,
    job: &JobKey,
    fresh: &Entry,
    lookup: Lookup,
    now: Timestamp,
    sharing: TableSharing,
) -> Result<(Entry, bool), DurableError<T::Error>> {
    let key = items::job_key(app, job);
    let mut lookup = lookup;
    for _ in 0..TRIES_MAX {
        let (before, expected) = match &lookup {
            Lookup::Unread | Lookup::Read(None) => (None, Expected::Nothing),
            Lookup::Read(Some(item)) => (Some(item), Expected::Version(item.version)),
        };
        let known = entry_in(job, before, now)?;
        let mut joined = known.clone().unwrap_or_else(|| Entry::empty(job));
        joined.join(fresh);
        if known.as_ref() == Some(&joined) {
            return Ok((joined, true));
        }
        let held = before.and_then(|item| item.due.clone()).filter(|_| known.is_some());
        let due = joined.is_open().then(|| held.unwrap_or_else(|| items::job_due(job, &joined)));
        let body = items::written(&key, &joined)?;
        let item = items::item(key.clone(), before, due, items::job_expires_at(&joined, now, sharing), body);
        match table.put(&item, expected).await? {
            Written::Done => return Ok((joined, known.is_some())),
            Written::Conflict => {
                let found = table.get(std::slice::from_ref(&key)).await?.pop().flatten();
                lookup = Lookup::Read(found);
            }
        }
    }
    Err(DurableError::Contended(job.as_str().to_owned()))
}

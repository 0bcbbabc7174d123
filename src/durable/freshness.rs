//! When each log group was last heard, and how much: also where no line said anything, as most do not.
//!
//! Each process writes items of its own, so nobody is in its way and a plain overwrite will do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DurableError;
use super::items;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{SECOND_MS, Timestamp};
use crate::domain::ledger::merge::Merged;
use crate::ports::table::{Expected, Table};

/// How often a process writes one group's freshness: a silence counts from half an hour on.
const EVERY_MS: i64 = 30 * SECOND_MS;

/// What one process has heard of one log group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// The log group.
    pub(super) log_group: String,
    /// Its newest line.
    pub(super) newest: Timestamp,
    /// When it was first heard.
    #[serde(default)]
    pub(super) first_at: Option<Timestamp>,
    /// Lines read so far.
    pub(super) lines_read: u64,
    /// Lines left out because their stamps cannot be believed.
    pub(super) lines_late: u64,
    /// Payloads that had come before.
    pub(super) duplicates: u64,
}

/// What this process has heard and when it wrote that down.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    by_group: BTreeMap<String, (Heard, Option<Timestamp>)>,
}

impl Freshness {
    /// Notes a delivery.
    pub(super) fn heard(&mut self, record: &DeliveryRecord, merged: Merged) {
        let (heard, _) = self.by_group.entry(record.log_group.clone()).or_default();
        heard.log_group.clone_from(&record.log_group);
        heard.first_at = heard.first_at.or(Some(record.arrived_at));
        heard.newest = heard.newest.max(record.newest().unwrap_or_default());
        heard.lines_read = heard.lines_read.saturating_add(record.lines.len() as u64);
        if merged == Merged::Duplicate {
            heard.duplicates = heard.duplicates.saturating_add(1);
        } else {
            heard.lines_late = heard.lines_late.saturating_add(record.late.len() as u64);
        }
    }

    /// Writes down what has not been for a while.
    pub(super) async fn write<T: Table>(
        &mut self,
        table: &T,
        app: &str,
        container: &str,
        now: Timestamp,
    ) -> Result<(), DurableError<T::Error>> {
        for (group, (heard, written_at)) in &mut self.by_group {
            if written_at.is_some_and(|at| now.since_ms(at) < EVERY_MS) {
                continue;
            }
            let key = items::freshness_key(app, group, container);
            let body = items::written(&key, heard)?;
            let expires_at = Some(items::freshness_expires_at(now));
            table.put(&items::item(key, None, None, expires_at, body), Expected::Anything).await?;
            *written_at = Some(now);
        }
        Ok(())
    }
}

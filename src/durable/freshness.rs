//! When each log group was last heard, and how much: also where no line said anything, as most do not.
//!
//! Each process writes items of its own, so nobody is in its way and a plain overwrite will do.

use std::collections::BTreeMap;

use super::DurableError;
use super::items;
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::{SECOND_MS, Timestamp};
use crate::domain::ledger::heard::Heard;
use crate::ports::table::{Expected, Table};

/// What this process has heard of a log group, and when and how it wrote that down.
#[derive(Debug, Default)]
struct Group {
    heard: Heard,
    written: Option<(Timestamp, Heard)>,
}

/// What this process has heard.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    by_group: BTreeMap<String, Group>,
}

impl Freshness {
    /// How often a process that only ingests writes one group's freshness: a silence counts from half an hour on.
    pub(super) const SELDOM_MS: i64 = 30 * SECOND_MS;

    /// Notes a delivery.
    pub(super) fn heard(&mut self, record: &DeliveryRecord, merged: Merged) {
        self.by_group.entry(record.log_group.clone()).or_default().heard.take(record, merged);
    }

    /// Writes down what is new and has not been written for `every_ms`.
    pub(super) async fn write<T: Table>(
        &mut self,
        table: &T,
        app: &str,
        container: &str,
        now: Timestamp,
        every_ms: i64,
    ) -> Result<(), DurableError<T::Error>> {
        for (name, group) in &mut self.by_group {
            let is_due = |(at, _): &(Timestamp, Heard)| now.since_ms(*at) >= every_ms;
            let is_news = |(_, written): &(Timestamp, Heard)| *written != group.heard;
            if !group.written.as_ref().is_none_or(|written| is_due(written) && is_news(written)) {
                continue;
            }
            let key = items::freshness_key(app, name, container);
            let body = items::written(&key, &group.heard)?;
            let expires_at = Some(items::freshness_expires_at(now));
            table.put(&items::item(key, None, None, expires_at, body), Expected::Anything).await?;
            group.written = Some((now, group.heard.clone()));
        }
        Ok(())
    }
}

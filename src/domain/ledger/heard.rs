//! What has been heard of each log group, also where no line said anything, as most do not: how much, until when, and
//! from which stream.
//!
//! Deliveries of such lines leave nothing else behind, so a sweep takes from here that the app still speaks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::deliveries::LATE_MS;
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::Timestamp;
use crate::domain::metric::Metric;

/// What one process has heard of one log group since it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    /// The log group.
    pub log_group: String,
    /// The stream of the newest line.
    pub log_stream: String,
    /// The newest line.
    pub newest: Timestamp,
    /// When it was first heard.
    pub first_at: Option<Timestamp>,
    /// When its newest payload came, and how old that payload's newest line was.
    pub last: Option<(Timestamp, i64)>,
    /// When its newest payload came that was not late.
    pub in_time_at: Option<Timestamp>,
    /// Lines read so far.
    pub lines_read: u64,
    /// Lines left out because their stamps cannot be believed.
    pub lines_late: u64,
    /// Payloads that had come before.
    pub duplicates: u64,
}

impl Heard {
    /// Takes a delivery.
    pub fn take(&mut self, record: &DeliveryRecord, merged: Merged) {
        let at = record.arrived_at;
        self.log_group.clone_from(&record.log_group);
        self.first_at = self.first_at.or(Some(at));
        if let Some(newest) = record.newest() {
            if newest >= self.newest {
                self.log_stream.clone_from(&record.log_stream);
            }
            self.newest = self.newest.max(newest);
            let lag_ms = at.since_ms(newest);
            self.last = self.last.max(Some((at, lag_ms)));
            self.in_time_at = self.in_time_at.max(Some(at).filter(|_| lag_ms <= LATE_MS));
        }
        self.lines_read = self.lines_read.saturating_add(record.lines.len() as u64);
        match merged {
            Merged::Duplicate => self.duplicates = self.duplicates.saturating_add(1),
            Merged::New => self.lines_late = self.lines_late.saturating_add(record.late.len() as u64),
        }
    }
}

impl Ledger {
    /// Takes what processes have heard; `before` is what they had when this was last asked, by the same names.
    pub fn take_heard(
        &mut self,
        heard: &BTreeMap<String, Heard>,
        before: &BTreeMap<String, Heard>,
        now: Timestamp,
    ) {
        let none = Heard::default();
        for (name, heard) in heard {
            let before = before.get(name).unwrap_or(&none);
            self.sources.heard(&Arc::from(heard.log_group.as_str()), heard.newest);
            if !heard.log_stream.is_empty() {
                let stream = self.streams.note(&heard.log_group, &heard.log_stream);
                if let Some(facts) = self.streams.get_mut(stream) {
                    facts.newest_line = facts.newest_line.max(Some(heard.newest));
                }
            }
            for (metric, now_count, then) in [
                (Metric::LinesRead, heard.lines_read, before.lines_read),
                (Metric::LateLines, heard.lines_late, before.lines_late),
                (Metric::DuplicateDeliveries, heard.duplicates, before.duplicates),
            ] {
                self.unpublished.count(metric, None, now, now_count.saturating_sub(then));
            }
            let lines = &mut self.tally.lines_read;
            *lines = lines.saturating_add(heard.lines_read.saturating_sub(before.lines_read));
            self.deliveries.heard(heard.first_at.unwrap_or(now));
            if let Some((at, lag_ms)) = heard.last.filter(|_| heard.last != before.last) {
                // Graces are lengthened, and `late` is told, by the lag of lines that say something: a container that
                // prints access lines with old stamps makes no page late. Any line that comes in time ends it.
                self.deliveries.opened(at, None);
                self.deliveries.heard_in_time(heard.in_time_at);
                self.unpublished.sample(Metric::DeliveryLag, None, at, lag_ms.max(0));
            }
        }
    }
}

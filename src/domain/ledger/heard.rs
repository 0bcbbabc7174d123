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
use crate::domain::job::{Stage, Timestamp};
use crate::domain::metric::Metric;
use crate::domain::systems::Near;

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
    /// What was understood of it.
    pub passed: Passed,
}

/// Kinds of unread lines that are remembered of each log group: those that came last.
const KINDS_MAX: usize = 16;
/// Characters of a shape that make a line's kind. Access lines differ in their paths only behind these, and what stands
/// around lines of a logger or a worker is within them.
const KIND_CHARS: usize = 24;

/// What was understood of the lines of one log group, and what was passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Passed {
    /// Lines that said something.
    pub recognised_count: u64,
    /// The newest of them.
    pub recognised_at: Option<Timestamp>,
    /// The newest that said that a job was enqueued.
    pub enqueue_at: Option<Timestamp>,
    /// The newest that said that a job was started, or ended.
    pub job_line_at: Option<Timestamp>,
    /// Lines that said nothing.
    pub unread_count: u64,
    /// Those of them that are of a web server's access log.
    pub access_count: u64,
    /// The newest payload of these.
    pub unread_at: Option<Timestamp>,
    /// How many of them nearly said something, and the newest payload of these.
    pub near: BTreeMap<Near, (u64, Timestamp)>,
    /// How many of each kind, by the beginning of their shape, and the newest payload of these.
    pub kinds: BTreeMap<String, (u64, Timestamp)>,
}

impl Passed {
    fn take(&mut self, record: &DeliveryRecord) {
        let mut last = None;
        for seen in &record.observations {
            self.recognised_count = self.recognised_count.saturating_add(u64::from(last != Some(seen.line)));
            last = Some(seen.line);
            let at = Some(seen.at);
            self.recognised_at = self.recognised_at.max(at);
            if seen.stage == Stage::Enqueued {
                self.enqueue_at = self.enqueue_at.max(at);
            } else if seen.stage.is_lifecycle() {
                self.job_line_at = self.job_line_at.max(at);
            }
        }
        let Some(newest) = record.newest() else { return };
        let unread = &record.unread;
        if unread.is_empty() {
            return;
        }
        self.unread_count = self.unread_count.saturating_add(unread.lines_count);
        self.access_count = self.access_count.saturating_add(unread.access_count);
        self.unread_at = self.unread_at.max(Some(newest));
        for (near, count) in &unread.near {
            add(&mut self.near, *near, (*count, newest));
        }
        for (shape, count) in &unread.shapes {
            add(&mut self.kinds, shape.chars().take(KIND_CHARS).collect(), (*count, newest));
        }
        while self.kinds.len() > KINDS_MAX {
            let oldest = self.kinds.iter().min_by_key(|(_, (count, at))| (*at, *count));
            let Some(oldest) = oldest.map(|(kind, _)| kind.clone()) else { return };
            self.kinds.remove(&oldest);
        }
    }

    /// Adds what another has that it did not have `before`.
    fn join_news(&mut self, other: &Self, before: &Self) {
        let news = |now: u64, then: u64| now.saturating_sub(then);
        let moment = |now: Option<Timestamp>, then: Option<Timestamp>| now.filter(|_| now != then);
        let recognised = news(other.recognised_count, before.recognised_count);
        self.recognised_count = self.recognised_count.saturating_add(recognised);
        self.unread_count = self.unread_count.saturating_add(news(other.unread_count, before.unread_count));
        self.access_count = self.access_count.saturating_add(news(other.access_count, before.access_count));
        self.recognised_at = self.recognised_at.max(moment(other.recognised_at, before.recognised_at));
        self.enqueue_at = self.enqueue_at.max(moment(other.enqueue_at, before.enqueue_at));
        self.job_line_at = self.job_line_at.max(moment(other.job_line_at, before.job_line_at));
        self.unread_at = self.unread_at.max(moment(other.unread_at, before.unread_at));
        join_counts(&mut self.near, &other.near, &before.near);
        join_counts(&mut self.kinds, &other.kinds, &before.kinds);
    }
}

type Counts<K> = BTreeMap<K, (u64, Timestamp)>;

fn join_counts<K: Ord + Clone>(counts: &mut Counts<K>, other: &Counts<K>, before: &Counts<K>) {
    for (key, (count, at)) in other {
        let then = before.get(key).map_or(0, |(count, _)| *count);
        // What was forgotten meanwhile has begun anew.
        let count = if *count < then { *count } else { count.saturating_sub(then) };
        if count > 0 {
            add(counts, key.clone(), (count, *at));
        }
    }
}

fn add<K: Ord>(counts: &mut Counts<K>, key: K, (count, at): (u64, Timestamp)) {
    let (sum, newest) = counts.entry(key).or_default();
    *sum = sum.saturating_add(count);
    *newest = (*newest).max(at);
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
        if merged == Merged::New {
            self.passed.take(record);
        }
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
        let mut passed: BTreeMap<&str, Passed> = BTreeMap::new();
        for (name, heard) in heard {
            let before = before.get(name).unwrap_or(&none);
            passed.entry(&heard.log_group).or_default().join_news(&heard.passed, &before.passed);
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
        for (group, passed) in passed {
            self.sources.recognition.take(group, &passed);
        }
    }
}

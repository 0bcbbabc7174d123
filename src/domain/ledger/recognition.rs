//! Whether what comes is still understood: when a line was last recognised, and what has come since that nobody reads.
//!
//! A night without jobs is no blindness: the lines that go on then are of the kinds that came beside jobs in the day.
//! Lines whose form has changed are of kinds that never were beside recognised ones. So each log group keeps the kinds of
//! unread lines that it has had beside recognised lines, and what comes else counts as fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::heard::Passed;
use super::sources::SourceFacts;
use crate::domain::job::{DAY_MS, MINUTE_MS, Timestamp};
use crate::domain::systems::Near;

/// Kinds of lines that a group may have beside recognised ones: one that has more has no habit to tell a change by.
const KNOWN_MAX: usize = 128;
/// Kinds of fresh lines that are counted apart.
const FRESH_MAX: usize = 16;
/// A kind belongs to good times once lines have been recognised for so long after it first came. While a deploy rolls,
/// old and new containers speak side by side.
const BESIDE_MS: i64 = 30 * MINUTE_MS;
/// For how long lines must have come, so that a batch that runs once is none.
const LASTING_MS: i64 = 15 * MINUTE_MS;
/// The same for lines that hold a worker's or a logger's own words, which need less to be believed.
const NEAR_LASTING_MS: i64 = 10 * MINUTE_MS;
/// Lines that must have come: one in a strange form is chance.
const LINES_LEAST: u64 = 10;
/// Recognised lines that a change can be told by: they have 20 gaps.
const RECOGNISED_LEAST: u64 = 21;
/// One of so many of the lines to expect must have come, so that they stand for them: loggers glue lines, and wrap them.
const SHARE_OF: i128 = 3;
/// Lines of which none was recognised, so that it is said that none ever was.
const NEVER_LINES: u64 = 1_000;
/// How long lines must have come by then: a busy server prints a thousand before the first job.
const NEVER_AFTER_MS: i64 = 10 * MINUTE_MS;

/// What is understood of all that comes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Recognition {
    /// The newest recognised line, and how often there was news.
    newest: SourceFacts,
    recognised_count: u64,
    first_recognised_at: Option<Timestamp>,
    /// The newest start or end of a job.
    job_line_at: Option<Timestamp>,
    by_group: BTreeMap<Arc<str>, GroupSight>,
}

/// What is understood of one log group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct GroupSight {
    recognised_count: u64,
    unread_count: u64,
    access_count: u64,
    first_at: Option<Timestamp>,
    newest_at: Option<Timestamp>,
    enqueue_at: Option<Timestamp>,
    job_line_at: Option<Timestamp>,
    known: BTreeSet<String>,
    /// Kinds that have not been beside recognised lines.
    fresh: BTreeMap<String, Run>,
    /// Lines that nearly were a worker's or a logger's, since one was recognised.
    near: BTreeMap<Near, Run>,
}

/// Lines of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// How many.
    pub count: u64,
    /// The first.
    pub from: Timestamp,
    /// The newest.
    pub until: Timestamp,
}

/// What is not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrecognised {
    /// Jobs were seen before, and nothing is recognised from anywhere any more.
    pub is_all: bool,
    /// The newest line that was recognised.
    pub recognised_at: Option<Timestamp>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Lines that nearly were a worker's or a logger's.
    pub near: BTreeMap<Near, Run>,
    /// What the lines look like, and how many there were of each.
    pub shapes: Vec<(Arc<str>, u64)>,
}

impl Run {
    fn add(&mut self, count: u64, at: Timestamp) {
        if self.count == 0 {
            self.from = at;
        }
        self.count = self.count.saturating_add(count);
        self.from = self.from.min(at);
        self.until = self.until.max(at);
    }

    const fn lasted_ms(&self) -> i64 {
        self.until.since_ms(self.from)
    }
}

impl Recognition {
    /// Takes what one log group has said since this was last asked.
    pub(super) fn take(&mut self, group: &str, said: &Passed) {
        let sight = self.by_group.entry(Arc::from(group)).or_default();
        sight.take(said);
        self.recognised_count = self.recognised_count.saturating_add(said.recognised_count);
        self.job_line_at = self.job_line_at.max(said.job_line_at);
        if let Some(at) = said.recognised_at {
            self.first_recognised_at = self.first_recognised_at.or(Some(at));
            self.newest.heard(at);
        }
    }

    /// Lines of a server that hides what the app writes, if there are any.
    #[must_use]
    pub fn hidden_by_server(&self) -> Option<Run> {
        self.by_group.values().find_map(|it| it.near.get(&Near::ServersUnknownError)).copied()
    }

    /// What is not understood, if anything; `has_enqueues`: whether an enqueue line ever came.
    #[must_use]
    pub fn judge(&self, has_enqueues: bool) -> Option<Unrecognised> {
        if self.recognised_count == 0 {
            return self.never();
        }
        let near = self.near(has_enqueues);
        let changed = self.changed();
        let is_all = self.is_over_all(&near, changed.as_ref());
        if near.is_empty() && !is_all {
            return None;
        }
        let shapes = self.shapes(|sight| !sight.near.is_empty() || sight.recognised_count > 0);
        let since = near.values().chain(&changed).map(|run| run.from).min();
        Some(Unrecognised { is_all, recognised_at: self.newest.newest_line, since, near, shapes })
    }

    fn never(&self) -> Option<Unrecognised> {
        let groups = || self.by_group.values();
        let lines = groups().fold(0_u64, |sum, it| sum.saturating_add(it.unread_count));
        let first = groups().filter_map(|it| it.first_at).min()?;
        let newest = groups().filter_map(|it| it.newest_at).max()?;
        let near = self.near(true);
        let access = groups().fold(0_u64, |sum, it| sum.saturating_add(it.access_count));
        let came = |count: u64, after_ms: i64| count >= NEVER_LINES && newest.since_ms(first) >= after_ms;
        // A night of web requests hides no jobs; a day of them does.
        let is_enough = came(lines.saturating_sub(access), NEVER_AFTER_MS) || came(lines, DAY_MS);
        (is_enough || !near.is_empty()).then(|| Unrecognised {
            is_all: false,
            recognised_at: None,
            since: Some(first),
            near,
            shapes: self.shapes(|_| true),
        })
    }

    /// Lines that have come for a while, that hold what a worker or a logger prints, and since which none was read.
    fn near(&self, has_enqueues: bool) -> BTreeMap<Near, Run> {
        let mut found: BTreeMap<Near, Run> = BTreeMap::new();
        for (near, run) in self.by_group.values().flat_map(|sight| &sight.near) {
            let is_counted = match near {
                // That no enqueue ever came is told as such.
                Near::ServersUnknownError => has_enqueues,
                // Words that an app may write for any reason.
                Near::EnqueueWords => false,
                Near::BehindPrefix | Near::InField => true,
            };
            // Workers are read elsewhere, and these lines have ended.
            let is_over = self.job_line_at.is_some_and(|at| at.since_ms(run.until) >= BESIDE_MS);
            let is_lasting = run.count >= LINES_LEAST && run.lasted_ms() >= NEAR_LASTING_MS;
            if is_counted && !is_over && is_lasting {
                found.entry(*near).or_insert(Run { count: 0, ..*run }).join(run);
            }
        }
        found
    }

    /// Lines of kinds that never came beside recognised ones, where lines were recognised before.
    fn changed(&self) -> Option<Run> {
        let mut all = Run::default();
        for sight in self.by_group.values() {
            if sight.recognised_count == 0 || sight.known.len() >= KNOWN_MAX {
                continue;
            }
            let is_lasting = |run: &&Run| run.count >= LINES_LEAST && run.lasted_ms() >= LASTING_MS;
            for run in sight.fresh.values().filter(is_lasting) {
                all.join(run);
            }
        }
        let good_ms = self.newest.newest_line?.since_ms(self.first_recognised_at?).max(1);
        // As many as were recognised before, or nearly: a few new errors in a quiet night are none of them.
        let expected = i128::from(self.recognised_count).saturating_mul(i128::from(all.lasted_ms()));
        let came = i128::from(all.count).saturating_mul(i128::from(good_ms)).saturating_mul(SHARE_OF);
        (all.count > 0 && came >= expected).then_some(all)
    }

    /// Whether nothing is recognised any more for longer than is usual, while lines come that could be those.
    fn is_over_all(&self, near: &BTreeMap<Near, Run>, changed: Option<&Run>) -> bool {
        let Some(recognised_at) = self.newest.newest_line else { return false };
        if self.recognised_count < RECOGNISED_LEAST || self.job_line_at.is_none() {
            return false;
        }
        let silence_max_ms = self.newest.pause_max_ms();
        near.values().chain(changed).any(|run| run.until.since_ms(recognised_at) > silence_max_ms)
    }

    fn shapes(&self, is_asked: impl Fn(&GroupSight) -> bool) -> Vec<(Arc<str>, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (shape, run) in self.by_group.values().filter(|sight| is_asked(sight)).flat_map(|it| &it.fresh) {
            let sum = counts.entry(shape).or_default();
            *sum = sum.saturating_add(run.count);
        }
        let mut shapes: Vec<(Arc<str>, u64)> =
            counts.into_iter().map(|(shape, count)| (Arc::from(shape), count)).collect();
        shapes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        shapes.truncate(SHOWN_MAX);
        shapes
    }
}

/// Shapes that a message shows.
const SHOWN_MAX: usize = 3;

impl Run {
    fn join(&mut self, other: &Self) {
        if self.count == 0 {
            *self = *other;
            return;
        }
        self.count = self.count.saturating_add(other.count);
        self.from = self.from.min(other.from);
        self.until = self.until.max(other.until);
    }
}

impl GroupSight {
    fn take(&mut self, said: &Passed) {
        self.recognised_count = self.recognised_count.saturating_add(said.recognised_count);
        self.unread_count = self.unread_count.saturating_add(said.unread_count);
        self.access_count = self.access_count.saturating_add(said.access_count);
        self.first_at = self.first_at.or(said.unread_at);
        self.newest_at = self.newest_at.max(said.unread_at);
        for (near, (count, at)) in &said.near {
            self.near.entry(*near).or_default().add(*count, *at);
        }
        for (shape, (count, at)) in &said.kinds {
            if !self.known.contains(shape) {
                self.fresh.entry(shape.clone()).or_default().add(*count, *at);
            }
        }
        self.enqueue_at = self.enqueue_at.max(said.enqueue_at);
        self.job_line_at = self.job_line_at.max(said.job_line_at);
        let (enqueue_at, job_line_at) = (self.enqueue_at, self.job_line_at);
        // A line that is read shows that such lines are read: what came before it was an exception.
        self.near.retain(|near, run| {
            let read_at = match near {
                Near::ServersUnknownError | Near::EnqueueWords => enqueue_at,
                Near::BehindPrefix | Near::InField => job_line_at,
            };
            read_at.is_none_or(|at| at < run.until)
        });
        if let Some(at) = said.recognised_at {
            let is_beside = |run: &Run| at.since_ms(run.from) >= BESIDE_MS;
            let beside: Vec<String> =
                self.fresh.extract_if(.., |_, run| is_beside(run)).map(|(it, _)| it).collect();
            let room = KNOWN_MAX.saturating_sub(self.known.len());
            self.known.extend(beside.into_iter().take(room));
        }
        while self.fresh.len() > FRESH_MAX {
            let rarest =
                self.fresh.iter().min_by_key(|(_, run)| (run.until, run.count)).map(|(it, _)| it.clone());
            let Some(rarest) = rarest else { return };
            self.fresh.remove(&rarest);
        }
    }
}

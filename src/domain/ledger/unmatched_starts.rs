//! Starts whose lines name a job that no enqueue line named: an app that logs its enqueues without ids, beside workers
//! that print them.
//!
//! A lasting name starts one job, whatever its retries. A row of a database without its uuid is another job each time:
//! rows are used again, and a retry has a new one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::counting::{JobIx, StartKey};
use super::job_facts::{JobFacts, State, StreamKey};
use super::job_key::JobKey;
use super::job_record::JobRecord;
use super::names::Likeness;
use super::pairing::{CountedEnd, CountedEndTime, PairedStart, StreamSeries};
use super::{Job, Ledger};
use crate::domain::job::{JobClass, JobId, LineKey, Timestamp};

/// A start that carries a name which no enqueue line carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedStart {
    /// The names, queue and connection that its line carries.
    #[serde(rename = "l")]
    pub likeness: Likeness,
    /// Whether it may be the retry of a failure that carried another name.
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_retry: bool,
    /// How it ended.
    #[serde(rename = "p")]
    pub paired: PairedStart,
    /// Whose it is, where that is kept.
    #[serde(skip)]
    pub job: Option<JobIx>,
}

/// Where the starts of a job that nobody enqueued stand.
pub(super) type UnmatchedStarts = BTreeSet<(JobClass, StartKey)>;

/// What the facts of a job tell of such starts, if no enqueue line of it is known: none where its name is not kept.
/// Of a row they keep the newest attempts.
fn of(ix: JobIx, known: &JobFacts) -> BTreeMap<(JobClass, StartKey), UnmatchedStart> {
    let mut found = BTreeMap::new();
    let name = JobKey::of_name(known.id(), known.uuid());
    let (Some(name), Some(class), Some(_)) = (name, known.class(), known.start()) else {
        return found;
    };
    let mut add = |at: Timestamp, is_row: bool, paired: PairedStart| {
        // The name tells it from others. The stream would not stay the same where two workers print its attempts.
        let key = (at, LineKey(name.hash().0), StreamKey(0));
        found.insert(
            (class.clone(), key),
            UnmatchedStart { may_be_retry: is_row, paired, ..unmatched_start(ix, known) },
        );
    };
    let starts = known.attempts.starts();
    match known.started_at().filter(|_| !is_row(known) || starts.is_empty()) {
        Some(first) => add(first, is_row(known), settled(known)),
        None => {
            for (n, start) in starts.iter().enumerate() {
                // A row that was free again had been done with.
                let next = starts.get(n.saturating_add(1)).map(|next| PairedStart {
                    success: known.attempts.end_between(*start, *next).map(|at| ended(at, false)),
                    ..PairedStart::default()
                });
                add(*start, true, next.unwrap_or_else(|| settled(known)));
            }
        }
    }
    found
}

/// A start of which nothing is known but its names.
fn unmatched_start(ix: JobIx, known: &JobFacts) -> UnmatchedStart {
    UnmatchedStart {
        likeness: Likeness::of(known),
        may_be_retry: false,
        paired: PairedStart::default(),
        job: Some(ix),
    }
}

fn is_row(known: &JobFacts) -> bool {
    known.uuid().is_none() && known.id().is_some_and(JobId::is_numeric)
}

/// The starts that lines of one row tell of, which no enqueue line of its id explains: they are paired as lines without
/// an id are, class by class and stream by stream.
pub(super) fn of_row<'l>(
    ix: JobIx,
    lines: impl Iterator<Item = (Timestamp, LineKey, &'l JobRecord)>,
) -> BTreeMap<(JobClass, StartKey), UnmatchedStart> {
    let mut series: BTreeMap<(JobClass, StreamKey), (StreamSeries, UnmatchedStart)> = BTreeMap::new();
    for (at, line, record) in lines {
        let known = &record.known;
        let (Some(class), Some((_, stream))) = (known.class(), known.start()) else { continue };
        let alike =
            || (StreamSeries::default(), UnmatchedStart { may_be_retry: true, ..unmatched_start(ix, known) });
        let (starts, _) = series.entry((class.clone(), stream)).or_insert_with(alike);
        match end_of(at, known) {
            Some(end) => starts.add_end(line, end),
            None => starts.add_start((at, line)),
        }
    }
    let mut found = BTreeMap::new();
    for ((class, stream), (mut starts, alike)) in series {
        starts.settle(stream);
        for ((at, line), paired) in starts.starts {
            found.insert((class.clone(), (at, line, stream)), UnmatchedStart { paired, ..alike.clone() });
        }
    }
    found
}

/// What a row's line says of the end of its attempt; `None` of a start. A row's retry is another row, so that any
/// failure may be one of an attempt that is tried again.
fn end_of(at: Timestamp, line: &JobFacts) -> Option<CountedEnd> {
    if line.newest_start.is_some() {
        return None;
    }
    let is_failure = line.newest_failure.is_some();
    Some(CountedEnd {
        at,
        is_failure,
        may_retry: is_failure,
        runtime: line.implied_start.map(|it| it.runtime(at)),
    })
}

/// How the newest attempt ended.
fn settled(known: &JobFacts) -> PairedStart {
    let mut paired = PairedStart::default();
    let Some(at) = known.settled_at() else { return paired };
    if known.state() == State::Failed {
        // The same name may start again, and says so itself; a row's retry has another.
        paired.failure = Some(ended(at, known.uuid().is_none()));
    } else {
        paired.success = Some(ended(at, false));
    }
    paired
}

const fn ended(at: Timestamp, may_retry: bool) -> (LineKey, CountedEndTime) {
    (LineKey(0), CountedEndTime { at, may_retry })
}

impl Ledger {
    /// Brings the starts of a job that nobody enqueued in line with what is known of it. Lines of a row that no enqueue
    /// explains are taken where they are dealt out, as they may be of several jobs.
    pub(super) fn refresh_unmatched_starts(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get(ix) else { return };
        if job.known.enqueued.is_some() {
            if job.unmatched_starts.is_some() {
                self.set_unmatched_starts(ix, BTreeMap::new());
            } else {
                self.acquaint(ix);
            }
        } else if !job.is_unexplained_row {
            let found = of(ix, &job.known);
            self.set_unmatched_starts(ix, found);
        }
    }

    /// Replaces the starts of a job that nobody enqueued.
    pub(super) fn set_unmatched_starts(
        &mut self,
        ix: JobIx,
        found: BTreeMap<(JobClass, StartKey), UnmatchedStart>,
    ) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        let before = job.unmatched_starts.take();
        if !found.is_empty() {
            job.unmatched_starts = Some(Box::new(found.keys().cloned().collect()));
        }
        for (class, key) in before.into_iter().flat_map(|it| *it).filter(|at| !found.contains_key(at)) {
            self.series.entry(class.clone()).or_default().remove_unmatched_start(key);
            self.dirty_series.insert(class);
        }
        self.add_unmatched_starts(found);
    }

    fn add_unmatched_starts(&mut self, found: BTreeMap<(JobClass, StartKey), UnmatchedStart>) {
        for ((class, key), unmatched_start) in found {
            if self.series.entry(class.clone()).or_default().add_unmatched_start(key, unmatched_start) {
                self.dirty_series.insert(class);
            }
        }
    }

    /// Takes back the starts that were kept without their job, now that its enqueue is known.
    fn acquaint(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get(ix) else { return };
        let Some(class) = job.known.class() else { return };
        let Some(series) = self.series.get_mut(class).filter(|it| it.has_unmatched_starts()) else { return };
        let mut is_news = false;
        for (_, key) in of(ix, &job.known).keys() {
            is_news |= series.remove_unmatched_start(*key);
        }
        if is_news {
            self.dirty_series.insert(class.clone());
        }
    }

    /// The job whose own lines carry another name, and that a job was counted to be.
    #[must_use]
    pub fn unmatched_start_of(&self, job: &Job) -> Option<&Job> {
        let (start, class) = (job.counted?, job.known.class()?);
        self.job(self.series.get(class)?.unmatched_start(start)?.job?)
    }

    /// Whether a job is one that others were counted to be: its lines are told as theirs.
    #[must_use]
    pub fn is_told_as_another(&self, job: &Job) -> bool {
        let is_matched = |(class, key): &(JobClass, StartKey)| {
            self.series.get(class).is_some_and(|series| series.is_matched(*key))
        };
        job.unmatched_starts.as_deref().is_some_and(|starts| starts.iter().all(is_matched))
    }
}

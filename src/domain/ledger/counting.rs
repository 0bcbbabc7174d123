//! Matching by counting: which job of a class a start is taken to be whose line names none that is known.
//!
//! In event time, a start takes the oldest job that is ready; a start that finds none continues the oldest
//! failure that may be retried, or is dropped. It is never banked: a start today must not pay for a job of
//! tomorrow. The number of jobs waiting is right; which of them waits is first-in-first-out, and said so.
//!
//! Most such starts carry no name. One that does, and that no enqueue line named ([`UnmatchedStart`]), takes only a job whose
//! names it cannot be compared with: where both carry an id, other ids are other jobs.
//!
//! **Invariant:** the outcome depends on the sets of jobs and starts only; what a late line can change is
//! undone and matched again.

mod past;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use super::clocks;
use super::job_facts::{CLOCKS_APART_MAX_MS, ENQUEUE_TOLERANCE_MS, State, StreamKey};
use super::names::Likeness;
use super::pairing::{CountedEnd, PairedStart, Place, StreamSeries};
use super::ready_pool::{Cursor, ReadyPool};
use super::unmatched_starts::UnmatchedStart;
use crate::domain::job::{LineKey, Timestamp};

pub use past::StreamLines;

/// Unmatched starts looked at to tell how jobs are matched: what an app's lines carry seldom changes.
const STRANGERS_ASKED: usize = 16;

/// A job's place in the ledger's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobIx(pub usize);

/// An id-less start: where, and in which stream.
pub type StartKey = (Timestamp, LineKey, StreamKey);

/// What an id-less start was taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Took(JobIx),
    Retried,
    Surplus,
}

#[derive(Clone, Debug)]
struct Matched {
    outcome: Outcome,
    /// The last jobs taken by this start or one before it, of each kind.
    last_jobs: Cursor,
    /// The last failure continued by this start or one before it.
    last_failure: Option<(Timestamp, StartKey)>,
}

/// One class's waiting jobs and id-less starts.
#[derive(Clone, Debug, Default)]
pub struct ClassSeries {
    pub(super) jobs: ReadyPool,
    pub(super) streams: BTreeMap<StreamKey, StreamSeries>,
    unmatched_starts: BTreeMap<StartKey, UnmatchedStart>,
    starts: BTreeMap<StartKey, Matched>,
    /// Failures that may be retried, by the end of the attempt; with the start that continues each.
    failures: BTreeMap<(Timestamp, StartKey), Option<StartKey>>,
    dirty_from: Option<Timestamp>,
    /// How far workers' clocks are seen to be behind.
    behind_ms: Option<i64>,
    /// Starts inside attempts of other classes: those jobs were on no queue.
    pub(super) inside: BTreeMap<StreamKey, BTreeSet<Place>>,
}

impl ClassSeries {
    /// Whether a worker line of this class was ever seen without an id.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Whether jobs that are alike are matched by counting: starts carry no names, or none that can be compared.
    #[must_use]
    pub fn is_counted(&self, likeness: &Likeness) -> bool {
        let mut newest = self.unmatched_starts.values().rev().take(STRANGERS_ASKED);
        self.is_nameless() || newest.any(|it| it.likeness.may_be(likeness))
    }

    /// Takes a job that waits, at the moment it is ready.
    pub fn add_job(&mut self, likeness: &Likeness, place: Place, job: JobIx) {
        self.jobs.add(likeness, place, job);
        self.soil(place.0.minus_ms(CLOCKS_APART_MAX_MS));
    }

    /// Takes back a job that its own lines showed started.
    pub fn remove_job(&mut self, likeness: &Likeness, place: Place) {
        self.jobs.remove(likeness, place);
        self.soil(place.0.minus_ms(CLOCKS_APART_MAX_MS));
    }

    /// Takes a start line.
    pub fn add_start(&mut self, stream: StreamKey, place: Place) {
        self.streams.entry(stream).or_default().add_start(place);
    }

    /// Takes an end line.
    pub fn add_end(&mut self, stream: StreamKey, line: LineKey, end: CountedEnd) {
        self.streams.entry(stream).or_default().add_end(line, end);
    }

    /// Takes a start whose line names a job that no enqueue line named; tells whether that is news.
    pub fn add_unmatched_start(&mut self, key: StartKey, unmatched_start: UnmatchedStart) -> bool {
        if self.unmatched_starts.get(&key) == Some(&unmatched_start) {
            return false;
        }
        self.unmatched_starts.insert(key, unmatched_start);
        self.soil(key.0);
        true
    }

    /// Takes back a start whose job turned out to have an enqueue line; tells whether it was known.
    pub fn remove_unmatched_start(&mut self, key: StartKey) -> bool {
        let is_known = self.unmatched_starts.remove(&key).is_some();
        if is_known {
            self.soil(key.0);
        }
        is_known
    }

    /// Whether any such start is known.
    #[must_use]
    pub fn has_unmatched_starts(&self) -> bool {
        !self.unmatched_starts.is_empty()
    }

    /// An unmatched start.
    #[must_use]
    pub fn unmatched_start(&self, start: StartKey) -> Option<&UnmatchedStart> {
        self.unmatched_starts.get(&start)
    }

    /// The unmatched starts that it was told of, but for those in `past`.
    pub fn unmatched_starts(
        &self,
        past: &BTreeSet<StartKey>,
    ) -> impl Iterator<Item = (StartKey, UnmatchedStart)> {
        let kept = self.unmatched_starts.iter().filter(|(key, _)| !past.contains(key));
        kept.map(|(key, unmatched_start)| (*key, unmatched_start.clone()))
    }

    pub(super) fn soil(&mut self, at: Timestamp) {
        self.dirty_from = Some(self.dirty_from.map_or(at, |dirty| dirty.min(at)));
    }

    /// Matches again what new lines can have changed. `assign` is told of every job whose start is taken
    /// back (`None`) or found (`Some`), in that order.
    pub fn settle(&mut self, mut assign: impl FnMut(JobIx, Option<StartKey>)) {
        if !self.is_nameless() && self.unmatched_starts.is_empty() && self.starts.is_empty() {
            return;
        }
        let soiled: Vec<Timestamp> =
            self.streams.iter_mut().filter_map(|(ix, series)| series.settle(*ix)).collect();
        for at in soiled {
            self.soil(at);
        }
        let Some(from) = self.dirty_from.take() else { return };
        self.gather_failures(from);
        let from = if self.compare_clocks() { Timestamp::MIN } else { from };
        let redone = self.starts.split_off(&(from, LineKey(0), StreamKey(0)));
        let mut freed = BTreeSet::new();
        for matched in redone.values() {
            match (matched.outcome, matched.last_failure) {
                (Outcome::Took(job), _) => {
                    freed.insert(job);
                }
                (Outcome::Retried, Some(failure)) => {
                    self.failures.entry(failure).and_modify(|claimed_by| *claimed_by = None);
                }
                (Outcome::Retried | Outcome::Surplus, _) => {}
            }
        }
        let taken = self.walk(from);
        // A job that keeps its start between two settlements is told of only if the start changed.
        for job in &freed {
            assign(*job, None);
        }
        for (job, start) in taken {
            assign(job, Some(start));
        }
    }

    /// Replaces the failures whose attempts started at or after `from`.
    fn gather_failures(&mut self, from: Timestamp) {
        // An attempt that started at or after `from` also ended then.
        let first = (from, (Timestamp::MIN, LineKey(0), StreamKey(0)));
        let later = self.failures.split_off(&first);
        self.failures.extend(later.into_iter().filter(|((_, start), _)| start.0 < from));
        for (stream, series) in &self.streams {
            for ((at, line), start) in series.starts.range((from, LineKey(0))..) {
                if let Some(end) = start.retry_from() {
                    self.failures.insert((end, (*at, *line, *stream)), None);
                }
            }
        }
        for (key, unmatched_start) in self.unmatched_starts.range((from, LineKey(0), StreamKey(0))..) {
            if let Some(end) = unmatched_start.paired.retry_from() {
                self.failures.insert((end, *key), None);
            }
        }
    }

    /// Looks how far workers' clocks are behind; tells whether that is news, so that every start is matched again.
    fn compare_clocks(&mut self) -> bool {
        let (readies, is_cut) = self.jobs.newest(clocks::JOBS_MAX);
        let from = readies.first().map_or(Timestamp::MIN, |first| first.minus_ms(CLOCKS_APART_MAX_MS));
        let mut starts: Vec<Timestamp> = self.keys(from).into_iter().map(|((at, ..), ..)| at).collect();
        starts.sort_unstable();
        let failures: Vec<Timestamp> = self.failures.keys().map(|(at, _)| *at).collect();
        let behind_ms = clocks::behind_ms(&readies, &starts, &failures, is_cut);
        std::mem::replace(&mut self.behind_ms, behind_ms) != behind_ms
    }

    /// How far workers' clocks are behind, where they are seen to be.
    #[must_use]
    pub const fn clocks_behind_ms(&self) -> Option<i64> {
        self.behind_ms
    }

    /// The starts from then on that are matched: what names they carry, and whether they may continue a failure.
    fn keys(&self, from: Timestamp) -> Vec<(StartKey, Option<&Likeness>, bool)> {
        let mut keys: Vec<(StartKey, Option<&Likeness>, bool)> = Vec::new();
        for (stream, series) in &self.streams {
            let inside = self.inside.get(stream);
            let starts = series.starts.range((from, LineKey(0))..);
            let starts = starts.filter(|(place, _)| inside.is_none_or(|inside| !inside.contains(place)));
            keys.extend(starts.map(|((at, line), _)| ((*at, *line, *stream), None, true)));
        }
        let unmatched_starts = self.unmatched_starts.range((from, LineKey(0), StreamKey(0))..);
        keys.extend(unmatched_starts.map(|(key, it)| (*key, Some(&it.likeness), it.may_be_retry)));
        keys.sort_unstable();
        keys
    }

    fn walk(&mut self, from: Timestamp) -> Vec<(JobIx, StartKey)> {
        let mut failures = std::mem::take(&mut self.failures);
        let behind_by = self.behind_ms.map(clocks::tolerance_ms);
        let before = self.starts.last_key_value().map(|(_, matched)| matched.clone());
        let (mut last_jobs, mut last_failure) =
            before.map_or((Cursor::default(), None), |matched| (matched.last_jobs, matched.last_failure));
        let (mut taken, mut matches) = (Vec::new(), Vec::new());
        for (key, likeness, may_be_retry) in self.keys(from) {
            let ready_by = key.0.plus_ms(ENQUEUE_TOLERANCE_MS);
            let outcome = if let Some(job) = self.jobs.take(likeness, &mut last_jobs, ready_by) {
                taken.push((job, key));
                Outcome::Took(job)
            } else if let Some(failure) =
                may_be_retry.then(|| claim(&mut failures, last_failure, key)).flatten()
            {
                last_failure = Some(failure);
                Outcome::Retried
            } else if let Some(job) =
                behind_by.and_then(|ms| self.jobs.take(likeness, &mut last_jobs, key.0.plus_ms(ms)))
            {
                // Only a start that is nobody's else: by a clock that is behind, its job comes after it.
                taken.push((job, key));
                Outcome::Took(job)
            } else {
                Outcome::Surplus
            };
            matches.push((key, Matched { outcome, last_jobs: last_jobs.clone(), last_failure }));
        }
        self.starts.extend(matches);
        self.failures = failures;
        taken
    }

    /// What became of the job that took `start`: its state, and when it settled.
    #[must_use]
    pub fn outcome(&self, start: StartKey) -> (State, Option<Timestamp>) {
        let mut key = start;
        // Each step goes to a later start, so the walk ends.
        loop {
            let paired = self.paired(key);
            let Some(paired) = paired else { return (State::Running, None) };
            match (paired.failure, paired.success) {
                (None, None) => return (State::Running, None),
                (None, Some((_, end))) => return (State::Processed, Some(end.at)),
                (Some((_, end)), _) => {
                    let next = self.failures.get(&(end.at, key)).copied().flatten();
                    match next {
                        Some(retry) => key = retry,
                        None => return (State::Failed, Some(end.at)),
                    }
                }
            }
        }
    }

    fn paired(&self, key: StartKey) -> Option<&PairedStart> {
        let (at, line, stream) = key;
        let nameless = self.streams.get(&stream).and_then(|series| series.starts.get(&(at, line)));
        nameless.or_else(|| Some(&self.unmatched_starts.get(&key)?.paired))
    }

    /// Starts without an end, at or after `from`.
    pub fn open_starts(&self, from: Timestamp) -> impl Iterator<Item = StartKey> + '_ {
        self.streams.iter().flat_map(move |(stream, series)| {
            series.open.range((from, LineKey(0))..).map(|(at, line)| (*at, *line, *stream))
        })
    }

    /// When its starts were.
    pub fn start_times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let nameless = self.streams.values().flat_map(|series| series.starts.keys().map(|(at, _)| *at));
        nameless.chain(self.unmatched_starts.keys().map(|(at, _, _)| *at))
    }

    /// The jobs that were ready before `ready_before` and had not started before `started_by`.
    pub fn left(&self, ready_before: Timestamp, started_by: Timestamp) -> impl Iterator<Item = JobIx> + '_ {
        let first = (started_by, LineKey(0), StreamKey(0));
        let before = self.starts.range(..first).next_back().map(|(_, matched)| &matched.last_jobs);
        self.jobs.left(before, ready_before)
    }

    /// The job a start was taken to be.
    #[must_use]
    pub fn job_of(&self, start: StartKey) -> Option<JobIx> {
        match self.starts.get(&start)?.outcome {
            Outcome::Took(job) => Some(job),
            Outcome::Retried | Outcome::Surplus => None,
        }
    }

    /// Whether a start is told as one of a job's, or as a retry of it.
    #[must_use]
    pub fn is_matched(&self, start: StartKey) -> bool {
        let outcome = self.starts.get(&start).map(|matched| matched.outcome);
        matches!(outcome, Some(Outcome::Took(_) | Outcome::Retried))
    }

    /// How many of the starts that took a job may have been retries instead: failures that nothing
    /// continued and no success made final. The count of waiting jobs may be short by that many.
    #[must_use]
    pub fn retries_unaccounted(&self) -> usize {
        self.failures.values().filter(|claimed_by| claimed_by.is_none()).count()
    }
}

/// The oldest failure after `last` that a start may continue.
fn claim(
    failures: &mut BTreeMap<(Timestamp, StartKey), Option<StartKey>>,
    last: Option<(Timestamp, StartKey)>,
    start: StartKey,
) -> Option<(Timestamp, StartKey)> {
    let after = last.map_or(Unbounded, Excluded);
    let (key, claimed_by) = failures.range_mut((after, Unbounded)).next()?;
    if key.0 > start.0 {
        return None;
    }
    *claimed_by = Some(start);
    Some(*key)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
#[path = "counting_tests.rs"]
mod tests;

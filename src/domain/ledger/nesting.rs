//! Jobs that a job runs at once, inside itself: `dispatchSync()`, a broadcast, the sync connection. The worker prints a
//! start and an end for them, too, between those of the outer attempt, and they were never on a queue.
//!
//! Without ids such a start looks like one of a job that waits, and would hide a stall of its class. Two workers that
//! share a stream may print the same once or twice; so a class counts as run inside another only where the pattern is
//! strict: the outer attempts follow each other one by one, each of the last ten holds the same number of inner attempts,
//! none lies outside, and hardly one of those was enqueued meanwhile. The framework keeps one clock for both, so that the
//! outer end prints the time since the inner start: see [`StreamSeries::set_resets`](super::pairing::StreamSeries::set_resets).
//!
//! **Invariant:** it depends on the sets of lines and jobs only.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use super::counting::ClassSeries;
use super::job_facts::{ENQUEUE_TOLERANCE_MS, StreamKey};
use super::pairing::Place;
use crate::domain::job::{JobClass, Timestamp};

/// Attempts in a row that show the pattern.
const RUNS_LEAST: usize = 10;
/// Attempts looked at: more do not run between two looks.
const RUNS_MAX: usize = 500;
/// Of ten attempts, those in which a job of the inner class may have been enqueued by chance.
const ENQUEUED_MAX: usize = 2;
/// Classes of one stream that are compared with each other. A stream of more is one of many workers.
const CLASSES_MAX: usize = 24;

/// An attempt by its own two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from: Place,
    pub(super) until: Timestamp,
}

/// The attempts of one class in one stream, if they follow each other one by one: newest last. An attempt that has not
/// ended is left out.
pub(super) fn runs(
    starts: impl DoubleEndedIterator<Item = Place>,
    ends: &BTreeSet<Place>,
) -> Option<Vec<Run>> {
    let mut starts: Vec<Place> = starts.rev().take(RUNS_MAX).collect();
    starts.reverse();
    let first = starts.first()?.0;
    let mut ends = ends.range((first, crate::domain::job::LineKey(0))..).map(|(at, _)| *at).peekable();
    let mut runs = Vec::with_capacity(starts.len());
    let nexts = starts.iter().skip(1).map(|next| Some(next.0)).chain([None]);
    for (start, next) in starts.iter().zip(nexts) {
        let Some(until) = ends.next_if(|end| next.is_none_or(|next| *end <= next)) else {
            // The newest may go on; any other that did not end shows more than one worker, or one that died.
            return (next.is_none() && runs.len() >= RUNS_LEAST).then_some(runs);
        };
        runs.push(Run { from: *start, until });
    }
    (ends.next().is_none() && runs.len() >= RUNS_LEAST).then_some(runs)
}

/// Whether the attempts of a class all run inside those of another; `was_enqueued(from, until)` tells whether one of
/// its jobs became ready then.
pub(super) fn is_inside(
    outer: &[Run],
    inner: &[Run],
    was_enqueued: impl Fn(Timestamp, Timestamp) -> bool,
) -> bool {
    let last = outer.len().saturating_sub(RUNS_LEAST);
    let Some(last) = outer.get(last..).filter(|runs| runs.len() == RUNS_LEAST) else { return false };
    let Some(first) = last.first().map(|run| run.from.0) else { return false };
    let Some(newest) = last.last().map(|run| run.until) else { return false };
    let recent = inner.iter().filter(|run| run.from.0 >= first && run.from.0 <= newest);
    let is_in = |run: &Run, outer: &Run| outer.from.0 <= run.from.0 && run.until <= outer.until;
    let inside = |outer: &Run| inner.iter().filter(|run| is_in(run, outer)).count();
    let counts: BTreeSet<usize> = last.iter().map(inside).collect();
    let (Some(count), 1) = (counts.first().copied(), counts.len()) else { return false };
    let is_all = count > 0 && recent.count() == count.saturating_mul(RUNS_LEAST);
    let enqueued =
        last.iter().filter(|run| was_enqueued(run.from.0.minus_ms(ENQUEUE_TOLERANCE_MS), run.until));
    is_all && enqueued.count() <= ENQUEUED_MAX
}

/// Looks again at the streams in which classes have new lines, and tells which other classes that changed.
pub(super) fn find_nested(
    series: &mut BTreeMap<JobClass, ClassSeries>,
    dirty: &BTreeSet<JobClass>,
) -> BTreeSet<JobClass> {
    let mut changed = BTreeSet::new();
    let streams: BTreeSet<StreamKey> =
        dirty.iter().filter_map(|class| series.get(class)).flat_map(ClassSeries::streams).collect();
    for stream in streams {
        let here = || series.iter().filter(|(_, of)| of.streams().any(|it| it == stream));
        // One class alone runs inside nothing.
        if !(2..=CLASSES_MAX).contains(&here().count()) {
            continue;
        }
        let known: Vec<(&JobClass, Vec<Run>)> =
            here().filter_map(|(class, of)| Some((class, of.runs(stream)?))).collect();
        let mut insides: BTreeMap<JobClass, BTreeSet<Place>> = BTreeMap::new();
        let mut resets: BTreeMap<JobClass, BTreeSet<Timestamp>> = BTreeMap::new();
        for (outer, outer_runs) in &known {
            for (inner, inner_runs) in known.iter().filter(|(inner, _)| inner != outer) {
                let was_enqueued =
                    |from, until| series.get(*inner).is_some_and(|of| of.has_job_between(from, until));
                if !is_inside(outer_runs, inner_runs, was_enqueued) {
                    continue;
                }
                let is_in = |run: &&Run| {
                    let place = outer_runs.partition_point(|outer| outer.from.0 <= run.from.0);
                    let around = place.checked_sub(1).and_then(|place| outer_runs.get(place));
                    // The newest outer attempt may still go on.
                    around.is_some_and(|around| run.until <= around.until)
                        || outer_runs.last().is_some_and(|last| run.from.0 > last.until)
                };
                let starts: Vec<Place> = inner_runs.iter().filter(is_in).map(|run| run.from).collect();
                resets.entry((*outer).clone()).or_default().extend(starts.iter().map(|(at, _)| *at));
                insides.entry((*inner).clone()).or_default().extend(starts);
            }
        }
        let classes: Vec<JobClass> = here().map(|(class, _)| class.clone()).collect();
        for class in classes {
            let Some(of) = series.get_mut(&class) else { continue };
            let inside = insides.remove(&class).unwrap_or_default();
            let reset = resets.remove(&class).unwrap_or_default();
            if of.set_inside(stream, inside) | of.set_resets(stream, reset) {
                changed.insert(class);
            }
        }
    }
    changed
}

impl ClassSeries {
    /// The streams that its id-less lines came in.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamKey> + '_ {
        self.streams.keys().copied()
    }

    /// Its attempts in a stream, where they follow each other one by one.
    pub(super) fn runs(&self, stream: StreamKey) -> Option<Vec<Run>> {
        self.streams.get(&stream)?.runs()
    }

    /// Whether one of its jobs became ready then.
    pub(super) fn has_job_between(&self, from: Timestamp, until: Timestamp) -> bool {
        self.jobs.has_between(from, until)
    }

    /// Replaces its starts inside attempts of other classes; tells whether that is news.
    pub(super) fn set_inside(&mut self, stream: StreamKey, places: BTreeSet<Place>) -> bool {
        let known = self.inside.entry(stream).or_default();
        let first = known.symmetric_difference(&places).next().map(|(at, _)| *at);
        *known = places;
        if let Some(first) = first {
            self.soil(first);
        }
        first.is_some()
    }

    /// Replaces the moments at which jobs inside its attempts set the worker's clock anew; tells whether that is news.
    pub(super) fn set_resets(&mut self, stream: StreamKey, resets: BTreeSet<Timestamp>) -> bool {
        self.streams.get_mut(&stream).is_some_and(|series| series.set_resets(resets))
    }

    /// Whether it runs inside other jobs, in some stream.
    pub(super) fn is_inner(&self) -> bool {
        self.inside.values().any(|places| !places.is_empty())
    }

    /// Its newest start of a job from a queue, and where.
    pub(super) fn newest_from_queue(&self) -> Option<(Timestamp, StreamKey)> {
        let is_inside = |stream, place| self.inside.get(stream).is_some_and(|places| places.contains(place));
        let newest = self.streams.iter().filter_map(|(stream, series)| {
            let mut starts = series.starts.keys().rev();
            Some((starts.find(|place| !is_inside(stream, *place))?.0, *stream))
        });
        newest.max()
    }
}

impl Ledger {
    /// A class's newest start of which the queue is not known; of a class that also runs inside other jobs, the newest
    /// that does not.
    #[must_use]
    pub fn newest_start_of(&self, class: &JobClass) -> Option<(Timestamp, StreamKey)> {
        match self.series.get(class).filter(|series| series.is_inner()) {
            Some(series) => series.newest_from_queue(),
            None => self.classes.get(class)?.newest_start,
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;
    use crate::domain::job::LineKey;

    fn place(ms: i64) -> Place {
        (Timestamp::from_ms(ms), LineKey(u64::try_from(ms).unwrap()))
    }

    /// Attempts that start at `first + n × every` and take `ms`, `count` of them.
    fn made(first: i64, every: i64, ms: i64, count: i64) -> Vec<Run> {
        let at = |n: i64| first + n * every;
        (0..count).map(|n| Run { from: place(at(n)), until: Timestamp::from_ms(at(n) + ms) }).collect()
    }

    #[track_caller]
    fn check(outer: &[Run], inner: &[Run], enqueued_ms: &[i64], expected: bool) {
        let was_enqueued = |from: Timestamp, until: Timestamp| {
            enqueued_ms.iter().any(|ms| (from..=until).contains(&Timestamp::from_ms(*ms)))
        };
        assert_eq!(is_inside(outer, inner, was_enqueued), expected);
    }

    #[test]
    fn a_class_runs_inside_another_where_each_of_ten_attempts_holds_as_many() {
        let outer = made(1_000_000, 30_000, 6_000, 12);
        check(&outer, &made(1_005_000, 30_000, 200, 12), &[], true);
        check(&outer, &made(1_005_000, 30_000, 200, 9), &[], false);
        let twice: Vec<Run> = [made(1_001_000, 30_000, 200, 12), made(1_003_000, 30_000, 200, 12)].concat();
        check(&outer, &twice, &[], true);
        check(&outer, &made(1_005_900, 30_000, 200, 12), &[], false);
        let outside = [made(1_005_000, 30_000, 200, 12), made(1_110_000, 1, 20, 1)].concat();
        check(&outer, &outside, &[], false);
        check(&made(1_000_000, 30_000, 6_000, 9), &made(1_005_000, 30_000, 200, 9), &[], false);
    }

    #[test]
    fn a_job_that_the_outer_one_dispatches_to_another_worker_is_none() {
        let outer = made(1_000_000, 30_000, 6_000, 12);
        let inner = made(1_005_000, 30_000, 200, 12);
        let each: Vec<i64> = (0..12).map(|n| 1_004_900 + n * 30_000).collect();
        check(&outer, &inner, &each, false);
        check(&outer, &inner, &[1_034_900, 1_094_900], true);
    }

    #[test]
    fn attempts_that_overlap_are_of_more_than_one_worker() {
        let ends = |ms: &[i64]| ms.iter().map(|ms| place(*ms)).collect::<BTreeSet<_>>();
        let starts: Vec<Place> = (0..12).map(|n| place(1_000 + n * 100)).collect();
        let one_by_one: Vec<i64> = (0..12).map(|n| 1_050 + n * 100).collect();
        assert_eq!(runs(starts.iter().copied(), &ends(&one_by_one)).map(|runs| runs.len()), Some(12));
        assert_eq!(runs(starts.iter().copied(), &ends(&one_by_one[..11])).map(|runs| runs.len()), Some(11));
        let overlapping: Vec<i64> = (0..12).map(|n| 1_150 + n * 100).collect();
        assert_eq!(runs(starts.iter().copied(), &ends(&overlapping)), None);
        assert_eq!(runs(starts[..9].iter().copied(), &ends(&one_by_one[..9])), None, "too few");
    }
}

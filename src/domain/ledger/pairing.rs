//! Which end belongs to which start, for lines without an id: by class and stream, at `end − runtime`.
//!
//! **Invariant:** the pairs depend on the *set* of starts and ends only, never on the order they came in:
//! what a new line can change is undone and paired again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::job_facts::{STAMP_TOLERANCE_MS, StreamKey, runtime_tolerance_ms};
use super::nesting::{self, Run};
use crate::domain::job::{LineKey, Runtime, SECOND_MS, Timestamp};

/// A start's or an end's place: its time, then its line.
pub type Place = (Timestamp, LineKey);

/// The widest a runtime can miss its start by.
const TOLERANCE_MAX_MS: i64 = STAMP_TOLERANCE_MS + SECOND_MS;

/// An end line without an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedEnd {
    /// When the line was stamped.
    pub at: Timestamp,
    /// Whether it says the attempt failed.
    pub is_failure: bool,
    /// Whether a failure may be tried again.
    pub may_retry: bool,
    /// How long the attempt ran, where printed.
    pub runtime: Option<Runtime>,
}

impl CountedEnd {
    /// Where on the axis of starts the end points to.
    fn target(self) -> Timestamp {
        self.at.minus_ms(self.runtime.map_or(0, |r| r.ms.max(0)))
    }
}

/// A start of the class in one stream: a line of its own, or implied by an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedStart {
    /// The failure that ended it.
    pub failure: Option<(LineKey, CountedEndTime)>,
    /// The success that ended it; after a failure of the same attempt it says nothing more.
    pub success: Option<(LineKey, CountedEndTime)>,
    /// Whether no start line was seen.
    pub is_implied: bool,
}

/// When an end line was stamped, and whether its failure may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedEndTime {
    /// When the line was stamped.
    pub at: Timestamp,
    /// Whether the failure may be tried again.
    pub may_retry: bool,
}

impl PairedStart {
    /// Whether neither end was seen.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.failure.is_none() && self.success.is_none()
    }

    /// The moment a retry may follow from: the end of a failure that no success of the attempt made final.
    #[must_use]
    pub fn retry_from(&self) -> Option<Timestamp> {
        match (self.failure, self.success) {
            (Some((_, end)), None) if end.may_retry => Some(end.at),
            _ => None,
        }
    }
}

/// The starts and ends of one class in one stream.
#[derive(Clone, Debug, Default)]
pub struct StreamSeries {
    /// Every start, its own line or implied.
    pub starts: BTreeMap<Place, PairedStart>,
    /// The starts without an end.
    pub open: BTreeSet<Place>,
    timed_ends: BTreeMap<Place, CountedEnd>,
    bare_ends: BTreeMap<Place, CountedEnd>,
    /// When end lines were stamped.
    ends: BTreeSet<Place>,
    /// Starts of other classes inside attempts of this one: the worker's clock begins anew there.
    resets: BTreeSet<Timestamp>,
    /// Start keys paired by each end, so that a pair can be undone.
    start_of_end: BTreeMap<LineKey, Place>,
    dirty_from: Option<Timestamp>,
}

impl StreamSeries {
    /// Takes a start line.
    pub fn add_start(&mut self, place: Place) {
        self.starts.insert(place, PairedStart::default());
        self.open.insert(place);
        self.soil(place.0);
    }

    /// Takes an end line.
    pub fn add_end(&mut self, line: LineKey, end: CountedEnd) {
        let target = end.target();
        let ends = if end.runtime.is_some() { &mut self.timed_ends } else { &mut self.bare_ends };
        ends.insert((target, line), end);
        self.ends.insert((end.at, line));
        self.soil(target);
    }

    /// The attempts by their own lines, where they follow each other one by one.
    pub(super) fn runs(&self) -> Option<Vec<Run>> {
        let own = self.starts.iter().filter(|(_, start)| !start.is_implied).map(|(place, _)| *place);
        nesting::runs(own, &self.ends)
    }

    /// Replaces the moments at which a job inside an attempt set the worker's clock anew: an end whose runtime leads to
    /// one of those is that of the attempt around it. Tells whether that is news.
    pub(super) fn set_resets(&mut self, resets: BTreeSet<Timestamp>) -> bool {
        let first = self.resets.symmetric_difference(&resets).next().copied();
        self.resets = resets;
        if let Some(first) = first {
            // The attempt around it began before.
            let around = self.starts.range(..(first, LineKey(0))).rfind(|(_, start)| !start.is_implied);
            self.soil(around.map_or(first, |((at, _), _)| *at));
        }
        first.is_some()
    }

    /// The lines that make up the starts which `is_kept`: starts, and ends.
    pub fn lines(&self, is_kept: impl Fn(Place) -> bool) -> (Vec<Place>, Vec<(LineKey, CountedEnd)>) {
        let starts = self.starts.iter().filter(|(place, start)| !start.is_implied && is_kept(**place));
        let ends = self.timed_ends.iter().chain(&self.bare_ends).map(|((_, line), end)| (*line, *end));
        let kept = ends.filter(|(line, _)| self.start_of_end.get(line).is_none_or(|place| is_kept(*place)));
        (starts.map(|(place, _)| *place).collect(), kept.collect())
    }

    fn soil(&mut self, at: Timestamp) {
        self.dirty_from = Some(self.dirty_from.map_or(at, |dirty| dirty.min(at)));
    }

    /// Pairs again what new lines can have changed, and returns the earliest moment at which a start may
    /// have come, gone, or changed its end. `None` where nothing was new.
    pub fn settle(&mut self, _stream: StreamKey) -> Option<Timestamp> {
        let dirty = self.dirty_from.take()?;
        // Four passes, each of which can move a pair by the tolerance.
        let from = dirty.minus_ms(TOLERANCE_MAX_MS.saturating_mul(4));
        let bare: Vec<(Place, CountedEnd)> =
            self.bare_ends.range((dirty, LineKey(0))..).map(|(p, e)| (*p, *e)).collect();
        let mut timed: Vec<(Place, CountedEnd)> =
            self.timed_ends.range((from, LineKey(0))..).map(|(p, e)| (*p, *e)).collect();
        for ((_, line), _) in timed.iter().chain(&bare) {
            self.unpair(*line);
        }
        // What is known to the millisecond goes first: a runtime in whole seconds would else take its
        // neighbour's start. A failure goes before the success that may follow it in the same attempt.
        timed.sort_by_key(|(place, end)| {
            (end.runtime.is_some_and(|r| r.is_whole_seconds), !end.is_failure, *place)
        });
        for (place, end) in timed {
            self.pair_timed(place, end);
        }
        for (place, end) in bare {
            self.pair_bare(place, end);
        }
        Some(from.minus_ms(TOLERANCE_MAX_MS))
    }

    fn unpair(&mut self, line: LineKey) {
        let Some(place) = self.start_of_end.remove(&line) else { return };
        let Some(start) = self.starts.get_mut(&place) else { return };
        if start.failure.is_some_and(|(of, _)| of == line) {
            start.failure = None;
        }
        if start.success.is_some_and(|(of, _)| of == line) {
            start.success = None;
        }
        if start.is_open() {
            if start.is_implied {
                self.starts.remove(&place);
                self.open.remove(&place);
            } else {
                self.open.insert(place);
            }
        }
    }

    /// Takes the start nearest to `end − runtime` that has no such end yet. A success may take a start
    /// that failed: `fail()` inside a job prints `FAIL`, then `DONE`.
    fn pair_timed(&mut self, (target, line): Place, end: CountedEnd) {
        let tolerance_ms = end.runtime.map_or(STAMP_TOLERANCE_MS, runtime_tolerance_ms);
        let is_wide = tolerance_ms > STAMP_TOLERANCE_MS;
        let window = (target.minus_ms(tolerance_ms), LineKey(0))
            ..=(target.plus_ms(STAMP_TOLERANCE_MS), LineKey(u64::MAX));
        let nearest = self
            .starts
            .range(window)
            .filter(|(_, start)| if end.is_failure { start.is_open() } else { start.success.is_none() })
            .min_by_key(|((at, key), start)| {
                // Where the window is a second wide, a start that nothing has ended is the likelier one, and of those
                // the oldest: with windows of one width that leaves an end without a start only where none is there.
                let off_ms = if is_wide { 0 } else { at.since_ms(target).saturating_abs() };
                (is_wide && !start.is_open(), off_ms, *at, *key)
            })
            .map(|(place, _)| *place);
        let place = nearest.or_else(|| self.around(target, tolerance_ms)).unwrap_or((target, line));
        self.end_start(place, line, end);
    }

    /// The open start of the attempt in which another job set the worker's clock anew at about `target`.
    fn around(&self, target: Timestamp, tolerance_ms: i64) -> Option<Place> {
        let near = target.minus_ms(tolerance_ms)..=target.plus_ms(STAMP_TOLERANCE_MS);
        let reset = self.resets.range(near).next()?;
        self.open.range(..=(*reset, LineKey(u64::MAX))).next_back().copied()
    }

    /// Without a runtime an end belongs to the oldest open start; a success right after a failure, with
    /// no start open, is the same attempt's second line.
    fn pair_bare(&mut self, (_, line): Place, end: CountedEnd) {
        let until = (end.at, LineKey(u64::MAX));
        let oldest_open = self.open.range(..=until).next().copied();
        let failed_last = || {
            let (place, start) = self.starts.range(..=until).next_back()?;
            (!end.is_failure && start.failure.is_some() && start.success.is_none()).then_some(*place)
        };
        let place = oldest_open.or_else(failed_last).unwrap_or((end.at, line));
        self.end_start(place, line, end);
    }

    fn end_start(&mut self, place: Place, line: LineKey, end: CountedEnd) {
        let start =
            self.starts.entry(place).or_insert(PairedStart { is_implied: true, ..PairedStart::default() });
        let time = CountedEndTime { at: end.at, may_retry: end.may_retry };
        if end.is_failure {
            start.failure = Some((line, time));
        } else {
            start.success = Some((line, time));
        }
        self.open.remove(&place);
        self.start_of_end.insert(line, place);
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;

    /// Feeds `R<ms>` starts, `D<end>-<runtime>` successes and `F<end>-<runtime>` failures in every rotation
    /// and asserts the same starts, printed as `at` + `~` implied + `F`/`D`/`o`.
    #[track_caller]
    fn check(lines: &[&str], expected: &str) {
        for turn in 0..lines.len() {
            for settle_each in [false, true] {
                let mut series = StreamSeries::default();
                for n in 0..lines.len() {
                    let ix = (n + turn) % lines.len();
                    add(&mut series, lines[ix], LineKey(ix as u64 + 1));
                    if settle_each {
                        series.settle(StreamKey(0));
                    }
                }
                series.settle(StreamKey(0));
                let got: Vec<String> = series.starts.iter().map(|((at, _), s)| print(*at, s)).collect();
                assert_eq!(got.join(" "), expected, "turn {turn}, settle_each {settle_each}");
                let open: Vec<_> =
                    series.starts.iter().filter(|(_, s)| s.is_open()).map(|(p, _)| *p).collect();
                assert_eq!(open, series.open.iter().copied().collect::<Vec<_>>());
            }
        }
    }

    fn print(at: Timestamp, start: &PairedStart) -> String {
        let mut text = at.as_ms().to_string();
        if start.is_implied {
            text.push('~');
        }
        if start.failure.is_some() {
            text.push('F');
        }
        if start.success.is_some() {
            text.push('D');
        }
        if start.is_open() {
            text.push('o');
        }
        text
    }

    #[test]
    fn an_end_that_leads_to_an_inner_start_is_that_of_the_attempt_around_it() {
        let mut series = StreamSeries::default();
        for (text, line) in [("R1000", 1), ("D7100-1s", 2), ("R9000", 3), ("D9100-100", 4)] {
            add(&mut series, text, LineKey(line));
        }
        series.settle(StreamKey(0));
        assert_eq!(series.starts.len(), 3, "one is implied");
        assert!(series.set_resets(BTreeSet::from([Timestamp::from_ms(6_000)])));
        series.settle(StreamKey(0));
        let got: Vec<String> = series.starts.iter().map(|((at, _), start)| print(*at, start)).collect();
        assert_eq!(got, ["1000D", "9000D"]);
        assert!(!series.set_resets(BTreeSet::from([Timestamp::from_ms(6_000)])));
        series.set_resets(BTreeSet::new());
        series.settle(StreamKey(0));
        assert_eq!(series.starts.len(), 3, "and back");
    }

    fn add(series: &mut StreamSeries, text: &str, line: LineKey) {
        let (kind, rest) = text.split_at(1);
        let (at, runtime) = rest.split_once('-').map_or((rest, None), |(a, r)| (a, Some(r)));
        let at = Timestamp::from_ms(at.parse().unwrap());
        if kind == "R" {
            return series.add_start((at, line));
        }
        let runtime = runtime.map(|r| match r.strip_suffix('s') {
            Some(seconds) => Runtime { ms: seconds.parse::<i64>().unwrap() * 1000, is_whole_seconds: true },
            None => Runtime { ms: r.parse().unwrap(), is_whole_seconds: false },
        });
        let is_failure = kind == "F";
        series.add_end(line, CountedEnd { at, is_failure, may_retry: is_failure, runtime });
    }

    #[test]
    fn an_end_meets_the_start_at_its_runtime() {
        check(&["R1000", "D1080-80"], "1000D");
        check(&["R1000", "R1100", "D1180-80", "D1080-80"], "1000D 1100D");
        check(&["R1000", "R1100", "D1180-80"], "1000o 1100D");
        check(&["R5000", "D30400-25s"], "5000D");
    }

    #[test]
    fn an_end_that_meets_no_start_implies_one() {
        check(&["D1080-80"], "1000~D");
        check(&["R2000", "D1080-80"], "1000~D 2000o");
        check(&["D1080"], "1080~D");
    }

    #[test]
    fn a_failure_and_the_success_of_the_same_attempt_end_one_start() {
        check(&["R1000", "F1001-1", "D1010-10"], "1000FD");
        check(&["R1000", "F1001-1", "D1010-10", "R1020", "D1030-10"], "1000FD 1020D");
        check(&["F1001-1", "D1010-10"], "1000~FD");
    }

    #[test]
    fn a_runtime_in_whole_seconds_leaves_its_neighbours_start_alone() {
        check(&["R1000", "D1490-490", "R1500", "F2550-1s"], "1000D 1500F");
        check(&["R1000", "F1490-490", "R1500", "D2550-1s"], "1000F 1500D");
        check(&["R1000", "F1900-900", "D2100-1s"], "1000FD");
        // Either start fits the first end, and only the later one the second.
        check(&["R26", "R377", "D1858-1s", "D3306-2s"], "26D 377D");
    }

    #[test]
    fn a_retry_has_its_own_start() {
        check(&["R1000", "F1030-30", "R3000", "D3020-20"], "1000F 3000D");
    }

    #[test]
    fn without_runtimes_the_oldest_open_start_ends_first() {
        check(&["R1000", "R1100", "D1180"], "1000D 1100o");
        check(&["R1000", "F1100", "D1101"], "1000FD");
        check(&["R1000", "F1100", "R1200", "D1300"], "1000F 1200D");
    }
}

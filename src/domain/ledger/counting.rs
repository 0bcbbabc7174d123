//! Matching by counting: which job of a class an id-less start is taken to be.
//!
//! In event time, a start takes the oldest job that is ready; a start that finds none continues the oldest
//! failure that may be retried, or is dropped. It is never banked: a start today must not pay for a job of
//! tomorrow. The number of jobs waiting is right; which of them waits is first-in-first-out, and said so.
//!
//! **Invariant:** the outcome depends on the sets of jobs and starts only; what a late line can change is
//! undone and matched again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use serde::{Deserialize, Serialize};

use super::life::Counted;
use super::pairing::{CountedEnd, Place, StreamSeries};
use super::record::{ENQUEUE_TOLERANCE_MS, State, StreamKey};
use crate::domain::job::{LineKey, Timestamp};

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

#[derive(Clone, Copy, Debug)]
struct Matched {
    outcome: Outcome,
    /// The last job taken by this start or one before it.
    last_job: Option<Place>,
    /// The last failure continued by this start or one before it.
    last_failure: Option<(Timestamp, StartKey)>,
}

/// The id-less lines of one class in one stream, as they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamLines {
    /// The stream.
    pub stream: StreamKey,
    /// Start lines.
    pub starts: Vec<Place>,
    /// End lines.
    pub ends: Vec<(LineKey, CountedEnd)>,
}

/// One class's waiting jobs and id-less starts.
#[derive(Clone, Debug, Default)]
pub struct ClassSeries {
    jobs: BTreeMap<Place, JobIx>,
    streams: BTreeMap<StreamKey, StreamSeries>,
    starts: BTreeMap<StartKey, Matched>,
    /// Failures that may be retried, by the end of the attempt; with the start that continues each.
    failures: BTreeMap<(Timestamp, StartKey), Option<StartKey>>,
    dirty_from: Option<Timestamp>,
}

impl ClassSeries {
    /// Whether a worker line of this class was ever seen without an id.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Takes a job that waits, at the moment it is ready.
    pub fn add_job(&mut self, place: Place, job: JobIx) {
        self.jobs.insert(place, job);
        self.soil(place.0.minus_ms(ENQUEUE_TOLERANCE_MS));
    }

    /// Takes back a job that its own lines showed started.
    pub fn remove_job(&mut self, place: Place) {
        self.jobs.remove(&place);
        self.soil(place.0.minus_ms(ENQUEUE_TOLERANCE_MS));
    }

    /// Takes a start line.
    pub fn add_start(&mut self, stream: StreamKey, place: Place) {
        self.streams.entry(stream).or_default().add_start(place);
    }

    /// Takes an end line.
    pub fn add_end(&mut self, stream: StreamKey, line: LineKey, end: CountedEnd) {
        self.streams.entry(stream).or_default().add_end(line, end);
    }

    fn soil(&mut self, at: Timestamp) {
        self.dirty_from = Some(self.dirty_from.map_or(at, |dirty| dirty.min(at)));
    }

    /// Matches again what new lines can have changed. `assign` is told of every job whose start is taken
    /// back (`None`) or found (`Some`), in that order.
    pub fn settle(&mut self, mut assign: impl FnMut(JobIx, Option<StartKey>)) {
        let soiled: Vec<Timestamp> =
            self.streams.iter_mut().filter_map(|(ix, series)| series.settle(*ix)).collect();
        for at in soiled {
            self.soil(at);
        }
        let Some(from) = self.dirty_from.take() else { return };
        if !self.is_counted() {
            return;
        }
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
        self.gather_failures(from);
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
    }

    fn walk(&mut self, from: Timestamp) -> Vec<(JobIx, StartKey)> {
        let mut keys: Vec<StartKey> = Vec::new();
        for (stream, series) in &self.streams {
            keys.extend(
                series.starts.range((from, LineKey(0))..).map(|((at, line), _)| (*at, *line, *stream)),
            );
        }
        keys.sort_unstable();
        let before = self.starts.last_key_value().map(|(_, matched)| *matched);
        let mut last_job = before.and_then(|m| m.last_job);
        let mut last_failure = before.and_then(|m| m.last_failure);
        let mut taken = Vec::new();
        for key in keys {
            let ready_by = key.0.plus_ms(ENQUEUE_TOLERANCE_MS);
            let after = last_job.map_or(Unbounded, Excluded);
            let next = self.jobs.range((after, Unbounded)).next();
            let outcome = match next {
                Some((place, job)) if place.0 <= ready_by => {
                    last_job = Some(*place);
                    taken.push((*job, key));
                    Outcome::Took(*job)
                }
                _ => match self.claim(last_failure, key) {
                    Some(failure) => {
                        last_failure = Some(failure);
                        Outcome::Retried
                    }
                    None => Outcome::Surplus,
                },
            };
            self.starts.insert(key, Matched { outcome, last_job, last_failure });
        }
        taken
    }

    fn claim(
        &mut self,
        last: Option<(Timestamp, StartKey)>,
        start: StartKey,
    ) -> Option<(Timestamp, StartKey)> {
        let after = last.map_or(Unbounded, Excluded);
        let (key, claimed_by) = self.failures.range_mut((after, Unbounded)).next()?;
        if key.0 > start.0 {
            return None;
        }
        *claimed_by = Some(start);
        Some(*key)
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

    fn paired(&self, (at, line, stream): StartKey) -> Option<&super::pairing::PairedStart> {
        self.streams.get(&stream)?.starts.get(&(at, line))
    }

    /// Starts without an end, at or after `from`.
    pub fn open_starts(&self, from: Timestamp) -> impl Iterator<Item = StartKey> + '_ {
        self.streams.iter().flat_map(move |(stream, series)| {
            series.open.range((from, LineKey(0))..).map(|(at, line)| (*at, *line, *stream))
        })
    }

    /// When its starts were.
    pub fn start_times(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.streams.values().flat_map(|series| series.starts.keys().map(|(at, _)| *at))
    }

    /// The newest start, whichever job it was.
    #[must_use]
    pub fn newest_start(&self) -> Option<Timestamp> {
        self.streams.values().filter_map(|s| s.starts.last_key_value()).map(|((at, _), _)| *at).max()
    }

    /// The jobs that were ready before `ready_before` and had not started before `started_by`.
    pub fn left(&self, ready_before: Timestamp, started_by: Timestamp) -> impl Iterator<Item = JobIx> + '_ {
        let first = (started_by, LineKey(0), StreamKey(0));
        let before = self.starts.range(..first).next_back().and_then(|(_, matched)| matched.last_job);
        let after = before.map_or(Unbounded, Excluded);
        // A lone bound below the other would panic.
        let is_any = before.is_none_or(|place| place.0 < ready_before);
        let until = if is_any { Excluded((ready_before, LineKey(0))) } else { Unbounded };
        self.jobs.range((after, until)).take_while(move |_| is_any).map(|(_, job)| *job)
    }

    /// The job a start was taken to be.
    #[must_use]
    pub fn job_of(&self, start: StartKey) -> Option<JobIx> {
        match self.starts.get(&start)?.outcome {
            Outcome::Took(job) => Some(job),
            Outcome::Retried | Outcome::Surplus => None,
        }
    }

    /// What can be settled for good: the jobs whose every attempt started before `before` and has ended, and the
    /// starts, those of nobody included, that need not be kept for them.
    #[must_use]
    pub fn past(&self, before: Timestamp) -> (Vec<(JobIx, Counted)>, BTreeSet<StartKey>) {
        let (mut jobs, mut starts) = (Vec::new(), BTreeSet::new());
        for (key, matched) in self.starts.range(..(before, LineKey(0), StreamKey(0))) {
            match matched.outcome {
                Outcome::Took(job) => {
                    let attempts = self.attempts(*key);
                    let (state, settled_at) = self.outcome(*key);
                    let is_past = attempts.last().is_some_and(|last| last.0 < before);
                    if is_past && state != State::Running {
                        let is_failure = state == State::Failed;
                        jobs.push((job, Counted { started_at: key.0, is_failure, settled_at }));
                        starts.extend(attempts);
                    }
                }
                Outcome::Surplus => {
                    starts.insert(*key);
                }
                Outcome::Retried => {}
            }
        }
        (jobs, starts)
    }

    /// The start and the retries that follow it.
    fn attempts(&self, start: StartKey) -> Vec<StartKey> {
        let mut attempts = vec![start];
        let mut key = start;
        while let Some(end) = self.paired(key).and_then(|paired| paired.failure).map(|(_, end)| end.at)
            && let Some(retry) = self.failures.get(&(end, key)).copied().flatten()
        {
            attempts.push(retry);
            key = retry;
        }
        attempts
    }

    /// The lines it was told of, but for those of the starts in `past`.
    #[must_use]
    pub fn lines(&self, past: &BTreeSet<StartKey>) -> Vec<StreamLines> {
        let of = |(stream, series): (&StreamKey, &StreamSeries)| {
            let (starts, ends) = series.lines(|(at, line)| !past.contains(&(at, line, *stream)));
            StreamLines { stream: *stream, starts, ends }
        };
        self.streams.iter().map(of).collect()
    }

    /// Takes back lines it was told of before.
    pub fn restore(&mut self, lines: StreamLines) {
        let series = self.streams.entry(lines.stream).or_default();
        for place in lines.starts {
            series.add_start(place);
        }
        for (line, end) in lines.ends {
            series.add_end(line, end);
        }
    }

    /// How many of the starts that took a job may have been retries instead: failures that nothing
    /// continued and no success made final. The count of waiting jobs may be short by that many.
    #[must_use]
    pub fn retries_unaccounted(&self) -> usize {
        self.failures.values().filter(|claimed_by| claimed_by.is_none()).count()
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;
    use crate::domain::job::Runtime;

    /// `J<ready>` jobs, `R<at>` starts, `D`/`F<end>-<runtime>` ends, given in every rotation; asserts each
    /// job's state as `ready:state`.
    #[track_caller]
    fn check(lines: &[&str], expected: &str) {
        for turn in 0..lines.len() {
            for settle_each in [false, true] {
                let mut series = ClassSeries::default();
                let mut starts: BTreeMap<JobIx, StartKey> = BTreeMap::new();
                let mut settle = |series: &mut ClassSeries| {
                    series.settle(|job, start| {
                        match start {
                            Some(start) => starts.insert(job, start),
                            None => starts.remove(&job),
                        };
                    });
                };
                for n in 0..lines.len() {
                    let ix = (n + turn) % lines.len();
                    add(&mut series, lines[ix], ix);
                    if settle_each {
                        settle(&mut series);
                    }
                }
                settle(&mut series);
                let got: Vec<String> = series
                    .jobs
                    .iter()
                    .map(|((ready, _), job)| {
                        let state = starts.get(job).map_or("pending", |s| series.outcome(*s).0.as_str());
                        format!("{}:{state}", ready.as_ms())
                    })
                    .collect();
                assert_eq!(got.join(" "), expected, "turn {turn}, settle_each {settle_each}");
            }
        }
    }

    fn add(series: &mut ClassSeries, text: &str, ix: usize) {
        let (kind, rest) = text.split_at(1);
        let (at, runtime) = rest.split_once('-').map_or((rest, None), |(a, r)| (a, Some(r)));
        let at = Timestamp::from_ms(at.parse().unwrap());
        let line = LineKey(ix as u64);
        match kind {
            "J" => series.add_job((at, line), JobIx(ix)),
            "R" => series.add_start(StreamKey(0), (at, line)),
            _ => {
                let runtime = runtime.map(|r| Runtime { ms: r.parse().unwrap(), is_whole_seconds: false });
                let is_failure = kind == "F";
                let end = CountedEnd { at, is_failure, may_retry: is_failure, runtime };
                series.add_end(StreamKey(0), line, end);
            }
        }
    }

    #[test]
    fn a_start_takes_the_oldest_ready_job() {
        check(&["J1000", "J2000", "R3000", "D3050-50"], "1000:processed 2000:pending");
        check(&["J1000", "R1500"], "1000:running");
    }

    #[test]
    fn a_start_may_come_five_seconds_before_its_enqueue_and_no_more() {
        check(&["J6000", "R1000"], "6000:running");
        check(&["J6001", "R1000"], "6001:pending");
    }

    #[test]
    fn a_surplus_start_is_dropped_never_banked() {
        check(&["R1000", "D1010-10", "R2000", "D2010-10", "J9000"], "9000:pending");
    }

    #[test]
    fn a_retry_continues_the_job_that_failed() {
        check(&["J1000", "R1100", "F1130-30", "R3000", "D3020-20"], "1000:processed");
        check(&["J1000", "R1100", "F1130-30"], "1000:failed");
        check(&["J1000", "R1100", "F1130-30", "D1140-40", "R9000", "D9020-20"], "1000:failed");
    }

    #[test]
    fn an_end_without_a_start_takes_a_job_all_the_same() {
        check(&["J1000", "D1180-80"], "1000:processed");
    }

    #[test]
    fn a_job_shown_started_by_its_own_lines_gives_its_start_back() {
        let mut series = ClassSeries::default();
        add(&mut series, "J1000", 0);
        add(&mut series, "J2000", 1);
        add(&mut series, "R3000", 2);
        series.settle(|_, _| {});
        series.remove_job((Timestamp::from_ms(1000), LineKey(0)));
        let mut told = Vec::new();
        series.settle(|job, start| told.push((job.0, start.is_some())));
        assert_eq!(told, [(0, false), (1, true)]);
    }
}

//! From when on a fault can be told, worked out from the truth and from when its lines arrived: what comes more than
//! two minutes after is late.
//!
//! After the product's contract: a stall is due at the latest of a job's readiness and the arrival of its enqueue line,
//! each with grace, the last start seen and grace, and the end of work in progress. Nothing here asks the product.

use std::collections::BTreeMap;

use super::Day;
use super::fault::{Due, Fault};
use super::history::{End, Said, Speaker};
use super::plan::Lane;
use super::span::{MINUTE, SECOND};
use super::style::Style;

/// How long after it is due a finding may take.
pub const SLACK_MS: i64 = 2 * MINUTE;

/// A job that was ready so much later and has started passes another over.
const PASSED_OVER_MS: i64 = 5 * SECOND;

/// How long an attempt may run, where longer runs have not been seen.
const TIMEOUT_MS: i64 = 5 * MINUTE;

/// When a fault can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// It cannot: it was over, or nobody had anything to do, before it showed.
    Never,
    /// It can, and the contract names no moment.
    Unnamed,
    /// From this moment on.
    At(i64),
}

/// An attempt, as its lines show it.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    job: usize,
    start_ms: i64,
    /// When the line of its start arrived.
    arrives_ms: i64,
    /// When its end was printed, or its worker's.
    left_ms: Option<i64>,
    /// How long it ran, where its own end was printed.
    run_ms: Option<i64>,
}

/// Attempts whose end has not been seen: where their sightings are.
type Open = BTreeMap<(usize, usize), (Lane, usize)>;

/// What can be seen of a day.
struct Sights<'a> {
    day: &'a Day,
    /// When each job's enqueue line arrived.
    enqueues: BTreeMap<usize, i64>,
    /// Attempts by lane, by start.
    attempts: BTreeMap<Lane, Vec<Sighting>>,
    /// When each refusal arrived.
    refusals: Vec<i64>,
    /// Bad ends by class: when the line arrived, whether it was for good.
    ends: BTreeMap<&'static str, Vec<(i64, End)>>,
}

/// When `fault` can be told, on this day as it was logged.
#[must_use]
pub fn due(day: &Day, fault: &Fault, style: Style) -> Deadline {
    let sights = Sights::of(day);
    let at = match fault.due {
        Due::Unnamed => return Deadline::Unnamed,
        Due::Stall => sights.jobs(fault).filter_map(|job| sights.stalls(job, fault)).min(),
        Due::Backlog => sights.jobs(fault).filter_map(|job| sights.is_late(job)).min(),
        Due::Failures => sights.failures(fault, style),
        Due::Refusals => sights.refusals(),
        Due::Timeout => sights.timeout(fault),
    };
    match at {
        Some(at) if at + SLACK_MS <= fault.span.to_ms => Deadline::At(at),
        Some(_) | None => Deadline::Never,
    }
}

impl<'a> Sights<'a> {
    fn of(day: &'a Day) -> Self {
        let mut arrived: BTreeMap<usize, i64> = BTreeMap::new();
        for delivery in &day.deliveries {
            for line in &delivery.lines {
                let first = arrived.entry(*line).or_insert(delivery.arrives_ms);
                *first = (*first).min(delivery.arrives_ms);
            }
        }
        let mut sights = Self {
            day,
            enqueues: BTreeMap::new(),
            attempts: BTreeMap::new(),
            refusals: Vec::new(),
            ends: BTreeMap::new(),
        };
        let mut open = Open::new();
        for (n, line) in day.lines.iter().enumerate() {
            let (Some((speaker, said)), Some(arrives_ms)) = (line.said, arrived.get(&n).copied()) else {
                continue;
            };
            match said {
                Said::Enqueued(job) => {
                    sights.enqueues.insert(job, arrives_ms);
                }
                Said::Refused => sights.refusals.push(arrives_ms),
                Said::Started(job, attempt) => {
                    let Some(lane) = day.history.jobs.get(job).map(|job| job.lane) else { continue };
                    let attempts = sights.attempts.entry(lane).or_default();
                    open.insert((job, attempt), (lane, attempts.len()));
                    attempts.push(Sighting {
                        job,
                        start_ms: line.at_ms,
                        arrives_ms,
                        left_ms: None,
                        run_ms: None,
                    });
                }
                Said::Ended(job, attempt) => sights.ended(&open, (job, attempt), line.at_ms, arrives_ms),
                Said::Killed | Said::Restarted | Said::Booted => {
                    // Whoever prints this has left what it was at.
                    let by = |(job, attempt): &(usize, usize)| {
                        let at = day.history.jobs.get(*job).and_then(|job| job.attempts.get(*attempt));
                        at.map(|at| Speaker::Worker(at.worker))
                    };
                    let its: Vec<_> =
                        open.keys().filter(|which| by(which) == Some(speaker)).copied().collect();
                    for which in its {
                        sights.left(&open, which, line.at_ms);
                        open.remove(&which);
                    }
                }
                Said::Threw(..)
                | Said::CannotFetch
                | Said::Paused(_)
                | Said::Resumed(_)
                | Said::Health
                | Said::Page
                | Said::Aside(_) => {}
            }
            if let Said::Ended(job, attempt) = said {
                open.remove(&(job, attempt));
            }
        }
        sights
    }

    fn ended(&mut self, open: &Open, which: (usize, usize), at_ms: i64, arrives_ms: i64) {
        if let Some(sighting) = self.left(open, which, at_ms) {
            sighting.run_ms = Some(at_ms - sighting.start_ms);
        }
        let Some(job) = self.day.history.jobs.get(which.0) else { return };
        if let Some((_, end)) = job.attempts.get(which.1).and_then(|attempt| attempt.end) {
            self.ends.entry(job.class).or_default().push((arrives_ms, end));
        }
    }

    /// Notes that nobody is at an attempt any more.
    fn left(&mut self, open: &Open, which: (usize, usize), at_ms: i64) -> Option<&mut Sighting> {
        let (lane, n) = open.get(&which)?;
        let sighting = self.attempts.get_mut(lane)?.get_mut(*n)?;
        sighting.left_ms = Some(at_ms);
        Some(sighting)
    }

    /// Jobs that a fault may strike: of its queues, ready before it is over and not long before it begins.
    fn jobs(&self, fault: &Fault) -> impl Iterator<Item = usize> {
        let (from_ms, to_ms) = (fault.span.from_ms - 2 * TIMEOUT_MS, fault.span.to_ms);
        self.day.history.jobs.iter().enumerate().filter_map(move |(n, job)| {
            let is_struck =
                fault.queues.contains(&job.lane.queue) && (from_ms..to_ms).contains(&job.ready_ms());
            is_struck.then_some(n)
        })
    }

    /// When a job is overdue, if it has not started by then.
    fn is_late(&self, n: usize) -> Option<i64> {
        let job = self.day.history.jobs.get(n)?;
        let overdue_ms = job.ready_ms().max(*self.enqueues.get(&n)?) + self.day.grace_ms;
        let has_started = self.starts(job.lane, overdue_ms).any(|seen| seen.job == n);
        (!has_started).then_some(overdue_ms)
    }

    /// Starts until a moment, as far as they have arrived by the end of its slack: what comes later nobody can wait for.
    fn starts(&self, lane: Lane, until_ms: i64) -> impl DoubleEndedIterator<Item = &Sighting> {
        let attempts = self.attempts.get(&lane).map_or(&[][..], Vec::as_slice);
        let end = attempts.partition_point(|seen| seen.start_ms <= until_ms);
        attempts.iter().take(end).filter(move |seen| seen.arrives_ms <= until_ms + SLACK_MS)
    }

    /// When a job makes a stall, if it does before the fault is over.
    fn stalls(&self, n: usize, fault: &Fault) -> Option<i64> {
        let job = self.day.history.jobs.get(n)?;
        let mut at = self.is_late(n)?;
        loop {
            if at > fault.span.to_ms {
                return None;
            }
            let mut later = at;
            for seen in self.starts(job.lane, at).rev() {
                let other_ms = self.day.history.jobs.get(seen.job)?.ready_ms();
                if seen.job == n || other_ms > job.ready_ms() + PASSED_OVER_MS {
                    return None;
                }
                // The last start and grace, and work in progress, whichever lasts longer.
                let until_ms = seen.start_ms + self.timeout_ms(seen);
                let busy_ms = seen.left_ms.map_or(until_ms, |left_ms| left_ms.min(until_ms));
                later = later.max(seen.start_ms + self.day.grace_ms).max(busy_ms);
                if seen.start_ms + 2 * TIMEOUT_MS < at.min(job.ready_ms()) {
                    break;
                }
            }
            if later == at {
                return (at >= fault.span.from_ms).then_some(at);
            }
            at = later;
        }
    }

    /// How long an attempt counts as work in progress: five minutes, or three times the longest run of its class.
    fn timeout_ms(&self, seen: &Sighting) -> i64 {
        let class = |job: usize| self.day.history.jobs.get(job).map(|job| job.class);
        let Some(lane) = self.day.history.jobs.get(seen.job).map(|job| job.lane) else { return TIMEOUT_MS };
        let before = self.starts(lane, seen.start_ms).filter(|other| class(other.job) == class(seen.job));
        let runs = before.filter(|other| other.start_ms < seen.start_ms).filter_map(|other| other.run_ms);
        runs.fold(TIMEOUT_MS, |longest, run_ms| longest.max(3 * run_ms))
    }

    /// When so many attempts of a class had ended badly in a row that it cannot be chance: five jobs for good where
    /// lines name jobs, else ten.
    fn failures(&self, fault: &Fault, style: Style) -> Option<i64> {
        let (wanted, counts): (usize, fn(End) -> bool) = match style {
            Style::Text => (10, |end| matches!(end, End::Failed | End::Released)),
            Style::Json | Style::Verbose | Style::Bracket => (5, |end| end == End::Failed),
        };
        let tenth = |ends: &Vec<(i64, End)>| {
            let mut in_a_row = 0;
            for (arrives_ms, end) in ends.iter().filter(|(at_ms, _)| *at_ms >= fault.span.from_ms) {
                if *end == End::Done {
                    in_a_row = 0;
                } else if counts(*end) {
                    in_a_row += 1;
                }
                if in_a_row == wanted {
                    return Some(*arrives_ms);
                }
            }
            None
        };
        self.ends.values().filter_map(tenth).min()
    }

    /// When the third refusal within five minutes arrived.
    fn refusals(&self) -> Option<i64> {
        let mut refusals = self.refusals.clone();
        refusals.sort_unstable();
        let third = refusals.windows(3).filter_map(|three| match three {
            [first, _, third] => (third - first <= 5 * MINUTE).then_some(*third),
            _ => None,
        });
        third.min()
    }

    /// When an attempt that began under the fault is past its timeout.
    fn timeout(&self, fault: &Fault) -> Option<i64> {
        let all = self.attempts.values().flatten();
        let under = all.filter(|seen| fault.span.holds(seen.start_ms));
        let past = under.filter_map(|seen| {
            let until_ms = seen.start_ms + self.timeout_ms(seen);
            seen.left_ms.is_none_or(|left_ms| left_ms > until_ms).then_some(until_ms)
        });
        past.min()
    }
}

//! Whether each job that waits or runs by its lines is still there, decided once, before any detector judges it.
//!
//! A job that waits by its lines may have been consumed where nobody could see it, and one that nobody takes may be
//! meant to wait. Four kinds of evidence say so, each by a threshold of its own, because each is wrong in its own way:
//!
//! - `coverage`: ends of attempts whose starts were never read tell how many lines are missing, and so how many jobs
//!   must seem to wait, or to run for ever;
//! - `silences`: a time without any start, in which an end shows that there was one;
//! - `shift`: starts without an id that fall on the jobs enqueued just before them, and are counted for older ones;
//! - `delays`: jobs of classes that usually wait this long, where delays are not logged; without ids, `prompt` starts of
//!   other jobs tell.
//!
//! One threshold cannot carry all four: a delay has to explain every overdue job at once, missing lines only as many
//! as are missing, and a shift is a property of a class's whole row of starts. So they stand side by side, and
//! [`decide`] combines them. One question is left to `stalled`, because only the stall knows when starts came back: which
//! jobs are [`silences::left_from_before`].

pub mod coverage;
pub mod delays;
pub mod prompt;
pub mod rhythm;
pub mod shift;
pub mod silences;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::incidents::Incident;
use crate::domain::job::{DAY_MS, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::coverage::Missing;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::{StuckAttempt, WaitingJob};
use coverage::Coverage;

/// How improbable an innocent explanation must be before it is dropped. Every enqueue is a new chance to be wrong, and a
/// queue may have thousands a day.
const CHANCE_MAX: f64 = 1e-4;
/// How long a job that was overtaken, or an attempt that does not end, is looked for before nobody can tell any more.
const LOOKED_FOR_MS: i64 = 3 * DAY_MS;

/// Whether a job that waits or runs by its lines is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It waits, or runs, as its lines say.
    Waits,
    /// It may be meant to wait longer. An attempt: the line of its end may still come.
    Delayed,
    /// It was consumed although no line of it was read. Lines that come late may disprove that.
    Hidden,
    /// Nobody can say any more what became of it.
    Unknown,
}

/// The presence of the jobs of one queue.
#[derive(Debug)]
pub struct Visibility<'a> {
    coverage: &'a Coverage<'a>,
    /// Of jobs that do not simply wait or run.
    presences: BTreeMap<JobIx, Presence>,
    /// Attempts that do not end and whose end may still be told of, until when.
    awaited: BTreeMap<AttemptKey, Timestamp>,
    /// Jobs hidden by a shift of what is counted.
    pub by_shift: BTreeSet<JobIx>,
    /// Overtaken jobs hidden by a silence.
    pub by_silence: BTreeSet<JobIx>,
    /// Overtaken jobs that were looked for too long.
    pub expired: Vec<JobIx>,
    /// Overtaken jobs whose starts are likely to be among the lines that are missing.
    pub unknown_starts: Vec<JobIx>,
    /// Attempts whose ends are likely to be among the lines that are missing.
    pub unknown_ends: Vec<JobIx>,
    /// When some of this may be decided otherwise.
    pub wake: Wake,
}

type AttemptKey = (Option<JobIx>, Timestamp, Timestamp);

impl Visibility<'_> {
    /// The presence of a job.
    #[must_use]
    pub fn of(&self, ix: JobIx) -> Presence {
        self.presences.get(&ix).copied().unwrap_or(Presence::Waits)
    }

    /// The presence of an attempt that does not end.
    #[must_use]
    pub fn of_attempt(&self, attempt: &StuckAttempt) -> Presence {
        let known = attempt.ix.and_then(|ix| self.presences.get(&ix).copied());
        let awaited = || self.awaited_until(attempt).map(|_| Presence::Delayed);
        known.or_else(awaited).unwrap_or(Presence::Waits)
    }

    /// Until when the end of an attempt may still be told of.
    #[must_use]
    pub fn awaited_until(&self, attempt: &StuckAttempt) -> Option<Timestamp> {
        self.awaited.get(&key_of(attempt)).copied()
    }

    /// The worker lines that are missing, where that is more than chance.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        self.coverage.missing()
    }
}

/// Until when an attempt that does not end is looked for.
#[must_use]
pub const fn looked_for_until(attempt: &StuckAttempt) -> Timestamp {
    attempt.stuck_at.plus_ms(LOOKED_FOR_MS)
}

/// Whether something told at `at` is as recent as jobs are looked for.
#[must_use]
pub fn is_looked_for_since(at: Timestamp, now: Timestamp) -> bool {
    now.since_ms(at) <= LOOKED_FOR_MS
}

/// Combines the evidence on the jobs of one queue. `past` is the newest incident about its overtaken jobs: it knows how
/// many have turned unknown of late.
#[must_use]
pub fn decide<'a>(place: &Place<'_>, coverage: &'a Coverage<'a>, past: Option<&Incident>) -> Visibility<'a> {
    let mut wake = Wake::default();
    let mut presences = BTreeMap::new();
    let mut set = |jobs: &mut dyn Iterator<Item = JobIx>, presence: Presence| {
        presences.extend(jobs.map(|ix| (ix, presence)));
    };
    // From the weakest evidence to the strongest: the last one stays.
    set(&mut delays::expected(place).into_iter(), Presence::Delayed);
    let turned = past.map(|incident| incident.detail.loss()).unwrap_or_default();
    let mut by_shift = shift::hidden(place);
    by_shift.extend(shift::still_gone(place, turned.gone_count));
    let mut by_silence = silences::hidden(place, &mut wake);
    let overtaken = sort_out(place, &by_shift, &by_silence, &mut wake);
    set(&mut overtaken.delayed.into_iter(), Presence::Delayed);
    let unknown_starts = coverage.unknown_starts(place, &turned, &overtaken.lost);
    let unknown_ends = coverage.unknown_ends(place, &turned);
    by_silence.retain(|ix| !overtaken.expired.contains(ix));
    set(&mut by_shift.iter().chain(&by_silence).copied(), Presence::Hidden);
    let unread = unknown_starts.iter().chain(&unknown_ends);
    set(&mut unread.chain(&overtaken.expired).copied(), Presence::Unknown);
    let expired_attempts = place.view.stuck.iter().filter(|it| looked_for_until(it) <= place.now);
    set(&mut expired_attempts.filter_map(|it| it.ix), Presence::Unknown);
    let until = |attempt: &StuckAttempt| Some((key_of(attempt), coverage.awaited_until(place, attempt)?));
    let awaited = place.view.stuck.iter().filter_map(until).collect();
    let expired = overtaken.expired.into_iter().collect();
    Visibility {
        coverage,
        presences,
        awaited,
        by_shift,
        by_silence,
        expired,
        unknown_starts,
        unknown_ends,
        wake,
    }
}

const fn key_of(attempt: &StuckAttempt) -> AttemptKey {
    (attempt.ix, attempt.started_at, attempt.stuck_at)
}

/// The overdue jobs of a queue that were overtaken.
#[derive(Default)]
struct Overtaken<'v> {
    /// Neither hidden nor delayed.
    lost: Vec<&'v WaitingJob>,
    /// Overtaken less long ago than their class usually waits.
    delayed: Vec<JobIx>,
    /// Looked for too long.
    expired: BTreeSet<JobIx>,
}

fn sort_out<'v>(
    place: &Place<'v>,
    by_shift: &BTreeSet<JobIx>,
    by_silence: &BTreeSet<JobIx>,
    wake: &mut Wake,
) -> Overtaken<'v> {
    let now = place.now;
    let mut sorted = Overtaken::default();
    for job in place.overtaken().filter(|job| job.due_at <= now) {
        let Some(overtaken_at) = job.overtaken_at else { continue };
        let lost_at = overtaken_at.plus_ms(delays::longest_ms(place, job)).max(job.due_at);
        let expires_at = job.due_at.plus_ms(LOOKED_FOR_MS);
        wake.at(lost_at, now);
        wake.at(expires_at, now);
        if expires_at <= now {
            sorted.expired.insert(job.ix);
        } else if lost_at > now {
            sorted.delayed.push(job.ix);
        } else if !by_silence.contains(&job.ix) && !by_shift.contains(&job.ix) {
            sorted.lost.push(job);
        }
    }
    sorted
}

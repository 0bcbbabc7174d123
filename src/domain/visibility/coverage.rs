//! Coverage: worker lines go missing all along, one here and one there; then some jobs are never seen to start, and some
//! attempts never to end, though nothing is wrong with them.
//!
//! Ends whose starts were never read tell how many lines are missing. As many jobs as that explains turn unknown; what
//! goes beyond is looked for as ever.

use std::cell::OnceCell;

use super::CHANCE_MAX;
use crate::domain::incidents::Loss;
use crate::domain::job::{HOUR_MS, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::coverage::Missing;
use crate::domain::ledger::{Ledger, QueueActivity};
use crate::domain::queues::place::Place;
use crate::domain::queues::view::{StuckAttempt, WaitingJob};

/// How far back jobs are counted to tell how many are to be expected: as long as a store remembers starts.
pub const WINDOW_MS: i64 = 2 * HOUR_MS;
/// How long an attempt that does not end is given until its stream tells of another: then its end was not read.
const AWAITED_MS: i64 = HOUR_MS;
/// Where fewer lines are missing, a job that was overtaken is lost and an attempt that does not end is stuck, as ever.
const SHARE_LEAST: f64 = 0.01;
/// Attempts of one job that ended in nothing and are no matter of lines any more.
const LOST_TWICE: usize = 2;

/// How well worker lines reach us. Few sweeps ask, and then each queue does, so that it is worked out once.
#[derive(Debug)]
pub struct Coverage<'a> {
    ledger: &'a Ledger,
    now: Timestamp,
    missing: OnceCell<Option<Missing>>,
}

impl<'a> Coverage<'a> {
    /// Of what is known at a moment.
    #[must_use]
    pub const fn of(ledger: &'a Ledger, now: Timestamp) -> Self {
        Self { ledger, now, missing: OnceCell::new() }
    }

    /// The worker lines that are missing, where that is more than chance.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        *self.missing.get_or_init(|| self.ledger.missing_lines(self.now))
    }

    /// The same, where that are so many that somebody should know.
    fn losing(&self) -> Option<Missing> {
        self.missing().filter(|missing| missing.share() >= SHARE_LEAST)
    }

    /// Of jobs that were overtaken, those that are likely to have been consumed by attempts of which no line was read:
    /// neither its start nor its end. `turned` tells of those that turned unknown before.
    pub(super) fn unknown_starts(
        &self,
        place: &Place<'_>,
        turned: &Loss,
        lost: &[&WaitingJob],
    ) -> Vec<JobIx> {
        let Some(missing) = self.losing_if(!lost.is_empty()) else { return Vec::new() };
        let (before, _) = turned_of_late(turned, place.now);
        let started = count(place, |facts, from| facts.firsts.range(from..).count());
        let both = missing.share().powi(2);
        // Those that were seen are what is left of all.
        let expected = share_of(started, both / (1.0 - both).max(both));
        let is_explained = is_explained(before.saturating_add(lost.len() as u64), expected);
        lost.iter().filter(|_| is_explained).map(|job| job.ix).collect()
    }

    /// Of attempts that do not end, those whose end is likely not to have been read: their stream tells of other jobs
    /// since. Who lost two workers did not lose lines.
    pub(super) fn unknown_ends(&self, place: &Place<'_>, turned: &Loss) -> Vec<JobIx> {
        let Some(missing) = self.losing_if(!place.view.stuck.is_empty()) else { return Vec::new() };
        let open: Vec<JobIx> =
            place.view.stuck.iter().filter_map(|attempt| went_on(self.ledger, attempt)).collect();
        let (_, before) = turned_of_late(turned, place.now);
        let started = count(place, |facts, from| facts.starts.range(from..).count());
        let expected = share_of(started, missing.share());
        if is_explained(before.saturating_add(open.len() as u64), expected) { open } else { Vec::new() }
    }

    /// Until when an attempt that does not end is given: so many lines are missing that its end may be one, and its stream
    /// has told of no other since.
    pub(super) fn awaited_until(&self, place: &Place<'_>, attempt: &StuckAttempt) -> Option<Timestamp> {
        let known = attempt.ix.and_then(|ix| self.ledger.job(ix)).map(|job| &job.known);
        let is_first = known.is_none_or(|known| known.attempts.lost().count() < LOST_TWICE);
        let until = attempt.stuck_at.plus_ms(AWAITED_MS);
        let is_awaited = is_first && until > place.now && went_on(self.ledger, attempt).is_none();
        (is_awaited && self.losing().is_some()).then_some(until)
    }

    fn losing_if(&self, is_asked: bool) -> Option<Missing> {
        if is_asked { self.losing() } else { None }
    }
}

/// Whose attempt it is, if it has a name and does not end, and its stream has told of others since.
fn went_on(ledger: &Ledger, attempt: &StuckAttempt) -> Option<JobIx> {
    let ix = attempt.ix?;
    let known = &ledger.job(ix)?.known;
    let (_, stream) = known.start()?;
    let newest = ledger.streams.get(stream)?.newest_worker_line;
    (known.attempts.lost().count() < LOST_TWICE && newest > Some(attempt.started_at)).then_some(ix)
}

/// How many jobs of a queue turned unknown of late: never seen to start, and never to end.
fn turned_of_late(turned: &Loss, now: Timestamp) -> (u64, u64) {
    let from = now.minus_ms(WINDOW_MS);
    let late = turned.turned_unknown.iter().filter(|(at, ..)| *at > from);
    late.fold((0, 0), |(starts, ends), turned| {
        (turned.1.saturating_add(starts), turned.2.saturating_add(ends))
    })
}

fn count(place: &Place<'_>, count: impl Fn(&QueueActivity, (Timestamp, JobIx)) -> usize) -> usize {
    let from = (place.now.minus_ms(WINDOW_MS), JobIx(0));
    place.facts().fold(0, |sum, facts| sum.saturating_add(count(facts, from)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs of two hours")]
fn share_of(count: usize, share: f64) -> f64 {
    count as f64 * share
}

/// Whether `count` may be chance where so many are to be expected: how probable it is that Poisson's law makes as many or
/// more.
#[expect(clippy::cast_precision_loss, reason = "counts of jobs of two hours")]
fn is_explained(count: u64, expected: f64) -> bool {
    if count as f64 <= expected {
        return true;
    }
    // The terms from `count` on grow less from the first; the first is taken by logarithms, which do not underflow.
    let first = (1..=count).fold(-expected, |log, n| log + expected.ln() - (n as f64).ln()).exp();
    let (mut sum, mut term) = (0.0, first);
    for n in count..count.saturating_add(1_000) {
        sum += term;
        term *= expected / (n as f64 + 1.0);
    }
    sum >= CHANCE_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_chance_allows_are_explained_and_not_more() {
        assert!(!is_explained(1, 0.0));
        assert!(is_explained(1, 0.01));
        assert!(!is_explained(2, 0.01));
        assert!(is_explained(2, 0.16));
        assert!(!is_explained(4, 0.16));
        assert!(is_explained(12, 4.0));
        assert!(!is_explained(16, 4.0));
        assert!(is_explained(1_100, 1_000.0));
        assert!(!is_explained(1_150, 1_000.0));
    }
}

//! Worker lines go missing all along, one here and one there: then some jobs are never seen to start, and some
//! attempts never to end, though nothing is wrong with them.
//!
//! It takes evidence, as a gap does: ends whose starts were never read tell how many lines are missing. As many jobs
//! as that explains turn unknown and are told once, by an incident that stays open while it goes on; what goes beyond
//! is looked for as ever.

use super::intent::CHANCE_MAX;
use super::{Planner, key_of};
use crate::domain::incidents::{Incident, JOBS_LISTED_MAX, Kind};
use crate::domain::job::{DAY_MS, HOUR_MS, Timestamp};
use crate::domain::ledger::LaneFacts;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::reads::Missing;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::{QueueView, StuckAttempt, WaitingJob};

/// How far back jobs are counted to tell how many are to be expected: as long as a store remembers starts.
const WINDOW_MS: i64 = 2 * HOUR_MS;
/// How long no more jobs may have turned unknown before it is over, where no line is seen to be missing any more.
const CALM_MS: i64 = HOUR_MS;
/// The same, where some are: on a queue that is hardly ever used, few jobs tell.
const CALM_MOST_MS: i64 = DAY_MS;
/// How long an attempt that does not end is given until its stream tells of another: then its end was not read.
const WORD_WITHIN_MS: i64 = HOUR_MS;
/// Where fewer lines are missing, a job that was passed over is lost and an attempt that does not end is stuck, as ever.
const SHARE_LEAST: f64 = 0.01;

impl Planner<'_> {
    /// The worker lines that are missing, where that is more than chance.
    pub(super) fn missing(&self) -> Option<Missing> {
        *self.missing.get_or_init(|| self.ledger.missing_lines(self.horizon.now))
    }

    /// The same, where that are so many that somebody should know.
    fn losing(&self) -> Option<Missing> {
        self.missing().filter(|missing| missing.share() >= SHARE_LEAST)
    }

    /// Of jobs that were passed over, those that are likely to have been consumed by attempts of which no line was
    /// read: neither its start nor its end.
    pub(super) fn passed_over_unread(&self, lane: &QueueRef, lost: &[&WaitingJob]) -> Vec<JobIx> {
        let Some(missing) = self.losing().filter(|_| !lost.is_empty()) else { return Vec::new() };
        let (before, _) = self.turned_of_late(lane);
        let started = self.count_at(lane, |facts, from| facts.firsts.range(from..).count());
        let both = missing.share().powi(2);
        // Those that were seen are what is left of all.
        let expected = share_of(started, both / (1.0 - both).max(both));
        let is_explained = is_explained(before.saturating_add(lost.len() as u64), expected);
        lost.iter().filter(|_| is_explained).map(|job| job.ix).collect()
    }

    /// Of attempts that do not end, those whose end is likely not to have been read: their stream tells of other jobs
    /// since. Who lost two workers did not lose lines.
    pub(super) fn ends_unread(&self, lane: &QueueRef, view: &QueueView) -> Vec<JobIx> {
        let Some(missing) = self.losing().filter(|_| !view.stuck.is_empty()) else { return Vec::new() };
        let open: Vec<JobIx> = view.stuck.iter().filter_map(|attempt| self.went_on(attempt)).collect();
        let (_, before) = self.turned_of_late(lane);
        let started = self.count_at(lane, |facts, from| facts.starts.range(from..).count());
        let expected = share_of(started, missing.share());
        if is_explained(before.saturating_add(open.len() as u64), expected) { open } else { Vec::new() }
    }

    /// How many jobs of a place turned unknown of late: never seen to start, and never to end.
    fn turned_of_late(&self, lane: &QueueRef) -> (u64, u64) {
        let from = self.horizon.now.minus_ms(WINDOW_MS);
        let of = self.book.newest.get(&key_of(Kind::Lost, lane)).map(|of| of.turned_unknown.as_slice());
        let late = of.unwrap_or_default().iter().filter(|(at, ..)| *at > from);
        late.fold((0, 0), |(starts, ends), turned| {
            (turned.1.saturating_add(starts), turned.2.saturating_add(ends))
        })
    }

    fn count_at(&self, lane: &QueueRef, count: impl Fn(&LaneFacts, (Timestamp, JobIx)) -> usize) -> usize {
        let from = (self.horizon.now.minus_ms(WINDOW_MS), JobIx(0));
        let here = self.ledger.lanes().filter(|(raw, _)| self.is_at(*raw, lane));
        here.fold(0, |sum, (_, facts)| sum.saturating_add(count(facts, from)))
    }

    /// Whether an attempt that does not end is given a while: so many lines are missing that its end may be one, and
    /// its stream has told of no other since.
    pub(super) fn is_waited_for(&mut self, attempt: &StuckAttempt) -> bool {
        let is_lossy = self.losing().is_some();
        let known = attempt.ix.and_then(|ix| self.ledger.job(ix)).map(|job| &job.known);
        let is_first = known.is_none_or(|known| known.attempts.lost().count() < 2);
        let until = attempt.stuck_at.plus_ms(WORD_WITHIN_MS);
        if !is_lossy || !is_first || self.went_on(attempt).is_some() || until <= self.horizon.now {
            return false;
        }
        self.plan.wake.at(until, self.horizon.now);
        self.is_word_awaited = true;
        true
    }

    /// Whose attempt it is, if it has a name and does not end, and its stream has told of others since.
    fn went_on(&self, attempt: &StuckAttempt) -> Option<JobIx> {
        let ix = attempt.ix?;
        let known = &self.ledger.job(ix)?.known;
        let (_, stream) = known.start()?;
        let newest = self.ledger.streams.get(stream)?.newest_worker_line;
        (known.attempts.lost().count() < 2 && newest > Some(attempt.started_at)).then_some(ix)
    }

    /// Notes with the incident of a place who has turned unknown there because lines are missing.
    pub(super) fn follow_unread(&mut self, incident: &mut Incident, unread: &Unread) {
        let now = self.horizon.now;
        // Once is told once. Where lines go missing all along, the incident stays open meanwhile, and is about these jobs.
        if unread.count() > 0 && self.missing().is_some() {
            let named = || unread.starts.iter().chain(&unread.ends);
            incident.jobs_count = incident.jobs_count.max(incident.given_up);
            let room = JOBS_LISTED_MAX.saturating_sub(incident.jobs.len());
            incident.jobs.extend(named().take(room).map(|ix| self.listed(*ix)));
            let oldest = named().filter_map(|ix| self.ledger.job(*ix)?.known.ready_at(0)).min();
            incident.oldest_ready_at = incident.oldest_ready_at.or(oldest);
            let traits = &self.ledger.traits;
            let is_counted = !traits.worker_has_uuid && !traits.worker_has_id;
            incident.matched_by = incident.matched_by.or(Some(self.told_by(is_counted)));
            incident.calm_since = Some(now);
            let from = now.minus_ms(WINDOW_MS);
            incident.turned_unknown.retain(|(at, ..)| *at > from);
            incident.turned_unknown.push((now, unread.starts.len() as u64, unread.ends.len() as u64));
        }
        if let Some(since) = incident.calm_since {
            self.plan.wake.at(since.plus_ms(CALM_MS), now);
            self.plan.wake.at(since.plus_ms(CALM_MOST_MS), now);
        }
    }

    /// Whether lines are missing still, as far as can be told.
    pub(super) fn is_unread_lately(&self, incident: &Incident) -> bool {
        let calm_ms = if self.missing().is_some() { CALM_MOST_MS } else { CALM_MS };
        incident.calm_since.is_some_and(|since| since.plus_ms(calm_ms) > self.horizon.now)
    }
}

/// Jobs that turn unknown because lines of workers are missing.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Never seen to start.
    pub(super) starts: Vec<JobIx>,
    /// Never seen to end.
    pub(super) ends: Vec<JobIx>,
    /// Found by counting alone.
    pub(super) counted: u64,
}

impl Unread {
    pub(super) fn count(&self) -> u64 {
        self.counted.saturating_add(self.starts.len() as u64).saturating_add(self.ends.len() as u64)
    }
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

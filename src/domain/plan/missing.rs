//! Worker lines go missing all along, one here and one there: then some jobs are never seen to start, and some
//! attempts never to end, though nothing is wrong with them.
//!
//! It takes evidence, as a gap does: ends whose starts were never read tell how many lines are missing. As many jobs
//! as that explains turn unknown and are told once, by an incident that stays open while it goes on; what goes beyond
//! is looked for as ever.

use std::ops::RangeInclusive;

use super::Planner;
use crate::domain::detect::queues::{QueueView, StuckAttempt, WaitingJob};
use crate::domain::incident::{Incident, JOBS_LISTED_MAX, MatchedBy};
use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::ledger::LaneFacts;
use crate::domain::ledger::class::Lane;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::reads::Missing;

/// Around the jobs that are in question, how far others are counted to tell how many are to be expected.
const AROUND_MS: i64 = 10 * MINUTE_MS;
/// So many standard deviations above what is expected are chance, and a job or two beyond.
const DEVIATIONS: f64 = 4.0;
const BEYOND: f64 = 2.0;
/// How long no more jobs may have turned unknown before it is over, where no line is seen to be missing any more.
const CALM_MS: i64 = HOUR_MS;
/// The same, where some are: on a queue that is hardly ever used, few jobs tell.
const CALM_MOST_MS: i64 = DAY_MS;
/// How long an attempt that does not end is given until its stream tells of another: then its end was not read.
const WORD_WITHIN_MS: i64 = HOUR_MS;
/// Where fewer lines are missing, an attempt that does not end is stuck as ever.
const SHARE_LEAST: f64 = 0.01;

impl Planner<'_> {
    /// The worker lines that are missing, where that is more than chance.
    pub(super) fn missing(&self) -> Option<Missing> {
        *self.missing.get_or_init(|| self.ledger.missing_lines(self.horizon.now))
    }

    /// Of jobs that were passed over, those that are likely to have been consumed by attempts of which no line was
    /// read: neither its start nor its end.
    pub(super) fn passed_over_unread(&self, lane: &Lane, lost: &[&WaitingJob]) -> Vec<JobIx> {
        let (Some(oldest), Some(newest)) = (lost.first(), lost.last()) else { return Vec::new() };
        let Some(missing) = self.missing() else { return Vec::new() };
        let around = around(oldest.ready_at, newest.ready_at);
        let firsts = |facts: &LaneFacts| facts.firsts.range(around.clone()).count();
        let started: usize = self
            .ledger
            .lanes()
            .filter(|(raw, _)| self.is_at(raw, lane))
            .map(|(_, facts)| firsts(facts))
            .sum();
        let both = missing.share().powi(2);
        // Those that were seen are what is left of all.
        if is_explained(lost.len(), started, both / (1.0 - both).max(f64::EPSILON)) {
            lost.iter().map(|job| job.ix).collect()
        } else {
            Vec::new()
        }
    }

    /// Of attempts that do not end, those whose end is likely not to have been read: their stream tells of other jobs
    /// since. Who lost two workers did not lose lines.
    pub(super) fn ends_unread(&self, lane: &Lane, view: &QueueView) -> Vec<JobIx> {
        if view.stuck.is_empty() {
            return Vec::new();
        }
        let Some(missing) = self.missing() else { return Vec::new() };
        let open: Vec<(Timestamp, JobIx)> =
            view.stuck.iter().filter_map(|attempt| self.went_on(attempt)).collect();
        let (Some(oldest), Some(newest)) = (open.iter().min(), open.iter().max()) else { return Vec::new() };
        let around = around(oldest.0, newest.0);
        let starts = |facts: &LaneFacts| facts.starts.range(around.clone()).count();
        let started: usize = self
            .ledger
            .lanes()
            .filter(|(raw, _)| self.is_at(raw, lane))
            .map(|(_, facts)| starts(facts))
            .sum();
        if is_explained(open.len(), started, missing.share()) {
            open.into_iter().map(|(_, ix)| ix).collect()
        } else {
            Vec::new()
        }
    }

    /// Whether an attempt that does not end is given a while: so many lines are missing that its end may be one, and
    /// its stream has told of no other since.
    pub(super) fn is_waited_for(&mut self, attempt: &StuckAttempt) -> bool {
        let is_lossy = self.missing().is_some_and(|missing| missing.share() >= SHARE_LEAST);
        let known = attempt.ix.and_then(|ix| self.ledger.job(ix)).map(|job| &job.known);
        let is_first = known.is_none_or(|known| known.attempts.lost().count() < 2);
        let until = attempt.stuck_at.plus_ms(WORD_WITHIN_MS);
        if !is_lossy || !is_first || self.went_on(attempt).is_some() || until <= self.horizon.now {
            return false;
        }
        self.plan.wake.at(until, self.horizon.now);
        true
    }

    /// An attempt with a name that does not end, whose stream has told of others since: when it started, and whose.
    fn went_on(&self, attempt: &StuckAttempt) -> Option<(Timestamp, JobIx)> {
        let ix = attempt.ix?;
        let known = &self.ledger.job(ix)?.known;
        let (_, stream) = known.start()?;
        let newest = self.ledger.streams.get(stream)?.newest_worker_line;
        (known.attempts.lost().count() < 2 && newest > Some(attempt.started_at))
            .then_some((attempt.started_at, ix))
    }

    /// Notes with the incident of a place how many of its jobs have turned unknown now, and those that are known to.
    pub(super) fn follow_unread(&mut self, incident: &mut Incident, turned: u64, unread: &[JobIx]) {
        let now = self.horizon.now;
        incident.given_up = incident.given_up.saturating_add(turned);
        // Once is told once. Where lines go missing all along, the incident stays open meanwhile, and is about these jobs.
        if turned > 0 && self.missing().is_some() {
            incident.jobs_count = incident.jobs_count.max(incident.given_up);
            let room = JOBS_LISTED_MAX.saturating_sub(incident.jobs.len());
            incident.jobs.extend(unread.iter().take(room).map(|ix| self.listed(*ix)));
            let oldest = unread.iter().filter_map(|ix| self.ledger.job(*ix)?.known.ready_at(0)).min();
            incident.oldest_ready_at = incident.oldest_ready_at.or(oldest);
            let traits = &self.ledger.traits;
            let by = match (traits.worker_has_uuid, traits.worker_has_id) {
                (true, _) => MatchedBy::Uuid,
                (false, true) => MatchedBy::Id,
                (false, false) => MatchedBy::Count,
            };
            incident.matched_by = incident.matched_by.or(Some(by));
            incident.calm_since = Some(now);
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

fn around(oldest: Timestamp, newest: Timestamp) -> RangeInclusive<(Timestamp, JobIx)> {
    (oldest.minus_ms(AROUND_MS), JobIx(0))..=(newest.plus_ms(AROUND_MS), JobIx(usize::MAX))
}

/// Whether `count` may be chance, where `share` of `of` are to be expected.
#[expect(clippy::cast_precision_loss, reason = "counts of jobs of some minutes")]
fn is_explained(count: usize, of: usize, share: f64) -> bool {
    let expected = of as f64 * share;
    count as f64 <= DEVIATIONS.mul_add(expected.sqrt(), expected) + BEYOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_chance_allows_are_explained_and_not_more() {
        assert!(is_explained(1, 0, 0.04));
        assert!(!is_explained(3, 0, 0.04));
        assert!(is_explained(8, 100, 0.04));
        assert!(!is_explained(20, 100, 0.04));
        assert!(is_explained(40, 200, 0.2));
        assert!(!is_explained(80, 200, 0.2));
    }
}

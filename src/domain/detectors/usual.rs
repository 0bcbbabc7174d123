//! How often attempts of a class fail as a rule, and how improbable a row of failures is beside it.
//!
//! A class that polls by exception fails four times out of five and is well; one that never failed before and fails five
//! times in a row is not. What an incident has told of already is no rule.

use crate::domain::incidents::{Incident, Rise};
use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::ledger::class::ClassFacts;
use crate::domain::ledger::outcomes::Verdict;

/// Ends that must be known before they make a rule.
const ENDS_LEAST: u64 = 20;
/// How many of them must have been good: what only fails has no rule yet.
const GOOD_LEAST: u64 = 3;
/// How improbable failures must be. A class may begin some 500 rows of failures a day, and each is a chance to be wrong:
/// once in half a year.
const CHANCE_MAX: f64 = 1e-5;

/// How much more often attempts must fail than before, of a hundred, and how many failures that takes: a few are not told.
const RISE_LEAST_PERCENT: u64 = 10;
const RISE_FAILURES_LEAST: u64 = 10;

/// A class that fails three times in ten has less than two failures among so many ends once in three thousand times: then
/// it is over.
pub(super) const STILL_ENDS: usize = 30;
pub(super) const STILL_FAILED: usize = 2;

/// How much more often a class fails in this hour, or in this and the last one, than in those before; none where that may
/// be chance. While `past` is open, those before it began; hours that it told of are not asked again.
#[must_use]
pub(super) fn rise(facts: &ClassFacts, past: Option<&Incident>, now: Timestamp) -> Option<Rise> {
    let since = past.filter(|past| past.is_open()).map(|past| past.since.unwrap_or(past.opened_at));
    let told_until = past.and_then(|past| past.resolved_at);
    [0, HOUR_MS].into_iter().find_map(|back_ms| {
        let from = now.minus_ms(back_ms);
        if told_until.is_some_and(|told| told.plus_ms(HOUR_MS) > from) {
            return None;
        }
        let (good, failed) = facts.rates.between(from, now);
        let until = since.map_or(from, |since| since.min(from)).minus_ms(HOUR_MS);
        let before = facts.rates.between(Timestamp::from_ms(0), until);
        let all = good.saturating_add(failed);
        let rise = Rise {
            percent: percent(failed, all),
            before: percent(before.1, before.0.saturating_add(before.1)),
        };
        let is_much = failed >= RISE_FAILURES_LEAST
            && rise.percent >= rise.before.saturating_add(RISE_LEAST_PERCENT)
            && Usual::of(before)?.is_exceeded(failed, all);
        is_much.then_some(rise)
    })
}

const fn percent(part: u64, of: u64) -> u64 {
    match part.saturating_mul(100).checked_div(of) {
        Some(percent) => percent,
        None => 0,
    }
}

/// The share of attempts that fail as a rule: an upper estimate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual(f64);

impl Usual {
    /// What the ends of a class before `until` show, without those that `past`, the newest incident about the class, has
    /// told of; none where they are too few.
    #[must_use]
    pub(super) fn before(until: Timestamp, facts: &ClassFacts, past: Option<&Incident>) -> Option<Self> {
        let told = past.map(|it| (it.since.unwrap_or(it.opened_at), it.resolved_at));
        // While an incident is open, what was before it is what was usual.
        let until = told.filter(|(_, to)| to.is_none()).map_or(until, |(since, _)| since.min(until));
        let told = told.and_then(|(since, to)| Some((since.minute(), to?.plus_ms(MINUTE_MS))));
        let is_told = |at: Timestamp| told.is_some_and(|(since, to)| at >= since && at < to);
        // The last hour tells most; of a class that seldom runs, its last ends of the day do.
        let minutes = facts.throughput_by_minute(until.minus_ms(HOUR_MS), until);
        let hour = count(minutes.filter(|(at, _)| !is_told(*at)).map(|(_, it)| (it.good, it.bad)));
        let ends = facts.outcomes.newest_first(until.minus_ms(DAY_MS), until.minus_ms(1));
        let ends = ends.filter(|(at, _)| !is_told(*at)).map(|(_, end)| match end.verdict {
            Verdict::Good | Verdict::Released => (1, 0),
            Verdict::Bad | Verdict::Final => (0, 1),
        });
        Self::of(hour).or_else(|| Self::of(count(ends)))
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
    fn of((good, bad): (u64, u64)) -> Option<Self> {
        let all = good.saturating_add(bad);
        if all < ENDS_LEAST || good < GOOD_LEAST {
            return None;
        }
        let (bad, all) = (bad as f64, all as f64);
        // By Laplace's rule, and one standard error more.
        let share = (bad + 1.0) / (all + 2.0);
        let error = (share * (1.0 - share) / all).sqrt();
        Some(Self((share + error).min(1.0)))
    }

    /// Whether so many bad ends among `all` are more than chance: by Chernoff's bound on the tail of a binomial
    /// distribution.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
    pub(super) fn is_exceeded(self, bad: u64, all: u64) -> bool {
        let Self(usual) = self;
        let share = bad as f64 / all.max(1) as f64;
        if share <= usual {
            return false;
        }
        let term = |part: f64, of: f64| if part > 0.0 { part * (part / of).ln() } else { 0.0 };
        let divergence = term(share, usual) + term(1.0 - share, 1.0 - usual);
        (-divergence * all as f64).exp() <= CHANCE_MAX
    }
}

fn count(ends: impl Iterator<Item = (u64, u64)>) -> (u64, u64) {
    ends.fold((0, 0), |(good, bad): (u64, u64), end| (good.saturating_add(end.0), bad.saturating_add(end.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After so many good and bad ends, whether a row of bad ones is more than chance, from the first length that is.
    #[track_caller]
    fn check(good: u64, bad: u64, first: Option<u64>) {
        let usual = Usual::of((good, bad));
        let found = usual.and_then(|usual| (1..500).find(|row| usual.is_exceeded(*row, *row)));
        assert_eq!(found, first, "{usual:?}");
    }

    #[test]
    fn the_more_often_attempts_fail_the_longer_must_a_row_be() {
        check(1_000, 0, Some(2));
        check(95, 5, Some(5));
        check(67, 33, Some(12));
        check(20, 80, Some(64));
    }

    #[test]
    fn a_few_ends_and_failures_alone_are_no_rule() {
        check(10, 9, None);
        check(2, 80, None);
    }

    #[test]
    fn a_share_must_be_beyond_chance_too() {
        let usual = Usual::of((20, 80)).unwrap();
        assert!(!usual.is_exceeded(15, 16));
        assert!(usual.is_exceeded(99, 100));
        assert!(!usual.is_exceeded(0, 0));
    }
}

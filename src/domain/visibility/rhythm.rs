//! Rhythm: a queue whose workers come at set times, as cron starts them with `--stop-when-empty`. Between two rounds its
//! jobs wait, however long, and nothing is wrong; when a round does not come, something is.
//!
//! A round is a first start after a silence in which a job waited. Rounds at the same place of a period, one after the
//! other, are no chance.

use crate::domain::incidents::Round;
use crate::domain::job::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::ledger::SLOW_MS;
use crate::domain::ledger::counting::JobIx;
use crate::domain::queues::place::Place;

/// The periods that people write into a crontab, in minutes, the longest first: what keeps one keeps its parts, too.
const PERIODS_MINUTES: [i64; 12] = [1_440, 720, 480, 360, 240, 180, 120, 60, 30, 20, 15, 10];
/// Rounds remembered, the newest.
const ROUNDS_MAX: usize = 6;
/// Of so many rounds one may be out of its place: somebody started workers by hand.
const EXAMINED: usize = 5;
/// Rounds that make a rhythm: by chance four of five fall within a minute of ten one time in fifty, three within one of
/// an hour one time in a hundred.
const ROUNDS_LEAST: usize = 4;
const ROUNDS_LEAST_OF_HOURS: usize = 3;
/// How far from its place a round may be: cron is exact, a container takes a while to start.
const APART_MS: i64 = 30 * SECOND_MS;
/// How long after a full minute a round of cron begins: a second or two until the worker is up, and as many until its
/// first job.
const ON_THE_MINUTE_MS: i64 = 6 * SECOND_MS;
/// A silence shorter than this is the pause between two jobs.
const SILENT_LEAST_MS: i64 = 2 * MINUTE_MS;
/// A job that was taken within this met a worker that was there.
const PROMPT_MS: i64 = 10 * SECOND_MS;
/// How many of those, late in a period, show that workers stay.
const STAYED_LEAST: usize = 3;

/// A rhythm that a queue keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From one round to the next.
    pub period_ms: i64,
    /// One of its rounds.
    round: Timestamp,
}

impl Rhythm {
    /// The rhythm of these rounds, if they keep one.
    #[must_use]
    pub fn of(rounds: &[Round]) -> Option<Self> {
        let newest = rounds.get(rounds.len().saturating_sub(EXAMINED)..)?;
        PERIODS_MINUTES.iter().find_map(|minutes| {
            let period_ms = minutes.saturating_mul(MINUTE_MS);
            let least = if period_ms < HOUR_MS { ROUNDS_LEAST } else { ROUNDS_LEAST_OF_HOURS };
            // While it was silent for less, workers were there.
            let is_whole = |round: &&Round| round.silent_ms >= period_ms.wrapping_div(2);
            newest.iter().filter(is_whole).find_map(|first| {
                let rhythm = Self { period_ms, round: first.at };
                let kept = newest.iter().filter(is_whole).filter(|it| rhythm.off_ms(it.at) <= APART_MS);
                (kept.count() >= least).then_some(rhythm)
            })
        })
    }

    /// The same, of the newest two where both began with a full minute, a period apart: by chance one of a hundred pairs
    /// does, and few of those are as far apart as people write into a crontab. Between rounds no job may have waited for
    /// longer than the period, which tells it from its multiples, and none may have been taken at once.
    fn by_the_clock(rounds: &[Round], waits: &[(Timestamp, i64)]) -> Option<Self> {
        let [.., before, newest] = rounds else { return None };
        let is_on_the_minute = |at: Timestamp| at.as_ms().rem_euclid(MINUTE_MS) <= ON_THE_MINUTE_MS;
        if !is_on_the_minute(before.at) || !is_on_the_minute(newest.at) {
            return None;
        }
        let from = before.at.minus_ms(APART_MS);
        let since = || waits.iter().filter(|(at, _)| *at >= from);
        let longest_ms = since().map(|(_, waited_ms)| *waited_ms).max()?.saturating_sub(APART_MS);
        let mut periods = PERIODS_MINUTES.iter().rev().map(|minutes| minutes.saturating_mul(MINUTE_MS));
        let rhythm = periods.find_map(|period_ms| {
            let rhythm = Self { period_ms, round: newest.at };
            let is_whole = before.silent_ms.min(newest.silent_ms) >= period_ms.wrapping_div(2);
            (period_ms >= longest_ms && is_whole && rhythm.off_ms(before.at) <= APART_MS).then_some(rhythm)
        })?;
        (!since().any(|start| rhythm.is_prompt(*start))).then_some(rhythm)
    }

    /// Whether a job was taken at once, late in a period: its worker had stayed.
    fn is_prompt(&self, (at, waited_ms): (Timestamp, i64)) -> bool {
        let late_ms = self.period_ms.wrapping_div(4);
        waited_ms <= PROMPT_MS && self.since_round_ms(at) > late_ms && self.off_ms(at) > APART_MS
    }

    /// How long after a round this is.
    fn since_round_ms(&self, at: Timestamp) -> i64 {
        at.since_ms(self.round).rem_euclid(self.period_ms.max(1))
    }

    /// How far from the nearest round this is.
    fn off_ms(&self, at: Timestamp) -> i64 {
        let since_ms = self.since_round_ms(at);
        since_ms.min(self.period_ms.saturating_sub(since_ms))
    }

    /// When the first round that should take a job that is ready then is late by `grace_ms`.
    #[must_use]
    pub fn missed_at(&self, ready_at: Timestamp, grace_ms: i64) -> Timestamp {
        let to_next_ms = self.period_ms.saturating_sub(self.since_round_ms(ready_at));
        ready_at.plus_ms(to_next_ms).plus_ms(APART_MS).plus_ms(grace_ms)
    }
}

/// The rounds of a queue: those that were `known` before, and those that its starts show.
#[must_use]
pub fn rounds(place: &Place<'_>, known: &[Round]) -> Vec<Round> {
    // Asked at every sweep: no job of a queue in good order waited so long, and then there is nothing to look through.
    let from = window_from(place);
    let may_be_any = place.facts().any(|facts| facts.has_slow_first(from));
    let mut starts: Vec<(Timestamp, i64)> = if may_be_any { waits(place).collect() } else { Vec::new() };
    starts.sort_unstable();
    let before = starts.iter().map(|(at, _)| *at);
    let mut rounds = known.to_vec();
    for ((at, waited_ms), before) in starts.iter().skip(1).zip(before) {
        let silent_ms = at.since_ms(before);
        if silent_ms >= SILENT_LEAST_MS && *waited_ms >= SLOW_MS {
            rounds.push(Round { at: *at, silent_ms });
        }
    }
    rounds.sort_unstable();
    rounds.dedup_by(|next, one| next.at.since_ms(one.at) < SILENT_LEAST_MS);
    rounds.split_off(rounds.len().saturating_sub(ROUNDS_MAX))
}

/// The round that ends a stall in which nothing had started since `before`, the oldest job being ready since then: where the
/// start before it is longer ago than starts are remembered.
#[must_use]
pub fn round_after(
    place: &Place<'_>,
    before: Option<Timestamp>,
    ready_at: Option<Timestamp>,
) -> Option<Round> {
    let starts = waits(place).map(|(at, _)| at);
    let at = starts.filter(|at| before.is_none_or(|before| *at > before)).min()?;
    let silent_ms = at.since_ms(before.or(ready_at)?);
    (silent_ms >= SILENT_LEAST_MS).then_some(Round { at, silent_ms })
}

/// The rhythm that a queue keeps, unless jobs were taken at once late in a period: then its workers stay.
#[must_use]
pub fn kept(place: &Place<'_>, rounds: &[Round]) -> Option<Rhythm> {
    if rounds.len() < 2 {
        return None;
    }
    let known: Vec<(Timestamp, i64)> = waits(place).collect();
    let rhythm = Rhythm::of(rounds).or_else(|| Rhythm::by_the_clock(rounds, &known))?;
    let stayed = known.iter().filter(|start| rhythm.is_prompt(**start));
    (stayed.count() < STAYED_LEAST).then_some(rhythm)
}

/// When jobs were first started, and how long each had been ready.
fn waits(place: &Place<'_>) -> impl Iterator<Item = (Timestamp, i64)> {
    let from = (window_from(place), JobIx(0));
    let firsts = place.facts().flat_map(move |facts| facts.firsts.range(from..));
    firsts.map(|((ready_at, _), first)| (first.at, first.at.since_ms(*ready_at)))
}

fn window_from(place: &Place<'_>) -> Timestamp {
    place.now.minus_ms(super::coverage::WINDOW_MS)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;

    fn rounds_of(seconds: &[i64], silent_s: i64) -> Vec<Round> {
        let round =
            |at: &i64| Round { at: Timestamp::from_ms(at * SECOND_MS), silent_ms: silent_s * SECOND_MS };
        seconds.iter().map(round).collect()
    }

    #[track_caller]
    fn check(seconds: &[i64], silent_s: i64, minutes: Option<i64>) {
        let found = Rhythm::of(&rounds_of(seconds, silent_s));
        assert_eq!(found.map(|it| it.period_ms / MINUTE_MS), minutes);
    }

    #[test]
    fn rounds_of_a_crontab_are_a_rhythm() {
        check(&[2, 603, 1_204, 1_802], 590, Some(10));
        check(&[2, 1_203, 1_803, 3_602], 590, Some(10));
        check(&[7_200, 93_605, 180_010], 50_000, Some(24 * 60));
        check(&[2, 603, 1_500, 1_804, 2_404], 590, Some(10));
    }

    #[test]
    fn a_few_rounds_or_rounds_by_chance_are_none() {
        check(&[2, 603, 1_204], 590, None);
        check(&[0, 700, 1_550, 2_620, 3_390], 3_000, None);
        check(&[7_200, 93_605, 180_010], 600, None);
        check(&[], 0, None);
    }

    /// Rounds in seconds, each after a silence of almost ten minutes; starts, and how long each had waited.
    #[track_caller]
    fn check_clock(rounds: &[i64], waits: &[(i64, i64)], minutes: Option<i64>) {
        let second = |s: i64| Timestamp::from_ms(s * SECOND_MS);
        let waits: Vec<_> = waits.iter().map(|(at, waited)| (second(*at), waited * SECOND_MS)).collect();
        let found = Rhythm::by_the_clock(&rounds_of(rounds, 590), &waits);
        assert_eq!(found.map(|it| it.period_ms / MINUTE_MS), minutes);
    }

    #[test]
    fn two_rounds_on_the_minute_are_a_rhythm() {
        let waits = [(602, 500), (603, 20), (1_201, 420), (1_202, 90)];
        check_clock(&[602, 1_201], &waits, Some(10));
        check_clock(&[602], &waits, None);
        check_clock(&[602, 1_211], &waits, None);
        check_clock(&[602, 1_322], &waits, None);
        // It waited over a round that would have come.
        check_clock(&[602, 2_401], &[(602, 500), (2_401, 1_100)], None);
        check_clock(&[602, 2_401], &[(602, 500), (2_401, 500)], Some(10));
        // Somebody was there between the rounds.
        check_clock(&[602, 1_201], &[(602, 500), (900, 2), (1_201, 200)], None);
    }

    #[test]
    fn a_round_is_missed_when_it_is_late_by_the_grace() {
        let rhythm = Rhythm::of(&rounds_of(&[0, 600, 1_200, 1_800], 590)).unwrap();
        let missed = |at: i64| rhythm.missed_at(Timestamp::from_ms(at * SECOND_MS), 300 * SECOND_MS);
        assert_eq!(missed(1_801), Timestamp::from_ms((2_400 + 30 + 300) * SECOND_MS));
        assert_eq!(missed(2_399), Timestamp::from_ms((2_400 + 30 + 300) * SECOND_MS));
    }
}

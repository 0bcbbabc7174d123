//! Shift: jobs of a class whose worker lines carry no id were consumed where nobody could see it, and since then every
//! start is counted for the job before its own.
//!
//! Such a queue looks as if somebody always waited, and as if its worker, idle for half an hour, took the oldest job at
//! the very moment when a new one came. On a busy queue once is chance. Where that is improbable, each start is the new
//! job's own, and as many as have waited all along are not there any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::job::{JobClass, SECOND_MS, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::job_facts::ENQUEUE_TOLERANCE_MS;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;

/// How soon after its enqueue a worker with nothing to do takes a job: workers sleep for three seconds or less
/// between looks.
const PROMPT_MS: i64 = 5 * SECOND_MS;
/// How many jobs of a queue that keeps up are taken as soon.
const PROMPT_SHARE: f64 = 0.8;
/// How improbable it must be that starts and enqueues fall together by chance.
const CHANCE_MAX: f64 = 0.02;
/// Starts examined, newest first: more would not change the answer.
const STARTS_MAX: usize = 20;
/// First starts of all classes of a queue that these are looked for among.
const FIRSTS_MAX: usize = 2_000;
/// How many may have been consumed where no line shows it: beyond, it is a silence, and judged as one.
const SHIFT_MAX: usize = 50;

/// What counting shows to wait on a queue, and every start since shows not to: derived anew by each sweep, so that lines
/// that come late may still tell otherwise.
pub(super) fn hidden(place: &Place<'_>) -> BTreeSet<JobIx> {
    let now = place.now;
    // Where delays are not logged, a job may wait by intent while others come and go.
    let is_asked = |job: &&WaitingJob| job.is_counted && job.ready_at <= now;
    let is_due = |job: &WaitingJob| job.is_counted && job.due_at <= now;
    if !place.ledger.traits.is_delay_logged || !place.view.waiting.iter().any(is_due) {
        return BTreeSet::new();
    }
    let mut waiting: BTreeMap<&JobClass, Vec<&WaitingJob>> = BTreeMap::new();
    for job in place.view.waiting.iter().filter(is_asked) {
        if let Some(class) = place.ledger.job(job.ix).and_then(|it| it.known.class()) {
            waiting.entry(class).or_default().push(job);
        }
    }
    let classes = waiting.into_iter().filter(|(_, jobs)| jobs.iter().any(|job| is_due(job)));
    let found = classes.flat_map(|(class, jobs)| of_class(place, class, &jobs));
    // The starts that showed it may be forgotten by now: what they showed is not.
    let was_found = |ix: &JobIx| place.ledger.job(*ix).is_some_and(|job| job.is_hidden);
    found.chain(place.view.waiting.iter().filter(is_asked).map(|job| job.ix).filter(was_found)).collect()
}

/// Jobs that stand for those found to be gone before: each start since then was counted for a job before its own, so
/// that always the oldest of the queue seem to wait in their place. What was told once does not depend any more on how
/// the newest starts fall.
pub(super) fn still_gone(place: &Place<'_>, count: u64) -> impl Iterator<Item = JobIx> {
    let counted = place.view.waiting.iter().filter(|job| job.is_counted && job.ready_at <= place.now);
    counted.take(usize::try_from(count).unwrap_or(usize::MAX)).map(|job| job.ix)
}

/// Those of a class's waiting jobs that its starts show not to wait.
fn of_class(place: &Place<'_>, class: &JobClass, waiting: &[&WaitingJob]) -> Vec<JobIx> {
    let mut firsts: Vec<(Timestamp, Timestamp)> = Vec::new();
    for facts in place.facts() {
        let newest = facts.firsts.iter().rev().take(FIRSTS_MAX);
        let of_class = newest.filter(|((_, ix), first)| {
            first.is_counted && place.ledger.job(*ix).and_then(|job| job.known.class()) == Some(class)
        });
        firsts.extend(
            of_class.take(STARTS_MAX + SHIFT_MAX).map(|((ready_at, _), first)| (*ready_at, first.at)),
        );
    }
    firsts.sort_unstable();
    let starts: Vec<Timestamp> = firsts.iter().map(|(_, at)| *at).collect();
    let Some(newest) = starts.iter().max() else { return Vec::new() };
    let until = newest.plus_ms(ENQUEUE_TOLERANCE_MS);
    let shifted: Vec<JobIx> = waiting.iter().filter(|job| job.ready_at <= until).map(|job| job.ix).collect();
    let left = waiting.iter().take(shifted.len()).map(|job| job.ready_at);
    let readies: Vec<Timestamp> = firsts.iter().map(|(ready_at, _)| *ready_at).chain(left).collect();
    if shifted.len() <= SHIFT_MAX && chance(&starts, &readies, shifted.len()) <= CHANCE_MAX {
        shifted
    } else {
        Vec::new()
    }
}

/// How much less likely it is that starts fall on the enqueues of jobs `places` places after those they are counted for by
/// chance, than because they are theirs. Both in order. The newest are examined, back to the first that is impossible.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a day, and a share needs no 16 digits")]
fn chance(starts: &[Timestamp], readies: &[Timestamp], places: usize) -> f64 {
    if places == 0 {
        return 1.0;
    }
    let mut starts = starts.to_vec();
    starts.sort_unstable();
    let mut chance = 1.0;
    let own = readies.iter().skip(places).zip(readies.iter().skip(places.saturating_sub(1)));
    let pairs: Vec<_> = starts.iter().zip(own).collect();
    for (start, (ready_at, before)) in pairs.into_iter().rev().take(STARTS_MAX) {
        let waited_ms = start.since_ms(*ready_at);
        if waited_ms < -ENQUEUE_TOLERANCE_MS {
            break;
        }
        let window_ms = PROMPT_MS.saturating_add(ENQUEUE_TOLERANCE_MS) as f64;
        let by_chance = (window_ms / ready_at.since_ms(*before).max(1) as f64).min(1.0);
        if by_chance > PROMPT_SHARE && waited_ms > PROMPT_MS {
            // In a burst some start late, whosever they are.
            continue;
        }
        chance *= if waited_ms <= PROMPT_MS {
            by_chance / PROMPT_SHARE
        } else {
            (1.0 - by_chance) / (1.0 - PROMPT_SHARE)
        };
    }
    chance
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;

    /// Seconds of starts and of enqueues.
    #[track_caller]
    fn check(starts: &[i64], readies: &[i64], places: usize, is_shift: bool) {
        let at = |seconds: &[i64]| -> Vec<Timestamp> {
            seconds.iter().map(|second| Timestamp::from_ms(second * SECOND_MS)).collect()
        };
        let chance = chance(&at(starts), &at(readies), places);
        assert_eq!(chance <= CHANCE_MAX, is_shift, "{chance}");
    }

    #[test]
    fn starts_that_follow_each_new_enqueue_are_its_own() {
        check(&[1_802, 3_601, 5_403], &[0, 1_800, 3_600, 5_400], 1, true);
        check(&[1_802, 3_601, 5_403], &[-99, 0, 1_800, 3_600, 5_400], 2, true);
    }

    #[test]
    fn once_in_ten_minutes_may_be_chance() {
        check(&[602], &[0, 600], 1, false);
        check(&[602, 1_203], &[0, 600, 1_200], 1, true);
    }

    #[test]
    fn starts_that_follow_nothing_take_the_oldest() {
        check(&[2_402, 4_201, 6_003], &[0, 1_800, 3_600, 5_400], 1, false);
    }

    #[test]
    fn a_start_before_its_enqueue_ends_what_can_be_told() {
        check(&[702, 1_402], &[0, 700, 1_400], 1, true);
        check(&[702, 1_390], &[0, 700, 1_400], 1, false);
    }

    #[test]
    fn some_that_fall_together_among_many_that_do_not_are_chance() {
        let readies: Vec<i64> = (0..60).map(|n| n * 40).collect();
        let starts: Vec<i64> = (0..40).map(|n| n * 49 + 300).collect();
        for places in 1..20 {
            check(&starts, &readies, places, false);
        }
    }

    #[test]
    fn enqueues_that_come_all_the_time_tell_nothing() {
        let readies: Vec<i64> = (0..400).collect();
        let starts: Vec<i64> = (0..100).map(|n| n + 300).collect();
        check(&starts, &readies, 300, false);
    }

    #[test]
    fn a_burst_tells_nothing_however_late_its_jobs_start() {
        // A worker dies in it, at any place; or lives, and is asked in between.
        for (apart, every) in [(2, 1), (2, 3), (2, 9), (2, 30), (11, 12), (11, 40)] {
            let readies: Vec<i64> = (0..30).map(|n| n * apart).collect();
            for died_after in 1..30 {
                let starts: Vec<i64> = (0..died_after).map(|n| n * every + 1).collect();
                let left = 30 - starts.len();
                check(&starts, &readies, left, false);
            }
        }
    }

    #[test]
    fn a_burst_after_a_quiet_hour_tells_nothing_of_itself() {
        let readies: Vec<i64> = [0, 1_800].into_iter().chain((0..20).map(|n| 3_600 + n * 3)).collect();
        for died_after in 1..20 {
            let burst = (0..died_after).map(|n| 3_601 + n * 5);
            let starts: Vec<i64> = [1, 1_801].into_iter().chain(burst).collect();
            check(&starts, &readies, readies.len() - starts.len(), false);
        }
    }

    #[test]
    fn where_nobody_waits_nothing_has_shifted() {
        check(&[0, 1_802, 3_601], &[0, 1_800, 3_600], 0, false);
    }
}

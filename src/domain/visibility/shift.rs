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
pub(super) const PROMPT_MS: i64 = 5 * SECOND_MS;
/// How many jobs of a queue that keeps up are taken as soon.
pub(super) const PROMPT_SHARE: f64 = 0.8;
/// How improbable it must be that starts and enqueues fall together by chance.
const CHANCE_MAX: f64 = 0.02;
/// The same, where nobody is overdue, so that it is asked at every sweep of a day: once in a hundred years.
const CHANCE_MAX_ANY_TIME: f64 = 1e-8;
/// How soon after a job a worker takes the next one that waits.
const NEXT_MS: i64 = 2 * PROMPT_MS;
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
    if !place.ledger.traits.is_delay_logged {
        return BTreeSet::new();
    }
    let mut waiting: BTreeMap<&JobClass, Vec<&WaitingJob>> = BTreeMap::new();
    for job in place.view.waiting.iter().filter(is_asked) {
        if let Some(class) = place.ledger.job(job.ix).and_then(|it| it.known.class()) {
            waiting.entry(class).or_default().push(job);
        }
    }
    let found = waiting.into_iter().flat_map(|(class, jobs)| of_class(place, class, &jobs));
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
    // Most waiting jobs are newer than every start: they say nothing, and are asked about at each sweep.
    let newest_start = place.view.newest_start.map(|at| at.plus_ms(ENQUEUE_TOLERANCE_MS));
    if !waiting.iter().any(|job| newest_start >= Some(job.ready_at)) {
        return Vec::new();
    }
    let mut firsts: Vec<(Timestamp, Start)> = Vec::new();
    for facts in place.facts() {
        let newest = facts.firsts.iter().rev().take(FIRSTS_MAX);
        let of_class = newest.filter(|((_, ix), first)| {
            first.is_counted && place.ledger.job(*ix).and_then(|job| job.known.class()) == Some(class)
        });
        firsts.extend(of_class.take(STARTS_MAX + SHIFT_MAX).map(|((ready_at, ix), first)| {
            let settled_at = place.ledger.job(*ix).and_then(|job| place.ledger.state(job).1);
            (*ready_at, Start { at: first.at, settled_at, is_idle_after: false })
        }));
    }
    let is_any_due = waiting.iter().any(|job| job.due_at <= place.now);
    let Some(newest) = firsts.iter().map(|(_, start)| start.at).max() else { return Vec::new() };
    let until = newest.plus_ms(ENQUEUE_TOLERANCE_MS);
    let shifted: Vec<JobIx> = waiting.iter().filter(|job| job.ready_at <= until).map(|job| job.ix).collect();
    if shifted.is_empty() || shifted.len() > SHIFT_MAX {
        return Vec::new();
    }
    for (_, start) in &mut firsts {
        let next_by = start.settled_at.map(|at| at.plus_ms(NEXT_MS)).filter(|by| *by <= place.now);
        let Some(until) = next_by.filter(|by| *by > start.at) else { continue };
        let next = (start.at.plus_ms(1), JobIx(0))..=(until, JobIx(usize::MAX));
        start.is_idle_after = place.facts().all(|facts| facts.starts.range(next.clone()).next().is_none());
    }
    firsts.sort_unstable();
    let starts: Vec<Start> = firsts.iter().map(|(_, start)| *start).collect();
    let left = waiting.iter().take(shifted.len()).map(|job| job.ready_at);
    let readies: Vec<Timestamp> = firsts.iter().map(|(ready_at, _)| *ready_at).chain(left).collect();
    let (chance, since) = chance(&starts, &readies, shifted.len());
    let is_long_ago = since.is_some_and(|since| place.now.since_ms(since) >= place.grace_ms());
    let is_shown =
        if is_any_due { chance <= CHANCE_MAX } else { chance <= CHANCE_MAX_ANY_TIME && is_long_ago };
    if is_shown { shifted } else { Vec::new() }
}

/// A counted start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Start {
    at: Timestamp,
    /// When its attempt ended.
    settled_at: Option<Timestamp>,
    /// Whether its worker then took no other job, though one seems to have waited.
    is_idle_after: bool,
}

/// How much less likely it is that starts fall on the enqueues of jobs `places` places after those they are counted for by
/// chance, than because they are theirs. Both in order. The newest are examined, back to the first that is impossible;
/// with the oldest of those.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a day, and a share needs no 16 digits")]
fn chance(starts: &[Start], readies: &[Timestamp], places: usize) -> (f64, Option<Timestamp>) {
    if places == 0 {
        return (1.0, None);
    }
    let mut starts = starts.to_vec();
    starts.sort_unstable();
    let (mut chance, mut since) = (1.0, None);
    let own = readies.iter().skip(places).zip(readies.iter().skip(places.saturating_sub(1)));
    let pairs: Vec<_> = starts.iter().zip(own).collect();
    for (start, (ready_at, before)) in pairs.into_iter().rev().take(STARTS_MAX) {
        let waited_ms = start.at.since_ms(*ready_at);
        if waited_ms < -ENQUEUE_TOLERANCE_MS {
            break;
        }
        since = Some(start.at);
        let window_ms = PROMPT_MS.saturating_add(ENQUEUE_TOLERANCE_MS) as f64;
        let by_chance = (window_ms / ready_at.since_ms(*before).max(1) as f64).min(1.0);
        if by_chance > PROMPT_SHARE && waited_ms > PROMPT_MS {
            // In a burst some start late, whosever they are.
            continue;
        }
        chance *= if waited_ms <= PROMPT_MS {
            // A worker that lives takes the next one as soon, if there is one.
            let next = if start.is_idle_after { 1.0 - PROMPT_SHARE } else { 1.0 };
            next * by_chance / PROMPT_SHARE
        } else {
            (1.0 - by_chance) / (1.0 - PROMPT_SHARE)
        };
    }
    (chance, since)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;

    /// Seconds of starts and of enqueues.
    #[track_caller]
    fn check(starts: &[i64], readies: &[i64], places: usize, is_shift: bool) {
        check_idle(starts, readies, places, false, is_shift);
    }

    #[track_caller]
    fn check_idle(starts: &[i64], readies: &[i64], places: usize, is_idle_after: bool, is_shift: bool) {
        let at = |second: &i64| Timestamp::from_ms(second * SECOND_MS);
        let readies: Vec<Timestamp> = readies.iter().map(at).collect();
        let start = |second: &i64| Start { at: at(second), settled_at: None, is_idle_after };
        let starts: Vec<Start> = starts.iter().map(start).collect();
        let (chance, _) = chance(&starts, &readies, places);
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
        // Unless the worker was there, and took nothing more.
        check_idle(&[602], &[0, 600], 1, true, true);
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

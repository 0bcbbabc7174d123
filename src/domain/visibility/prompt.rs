//! Prompt starts: whose job a start took, where lines carry no id.
//!
//! Counting takes the oldest job for each start. Where a tenth of the jobs wait by a delay that no line tells, it always
//! sees a few waiting, and takes a pause for a stall. But a worker that has nothing to do takes a job within seconds of
//! its enqueue: a start that follows one is that job's, and who was passed by such a start either is delayed or gone, and
//! does not show that nobody works. Or it waits on another queue of its class, which nobody takes jobs from.

use std::collections::BTreeSet;

use super::coverage::WINDOW_MS;
use super::delays::{ALL_DELAYED_MIN, MISSED_MS};
use super::shift::{PROMPT_MS, PROMPT_SHARE};
use crate::domain::job::{JobClass, Timestamp};
use crate::domain::ledger::QueueActivity;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::job_facts::ENQUEUE_TOLERANCE_MS;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;

/// Starts that must be known, and how many of a hundred must be prompt: of a queue that is always behind, none tells.
const STARTS_LEAST: usize = 10;
const PROMPT_PERCENT: usize = 50;
/// Jobs that were passed one by one before that is a habit of the class. A backlog that was worked off passes none: all of
/// its jobs wait side by side. A start that follows no enqueue must have come, too, as of a job whose delay is over.
const PASSED_LEAST: usize = 2;
/// How long a job must have waited for a start that is counted for it to be another one's: two looks of a worker.
const WAITED_LEAST_MS: i64 = 2 * PROMPT_MS;
/// Overdue jobs from which on it is asked whether one of several queues is left out: one or two may be lost.
const LEFT_OUT_LEAST: usize = 3;

/// Whether the jobs of a counted class that wait by the count are likely to be meant to: none is open that has waited for
/// too long, or it is not improbable that all are delayed that are open.
pub(super) fn are_delayed(place: &Place<'_>, class: &JobClass) -> bool {
    let now = place.now;
    let (starts, readies) = moments(place, class, place.facts(), now.minus_ms(WINDOW_MS));
    let starts: Vec<Timestamp> = starts.into_iter().map(|(at, _)| at).collect();
    let Some(habit) = Habit::of(&starts, &readies, place.grace_ms()) else { return false };
    let open = readies.get(habit.after_newest..).unwrap_or_default();
    if open.first().is_none_or(|oldest| oldest.plus_ms(place.grace_ms()) > now) {
        return true;
    }
    let missed = open.iter().filter(|ready_at| now.since_ms(**ready_at) >= MISSED_MS).count();
    habit.share.powi(i32::try_from(missed).unwrap_or(i32::MAX)) >= ALL_DELAYED_MIN
}

/// Whether a class that waits on several queues, of which starts do not tell, is left out on one of them: starts follow
/// new enqueues, and jobs from before wait. Whoever takes the oldest job that there is does not.
#[must_use]
pub fn is_one_left_out(place: &Place<'_>) -> bool {
    let overdue: Vec<&WaitingJob> = place.overdue().filter(|job| job.is_counted).collect();
    let Some(oldest) = overdue.first().filter(|_| overdue.len() >= LEFT_OUT_LEAST) else { return false };
    if !place.view.is_spread || !place.ledger.traits.is_delay_logged {
        return false;
    }
    let classes: BTreeSet<&JobClass> =
        overdue.iter().filter_map(|job| place.ledger.job(job.ix)?.known.class()).collect();
    classes.into_iter().any(|class| {
        // Of jobs of two queues of which one is served, the oldest by the count is half as old as the oldest that waits.
        let from = oldest.ready_at.minus_ms(place.now.since_ms(oldest.ready_at));
        let (starts, readies) = moments(place, class, place.ledger.queues().map(|(_, facts)| facts), from);
        // By the count, an older job waited while each of these began.
        let starts = starts.into_iter().filter(|(_, waited_ms)| *waited_ms > WAITED_LEAST_MS);
        let starts: Vec<Timestamp> = starts.map(|(at, _)| at).collect();
        let taken = Taken::of(&starts, &readies);
        taken.chance(&starts, &readies) <= super::CHANCE_MAX
    })
}

/// The counted first starts of a class with how long the jobs that they are counted for had waited, and when its jobs were
/// ready that started or wait, from then on; each in order.
fn moments<'a>(
    place: &Place<'a>,
    class: &JobClass,
    facts: impl Iterator<Item = &'a QueueActivity>,
    from: Timestamp,
) -> (Vec<(Timestamp, i64)>, Vec<Timestamp>) {
    let of_class = |ix: JobIx| place.ledger.job(ix).and_then(|job| job.known.class()) == Some(class);
    let (mut starts, mut readies) = (Vec::new(), Vec::new());
    for ((ready_at, ix), first) in facts.flat_map(|facts| facts.firsts.range((from, JobIx(0))..)) {
        if first.is_counted && of_class(*ix) {
            starts.push((first.at, first.at.since_ms(*ready_at)));
            readies.push(*ready_at);
        }
    }
    let waiting = place.view.waiting.iter().filter(|job| job.ready_at <= place.now && of_class(job.ix));
    readies.extend(waiting.map(|job| job.ready_at));
    starts.sort_unstable();
    readies.sort_unstable();
    (starts, readies)
}

/// Which enqueues starts followed within seconds, and the starts that followed none.
struct Taken {
    is_taken: Vec<bool>,
    late: Vec<Timestamp>,
}

impl Taken {
    fn of(starts: &[Timestamp], readies: &[Timestamp]) -> Self {
        let mut taken = Self { is_taken: vec![false; readies.len()], late: Vec::new() };
        for start in starts {
            let from = readies.partition_point(|ready_at| start.since_ms(*ready_at) > PROMPT_MS);
            let until = readies.partition_point(|ready_at| start.plus_ms(ENQUEUE_TOLERANCE_MS) >= *ready_at);
            let near = taken.is_taken.get_mut(from..until.max(from));
            match near.and_then(|near| near.iter_mut().find(|it| !**it)) {
                Some(is_taken) => *is_taken = true,
                None => taken.late.push(*start),
            }
        }
        taken
    }

    /// How much less likely it is that so many starts follow enqueues by chance, than because they are theirs.
    #[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of two hours")]
    fn chance(&self, starts: &[Timestamp], readies: &[Timestamp]) -> f64 {
        let (Some(first), Some(last)) = (readies.first(), readies.last()) else { return 1.0 };
        let near_ms = PROMPT_MS.saturating_add(ENQUEUE_TOLERANCE_MS) as f64;
        let by_chance = (near_ms * readies.len() as f64 / last.since_ms(*first).max(1) as f64).min(1.0);
        let prompt = starts.len().saturating_sub(self.late.len());
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let of_prompt = (by_chance / PROMPT_SHARE).powi(count(prompt));
        of_prompt * ((1.0 - by_chance) / (1.0 - PROMPT_SHARE)).powi(count(self.late.len()))
    }
}

/// What starts that follow enqueues show of a class that has delays.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Habit {
    /// How many of its jobs are delayed, counting those that no late start within their grace may have taken.
    share: f64,
    /// The first enqueue after all that starts followed.
    after_newest: usize,
}

impl Habit {
    /// By starts and enqueues, each in order; `None` where that shows nothing. Who waits for less than `grace_ms` waits
    /// for a worker that is busy.
    #[expect(clippy::cast_precision_loss, reason = "counts of jobs of two hours")]
    fn of(starts: &[Timestamp], readies: &[Timestamp], grace_ms: i64) -> Option<Self> {
        let Taken { is_taken, late } = Taken::of(starts, readies);
        let is_long = |ready_at: &Timestamp| {
            let until = ready_at.plus_ms(grace_ms);
            late.get(late.partition_point(|start| start <= ready_at)).is_none_or(|start| *start > until)
        };
        let alone = is_taken.windows(3).zip(readies.iter().skip(1));
        let alone = alone.filter(|(three, _)| matches!(three, [true, false, true]));
        let passed = alone.filter(|(_, ready_at)| is_long(ready_at)).count();
        let prompt = starts.len().saturating_sub(late.len());
        let is_prompt = prompt.saturating_mul(100) >= starts.len().saturating_mul(PROMPT_PERCENT);
        if starts.len() < STARTS_LEAST || !is_prompt || passed < PASSED_LEAST || late.is_empty() {
            return None;
        }
        let after_newest = is_taken.iter().rposition(|it| *it).map_or(0, |newest| newest.saturating_add(1));
        let share = (passed as f64 + 1.0) / (after_newest as f64 + 2.0);
        Some(Self { share: share.min(1.0), after_newest })
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;
    use crate::domain::job::SECOND_MS;

    /// Jobs a minute apart, of which each `n`th is taken so many minutes late and the others at once, until `dead_from`.
    /// Asks for the share, in percent, and for how many enqueues are after all that starts followed.
    #[track_caller]
    fn check(jobs: i64, nth: i64, late: i64, dead_from: i64, expected: Option<(i64, usize)>) {
        let at = |minute: i64, second: i64| Timestamp::from_ms((minute * 60 + second) * SECOND_MS);
        let readies: Vec<Timestamp> = (0..jobs).map(|minute| at(minute, 0)).collect();
        let mut starts: Vec<Timestamp> = (0..jobs)
            .map(|minute| if minute % nth == nth - 1 { at(minute + late, 30) } else { at(minute, 2) })
            .filter(|start| *start < at(dead_from, 0))
            .collect();
        starts.sort_unstable();
        #[expect(clippy::cast_possible_truncation, reason = "percent")]
        let got = Habit::of(&starts, &readies, 300 * SECOND_MS)
            .map(|habit| ((habit.share * 100.0) as i64, readies.len() - habit.after_newest));
        assert_eq!(got, expected);
    }

    #[test]
    fn jobs_passed_one_by_one_are_a_habit() {
        check(60, 10, 30, 99, Some((6, 1)));
        check(60, 10, 30, 50, Some((7, 11)));
        check(60, 4, 20, 99, Some((8, 1)));
    }

    #[test]
    fn nothing_is_a_habit_before_the_first_delay_is_over() {
        check(25, 10, 30, 39, None);
        check(8, 3, 2, 99, None);
    }

    #[test]
    fn a_queue_that_keeps_up_or_is_always_behind_has_none() {
        check(60, 61, 0, 99, None);
        check(60, 1, 9, 99, None);
        // A worker that is busy for a while.
        check(60, 4, 0, 99, None);
    }

    #[test]
    fn starts_that_follow_enqueues_are_no_chance_where_few_come() {
        let at = |second: i64| Timestamp::from_ms(second * SECOND_MS);
        let chance =
            |starts: &[Timestamp], readies: &[Timestamp]| Taken::of(starts, readies).chance(starts, readies);
        let readies: Vec<Timestamp> = (0..40).map(|n| at(n * 30)).collect();
        let own: Vec<Timestamp> = (0..20).map(|n| at(n * 60 + 1)).collect();
        assert!(chance(&own, &readies) < 1e-6);
        let others: Vec<Timestamp> = (0..20).map(|n| at(n * 60 + 7 * (n % 9))).collect();
        assert!(chance(&others, &readies) > 1e-3);
        let burst: Vec<Timestamp> = (0..40).map(at).collect();
        assert!(chance(&burst, &burst) >= 1.0);
    }

    #[test]
    fn a_backlog_that_was_worked_off_passes_nobody() {
        let at = |second: i64| Timestamp::from_ms(second * SECOND_MS);
        let readies: Vec<Timestamp> = (0..60).map(|minute| at(minute * 60)).collect();
        let slow = (20..40).map(|minute| at(40 * 60 + minute));
        let mut starts: Vec<Timestamp> = (0..20).chain(40..60).map(|minute| at(minute * 60 + 1)).collect();
        starts.extend(slow);
        starts.sort_unstable();
        assert_eq!(Habit::of(&starts, &readies, 300 * SECOND_MS), None);
    }
}

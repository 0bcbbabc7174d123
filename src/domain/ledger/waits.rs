//! How long the jobs of one class waited for their first start: all of them, and hour by hour.
//!
//! The hours tell a habit from an accident. Jobs that wait by intent, under a delay that no line tells of, do so in
//! many hours; a stall, or a burst that drains, makes thousands wait in one or two.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{HOUR_MS, SECOND_MS, Timestamp};

/// Hours that are told apart: two days, so that a night is not all that is known.
const HOURS_MAX: usize = 48;
/// Hours left out of the habit, those in which the most waited long: room for one trouble and its end. In its first
/// hours a class has no habit yet, and a trouble would be taken for one.
const HOURS_EXCEPTED: usize = 2;
/// Waits that a habit is learned from, at least.
const HABIT_LEAST: u64 = 20;

/// Waits of a class's jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    buckets: BTreeMap<u32, u64>,
    count: u64,
    /// Of each hour of starts, how many waited less than a second, less than two, four, eight, and so on.
    #[serde(default, with = "crate::domain::pairs")]
    hours: BTreeMap<i64, Vec<u64>>,
}

impl Waits {
    /// Notes a wait that ended at `started_at`.
    pub fn add(&mut self, started_at: Timestamp, wait_ms: i64) {
        let count = self.buckets.entry(bucket(wait_ms)).or_default();
        *count = count.saturating_add(1);
        self.count = self.count.saturating_add(1);
        let length = doubling(wait_ms);
        let hour = self.hours.entry(hour_of(started_at)).or_default();
        if hour.len() <= length {
            hour.resize(length.saturating_add(1), 0);
        }
        if let Some(count) = hour.get_mut(length) {
            *count = count.saturating_add(1);
        }
        while self.hours.len() > HOURS_MAX {
            self.hours.pop_first();
        }
    }

    /// Takes back a wait that turned out to be another.
    pub fn remove(&mut self, started_at: Timestamp, wait_ms: i64) {
        if let Some(count) = self.buckets.get_mut(&bucket(wait_ms)) {
            *count = count.saturating_sub(1);
            self.count = self.count.saturating_sub(1);
        }
        let Some(hour) = self.hours.get_mut(&hour_of(started_at)) else { return };
        if let Some(count) = hour.get_mut(doubling(wait_ms)) {
            *count = count.saturating_sub(1);
        }
        // As if it had never been, so that the order of lines leaves no trace.
        while hour.last() == Some(&0) {
            hour.pop();
        }
        if hour.is_empty() {
            self.hours.remove(&hour_of(started_at));
        }
    }

    /// A bound that 99 of 100 waits stayed under, at most an eighth too large.
    #[must_use]
    pub fn p99_ms(&self) -> i64 {
        let rank = self.count.saturating_sub(self.count.saturating_div(100));
        let mut seen: u64 = 0;
        for (bucket, count) in &self.buckets {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return upper_bound(*bucket);
            }
        }
        0
    }

    /// A length from which on no more than `chance` of the jobs usually wait as long.
    #[must_use]
    pub fn unusual_ms(&self, chance: f64) -> i64 {
        let mut wait_ms = 0;
        let longest = self.hours.values().map(Vec::len).max().unwrap_or(0);
        for _ in 0..longest {
            if self.usual_share(wait_ms) <= chance {
                break;
            }
            wait_ms = wait_ms.saturating_mul(2).max(SECOND_MS);
        }
        wait_ms
    }

    /// What share of the jobs usually waits for `wait_ms` or longer; never less than it is, and 0 where too few were
    /// seen to call anything usual.
    #[must_use]
    pub fn usual_share(&self, wait_ms: i64) -> f64 {
        let from = doubling(wait_ms);
        let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let hours = self.hours.values();
        let mut hours: Vec<(u64, u64)> =
            hours.map(|hour| (sum(hour.get(from..).unwrap_or_default()), sum(hour))).collect();
        hours.sort_by_key(|hour| Reverse(*hour));
        let usual = hours.iter().skip(HOURS_EXCEPTED);
        let (long, all) = usual.fold((0_u64, 0_u64), |(long, all), hour| {
            (long.saturating_add(hour.0), all.saturating_add(hour.1))
        });
        if all < HABIT_LEAST { 0.0 } else { share(long, all) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs in two days, and a share needs no 16 digits")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(HOUR_MS)
}

/// 0 below a second, 1 below two, 2 below four, and so on.
fn doubling(wait_ms: i64) -> usize {
    let seconds = wait_ms.max(0).div_euclid(SECOND_MS).unsigned_abs();
    seconds.checked_ilog2().map_or(0, |log| log.saturating_add(1)) as usize
}

/// Buckets that grow by an eighth of a power of two: 8 to each doubling.
fn bucket(value_ms: i64) -> u32 {
    let value = value_ms.max(0).unsigned_abs();
    if value < 8 {
        return u32::try_from(value).unwrap_or(0);
    }
    let log = value.ilog2();
    let step = value.wrapping_shr(log.saturating_sub(3)) & 7;
    log.saturating_sub(2).saturating_mul(8).saturating_add(u32::try_from(step).unwrap_or(0))
}

fn upper_bound(bucket: u32) -> i64 {
    if bucket < 8 {
        return i64::from(bucket);
    }
    let (octave, step) = (bucket.wrapping_shr(3), bucket & 7);
    let width = octave.saturating_sub(1);
    let low = (i64::from(step).saturating_add(8)).checked_shl(width).unwrap_or(i64::MAX);
    low.saturating_add(1_i64.checked_shl(width).unwrap_or(i64::MAX)).saturating_sub(1)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60 * SECOND_MS;
    const NOON: Timestamp = Timestamp::from_ms(12 * HOUR_MS);

    #[test]
    fn a_bucket_holds_its_values_and_bounds_them_by_an_eighth() {
        for value in (0..5_000).chain([86_400_000, 1 << 40]) {
            let bound = upper_bound(bucket(value));
            assert!(bound >= value && bound <= value + value / 8 + 1, "{value} -> {bound}");
        }
    }

    #[test]
    fn the_p99_ignores_one_wait_in_a_hundred() {
        let mut waits = Waits::default();
        for _ in 0..99 {
            waits.add(NOON, 100);
        }
        waits.add(NOON, 1_000_000);
        assert!(waits.p99_ms() < 120, "{}", waits.p99_ms());
    }

    /// Ten jobs an hour for a day, of which `long` waited for half an hour in each hour.
    fn a_day(long: i64) -> Waits {
        let mut waits = Waits::default();
        for hour in 0..24 {
            for job in 0..10 {
                waits.add(NOON.plus_ms(hour * HOUR_MS), if job < long { 30 * MINUTE_MS } else { 400 });
            }
        }
        waits
    }

    #[test]
    fn what_waits_in_every_hour_is_a_habit_up_to_its_length() {
        let waits = a_day(1);
        assert!((waits.usual_share(5 * MINUTE_MS) - 0.1).abs() < 1e-9);
        assert!((waits.usual_share(20 * MINUTE_MS) - 0.1).abs() < 1e-9);
        assert!(waits.usual_share(35 * MINUTE_MS) < 1e-9, "up to a doubling: 2,048 seconds");
        assert!((waits.usual_share(0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_nobody_usually_waits_is_found_up_to_a_doubling() {
        assert_eq!(a_day(1).unusual_ms(1e-4), 2_048 * SECOND_MS);
        assert_eq!(a_day(0).unusual_ms(1e-4), SECOND_MS);
        assert_eq!(Waits::default().unusual_ms(1e-4), 0);
    }

    #[test]
    fn what_waits_in_two_hours_is_an_accident() {
        let mut waits = a_day(0);
        for job in 0..2_000 {
            waits.add(NOON.plus_ms(job * 3_000), 10 * MINUTE_MS);
        }
        assert!(waits.usual_share(5 * MINUTE_MS) < 1e-9, "{}", waits.usual_share(5 * MINUTE_MS));
    }

    #[test]
    fn of_too_few_nothing_is_usual() {
        let mut waits = Waits::default();
        for hour in 0..19 {
            waits.add(NOON.plus_ms(hour * HOUR_MS), HOUR_MS);
        }
        assert!(waits.usual_share(MINUTE_MS) < 1e-9);
    }

    #[test]
    fn a_wait_taken_back_was_never_there() {
        let (mut waits, before) = (a_day(1), a_day(1));
        waits.add(NOON, 7 * MINUTE_MS);
        waits.remove(NOON, 7 * MINUTE_MS);
        waits.add(NOON.plus_ms(-HOUR_MS), 0);
        waits.remove(NOON.plus_ms(-HOUR_MS), 0);
        assert_eq!(waits.hours, before.hours);
    }
}

//! What the jobs of one class have shown so far: how long they run, wait, and back off; where they are queued.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::outcomes::Outcomes;
use super::pace::{Moves, Pace};
use super::record::StreamKey;
use crate::domain::job::{ConnectionName, MINUTE_MS, Observation, QueueName, Timestamp};

/// A queue on a connection, each as far as known.
pub type Lane = (Option<ConnectionName>, Option<QueueName>);

/// Facts of a class that only grow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClassFacts {
    /// The longest attempt seen.
    pub longest_run_ms: i64,
    /// The longest time from a release to the start after it.
    pub longest_backoff_ms: Option<i64>,
    /// Queues and connections that its enqueue lines name.
    pub enqueued_on: BTreeSet<Lane>,
    /// The newest start that a line without a queue tells of, and the stream of that line.
    pub newest_start: Option<(Timestamp, StreamKey)>,
    /// Whether an enqueue line of the class ever carried a delay.
    pub is_delay_logged: bool,
    /// Whether a start line of the class was ever seen.
    #[serde(default)]
    pub has_start_lines: bool,
    /// Whether a job of it was ever started more than once.
    #[serde(default)]
    pub has_retries: bool,
    /// How its last attempts ended.
    #[serde(default)]
    pub outcomes: Outcomes,
    /// What happened in the last minutes, by the queue on the line.
    #[serde(default, with = "crate::domain::pairs")]
    paces: BTreeMap<Option<QueueName>, Pace>,
    waits: BTreeMap<u32, u64>,
    waits_count: u64,
}

/// A job may run this long before it is called overdue in its running, if nothing longer was configured or
/// seen: Laravel's own `--timeout` is one minute, the founding app's five.
const TIMEOUT_LEAST_MS: i64 = 5 * MINUTE_MS;

impl ClassFacts {
    /// The timeout that the class's runs suggest: three times the longest, at least five minutes.
    #[must_use]
    pub fn learned_timeout_ms(&self) -> i64 {
        self.longest_run_ms.saturating_mul(3).max(TIMEOUT_LEAST_MS)
    }

    /// Takes a line of a job's life for what it adds to the last minutes.
    pub fn take_pace(&mut self, observation: &Observation) {
        self.paces.entry(observation.queue.clone()).or_default().take(observation);
    }

    /// Queues that its lines name.
    pub fn queues_on_lines(&self) -> impl Iterator<Item = &QueueName> {
        self.paces.keys().flatten()
    }

    /// What happened from the minute of `from` on, by lines that name `queue`, or none.
    #[must_use]
    pub fn moves_since(&self, queue: Option<&QueueName>, from: Timestamp) -> Moves {
        self.paces.get(&queue.cloned()).map_or(Moves::default(), |pace| pace.since(from))
    }

    /// What happened from the minute of `from` on, whatever queue lines name.
    #[must_use]
    pub fn all_moves_since(&self, from: Timestamp) -> Moves {
        let mut sum = Moves::default();
        for pace in self.paces.values() {
            sum.add(pace.since(from));
        }
        sum
    }

    /// Forgets the minutes that nobody asks for any more.
    pub fn forget_before(&mut self, now: Timestamp) {
        for pace in self.paces.values_mut() {
            pace.forget_before(now);
        }
    }

    /// Notes how long a job waited.
    pub fn add_wait(&mut self, wait_ms: i64) {
        let count = self.waits.entry(bucket(wait_ms)).or_default();
        *count = count.saturating_add(1);
        self.waits_count = self.waits_count.saturating_add(1);
    }

    /// Takes back a wait that turned out to be another.
    pub fn remove_wait(&mut self, wait_ms: i64) {
        if let Some(count) = self.waits.get_mut(&bucket(wait_ms)) {
            *count = count.saturating_sub(1);
            self.waits_count = self.waits_count.saturating_sub(1);
        }
    }

    /// A bound that 99 of 100 waits stayed under, at most an eighth too large.
    #[must_use]
    pub fn wait_p99_ms(&self) -> i64 {
        let rank = self.waits_count.saturating_sub(self.waits_count.saturating_div(100));
        let mut seen: u64 = 0;
        for (bucket, count) in &self.waits {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return upper_bound(*bucket);
            }
        }
        0
    }
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
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_values_and_bounds_them_by_an_eighth() {
        for value in (0..5_000).chain([86_400_000, 1 << 40]) {
            let bound = upper_bound(bucket(value));
            assert!(bound >= value && bound <= value + value / 8 + 1, "{value} -> {bound}");
        }
    }

    #[test]
    fn the_p99_ignores_one_wait_in_a_hundred() {
        let mut facts = ClassFacts::default();
        for _ in 0..99 {
            facts.add_wait(100);
        }
        facts.add_wait(1_000_000);
        assert!(facts.wait_p99_ms() < 120, "{}", facts.wait_p99_ms());
    }

    #[test]
    fn a_class_never_run_may_take_five_minutes_and_a_slow_one_three_times_its_longest() {
        let mut facts = ClassFacts::default();
        assert_eq!(facts.learned_timeout_ms(), 300_000);
        facts.longest_run_ms = 200_000;
        assert_eq!(facts.learned_timeout_ms(), 600_000);
    }
}

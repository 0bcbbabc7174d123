//! What the jobs of one class have shown so far: how long they run, wait, and back off; where they are queued.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::job_facts::StreamKey;
use super::outcomes::Outcomes;
use super::rates::Rates;
use super::throughput::{Throughput, ThroughputByMinute};
use super::tries::Tries;
use super::waits::Waits;
use crate::domain::job::{MINUTE_MS, Observation, QueueName, Timestamp};
use crate::domain::model::queue_ref::QueueRef;

/// Facts of a class that only grow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClassFacts {
    /// The longest attempt seen.
    pub longest_run_ms: i64,
    /// The longest time from a release to the start after it.
    pub longest_backoff_ms: Option<i64>,
    /// Queues and connections that its enqueue lines name.
    pub enqueued_on: BTreeSet<QueueRef>,
    /// The newest start that a line without a queue tells of, and the stream of that line.
    pub newest_start: Option<(Timestamp, StreamKey)>,
    /// Whether an enqueue line of the class ever carried a delay.
    pub is_delay_logged: bool,
    /// Whether an enqueue line of the class ever lacked its id or its uuid.
    #[serde(default)]
    pub lacks_names: bool,
    /// Whether a start line of the class was ever seen.
    #[serde(default)]
    pub has_start_lines: bool,
    /// Whether a job of it was ever started more than once.
    #[serde(default)]
    pub has_retries: bool,
    /// How its last attempts ended.
    #[serde(default)]
    pub outcomes: Outcomes,
    /// On which attempt its jobs succeed.
    #[serde(default, skip_serializing_if = "Tries::is_empty")]
    pub tries: Tries,
    /// How often its attempts fail.
    #[serde(default, skip_serializing_if = "Rates::is_empty")]
    pub rates: Rates,
    /// What happened in the last minutes, by the queue on the line.
    #[serde(default, with = "crate::domain::pairs")]
    paces: BTreeMap<Option<QueueName>, ThroughputByMinute>,
    /// How long its jobs waited for their first start.
    #[serde(default)]
    pub waits: Waits,
}

/// A job may run this long before it is called overdue in its running, if nothing longer was configured or
/// seen: a worker's own timeout is often one minute, the founding app's five.
const TIMEOUT_LEAST_MS: i64 = 5 * MINUTE_MS;

impl ClassFacts {
    /// The timeout that the class's runs suggest: three times the longest, at least five minutes.
    #[must_use]
    pub fn learned_timeout_ms(&self) -> i64 {
        self.longest_run_ms.saturating_mul(3).max(TIMEOUT_LEAST_MS)
    }

    /// Takes a line of a job's life for what it adds to the last minutes.
    pub fn take_pace(&mut self, observation: &Observation) {
        match self.paces.get_mut(&observation.queue) {
            Some(pace) => pace.take(observation),
            None => self.paces.entry(observation.queue.clone()).or_default().take(observation),
        }
    }

    /// Queues that its lines name.
    pub fn queues_on_lines(&self) -> impl Iterator<Item = &QueueName> {
        self.paces.keys().flatten()
    }

    /// What happened from the minute of `from` on, by lines that name `queue`, or none.
    #[must_use]
    pub fn throughput_since(&self, queue: Option<&QueueName>, from: Timestamp) -> Throughput {
        self.paces.get(&queue.cloned()).map_or(Throughput::default(), |pace| pace.since(from))
    }

    /// What happened from the minute of `from` on, whatever queue lines name.
    #[must_use]
    pub fn all_throughput_since(&self, from: Timestamp) -> Throughput {
        let mut sum = Throughput::default();
        for pace in self.paces.values() {
            sum.add(pace.since(from));
        }
        sum
    }

    /// What happened in each minute from the one of `from` to before the one of `until`, whatever queue lines name.
    pub fn throughput_by_minute(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Throughput)> {
        self.paces.values().flat_map(move |pace| pace.between(from, until))
    }

    /// Forgets the minutes that nobody asks for any more.
    pub fn forget_before(&mut self, now: Timestamp) {
        for pace in self.paces.values_mut() {
            pace.forget_before(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_never_run_may_take_five_minutes_and_a_slow_one_three_times_its_longest() {
        let mut facts = ClassFacts::default();
        assert_eq!(facts.learned_timeout_ms(), 300_000);
        facts.longest_run_ms = 200_000;
        assert_eq!(facts.learned_timeout_ms(), 600_000);
    }
}

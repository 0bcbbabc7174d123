//! When to sweep: each whole minute, or more often where a grace is shorter than that.

use crate::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::model::policy::Policy;

/// When the next sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    every_ms: i64,
    next_at: Timestamp,
    looked_at: Timestamp,
}

impl Pace {
    /// The pace of a policy: half its shortest grace, so that no job is overdue much longer than it may be before it
    /// is seen, but not below a second, and a minute at most.
    pub(super) fn of(policy: &Policy, now: Timestamp) -> Self {
        let queues = policy.queues.iter().filter_map(|queue| queue.grace_ms);
        let classes = policy.classes.iter().filter_map(|class| class.grace_ms);
        let shortest_ms = queues.chain(classes).fold(policy.grace_ms, i64::min);
        let every_ms = shortest_ms.wrapping_div(2).clamp(SECOND_MS, MINUTE_MS);
        // The first look comes as soon as everything is read: what waits then may have waited long.
        Self { every_ms, next_at: now, looked_at: now }
    }

    /// How long from one sweep to the next.
    pub(super) const fn every_ms(self) -> i64 {
        self.every_ms
    }

    /// Whether it is time to sweep. While lines are known to be unread, what is known is old: then a sweep waits, but
    /// not longer than a minute, for there may be more to read than time to read it.
    pub(super) fn is_due(&mut self, now: Timestamp, is_behind: bool) -> bool {
        let pause_ms = now.since_ms(std::mem::replace(&mut self.looked_at, now));
        if pause_ms.saturating_abs() > self.every_ms.max(MINUTE_MS) {
            // The machine slept, and so did the workers: they get the time between two sweeps to go on.
            self.next_at = self.after(now);
        }
        let waited_ms = now.since_ms(self.next_at);
        waited_ms >= 0 && (!is_behind || waited_ms >= MINUTE_MS)
    }

    /// Notes that a sweep was made.
    pub(super) fn swept(&mut self, now: Timestamp) {
        self.next_at = self.after(now);
    }

    /// The next whole minute, or whatever the pace is.
    fn after(self, now: Timestamp) -> Timestamp {
        let into_ms = now.as_ms().checked_rem_euclid(self.every_ms).unwrap_or(0);
        now.minus_ms(into_ms).plus_ms(self.every_ms)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;
    use crate::domain::model::policy::QueuePolicy;

    const START: i64 = 1_765_024_270_123;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(START + ms)
    }

    #[track_caller]
    fn check(grace_ms: i64, queue_grace_ms: Option<i64>, expected: i64) {
        let queue = QueuePolicy { name: "q".into(), grace_ms: queue_grace_ms, expect_workers: None };
        let policy = Policy { grace_ms, queues: vec![queue], ..Policy::default() };
        assert_eq!(Pace::of(&policy, at(0)).every_ms(), expected);
    }

    #[test]
    fn it_is_half_the_shortest_grace_from_a_second_to_a_minute() {
        check(300_000, None, 60_000);
        check(60_000, None, 30_000);
        check(5_000, None, 2_500);
        check(1, None, 1_000);
        check(300_000, Some(10_000), 5_000);
        check(10_000, Some(300_000), 5_000);
    }

    #[test]
    fn sweeps_fall_on_whole_minutes_after_the_first() {
        let mut pace = Pace::of(&Policy::default(), at(0));
        assert!(pace.is_due(at(0), false));
        pace.swept(at(0));
        // The start is at 10.123 s of its minute.
        assert!(!pace.is_due(at(49_876), false));
        assert!(pace.is_due(at(49_877), false));
    }

    #[test]
    fn a_sweep_waits_for_what_is_unread_but_not_for_ever() {
        let mut pace = Pace::of(&Policy::default(), at(0));
        for seconds in 0..60 {
            assert!(!pace.is_due(at(seconds * 1_000), true), "{seconds}");
        }
        assert!(pace.is_due(at(60_000), true));
    }

    #[test]
    fn after_a_machine_slept_its_workers_get_a_moment() {
        let mut pace = Pace::of(&Policy::default(), at(0));
        pace.swept(at(0));
        let woken = 8 * 3_600_000;
        assert!(!pace.is_due(at(woken), false));
        assert!(!pace.is_due(at(woken + 49_876), false));
        assert!(pace.is_due(at(woken + 49_877), false));
    }
}

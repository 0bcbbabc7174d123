//! How many jobs of a class were enqueued, started and ended in each of the last minutes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{Ending, HOUR_MS, Observation, Stage, Timestamp};

/// Minutes kept: the longest question is ten minutes back, and lines may come two hours late.
const MINUTES_MAX: usize = 150;
/// How far back a checkpoint keeps them.
const KEPT_MS: i64 = HOUR_MS;

/// What happened within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throughput {
    /// Jobs enqueued.
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    pub enqueued: u64,
    /// Attempts started.
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    pub started: u64,
    /// Attempts that ended well, released ones included.
    #[serde(rename = "g", default, skip_serializing_if = "is_zero")]
    pub good: u64,
    /// Attempts that ended in an exception.
    #[serde(rename = "b", default, skip_serializing_if = "is_zero")]
    pub bad: u64,
    /// Jobs that went back to their queue.
    #[serde(rename = "r", default, skip_serializing_if = "is_zero")]
    pub released: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it like this")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Throughput {
    /// Adds what happened within another time.
    pub const fn add(&mut self, other: Self) {
        self.enqueued = self.enqueued.saturating_add(other.enqueued);
        self.started = self.started.saturating_add(other.started);
        self.good = self.good.saturating_add(other.good);
        self.bad = self.bad.saturating_add(other.bad);
        self.released = self.released.saturating_add(other.released);
    }
}

/// What happened in each of the last minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThroughputByMinute {
    minutes: BTreeMap<Timestamp, Throughput>,
}

impl ThroughputByMinute {
    /// Takes one line of a job's life.
    pub fn take(&mut self, observation: &Observation) {
        let minute = observation.at.minute();
        if self.minutes.len() >= MINUTES_MAX && !self.minutes.contains_key(&minute) {
            self.minutes.pop_first();
        }
        let moves = self.minutes.entry(minute).or_default();
        let one = |count: &mut u64| *count = count.saturating_add(1);
        let (stage, is_thrown) = (observation.stage, observation.ending == Ending::Thrown);
        if stage == Stage::Enqueued {
            one(&mut moves.enqueued);
        } else if stage == Stage::Processing {
            one(&mut moves.started);
        } else if stage == Stage::Failed || is_thrown {
            one(&mut moves.bad);
        } else if stage.is_end() {
            one(&mut moves.good);
        }
        if stage == Stage::Released {
            one(&mut moves.released);
        }
    }

    /// What happened in the minutes from the one of `from` on.
    #[must_use]
    pub fn since(&self, from: Timestamp) -> Throughput {
        let mut sum = Throughput::default();
        for (_, moves) in self.minutes.range(from.minute()..) {
            sum.add(*moves);
        }
        sum
    }

    /// What happened in each minute from the one of `from` to before the one of `until`.
    pub fn between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Throughput)> {
        let (from, until) = (from.minute(), until.minute());
        self.minutes.range(from.min(until)..until).map(|(at, moves)| (*at, *moves))
    }

    /// Forgets what nobody asks for any more.
    pub fn forget_before(&mut self, now: Timestamp) {
        self.minutes = self.minutes.split_off(&now.minus_ms(KEPT_MS).minute());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey, MINUTE_MS};

    fn line(stage: Stage, minute: i64) -> Observation {
        let at = Timestamp::from_ms(minute.saturating_mul(MINUTE_MS).saturating_add(7));
        Observation::bare(stage, at, LineKey(1), Form::Json)
    }

    #[test]
    fn moves_are_summed_from_a_minute_on() {
        let mut pace = ThroughputByMinute::default();
        let thrown = Observation { ending: Ending::Thrown, ..line(Stage::Released, 3) };
        for line in [line(Stage::Enqueued, 1), line(Stage::Processing, 2), line(Stage::Failed, 2), thrown] {
            pace.take(&line);
        }
        let all = Throughput { enqueued: 1, started: 1, good: 0, bad: 2, released: 1 };
        assert_eq!(pace.since(Timestamp::from_ms(0)), all);
        let later = Throughput { enqueued: 0, ..all };
        assert_eq!(pace.since(Timestamp::from_ms(2 * MINUTE_MS + 30_000)), later);
        assert_eq!(pace.since(Timestamp::from_ms(4 * MINUTE_MS)), Throughput::default());
    }

    #[test]
    fn the_oldest_minute_goes_first() {
        let mut pace = ThroughputByMinute::default();
        for minute in 0..400 {
            pace.take(&line(Stage::Enqueued, minute));
        }
        assert_eq!(pace.since(Timestamp::MIN).enqueued, MINUTES_MAX as u64);
        pace.forget_before(Timestamp::from_ms(400 * MINUTE_MS));
        assert_eq!(pace.since(Timestamp::MIN).enqueued, 60);
    }
}

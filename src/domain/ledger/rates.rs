//! How many attempts of a class ended well and how many failed, hour by hour: whether it fails more often than it used to.
//!
//! **Invariant:** a sum over lines, so that the order in which they come does not show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{HOUR_MS, Observation, Stage, Timestamp};

/// Hours told apart: two days, as of waits.
const HOURS_MAX: usize = 48;

/// Ends of attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rates {
    /// Good ones and failures of each hour.
    #[serde(with = "crate::domain::pairs")]
    hours: BTreeMap<i64, (u64, u64)>,
}

impl Rates {
    /// Takes a line, if it ends an attempt. One that is known to be tried again did not fail yet.
    pub fn take(&mut self, observation: &Observation) {
        let is_failure = observation.stage == Stage::Failed;
        if !is_failure && observation.stage != Stage::Processed {
            return;
        }
        let (good, failed) = self.hours.entry(hour_of(observation.at)).or_default();
        let count = if is_failure { failed } else { good };
        *count = count.saturating_add(1);
        if self.hours.len() > HOURS_MAX {
            self.hours.pop_first();
        }
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// Good ends and failures from the hour of `from` to the one of `until`, that one included.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> (u64, u64) {
        let (from, until) = (hour_of(from), hour_of(until));
        let hours = self.hours.range(from.min(until)..=until);
        hours.fold((0, 0), |(good, failed): (u64, u64), (_, hour)| {
            (good.saturating_add(hour.0), failed.saturating_add(hour.1))
        })
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey};

    #[test]
    fn ends_are_counted_by_the_hour() {
        let mut rates = Rates::default();
        let at = |hours: i64| Timestamp::from_ms(hours.saturating_mul(HOUR_MS).saturating_add(7));
        let stages = [Stage::Processed, Stage::Failed, Stage::Released, Stage::Processing];
        for (stage, hour) in stages.into_iter().cycle().zip(0..60) {
            rates.take(&Observation::bare(stage, at(hour), LineKey(1), Form::Json));
        }
        assert_eq!(rates.between(at(56), at(57)), (1, 1));
        assert_eq!(rates.between(at(57), at(57)), (0, 1));
        assert_eq!(rates.between(Timestamp::from_ms(0), at(60)), (15, 15), "each second hour has none");
    }
}

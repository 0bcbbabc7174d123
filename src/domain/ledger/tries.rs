//! On which attempt the jobs of a class succeed. Some throw on purpose, to be tried again until what they wait for is
//! there: that their attempts fail says nothing of the class.
//!
//! **Invariant:** a sum over lines, so that the order in which they come does not show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{Observation, Stage};

/// Successes on a later attempt than the first that make a habit.
const HABIT_LEAST: u64 = 3;
/// One in how many of the successes must be.
const HABIT_ONE_IN: u64 = 2;
/// One in how many successes must come on a later attempt, for one that fails to be usual.
const USUAL_ONE_IN: u64 = 50;

/// How many jobs succeeded on their first attempt, on the second or third, on the fourth to seventh, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tries {
    #[serde(with = "crate::domain::pairs")]
    successes: BTreeMap<u32, u64>,
}

impl Tries {
    /// Takes a line, if it is a success that says on which attempt.
    pub fn take(&mut self, observation: &Observation) {
        let has_name = observation.id.is_some() || observation.uuid.is_some();
        let attempt = observation.attempt.filter(|_| observation.stage == Stage::Processed && has_name);
        if let Some(doubling) = attempt.and_then(u32::checked_ilog2) {
            let count = self.successes.entry(doubling).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.successes.is_empty()
    }

    /// Whether its jobs mostly fail before they succeed.
    #[must_use]
    pub fn is_habit(&self) -> bool {
        let later = self.from(1);
        later >= HABIT_LEAST && later.saturating_mul(HABIT_ONE_IN) >= self.from(0)
    }

    /// Whether this attempt of a job usually fails, up to a doubling: others succeeded after it.
    #[must_use]
    pub fn usually_fails(&self, attempt: u32) -> bool {
        let next = attempt.saturating_add(1).ilog2();
        self.is_habit() && self.from(next).saturating_mul(USUAL_ONE_IN) >= self.from(0) && self.from(next) > 0
    }

    fn from(&self, doubling: u32) -> u64 {
        self.successes.range(doubling..).map(|(_, count)| count).fold(0, |sum, n| sum.saturating_add(*n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey, Timestamp};

    /// Successes: how many on which attempt. Asks for the attempts that usually fail, of the first 40.
    #[track_caller]
    fn check(successes: &[(u32, u32)], until: u32) {
        let mut tries = Tries::default();
        for (count, attempt) in successes {
            for _ in 0..*count {
                let line = Observation::bare(Stage::Processed, Timestamp::from_ms(1), LineKey(1), Form::Json);
                tries.take(&Observation { attempt: Some(*attempt), id: Some("a".into()), ..line });
            }
        }
        let usual: Vec<u32> = (1..=40).filter(|attempt| tries.usually_fails(*attempt)).collect();
        assert_eq!(usual, (1..=until).collect::<Vec<_>>());
    }

    #[test]
    fn attempts_fail_by_habit_where_most_jobs_succeed_on_a_later_one() {
        check(&[(3, 9)], 14);
        check(&[(20, 2), (3, 20)], 30);
        check(&[(90, 1), (100, 2)], 2);
    }

    #[test]
    fn a_few_that_were_tried_again_are_no_habit() {
        check(&[(2, 9)], 0);
        check(&[(100, 1), (20, 2)], 0);
        check(&[(1_000, 1)], 0);
    }
}

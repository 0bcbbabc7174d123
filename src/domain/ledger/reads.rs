//! How well worker lines reach us: of the attempts whose end was read, how many have no start that was.
//!
//! **Invariant:** the newest of a set of lines, so that the order in which they come does not show.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::life::{JobHash, JobKey};
use super::record::{STAMP_TOLERANCE_MS, runtime_tolerance_ms};
use crate::domain::intake::LineHash;
use crate::domain::job::{DAY_MS, HOUR_MS, LineKey, MINUTE_MS, Observation, Runtime, Stage, Timestamp};

/// Ends kept: enough to see one line of a hundred missing. With the starts some 16 KB of a checkpoint, deflated.
const ENDS_MAX: usize = 300;
/// Starts kept: twice as many, for attempts that go on beside those that ended.
const STARTS_MAX: usize = 600;
/// How old an end must be before its missing start counts as never read: the function tries a failed delivery again
/// after one minute and after two more, and a sweep takes in what came in the minute before it.
pub const UNREAD_AFTER_MS: i64 = 4 * MINUTE_MS;
/// How much earlier than `end − runtime` the start of a named attempt is looked for: its name tells it from others.
const NAMED_BEFORE_MS: i64 = MINUTE_MS;
/// How long an attempt may have run whose end prints no runtime, and its start still be among those kept.
const UNTIMED_MS: i64 = HOUR_MS;
/// Starts that must be missing before lines are called lost: fewer are an attempt under way when listening began.
const UNREAD_LEAST: u64 = 3;
/// One of so many at least.
const UNREAD_ONE_OF: u64 = 200;

/// The newest starts and ends that were read, of all classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reads {
    #[serde(with = "crate::domain::pairs")]
    starts: BTreeMap<(Timestamp, LineKey), Whose>,
    #[serde(with = "crate::domain::pairs")]
    ends: BTreeMap<(Timestamp, LineKey), (Whose, Option<Runtime>)>,
}

/// Whose attempt a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Whose {
    #[serde(rename = "c")]
    class: u64,
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    job: Option<JobHash>,
}

/// Worker lines that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Missing {
    /// Attempts whose end was read and whose start was not.
    pub unread: u64,
    /// Of so many that ended.
    pub of: u64,
}

impl Missing {
    /// How likely a line is not to reach us.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of some hundred lines")]
    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.unread as f64 / self.of as f64 }
    }
}

impl Reads {
    /// Takes a start or an end.
    pub fn take(&mut self, observation: &Observation) {
        let Some(class) = &observation.class else { return };
        let whose = Whose {
            class: LineHash::default().with(class.as_str().as_bytes()).finish(),
            job: JobKey::of_name(observation.id.as_ref(), observation.uuid.as_ref()).map(|key| key.hash()),
        };
        let key = (observation.at, observation.line);
        if observation.stage == Stage::Processing {
            self.starts.insert(key, whose);
            if self.starts.len() > STARTS_MAX {
                self.starts.pop_first();
            }
        } else if observation.stage.is_end() {
            self.ends.insert(key, (whose, observation.runtime));
            if self.ends.len() > ENDS_MAX {
                self.ends.pop_first();
            }
        }
    }

    /// The worker lines that are missing as of `now`; `None` where that are none, or so few that it may be chance.
    #[must_use]
    pub fn missing(&self, now: Timestamp) -> Option<Missing> {
        let ((oldest_start, _), _) = self.starts.first_key_value()?;
        let named: BTreeSet<(Option<JobHash>, Timestamp)> =
            self.starts.iter().map(|((at, _), whose)| (whose.job, *at)).collect();
        // A class whose starts are never printed misses none.
        let started: BTreeSet<u64> = self.starts.values().map(|whose| whose.class).collect();
        let (from, until) = (now.minus_ms(DAY_MS), now.minus_ms(UNREAD_AFTER_MS));
        let (mut unread, mut of) = (0_u64, 0_u64);
        for ((at, line), (whose, runtime)) in self.ends.range((from, LineKey(0))..=(until, LineKey(u64::MAX)))
        {
            let tolerance_ms = runtime.map_or(STAMP_TOLERANCE_MS, runtime_tolerance_ms);
            let began = at.minus_ms(runtime.map_or(UNTIMED_MS, |runtime| runtime.ms.max(0)));
            let is_covered = began.minus_ms(tolerance_ms) > *oldest_start && started.contains(&whose.class);
            let is_read = match whose.job {
                Some(_) => {
                    let from = began.minus_ms(NAMED_BEFORE_MS);
                    named.range((whose.job, from)..=(whose.job, *at)).next().is_some()
                }
                None if runtime.is_none() => true,
                None => {
                    let around = (began.minus_ms(tolerance_ms), LineKey(0))
                        ..=(began.plus_ms(STAMP_TOLERANCE_MS), LineKey(u64::MAX));
                    // Older forms print both on one line, which is stamped when it is whole.
                    self.starts.range(around).any(|(_, other)| other == whose)
                        || self.starts.contains_key(&(*at, *line))
                }
            };
            if is_covered || is_read {
                of = of.saturating_add(1);
                unread = unread.saturating_add(u64::from(!is_read));
            }
        }
        let is_telling = unread >= UNREAD_LEAST && unread.saturating_mul(UNREAD_ONE_OF) >= of;
        is_telling.then_some(Missing { unread, of })
    }
}

impl Ledger {
    /// The worker lines that are missing as of `now`, where that is more than chance. Where a form prints no start, none
    /// is missing.
    #[must_use]
    pub fn missing_lines(&self, now: Timestamp) -> Option<Missing> {
        if self.traits.has_end_only { None } else { self.reads.missing(now) }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;
    use crate::domain::job::{Form, SECOND_MS};

    /// A hundred attempts, one each ten seconds and of four seconds each; `is_read(n)` says whether the start of the
    /// nth was read. Asserts what is missing an hour after the first.
    #[track_caller]
    fn check(
        has_names: bool,
        runtime: Option<Runtime>,
        is_read: fn(i64) -> bool,
        expected: Option<(u64, u64)>,
    ) {
        let mut reads = Reads::default();
        let mut line = 0;
        for n in 0..100 {
            for (stage, ms) in [(Stage::Processing, 0), (Stage::Processed, 4_000)] {
                line += 1;
                let at = Timestamp::from_ms(n * 10 * SECOND_MS + ms);
                let observation = Observation {
                    class: Some("App\\Jobs\\Any".into()),
                    id: has_names.then(|| format!("job{n}").as_str().into()),
                    runtime: runtime.filter(|_| stage.is_end()),
                    ..Observation::bare(stage, at, LineKey(line), Form::Json)
                };
                if stage.is_end() || is_read(n) {
                    reads.take(&observation);
                }
            }
        }
        let missing = reads.missing(Timestamp::from_ms(HOUR_MS));
        assert_eq!(missing.map(|it| (it.unread, it.of)), expected);
    }

    const EXACT: Option<Runtime> = Some(Runtime { ms: 4_000, is_whole_seconds: false });
    const WHOLE: Option<Runtime> = Some(Runtime { ms: 4_000, is_whole_seconds: true });

    #[test]
    fn where_every_start_was_read_none_is_missing() {
        for has_names in [true, false] {
            for runtime in [EXACT, WHOLE, None] {
                check(has_names, runtime, |_| true, None);
            }
        }
    }

    #[test]
    fn ends_without_starts_are_counted_by_name_or_by_time() {
        check(true, EXACT, |n| n % 5 != 3, Some((20, 100)));
        check(false, EXACT, |n| n % 5 != 3, Some((20, 100)));
        check(false, WHOLE, |n| n % 5 != 3, Some((20, 100)));
    }

    #[test]
    fn two_are_chance_and_what_began_before_the_first_start_is_nobodys_loss() {
        check(true, EXACT, |n| n != 50 && n != 60, None);
        check(true, EXACT, |n| n > 40, None);
    }

    #[test]
    fn a_class_that_prints_no_start_misses_none() {
        check(true, EXACT, |_| false, None);
    }

    #[test]
    fn an_end_waits_for_its_start_as_long_as_a_delivery_may_be_tried_again() {
        let mut reads = Reads::default();
        for n in 0..20 {
            for (stage, ms) in [(Stage::Processing, 0), (Stage::Processed, 1_000)] {
                let at = Timestamp::from_ms(n * MINUTE_MS + ms);
                let line = LineKey(u64::try_from(n).unwrap() * 2 + u64::from(stage.is_end()));
                let observation = Observation {
                    class: Some("Any".into()),
                    id: Some(format!("job{n}").as_str().into()),
                    runtime: Some(Runtime { ms: 1_000, is_whole_seconds: false }),
                    ..Observation::bare(stage, at, line, Form::Json)
                };
                if stage.is_end() || n < 16 {
                    reads.take(&observation);
                }
            }
        }
        let at = |minute| reads.missing(Timestamp::from_ms(minute * MINUTE_MS + 1_000));
        assert_eq!(at(21), None, "the ends of minutes 16 and 17 are old enough, and two are chance");
        assert_eq!(at(22), Some(Missing { unread: 3, of: 19 }));
    }
}

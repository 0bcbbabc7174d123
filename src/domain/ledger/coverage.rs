//! How well worker lines reach us: of the attempts whose end was read, how many have no start that was.
//!
//! **Invariant:** the newest of a set of lines, so that the order in which they come does not show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::job_facts::{STAMP_TOLERANCE_MS, runtime_tolerance_ms};
use super::job_key::{Hashes, JobHash};
use super::newest::Newest;
use crate::domain::job::{DAY_MS, HOUR_MS, LineKey, MINUTE_MS, Observation, Runtime, Stage, Timestamp};
use crate::domain::line::LineHash;

/// Ends kept: enough to see one line of a hundred missing. With the starts 16 KB of a checkpoint, deflated, where lines
/// carry no names, and 36 KB where they carry two.
const ENDS_MAX: usize = 300;
/// Starts kept: twice as many, for attempts that go on beside those that ended.
const STARTS_MAX: usize = 600;
/// How old an end must be before its missing start counts as never read: the function tries a failed delivery again
/// after one minute and after two more, and a sweep takes in what came in the minute before it.
pub const UNREAD_AFTER_MS: i64 = 4 * MINUTE_MS;
/// How long an attempt may have run whose end prints no runtime, and its start still be among those kept.
const UNTIMED_MS: i64 = HOUR_MS;
/// Starts that must be missing before lines are called lost: fewer are an attempt under way when listening began.
const UNREAD_LEAST: u64 = 3;
/// One of so many at least.
const UNREAD_ONE_OF: u64 = 200;

/// The newest starts and ends that were read, of all classes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    starts: Newest<Whose, STARTS_MAX>,
    ends: Newest<(Whose, Option<Runtime>), ENDS_MAX>,
}

/// Whose attempt a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Whose {
    #[serde(rename = "c")]
    class: u64,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id: Option<JobHash>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    uuid: Option<JobHash>,
}

impl Whose {
    /// The names by which the job is known; a start may carry one, and its end the other.
    fn names(self) -> impl Iterator<Item = JobHash> {
        self.id.into_iter().chain(self.uuid)
    }
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

impl Coverage {
    /// Takes a start or an end.
    pub(super) fn take(&mut self, observation: &Observation, names: Hashes) {
        let Some(class) = &observation.class else { return };
        let is_start = observation.stage == Stage::Processing;
        if !is_start && !observation.stage.is_end() {
            return;
        }
        let class = LineHash::default().with(class.key_bytes()).finish();
        let whose = Whose { class, id: names.id, uuid: names.uuid };
        let at = (observation.at, observation.line);
        if is_start {
            self.starts.add(at, whose);
        } else {
            self.ends.add(at, (whose, observation.runtime));
        }
    }

    /// The worker lines that are missing as of `now`; `None` where that are none, or so few that it may be chance.
    #[must_use]
    pub fn missing(&self, now: Timestamp) -> Option<Missing> {
        let ((oldest_start, _), _) = self.starts.first()?;
        let mut first_start: BTreeMap<JobHash, Timestamp> = BTreeMap::new();
        let mut newest_start: BTreeMap<u64, Timestamp> = BTreeMap::new();
        for ((at, _), whose) in self.starts.iter() {
            whose.names().for_each(|name| {
                first_start.entry(name).or_insert(*at);
            });
            newest_start.insert(whose.class, *at);
        }
        let (from, until) = (now.minus_ms(DAY_MS), now.minus_ms(UNREAD_AFTER_MS));
        let (mut unread, mut of) = (0_u64, 0_u64);
        for (key, (whose, runtime)) in self.ends.within(from..=until) {
            // A class whose starts are not printed, or not any more, misses none.
            if newest_start.get(&whose.class).is_none_or(|newest| *newest < key.0) {
                continue;
            }
            let began = key.0.minus_ms(runtime.map_or(UNTIMED_MS, |runtime| runtime.ms.max(0)));
            let tolerance_ms = runtime.map_or(STAMP_TOLERANCE_MS, runtime_tolerance_ms);
            let is_covered = began.minus_ms(tolerance_ms) > *oldest_start;
            let is_read = if whose.names().next().is_some() {
                whose.names().any(|name| first_start.get(&name).is_some_and(|first| *first <= key.0))
            } else {
                match runtime.map(|_| self.start_at(key, *whose, began.minus_ms(tolerance_ms), began)) {
                    Some(Beginning::Own) => true,
                    Some(Beginning::None) => false,
                    Some(Beginning::Others) | None => continue,
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

    /// Whose start was read where an attempt without a name began.
    fn start_at(
        &self,
        end: &(Timestamp, LineKey),
        whose: Whose,
        from: Timestamp,
        began: Timestamp,
    ) -> Beginning {
        let around = from..=began.plus_ms(STAMP_TOLERANCE_MS);
        let mut around = self.starts.within(around).map(|(_, other)| *other).peekable();
        // Older forms print both on one line, which is stamped when it is whole.
        if self.starts.has(end) || around.clone().any(|other| other == whose) {
            Beginning::Own
        } else if around.peek().is_some() {
            Beginning::Others
        } else {
            Beginning::None
        }
    }
}

/// Whose start there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// One that may be its own.
    Own,
    /// Another class's: a job that runs another at once prints, at its end, how long it took since then.
    Others,
    /// Nobody's.
    None,
}

impl Ledger {
    /// The worker lines that are missing as of `now`, where that is more than chance. Where a form prints no start, none
    /// is missing.
    #[must_use]
    pub fn missing_lines(&self, now: Timestamp) -> Option<Missing> {
        if self.traits.has_end_only { None } else { self.coverage.missing(now) }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;
    use crate::domain::job::{Form, SECOND_MS};
    use crate::domain::ledger::checkpoint::Room;

    /// A hundred attempts, one each ten seconds and of four seconds each; `is_read(n)` says whether the start of the
    /// nth was read. Asserts what is missing an hour after the first.
    #[track_caller]
    fn check(
        has_names: bool,
        runtime: Option<Runtime>,
        is_read: fn(i64) -> bool,
        expected: Option<(u64, u64)>,
    ) {
        let mut reads = Coverage::default();
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
                    take(&mut reads, &observation);
                }
            }
        }
        let missing = reads.missing(Timestamp::from_ms(HOUR_MS));
        assert_eq!(missing.map(|it| (it.unread, it.of)), expected);
    }

    fn take(reads: &mut Coverage, line: &Observation) {
        reads.take(line, Hashes::of(line));
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
        check(true, EXACT, |n| n % 5 != 3, Some((20, 99)));
        check(false, EXACT, |n| n % 5 != 3, Some((20, 99)));
        check(false, WHOLE, |n| n % 5 != 3, Some((20, 99)));
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
    fn starts_that_are_not_printed_any_more_are_nobodys_loss() {
        check(true, EXACT, |n| n < 60, None);
        check(false, EXACT, |n| n < 60, None);
    }

    /// Stage, second, class, id and uuid of an attempt's lines. Asserts that of five such attempts nothing is missing.
    #[track_caller]
    fn check_attempt(lines: &[(Stage, i64, &str, &str, &str)], runtime: Option<Runtime>) {
        let mut reads = Coverage::default();
        let mut line = 0;
        for n in 0..5 {
            for (stage, second, class, id, uuid) in lines {
                line += 1;
                let name = |name: &str| (!name.is_empty()).then(|| format!("{name}{n}"));
                let at = Timestamp::from_ms((n * 10_000 + second) * SECOND_MS);
                take(
                    &mut reads,
                    &Observation {
                        class: Some((*class).into()),
                        id: name(id).map(|id| id.as_str().into()),
                        uuid: name(uuid).map(|uuid| uuid.as_str().into()),
                        runtime: runtime.filter(|_| stage.is_end()),
                        ..Observation::bare(*stage, at, LineKey(line), Form::Json)
                    },
                );
            }
        }
        assert_eq!(reads.missing(Timestamp::from_ms(50_000 * SECOND_MS)), None);
    }

    #[test]
    fn a_start_meets_its_end_by_either_name_and_however_long_it_took() {
        let (start, end) = (Stage::Processing, Stage::Processed);
        check_attempt(&[(start, 0, "A", "", "uuid"), (end, 4, "A", "id", "uuid")], EXACT);
        check_attempt(&[(start, 0, "A", "1", ""), (end, 4, "A", "1", "uuid")], EXACT);
        check_attempt(&[(start, 0, "A", "id", ""), (end, 4_500, "A", "id", "")], None);
    }

    #[test]
    fn a_job_that_ran_another_at_once_prints_how_long_it_took_since_then() {
        let (start, end) = (Stage::Processing, Stage::Processed);
        let lines = |id| [(start, 0, "A", id, ""), (start, 60, "B", "", ""), (end, 64, "A", id, "")];
        check_attempt(&lines("id"), EXACT);
        check_attempt(&lines(""), EXACT);
    }

    #[test]
    fn a_form_that_prints_start_and_end_on_one_line_misses_none() {
        let mut reads = Coverage::default();
        for n in 0..20 {
            for stage in [Stage::Processing, Stage::Processed] {
                let line = LineKey(u64::try_from(n).unwrap());
                take(
                    &mut reads,
                    &Observation {
                        class: Some("Any".into()),
                        runtime: EXACT.filter(|_| stage.is_end()),
                        ..Observation::bare(stage, Timestamp::from_ms(n * MINUTE_MS), line, Form::Json)
                    },
                );
            }
        }
        assert_eq!(reads.missing(Timestamp::from_ms(HOUR_MS)), None);
    }

    #[test]
    fn a_checkpoint_keeps_what_was_read_and_a_form_without_starts_misses_none() {
        let now = Timestamp::from_ms(HOUR_MS);
        let mut ledger = Ledger::default();
        for n in 0..100 {
            let stage = if n % 2 == 0 { Stage::Processing } else { Stage::Processed };
            // Every fifth start is another job's.
            let job = if n % 10 == 0 { n } else { n / 2 };
            take(
                &mut ledger.coverage,
                &Observation {
                    class: Some("Any".into()),
                    id: Some(format!("job{job}").as_str().into()),
                    runtime: EXACT.filter(|_| stage.is_end()),
                    ..Observation::bare(
                        stage,
                        Timestamp::from_ms(n * 2_000 * 2),
                        LineKey(u64::try_from(n).unwrap()),
                        Form::Json,
                    )
                },
            );
        }
        let missing = ledger.missing_lines(now);
        assert!(missing.is_some_and(|it| it.unread >= UNREAD_LEAST), "{missing:?}");
        let mut later = Ledger::restore(ledger.checkpoint(now, 0, Room::default(), |_| false));
        assert_eq!(later.missing_lines(now), missing);
        later.traits.has_end_only = true;
        assert_eq!(later.missing_lines(now), None);
    }

    #[test]
    fn an_end_waits_for_its_start_as_long_as_a_delivery_may_be_tried_again() {
        let mut reads = Coverage::default();
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
                if stage.is_end() || n < 16 || n == 19 {
                    take(&mut reads, &observation);
                }
            }
        }
        let at = |minute| reads.missing(Timestamp::from_ms(minute * MINUTE_MS + 1_000));
        assert_eq!(at(21), None, "the ends of minutes 16 and 17 are old enough, and two are chance");
        assert_eq!(at(22), Some(Missing { unread: 3, of: 19 }));
    }
}

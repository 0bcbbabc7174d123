//! How the last attempts of a class ended, so that a class that only fails can be told from one that sometimes does.
//!
//! **Invariant:** the newest of a set of lines, so that the order in which they come does not show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::job_facts::{STAMP_TOLERANCE_MS, runtime_tolerance_ms};
use super::job_key::{Hashes, JobHash};
use super::newest::Newest;
use crate::domain::job::{Ending, LineKey, Observation, Runtime, Stage, Timestamp};

/// Ends kept of each class: several times what a row asks for, and enough to tell what is usual.
const ENDS_MAX: usize = 48;
/// Jobs kept that lost their worker.
const LOST_MAX: usize = 48;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Well.
    Good,
    /// The job went back to its queue by its own will.
    Released,
    /// In an exception; the job is tried again, or nobody can tell.
    Bad,
    /// In an exception, for good.
    Final,
}

/// One end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How.
    #[serde(rename = "v")]
    pub verdict: Verdict,
    /// Whether the line leaves open if the job is tried again.
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ambiguous: bool,
    /// Whether the job had no attempt left when this one began.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_used_up: bool,
    /// Whose, where the line says.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobHash>,
    /// Which attempt failed and may be repeated, where the line says.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How long the attempt ran, where the line says.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// The exception's first line, where it is known.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
}

/// How the newest attempts ended, without the failures that were made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// How many ended well.
    pub good: u64,
    /// How many did not.
    pub bad: u64,
    /// Of how many names of jobs those are; `None` where lines do not say.
    pub failed: Option<usize>,
    /// How many bad ends came since a job succeeded that had failed before, where each failure is known to be tried again.
    pub since_made_good: Option<u64>,
}

/// A job without a name that was handed out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Twice {
    /// The end of the attempt that was one too many.
    bad: (Timestamp, LineKey),
    /// The end of the attempt that went on.
    good: (Timestamp, LineKey),
    /// How long after that one the other began.
    after_ms: i64,
}

/// When an attempt began, where its end says how long it ran.
fn began(at: Timestamp, end: &End) -> Option<Timestamp> {
    Some(at.minus_ms(end.runtime?.ms.max(0)))
}

/// How long after the second of two attempts the first one began, if it did.
fn began_after_ms((bad_at, bad): (Timestamp, &End), (good_at, good): (Timestamp, &End)) -> Option<i64> {
    let tolerance_ms = good.runtime.map_or(STAMP_TOLERANCE_MS, runtime_tolerance_ms);
    let after_ms = began(bad_at, bad).unwrap_or(bad_at).since_ms(began(good_at, good)?);
    (after_ms > tolerance_ms).then_some(after_ms)
}

/// The newest ends of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    ends: Newest<End, ENDS_MAX>,
    /// Attempts that ended in nothing, by when they started.
    #[serde(with = "crate::domain::pairs")]
    lost: BTreeMap<JobHash, BTreeSet<Timestamp>>,
}

impl Outcomes {
    /// Takes an end.
    pub(super) fn take(&mut self, observation: &Observation, names: Hashes) {
        let verdict = match (observation.stage, observation.ending) {
            (Stage::Processed, _) => Verdict::Good,
            (Stage::Released, Ending::Thrown) | (Stage::Failed, Ending::FailOrRetry) => Verdict::Bad,
            (Stage::Released, _) => Verdict::Released,
            (Stage::Failed, _) => Verdict::Final,
            _ => return,
        };
        let end = End {
            verdict,
            is_ambiguous: observation.ending == Ending::FailOrRetry,
            is_used_up: observation.ending == Ending::UsedUp,
            job: names.name(observation.id.as_ref()),
            attempt: observation.attempt.filter(|_| verdict == Verdict::Bad),
            runtime: observation.runtime,
            text: observation.text.clone(),
        };
        self.ends.add((observation.at, observation.line), end);
    }

    /// Notes which attempts of a job were lost: all that are known, in place of what was known.
    pub fn note_lost(&mut self, job: JobHash, starts: BTreeSet<Timestamp>) {
        if starts.is_empty() {
            self.lost.remove(&job);
            return;
        }
        self.lost.insert(job, starts);
        while self.lost.len() > LOST_MAX {
            let oldest = self.lost.iter().min_by_key(|(job, starts)| (starts.last(), **job));
            let Some(oldest) = oldest.map(|(job, _)| *job) else { return };
            self.lost.remove(&oldest);
        }
    }

    /// Jobs that lost their worker, and the starts of the attempts that ended in nothing.
    pub fn lost(&self) -> impl Iterator<Item = (JobHash, &BTreeSet<Timestamp>)> {
        self.lost.iter().map(|(job, starts)| (*job, starts))
    }

    /// The ends from `from` to `until`, newest first, without the successes that an attempt printed after it had
    /// failed: `fail()` inside a job prints both.
    pub fn newest_first(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = (Timestamp, &End)> {
        let twice: BTreeSet<(Timestamp, LineKey)> =
            self.handed_out_twice().into_iter().map(|twice| twice.good).collect();
        self.ends
            .within(from..=until)
            .rev()
            .filter(|((at, _), end)| !(end.verdict == Verdict::Good && self.has_failed(*at, end)))
            .filter(move |(place, _)| !twice.contains(place))
            .map(|((at, _), end)| (*at, end))
    }

    /// Ends without a name of attempts that were one too many, each with the success of an attempt that was at work then
    /// and went on: it was the same job, handed out twice. Where other jobs run meanwhile it may be one of theirs, so that
    /// each success stands for one such end only.
    fn handed_out_twice(&self) -> Vec<Twice> {
        let mut found: Vec<Twice> = Vec::new();
        for (bad, end) in self.ends.iter().filter(|(_, end)| end.is_used_up && end.job.is_none()) {
            let later = self
                .ends
                .within(bad.0..=Timestamp::MAX)
                .filter(|(at, _)| *at >= bad)
                .filter(|(_, end)| end.verdict == Verdict::Good);
            let unnamed = later.filter(|(_, good)| good.job.is_none());
            let mut going_on = unnamed.filter_map(|(good, of)| {
                let after_ms = began_after_ms((bad.0, end), (good.0, of))?;
                Some(Twice { bad: *bad, good: *good, after_ms })
            });
            let free = going_on.find(|it| found.iter().all(|other| other.good != it.good));
            found.extend(free);
        }
        found
    }

    /// How many jobs without a name were handed out twice, so that one attempt was one too many while another went on.
    #[must_use]
    pub fn handed_out_twice_count(&self, from: Timestamp, until: Timestamp) -> usize {
        self.handed_out_twice().iter().filter(|twice| (from..=until).contains(&twice.bad.0)).count()
    }

    /// How many ends since `from` were good and how many bad, without the failures that were made good: those of jobs that
    /// succeeded later, and those of attempts that usually fail.
    #[must_use]
    pub fn judged_since(
        &self,
        from: Timestamp,
        until: Timestamp,
        usually_fails: impl Fn(u32) -> bool,
    ) -> Judged {
        let (mut good, mut bad): (u64, u64) = (0, 0);
        let mut failed = BTreeSet::new();
        let (mut is_unnamed, mut is_any_final, mut since_made_good) = (false, false, None::<u64>);
        // The jobs that succeeded, and how many bad ends are newer.
        let mut succeeded: BTreeMap<JobHash, u64> = BTreeMap::new();
        for (_, end) in self.newest_first(from, until) {
            match end.verdict {
                Verdict::Good => {
                    succeeded.extend(end.job.map(|job| (job, bad)));
                    good = good.saturating_add(1);
                }
                Verdict::Released => good = good.saturating_add(1),
                Verdict::Bad if end.job.is_some_and(|job| succeeded.contains_key(&job)) => {
                    let since = end.job.and_then(|job| succeeded.get(&job).copied()).unwrap_or(bad);
                    since_made_good = Some(since_made_good.map_or(since, |least| least.min(since)));
                }
                Verdict::Bad if end.attempt.is_some_and(&usually_fails) => {}
                Verdict::Bad | Verdict::Final => {
                    is_any_final |= end.verdict == Verdict::Final || end.is_ambiguous;
                    is_unnamed |= end.job.is_none();
                    failed.extend(end.job);
                    bad = bad.saturating_add(1);
                }
            }
        }
        let since_made_good = since_made_good.filter(|_| !is_any_final);
        Judged { good, bad, failed: (!is_unnamed).then_some(failed.len()), since_made_good }
    }

    /// Whether each job that lost a worker at `since` or later, if any did, has succeeded after it.
    #[must_use]
    pub fn have_lost_succeeded(&self, since: Timestamp) -> bool {
        let mut lost = self.lost.iter().filter_map(|(job, starts)| {
            starts.last().filter(|newest| **newest >= since).map(|newest| (*job, *newest))
        });
        let has_succeeded = |(job, at): (JobHash, Timestamp)| {
            let mut later = self.newest_first(at, Timestamp::MAX);
            later.any(|(_, end)| end.verdict == Verdict::Good && end.job == Some(job))
        };
        self.lost.values().any(|starts| starts.last() >= Some(&since)) && lost.all(has_succeeded)
    }

    /// The newest success, however long ago.
    #[must_use]
    pub fn newest_success(&self) -> Option<Timestamp> {
        self.newest_first(Timestamp::MIN, Timestamp::MAX)
            .find(|(_, end)| end.verdict == Verdict::Good)
            .map(|(at, _)| at)
    }

    /// Whether the attempt that a success ends had failed before: by the job's name, and without one where both say
    /// that they began at the same moment.
    fn has_failed(&self, at: Timestamp, end: &End) -> bool {
        let tolerance_ms = end.runtime.map_or(STAMP_TOLERANCE_MS, runtime_tolerance_ms);
        let from = began(at, end).unwrap_or(at).minus_ms(tolerance_ms);
        let is_same_beginning = |other_at: Timestamp, other: &End| {
            let (mine, others) = (began(at, end), began(other_at, other));
            mine.zip(others).is_some_and(|(mine, other)| other.since_ms(mine).abs() <= tolerance_ms)
        };
        self.ends.within(from..=at).any(|((other_at, _), other)| {
            let is_bad = matches!(other.verdict, Verdict::Final | Verdict::Bad);
            is_bad && other.job == end.job && (end.job.is_some() || is_same_beginning(*other_at, other))
        })
    }

    /// Whether a bad end is of an attempt that began while another one of its job was at work and went on, and how long
    /// after that one: the job was handed out twice.
    #[must_use]
    pub fn overlapped_ms(&self, at: Timestamp, bad: &End) -> Option<i64> {
        let Some(job) = bad.job else {
            let twice = self.handed_out_twice();
            return twice.iter().find(|twice| twice.bad.0 == at).map(|twice| twice.after_ms);
        };
        let later = self.ends.within(at..=Timestamp::MAX).filter(|(_, end)| end.job == Some(job));
        let mut good = later.filter(|(_, end)| end.verdict == Verdict::Good);
        good.find_map(|((good_at, _), end)| began_after_ms((at, bad), (*good_at, end)))
    }

    /// Whether a job went back to its queue by its own will before.
    #[must_use]
    pub fn was_released(&self, at: Timestamp, bad: &End) -> bool {
        let earlier = self.ends.within(Timestamp::MIN..=at.minus_ms(1));
        bad.job.is_some()
            && earlier.into_iter().any(|(_, end)| end.job == bad.job && end.verdict == Verdict::Released)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;
    use crate::domain::job::Form;

    /// `<stage letter><job>@<ms>` lines: `P`rocessed, `F`ailed for good, `f` text FAIL, `R`eleased, `r` after an
    /// exception; a runtime of 50 ms each. Asserts the verdicts, newest first.
    #[track_caller]
    fn check(lines: &[&str], expected: &str) {
        let mut outcomes = Outcomes::default();
        for (line, n) in lines.iter().rev().zip(0..) {
            let (what, at) = line.split_once('@').unwrap();
            let (kind, job) = what.split_at(1);
            let (stage, ending) = match kind {
                "P" => (Stage::Processed, Ending::Plain),
                "F" => (Stage::Failed, Ending::Plain),
                "f" => (Stage::Failed, Ending::FailOrRetry),
                "R" => (Stage::Released, Ending::Plain),
                _ => (Stage::Released, Ending::Thrown),
            };
            let at = Timestamp::from_ms(at.parse().unwrap());
            let line = Observation {
                ending,
                id: (!job.is_empty()).then(|| job.into()),
                runtime: Some(Runtime { ms: 50, is_whole_seconds: false }),
                ..Observation::bare(stage, at, LineKey(n), Form::Json)
            };
            outcomes.take(&line, Hashes::of(&line));
        }
        let told = outcomes.newest_first(Timestamp::MIN, Timestamp::MAX);
        let got: Vec<String> = told.map(|(at, end)| format!("{:?}@{}", end.verdict, at.as_ms())).collect();
        assert_eq!(got.join(" "), expected);
    }

    #[test]
    fn ends_are_told_by_what_they_say_newest_first() {
        check(
            &["Pa@1000", "Fb@2000", "fc@3000", "Rd@4000", "re@5000"],
            "Bad@5000 Released@4000 Bad@3000 Final@2000 Good@1000",
        );
    }

    #[test]
    fn a_success_after_a_failure_of_the_same_attempt_is_none() {
        check(&["Fa@1000", "Pa@1005"], "Final@1000");
        check(&["Fa@1000", "Pb@1005"], "Good@1005 Final@1000");
        check(&["Fa@1000", "Pa@2005"], "Good@2005 Final@1000");
        check(&["f@1000", "P@1005"], "Bad@1000");
        check(&["f@1000", "P@1405"], "Good@1405 Bad@1000");
    }

    /// Ends without a name: good, or one too many (`-`), by when they ended and how long they ran, in seconds. Asks how
    /// many jobs were handed out twice, and how many successes are left.
    #[track_caller]
    fn check_twice(ends: &[(i64, i64)], twice: usize, good: usize) {
        let mut outcomes = Outcomes::default();
        for ((at, ran), n) in ends.iter().zip(0..) {
            let (stage, ending) = match *at < 0 {
                true => (Stage::Failed, Ending::UsedUp),
                false => (Stage::Processed, Ending::Plain),
            };
            let line = Observation {
                ending,
                runtime: Some(Runtime { ms: ran * 1_000, is_whole_seconds: false }),
                ..Observation::bare(stage, Timestamp::from_ms(at.abs() * 1_000), LineKey(n), Form::TwoLine)
            };
            outcomes.take(&line, Hashes::of(&line));
        }
        assert_eq!(outcomes.handed_out_twice_count(Timestamp::MIN, Timestamp::MAX), twice);
        let left = outcomes.newest_first(Timestamp::MIN, Timestamp::MAX);
        assert_eq!(left.filter(|(_, end)| end.verdict == Verdict::Good).count(), good);
    }

    #[test]
    fn an_attempt_too_many_beside_one_that_goes_on_is_of_the_same_job() {
        check_twice(&[(-90, 0), (150, 150)], 1, 0);
        check_twice(&[(-90, 0), (150, 150), (-290, 0), (350, 150)], 2, 0);
        // Its worker was lost: nobody was at it.
        check_twice(&[(-90, 0), (150, 10)], 0, 1);
        check_twice(&[(-90, 0)], 0, 0);
        // Each success stands for one.
        check_twice(&[(-90, 0), (-95, 0), (150, 150)], 1, 0);
        check_twice(&[(-90, 0), (150, 150), (160, 150)], 1, 1);
    }

    #[test]
    fn lost_attempts_are_replaced_by_what_is_known_of_the_job() {
        let mut outcomes = Outcomes::default();
        let at = |ms| BTreeSet::from([Timestamp::from_ms(ms)]);
        outcomes.note_lost(JobHash(1), at(5));
        outcomes.note_lost(JobHash(1), at(7));
        assert_eq!(outcomes.lost().collect::<Vec<_>>(), [(JobHash(1), &at(7))]);
        outcomes.note_lost(JobHash(1), BTreeSet::new());
        assert_eq!(outcomes.lost().count(), 0);
        for n in 0..100 {
            outcomes.note_lost(JobHash(n), at(i64::try_from(n).unwrap()));
        }
        assert_eq!(outcomes.lost().map(|(job, _)| job.0).min(), Some(52), "the newest stay");
    }
}

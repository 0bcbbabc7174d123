//! Which classes do nothing but fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::job::{DAY_MS, JobClass, MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::class::ClassFacts;
use crate::domain::ledger::life::JobHash;
use crate::domain::ledger::outcomes::Verdict;
use crate::domain::model::policy::{FailingPolicy, Policy};
use crate::domain::model::wake::Wake;

/// Different jobs in a row that failed for good or lost their worker, with no success between.
const JOBS_IN_A_ROW: usize = 5;
/// Bad ends in a row, where lines do not tell whose they are or whether the job is tried again.
const ENDS_IN_A_ROW: u64 = 10;
/// Jobs of a day that must have failed for good where none succeeded.
const JOBS_A_DAY: usize = 3;
/// How old a failure must be that may be tried again, before it is taken for the job's last: longer than most backoffs.
/// Five in a row need no such patience.
const RETRIED_WITHIN_MS: i64 = 15 * MINUTE_MS;
/// How far back the share of bad attempts is looked at.
const SHARE_WINDOW_MS: i64 = 10 * MINUTE_MS;

/// A class that does nothing but fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingClass {
    /// The class.
    pub class: JobClass,
    /// The first failure of the row.
    pub since: Timestamp,
    /// The newest bad end.
    pub newest: Timestamp,
    /// Different jobs in the row; attempts where lines do not tell jobs apart.
    pub jobs_count: u64,
    /// The newest exception's first line, where known.
    pub text: Option<Arc<str>>,
}

/// Finds them at `now`.
#[must_use]
pub fn detect(ledger: &Ledger, policy: &Policy, now: Timestamp, wake: &mut Wake) -> Vec<FailingClass> {
    ledger
        .classes()
        .filter_map(|(class, facts)| judge(ledger, class, facts, policy, (now, &mut *wake)))
        .collect()
}

fn judge(
    ledger: &Ledger,
    class: &JobClass,
    facts: &ClassFacts,
    policy: &Policy,
    (now, wake): (Timestamp, &mut Wake),
) -> Option<FailingClass> {
    let row = Row::of(ledger, class, facts, policy, now);
    let moves = facts.all_moves_since(now.minus_ms(SHARE_WINDOW_MS));
    let is_failing = row.jobs.len() >= JOBS_IN_A_ROW
        || row.ends_count >= ENDS_IN_A_ROW && row.is_told_apart_by_count
        || row.jobs.len().saturating_sub(row.doubtful.len()) >= JOBS_A_DAY && row.is_whole_day
        || is_over_share(moves.good, moves.bad, policy.failing);
    if !is_failing {
        row.doubtful.values().for_each(|at| wake.at(at.plus_ms(RETRIED_WITHIN_MS), now));
        return None;
    }
    let jobs_count = if row.jobs.is_empty() { row.ends_count.max(moves.bad) } else { row.jobs.len() as u64 };
    Some(FailingClass {
        class: class.clone(),
        since: row.oldest.unwrap_or(now),
        newest: row.newest.unwrap_or(now),
        jobs_count,
        text: row.text,
    })
}

/// Whether at least the configured share of attempts was bad, and enough of them.
fn is_over_share(good: u64, bad: u64, limit: FailingPolicy) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share of some thousands")]
    let share = bad as f64 / good.saturating_add(bad).max(1) as f64;
    bad >= u64::from(limit.bad_attempts) && share >= limit.ratio
}

/// The bad ends since the newest success, within a day.
#[derive(Default)]
struct Row {
    /// Jobs that failed for good or lost their worker.
    jobs: BTreeSet<JobHash>,
    /// Those of them that may be tried again yet, and when they failed.
    doubtful: BTreeMap<JobHash, Timestamp>,
    ends_count: u64,
    /// Nobody can tell from these ends whose they are, or whether they are final.
    is_told_apart_by_count: bool,
    /// No attempt of the day ended well.
    is_whole_day: bool,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
    text: Option<Arc<str>>,
}

impl Row {
    fn of(ledger: &Ledger, class: &JobClass, facts: &ClassFacts, policy: &Policy, now: Timestamp) -> Self {
        let from = now.minus_ms(DAY_MS);
        let mut row = Self { is_whole_day: true, ..Self::default() };
        // Rows have a new id for each attempt, so that retries look like jobs of their own.
        let is_never_retried = !facts.has_retries && !ledger.traits.has_row_ids;
        let mut success = Timestamp::MIN;
        for (at, end) in facts.outcomes.newest_first(from, now) {
            match end.verdict {
                Verdict::Good => {
                    (success, row.is_whole_day) = (at, false);
                    break;
                }
                Verdict::Released => continue,
                Verdict::Final => row.jobs.extend(end.job),
                // Text does not tell a last failure from one that is tried again; a class that never tries again does.
                Verdict::Bad if end.is_ambiguous && is_never_retried => {
                    row.jobs.extend(end.job);
                    let is_new = now.since_ms(at) < RETRIED_WITHIN_MS;
                    row.doubtful.extend(end.job.filter(|_| is_new).map(|job| (job, at)));
                }
                Verdict::Bad => {}
            }
            row.is_told_apart_by_count |= end.is_ambiguous || end.job.is_none();
            row.ends_count = row.ends_count.saturating_add(1);
            row.met(at);
            row.text = row.text.take().or_else(|| end.text.clone());
        }
        for (job, starts) in facts.outcomes.lost() {
            if let Some(at) = starts.range(success.max(from)..=now).next() {
                row.jobs.insert(job);
                row.met(*at);
            }
        }
        let timeout_ms = policy.job_timeout_ms(Some(class)).unwrap_or_else(|| facts.learned_timeout_ms());
        let series = ledger.series().find(|(of, _)| *of == class).map(|(_, series)| series);
        for (at, _, _) in series.into_iter().flat_map(|it| it.open_starts(success.max(from))) {
            if at.plus_ms(timeout_ms) <= now {
                row.ends_count = row.ends_count.saturating_add(1);
                row.is_told_apart_by_count = true;
                row.met(at);
            }
        }
        row
    }

    fn met(&mut self, at: Timestamp) {
        self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        self.newest = self.newest.max(Some(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(good: u64, bad: u64, expected: bool) {
        let limit = FailingPolicy { ratio: 0.8, bad_attempts: 10 };
        assert_eq!(is_over_share(good, bad, limit), expected, "{good} good, {bad} bad");
    }

    #[test]
    fn eight_of_ten_bad_attempts_are_too_many_and_nine_in_all_are_too_few() {
        check(2, 8, false);
        check(0, 9, false);
        check(0, 10, true);
        check(2, 10, true);
        check(3, 10, false);
        check(3, 12, true);
    }
}

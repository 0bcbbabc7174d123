//! How far the clocks of workers are behind the app's, by lines that carry no id.
//!
//! No job starts before it is enqueued. Where a class has been quiet, a group of jobs comes, and as many starts as there
//! are jobs, each start is the job's in its place. If one of them is stamped before its job, the clocks differ. A group with
//! more starts than jobs, or fewer, tells nothing: a job was tried again, or nobody took it.
//!
//! **Invariant:** a pure function of the lines, so that neither order nor repetition shows.

use super::Ledger;
use super::job_facts::{CLOCKS_APART_MAX_MS, ENQUEUE_TOLERANCE_MS};
use crate::domain::job::{SECOND_MS, Timestamp};

/// Jobs examined, the newest: enough for a dozen groups of a class that has a job every few seconds.
pub(super) const JOBS_MAX: usize = 512;
/// How long a class must be quiet between two groups: longer than clocks may differ, and a start may take.
const QUIET_MS: i64 = CLOCKS_APART_MAX_MS + 30 * SECOND_MS;
/// Of so many groups one must show it. Only one of several hosts may be behind, and a sparse class meets it seldom; less than
/// that is an odd start whose job was enqueued without a line.
const SHOWS_ONE_OF: usize = 30;

/// How far workers' clocks are behind, where that is seen: by when jobs were ready, starts, and failures that may be tried
/// again, each in order. Of the jobs, `is_cut` tells whether older ones were left out.
pub(super) fn behind_ms(
    readies: &[Timestamp],
    starts: &[Timestamp],
    failures: &[Timestamp],
    is_cut: bool,
) -> Option<i64> {
    let groups = readies.chunk_by(|one, next| next.since_ms(*one) < QUIET_MS);
    let begins: Vec<Timestamp> = groups.clone().filter_map(|group| group.first().copied()).collect();
    let (mut groups_count, mut behind_count, mut most_ms) = (0_usize, 0_usize, 0);
    for (n, group) in groups.enumerate().skip(usize::from(is_cut)) {
        let Some(first) = group.first() else { continue };
        let from = first.minus_ms(CLOCKS_APART_MAX_MS);
        let until = begins.get(n.saturating_add(1)).map(|next| next.minus_ms(CLOCKS_APART_MAX_MS));
        let begin = starts.partition_point(|at| *at < from);
        let end = until.map_or(starts.len(), |until| starts.partition_point(|at| *at < until));
        let Some(own) = starts.get(begin..end).filter(|own| own.len() == group.len()) else { continue };
        // Nothing has started since an attempt failed: one of these may be its retry.
        let before = begin.checked_sub(1).and_then(|before| starts.get(before)).copied();
        let failed = failures.partition_point(|at| Some(*at) < before);
        if failures.get(failed) < own.last() && failures.get(failed).is_some() {
            continue;
        }
        let behind_ms = group.iter().zip(own).map(|(ready_at, start)| ready_at.since_ms(*start)).max();
        let Some(behind_ms) = behind_ms.filter(|ms| *ms <= CLOCKS_APART_MAX_MS) else { continue };
        groups_count = groups_count.saturating_add(1);
        if behind_ms > ENQUEUE_TOLERANCE_MS {
            behind_count = behind_count.saturating_add(1);
            most_ms = most_ms.max(behind_ms);
        }
    }
    let is_shown = behind_count > 0 && behind_count.saturating_mul(SHOWS_ONE_OF) >= groups_count;
    is_shown.then_some(most_ms)
}

/// How much later than a start its job's enqueue may be stamped, where workers' clocks are seen to be behind.
pub(super) fn tolerance_ms(behind_ms: i64) -> i64 {
    // The next worker may be quicker to look.
    behind_ms.saturating_add(ENQUEUE_TOLERANCE_MS).min(CLOCKS_APART_MAX_MS)
}

impl Ledger {
    /// How far the clocks of workers are behind the app's, where jobs show that: by their names, or by counting, which may
    /// be too high by as much as a worker takes to look for jobs.
    #[must_use]
    pub fn clocks_apart_ms(&self) -> Option<i64> {
        let named = self.jobs().filter_map(|(_, job)| {
            let (enqueued_at, start) = (job.known.first_enqueued?, job.known.first_start?);
            Some(enqueued_at.since_ms(start))
        });
        let counted = self.series().filter_map(|(_, series)| series.clocks_behind_ms());
        let is_told = |ms: &i64| (ENQUEUE_TOLERANCE_MS.saturating_add(1)..=CLOCKS_APART_MAX_MS).contains(ms);
        named.chain(counted).filter(is_told).max()
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests {
    use super::*;

    /// Seconds of enqueues and of starts.
    #[track_caller]
    fn check(readies: &[i64], starts: &[i64], expected_s: Option<i64>) {
        check_failing(readies, starts, &[], expected_s);
    }

    #[track_caller]
    fn check_failing(readies: &[i64], starts: &[i64], failures: &[i64], expected_s: Option<i64>) {
        let at = |seconds: &[i64]| -> Vec<Timestamp> {
            seconds.iter().map(|second| Timestamp::from_ms(second * SECOND_MS)).collect()
        };
        let found = behind_ms(&at(readies), &at(starts), &at(failures), false);
        assert_eq!(found, expected_s.map(|s| s * SECOND_MS));
    }

    #[test]
    fn a_start_alone_before_its_job_shows_it() {
        check(&[100], &[92], Some(8));
        check(&[100], &[40], Some(60));
        check(&[100], &[39], None);
        check(&[100], &[96], None);
        check(&[100, 102, 104], &[90, 92, 95], Some(10));
    }

    #[test]
    fn more_starts_than_jobs_or_fewer_tell_nothing() {
        check(&[100], &[80, 92], None);
        check(&[100, 101], &[92], None);
        check(&[100, 900], &[101], None);
        check(&[], &[92], None);
    }

    #[test]
    fn some_hosts_alone_may_be_behind() {
        let readies: Vec<i64> = (0..20).map(|n| n * 300).collect();
        let starts: Vec<i64> = readies.iter().map(|at| if *at == 300 { at - 20 } else { at + 1 }).collect();
        check(&readies, &starts, Some(20));
    }

    #[test]
    fn one_odd_start_of_many_is_a_job_enqueued_without_a_line() {
        let readies: Vec<i64> = (0..31).map(|n| n * 300).collect();
        let starts: Vec<i64> = readies.iter().map(|at| if *at == 300 { at - 20 } else { at + 1 }).collect();
        check(&readies, &starts, None);
    }

    #[test]
    fn a_retry_before_a_job_shows_nothing() {
        check_failing(&[100, 1_000], &[101, 990], &[103], None);
        check_failing(&[100, 1_000], &[101, 140, 990], &[103], Some(10));
        check_failing(&[100, 1_000], &[101, 990], &[995], Some(10));
    }

    #[test]
    fn clocks_that_are_ahead_look_like_slow_workers() {
        check(&[100, 400, 700], &[145, 446, 744], None);
    }
}

//! Attempts that ended in nothing, and those that go on.

use std::collections::BTreeSet;

use crate::domain::job::{HOUR_MS, JobClass, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::model::policy::Policy;

/// Attempts of a job that ended in nothing and are no accident any more.
const LOST_TWICE: usize = 2;
/// How long before the trouble a lost attempt still tells of it: the longest usual `retry_after`, and room.
const LOST_BEFORE_MS: i64 = HOUR_MS;

/// An attempt that started and did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::diagnosis) struct Open<'a> {
    pub(in crate::domain::diagnosis) started_at: Timestamp,
    pub(in crate::domain::diagnosis) class: Option<&'a JobClass>,
    /// Its worker broke off: it cannot end any more.
    pub(in crate::domain::diagnosis) is_broken_off: bool,
    /// It is younger than its timeout.
    pub(in crate::domain::diagnosis) is_in_time: bool,
    /// Its stream's workers were heard since: of another job, or where nobody else speaks of anything.
    pub(in crate::domain::diagnosis) is_heard_since: bool,
}

/// Attempts of the concerned classes.
pub(in crate::domain::diagnosis) struct Attempts<'a> {
    /// Jobs that lost their worker twice or more often, and the newest of those attempts.
    pub(in crate::domain::diagnosis) lost_twice: Option<(u64, Timestamp)>,
    /// Jobs that lost their worker at least once.
    pub(in crate::domain::diagnosis) lost_once: u64,
    /// Attempts without an end, oldest first.
    pub(in crate::domain::diagnosis) open: Vec<Open<'a>>,
    /// Those since whose oldest none of their classes ended well.
    pub(in crate::domain::diagnosis) fruitless: usize,
    /// The shortest time from a lost attempt to the next start of its job, and how long it may run, where known.
    pub(in crate::domain::diagnosis) retried_every: Option<(i64, Option<i64>)>,
}

impl<'a> Attempts<'a> {
    pub(super) fn gather(
        ledger: &'a Ledger,
        policy: &Policy,
        classes: &BTreeSet<&'a JobClass>,
        from: Timestamp,
        (heard, now): (Timestamp, Timestamp),
    ) -> Self {
        let from = from.minus_ms(LOST_BEFORE_MS);
        let mut attempts =
            Self { lost_twice: None, lost_once: 0, open: Vec::new(), fruitless: 0, retried_every: None };
        for facts in classes.iter().filter_map(|class| ledger.class(Some(class))) {
            for (_, starts) in facts.outcomes.lost() {
                let Some(newest) = starts.range(from..=heard).next_back() else { continue };
                attempts.lost_once = attempts.lost_once.saturating_add(1);
                if starts.len() >= LOST_TWICE {
                    let (count, at) = attempts.lost_twice.unwrap_or((0, *newest));
                    attempts.lost_twice = Some((count.saturating_add(1), at.max(*newest)));
                }
            }
        }
        attempts.take_open(ledger, policy, classes, from, (heard, now));
        attempts.open.sort_by_key(|open| (open.started_at, open.class));
        if let Some(oldest) = attempts.open.first().map(|open| open.started_at) {
            let succeeded =
                classes.iter().filter_map(|class| ledger.class(Some(class))?.outcomes.newest_success());
            if succeeded.max().is_none_or(|success| success < oldest) {
                attempts.fruitless = attempts.open.len();
            }
        }
        attempts
    }

    fn take_open(
        &mut self,
        ledger: &'a Ledger,
        policy: &Policy,
        classes: &BTreeSet<&'a JobClass>,
        from: Timestamp,
        (heard, now): (Timestamp, Timestamp),
    ) {
        let timeout_ms = |class: Option<&JobClass>, own: Option<i64>| {
            own.or_else(|| policy.job_timeout_ms(class))
                .or_else(|| ledger.class(class).map(|facts| facts.learned_timeout_ms()))
                .unwrap_or(0)
        };
        let open =
            |started_at: Timestamp, class: Option<&'a JobClass>, stream: StreamKey, timeout_ms: i64| Open {
                started_at,
                class,
                is_broken_off: ledger.streams.may_have_broken_since(stream, started_at, heard),
                is_in_time: started_at.plus_ms(timeout_ms) > now,
                is_heard_since: ledger.streams.get(stream).is_some_and(|stream| {
                    let is_workers_own = stream.newest_enqueue_line.is_none();
                    stream.newest_worker_line > Some(started_at)
                        || (is_workers_own && stream.newest_line > Some(started_at))
                }),
            };
        for (_, job) in ledger.running(from) {
            let (Some((mark, stream)), class) = (job.known.start(), job.known.class()) else { continue };
            if mark.at > heard || class.is_some_and(|class| !classes.contains(class)) {
                continue;
            }
            let known_ms = job.known.timeout_ms.or_else(|| policy.job_timeout_ms(class));
            self.open.push(open(mark.at, class, stream, timeout_ms(class, job.known.timeout_ms)));
            if let Some(gap_ms) = job.known.attempts.lost_gaps_ms().min() {
                let (every_ms, known) = self.retried_every.unwrap_or((gap_ms, known_ms));
                self.retried_every = Some((every_ms.min(gap_ms), known.or(known_ms)));
            }
        }
        for (class, series) in ledger.series().filter(|(class, _)| classes.contains(class)) {
            for (at, _, stream) in series.open_starts(from).filter(|(at, _, _)| *at <= heard) {
                self.open.push(open(at, Some(class), stream, timeout_ms(Some(class), None)));
            }
        }
    }
}

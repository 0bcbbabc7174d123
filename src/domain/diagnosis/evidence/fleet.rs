//! How many of the workers that were heard before the trouble are still heard, by their log streams.
//!
//! In a backlog each worker that lives has something to do, and prints it. A stream that says nothing for much longer
//! than a job takes is of a worker that is gone, unless another stream has taken its place: a deploy replaces them.

use super::AROUND_MS;
use crate::domain::job::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::ledger::stream::StreamFacts;

/// How long a worker with something to do says nothing at least, before it counts as silent.
const QUIET_LEAST_MS: i64 = 3 * MINUTE_MS;
/// The same, in longest attempts of the queue's classes.
const QUIET_RUNS: i64 = 3;

/// Workers of which some are not heard any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::diagnosis) struct Fleet {
    /// Streams of workers that fell silent, and that no other replaced.
    pub(in crate::domain::diagnosis) silent: usize,
    /// Of how many.
    pub(in crate::domain::diagnosis) of: usize,
    /// The newest line of those.
    pub(in crate::domain::diagnosis) last_line: Timestamp,
}

impl Fleet {
    /// What the streams show of a trouble that began at `since`; `None` where nobody is missing, or everybody is.
    pub(super) fn of(
        streams: &[&StreamFacts],
        longest_run_ms: i64,
        since: Timestamp,
        heard: Timestamp,
    ) -> Option<Self> {
        let quiet_ms = QUIET_RUNS.saturating_mul(longest_run_ms).max(QUIET_LEAST_MS);
        let newest = |stream: &&&StreamFacts| stream.newest_worker_line;
        // Where few jobs come, nobody may have spoken for a while: who is silent is so beside the last one that spoke.
        let last_spoke =
            streams.iter().filter_map(|stream| newest(&stream)).filter(|at| *at <= heard).max()?;
        if heard.since_ms(last_spoke) > AROUND_MS {
            return None;
        }
        let quiet_from = last_spoke.minus_ms(quiet_ms);
        let is_silent = |at: &Timestamp| *at <= quiet_from && *at >= since.minus_ms(HOUR_MS);
        let silent: Vec<Timestamp> =
            streams.iter().filter_map(|stream| newest(&stream)).filter(is_silent).collect();
        let live: Vec<_> =
            streams.iter().filter(|stream| newest(stream).is_some_and(|at| at > quiet_from)).collect();
        let first_gone = silent.iter().min()?.minus_ms(AROUND_MS);
        let replaced = live.iter().filter(|stream| stream.oldest_worker_line >= Some(first_gone)).count();
        let missing = silent.len().saturating_sub(replaced);
        let last_line = silent.iter().copied().max()?;
        let of = missing.saturating_add(live.len());
        (missing > 0 && !live.is_empty()).then_some(Self { silent: missing, of, last_line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ledger::stream::Streams;

    /// Streams by the minutes of their first and last job line; the trouble begins at 100, and now is 120. The longest
    /// attempt took a minute.
    #[track_caller]
    fn check(minutes: &[(i64, i64)], expected: Option<(usize, usize)>) {
        let at = |minute: i64| Timestamp::from_ms(minute.saturating_mul(MINUTE_MS));
        let mut streams = Streams::default();
        for (n, (first, last)) in minutes.iter().enumerate() {
            let key = streams.note("/ecs/worker", &format!("worker/{n}"));
            let stream = streams.get_mut(key).unwrap();
            (stream.oldest_worker_line, stream.newest_worker_line) = (Some(at(*first)), Some(at(*last)));
        }
        let all: Vec<&StreamFacts> = streams.all();
        let fleet = Fleet::of(&all, MINUTE_MS, at(100), at(120));
        assert_eq!(fleet.map(|fleet| (fleet.silent, fleet.of)), expected, "{minutes:?}");
    }

    #[test]
    fn workers_that_fell_silent_beside_others_that_speak_are_missing() {
        check(&[(0, 99), (0, 95), (0, 119), (0, 120)], Some((2, 4)));
        check(&[(0, 110), (0, 119)], Some((1, 2)));
        check(&[(0, 99), (0, 114)], Some((1, 2)));
    }

    #[test]
    fn nobody_is_missing_where_all_speak_or_none() {
        check(&[(0, 118), (0, 120)], None);
        check(&[(0, 99), (0, 95)], None);
        check(&[], None);
    }

    #[test]
    fn a_deploy_replaces_workers() {
        check(&[(0, 99), (0, 98), (100, 120), (101, 120)], None);
        check(&[(0, 99), (0, 98), (100, 120)], Some((1, 2)));
    }

    #[test]
    fn who_went_long_before_the_trouble_has_nothing_to_do_with_it() {
        check(&[(0, 30), (0, 120)], None);
    }
}

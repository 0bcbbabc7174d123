//! What is heard of workers: boots, ends, heartbeats, job lines.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::AROUND_MS;
use crate::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::circumstances::Worker;
use crate::domain::ledger::record::StreamKey;
use crate::domain::ledger::stream::StreamFacts;
use crate::domain::model::queue_ref::QueueRef;

/// A heartbeat comes each minute, and a line may take some: after this long a worker is not fresh any more.
const FRESH_MS: i64 = 5 * MINUTE_MS;
/// Lines of one boot lie this close together: an entrypoint announces a worker, then tells its process.
const ONE_BOOT_MS: i64 = 2 * SECOND_MS;

/// What is heard of workers.
pub(in crate::domain::diagnosis) struct Workers<'a> {
    /// The newest line of a job's start or end, on any queue.
    pub(in crate::domain::diagnosis) newest_job_line: Option<Timestamp>,
    /// The newest boot, and where.
    pub(in crate::domain::diagnosis) newest_boot: Option<(Timestamp, &'a StreamFacts)>,
    /// The most boots of one stream within ten minutes, around the trouble.
    pub(in crate::domain::diagnosis) boots: Option<(usize, &'a StreamFacts, Timestamp)>,
    /// The most kills within ten minutes, around the trouble, and the newest of them.
    pub(in crate::domain::diagnosis) kills: Option<(usize, Timestamp)>,
    /// The newest end of a worker around the trouble, in its line's words.
    pub(in crate::domain::diagnosis) last_stop: Option<(Timestamp, &'a Arc<str>)>,
    /// Live workers that name this queue.
    pub(in crate::domain::diagnosis) naming: Vec<&'a Worker>,
    /// Live workers that name others.
    pub(in crate::domain::diagnosis) naming_others: Vec<&'a Worker>,
    /// Live workers that name no queue.
    pub(in crate::domain::diagnosis) naming_none: usize,
    /// The newest heartbeat of any worker that names this queue.
    pub(in crate::domain::diagnosis) last_heartbeat: Option<Timestamp>,
    /// The stream to look at: of a worker if one was ever heard, else of whoever enqueues.
    pub(in crate::domain::diagnosis) stream: Option<&'a StreamFacts>,
    /// The stream of whoever enqueues.
    pub(in crate::domain::diagnosis) app_stream: Option<&'a StreamFacts>,
}

impl<'a> Workers<'a> {
    pub(super) fn gather(ledger: &'a Ledger, place: &QueueRef, from: Timestamp, heard: Timestamp) -> Self {
        let place = &place.names();
        let streams = ledger.streams.all();
        let known = &ledger.circumstances.workers;
        let names = |worker: &&Worker| worker.serves(place) && !worker.queues.is_empty();
        let alive: Vec<&Worker> =
            known.values().filter(|worker| worker.is_alive_since(heard.minus_ms(FRESH_MS))).collect();
        let storm = |marks: &BTreeSet<Timestamp>| most_within(marks.range(from..=heard).copied(), AROUND_MS);
        let boots = streams.iter().filter_map(|stream| {
            let (count, newest) = storm(&boots_of(stream))?;
            Some((count, *stream, newest))
        });
        let kills: BTreeSet<Timestamp> =
            streams.iter().flat_map(|stream| stream.kills.iter().copied()).collect();
        let stops = streams.iter().filter_map(|stream| stream.stops.range(from..=heard).next_back());
        Self {
            newest_job_line: ledger.traits.newest_worker_line_at,
            newest_boot: streams
                .iter()
                .filter_map(|stream| Some((*stream.boots.range(..=heard).next_back()?, *stream)))
                .max_by_key(|(at, _)| *at),
            boots: boots.max_by_key(|(count, _, newest)| (*count, *newest)),
            kills: storm(&kills),
            last_stop: stops.map(|(at, text)| (*at, text)).max_by_key(|(at, _)| *at),
            naming: alive.iter().copied().filter(names).collect(),
            naming_others: alive.iter().copied().filter(|worker| !worker.serves(place)).collect(),
            naming_none: alive
                .iter()
                .filter(|worker| worker.serves(place) && worker.queues.is_empty())
                .count(),
            last_heartbeat: known.values().filter(names).map(|worker| worker.newest).max(),
            stream: stream_of(&streams, ledger),
            app_stream: newest_of(&streams, |stream| stream.newest_enqueue_line.is_some()),
        }
    }
}

/// A stream's boots, the lines of one boot counting once.
fn boots_of(stream: &StreamFacts) -> BTreeSet<Timestamp> {
    let mut boots: BTreeSet<Timestamp> = BTreeSet::new();
    for at in &stream.boots {
        if boots.last().is_none_or(|last| at.since_ms(*last) > ONE_BOOT_MS) {
            boots.insert(*at);
        }
    }
    boots
}

/// The most moments that lie within a span, and the newest of them.
fn most_within(moments: impl Iterator<Item = Timestamp>, span_ms: i64) -> Option<(usize, Timestamp)> {
    let moments: Vec<Timestamp> = moments.collect();
    let ending_at = |newest: &Timestamp| {
        let within = moments.iter().filter(|at| **at <= *newest && newest.since_ms(**at) <= span_ms);
        (within.count(), *newest)
    };
    moments.iter().map(ending_at).max()
}

/// The stream that spoke last of those where a worker was ever heard, else of those that enqueue.
fn stream_of<'a>(streams: &[&'a StreamFacts], ledger: &Ledger) -> Option<&'a StreamFacts> {
    let beats: BTreeSet<_> = ledger.circumstances.workers.values().map(|worker| worker.stream).collect();
    let beating =
        |stream: &StreamFacts| beats.contains(&StreamKey::of(&stream.log_group, &stream.log_stream));
    let is_worker = |stream: &StreamFacts| {
        stream.newest_worker_line.is_some()
            || !stream.boots.is_empty()
            || !stream.stops.is_empty()
            || beating(stream)
    };
    let app = || newest_of(streams, |stream| stream.newest_enqueue_line.is_some());
    newest_of(streams, is_worker).or_else(app).or_else(|| newest_of(streams, |_| true))
}

/// The stream that spoke last of those that are so.
fn newest_of<'a>(streams: &[&'a StreamFacts], is: impl Fn(&StreamFacts) -> bool) -> Option<&'a StreamFacts> {
    let such = streams.iter().filter(|stream| is(stream));
    such.max_by(|a, b| (a.newest_line, &a.log_stream).cmp(&(b.newest_line, &b.log_stream))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: &[i64], expected: Option<(usize, i64)>) {
        let moments = seconds.iter().map(|s| Timestamp::from_ms(s.saturating_mul(SECOND_MS)));
        let got = most_within(moments, AROUND_MS).map(|(n, at)| (n, at.as_ms() / SECOND_MS));
        assert_eq!(got, expected, "{seconds:?}");
    }

    #[test]
    fn the_densest_ten_minutes_are_found() {
        check(&[], None);
        check(&[0], Some((1, 0)));
        check(&[0, 600, 1_300], Some((2, 600)));
        check(&[0, 601, 700, 800], Some((3, 800)));
    }

    #[test]
    fn lines_of_one_boot_count_once_and_quick_restarts_each() {
        let mut streams = crate::domain::ledger::stream::Streams::default();
        let key = streams.note("g", "s");
        let boots_ms = [0, 40, 1_900, 2_500, 4_900];
        streams.get_mut(key).unwrap().boots.extend(boots_ms.map(Timestamp::from_ms));
        let boots = boots_of(streams.get(key).unwrap());
        assert_eq!(boots.into_iter().map(Timestamp::as_ms).collect::<Vec<_>>(), [0, 2_500, 4_900]);
    }
}

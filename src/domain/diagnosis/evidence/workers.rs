//! What is heard of workers: boots, ends, heartbeats, job lines.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{AROUND_MS, End};
use crate::domain::diagnosis::Question;
use crate::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::signals::Worker;
use crate::domain::ledger::stream::StreamFacts;

/// A heartbeat comes each minute, and a line may take some: after this long a worker is not fresh any more.
const FRESH_MS: i64 = 5 * MINUTE_MS;
/// Lines of one boot lie this close together: an entrypoint announces a worker, then tells its process.
const ONE_BOOT_MS: i64 = 2 * SECOND_MS;

/// Lines that say the same and are no accident any more: as many as are kept of a stream.
const REPEATED_LEAST: usize = 3;
/// A scheduler starts this close to its minute.
const ON_TIME_MS: i64 = 3 * SECOND_MS;

/// What is heard of workers.
pub(in crate::domain::diagnosis) struct Workers<'a> {
    /// The newest line of a job's start or end, on any queue.
    pub(in crate::domain::diagnosis) newest_job_line: Option<Timestamp>,
    /// The newest boot, and where.
    pub(in crate::domain::diagnosis) newest_boot: Option<(Timestamp, &'a StreamFacts)>,
    /// The most boots of one stream within ten minutes, around the trouble, since an attempt last ended there: a worker
    /// that works jobs between its starts is started so often by design.
    pub(in crate::domain::diagnosis) boots: Option<(usize, &'a StreamFacts, Timestamp)>,
    /// The most kills within ten minutes, around the trouble, and the newest of them.
    pub(in crate::domain::diagnosis) kills: Option<(usize, Timestamp)>,
    /// The most bad ends within ten minutes, around the trouble, and the newest of them.
    pub(in crate::domain::diagnosis) bad_ends: Option<(usize, Timestamp)>,
    /// The newest words that no worker will start again by itself, if none was heard since.
    pub(in crate::domain::diagnosis) given_up: Option<(Timestamp, &'a Arc<str>)>,
    /// The newest words of a platform that ended an attempt for the time it took.
    pub(in crate::domain::diagnosis) timed_out: Option<(Timestamp, &'a Arc<str>)>,
    /// Whether those say the same again and again: whatever starts there does not get to a job.
    pub(in crate::domain::diagnosis) is_repeating: bool,
    /// The newest lines of trouble in no known form, where workers spoke and nothing else: since the last line of a job.
    pub(in crate::domain::diagnosis) last_lines: Vec<(Timestamp, &'a Arc<str>)>,
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
    pub(super) fn gather(
        ledger: &'a Ledger,
        question: &Question<'_>,
        streams: &[&'a StreamFacts],
        from: Timestamp,
        heard: Timestamp,
    ) -> Self {
        let place = question.place;
        let known = &ledger.signals.workers;
        let names = |worker: &&Worker| worker.serves(place) && !worker.queues.is_empty();
        let alive: Vec<&Worker> =
            known.values().filter(|worker| worker.is_alive_since(heard.minus_ms(FRESH_MS))).collect();
        let storm = |marks: &BTreeSet<Timestamp>| most_within(marks.range(from..=heard).copied(), AROUND_MS);
        let boots = streams.iter().filter_map(|stream| {
            let (count, newest) = storm(&fruitless_boots(stream))?;
            Some((count, *stream, newest))
        });
        let kills: BTreeSet<Timestamp> =
            streams.iter().flat_map(|stream| stream.kills.iter().copied()).collect();
        let bad_ends: BTreeSet<Timestamp> = streams
            .iter()
            .flat_map(|stream| &stream.stops)
            .filter(|(_, text)| End::of(text) >= End::Bad)
            .map(|(at, _)| *at)
            .collect();
        // Streams are forgotten after a while, where what was heard on the whole is not.
        let newest_job_line = match streams.len() == ledger.streams.all().len() {
            true => ledger.traits.newest_worker_line_at,
            false => streams.iter().filter_map(|stream| stream.newest_worker_line).max(),
        };
        let given_up =
            streams.iter().filter_map(|stream| given_up(stream, from, heard)).max_by_key(|(at, _)| *at);
        let stops = streams.iter().filter_map(|stream| stream.stops.range(from..=heard).next_back());
        Self {
            newest_job_line,
            bad_ends: storm(&bad_ends),
            given_up: given_up.filter(|(at, _)| Some(*at) >= newest_job_line),
            timed_out: streams
                .iter()
                .filter_map(|stream| timed_out(stream, from, heard))
                .max_by_key(|(at, _)| *at),
            last_lines: streams
                .iter()
                .map(|stream| last_lines(stream, from, heard))
                .max()
                .unwrap_or_default(),
            newest_boot: streams
                .iter()
                .filter_map(|stream| Some((*stream.boots.range(..=heard).next_back()?, *stream)))
                .max_by_key(|(at, _)| *at),
            boots: boots.max_by_key(|(count, _, newest)| (*count, *newest)),
            kills: storm(&kills),
            last_stop: stops.map(|(at, text)| (*at, text)).max_by_key(|(at, _)| *at),
            is_repeating: streams.iter().any(|stream| is_repeating(stream, from, heard)),
            naming: alive.iter().copied().filter(names).collect(),
            naming_others: alive.iter().copied().filter(|worker| !worker.serves(place)).collect(),
            naming_none: alive
                .iter()
                .filter(|worker| worker.serves(place) && worker.queues.is_empty())
                .count(),
            last_heartbeat: known.values().filter(names).map(|worker| worker.newest).max(),
            stream: stream_of(streams, ledger),
            app_stream: newest_of(streams, |stream| stream.newest_enqueue_line.is_some()),
        }
    }
}

/// A stream's boots since an attempt last ended there. Those of a scheduler, each at its minute, are none: it starts a
/// worker whether the last one worked or not.
fn fruitless_boots(stream: &StreamFacts) -> BTreeSet<Timestamp> {
    let is_by_design = stream.stops.last_key_value().is_some_and(|(_, text)| End::of(text) == End::Designed);
    let mut boots = boots_of(stream);
    if is_by_design || is_by_the_clock(&boots) {
        return BTreeSet::new();
    }
    boots.retain(|at| Some(*at) > stream.newest_end_line);
    boots
}

/// Whether boots follow each other at whole minutes, as a scheduler's do.
fn is_by_the_clock(boots: &BTreeSet<Timestamp>) -> bool {
    let gaps = boots.iter().zip(boots.iter().skip(1)).map(|(one, next)| next.since_ms(*one));
    let is_whole = |gap_ms: i64| {
        let off_ms = gap_ms.saturating_add(ON_TIME_MS).wrapping_rem(MINUTE_MS);
        gap_ms >= MINUTE_MS.saturating_sub(ON_TIME_MS) && off_ms <= ON_TIME_MS.saturating_mul(2)
    };
    boots.len() > 1 && gaps.into_iter().all(is_whole)
}

/// The words of a stream that no worker will start again, if none started or worked there since.
fn given_up(stream: &StreamFacts, from: Timestamp, heard: Timestamp) -> Option<(Timestamp, &Arc<str>)> {
    let told = stream.stops.range(from..=heard).rfind(|(_, text)| End::of(text) == End::ForGood)?;
    let is_last = [stream.newest_worker_line, stream.boots.last().copied()]
        .into_iter()
        .flatten()
        .all(|at| at <= *told.0);
    is_last.then_some((*told.0, told.1))
}

/// Whether the lines of trouble of a worker's stream say the same again and again, numbers left out.
fn is_repeating(stream: &StreamFacts, from: Timestamp, heard: Timestamp) -> bool {
    let folded = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let told = lines_since(stream, from, heard);
    let texts: BTreeSet<String> = told.iter().map(|(_, text)| folded(text)).collect();
    told.len() >= REPEATED_LEAST && texts.len() == 1
}

/// Lambda's words for an invocation that took too long.
fn timed_out(stream: &StreamFacts, from: Timestamp, heard: Timestamp) -> Option<(Timestamp, &Arc<str>)> {
    let is_it = |text: &str| text.starts_with("Task timed out");
    let told = stream.stops.range(from..=heard).rfind(|(_, text)| is_it(text.trim()))?;
    Some((*told.0, told.1))
}

/// Lines of trouble of a stream in which workers spoke, and nobody who enqueues.
fn last_lines(stream: &StreamFacts, from: Timestamp, heard: Timestamp) -> Vec<(Timestamp, &Arc<str>)> {
    let mut lines: Vec<(Timestamp, &Arc<str>)> = Vec::new();
    for (at, text) in lines_since(stream, from, heard) {
        if lines.iter().all(|(_, known)| *known != text) {
            lines.push((at, text));
        }
    }
    lines
}

/// All of them since the last line of a job, newest first.
fn lines_since(stream: &StreamFacts, from: Timestamp, heard: Timestamp) -> Vec<(Timestamp, &Arc<str>)> {
    let Some(newest) = stream.newest_worker_line.filter(|_| stream.newest_enqueue_line.is_none()) else {
        return Vec::new();
    };
    let lines = stream.last_lines.iter().rev();
    let told = lines.filter(|(at, _)| *at > newest && *at >= from && *at <= heard);
    told.map(|(at, text)| (*at, text)).collect()
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
    let beats: BTreeSet<_> = ledger.signals.workers.values().map(|worker| worker.stream).collect();
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

    #[track_caller]
    fn check_fruitless(boots_s: &[i64], end_s: Option<i64>, stop: Option<&str>, expected: usize) {
        let mut streams = crate::domain::ledger::stream::Streams::default();
        let key = streams.note("g", "s");
        let stream = streams.get_mut(key).unwrap();
        let at = |s: i64| Timestamp::from_ms(s.saturating_mul(SECOND_MS));
        stream.boots.extend(boots_s.iter().map(|s| at(*s)));
        stream.newest_end_line = end_s.map(at);
        stream.stops.extend(stop.map(|text| (at(0), Arc::from(text))));
        assert_eq!(fruitless_boots(streams.get(key).unwrap()).len(), expected, "{boots_s:?}");
    }

    #[test]
    fn boots_count_where_nothing_is_worked_off_between_them() {
        check_fruitless(&[10, 14, 18], None, None, 3);
        check_fruitless(&[10, 14, 18], Some(15), None, 1);
        check_fruitless(&[10, 14, 18], None, Some("exited: w_00 (exit status 0; expected)"), 3);
        check_fruitless(&[10, 14, 18], None, Some("empty"), 0);
        check_fruitless(&[0, 60, 121, 180, 359], None, None, 0);
        check_fruitless(&[0, 10, 30, 70, 150], None, None, 5);
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

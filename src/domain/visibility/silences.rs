//! Silence windows: a time without worker lines in which jobs were consumed all the same.
//!
//! A stall alone is no such window. It takes evidence that jobs were consumed: an end whose start was never read, or,
//! where lines carry no id, starts after it that are too few for what is left.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::incidents::{Incident, Kind, Stall};
use crate::domain::job::{DAY_MS, HOUR_MS, JobClass, MINUTE_MS, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::coverage::UNREAD_AFTER_MS;
use crate::domain::ledger::job_facts::ENQUEUE_TOLERANCE_MS;
use crate::domain::ledger::throughput::Throughput;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::Place;
use crate::domain::queues::throughput::is_draining;

/// How long starts are watched after a silence before what is left from before is judged.
const JUDGED_AFTER_MS: i64 = 10 * MINUTE_MS;
/// How long they are watched at most: a backlog that is worked off is done by then, or is news of its own.
const JUDGED_UNTIL_MS: i64 = HOUR_MS;
/// A silence shorter than this hides a job or two, and those are looked for one by one.
const SILENCE_LEAST_MS: i64 = 2 * MINUTE_MS;

/// When what is left from before a stall is judged, if starts have followed it.
#[must_use]
pub fn judged_at(stall: &Stall) -> Option<Timestamp> {
    stall.starts_since.map(|since| since.plus_ms(JUDGED_AFTER_MS))
}

/// Until when it is too early to judge what is left from before a stall.
#[must_use]
pub fn open_until(stall: &Stall) -> Option<Timestamp> {
    judged_at(stall).map(|at| at.plus_ms(MINUTE_MS).plus_ms(1))
}

/// Whether a stall that starts have followed is still to be judged.
#[must_use]
pub fn is_undecided(incident: &Incident, now: Timestamp) -> bool {
    let stall = incident.detail.stall();
    let is_near = |since: Timestamp| now.since_ms(since) <= JUDGED_UNTIL_MS;
    // Of a class on several queues nobody can tell which of them was silent.
    let is_of_one = incident.key.kind == Kind::Stalled && incident.key.queue.is_some();
    is_of_one && !stall.is_silence_judged && stall.starts_since.is_some_and(is_near)
}

/// Whether starts have followed a stall so lately that it is too early to judge, or was until this sweep.
#[must_use]
pub fn is_open(incident: &Incident, now: Timestamp) -> bool {
    is_undecided(incident, now) && open_until(&incident.detail.stall()).is_some_and(|until| now < until)
}

/// The jobs of counted classes that were ready before `since`, when starts were first seen again, and had not started by
/// then, where the starts of all of these classes together do not work them off: one class alone has too few to tell.
#[must_use]
pub fn left_from_before(place: &Place<'_>, since: Timestamp) -> Vec<JobIx> {
    let ledger = place.ledger;
    let counted = ledger.series().filter(|(_, series)| series.is_nameless()).map(|(class, _)| class);
    let classes: Vec<&JobClass> =
        counted.filter(|class| place.resolver.place_of_class(class).queue == place.at.queue).collect();
    // What came after the newest start says nothing of those before it: the workers may be gone again.
    let until = place.view.newest_start.unwrap_or(place.now).plus_ms(MINUTE_MS);
    let mut throughput = Throughput::default();
    for facts in classes.iter().filter_map(|class| ledger.class(Some(class))) {
        facts.throughput_by_minute(since, until).for_each(|(_, minute)| throughput.add(minute));
    }
    if is_draining(throughput.started, throughput.enqueued) {
        return Vec::new();
    }
    let before = since.minus_ms(ENQUEUE_TOLERANCE_MS);
    let is_here = |ix: &JobIx| place.resolver.queue_of_job(*ix).queue == place.at.queue;
    let left = classes.iter().flat_map(|class| ledger.counted_ready_before(class, before, since));
    left.filter(is_here).collect()
}

/// Of jobs that were overtaken, those that became ready during a silence which an end without a start shows to have
/// hidden work, or were found to have been hidden before: the starts that showed it may be forgotten by now.
pub(super) fn hidden(place: &Place<'_>, wake: &mut Wake) -> BTreeSet<JobIx> {
    let was_found = |ix: &JobIx| place.ledger.job(*ix).is_some_and(|job| job.is_hidden);
    let found = place.overtaken().map(|job| job.ix).filter(was_found);
    found.chain(within_silences(place, wake)).collect()
}

fn within_silences(place: &Place<'_>, wake: &mut Wake) -> Vec<JobIx> {
    let overtaken: Vec<_> = place.overtaken().filter(|job| job.is_overtaken_now).collect();
    let (Some(oldest), Some(newest)) = (overtaken.first(), overtaken.last()) else { return Vec::new() };
    let from = oldest.ready_at.minus_ms(DAY_MS);
    let until = newest.ready_at.plus_ms(DAY_MS);
    // Every start of the queue, and whether its line was read.
    let mut starts: BTreeMap<Timestamp, bool> = BTreeMap::new();
    for facts in place.facts() {
        for (at, ix) in facts.starts.range((from, JobIx(0))..=(until, JobIx(usize::MAX))) {
            let Some(job) = place.ledger.job(*ix) else { continue };
            let has_start_lines =
                place.ledger.class(job.known.class()).is_some_and(|facts| facts.has_start_lines);
            let ended_at = job.known.newest_fact().unwrap_or(*at);
            let is_missing = has_start_lines && job.known.is_start_unread();
            let missed_at = ended_at.plus_ms(UNREAD_AFTER_MS);
            if is_missing {
                wake.at(missed_at, place.now);
            }
            let is_read = !is_missing || missed_at > place.now;
            starts.entry(*at).and_modify(|read| *read &= is_read).or_insert(is_read);
        }
    }
    let mut silences: Vec<(Timestamp, Timestamp)> = Vec::new();
    let mut before: Option<Timestamp> = None;
    for (at, is_read) in &starts {
        if let Some(before) = before.filter(|_| !is_read)
            && at.since_ms(before) >= SILENCE_LEAST_MS
        {
            silences.push((before, *at));
        }
        before = Some(*at);
    }
    let is_within = |at: Timestamp| silences.iter().any(|(from, until)| (*from..=*until).contains(&at));
    overtaken.iter().filter(|job| is_within(job.ready_at)).map(|job| job.ix).collect()
}

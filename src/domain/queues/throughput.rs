//! The throughput of a queue: what was enqueued, started and ended there in the last minutes.

use super::resolver::QueueResolver;
use crate::domain::job::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::throughput::Throughput;
use crate::domain::model::queue_ref::QueueRef;

/// How far back is looked to tell whether a queue drains; the shorter time is for a burst that has just ended.
const WINDOWS_MS: [i64; 2] = [10 * MINUTE_MS, 3 * MINUTE_MS];
/// A queue drains where starts outnumber what comes by this much: twelve to ten.
const DRAINING: (u64, u64) = (12, 10);
/// A backlog that is done later than this is news even while it drains.
const DONE_WITHIN_MS: i64 = HOUR_MS;

/// What happened on a queue from the minute of `from` on.
///
/// Lines that name no queue count where their class can only be on this one.
#[must_use]
pub fn since(ledger: &Ledger, resolver: &QueueResolver<'_>, place: &QueueRef, from: Timestamp) -> Throughput {
    let mut sum = Throughput::default();
    for (class, facts) in ledger.classes() {
        if let Some(spread_over) = resolver.spread_over(Some(class)) {
            // Its enqueues name their queues, and its starts do not: all of them are at one place, and nowhere else.
            if spread_over == place {
                sum.add(facts.all_throughput_since(from));
            }
            continue;
        }
        if place.queue.is_some() {
            sum.add(facts.throughput_since(place.queue.as_ref(), from));
        }
        if resolver.named_queue_of_class(class) == place.queue {
            sum.add(facts.throughput_since(None, from));
        }
    }
    sum
}

/// Whether so many starts work a backlog off while so many jobs come.
#[must_use]
pub const fn is_draining(started: u64, coming: u64) -> bool {
    started.saturating_mul(DRAINING.1) >= coming.saturating_mul(DRAINING.0)
}

/// How long `waiting_count` jobs will take, where the queue drains: more is started than comes, by enough that all is
/// done within the hour.
#[must_use]
pub fn drained_in_ms(
    ledger: &Ledger,
    resolver: &QueueResolver<'_>,
    place: &QueueRef,
    waiting_count: usize,
    now: Timestamp,
) -> Option<i64> {
    WINDOWS_MS.into_iter().find_map(|window_ms| {
        let from = now.minus_ms(window_ms).minute();
        let throughput = since(ledger, resolver, place, from);
        let coming = throughput.enqueued.saturating_add(throughput.released);
        if !is_draining(throughput.started, coming) {
            return None;
        }
        let gained =
            i64::try_from(throughput.started.saturating_sub(coming)).ok().filter(|gained| *gained > 0)?;
        let waiting = i64::try_from(waiting_count).ok()?;
        let left_ms = now.since_ms(from).saturating_mul(waiting).checked_div(gained)?;
        (left_ms <= DONE_WITHIN_MS).then_some(left_ms)
    })
}

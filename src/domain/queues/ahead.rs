//! Whether a queue waits behind another one that the same workers take first, and that is being worked off.
//!
//! `queue:work --queue=high,low` leaves `low` alone while `high` has jobs. A burst there is no stall here, as long as it
//! drains, and soon: beyond that the queue starves, and somebody should know.

use std::collections::BTreeSet;

use super::place::{Place, World};
use super::throughput;
use super::view::QueueView;
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::model::queue_ref::QueueRef;

/// How long jobs may wait behind another queue beyond their own time: three default graces.
pub const BEHIND_MAX_MS: i64 = 15 * MINUTE_MS;
/// Starts within the last minutes that make a queue busy.
const BUSY_LEAST: u64 = 10;
const BUSY_WITHIN_MS: i64 = 3 * MINUTE_MS;
/// How long after the last of them workers may need for the next queue.
const NEXT_WITHIN_MS: i64 = MINUTE_MS;
/// Newest starts of a queue that tell who works on it.
const STARTS_ASKED: usize = 20;

/// The queues that are being worked off. Looked for once: every queue asks which of them are ahead of it.
#[must_use]
pub fn busy<'w>(world: &World<'w>) -> Vec<(&'w QueueRef, &'w QueueView)> {
    let is_recent = |at: Timestamp| world.now.since_ms(at) <= NEXT_WITHIN_MS;
    world.queues.iter().filter(|(_, view)| view.newest_start.is_some_and(is_recent)).collect()
}

/// When the queue ahead of this one will be done, if there is one among those that are busy.
#[must_use]
pub fn drained_at(
    world: &World<'_>,
    place: &Place<'_>,
    busy: &[(&QueueRef, &QueueView)],
) -> Option<Timestamp> {
    let now = world.now;
    place.overdue().next()?;
    let oldest = place.view.waiting.first()?.ready_at;
    let here = takers(place);
    let ahead = busy.iter().filter(|(at, _)| *at != place.at && at.may_share_connection(place.at));
    let done = ahead.filter_map(|(at, view)| {
        view.newest_start.filter(|start| *start > oldest)?;
        if started(world, at) < BUSY_LEAST || !shares(&here, &takers(&world.place(at, view))) {
            return None;
        }
        let ready = view.waiting.iter().filter(|job| job.ready_at <= now).count();
        let left_ms = throughput::drained_in_ms(world.ledger, world.resolver, at, ready, now)?;
        (left_ms <= BEHIND_MAX_MS).then(|| now.plus_ms(left_ms.max(NEXT_WITHIN_MS)))
    });
    done.max()
}

fn started(world: &World<'_>, at: &QueueRef) -> u64 {
    throughput::since(world.ledger, world.resolver, at, world.now.minus_ms(BUSY_WITHIN_MS)).started
}

/// The streams of a queue's newest starts; none where lines do not tell.
fn takers(place: &Place<'_>) -> BTreeSet<StreamKey> {
    let newest = place.facts().flat_map(|facts| facts.starts.iter().rev().take(STARTS_ASKED));
    newest.filter_map(|(_, ix)| Some(place.ledger.job(*ix)?.known.start()?.1)).collect()
}

/// Whether the same workers may take both: where lines do not tell who took a job, they may.
fn shares(here: &BTreeSet<StreamKey>, there: &BTreeSet<StreamKey>) -> bool {
    here.is_empty() || there.is_empty() || !here.is_disjoint(there)
}

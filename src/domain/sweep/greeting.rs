//! The greeting: a while after the first delivery, once, what is seen and what is not.

use std::collections::BTreeSet;

use crate::domain::blind_spots;
use crate::domain::incidents::Register;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::place::World;
use crate::domain::watching::{Carried, GREETING_AFTER_MS, Watching};

/// What to tell where nobody was greeted yet. A replay has an end, and greets nobody.
pub(super) fn greeting(world: &World<'_>, register: &Register) -> Option<Watching> {
    let is_due = world.last_delivery.is_none() && register.greeted_at.is_none();
    let since = world.ledger.deliveries.first_at.filter(|_| is_due)?;
    if since.plus_ms(GREETING_AFTER_MS) > world.now {
        return None;
    }
    let traits = &world.ledger.traits;
    let carried = match (traits.worker_has_uuid, traits.worker_has_id, traits.worker_has_neither) {
        (true, ..) => Carried::Uuid,
        (false, true, _) => Carried::Id,
        (false, false, true) => Carried::Neither,
        (false, false, false) => Carried::Unseen,
    };
    let named = world.ledger.queues().filter(|(at, _)| at.queue.is_some());
    let queues: BTreeSet<String> = named.map(|(names, _)| QueueRef::from(names).to_string()).collect();
    Some(Watching {
        app: world.policy.app.clone(),
        since,
        // Where several processes read, how much they read is told a little later than what it said.
        lines_read: world.ledger.tally.lines_read.max(world.ledger.tally.lines_classified),
        lines_classified: world.ledger.tally.lines_classified,
        queues,
        carried,
        blind_spots: blind_spots::find(world.ledger),
        grace_ms: world.policy.grace_ms,
    })
}

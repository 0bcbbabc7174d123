//! The greeting: a while after the first delivery, once, what is seen and what is not.

use std::collections::BTreeSet;

use super::Planner;
use crate::domain::blind_spots;
use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::watching::{Carried, GREETING_AFTER_MS, Watching};

impl Planner<'_> {
    /// Greets where nobody was greeted yet. A replay has an end, and greets nobody.
    pub(super) fn greet(&mut self) {
        let is_live = self.horizon.last_delivery.is_none();
        let Some(since) =
            self.ledger.deliveries.first_at.filter(|_| is_live && self.book.greeted_at.is_none())
        else {
            return;
        };
        if since.plus_ms(GREETING_AFTER_MS) > self.horizon.now {
            return;
        }
        let traits = &self.ledger.traits;
        let carried = match (traits.worker_has_uuid, traits.worker_has_id, traits.worker_has_neither) {
            (true, ..) => Carried::Uuid,
            (false, true, _) => Carried::Id,
            (false, false, true) => Carried::Neither,
            (false, false, false) => Carried::Unseen,
        };
        let name = |connection: &Option<ConnectionName>, queue: &QueueName| {
            format!("{}:{queue}", connection.as_ref().map_or("unknown", ConnectionName::as_str))
        };
        let lanes = self.ledger.lanes().map(|(lane, _)| lane);
        let queues: BTreeSet<String> =
            lanes.filter_map(|(connection, queue)| Some(name(connection, queue.as_ref()?))).collect();
        self.plan.greeting = Some(Watching {
            app: self.policy.app.clone(),
            since,
            // Where several processes read, how much they read is told a little later than what it said.
            lines_read: self.ledger.tally.lines_read.max(self.ledger.tally.lines_classified),
            lines_classified: self.ledger.tally.lines_classified,
            queues,
            carried,
            blind_spots: blind_spots::find(self.ledger),
            grace_ms: self.policy.grace_ms,
        });
    }
}

//! Which queue a line without one is taken to be about.
//!
//! What is missing is never invented: it comes from the job the line joins, from the only queue or connection
//! that it can be, or from the source's configuration; else it stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::job::{ConnectionName, JobClass, QueueName};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::class::Lane;
use crate::domain::ledger::counting::{JobIx, StartKey};
use crate::domain::ledger::record::StreamKey;
use crate::domain::model::policy::Policy;

/// What unnamed queues and connections are taken to be.
pub struct Lanes<'a> {
    ledger: &'a Ledger,
    policy: &'a Policy,
    connections: BTreeMap<&'a QueueName, BTreeSet<&'a ConnectionName>>,
}

impl<'a> Lanes<'a> {
    /// Learns which connections each queue is known on.
    #[must_use]
    pub fn of(ledger: &'a Ledger, policy: &'a Policy) -> Self {
        let mut connections: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for ((connection, queue), _) in ledger.lanes() {
            if let (Some(connection), Some(queue)) = (connection, queue) {
                connections.entry(queue).or_default().insert(connection);
            }
        }
        Self { ledger, policy, connections }
    }

    /// A missing connection is the only one the queue is known on.
    #[must_use]
    pub fn resolve(&self, (connection, queue): &Lane) -> Lane {
        let only = || {
            let mut known = self.connections.get(queue.as_ref()?)?.iter();
            known.next().filter(|_| known.next().is_none()).map(|name| (*name).clone())
        };
        (connection.clone().or_else(only), queue.clone())
    }

    /// The queue a job waits on or ran on, as far as anything tells.
    #[must_use]
    pub fn lane_of(&self, ix: JobIx) -> Lane {
        let Some(job) = self.ledger.job(ix) else { return (None, None) };
        let (class, mut queue) = (job.known.class(), job.known.queue().cloned());
        let mut connection = job.known.connection().cloned();
        if self.is_spread(class) {
            // Its starts do not say which queue they came from, so nobody can say which one is stuck.
            let resolved = self.resolve(&(connection, queue));
            return (resolved.0, None);
        }
        if queue.is_none() {
            let stream = job.known.start().map(|(_, stream)| stream);
            (connection, queue) = self.class_lane(class, stream, connection);
        }
        self.resolve(&(connection, queue))
    }

    /// Whether a class is matched by counting and waits on more than one queue.
    pub(super) fn is_spread(&self, class: Option<&JobClass>) -> bool {
        self.ledger.is_nameless(class)
            && self.ledger.class(class).is_some_and(|facts| {
                facts
                    .enqueued_on
                    .iter()
                    .filter_map(|(_, queue)| queue.as_ref())
                    .collect::<BTreeSet<_>>()
                    .len()
                    > 1
            })
    }

    /// The queue of a class: the only one its enqueues name, else the only one its worker lines do; for a class never
    /// enqueued its source's.
    fn class_lane(
        &self,
        class: Option<&JobClass>,
        stream: Option<StreamKey>,
        connection: Option<ConnectionName>,
    ) -> Lane {
        let facts = self.ledger.class(class).filter(|facts| !facts.enqueued_on.is_empty());
        if let Some(facts) = facts {
            let named = facts.enqueued_on.iter().filter(|(_, queue)| queue.is_some());
            let lane = only(named).or_else(|| only(facts.enqueued_on.iter()));
            let queue = class.and_then(|class| self.queue_of_class(class));
            return (connection.or_else(|| lane?.0.clone()), queue);
        }
        let stream = stream.and_then(|stream| self.ledger.streams.get(stream));
        let defaults = stream.map(|s| self.policy.source_defaults(&s.log_group, &s.log_stream));
        let (queue, of) = defaults.unwrap_or((None, None));
        (connection.or(of), queue)
    }

    /// The queue that enqueue lines of a class name, where they name one and no other; where they name none, the one that
    /// its worker lines do. A line without a queue may be of any.
    #[must_use]
    pub fn queue_of_class(&self, class: &JobClass) -> Option<QueueName> {
        let facts = self.ledger.class(Some(class)).filter(|facts| !facts.enqueued_on.is_empty())?;
        let mut named = facts.enqueued_on.iter().filter_map(|(_, queue)| queue.as_ref()).peekable();
        if named.peek().is_some() {
            return only(named).cloned();
        }
        only(facts.queues_on_lines()).cloned()
    }

    /// The place that everything of a class is at: by its enqueue lines, else by its worker lines. What they do not
    /// agree on is unknown.
    #[must_use]
    pub fn place_of_class(&self, class: &JobClass) -> Lane {
        let Some(facts) = self.ledger.class(Some(class)) else { return (None, None) };
        let named = |(_, queue): &&Lane| queue.is_some();
        let mut places: Vec<Lane> =
            facts.enqueued_on.iter().filter(named).map(|lane| self.resolve(lane)).collect();
        if places.is_empty() {
            places = facts.queues_on_lines().map(|it| self.resolve(&(None, Some(it.clone())))).collect();
        }
        if places.is_empty() {
            places = facts.enqueued_on.iter().map(|lane| self.resolve(lane)).collect();
        }
        let connection = only(places.iter().map(|(connection, _)| connection.clone())).flatten();
        (connection, only(places.into_iter().map(|(_, queue)| queue)).flatten())
    }

    /// The queue of a class that can only be on one; where its starts cannot be told apart, the place of all of them.
    #[must_use]
    pub fn lane_of_class(&self, class: &JobClass, stream: StreamKey) -> Option<Lane> {
        if self.is_spread(Some(class)) {
            let lanes = self.ledger.class(Some(class)).into_iter().flat_map(|facts| &facts.enqueued_on);
            return Some((only(lanes.map(|lane| self.resolve(lane).0)).flatten(), None));
        }
        let lanes_count = self.ledger.class(Some(class)).map_or(0, |facts| facts.enqueued_on.len());
        let lane = self.resolve(&self.class_lane(Some(class), Some(stream), None));
        (lanes_count == 1 || (lanes_count == 0 && lane.1.is_some())).then_some(lane)
    }

    /// The queue a counted start came from.
    #[must_use]
    pub fn lane_of_start(&self, class: &JobClass, start: StartKey, job: Option<JobIx>) -> Lane {
        match job {
            Some(ix) => self.lane_of(ix),
            None if self.is_spread(Some(class)) => (None, None),
            None => self.resolve(&self.class_lane(Some(class), Some(start.2), None)),
        }
    }
}

/// What all of them are; `None` where they differ.
fn only<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut distinct = all.collect::<BTreeSet<_>>().into_iter();
    distinct.next().filter(|_| distinct.next().is_none())
}

//! Which queue a line without one is taken to be about.
//!
//! What is missing is never invented: it comes from the job the line joins, from the only queue or connection
//! that it can be, or from the source's configuration; else it stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::apps::Apps;
use crate::domain::job::{ConnectionName, JobClass, QueueName};
use crate::domain::ledger::counting::{JobIx, StartKey};
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::{Ledger, QueueActivity};
use crate::domain::model::policy::Policy;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::split_queue;

/// What unnamed queues and connections are taken to be.
#[derive(Debug)]
pub struct QueueResolver<'a> {
    ledger: &'a Ledger,
    policy: &'a Policy,
    connections: Connections<'a>,
    apps: Apps,
    /// What the ledger knows of each place, looked up once: every queue asks for its own.
    activity: BTreeMap<QueueRef, Vec<&'a QueueActivity>>,
    /// Classes whose starts do not tell the queue, and where all of them are.
    spread: BTreeMap<&'a JobClass, QueueRef>,
}

/// The connections that each queue is known on.
type Connections<'a> = BTreeMap<QueueName, BTreeSet<&'a ConnectionName>>;

impl<'a> QueueResolver<'a> {
    /// Learns which connections each queue is known on.
    #[must_use]
    pub fn of(ledger: &'a Ledger, policy: &'a Policy) -> Self {
        let mut connections = Connections::new();
        for (QueueRef { connection, queue }, _) in ledger.queues() {
            if let (Some(connection), Some(queue)) = (connection, queue) {
                connections.entry(split_queue(queue).0).or_default().insert(connection);
            }
        }
        let apps = Apps::of(ledger, |connection, queue| QueueRef {
            connection: connection.cloned().or_else(|| only_connection(&connections, queue)),
            queue: Some(queue.clone()),
        });
        let (activity, spread) = (BTreeMap::new(), BTreeMap::new());
        let mut resolver = Self { ledger, policy, connections, apps, activity, spread };
        for (names, facts) in ledger.queues() {
            let place = resolver.resolve(names);
            resolver.activity.entry(place).or_default().push(facts);
        }
        let counted = ledger.series().filter(|(_, series)| series.is_nameless()).map(|(class, _)| class);
        resolver.spread = counted.filter_map(|class| Some((class, resolver.common_place(class)?))).collect();
        resolver
    }

    /// A missing connection is the only one the queue is known on. Where the ledger names an origin, the queue is the
    /// one of that name within the app whose it is.
    #[must_use]
    pub fn resolve(&self, names: impl Into<QueueRef>) -> QueueRef {
        let QueueRef { connection, queue } = names.into();
        let Some(queue) = queue else { return QueueRef { connection, queue } };
        let (bare, origin) = split_queue(&queue);
        let connection = connection.or_else(|| only_connection(&self.connections, &bare));
        let place = QueueRef { connection, queue: Some(bare.clone()) };
        match origin {
            Some(origin) => QueueRef { queue: Some(self.apps.name(&place, bare, origin)), ..place },
            None => place,
        }
    }

    /// What the ledger knows of a place, once for each way in which lines name it.
    pub(super) fn activity(&self, place: &QueueRef) -> &[&'a QueueActivity] {
        self.activity.get(place).map_or(&[], Vec::as_slice)
    }

    /// The queue a job waits on or ran on, as far as anything tells.
    #[must_use]
    pub fn queue_of_job(&self, ix: JobIx) -> QueueRef {
        let Some(job) = self.ledger.job(ix) else { return QueueRef::default() };
        let (class, queue) = (job.known.class(), job.known.queue().cloned());
        let connection = job.known.connection().cloned();
        if let Some(place) = self.spread_over(class) {
            return place.clone();
        }
        if queue.is_none() {
            let stream = job.known.start().map(|(_, stream)| stream);
            return self.resolve(self.by_class(class, stream, connection));
        }
        self.resolve(job.known.marked_queue())
    }

    /// The place of a class that is matched by counting and waits on several queues, or on one queue of several
    /// connections: its starts do not say which of them they came from, so nobody can say which one is stuck.
    #[must_use]
    pub fn spread_over(&self, class: Option<&JobClass>) -> Option<&QueueRef> {
        self.spread.get(class?)
    }

    /// What the queues that a class waits on have in common, where they are more than one.
    fn common_place(&self, class: &JobClass) -> Option<QueueRef> {
        let facts = self.ledger.class(Some(class)).filter(|facts| facts.enqueued_on.len() > 1)?;
        let named = facts.enqueued_on.iter().filter(|names| names.queue.is_some());
        let places: BTreeSet<QueueRef> = named.map(|names| self.resolve(names)).collect();
        // A line that names no connection may be of any that the class is on.
        let is_own = |place: &&QueueRef| {
            let named = |other: &QueueRef| other.connection.is_some() && other.queue == place.queue;
            place.connection.is_some() || !places.iter().any(named)
        };
        (places.iter().filter(is_own).count() > 1).then(|| self.place_of_class(class))
    }

    /// The queue of a class: the only one its enqueues name, else the only one its worker lines do; for a class never
    /// enqueued its source's.
    fn by_class(
        &self,
        class: Option<&JobClass>,
        stream: Option<StreamKey>,
        connection: Option<ConnectionName>,
    ) -> QueueRef {
        let facts = self.ledger.class(class).filter(|facts| !facts.enqueued_on.is_empty());
        if let Some(facts) = facts {
            let named = facts.enqueued_on.iter().filter(|at| at.queue.is_some());
            let known = only(named).or_else(|| only(facts.enqueued_on.iter()));
            let queue = class.and_then(|class| self.named_queue_of_class(class));
            return QueueRef { connection: connection.or_else(|| known?.connection.clone()), queue };
        }
        let stream = stream.and_then(|stream| self.ledger.streams.get(stream));
        let defaults = stream.map(|s| self.policy.source_defaults(&s.log_group, &s.log_stream));
        let (queue, of) = defaults.unwrap_or((None, None));
        QueueRef { connection: connection.or(of), queue }
    }

    /// The queue that enqueue lines of a class name, where they name one and no other; where they name none, the one that
    /// its worker lines do. A line without a queue may be of any.
    #[must_use]
    pub fn named_queue_of_class(&self, class: &JobClass) -> Option<QueueName> {
        let facts = self.ledger.class(Some(class)).filter(|facts| !facts.enqueued_on.is_empty())?;
        let mut named = facts.enqueued_on.iter().filter_map(|at| at.queue.as_ref()).peekable();
        if named.peek().is_some() {
            return only(named).cloned();
        }
        only(facts.queues_on_lines()).cloned()
    }

    /// The place that everything of a class is at: by its enqueue lines, else by its worker lines. What they do not
    /// agree on is unknown.
    #[must_use]
    pub fn place_of_class(&self, class: &JobClass) -> QueueRef {
        let Some(facts) = self.ledger.class(Some(class)) else { return QueueRef::default() };
        let named = |names: &QueueRef| names.queue.is_some();
        let enqueued = || facts.enqueued_on.iter().map(QueueRef::from);
        let mut places: Vec<QueueRef> = enqueued().filter(named).map(|names| self.resolve(names)).collect();
        if places.is_empty() {
            places = facts.queues_on_lines().map(|it| self.resolve(QueueRef::of_queue(it.clone()))).collect();
        }
        if places.is_empty() {
            places = enqueued().map(|names| self.resolve(names)).collect();
        }
        let connection = only(places.iter().map(|place| place.connection.clone())).flatten();
        QueueRef { connection, queue: only(places.into_iter().map(|place| place.queue)).flatten() }
    }

    /// The queue of a class that can only be on one; where its starts cannot be told apart, the place of all of them.
    #[must_use]
    pub fn only_queue_of_class(&self, class: &JobClass, stream: StreamKey) -> Option<QueueRef> {
        if let Some(place) = self.spread_over(Some(class)) {
            return Some(place.clone());
        }
        let named_count = self.ledger.class(Some(class)).map_or(0, |facts| facts.enqueued_on.len());
        let place = self.resolve(self.by_class(Some(class), Some(stream), None));
        (named_count == 1 || (named_count == 0 && place.queue.is_some())).then_some(place)
    }

    /// The queue a counted start came from.
    #[must_use]
    pub fn queue_of_start(&self, class: &JobClass, start: StartKey, job: Option<JobIx>) -> QueueRef {
        match job {
            Some(ix) => self.queue_of_job(ix),
            None => {
                let spread = self.spread_over(Some(class)).cloned();
                spread.unwrap_or_else(|| self.resolve(self.by_class(Some(class), Some(start.2), None)))
            }
        }
    }
}

fn only_connection(connections: &Connections<'_>, queue: &QueueName) -> Option<ConnectionName> {
    let mut known = connections.get(queue)?.iter();
    known.next().filter(|_| known.next().is_none()).map(|name| (*name).clone())
}

/// What all of them are; `None` where they differ.
fn only<T: Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut distinct = all.collect::<BTreeSet<_>>().into_iter();
    distinct.next().filter(|_| distinct.next().is_none())
}

//! Which origins of a queue's jobs are one app, where nobody has said so.
//!
//! Two apps may use queues of one name. Where a healthy one's starts counted for the other's jobs, a dead worker would
//! look like lost jobs. But one app, too, enqueues from many places, so that origins are taken to be one app until lines
//! show that they cannot be:
//!
//! - other workers take their jobs, each side's often enough that it is no chance;
//! - their logs are called otherwise, no worker was seen to take jobs of both, and one side's jobs pass the other's by;
//! - all that one side enqueued for a while waits, and nothing but the other side's goes past it.
//!
//! Workers that take jobs of two origins make them one app. The app that is known longest keeps the queue's plain name;
//! jobs of another are on the queue of that name within it.

use std::collections::{BTreeMap, BTreeSet};

use super::overtaken::OVERTAKEN_BY_MS;
use crate::domain::job::{ConnectionName, QueueName, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::served::Takers;
use crate::domain::ledger::{Ledger, QueueActivity};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::{Origin, split_queue};

/// Jobs that wait, and jobs that go past them, from which on it is no chance whose they are.
const STUCK_LEAST: usize = 5;

/// One way in which an origin is called.
type Name = for<'a> fn(Origin<'a>) -> &'a str;

/// All of them, the most telling first.
const NAMES: [Name; 4] = [channel, log_group, label, family];

/// The apps that were found: for a queue and an origin, whose it is. What is not in it is the stack's own.
#[derive(Debug, Default)]
pub(super) struct Apps(BTreeMap<QueueRef, BTreeMap<String, String>>);

/// Jobs that wait for their first start.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    count: usize,
    oldest: Timestamp,
}

/// One side: origins whose jobs the same workers take, or that are called alike.
#[derive(Clone, Debug, Default)]
struct Side<'a> {
    origins: BTreeSet<&'a str>,
    lanes: Vec<&'a QueueActivity>,
    workplaces: BTreeSet<u64>,
    is_often: bool,
    waiting: Option<Waiting>,
}

impl Apps {
    /// Looks at every queue that has jobs of several origins. `place` tells which queue a lane is of.
    pub(super) fn of(
        ledger: &Ledger,
        place: impl Fn(Option<&ConnectionName>, &QueueName) -> QueueRef,
    ) -> Self {
        let mut queues: BTreeMap<QueueRef, BTreeMap<&str, Side<'_>>> = BTreeMap::new();
        for (QueueRef { connection, queue }, facts) in ledger.queues() {
            let Some(queue) = queue else { continue };
            if let (bare, Some(origin)) = split_queue(queue) {
                let origins = queues.entry(place(connection.as_ref(), &bare)).or_default();
                let side = origins.entry(origin).or_insert_with(|| Side::of(origin, ledger));
                side.lanes.push(facts);
            }
        }
        queues.retain(|_, origins| origins.len() > 1);
        if queues.is_empty() {
            return Self::default();
        }
        for ((connection, queue, origin), waiting) in waiting(ledger) {
            let side = queues.get_mut(&place(connection, queue)).and_then(|it| it.get_mut(origin));
            if let Some(side) = side {
                side.wait(waiting);
            }
        }
        let found = queues.into_iter().map(|(place, origins)| (place, tell_apart(&origins)));
        Self(found.filter(|(_, apps)| !apps.is_empty()).collect())
    }

    /// The queue's name, within the app whose it is.
    pub(super) fn name(&self, place: &QueueRef, bare: QueueName, origin: &str) -> QueueName {
        match self.0.get(place).and_then(|apps| apps.get(origin)) {
            Some(app) => match bare.scope() {
                Some(scope) => bare.within(Some(&format!("{scope}/{app}"))),
                None => bare.within(Some(app)),
            },
            None => bare,
        }
    }
}

/// The jobs that wait for their first start, by the lane that they are on.
fn waiting(ledger: &Ledger) -> BTreeMap<(Option<&ConnectionName>, &QueueName, &str), Waiting> {
    let mut all: BTreeMap<_, Waiting> = BTreeMap::new();
    for (_, job) in ledger.waiting() {
        let (Some(queue), Some(origin), None) = (job.known.queue(), job.known.origin(), job.known.start())
        else {
            continue;
        };
        // Counting takes jobs of one class for one another, whoseever they are.
        let Some(ready_at) = job.known.ready_at(0).filter(|_| !ledger.is_counted(job)) else { continue };
        let lane = (job.known.connection(), queue, &**origin);
        let waiting = all.entry(lane).or_insert(Waiting { count: 0, oldest: ready_at });
        waiting.count = waiting.count.saturating_add(1);
        waiting.oldest = waiting.oldest.min(ready_at);
    }
    all
}

/// Tells the origins of one queue apart: those that are another app's, and what to call it.
fn tell_apart<'a>(origins: &BTreeMap<&'a str, Side<'a>>) -> BTreeMap<String, String> {
    let mut sides = by_workers(origins);
    sides.sort_by_key(|side| (!side.is_often, side.oldest_enqueue(), side.origins.first().copied()));
    let mut sides = sides.into_iter();
    let Some(mut first) = sides.next() else { return BTreeMap::new() };
    let (mut others, undecided): (Vec<_>, Vec<_>) = sides.partition(|side| side.is_apart_from(&first));
    if others.is_empty() {
        return stuck(origins);
    }
    for side in undecided {
        // Whoever has no workers of its own goes with those that it is called like.
        let alike = |name: Name| {
            let mut alike = others.iter().enumerate().filter(|(_, it)| it.is_called_like(&side, name));
            alike.next().map(|(n, _)| n).filter(|_| alike.next().is_none())
        };
        let is_firsts = NAMES.iter().take(2).all(|name| first.is_called_like(&side, *name));
        let of = alike(channel).or_else(|| alike(log_group)).filter(|_| !is_firsts);
        match of.and_then(|n| others.get_mut(n)) {
            Some(other) => other.join(side),
            None => first.join(side),
        }
    }
    let mut found = BTreeMap::new();
    for (n, side) in others.iter().enumerate() {
        let rest = others.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, it)| it).chain([&first]);
        let app = side.name_beside(&rest.collect::<Vec<_>>());
        found.extend(side.origins.iter().map(|origin| ((*origin).to_owned(), app.to_owned())));
    }
    found
}

/// Workers that take jobs of two origins make one side of them.
fn by_workers<'a>(origins: &BTreeMap<&'a str, Side<'a>>) -> Vec<Side<'a>> {
    let mut sides: Vec<Side<'_>> = Vec::new();
    for side in origins.values() {
        let mut side = side.clone();
        while let Some(same) = sides.iter().position(|it| !it.workplaces.is_disjoint(&side.workplaces)) {
            side.join(sides.swap_remove(same));
        }
        sides.push(side);
    }
    sides
}

/// Of origins that seem to be one app, those by one name of which everything waits while everything else goes past it.
fn stuck<'a>(origins: &BTreeMap<&'a str, Side<'a>>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for name in NAMES {
        let mut named: BTreeMap<&str, Side<'_>> = BTreeMap::new();
        for (origin, side) in origins {
            named.entry(name(Origin::parse(origin))).or_default().join(side.clone());
        }
        for (app, side) in named.iter().filter(|(app, _)| !app.is_empty()) {
            let mut rest = Side::default();
            named.iter().filter(|(other, _)| *other != app).for_each(|(_, it)| rest.join(it.clone()));
            if side.is_stuck_beside(&rest) {
                found.extend(side.origins.iter().map(|origin| ((*origin).to_owned(), (*app).to_owned())));
            }
        }
        if named.len() > 1 {
            // What is called otherwise is told apart by that, and not by where it prints.
            break;
        }
    }
    found
}

impl<'a> Side<'a> {
    fn of(origin: &'a str, ledger: &Ledger) -> Self {
        let takers = ledger.signals.served.takers(origin);
        Self {
            origins: BTreeSet::from([origin]),
            workplaces: takers.into_iter().flat_map(Takers::workplaces).collect(),
            is_often: takers.is_some_and(Takers::is_often),
            ..Self::default()
        }
    }

    fn wait(&mut self, more: Waiting) {
        let known = self.waiting.get_or_insert(Waiting { count: 0, ..more });
        known.count = known.count.saturating_add(more.count);
        known.oldest = known.oldest.min(more.oldest);
    }

    fn join(&mut self, other: Self) {
        self.origins.extend(other.origins);
        self.lanes.extend(other.lanes);
        self.workplaces.extend(other.workplaces);
        self.is_often |= other.is_often;
        if let Some(waiting) = other.waiting {
            self.wait(waiting);
        }
    }

    fn oldest_enqueue(&self) -> Option<Timestamp> {
        self.lanes.iter().filter_map(|facts| facts.oldest_enqueue).min()
    }

    /// What its origins are called, one way or the other.
    fn names(&self, name: Name) -> BTreeSet<&'a str> {
        self.origins.iter().map(|origin| name(Origin::parse(origin))).collect()
    }

    fn is_called_like(&self, other: &Self, name: Name) -> bool {
        !self.names(name).is_disjoint(&other.names(name))
    }

    /// How many of its jobs that became ready after `at` have started, up to a few.
    fn started_after(&self, at: Timestamp) -> usize {
        let from = (at.plus_ms(OVERTAKEN_BY_MS), JobIx(0));
        let firsts = |facts: &QueueActivity| {
            let own = facts.firsts.range(from..).filter(|(_, first)| !first.is_counted);
            own.take(STUCK_LEAST).count()
        };
        self.lanes.iter().map(|facts| firsts(facts)).sum()
    }

    /// Whether the other's jobs go past its own.
    fn is_passed_by(&self, other: &Self) -> bool {
        self.waiting.is_some_and(|waiting| other.started_after(waiting.oldest) > 0)
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        // A channel that is not known may be any.
        let is_known = |side: &Self| !side.names(channel).contains("");
        let is_called_otherwise = !self.is_called_like(other, channel) && is_known(self) && is_known(other);
        let passes = self.is_passed_by(other) || other.is_passed_by(self);
        (self.is_often && other.is_often) || (is_called_otherwise && passes)
    }

    /// Whether all that it enqueued for a while waits, and the rest goes past it, all of that: were it chance which jobs
    /// start, others would be among those that wait.
    fn is_stuck_beside(&self, rest: &Self) -> bool {
        let Some(waiting) = self.waiting.filter(|waiting| waiting.count >= STUCK_LEAST) else { return false };
        self.started_after(waiting.oldest) == 0
            && rest.started_after(waiting.oldest) >= STUCK_LEAST
            && !rest.is_passed_by(rest)
    }

    /// What tells it from the others, in a word.
    fn name_beside(&self, others: &[&Self]) -> &'a str {
        let own = |name: &Name| {
            let mine = self.names(*name);
            let is_own = others.iter().all(|other| other.names(*name).is_disjoint(&mine));
            mine.into_iter().find(|it| is_own && !it.is_empty())
        };
        let any = || self.names(channel).into_iter().find(|it| !it.is_empty()).unwrap_or("another app");
        NAMES.iter().find_map(own).unwrap_or_else(any)
    }
}

fn channel(origin: Origin<'_>) -> &str {
    origin.channel
}

fn log_group(origin: Origin<'_>) -> &str {
    origin.log_group
}

fn label(origin: Origin<'_>) -> &str {
    origin.label
}

fn family(origin: Origin<'_>) -> &str {
    origin.family
}

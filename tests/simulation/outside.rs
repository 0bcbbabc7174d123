//! The outside as one process sees it: a table, a metric sink and topics that throttle, lose replies, show an old index,
//! and let the process die at any call.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::memory::MemoryTable;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::metric::{Datum, Kind, Metric};
use queuewatch::domain::outbox::OutgoingMessage;
use queuewatch::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};
use queuewatch::ports::{AlarmChannel, Disposed, Disposition, MetricSink};
use thiserror::Error;

use crate::dice::Dice;
use crate::faults::{Faults, Luck, Site};
use crate::gate::Gate;
use crate::witness::{ProcessId, Witness};

/// What all processes share.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) now_ms: i64,
    pub(crate) table: MemoryTable,
    pub(crate) witness: Witness,
    faults: Faults,
    dice: Dice,
    /// When the index changed.
    changes_ms: VecDeque<i64>,
    /// Writes of the dead that are still under way.
    pub(crate) adrift: Vec<(i64, ProcessId, Write)>,
    /// Every call and what became of it, where somebody reads it.
    pub(crate) trace: Option<Vec<String>>,
}

/// A write of the table.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Put(Item, Expected),
    Unmark(ItemKey),
}

/// A call that came to nothing, or seems to have.
#[derive(Debug, Error)]
#[error("no good answer")]
pub(crate) struct NoAnswer;

impl Disposed for NoAnswer {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

impl Outside {
    pub(crate) fn new(faults: Faults, dice: Dice, is_traced: bool) -> Self {
        Self {
            now_ms: 0,
            table: MemoryTable::new(),
            witness: Witness::default(),
            faults,
            dice,
            changes_ms: VecDeque::new(),
            adrift: Vec::new(),
            trace: is_traced.then(Vec::new),
        }
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        let at = Timestamp::from_ms(self.now_ms);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at} {}", what()));
        }
    }

    /// Carries a write out.
    pub(crate) fn write(&mut self, by: ProcessId, write: &Write) -> Written {
        let key = match write {
            Write::Put(item, _) => &item.key,
            Write::Unmark(key) => key,
        };
        let is_due = |found: Option<Item>| found.is_some_and(|item| item.due.is_some());
        let was_due = is_due(self.item(key));
        let written = match write {
            Write::Put(item, expected) => at_once(self.table.put(item, *expected)).unwrap(),
            Write::Unmark(key) => {
                at_once(self.table.unmark(key)).unwrap();
                Written::Done
            }
        };
        if written == Written::Done {
            if was_due || is_due(self.item(key)) {
                self.changes_ms.push_back(self.now_ms);
            }
            self.witness.wrote(by, key.partition.starts_with("C#"));
        }
        written
    }

    fn item(&self, key: &ItemKey) -> Option<Item> {
        at_once(self.table.get(std::slice::from_ref(key))).unwrap().pop().flatten()
    }

    /// Whether the outbox of a checkpoint holds a message.
    fn is_written(&self, message: &OutgoingMessage) -> bool {
        let name = format!(r#""notification":"{}""#, message.notification);
        let checkpoint = ItemKey { partition: "C#app".to_owned(), sort: "-".to_owned() };
        self.item(&checkpoint).is_some_and(|item| item.body.contains(&name))
    }

    /// Sets the index back by so much.
    fn set_stale(&mut self, stale_ms: i64) {
        let from_ms = self.now_ms - stale_ms;
        let hidden = self.changes_ms.iter().rev().take_while(|at_ms| **at_ms > from_ms).count();
        if hidden > 0 {
            self.witness.note("old indices shown");
        }
        self.table.set_index_lag(hidden);
    }
}

/// The memory's table answers at once.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// A process's connection to the outside. A container keeps it for the invocations to come.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) outside: Rc<RefCell<Outside>>,
    pub(crate) gate: Gate,
    pub(crate) process: Cell<ProcessId>,
    /// How long a call takes at most.
    pub(crate) pace_ms: Cell<i64>,
    /// Whether nothing goes wrong.
    pub(crate) is_calm: Cell<bool>,
    pub(crate) is_dead: Cell<bool>,
}

impl Deployment {
    /// Calls the outside.
    async fn call<R>(
        &self,
        site: Site,
        name: impl Fn() -> String,
        mut effect: impl FnMut(&mut Outside, ProcessId, bool) -> R,
        adrift: Option<&Write>,
    ) -> Result<R, NoAnswer> {
        let process = self.process.get();
        for _ in 0..site.tries() {
            let due_ms = {
                let outside = &mut *self.outside.borrow_mut();
                outside.now_ms + outside.faults.latency_ms(&mut outside.dice, site, self.pace_ms.get())
            };
            self.gate.turn(due_ms).await;
            let outside = &mut *self.outside.borrow_mut();
            let luck =
                if self.is_calm.get() { Luck::Good } else { outside.faults.luck(&mut outside.dice, site) };
            outside.tell(|| format!("  {process:>3} {} {luck:?}", name()));
            match luck {
                Luck::Good => return Ok(effect(outside, process, false)),
                Luck::Refused => outside.witness.note("calls refused"),
                Luck::Down => return Err(NoAnswer),
                Luck::ReplyLost | Luck::ReplyLostForGood => {
                    effect(outside, process, true);
                    outside.witness.note("replies lost");
                    if luck == Luck::ReplyLostForGood {
                        return Err(NoAnswer);
                    }
                }
                Luck::DiesBefore | Luck::DiesMeanwhile | Luck::DiesAfter => {
                    outside.witness.note("deaths");
                    match (luck, adrift) {
                        (Luck::DiesAfter, _) => drop(effect(outside, process, false)),
                        (Luck::DiesMeanwhile, Some(write)) => {
                            let at_ms = outside.now_ms + outside.dice.between(1, 3_000);
                            outside.adrift.push((at_ms, process, write.clone()));
                        }
                        _ => {}
                    }
                    self.is_dead.set(true);
                    break;
                }
            }
        }
        if self.is_dead.get() {
            std::future::pending::<()>().await;
        }
        Err(NoAnswer)
    }
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Wire(pub(crate) Rc<Deployment>);

impl Wire {
    async fn write(&self, write: Write) -> Result<Written, NoAnswer> {
        let name = || match &write {
            Write::Put(item, expected) => {
                let due = if item.due.is_some() { ", due" } else { "" };
                format!("put {} {} {expected:?}{due}", item.key.partition, item.key.sort)
            }
            Write::Unmark(key) => format!("unmark {} {}", key.partition, key.sort),
        };
        let effect = |outside: &mut Outside, process, _| {
            let written = outside.write(process, &write);
            outside.tell(|| format!("      {written:?}"));
            written
        };
        self.0.call(Site::Write, name, effect, Some(&write)).await
    }
}

impl Table for Wire {
    type Error = NoAnswer;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, NoAnswer> {
        let name = || format!("get {:?}", keys.iter().map(|key| &key.partition).collect::<Vec<_>>());
        let effect = |outside: &mut Outside, _, _| at_once(outside.table.get(keys)).unwrap();
        self.0.call(Site::Read, name, effect, None).await
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, NoAnswer> {
        self.write(Write::Put(item.clone(), expected)).await
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), NoAnswer> {
        self.write(Write::Unmark(key.clone())).await.map(drop)
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, NoAnswer> {
        let is_calm = self.0.is_calm.get();
        let effect = |outside: &mut Outside, _, _| {
            let stale_ms = if is_calm { 0 } else { outside.faults.stale_ms(&mut outside.dice) };
            outside.set_stale(stale_ms);
            at_once(outside.table.due(partition, from, until, limit)).unwrap()
        };
        self.0.call(Site::Read, || format!("due {partition}"), effect, None).await
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, NoAnswer> {
        let effect =
            |outside: &mut Outside, _, _| at_once(outside.table.range(partition, from, limit)).unwrap();
        self.0.call(Site::Read, || format!("range {partition} {from}"), effect, None).await
    }
}

/// The metric sink.
#[derive(Debug)]
pub(crate) struct Metrics(pub(crate) Rc<Deployment>);

impl MetricSink for Metrics {
    type Error = NoAnswer;

    async fn put(&mut self, _app: &str, data: Vec<Datum>, _now: Timestamp) -> Result<(), NoAnswer> {
        let has = |wanted: fn(Metric) -> bool| data.iter().any(|datum| wanted(datum.metric));
        let is_gauge = has(|metric| metric.kind() == Kind::Gauge && metric != Metric::SweepHeartbeat);
        let is_counter = has(|metric| metric.kind() != Kind::Gauge);
        let effect = |outside: &mut Outside, process, is_reply_lost| {
            if is_gauge {
                outside.witness.gauges.clone_from(&data);
            }
            if is_counter {
                outside.witness.published(process, data.clone(), is_reply_lost);
            }
        };
        self.0.call(Site::Metrics, || format!("metrics {}", data.len()), effect, None).await
    }
}

/// The topics.
#[derive(Debug)]
pub(crate) struct Alarms(pub(crate) Rc<Deployment>);

impl AlarmChannel for Alarms {
    type Error = NoAnswer;

    async fn send(&mut self, message: &OutgoingMessage) -> Result<(), NoAnswer> {
        let effect = |outside: &mut Outside, process, is_reply_lost| {
            let now_ms = outside.now_ms;
            if !outside.is_written(message) {
                outside.witness.unwritten.push(format!("{:?} at {now_ms}", message.id()));
            }
            outside.witness.received(process, now_ms, message, is_reply_lost);
        };
        let name = || format!("message {:?} {}", message.id(), message.subject);
        self.0.call(Site::OutgoingMessage, name, effect, None).await
    }
}

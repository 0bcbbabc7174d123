//! Processes that live and die in virtual time, as Lambda lets them: each event begins one, its calls to the outside are
//! done in the order in which the outside gets round to them, and whoever is not done in time is killed.
//!
//! A failed or dead ingest is tried again after one minute and after two more; a sweep is not, the next one comes a
//! minute later. The third try of a delivery goes well, unless the history says that deliveries may be lost: then one
//! that failed three times comes once more by hand, as from the bucket that keeps it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use queuewatch::app::{self, AppError, Swept};
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use queuewatch::domain::ledger::job_facts::StreamKey;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::sweep::Horizon;
use queuewatch::durable::DurableError;
use queuewatch::ports::LedgerStore;
use queuewatch::ports::table::{ItemKey, Table as _};

use crate::deliveries::Delivery;
use crate::dice::Dice;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::outside::{Alarms, Deployment, Metrics, Outside, Wire, Write, at_once};
use crate::protocol::{NextVersion, Protocol, Store};
use crate::timetable::Tick;
use crate::witness::{End, ProcessId};

/// How long after a failed try Lambda makes the next one.
const RETRIED_AFTER_MS: [i64; 2] = [MINUTE_MS, 2 * MINUTE_MS];
/// When a delivery that failed every time is sent once more by hand, after it was lost.
const REDRIVEN_AFTER_MS: i64 = 2 * MINUTE_MS;
/// The functions' timeouts, as deployed.
const INGEST_MS: i64 = 120 * SECOND_MS;
const SWEEP_MS: i64 = 50 * SECOND_MS;
/// How long two versions are at work side by side.
const DEPLOY_MS: i64 = 3 * MINUTE_MS;
/// Why payloads are rejected.
pub(crate) const REJECTED: &str = "not_gzip";

/// Something that happens at a moment.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A delivery comes; `tries` were made before.
    Deliver {
        number: usize,
        tries: usize,
    },
    Tick(Tick),
    /// Its time is over.
    Kill(ProcessId),
    /// What somebody wrote who has died arrives.
    Arrive(ProcessId, Write),
}

/// A container, idle or with a process.
#[derive(Debug)]
struct Container {
    is_sweeper: bool,
    is_next_version: bool,
    /// How far its clock is off.
    skew_ms: i64,
    deployment: Rc<Deployment>,
    store: Store,
}

type Outcome = Pin<Box<dyn Future<Output = (Container, End)>>>;

struct Process {
    id: ProcessId,
    deployment: Rc<Deployment>,
    /// Which delivery, and how many tries were made before; `None` for a sweep.
    delivery: Option<(usize, usize)>,
    future: Outcome,
}

/// The functions, and when what happens to them.
pub(crate) struct World<'a> {
    protocol: fn() -> Rc<dyn Protocol>,
    policy: &'a Policy,
    deliveries: &'a [Delivery],
    faults: Faults,
    outside: Rc<RefCell<Outside>>,
    dice: Dice,
    agenda: BTreeMap<(i64, usize), Event>,
    processes: Vec<Process>,
    count: usize,
    idle: Vec<Container>,
    /// Items that are there from now on, and what for.
    promised: BTreeMap<ItemKey, String>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        protocol: fn() -> Rc<dyn Protocol>,
        policy: &'a Policy,
        deliveries: &'a [Delivery],
        faults: Faults,
        outside: Rc<RefCell<Outside>>,
        dice: Dice,
    ) -> Self {
        let (agenda, processes, idle) = (BTreeMap::new(), Vec::new(), Vec::new());
        let promised = BTreeMap::new();
        Self {
            protocol,
            policy,
            deliveries,
            faults,
            outside,
            dice,
            agenda,
            processes,
            count: 0,
            idle,
            promised,
        }
    }

    pub(crate) fn at(&mut self, at_ms: i64, event: Event) {
        self.count += 1;
        self.agenda.insert((at_ms, self.count), event);
    }

    /// Until nothing is to come and nobody is at work.
    pub(crate) fn run(&mut self) {
        loop {
            let event = self.agenda.keys().next().copied();
            let calls = self.processes.iter().enumerate();
            let call = calls.map(|(n, process)| (process.deployment.gate.earliest_ms().unwrap(), n)).min();
            match (event, call) {
                (Some(place), call) if call.is_none_or(|(due_ms, _)| place.0 < due_ms) => {
                    let event = self.agenda.remove(&place).unwrap();
                    self.pass(place.0);
                    self.meet(event);
                }
                (_, Some((due_ms, n))) => {
                    self.pass(due_ms);
                    self.processes[n].deployment.gate.call();
                    self.go_on(n);
                }
                (_, None) => return,
            }
        }
    }

    fn pass(&mut self, until_ms: i64) {
        let mut outside = self.outside.borrow_mut();
        outside.now_ms = outside.now_ms.max(until_ms);
    }

    fn meet(&mut self, event: Event) {
        match event {
            Event::Deliver { number, tries } => self.ingest(number, tries),
            Event::Tick(tick) => self.sweep(tick),
            Event::Kill(id) => {
                if let Some(n) = self.processes.iter().position(|process| process.id == id) {
                    self.outside.borrow_mut().witness.note("timeouts");
                    self.bury(n);
                }
            }
            Event::Arrive(by, write) => {
                let outside = &mut *self.outside.borrow_mut();
                let written = outside.write(by, &write);
                outside.tell(|| format!("  {by:>3} (dead) {write:?} {written:?}"));
            }
        }
    }

    fn ingest(&mut self, number: usize, tries: usize) {
        // What is sent by hand is sent until it arrives.
        let is_last = tries > RETRIED_AFTER_MS.len();
        let is_calm = is_last || (tries == 2 && !self.faults.may_lose_deliveries);
        let container = self.container(false, is_calm);
        let now_ms = self.outside.borrow().now_ms;
        let delivery = &self.deliveries[number];
        for line in &delivery.lines {
            self.outside.borrow_mut().witness.came_ms.entry(*line).or_insert(now_ms);
        }
        let now = Timestamp::from_ms(now_ms + if is_calm { 0 } else { container.skew_ms });
        let opened = delivery.opened.clone();
        let deployment = Rc::clone(&container.deployment);
        let future = async move {
            let mut container = container;
            let taken = match opened {
                Ok(record) => {
                    let record = DeliveryRecord { arrived_at: now, ..record };
                    app::ingest(&mut container.store, &record).await.map(drop)
                }
                Err(hash) => container.store.reject(REJECTED, hash, now).await,
            };
            (container, if taken.is_ok() { End::Done } else { End::Failed })
        };
        self.begin(deployment, Some((number, tries)), Box::pin(future), INGEST_MS);
    }

    fn sweep(&mut self, tick: Tick) {
        let container = self.container(true, tick.is_calm);
        let now = {
            let outside = &mut *self.outside.borrow_mut();
            let now = Timestamp::from_ms(outside.now_ms + if tick.is_calm { 0 } else { container.skew_ms });
            // As a store forgets, by a clock of its own.
            outside.table.expire(Timestamp::from_ms(outside.now_ms));
            now
        };
        let horizon = Horizon { now, last_delivery: None };
        let deployment = Rc::clone(&container.deployment);
        let (mut metrics, mut alarms) = (Metrics(Rc::clone(&deployment)), Alarms(Rc::clone(&deployment)));
        let policy = self.policy.clone();
        let future = async move {
            let mut container = container;
            let swept = app::sweep(&mut container.store, &mut metrics, &mut alarms, &policy, horizon).await;
            let end = match swept {
                Ok(Swept::Done(_)) => End::Done,
                Ok(Swept::Stood) => End::Stood,
                Err(AppError::Store(DurableError::Newer { .. })) => End::Refused,
                Err(_) => End::Failed,
            };
            (container, end)
        };
        self.begin(deployment, None, Box::pin(future), SWEEP_MS);
    }

    /// One that is idle, mostly; else a new one.
    fn container(&mut self, is_sweeper: bool, is_calm: bool) -> Container {
        let is_cold = self.dice.happens(200);
        let deployed_ms = self.faults.deployed_ms.map(|at_ms| self.outside.borrow().now_ms - at_ms);
        let is_next_version =
            deployed_ms.is_some_and(|ms| ms >= 0 && (is_calm || ms > DEPLOY_MS || self.dice.happens(500)));
        let fits = |container: &Container| {
            !is_cold && (container.is_sweeper, container.is_next_version) == (is_sweeper, is_next_version)
        };
        if let Some(n) = self.idle.iter().position(fits) {
            let container = self.idle.swap_remove(n);
            container.deployment.is_calm.set(is_calm);
            return container;
        }
        self.count += 1;
        let owner = format!("container{}", self.count);
        let deployment = Rc::new(Deployment {
            outside: Rc::clone(&self.outside),
            gate: Gate::default(),
            process: Cell::new(0),
            pace_ms: Cell::new(0),
            is_calm: Cell::new(is_calm),
            is_dead: Cell::new(false),
        });
        let protocol = if is_next_version { Rc::new(NextVersion) } else { (self.protocol)() };
        let store = Store::new(Wire(Rc::clone(&deployment)), self.policy, owner, protocol);
        let skew_ms = self.dice.between(-self.faults.skew_max_ms, self.faults.skew_max_ms);
        Container { is_sweeper, is_next_version, skew_ms, deployment, store }
    }

    fn begin(
        &mut self,
        deployment: Rc<Deployment>,
        delivery: Option<(usize, usize)>,
        future: Outcome,
        timeout_ms: i64,
    ) {
        self.count += 1;
        let id = self.count;
        deployment.process.set(id);
        deployment.pace_ms.set(self.faults.pace_ms(&mut self.dice, deployment.is_calm.get()));
        let now_ms = {
            let outside = &mut *self.outside.borrow_mut();
            let is_sweep = |process: &&Process| process.delivery.is_none();
            if delivery.is_none() && self.processes.iter().any(|process| is_sweep(&process)) {
                outside.witness.note("sweeps at once");
            }
            outside.tell(|| match delivery {
                Some((number, tries)) => {
                    format!(
                        "{id:>5} ingest of {number} {:?}, try {}",
                        self.deliveries[number].lines,
                        tries + 1
                    )
                }
                None => format!("{id:>5} sweep"),
            });
            outside.now_ms
        };
        self.at(now_ms + timeout_ms, Event::Kill(id));
        self.processes.push(Process { id, deployment, delivery, future });
        self.go_on(self.processes.len() - 1);
    }

    /// Lets a process go on to its next call.
    fn go_on(&mut self, n: usize) {
        let process = &mut self.processes[n];
        let polled = process.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready((container, end)) = polled {
            let process = self.processes.swap_remove(n);
            self.idle.push(container);
            self.end(&process, end);
        } else if process.deployment.is_dead.get() {
            self.bury(n);
        }
        let adrift = std::mem::take(&mut self.outside.borrow_mut().adrift);
        for (at_ms, by, write) in adrift {
            self.at(at_ms, Event::Arrive(by, write));
        }
    }

    /// What must hold at every moment: a delivery that was acknowledged is there, and so is each job that it enqueued.
    fn look(&mut self) {
        let outside = &mut *self.outside.borrow_mut();
        for (key, what) in &self.promised {
            if at_once(outside.table.get(std::slice::from_ref(key))).unwrap() == [None] {
                outside.witness.gone.push(format!("{what} at {}", Timestamp::from_ms(outside.now_ms)));
            }
        }
    }

    fn bury(&mut self, n: usize) {
        let process = self.processes.swap_remove(n);
        self.end(&process, End::Died);
    }

    fn end(&mut self, process: &Process, end: End) {
        let now_ms = {
            let outside = &mut *self.outside.borrow_mut();
            outside.tell(|| format!("{:>5} {end:?}", process.id));
            outside.witness.ends.insert(process.id, end);
            if end == End::Refused {
                outside.witness.note("sweeps of an older version refused");
            }
            outside.now_ms
        };
        self.look();
        let Some((number, tries)) = process.delivery else { return };
        // What cannot be opened is given back as an error, so that Lambda tries it again and keeps it in the end.
        let is_hopeless = self.deliveries[number].opened.is_err();
        if is_hopeless && tries >= RETRIED_AFTER_MS.len() && end == End::Done {
            return;
        }
        if end == End::Done && !is_hopeless {
            let witness = &mut self.outside.borrow_mut().witness;
            for line in &self.deliveries[number].lines {
                witness.known_ms.entry(*line).or_insert(now_ms);
            }
            if let Ok(record) = &self.deliveries[number].opened
                && let Some(newest) = record.newest().filter(|_| record.is_telling())
            {
                let stream = StreamKey::of(&record.log_group, &record.log_stream).0;
                let partition = format!("D#{stream:016x}");
                let sort = format!("{:013}#{:016x}", newest.as_ms(), record.key);
                self.promised.insert(ItemKey { partition, sort }, format!("delivery {number}"));
            }
            return;
        }
        let after_ms = RETRIED_AFTER_MS.get(tries).copied().unwrap_or_else(|| {
            self.outside.borrow_mut().witness.note("deliveries lost");
            REDRIVEN_AFTER_MS
        });
        self.at(now_ms + after_ms, Event::Deliver { number, tries: tries + 1 });
    }
}

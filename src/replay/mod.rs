//! The virtual clock: saved deliveries in, the same `app` as the function's, recording sinks out.
//!
//! **Invariant:** the machine's clock is never asked, so the same input gives the same output, to the byte.

mod open;
mod order;
pub mod tally;

pub use open::open;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::adapters::memory::{MemoryLedger, RecordedAlarms, RecordedMetrics};
use crate::adapters::settled;
use crate::app::{self, AppError, Said, Swept};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::line::LineHash;
use crate::domain::model::policy::Policy;
use crate::domain::sweep::{Horizon, Plan};
use crate::ports::LedgerStore;
use tally::Tally;

/// How long a replay goes on after its last delivery while something is open.
pub const SETTLE_MS: i64 = 30 * MINUTE_MS;

/// One saved payload.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it came from: `path`, or `path:line`.
    pub source: String,
    /// What it was found to be.
    pub opened: Opened,
}

/// What a saved payload was found to be.
#[derive(Clone, Debug)]
pub enum Opened {
    /// Log lines, read; and when CloudWatch took them in, where that was saved.
    Lines(Box<DeliveryRecord>, Option<Timestamp>),
    /// One of CloudWatch's own reachability checks.
    Control,
    /// Something that cannot be opened.
    Rejected(Rejected),
}

/// A payload that cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// One of the closed list of reasons.
    pub reason: &'static str,
    /// In the operator's words.
    pub detail: String,
}

/// How to replay.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The checked configuration.
    pub policy: Policy,
    /// How long to go on after the last delivery while something is open.
    pub settle_ms: i64,
    /// Deliver in the given order, instead of by newest line.
    pub keeps_order: bool,
    /// Visit every minute, instead of jumping where nothing can change. For tests: all but the gauges is the same.
    pub visits_every_minute: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome<S = MemoryLedger> {
    /// The last sweep.
    pub ends_at: Timestamp,
    /// The newest delivery; `None` where nothing told a time.
    pub last_delivery: Option<Timestamp>,
    /// What is known, and what went wrong.
    pub store: S,
    /// What was read.
    pub read: Tally,
    /// What was measured.
    pub metrics: RecordedMetrics,
    /// What was sent.
    pub alarms: RecordedAlarms,
    /// What was said.
    pub said: Said,
    /// What could not be opened.
    pub rejected: Vec<(String, Rejected)>,
    /// What the last sweep saw.
    pub last_plan: Plan,
}

/// Replays `inputs`. `progress` is told after each delivery how many are done.
#[must_use]
pub fn replay(inputs: Vec<Input>, settings: &Settings, progress: impl FnMut(usize)) -> Outcome {
    let mut store = MemoryLedger::default();
    store.ledger.unpublished.set_class_dimension(settings.policy.class_dimension);
    let Ok(outcome) = replay_over(store, inputs, settings, progress);
    outcome
}

/// Replays `inputs` over another store than the memory's.
///
/// # Errors
/// Where the store fails.
pub fn replay_over<S: LedgerStore>(
    store: S,
    inputs: Vec<Input>,
    settings: &Settings,
    progress: impl FnMut(usize),
) -> Result<Outcome<S>, S::Error> {
    let deliveries = order::schedule(accounts_apart(inputs), settings.keeps_order);
    let outcome = Outcome {
        store,
        ends_at: Timestamp::default(),
        last_delivery: None,
        read: Tally::default(),
        metrics: RecordedMetrics::default(),
        alarms: RecordedAlarms::default(),
        said: Said::new(),
        rejected: Vec::new(),
        last_plan: Plan::default(),
    };
    Clock { settings, outcome, progress }.run(deliveries)
}

/// Sets the lines of all accounts but one apart. Which one is the stack's own a replay is not told: it takes the one that
/// says most of jobs, so that a stray payload of another gives nobody another name.
fn accounts_apart(mut inputs: Vec<Input>) -> Vec<Input> {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for input in &inputs {
        if let Opened::Lines(record, _) = &input.opened
            && !record.owner.is_empty()
        {
            let count = told.entry(&record.owner).or_default();
            *count = count.saturating_add(record.observations.len());
        }
    }
    let most = told.iter().max_by_key(|(owner, count)| (**count, Reverse(**owner)));
    let home = most.map(|(owner, _)| (*owner).to_owned());
    for input in &mut inputs {
        if let Opened::Lines(record, _) = &mut input.opened {
            record.set_apart(home.as_deref());
        }
    }
    inputs
}

struct Clock<'a, P, S> {
    settings: &'a Settings,
    outcome: Outcome<S>,
    progress: P,
}

impl<P: FnMut(usize), S: LedgerStore> Clock<'_, P, S> {
    fn run(mut self, deliveries: Vec<order::Delivery>) -> Result<Outcome<S>, S::Error> {
        self.outcome.last_delivery = deliveries.iter().filter_map(|delivery| delivery.at).max();
        let first = deliveries.iter().find_map(|delivery| delivery.at);
        let mut waiting = deliveries.into_iter().peekable();
        let mut done: usize = 0;
        let Some(first) = first else {
            // Nothing tells a time: no clock can tick.
            for delivery in waiting {
                self.deliver(delivery, Timestamp::default())?;
            }
            return Ok(self.outcome);
        };
        let last = self.outcome.last_delivery.unwrap_or(first);
        let end = last.plus_ms(self.settings.settle_ms).minute_ceil();
        let mut now = first;
        let mut tick = first.minute_ceil();
        loop {
            while let Some(delivery) = waiting.next_if(|delivery| delivery.at.unwrap_or(now) <= tick) {
                now = now.max(delivery.at.unwrap_or(now));
                self.deliver(delivery, now)?;
                done = done.saturating_add(1);
                (self.progress)(done);
            }
            now = tick;
            self.sweep(tick)?;
            let next_delivery = waiting.peek().map(|delivery| delivery.at.unwrap_or(tick));
            if next_delivery.is_none() && (self.outcome.last_plan.is_quiet || tick >= end) {
                self.outcome.ends_at = tick;
                return Ok(self.outcome);
            }
            let target = match (next_delivery, self.outcome.last_plan.wake.earliest()) {
                (Some(delivery), Some(wake)) => delivery.min(wake),
                (Some(delivery), None) => delivery,
                (None, Some(wake)) => wake.min(end),
                (None, None) => end,
            };
            let next_minute = tick.plus_ms(MINUTE_MS);
            tick = if self.settings.visits_every_minute {
                next_minute
            } else {
                target.minute_ceil().max(next_minute)
            };
        }
    }

    fn deliver(&mut self, delivery: order::Delivery, now: Timestamp) -> Result<(), S::Error> {
        let Outcome { store, read, .. } = &mut self.outcome;
        match delivery.opened {
            Opened::Lines(mut record, _) => {
                record.arrived_at = now;
                read.take(&record);
                settled(app::ingest(store, &record))?;
            }
            // It says that the subscription works, which the next log line says as well.
            Opened::Control => read.payloads.control = read.payloads.control.saturating_add(1),
            Opened::Rejected(rejected) => {
                read.payloads.rejected = read.payloads.rejected.saturating_add(1);
                let key = LineHash::default().with(delivery.source.as_bytes()).finish();
                settled(store.reject(rejected.reason, key, now))?;
                self.outcome.rejected.push((delivery.source, rejected));
            }
        }
        Ok(())
    }

    fn sweep(&mut self, now: Timestamp) -> Result<(), S::Error> {
        let horizon = Horizon { now, last_delivery: self.outcome.last_delivery };
        let Outcome { store, metrics, alarms, said, last_plan, .. } = &mut self.outcome;
        match settled(app::sweep(store, metrics, alarms, &self.settings.policy, horizon)) {
            Ok(Swept::Done(done)) => {
                said.extend(done.said);
                *last_plan = done.plan;
            }
            Ok(Swept::Stood) => {}
            Err(AppError::Store(error)) => return Err(error),
            Err(AppError::Metrics(never) | AppError::Alarm(never)) => match never {},
            // Said of commands only, and nobody commands a replay.
            Err(AppError::Busy | AppError::NoSuchIncident) => {}
        }
        Ok(())
    }
}

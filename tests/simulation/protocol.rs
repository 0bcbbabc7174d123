//! The protocol under test, with the places where a variant of it may do otherwise.
//!
//! The production code knows nothing of this: a variant changes what its ledger is told by its table, and what its
//! table is told by its ledger. The true protocol changes nothing.

use std::cell::Cell;
use std::rc::Rc;

use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::intake::Merged;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::ledger::counting::JobIx;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::outbox::MessageId;
use queuewatch::durable::{DurableError, TableLedger};
use queuewatch::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};
use queuewatch::ports::{Commit, Committed, LedgerStore, View};

use crate::outside::{NoAnswer, Wire};

/// What the ledger is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Merging a delivery, for the first time or, where a variant does it in two parts, for the second.
    Merge(u8),
    Fold,
    Confirm,
    Commit,
    Sent,
    Finish,
}

/// What may be done otherwise. As it stands, nothing is.
pub(crate) trait Protocol: std::fmt::Debug {
    /// What a delivery is taken to say.
    fn record(&self, record: &DeliveryRecord) -> DeliveryRecord {
        record.clone()
    }

    /// In how many parts a delivery is merged.
    fn parts(&self) -> u8 {
        1
    }

    /// What is found where `item` lies.
    fn found(&self, _step: Step, item: Item) -> Option<Item> {
        Some(item)
    }

    /// Whether a partition shows what it holds.
    fn shows(&self, _step: Step, _partition: &str) -> bool {
        true
    }

    /// What is written instead of `item`; `None` for nothing, which is said to be done.
    fn put(&self, _step: Step, item: Item, expected: Expected) -> Option<(Item, Expected)> {
        Some((item, expected))
    }
}

/// As it is deployed.
#[derive(Debug)]
pub(crate) struct AsDeployed;

impl Protocol for AsDeployed {}

/// The next version, whose checkpoint this one must not touch.
#[derive(Debug)]
pub(crate) struct NextVersion;

const FORMAT: &str = r#"{"format":2,"#;
const NEXT_FORMAT: &str = r#"{"format":3,"#;

impl Protocol for NextVersion {
    fn found(&self, _step: Step, item: Item) -> Option<Item> {
        let body = match item.body.strip_prefix(NEXT_FORMAT) {
            Some(rest) if item.key.partition.starts_with("C#") => [FORMAT, rest].concat(),
            _ => item.body,
        };
        Some(Item { body, ..item })
    }

    fn put(&self, _step: Step, item: Item, expected: Expected) -> Option<(Item, Expected)> {
        if !item.key.partition.starts_with("C#") {
            return Some((item, expected));
        }
        let rest = item.body.strip_prefix(FORMAT).unwrap();
        let body = [NEXT_FORMAT, rest].concat();
        Some((Item { body, ..item }, expected))
    }
}

/// A table that is told and tells what the protocol wants.
#[derive(Debug)]
struct Bent<T> {
    table: T,
    step: Rc<Cell<Step>>,
    protocol: Rc<dyn Protocol>,
}

impl<T: Table> Table for Bent<T> {
    type Error = T::Error;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, T::Error> {
        let found = self.table.get(keys).await?;
        let step = self.step.get();
        Ok(found.into_iter().map(|item| self.protocol.found(step, item?)).collect())
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, T::Error> {
        match self.protocol.put(self.step.get(), item.clone(), expected) {
            Some((item, expected)) => self.table.put(&item, expected).await,
            None => Ok(Written::Done),
        }
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), T::Error> {
        self.table.unmark(key).await
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, T::Error> {
        self.table.due(partition, from, until, limit).await
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, T::Error> {
        if !self.protocol.shows(self.step.get(), partition) {
            return Ok(Vec::new());
        }
        self.table.range(partition, from, limit).await
    }
}

/// The ledger of one container.
#[derive(Debug)]
pub(crate) struct Store {
    ledger: TableLedger<Bent<Wire>>,
    step: Rc<Cell<Step>>,
    protocol: Rc<dyn Protocol>,
}

impl Store {
    pub(crate) fn new(wire: Wire, policy: &Policy, owner: String, protocol: Rc<dyn Protocol>) -> Self {
        let step = Rc::new(Cell::new(Step::Merge(0)));
        let bent = Bent { table: wire, step: Rc::clone(&step), protocol: Rc::clone(&protocol) };
        Self { ledger: TableLedger::new(bent, policy, owner), step, protocol }
    }
}

impl LedgerStore for Store {
    type Error = DurableError<NoAnswer>;

    async fn merge(&mut self, record: &DeliveryRecord) -> Result<Merged, Self::Error> {
        let record = self.protocol.record(record);
        let mut merged = Merged::New;
        for part in 0..self.protocol.parts() {
            self.step.set(Step::Merge(part));
            merged = self.ledger.merge(&record).await?;
            if merged == Merged::Duplicate {
                break;
            }
        }
        Ok(merged)
    }

    async fn reject(&mut self, reason: &'static str, key: u64, at: Timestamp) -> Result<(), Self::Error> {
        self.step.set(Step::Merge(0));
        self.ledger.reject(reason, key, at).await
    }

    async fn fold(&mut self, now: Timestamp) -> Result<Option<View<'_>>, Self::Error> {
        self.step.set(Step::Fold);
        self.ledger.fold(now).await
    }

    async fn confirm(&mut self, jobs: &[JobIx]) -> Result<Option<View<'_>>, Self::Error> {
        self.step.set(Step::Confirm);
        self.ledger.confirm(jobs).await
    }

    async fn commit(&mut self, commit: Commit) -> Result<Option<Committed>, Self::Error> {
        self.step.set(Step::Commit);
        self.ledger.commit(commit).await
    }

    async fn sent(&mut self, messages: &[MessageId]) -> Result<bool, Self::Error> {
        self.step.set(Step::Sent);
        self.ledger.sent(messages).await
    }

    async fn finish(&mut self, is_published: bool) -> Result<(), Self::Error> {
        self.step.set(Step::Finish);
        self.ledger.finish(is_published).await
    }
}

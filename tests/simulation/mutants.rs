//! Five variants of the protocol that look as good and are not, each the smallest departure from the true one.

use std::cell::Cell;

use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::job::LineKey;
use queuewatch::domain::line::LineHash;
use queuewatch::ports::table::{Expected, Item};
use serde_json::Value;

use crate::protocol::{Protocol, Step};

fn is_delivery(partition: &str) -> bool {
    partition.starts_with("D#")
}

fn is_checkpoint(item: &Item) -> bool {
    item.key.partition.starts_with("C#")
}

/// The delivery's own item is written before its jobs: whoever dies in between has claimed it and not done it.
///
/// The true merge runs twice: the first time only the claim is written, the second time all but the claim.
#[derive(Debug)]
pub(crate) struct ClaimFirst;

impl Protocol for ClaimFirst {
    fn parts(&self) -> u8 {
        2
    }

    fn found(&self, step: Step, item: Item) -> Option<Item> {
        let is_own_claim = step == Step::Merge(1) && is_delivery(&item.key.partition);
        (!is_own_claim).then_some(item)
    }

    fn put(&self, step: Step, item: Item, expected: Expected) -> Option<(Item, Expected)> {
        let is_kept = match step {
            Step::Merge(0) => is_delivery(&item.key.partition),
            Step::Merge(_) => !is_delivery(&item.key.partition),
            Step::Fold | Step::Confirm | Step::Commit | Step::Sent | Step::Finish => true,
        };
        is_kept.then_some((item, expected))
    }
}

/// A delivery is counted once, but its lines are not told from those of another: each is a line of its own.
#[derive(Debug)]
pub(crate) struct NoEventIds;

impl Protocol for NoEventIds {
    fn record(&self, record: &DeliveryRecord) -> DeliveryRecord {
        let of_batch = |line: LineKey| {
            LineKey(LineHash::default().with_key(LineKey(record.key)).with_key(line).finish())
        };
        let mut record = record.clone();
        for line in &mut record.lines {
            line.key = of_batch(line.key);
        }
        for observation in &mut record.observations {
            observation.line = of_batch(observation.line);
        }
        record
    }
}

/// Nobody asks the deliveries for lives told whole, which have no item of their own.
#[derive(Debug)]
pub(crate) struct NoLives;

impl Protocol for NoLives {
    fn shows(&self, step: Step, partition: &str) -> bool {
        !(step == Step::Confirm && is_delivery(partition))
    }
}

/// Two sweeps cannot both write the checkpoint, but nothing keeps the second from beginning.
#[derive(Debug)]
pub(crate) struct NoLease;

impl Protocol for NoLease {
    fn found(&self, step: Step, mut item: Item) -> Option<Item> {
        if step == Step::Fold && is_checkpoint(&item) {
            let mut body: Value = serde_json::from_str(&item.body).unwrap();
            body["lease_until"] = Value::Null;
            item.body = body.to_string();
        }
        Some(item)
    }
}

/// That messages were sent is written at the end of the sweep, with everything else, rather than at once.
#[derive(Debug, Default)]
pub(crate) struct LateClear {
    /// Writes of the checkpoint that this sweep was told are done, and that are not.
    owed: Cell<u64>,
}

impl Protocol for LateClear {
    fn put(&self, step: Step, mut item: Item, expected: Expected) -> Option<(Item, Expected)> {
        if !is_checkpoint(&item) {
            return Some((item, expected));
        }
        match (step, expected) {
            (Step::Sent, _) => {
                self.owed.set(1);
                None
            }
            (Step::Finish, Expected::Version(version)) => {
                let owed = self.owed.get();
                item.version -= owed;
                Some((item, Expected::Version(version - owed)))
            }
            _ => {
                self.owed.set(0);
                Some((item, expected))
            }
        }
    }
}

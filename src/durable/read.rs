//! What is kept, for whoever only looks: as a sweep would find it, and nothing is written.

use super::checkpoint::CheckpointItem;
use super::items;
use super::sweep::Sweep;
use super::{DurableError, TableLedger};
use crate::domain::incidents::Register;
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::ports::table::{ItemKey, Table};

/// What is kept of an app.
#[derive(Debug)]
pub struct Kept {
    /// What is known: everything that has come, and the jobs that wait or run.
    pub ledger: Ledger,
    /// What went wrong.
    pub register: Register,
    /// When the last sweep wrote down what it found; `None` before the first.
    pub swept_at: Option<Timestamp>,
    /// Messages that are written and not known to be sent.
    pub unsent_count: usize,
    /// Deliveries that have come since the last sweep.
    pub unfolded_count: usize,
}

/// The apps of which a table knows something, by all of its keys.
pub fn apps<'a>(keys: impl Iterator<Item = &'a ItemKey>) -> impl Iterator<Item = &'a str> {
    keys.filter_map(items::checkpoint_of)
}

impl<T: Table> TableLedger<T> {
    /// Reads what is kept. A sweep at work is not disturbed, and does not disturb.
    ///
    /// # Errors
    /// Where the table fails, or holds what this version cannot read.
    pub async fn read_only(&self, now: Timestamp) -> Result<Kept, DurableError<T::Error>> {
        let checkpoint = CheckpointItem::read(&self.table, &self.app).await?;
        let (swept_at, unsent_count) = (checkpoint.saved.swept_at, checkpoint.saved.outbox.len());
        let sweep = Sweep::read(&self.table, &self.app, checkpoint, self.owner.clone(), now).await?;
        let unfolded_count = sweep.folded.len();
        Ok(Kept { ledger: sweep.ledger, register: sweep.register, swept_at, unsent_count, unfolded_count })
    }
}

//! The ledger that outlives the process: items of a table, and the order in which they are written.
//!
//! - `ingest` merges what a delivery says into the items of its jobs, and puts the delivery's own item **last**.
//!   It counts nothing, so a repeat changes nothing.
//! - `sweep` folds deliveries into **one** checkpoint by one compare-and-set, which also holds the incidents and
//!   what is to be sent. Two sweeps cannot both win it, and a lease keeps the second from starting.
//!
//! Nothing here needs more of a store than a conditional put: no transaction, no counter.
//!
//! **Invariant:** whatever dies or fails between two writes, the retry of the delivery or the next sweep ends as if
//! nothing had; only a message or a counter may go out twice, where its acknowledgement was lost or the process died
//! before the very next write.

mod checkpoint;
mod commit;
mod freshness;
mod ingest;
mod items;
mod jobs;
mod read;
mod sharing;
mod sweep;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the tests' own")]
mod tests;

use thiserror::Error;

use crate::domain::intake::DeliveryRecord;
use crate::domain::intake::Merged;
use crate::domain::job::Timestamp;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::policy::Policy;
use crate::domain::outbox::MessageId;
use crate::ports::table::Table;
use crate::ports::{Commit, Committed, Disposed, Disposition, LedgerStore, View};
use checkpoint::FORMAT;
use freshness::Freshness;
pub use read::{Kept, apps};
use sharing::TableSharing;
use sweep::Sweep;

/// Writes in flight: enough to use a new table's 4,000 writes a second, few enough not to be throttled at once.
const WRITES_IN_FLIGHT: usize = 50;

/// What may go wrong between a ledger and its table.
#[derive(Debug, Error)]
pub enum DurableError<E: Disposed> {
    /// The table failed.
    #[error("the table failed")]
    Table(#[from] E),
    /// An item's body cannot be written or read.
    #[error("the body of item {key} cannot be read or written")]
    Body {
        /// Which item.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
    /// Others kept writing the same job.
    #[error("job {0} was written by others {tries} times in a row", tries = jobs::TRIES_MAX)]
    Contended(String),
    /// A newer version of queuewatch has been here.
    #[error(
        "the checkpoint has format {found}, this version knows {FORMAT}: deploy one version of both functions"
    )]
    Newer {
        /// The checkpoint's format.
        found: u32,
    },
}

impl<E: Disposed> Disposed for DurableError<E> {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Table(error) => error.disposition(),
            // None of these is the delivery's fault; kept until somebody has looked.
            Self::Body { .. } | Self::Contended(_) | Self::Newer { .. } => Disposition::Retry,
        }
    }
}

/// A ledger in a table.
#[derive(Debug)]
pub struct TableLedger<T> {
    table: T,
    app: String,
    /// The longest grace of any queue or class.
    grace_max_ms: i64,
    /// Whether counters are kept by class, too.
    has_class_dimension: bool,
    /// Tells this process from every other that holds the table.
    owner: String,
    sharing: TableSharing,
    attended_since: Option<Timestamp>,
    sweeps_count: u64,
    freshness: Freshness,
    sweep: Option<Sweep>,
}

impl<T: Table> TableLedger<T> {
    /// A ledger of `policy`'s app. `owner` must be another for each process, and may live as long as it.
    pub fn new(table: T, policy: &Policy, owner: String) -> Self {
        Self {
            table,
            app: policy.app.clone(),
            grace_max_ms: policy.grace_max_ms(),
            has_class_dimension: policy.class_dimension,
            owner,
            sharing: TableSharing::default(),
            attended_since: None,
            sweeps_count: 0,
            freshness: Freshness::default(),
            sweep: None,
        }
    }

    /// This ledger for a process that has the table for itself, and reads nothing twice but after a crash: no sweep
    /// waits for the lease of another, and what no line will ask for is forgotten within hours.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.sharing = TableSharing::Alone;
        self
    }
}

impl<T: Table> LedgerStore for TableLedger<T> {
    type Error = DurableError<T::Error>;

    async fn merge(&mut self, record: &DeliveryRecord) -> Result<Merged, Self::Error> {
        let mut merged = None;
        for piece in ingest::pieces(record) {
            let is_new = ingest::store(&self.table, &self.app, piece, self.sharing).await?;
            // A redelivery that finds a piece missing goes on where the first one broke off.
            let whole = if is_new { Merged::New } else { Merged::Duplicate };
            merged = Some(if merged == Some(Merged::New) { Merged::New } else { whole });
        }
        let merged = merged.unwrap_or(Merged::New);
        self.freshness.heard(record, merged);
        self.freshness
            .write(&self.table, &self.app, &self.owner, record.arrived_at, Freshness::SELDOM_MS)
            .await?;
        Ok(merged)
    }

    fn attend_since(&mut self, at: Timestamp) {
        self.attended_since = Some(at);
    }

    async fn reject(&mut self, reason: &'static str, key: u64, at: Timestamp) -> Result<(), Self::Error> {
        ingest::reject(&self.table, reason, key, at, self.sharing).await
    }

    async fn fold(&mut self, now: Timestamp) -> Result<Option<View<'_>>, Self::Error> {
        self.sweeps_count = self.sweeps_count.saturating_add(1);
        let owner = format!("{}/{}", self.owner, self.sweeps_count);
        // Where one process reads and sweeps, it need not wait to know what it has heard itself.
        self.freshness.write(&self.table, &self.app, &self.owner, now, 0).await?;
        self.sweep = Sweep::begin(&self.table, &self.app, self.has_class_dimension, owner, now).await?;
        if let Some(sweep) = &mut self.sweep {
            sweep.ledger.sources.attended_since = self.attended_since;
        }
        Ok(self.sweep.as_ref().map(Sweep::view))
    }

    async fn confirm(&mut self, jobs: &[JobIx]) -> Result<Option<View<'_>>, Self::Error> {
        let Some(sweep) = &mut self.sweep else { return Ok(None) };
        let has_changed = sweep.confirm(&self.table, &self.app, jobs).await?;
        Ok(has_changed.then(|| sweep.view()))
    }

    async fn commit(&mut self, commit: Commit) -> Result<Option<Committed>, Self::Error> {
        let Some(sweep) = &mut self.sweep else { return Ok(None) };
        sweep.commit(&self.table, self.grace_max_ms, self.sharing, commit).await
    }

    async fn sent(&mut self, messages: &[MessageId]) -> Result<bool, Self::Error> {
        let Some(sweep) = &mut self.sweep else { return Ok(false) };
        sweep.sent(&self.table, messages).await
    }

    async fn finish(&mut self, is_published: bool) -> Result<(), Self::Error> {
        let Some(sweep) = self.sweep.take() else { return Ok(()) };
        sweep.finish(&self.table, &self.app, self.sharing, is_published).await
    }
}

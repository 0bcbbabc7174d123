//! What the middle needs of the outside: a place for the ledger, a sink for metrics, a channel for alarms.

use std::future::Future;

use crate::domain::incident::{Book, Incident, Notification};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::merge::Merged;
use crate::domain::metric::Datum;

/// What to do with an input that met an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The outside is ill: try again.
    Retry,
    /// This input can never work.
    Drop,
}

/// An error of an adapter, which knows what it means for the input.
pub trait Disposed: std::error::Error + Send + Sync + 'static {
    /// What to do with the input.
    fn disposition(&self) -> Disposition;
}

/// What a sweep writes back.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Incidents that are new or changed, their notifications included.
    pub incidents: Vec<Incident>,
    /// Jobs found passed over, and since when.
    pub passed_over: Vec<(JobIx, Timestamp)>,
    /// Jobs given up as unknown.
    pub given_up: Vec<JobIx>,
}

/// Keeps what is known.
pub trait LedgerStore {
    /// What may go wrong.
    type Error: Disposed;

    /// Joins what a delivery says. A second time it changes nothing but the count of duplicates.
    fn merge(&mut self, record: &DeliveryRecord) -> impl Future<Output = Result<Merged, Self::Error>>;

    /// Counts a payload that could not be opened.
    fn reject(
        &mut self,
        reason: &'static str,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// Counts one of CloudWatch's own reachability checks.
    fn note_control(&mut self, at: Timestamp) -> impl Future<Output = Result<(), Self::Error>>;

    /// Folds what has been merged, and shows it to a sweep.
    fn fold(&mut self) -> impl Future<Output = Result<(&Ledger, &Book), Self::Error>>;

    /// Writes back what a sweep decided, and hands out the counters to publish.
    fn commit(&mut self, commit: Commit) -> impl Future<Output = Result<Vec<Datum>, Self::Error>>;
}

/// Takes metrics.
pub trait MetricSink {
    /// What may go wrong.
    type Error: Disposed;

    /// Publishes data of one app.
    fn put(&mut self, app: &str, data: Vec<Datum>) -> impl Future<Output = Result<(), Self::Error>>;
}

/// Tells people.
pub trait AlarmChannel {
    /// What may go wrong.
    type Error: Disposed;

    /// Sends one notification of an incident.
    fn send(
        &mut self,
        incident: &Incident,
        notification: &Notification,
    ) -> impl Future<Output = Result<(), Self::Error>>;
}

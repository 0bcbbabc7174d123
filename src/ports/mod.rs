//! What the middle needs of the outside: a place for the ledger, a sink for metrics, a channel for alarms.

pub mod table;

use std::future::Future;

use crate::domain::incidents::{Incident, Register};
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::metric::Datum;
use crate::domain::model::policy::Silence;
use crate::domain::outbox::{MessageId, OutgoingMessage};

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
    /// The sweep's moment.
    pub at: Timestamp,
    /// Incidents that are new or changed, their notifications included.
    pub incidents: Vec<Incident>,
    /// What is to be sent, in this order.
    pub messages: Vec<OutgoingMessage>,
    /// Jobs found passed over, and since when.
    pub passed_over: Vec<(JobIx, Timestamp)>,
    /// Jobs given up as unknown.
    pub given_up: Vec<JobIx>,
    /// Jobs found to have been consumed where no line shows it, for stores that forget what shows it.
    pub unseen: Vec<JobIx>,
    /// Silences that somebody asked for.
    pub silences: Vec<Silence>,
    /// When the greeting is sent, if it is among the messages.
    pub greeted_at: Option<Timestamp>,
}

/// What has been written down and is still to be done.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// Messages to send: the sweep's own, after those that an earlier one wrote down and may not have sent.
    pub messages: Vec<OutgoingMessage>,
    /// Counters to publish.
    pub counters: Vec<Datum>,
}

/// What there is to look at.
pub struct View<'a> {
    /// What is known.
    pub ledger: &'a Ledger,
    /// What went wrong.
    pub register: &'a Register,
}

/// Keeps what is known.
pub trait LedgerStore {
    /// What may go wrong.
    type Error: Disposed;

    /// Joins what a delivery says. A second time it changes nothing but the count of duplicates.
    fn merge(&mut self, record: &DeliveryRecord) -> impl Future<Output = Result<Merged, Self::Error>>;

    /// Tells that nobody listened for lines before `at`: what is silent now has been so since then at most. A store
    /// that is fed at all times need not know.
    fn attend_since(&mut self, _at: Timestamp) {}

    /// Counts a payload that could not be opened; `key` is the same for the same bytes.
    fn reject(
        &mut self,
        reason: &'static str,
        key: u64,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// Folds what has been merged, and shows it to a sweep. `None` where another sweep is at work.
    fn fold(&mut self, now: Timestamp) -> impl Future<Output = Result<Option<View<'_>>, Self::Error>>;

    /// Looks once more, and closely, at jobs that an incident is about to be opened or widened for. `None` where
    /// that changed nothing, else what there is to look at now.
    fn confirm(&mut self, jobs: &[JobIx]) -> impl Future<Output = Result<Option<View<'_>>, Self::Error>>;

    /// Writes down what a sweep decided. `None` where another sweep came first: then nothing may be done.
    fn commit(&mut self, commit: Commit) -> impl Future<Output = Result<Option<Committed>, Self::Error>>;

    /// Writes down which messages were sent, at once. `false` where another sweep came first.
    fn sent(&mut self, messages: &[MessageId]) -> impl Future<Output = Result<bool, Self::Error>>;

    /// Tidies up after a sweep, and lets the next one in. Counters that could not be published are kept for it.
    fn finish(&mut self, is_published: bool) -> impl Future<Output = Result<(), Self::Error>>;
}

/// Takes metrics.
pub trait MetricSink {
    /// What may go wrong.
    type Error: Disposed;

    /// Publishes data of one app at `now`. What the sink cannot take any more is left out and counted: data too
    /// old or too far ahead is no error.
    fn put(
        &mut self,
        app: &str,
        data: Vec<Datum>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Self::Error>>;
}

/// Tells people.
pub trait AlarmChannel {
    /// What may go wrong.
    type Error: Disposed;

    /// Sends one message to its topic.
    fn send(&mut self, message: &OutgoingMessage) -> impl Future<Output = Result<(), Self::Error>>;
}

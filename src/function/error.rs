//! Why an invocation failed, as Lambda, its on-failure destination and the log are told.

use lambda_runtime::Diagnostic;
use thiserror::Error;

use crate::app::AppError;
use crate::delivery::DeliveryError;
use crate::domain::envelope::Rejection;
use crate::ports::{Disposed, Disposition};

/// An event that can never work, whatever the outside does.
#[derive(Debug, Error)]
pub enum Unfit {
    /// It is nothing that is known.
    #[error("the event cannot be read")]
    Delivery(#[source] DeliveryError),
    /// Its payload cannot be opened.
    #[error("the payload cannot be opened")]
    Payload(#[source] Rejection),
    /// It is for another function.
    #[error("{what} came to the {role} function")]
    Misdirected {
        /// What came.
        what: &'static str,
        /// Where to.
        role: &'static str,
    },
}

/// Why an ingest failed.
#[derive(Debug, Error)]
pub enum IngestError<S: Disposed> {
    /// The event can never work.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The ledger could not be read or written.
    #[error("the ledger's store failed")]
    Store(#[source] S),
}

impl<S: Disposed> IngestError<S> {
    pub(super) fn disposition(&self) -> Disposition {
        match self {
            Self::Unfit(_) => Disposition::Drop,
            Self::Store(error) => error.disposition(),
        }
    }
}

/// Why an invocation failed.
#[derive(Debug, Error)]
pub enum FunctionError<S: Disposed, M: Disposed, A: Disposed> {
    /// The event can never work.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A step failed.
    #[error(transparent)]
    App(AppError<S, M, A>),
}

impl<S: Disposed, M: Disposed, A: Disposed> From<IngestError<S>> for FunctionError<S, M, A> {
    fn from(error: IngestError<S>) -> Self {
        match error {
            IngestError::Unfit(unfit) => Self::Unfit(unfit),
            IngestError::Store(error) => Self::App(AppError::Store(error)),
        }
    }
}

impl<S: Disposed, M: Disposed, A: Disposed> FunctionError<S, M, A> {
    /// What to do with the event. Lambda tries any failed event again and keeps it in the end; this is for whoever
    /// reads the record.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unfit(_) => Disposition::Drop,
            Self::App(error) => error.disposition(),
        }
    }
}

impl<S: Disposed, M: Disposed, A: Disposed> From<FunctionError<S, M, A>> for Diagnostic {
    fn from(error: FunctionError<S, M, A>) -> Self {
        Self { error_type: name(error.disposition()).to_owned(), error_message: chain(&error) }
    }
}

/// What Lambda calls the error.
pub(super) const fn name(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Retry => "Retry",
        Disposition::Drop => "Drop",
    }
}

/// A service may answer anything, and a log line has an end.
const CHAIN_CHARS_MAX: usize = 2_000;

/// An error and its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.chars().take(CHAIN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

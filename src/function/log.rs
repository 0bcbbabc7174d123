//! The function's own log: JSON, one object a line, few lines.
//!
//! **Invariant:** no payload and no log line of anybody is ever printed.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::error::{chain, name};
use super::{Answer, FunctionError};
use crate::message::Announced;
use crate::ports::Disposed;

/// Sends what is traced to standard output, where Lambda takes it from. A second call changes nothing.
pub fn start() {
    // Lambda reads `level` and `timestamp` of each object. Others are heard when something is wrong with them;
    // the runtime prints every error that it hands on, which is done here already, with its causes.
    let heard = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("queuewatch", LevelFilter::INFO)
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let _ = tracing_subscriber::registry().with(lines).with(heard).try_init();
}

/// Prints why the function cannot start.
pub fn refused(error: &dyn std::error::Error) {
    tracing::error!(error_type = "Configuration", error = chain(error), "the function cannot start");
}

/// Prints why an invocation failed, once, with its whole chain.
pub fn outcome<S: Disposed, M: Disposed, A: Disposed>(
    result: &Result<Answer, FunctionError<S, M, A>>,
    request_id: &str,
) {
    if let Err(error) = result {
        let (error_type, error) = (name(error.disposition()), chain(error));
        tracing::error!(error_type, error, request_id, "the invocation failed");
    }
}

/// Prints that whoever waits for a sweep was not called: no failure of the sweep, which is done.
pub fn heartbeat(error: &dyn std::error::Error) {
    tracing::warn!(error = chain(error), "the heartbeat was not heard; the next sweep calls again");
}

/// Prints what was announced, and what is open: a line each, whose fields are [`crate::message::INCIDENT_FIELDS`].
pub(super) fn incidents(rows: &[Announced]) {
    for row in rows {
        let Announced { incident, kind, severity, state, queue, cause, jobs, opened_at, seen_by, subject } =
            row;
        let (queue, seen_by) = (queue.as_deref(), seen_by.as_deref());
        tracing::info!(
            incident,
            kind,
            severity,
            state,
            queue,
            cause,
            jobs,
            opened_at,
            seen_by,
            subject,
            "an incident"
        );
    }
}

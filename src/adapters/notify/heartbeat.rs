//! The call to an address that waits for it: a dead man's switch outside of this machine (Healthchecks.io, Cronitor).
//!
//! It is made on a thread of its own, so that an address that hangs holds up no look at the queues, and a call that is
//! lost is made up for by the next one: only the first failure in a row is told, and that it works again.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::Error;

use super::client::client;
use super::error::NotifyError;
use crate::domain::job::{SECOND_MS, Timestamp};

/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(5);
/// Calls are at least this far apart: Healthchecks.io takes five a minute, and a watch may look each second.
const EVERY_MS: i64 = 30 * SECOND_MS;

/// An address that is called again and again.
#[derive(Debug)]
pub struct Heartbeat {
    calls: SyncSender<()>,
    outcomes: Receiver<Result<(), NotifyError>>,
    called_at: Option<Timestamp>,
    is_failing: bool,
}

impl Heartbeat {
    /// A heartbeat to an address, which may be a secret and is never repeated.
    #[must_use]
    pub fn new(url: String) -> Self {
        // One call waits at most: a second one would say the same.
        let (calls, to_make) = sync_channel::<()>(1);
        let (tell, outcomes) = sync_channel(1);
        thread::spawn(move || {
            for () in to_make {
                // Who does not ask what became of a call misses the older of two answers.
                let _ = tell.try_send(call(&url, CALL_MAX));
            }
        });
        Self { calls, outcomes, called_at: None, is_failing: false }
    }

    /// Calls, unless it has just been done.
    pub fn beat(&mut self, now: Timestamp) {
        let is_due = self.called_at.is_none_or(|at| now.since_ms(at).saturating_abs() >= EVERY_MS);
        if is_due && self.calls.try_send(()).is_ok() {
            self.called_at = Some(now);
        }
    }

    /// What there is to tell: that a call failed after one that worked, or worked after one that failed.
    pub fn take_news(&mut self) -> Option<Result<(), NotifyError>> {
        let outcome = self.outcomes.try_iter().last()?;
        let was_failing = std::mem::replace(&mut self.is_failing, outcome.is_err());
        (was_failing != outcome.is_err()).then_some(outcome)
    }
}

pub(super) fn call(url: &str, limit: Duration) -> Result<(), NotifyError> {
    let called = client(url, limit)?.get(url).call().and_then(|answer| match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(Error::StatusCode(status.as_u16())),
    });
    called.map_err(|error| NotifyError::Heartbeat(Box::new(error)))
}

//! What an operator asks of the sweep by hand.

use super::model::policy::Silence;

/// An operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `{"close": "stalled-redis-default-20251206T1237Z", "reason": "…"}`: the incident is over, and its jobs are
    /// given up, so that nobody is told of them again.
    Close {
        /// The incident's id.
        id: String,
        /// Why; may be empty.
        reason: String,
    },
    /// `{"silence": {"queue": "reports", "until": "2026-12-01T00:00:00Z", "reason": "…"}}`: pages of the queue wait
    /// until then.
    Silence(Silence),
}

//! What an operator asks of the sweep by hand.

use crate::domain::job::Timestamp;

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
    /// `{"seen": "stalled-redis-default-20251206T1237Z", "by": "anna"}`: somebody is at it. It stays open and nobody is
    /// reminded of it; everybody is told who.
    Seen {
        /// The incident's id, or the beginning of one that is open alone.
        id: String,
        /// Who; may be empty.
        by: String,
    },
    /// `{"silence": {"incident": "stalled-redis-default-20251206T1237Z", "until": …, "reason": …}}`: a silence of the
    /// incident's queue, for whoever has only its id.
    Hush {
        /// The incident's id, as for [`Command::Seen`].
        id: String,
        /// When it ends.
        until: Timestamp,
        /// Why; may be empty.
        reason: String,
    },
    /// `{"silence": {"queue": "reports", "until": "2026-12-01T00:00:00Z", "reason": "…"}}`: pages of the queue wait
    /// until then.
    Silence(Silence),
}

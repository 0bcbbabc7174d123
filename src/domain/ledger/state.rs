//! What a job is doing.

use serde::{Deserialize, Serialize};

/// What a job is doing, as far as its own lines tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Enqueued and not started.
    Pending,
    /// Back on its queue after an attempt, not started again.
    Released,
    /// Started and not ended.
    Running,
    /// Ended well.
    Processed,
    /// Ended badly; after a text `FAIL` until it starts again.
    Failed,
    /// Nobody can tell any more.
    Unknown,
}

impl State {
    /// Whether the job waits for a worker.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Released)
    }

    /// Whether the job waits or runs.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Released | Self::Running)
    }

    /// The state's name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Released => "released",
            Self::Running => "running",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

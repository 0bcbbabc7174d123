//! A start that no line told of, and that the end of its attempt proves.

use serde::{Deserialize, Serialize};

use super::job_facts::{Mark, StreamKey};
use crate::domain::job::{Runtime, SECOND_MS, Timestamp};

/// A start proved by an end that carries its runtime.
///
/// Ordered by the earliest moment it can have been: end − runtime − what rounding and two stamps may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImpliedStart {
    /// The earliest moment the start can have been, which every comparison uses.
    pub earliest: Mark,
    /// End − runtime, which is shown.
    pub at: Timestamp,
    /// The stream of the end's line.
    pub stream: StreamKey,
}

impl ImpliedStart {
    /// The runtime that the line of an end at `end` carried.
    #[must_use]
    pub fn runtime(&self, end: Timestamp) -> Runtime {
        let is_whole_seconds = self.at.since_ms(self.earliest.at) > STAMP_TOLERANCE_MS;
        Runtime { ms: end.since_ms(self.at), is_whole_seconds }
    }
}

/// Two stamps of one moment differ by this much at most: the line is written after the moment it tells of.
pub const STAMP_TOLERANCE_MS: i64 = 250;

/// How much earlier than `end − runtime` a start can have been.
#[must_use]
pub const fn runtime_tolerance_ms(runtime: Runtime) -> i64 {
    if runtime.is_whole_seconds { STAMP_TOLERANCE_MS + SECOND_MS } else { STAMP_TOLERANCE_MS }
}

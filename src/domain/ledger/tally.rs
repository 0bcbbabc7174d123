//! What has been counted since the beginning: payloads, lines, lifecycle lines by what they print.

use serde::{Deserialize, Serialize};

use crate::domain::job::{Observation, Stage};

/// Payloads by what became of them. `read = data + control + duplicate + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadTally {
    /// Opened, and new.
    pub data: u64,
    /// CloudWatch's own reachability checks.
    pub control: u64,
    /// Delivered once more.
    pub duplicate: u64,
    /// Not opened.
    pub rejected: u64,
}

/// Log lines. `read` includes the others; `classified` holds neither duplicates nor late lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTally {
    /// All that were handed out.
    pub read: u64,
    /// New ones that a rule or preset recognised.
    pub classified: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Too far from their payload's time to be believed.
    pub late: u64,
}

/// Distinct lifecycle lines by what they print, whatever became of the jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTally {
    /// Enqueue lines.
    pub enqueued: u64,
    /// Start lines.
    pub processing: u64,
    /// `Processed`, `DONE`, `success` not marked released.
    pub processed: u64,
    /// `Failed`, `FAIL`, `failed`.
    pub failed: u64,
    /// JSON `result: released`.
    pub released: u64,
    /// Enqueues that the store refused.
    pub enqueue_errors: u64,
}

impl StageTally {
    /// Counts one line.
    pub fn add(&mut self, observation: &Observation) {
        let count = match observation.stage {
            Stage::Enqueued => &mut self.enqueued,
            Stage::Processing => &mut self.processing,
            Stage::Processed => &mut self.processed,
            Stage::Failed => &mut self.failed,
            Stage::Released => &mut self.released,
            Stage::EnqueueError => &mut self.enqueue_errors,
            Stage::WorkerStarted
            | Stage::WorkerStopped
            | Stage::WorkerAlive
            | Stage::WorkerError
            | Stage::RedisError
            | Stage::Paused
            | Stage::Resumed
            | Stage::LogFileHint
            | Stage::DeployMark => return,
        };
        *count = count.saturating_add(1);
    }
}

/// Everything counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Payloads.
    pub payloads: PayloadTally,
    /// Lines.
    pub lines: LineTally,
    /// Lifecycle lines.
    pub counts: StageTally,
}

//! What has been counted since the beginning: lines, and lifecycle lines by what they print.

use serde::{Deserialize, Serialize};

use crate::domain::job::{Observation, Stage};

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
#[serde(default)]
pub struct Tally {
    /// Payloads that could not be opened.
    pub payloads_rejected: u64,
    /// Lines read.
    pub lines_read: u64,
    /// New lines that a rule or preset recognised.
    pub lines_classified: u64,
    /// Lifecycle lines.
    pub counts: StageTally,
}

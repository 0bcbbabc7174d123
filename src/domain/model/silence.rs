//! A silence: whose pages wait, until when, and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::glob;
use crate::domain::job::{QueueName, Timestamp};

/// A queue whose pages wait, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// A glob of queues.
    pub queue: String,
    /// When it ends.
    pub until: Timestamp,
    /// What the operator said; may be empty.
    pub reason: String,
}

impl Silence {
    /// Whether it concerns something that may be on any of these queues; what is on none is concerned by `*` alone.
    #[must_use]
    pub fn concerns(&self, queues: &BTreeSet<QueueName>) -> bool {
        concerns(&self.queue, queues)
    }
}

/// Whether a glob of queues concerns something that may be on any of these.
pub(super) fn concerns(pattern: &str, queues: &BTreeSet<QueueName>) -> bool {
    pattern == "*" || queues.iter().any(|queue| glob::matches(pattern, queue.as_str()))
}

//! Whose job it is: where its enqueue line comes from, and the app or the account that its names are within.

use std::sync::Arc;

use super::job_facts::JobFacts;
use crate::domain::job::{JobClass, JobId, QueueName};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::mark_queue;

impl JobFacts {
    /// Where its enqueue line comes from.
    #[must_use]
    pub const fn origin(&self) -> Option<&Arc<str>> {
        self.origin.as_ref()
    }

    /// Its queue as the ledger names it: with its origin.
    #[must_use]
    pub fn marked_queue(&self) -> QueueRef {
        let queue = self.queue().map(|queue| mark_queue(queue, self.origin.as_deref()));
        QueueRef { connection: self.connection().cloned(), queue }
    }

    /// Whose job it is, where it is not the stack's own app's.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        let queue = self.queue().and_then(QueueName::scope);
        queue.or_else(|| self.class().and_then(JobClass::scope)).or_else(|| self.id().and_then(JobId::scope))
    }
}

//! Metrics as Prometheus and OpenTelemetry name them: in words of lower case, in seconds, with labels.
//!
//! What CloudWatch tells apart by dimensions has names of its own here: `queuewatch_pending{app}` is the app's, and
//! `queuewatch_queue_pending{app,queue}` the queue's. Under one name a sum over all labels would count each job twice.

use super::{Dimensions, Metric};

/// What a metric is of: part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The app, or the function itself.
    App,
    /// One queue.
    Queue,
    /// One class on one queue.
    Class,
}

impl Level {
    /// The level of a datum of these dimensions.
    #[must_use]
    pub const fn of(dimensions: &Dimensions) -> Self {
        match dimensions {
            Dimensions::None | Dimensions::App | Dimensions::Reason(_) => Self::App,
            Dimensions::Queue(_) => Self::Queue,
            Dimensions::Class(..) => Self::Class,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::App => "queuewatch_",
            Self::Queue => "queuewatch_queue_",
            Self::Class => "queuewatch_class_",
        }
    }
}

/// A metric's name at a level.
#[must_use]
pub fn name(metric: Metric, level: Level) -> String {
    format!("{}{}", level.prefix(), stem(metric))
}

/// Names and values of the labels, for the app `app`.
pub fn labels(dimensions: &Dimensions, app: &str) -> impl Iterator<Item = (&'static str, String)> {
    dimensions.pairs(app).into_iter().map(|(name, value)| {
        let name = match name {
            "App" => "app",
            "Queue" => "queue",
            "Reason" => "reason",
            _ => "class",
        };
        (name, value)
    })
}

/// A metric's name, without what its level adds.
const fn stem(metric: Metric) -> &'static str {
    match metric {
        Metric::Enqueued => "enqueued",
        Metric::Processing => "processing",
        Metric::Processed => "processed",
        Metric::Failed => "failed",
        Metric::Released => "released",
        Metric::EnqueueErrors => "enqueue_errors",
        Metric::QueueWait => "wait_seconds",
        Metric::JobDuration => "job_duration_seconds",
        Metric::Pending => "pending",
        Metric::OldestPendingAge => "oldest_pending_age_seconds",
        Metric::Overdue => "overdue",
        Metric::Running => "running",
        Metric::StalledQueues => "stalled_queues",
        Metric::WorkersAlive => "workers_alive",
        Metric::SweepHeartbeat => "last_sweep_timestamp_seconds",
        Metric::LinesRead => "lines_read",
        Metric::LinesClassified => "lines_classified",
        Metric::PayloadsRejected => "payloads_rejected",
        Metric::DuplicateDeliveries => "duplicate_deliveries",
        Metric::LateLines => "late_lines",
        Metric::DeliveryLag => "delivery_lag_seconds",
    }
}

/// What a metric counts, in one sentence.
#[must_use]
pub const fn help(metric: Metric) -> &'static str {
    match metric {
        Metric::Enqueued => "Jobs put on a queue.",
        Metric::Processing => "Attempts started.",
        Metric::Processed => "Lines that say a job is done.",
        Metric::Failed => "Lines that say an attempt failed.",
        Metric::Released => "Jobs put back on their queue.",
        Metric::EnqueueErrors => "Jobs that could not be put on a queue.",
        Metric::QueueWait => "From ready to first start.",
        Metric::JobDuration => "How long attempts ran.",
        Metric::Pending => "Jobs enqueued or released and not started.",
        Metric::OldestPendingAge => "How long the oldest ready job has waited.",
        Metric::Overdue => "Jobs ready longer ago than their grace and not started.",
        Metric::Running => "Attempts started and not ended.",
        Metric::StalledQueues => "Queues with an open stall.",
        Metric::WorkersAlive => "Workers whose heartbeat is fresh.",
        Metric::SweepHeartbeat => "When queuewatch last looked at everything.",
        Metric::LinesRead => "Log lines read.",
        Metric::LinesClassified => "Log lines that a rule or preset recognised.",
        Metric::PayloadsRejected => "Payloads that could not be opened.",
        Metric::DuplicateDeliveries => "Payloads delivered once more.",
        Metric::LateLines => "Lines too far from their payload's time to be believed.",
        Metric::DeliveryLag => "From a payload's newest line to its arrival.",
    }
}

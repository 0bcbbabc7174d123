//! Every metric: its name, its unit, its dimensions. A job id is never a dimension.

pub mod legal;
pub mod packing;
pub mod series;
mod unpublished;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use unpublished::{Counts, QUEUES_MAX, Unpublished};

use crate::domain::job::{JobClass, QueueName, Timestamp};

/// The CloudWatch namespace.
pub const NAMESPACE: &str = "QueueWatch";

/// A metric of the namespace [`NAMESPACE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Jobs put on a queue.
    Enqueued,
    /// Attempts started.
    Processing,
    /// `Processed`, `DONE` and `success` lines.
    Processed,
    /// `Failed`, `FAIL` and `failed` lines.
    Failed,
    /// Jobs put back on their queue.
    Released,
    /// Jobs that could not be put on a queue.
    EnqueueErrors,
    /// From ready to first start.
    QueueWait,
    /// How long an attempt ran.
    JobDuration,
    /// Jobs enqueued or released and not started.
    Pending,
    /// How long the oldest ready job has waited.
    OldestPendingAge,
    /// Jobs ready longer ago than their grace and not started.
    Overdue,
    /// Attempts started and not ended.
    Running,
    /// Queues with an open `stalled` incident.
    StalledQueues,
    /// Workers whose heartbeat is fresh.
    WorkersAlive,
    /// One for each sweep.
    SweepHeartbeat,
    /// Log lines read.
    LinesRead,
    /// Log lines that a rule or preset recognised.
    LinesClassified,
    /// Payloads that could not be opened.
    PayloadsRejected,
    /// Payloads delivered once more.
    DuplicateDeliveries,
    /// Lines too far from their payload's time to be believed.
    LateLines,
    /// From a payload's newest line to its arrival.
    DeliveryLag,
}

/// How values of a metric add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds up within a minute.
    Counter,
    /// Each value stands for itself.
    Distribution,
    /// The value at a moment.
    Gauge,
}

impl Metric {
    /// The metric's name in CloudWatch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enqueued => "Enqueued",
            Self::Processing => "Processing",
            Self::Processed => "Processed",
            Self::Failed => "Failed",
            Self::Released => "Released",
            Self::EnqueueErrors => "EnqueueErrors",
            Self::QueueWait => "QueueWait",
            Self::JobDuration => "JobDuration",
            Self::Pending => "Pending",
            Self::OldestPendingAge => "OldestPendingAge",
            Self::Overdue => "Overdue",
            Self::Running => "Running",
            Self::StalledQueues => "StalledQueues",
            Self::WorkersAlive => "WorkersAlive",
            Self::SweepHeartbeat => "SweepHeartbeat",
            Self::LinesRead => "LinesRead",
            Self::LinesClassified => "LinesClassified",
            Self::PayloadsRejected => "PayloadsRejected",
            Self::DuplicateDeliveries => "DuplicateDeliveries",
            Self::LateLines => "LateLines",
            Self::DeliveryLag => "DeliveryLag",
        }
    }

    /// The metric's [`StandardUnit`](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
    #[must_use]
    pub const fn unit(self) -> &'static str {
        if matches!(self, Self::OldestPendingAge) {
            "Seconds"
        } else if matches!(self.kind(), Kind::Distribution) {
            "Milliseconds"
        } else {
            "Count"
        }
    }

    /// How the metric's values add up.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::QueueWait | Self::JobDuration | Self::DeliveryLag => Kind::Distribution,
            Self::Pending
            | Self::OldestPendingAge
            | Self::Overdue
            | Self::Running
            | Self::StalledQueues
            | Self::WorkersAlive
            | Self::SweepHeartbeat => Kind::Gauge,
            Self::Enqueued
            | Self::Processing
            | Self::Processed
            | Self::Failed
            | Self::Released
            | Self::EnqueueErrors
            | Self::LinesRead
            | Self::LinesClassified
            | Self::PayloadsRejected
            | Self::DuplicateDeliveries
            | Self::LateLines => Kind::Counter,
        }
    }
}

/// The dimensions of a datum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dimensions {
    /// None: the heartbeat.
    None,
    /// `{App}`.
    App,
    /// `{App, Queue}`.
    Queue(QueueName),
    /// `{App, Reason}`.
    Reason(Arc<str>),
    /// `{App, Queue, JobClass}`, where asked for.
    Class(QueueName, JobClass),
}

impl Dimensions {
    /// Name and value pairs, for the app `app`, or for the one that the names are within.
    #[must_use]
    pub fn pairs(&self, app: &str) -> Vec<(&'static str, String)> {
        let scope = match self {
            Self::Queue(queue) | Self::Class(queue, _) => queue.scope(),
            Self::None | Self::App | Self::Reason(_) => None,
        };
        let app = ("App", scope.unwrap_or(app).to_owned());
        match self {
            Self::None => Vec::new(),
            Self::App => vec![app],
            Self::Queue(queue) => vec![app, ("Queue", queue.to_string())],
            Self::Reason(reason) => vec![app, ("Reason", reason.to_string())],
            Self::Class(queue, class) => {
                vec![app, ("Queue", queue.to_string()), ("JobClass", class.to_string())]
            }
        }
    }
}

/// Values of one metric in one minute: each value and how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// Which metric.
    pub metric: Metric,
    /// Its dimensions.
    pub dimensions: Dimensions,
    /// The minute.
    pub at: Timestamp,
    /// Each value and its count.
    pub values: BTreeMap<i64, u64>,
}

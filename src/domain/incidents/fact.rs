//! What lines show: facts as data, so that each language has its own words for them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cause::SubCause;
use crate::domain::job::{ConnectionName, JobClass, QueueName, Timestamp};
use crate::domain::ledger::coverage::Missing;
use crate::domain::systems::Near;

/// Something known, and when it was so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What.
    pub what: Finding,
    /// Its moment, shown behind the words in the reader's zone. For what is asked for by its time (the last start),
    /// `None` says that there was none.
    pub at: Option<Timestamp>,
}

impl Fact {
    /// A fact without a moment.
    #[must_use]
    pub const fn timeless(what: Finding) -> Self {
        Self { what, at: None }
    }

    /// A fact with a moment.
    #[must_use]
    pub const fn at(what: Finding, at: Timestamp) -> Self {
        Self { what, at: Some(at) }
    }

    /// A fact that is a moment, or that there was none.
    #[must_use]
    pub const fn when(what: Finding, at: Option<Timestamp>) -> Self {
        Self { what, at }
    }
}

/// Who met an error of the queue's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The app, which puts jobs on the queue.
    App,
    /// A worker, which fetches.
    Worker,
    /// The line's trace does not show it.
    Unknown,
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Jobs of the queue that wait, and those of them beyond their grace.
    JobsWait {
        /// All that are ready.
        waiting: u64,
        /// Those this is about.
        overdue: u64,
    },
    /// The newest enqueue there.
    LastEnqueue,
    /// The newest enqueue on any queue.
    LastEnqueueAnywhere,
    /// The newest start there.
    LastStart,
    /// No job line of a worker, on any queue, ever.
    NoJobLineEver,
    /// The newest job line of a worker, on any queue.
    LastJobLine,
    /// The newest line that says a worker was started.
    LastBoot,
    /// The newest line of any kind.
    LastLine,
    /// Jobs are matched by counting.
    Counted,
    /// Starts that may have been retries.
    DoubtfulStarts(u64),
    /// A line names a file that worker output goes to.
    LogFile {
        /// The file.
        file: Arc<str>,
        /// The streams that say so.
        streams: Vec<Arc<str>>,
    },
    /// Errors of the queue's store.
    StoreErrors {
        /// Who met them.
        who: Who,
        /// How many.
        count: u64,
        /// The newest one's first line.
        text: Option<Arc<str>>,
    },
    /// A worker failed before it took a job.
    WorkerErrors {
        /// How often.
        count: u64,
        /// The newest one's first line.
        text: Option<Arc<str>>,
    },
    /// The queue was paused.
    Paused,
    /// The app went into maintenance.
    Maintenance,
    /// Jobs start on another queue.
    StartsElsewhere {
        /// `redis:default`.
        place: String,
    },
    /// Jobs of the same class start on one of these queues.
    StartsOnOneOf {
        /// `default, emails`.
        place: String,
    },
    /// A live worker names what it fetches from, and this queue is not among it.
    WorkerServes {
        /// Its connection.
        connection: Option<ConnectionName>,
        /// Its queues.
        queues: Vec<QueueName>,
    },
    /// Live workers name this queue.
    WorkersAlive(u64),
    /// How many live workers name this queue, where more are configured to be expected.
    WorkersExpected {
        /// Those that sent a heartbeat within five minutes.
        alive: u64,
        /// Those that there should be.
        expected: u64,
    },
    /// The newest heartbeat of a worker of this queue.
    LastHeartbeat,
    /// Log streams of workers that fell silent while others speak, and the last line of one.
    WorkersSilent {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// What a worker's end was told with.
    WorkerStopped(Arc<str>),
    /// A job that goes back to its queue by its own will, and when it first started.
    PutBack {
        /// Of which class.
        class: Option<JobClass>,
        /// How often.
        count: u32,
    },
    /// The last words of a stream in which workers spoke, in no known form.
    LastWords(Arc<str>),
    /// Workers that ended badly within ten minutes.
    BadExits(u64),
    /// Workers that were killed within ten minutes.
    Killed(u64),
    /// Boots of one stream within ten minutes.
    Boots {
        /// How many.
        count: u64,
        /// Where.
        stream: Arc<str>,
    },
    /// Jobs that lost their worker twice or more often.
    LostJobs(u64),
    /// Attempts that started and did not end, and no success since.
    OpenStarts(u64),
    /// A job whose worker was lost starts again after this long.
    RetriedEvery {
        /// From start to start.
        every_ms: i64,
        /// How long an attempt may run, where it is known.
        timeout_ms: Option<i64>,
    },
    /// An attempt that goes on.
    StillRunning {
        /// Of which class.
        class: Option<JobClass>,
    },
    /// How the last attempts of a class ended.
    BadEnds {
        /// The class.
        class: JobClass,
        /// Badly.
        bad: u64,
        /// Of how many.
        of: u64,
    },
    /// A class fails more often than it used to.
    FailsMore {
        /// The class.
        class: JobClass,
        /// How many of a hundred attempts fail now.
        percent: u64,
        /// How many did before.
        before: u64,
    },
    /// The longest of the bad attempts took this long.
    BadRuntime(i64),
    /// An exception's first line.
    Exception(Arc<str>),
    /// What is behind the cause.
    Because(SubCause),
    /// What happened on the queue within the last minutes.
    Pace {
        /// Attempts started.
        started: u64,
        /// Jobs that came.
        enqueued: u64,
        /// In how many minutes.
        minutes: u64,
    },
    /// A deploy.
    Deployed,
    /// A worker's start.
    Booted {
        /// Where.
        stream: Arc<str>,
    },
    /// The newest delivery came late.
    DeliveryLate {
        /// By how many minutes.
        minutes: u64,
    },
    /// More came than a sweep can take in.
    DeliveriesBehind,
    /// Payloads that could not be opened.
    PayloadsRejected(u64),
    /// The last line of a log group that has fallen silent.
    SourceSilent {
        /// The group; empty where saved events name none.
        group: Arc<str>,
    },
    /// Jobs that were found to have started while lines of workers were missing.
    ConsumedUnseen(u64),
    /// Attempts that ended, and of which no start was read.
    LinesMissing(Missing),
    /// Worker lines came, and no enqueue line.
    OnlyWorkerLines(u64),
    /// The newest line that was recognised, from any source.
    LastRecognised,
    /// Lines that nearly were a worker's or a logger's.
    NearlyRead {
        /// Why they are not.
        near: Near,
        /// How many.
        count: u64,
    },
    /// What lines that are not recognised look like: no word of them is in it.
    UnreadShape {
        /// `[9-9-9 9:9:9] a.INFO: a`.
        shape: Arc<str>,
        /// How many.
        count: u64,
    },
}

/// Where a queue is heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// More comes than is started.
    Growing {
        /// Jobs more in an hour.
        per_hour: u64,
    },
    /// More is started than comes.
    Draining {
        /// Until nothing waits, if it goes on like this.
        done_in_ms: i64,
    },
}

/// What logs cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Whether a worker runs at all.
    WorkerRuns,
    /// Whether a silent worker is dead, or its lines go elsewhere.
    DeadOrUnheard,
    /// What the file says that worker output goes to.
    FileContent,
    /// Whether jobs that were passed over are gone, or were processed unseen.
    GoneOrUnseen,
    /// Whether the store still holds the jobs.
    StoreHolds,
    /// Why a worker died.
    WhyItDied,
    /// Who met an error of the store.
    WhoMetIt,
    /// Which queues workers fetch from.
    WorkersQueues,
    /// Which database and prefix workers fetch with.
    WorkersStore,
    /// Which of the class's queues is stuck.
    WhichQueue,
    /// Which of the jobs wait.
    WhichJobs,
    /// Whether jobs wait by intent.
    Delays,
    /// Whether jobs ran twice at once.
    RanTwice,
    /// Whether an attempt still runs or hangs.
    RunsOrHangs,
    /// Why a log group is silent.
    WhySilent,
    /// Whether a failed attempt is tried again.
    FailOrRetry,
}

impl Unknown {
    /// Whether its answer is in CloudWatch Logs, and nowhere else.
    #[must_use]
    pub const fn is_told_by_cloudwatch(self) -> bool {
        matches!(self, Self::WhoMetIt | Self::WhySilent)
    }

    /// The command that would tell, without its wrapping.
    #[must_use]
    pub const fn asked_by(self) -> &'static str {
        match self {
            Self::WorkerRuns | Self::DeadOrUnheard | Self::RunsOrHangs | Self::WorkersQueues => {
                "ps aux | grep queue:work"
            }
            Self::FileContent => "tail",
            Self::GoneOrUnseen | Self::FailOrRetry => "php artisan queue:failed",
            Self::StoreHolds | Self::WhichQueue | Self::Delays | Self::WhichJobs => {
                "php artisan queue:monitor"
            }
            Self::WhyItDied => "aws ecs describe-tasks",
            Self::WhoMetIt => "aws logs start-query",
            Self::WorkersStore | Self::RanTwice => "php artisan config:show",
            Self::WhySilent => "aws logs describe-log-streams",
        }
    }
}

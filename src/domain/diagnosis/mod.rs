//! Why: from what is known to the likely causes, best first, and what logs cannot tell.

use serde::{Deserialize, Serialize};

use super::detect::queues::{QueueView, Queues, WaitingJob};
use super::incident::{Fact, Incident};
use super::job::Timestamp;
use super::ledger::Ledger;
use super::ledger::class::Lane;
use super::policy::Policy;

/// Why something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// We do not get to see the lines.
    MonitorBlind,
    /// No line comes from anywhere.
    LogPathDown,
    /// Jobs cannot be put on their queue.
    EnqueueErrors,
    /// Attempts end in an exception as soon as they start.
    FailingFast,
    /// Workers die, and start again.
    CrashLoop,
    /// Attempts run into their timeout.
    JobTimeout,
    /// The queue was paused.
    Paused,
    /// Workers take jobs from other queues.
    QueueNotConsumed,
    /// Workers are alive and cannot fetch.
    CannotFetch,
    /// Jobs come faster than they are worked off.
    SlowBacklog,
    /// Every worker that is known is busy with a long job.
    BehindLongJob,
    /// Jobs may well be processed: the lines that say so go elsewhere.
    LogsNotForwarded,
    /// No line of a worker was ever seen.
    NeverObserved,
    /// Workers have fallen silent.
    WorkerSilent,
}

impl Cause {
    /// The cause's name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MonitorBlind => "monitor_blind",
            Self::LogPathDown => "log_path_down",
            Self::EnqueueErrors => "enqueue_errors",
            Self::FailingFast => "failing_fast",
            Self::CrashLoop => "crash_loop",
            Self::JobTimeout => "job_timeout",
            Self::Paused => "paused",
            Self::QueueNotConsumed => "queue_not_consumed",
            Self::CannotFetch => "cannot_fetch",
            Self::SlowBacklog => "slow_backlog",
            Self::BehindLongJob => "behind_long_job",
            Self::LogsNotForwarded => "logs_not_forwarded",
            Self::NeverObserved => "never_observed",
            Self::WorkerSilent => "worker_silent",
        }
    }
}

/// What is likely, and what supports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The likeliest cause.
    pub cause: Cause,
    /// Whether the lines leave no other.
    pub is_certain: bool,
    /// At most two more.
    pub runners_up: Vec<Cause>,
    /// What supports it.
    pub evidence: Vec<Fact>,
    /// What logs cannot tell.
    pub cannot_tell: Vec<String>,
    /// What to run, best first.
    pub commands: Vec<String>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The incident as it stands; its list of jobs may be empty.
    pub incident: &'a Incident,
    /// The place it is at.
    pub lane: &'a Lane,
    /// That place at this moment.
    pub view: &'a QueueView,
    /// The jobs it is about, oldest first, for kinds of jobs that wait.
    pub jobs: &'a [&'a WaitingJob],
    /// Every queue.
    pub queues: &'a Queues,
    /// Now.
    pub now: Timestamp,
    /// Until when silence means anything: the end of a replay's input, else now.
    pub heard_until: Timestamp,
}

/// Names the likely causes. Pure: the same knowledge and question give the same answer.
#[must_use]
pub fn diagnose(ledger: &Ledger, _policy: &Policy, _question: &Question<'_>) -> Diagnosis {
    let is_unseen = ledger.traits.first_worker_line_at.is_none();
    Diagnosis {
        cause: if is_unseen { Cause::NeverObserved } else { Cause::WorkerSilent },
        is_certain: false,
        runners_up: Vec::new(),
        evidence: Vec::new(),
        cannot_tell: Vec::new(),
        commands: Vec::new(),
    }
}

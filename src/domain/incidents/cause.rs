//! The causes that are told apart, and what is behind them where lines say more.

use serde::{Deserialize, Serialize};

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
    /// A job goes back to its queue by its own will, again and again, and is never done.
    PutBack,
    /// Jobs may well be processed: the lines that say so go elsewhere.
    LogsNotForwarded,
    /// No line of a worker was ever seen.
    NeverObserved,
    /// Workers have fallen silent.
    WorkerSilent,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 15] = [
        Self::MonitorBlind,
        Self::LogPathDown,
        Self::EnqueueErrors,
        Self::FailingFast,
        Self::CrashLoop,
        Self::JobTimeout,
        Self::Paused,
        Self::QueueNotConsumed,
        Self::CannotFetch,
        Self::SlowBacklog,
        Self::BehindLongJob,
        Self::PutBack,
        Self::LogsNotForwarded,
        Self::NeverObserved,
        Self::WorkerSilent,
    ];

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
            Self::PutBack => "put_back",
            Self::LogsNotForwarded => "logs_not_forwarded",
            Self::NeverObserved => "never_observed",
            Self::WorkerSilent => "worker_silent",
        }
    }
}

/// What is behind a cause, where lines say more than its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubCause {
    /// A payload names code that is not there any more.
    StalePayload,
    /// A setting is missing.
    MissingConfig,
    /// Attempts were used up without a word: lost workers, or a retry period shorter than the job.
    MaxAttempts,
    /// A job is handed out again while it is still at work: the retry period is shorter than the job.
    RetriedTooSoon,
    /// Jobs went back to their queue by their own will until their attempts were used up.
    ReleasedTooOften,
    /// A process ran out of memory.
    OutOfMemory,
    /// A worker dies before it takes a job.
    DiesAtStart,
    /// No worker names the queue.
    WrongQueue,
    /// Jobs go to one connection, and workers fetch from another.
    WrongConnection,
    /// Workers are busy with queues that come first.
    Starved,
    /// A pause that names no queue: the app is in maintenance.
    Maintenance,
    /// The queue's store: nobody listens.
    Refused,
    /// The queue's store: no answer.
    TimedOut,
    /// The queue's store: it closed the connection.
    ConnectionLost,
    /// The queue's store: it does not take our name or password.
    Unauthorized,
    /// The queue's store: we have no credentials to show it.
    NoCredentials,
    /// The queue's store takes other jobs, and not this one: it is too large, or cannot be written down.
    BadPayload,
    /// The queue's store: its name is not known.
    HostUnknown,
    /// The queue's store: another node of the cluster has the key, or the cluster is down.
    ClusterMoved,
    /// The queue's store: it takes no writes.
    ReadOnly,
    /// The queue's store: it is full.
    StoreFull,
    /// The queue's store: it is starting.
    Loading,
    /// The queue's store: it has too many clients.
    TooManyClients,
    /// The queue's store: its table is missing.
    NoTable,
    /// The queue's store: its rows are locked.
    Locked,
    /// The queue's store failed in between, and what it held may be gone.
    StoreForgot,
    /// Lines are dropped on the way: some come, some do not.
    LinesDropped,
}

/// Texts of a store's errors and what they tell, the first match wins.
const STORE_TEXTS: [(SubCause, &[&str]); 14] = [
    (
        SubCause::NoCredentials,
        &[
            "retrieving credentials",
            "unable to locate credentials",
            "cannot read credentials",
            "credentials must be",
            "could not load credentials",
            "instance profile",
            "no credentials",
        ],
    ),
    (
        SubCause::BadPayload,
        &[
            "json encode payload",
            "malformed utf-8",
            "serialization of '",
            "413 request entity too large",
            "content length exceeded",
            "message must be shorter",
            "message too long",
            "exceeded max-job-size",
            "job_too_big",
            "job too big",
            "message size",
            "data too long for column 'payload'",
        ],
    ),
    (
        SubCause::Unauthorized,
        &[
            "noauth",
            "wrongpass",
            "noperm",
            "auth failed",
            "invalid password",
            "invalid username-password",
            "access denied",
            "password authentication failed",
            "accessdenied",
            "invalidclienttokenid",
            "signaturedoesnotmatch",
            "expiredtoken",
        ],
    ),
    (
        SubCause::HostUnknown,
        &[
            "getaddrinfo",
            "php_network_getaddresses",
            "name or service not known",
            "could not resolve host",
            "name resolution",
            "nodename nor servname",
        ],
    ),
    (SubCause::Refused, &["connection refused"]),
    (SubCause::TimedOut, &["timed out", "timeout"]),
    (SubCause::ClusterMoved, &["moved ", "clusterdown", "crossslot", "can't communicate with any node"]),
    (
        SubCause::ReadOnly,
        &[
            "readonly",
            "read only",
            "read-only",
            "not primary",
            "notprimary",
            "notwritableprimary",
            "not master",
            "notmaster",
        ],
    ),
    (SubCause::StoreFull, &["oom command not allowed", "misconf"]),
    (SubCause::Loading, &["loading redis", "loading "]),
    (SubCause::TooManyClients, &["max number of clients", "too many connections"]),
    (SubCause::NoTable, &["42s02", "42p01", "no such table"]),
    (SubCause::Locked, &["deadlock", "lock wait", "database is locked"]),
    (
        SubCause::ConnectionLost,
        &[
            "went away",
            "gone away",
            "connection lost",
            "broken pipe",
            "reset by peer",
            "error while reading line",
            "read error on connection",
            "connection closed",
        ],
    ),
];

/// Texts of a job's exceptions and what they tell, the first match wins.
const JOB_TEXTS: [(SubCause, &[&str]); 4] = [
    (SubCause::MaxAttempts, &["maxattemptsexceeded", "has been attempted too many times"]),
    (
        SubCause::StalePayload,
        &[
            "target class [",
            "__php_incomplete_class",
            "incomplete object",
            "unserialize(",
            "\" not found",
            "' not found",
        ],
    ),
    (
        SubCause::MissingConfig,
        &[
            "cannot assign null to property",
            "must be of type string, null given",
            "no application encryption key",
            "missingappkey",
            " is not configured",
            " is not set",
            "env(",
        ],
    ),
    (SubCause::OutOfMemory, &["allowed memory size"]),
];

impl SubCause {
    /// What a store's error text tells.
    #[must_use]
    pub fn of_store(text: &str) -> Option<Self> {
        first(&STORE_TEXTS, text)
    }

    /// What the text of a job's exception tells.
    #[must_use]
    pub fn of_job(text: &str) -> Option<Self> {
        first(&JOB_TEXTS, text)
    }

    /// What the text of an error that a worker met outside of a job tells.
    #[must_use]
    pub fn of_worker(text: &str) -> Option<Self> {
        let is_memory = text.to_ascii_lowercase().contains("allowed memory size");
        if is_memory { Some(Self::OutOfMemory) } else { Self::of_store(text) }
    }
}

fn first(table: &[(SubCause, &[&str])], text: &str) -> Option<SubCause> {
    let text = text.to_ascii_lowercase();
    let told = |(_, words): &&(SubCause, &[&str])| words.iter().any(|word| text.contains(word));
    table.iter().find(told).map(|(cause, _)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_store(text: &str, expected: Option<SubCause>) {
        assert_eq!(SubCause::of_store(text), expected, "{text}");
    }

    #[test]
    fn a_stores_error_is_told_by_its_text() {
        check_store("Connection refused [tcp://127.0.0.1:6411]", Some(SubCause::Refused));
        check_store("SQLSTATE[HY000] [2002] Connection refused", Some(SubCause::Refused));
        check_store("Operation timed out", Some(SubCause::TimedOut));
        check_store("NOAUTH Authentication required.", Some(SubCause::Unauthorized));
        check_store("WRONGPASS invalid username-password pair", Some(SubCause::Unauthorized));
        check_store(
            "php_network_getaddresses: getaddrinfo for redis failed: Name or service not known",
            Some(SubCause::HostUnknown),
        );
        check_store("MOVED 866 10.0.0.1:6379", Some(SubCause::ClusterMoved));
        check_store("READONLY You can't write against a read only replica.", Some(SubCause::ReadOnly));
        check_store("General error: 1836 Running in read-only mode", Some(SubCause::ReadOnly));
        check_store("ERROR: cannot execute UPDATE in a read-only transaction", Some(SubCause::ReadOnly));
        check_store("not primary while retrying write", Some(SubCause::ReadOnly));
        check_store(
            "Error retrieving credentials from the instance profile metadata service. (cURL error 28: timed out)",
            Some(SubCause::NoCredentials),
        );
        check_store("Unable to JSON encode payload. Error (5): Malformed UTF-8", Some(SubCause::BadPayload));
        check_store("One or more parameters are invalid. Message must be shorter than 1048576 bytes", {
            Some(SubCause::BadPayload)
        });
        check_store("OOM command not allowed when used memory > 'maxmemory'.", Some(SubCause::StoreFull));
        check_store("LOADING Redis is loading the dataset in memory", Some(SubCause::Loading));
        check_store("ERR max number of clients reached", Some(SubCause::TooManyClients));
        check_store("SQLSTATE[42S02]: 1146 Table 'a.jobs' doesn't exist", Some(SubCause::NoTable));
        check_store("Redis server 127.0.0.1:6410 went away", Some(SubCause::ConnectionLost));
        check_store("Error while reading line from the server.", Some(SubCause::ConnectionLost));
        check_store("The \"stop-when-empty-for\" option does not exist.", None);
    }

    #[track_caller]
    fn check_job(text: &str, expected: Option<SubCause>) {
        assert_eq!(SubCause::of_job(text), expected, "{text}");
    }

    #[test]
    fn a_jobs_exception_is_told_by_its_text() {
        let stale = Some(SubCause::StalePayload);
        check_job(
            "BindingResolutionException: Target class [App\\Jobs\\OpenAIService] does not exist.",
            stale,
        );
        check_job("Error: The script tried to call a method on an incomplete object", stale);
        check_job("Error: Class \"App\\Services\\Old\" not found", stale);
        check_job("ErrorException: unserialize(): Error at offset 5", stale);
        check_job("TypeError: Cannot assign null to property App\\X::$key", Some(SubCause::MissingConfig));
        check_job(
            "Illuminate\\Queue\\MaxAttemptsExceededException: App\\Jobs\\X has been attempted too many times.",
            Some(SubCause::MaxAttempts),
        );
        check_job("LogicException: Unexpected null in cart #3", None);
        check_job("ModelNotFoundException: No query results for model [App\\Models\\User]", None);
    }

    #[test]
    fn a_workers_error_is_its_memory_or_its_stores() {
        let memory = "Allowed memory size of 50331648 bytes exhausted";
        assert_eq!(SubCause::of_worker(memory), Some(SubCause::OutOfMemory));
        assert_eq!(SubCause::of_worker("Connection refused"), Some(SubCause::Refused));
    }

    #[test]
    fn every_cause_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
    }
}

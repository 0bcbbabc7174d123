//! The vocabulary: a line's place, a job's identity, a stage of its life, one observation of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::in_place::InPlace;
pub use super::line::LineKey;
pub use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

name! {
    /// The id that a queue driver gives a job: 32 letters and digits on Redis, a row number on a database,
    /// a message id on SQS.
    JobId, InPlace
}
name! {
    /// The uuid in the job's payload, the same through every retry and on every driver.
    JobUuid, InPlace
}
name! {
    /// The job's display name: mostly its class, but it may hold spaces (`Closure (routes.php:28)`).
    JobClass, Arc<str>
}
name! {
    /// A queue's name, without its connection: `default`, `emails`.
    QueueName, Arc<str>
}
name! {
    /// A queue connection's name: `redis`, `database`, `sqs`.
    ConnectionName, Arc<str>
}

/// The connection of jobs that run where they are dispatched: they never wait on a queue, and inside a worker they
/// print lines of their own within another job's.
pub const SYNC_CONNECTION: &str = "sync";

impl JobId {
    /// Whether the id is a number, which database drivers reuse and renew.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        let id = match self.key_bytes() {
            // A scope would begin with a control character.
            plain @ [b' '..=b'~', ..] => plain,
            _ => self.as_str().as_bytes(),
        };
        !id.is_empty() && id.iter().all(u8::is_ascii_digit)
    }
}

impl QueueName {
    /// Reads a queue as lines print it: an SQS URL becomes its last path segment, `{default}` (a Redis
    /// cluster hash tag) becomes `default`, an empty name is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = if text.contains("://") { text.rsplit('/').next().unwrap_or(text) } else { text };
        let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        if text.is_empty() { None } else { Some(Self::from(text)) }
    }
}

/// What one line says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The app put a job on a queue.
    Enqueued,
    /// A worker started an attempt (`Processing`, `RUNNING`, `starting`).
    Processing,
    /// An attempt ended well (`Processed`, `DONE`, `success` not marked released).
    Processed,
    /// An attempt ended badly (`Failed`, `FAIL`, `failed`); see [`Ending`] for what text cannot tell.
    Failed,
    /// The job went back to its queue (JSON `result: released`, of either status).
    Released,
    /// The app could not put a job on a queue.
    EnqueueError,
    /// A worker process started.
    WorkerStarted,
    /// A worker process ended, or was killed.
    WorkerStopped,
    /// A worker's heartbeat.
    WorkerAlive,
    /// A worker failed outside a job: it could not fetch, or died at its start.
    WorkerError,
    /// Redis or the database failed, and the line does not show for whom.
    RedisError,
    /// A worker will not take jobs from this queue for now.
    Paused,
    /// A worker takes jobs from this queue again.
    Resumed,
    /// A line names a file that worker output goes to.
    LogFileHint,
    /// A line marks a deploy.
    DeployMark,
}

impl Stage {
    /// Whether the line tells of one job's life, rather than of a worker or a store.
    #[must_use]
    pub const fn is_lifecycle(self) -> bool {
        matches!(self, Self::Enqueued | Self::Processing | Self::Processed | Self::Failed | Self::Released)
    }

    /// Whether the line tells of an error of a queue's store, or of a worker's own.
    #[must_use]
    pub const fn is_store_error(self) -> bool {
        matches!(self, Self::EnqueueError | Self::WorkerError | Self::RedisError)
    }

    /// Whether the line ends an attempt.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Processed | Self::Failed | Self::Released)
    }

    /// The stage's name in configuration, JSON and `explain`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "enqueued",
            Self::Processing => "processing",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::EnqueueError => "enqueue_error",
            Self::WorkerStarted => "worker_started",
            Self::WorkerStopped => "worker_stopped",
            Self::WorkerAlive => "worker_alive",
            Self::WorkerError => "worker_error",
            Self::RedisError => "redis_error",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::LogFileHint => "log_file_hint",
            Self::DeployMark => "deploy_mark",
        }
    }
}

/// How much an end line tells of the job's fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The line means what it says.
    #[default]
    Plain,
    /// Text `FAIL`: the job failed for good *or* goes back to be tried again; only a colour told them apart.
    FailOrRetry,
    /// Text `FAIL`, and behind it an exception which says that the job has no attempt left.
    UsedUp,
    /// JSON `released_after_exception`: the attempt failed, and the job goes back to be tried again.
    Thrown,
}

/// A runtime as printed, and how exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Runtime {
    /// Milliseconds, rounded down.
    pub ms: i64,
    /// True where the line prints whole seconds only (`2s`, `1m 5s`).
    pub is_whole_seconds: bool,
}

/// The forms, listed once: a form that is not in [`Form::ALL`] cannot be written.
macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident,)*) => {
        /// Which line form an observation was read from. What each prints, and a real line of it, is its system's to
        /// say: see [`super::systems::form()`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Form {
            $($(#[$doc])* $form,)*
        }

        impl Form {
            /// Every form.
            pub const ALL: &'static [Self] = &[$(Self::$form,)*];
        }
    };
}

forms! {
    /// `[ts][id] Processing: Class`.
    Bracket,
    /// `  ts Class .... 82ms DONE` without a RUNNING line.
    EndOnly,
    /// `  ts Class .... RUNNING`, then `DONE` or `FAIL`.
    TwoLine,
    /// One JSON object a line, as the worker itself prints it.
    Json,
    /// `Processing: Class` with neither time nor id.
    Bare,
    /// An application log record, in line or JSON form.
    Monolog,
    /// A shell, a supervisor or PHP itself.
    Process,
    /// A `[[rule]]` of the configuration.
    Rule,
}

/// One fact, read from one line.
///
/// The time is CloudWatch's, never the text's. What the line does not carry is `None`, never a guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What happened.
    pub stage: Stage,
    /// When, by CloudWatch's stamp.
    pub at: Timestamp,
    /// Which line said so.
    pub line: LineKey,
    /// The form the line was in.
    pub form: Form,
    /// What an end line leaves open.
    pub ending: Ending,
    /// The job's display name.
    #[serde(rename = "cl", default, skip_serializing_if = "Option::is_none")]
    pub class: Option<JobClass>,
    /// The queue, already parsed by [`QueueName::parse`]; of a worker that works on several, `None`: see
    /// [`Observation::worker_queues`].
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// Where an enqueue line comes from: see [`super::origin::Origin`].
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<str>>,
    /// The queue connection.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionName>,
    /// The driver's id of the job; on a `worker_…` line, which has no job, the worker's own name: `host:pid`, or as
    /// much of it as the line carries.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// The payload's uuid.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<JobUuid>,
    /// Which attempt, counted from 1.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How many jobs a worker says that it has done: of one that stopped, since its start; of one that lives, with
    /// this line.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u32>,
    /// How long the job must wait before it is ready, in milliseconds. `None` where the line has no such
    /// field: that is not the same as zero, which a `null` is.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// How long the attempt ran.
    #[serde(rename = "rt", default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// The job's timeout in milliseconds, where the line carries it.
    #[serde(rename = "to", default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<i64>,
    /// The error's first line, a log file, or a worker's queues or reason to stop; [`ERROR_CHARS_MAX`] characters at most.
    #[serde(rename = "tx", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Arc<str>>,
}

/// Characters of an error kept with an observation: enough for its class and first clause in a message.
pub const ERROR_CHARS_MAX: usize = 300;

impl Observation {
    /// An observation that carries nothing but its stage, time, line and form.
    #[must_use]
    pub const fn bare(stage: Stage, at: Timestamp, line: LineKey, form: Form) -> Self {
        Self {
            stage,
            at,
            line,
            form,
            ending: Ending::Plain,
            class: None,
            queue: None,
            origin: None,
            connection: None,
            id: None,
            uuid: None,
            attempt: None,
            jobs: None,
            delay_ms: None,
            runtime: None,
            timeout_ms: None,
            text: None,
        }
    }

    /// Whether the line is of a job that ran where it was dispatched (`dispatchSync`), within another job's attempt:
    /// no waiting job started or ended.
    #[must_use]
    pub fn is_synchronous(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.as_str() == SYNC_CONNECTION)
    }

    /// Whose names it carries, where they are not the stack's own app's.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        let queue = self.queue.as_ref().and_then(QueueName::scope);
        let connection = || self.connection.as_ref().and_then(ConnectionName::scope);
        let class = || self.class.as_ref().and_then(JobClass::scope);
        let id = || self.id.as_ref().and_then(JobId::scope);
        queue.or_else(connection).or_else(class).or_else(id)
    }

    /// Puts its names within an app's or an account's.
    pub fn set_within(&mut self, scope: &str) {
        let scope = Some(scope);
        self.class = self.class.take().map(|name| name.within(scope));
        self.queue = self.queue.take().map(|name| name.within(scope));
        self.connection = self.connection.take().map(|name| name.within(scope));
        self.id = self.id.take().map(|name| name.within(scope));
        self.uuid = self.uuid.take().map(|name| name.within(scope));
    }

    /// The queues that a worker says it works on, in its own order: of a start or a heartbeat, else none.
    pub fn worker_queues(&self) -> impl Iterator<Item = QueueName> {
        let tells =
            self.form == Form::Monolog && matches!(self.stage, Stage::WorkerStarted | Stage::WorkerAlive);
        let list = self.text.as_deref().filter(|_| tells).unwrap_or_default();
        // A list this long was cut, and its last name with it.
        let is_cut = list.len() >= ERROR_CHARS_MAX && list.chars().count() >= ERROR_CHARS_MAX;
        let whole = if is_cut { list.rsplit_once(',').map_or("", |(whole, _)| whole) } else { list };
        whole.split(',').filter_map(QueueName::parse).map(|queue| queue.within(self.scope()))
    }
}

/// Which half of a queue a stack trace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceSide {
    /// A job was being put on a queue.
    Push,
    /// A worker was fetching a job.
    Pop,
}

/// A store error whose payload ended before its trace told which side it was on, or a trace whose error
/// came in an earlier payload. Two parts of traces of one record, joined by the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TracePart {
    /// The error line, at its time; its observation has stage [`Stage::RedisError`] until the other half is met.
    Head(Timestamp, LineKey),
    /// Any other exception's line, at its time, and its text: no observation tells of it until the other half shows a
    /// queue.
    Exception(Timestamp, LineKey, Arc<str>),
    /// The first telling frame of a trace whose head was not in this payload.
    Tail(Timestamp, TraceSide),
}

#[cfg(test)]
mod tests {
    use super::super::name::NAME_BYTES_MAX;
    use super::*;

    #[test]
    fn equal_names_of_two_apps_differ_and_print_alike() {
        let plain = QueueName::from("default");
        let (one, other) = (plain.within(Some("shop")), plain.within(Some("billing")));
        assert!(one != other && one != plain);
        assert_eq!([&plain, &one, &other].map(ToString::to_string), ["default"; 3]);
        assert_eq!([&plain, &one, &other].map(|name| name.scope()), [None, Some("shop"), Some("billing")]);
        assert_eq!(one.within(Some("billing")), other, "a name is within one scope");
        assert_eq!(other.within(None), plain);
    }

    #[test]
    fn a_name_is_bounded_and_two_long_ones_still_differ() {
        let long = |tail: &str| JobId::from(format!("{}{tail}", "é".repeat(5_000)).as_str());
        assert!(long("a").as_str().len() <= NAME_BYTES_MAX, "{}", long("a"));
        assert!(long("a").as_str().starts_with("ééé"));
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a"), long("a"));
        let digits = JobId::from("7".repeat(3_000).as_str());
        assert!(!digits.is_numeric(), "no row of a table has such a number");
        let most = "x".repeat(NAME_BYTES_MAX);
        assert_eq!(JobId::from(most.as_str()).as_str(), most);
    }

    #[test]
    fn a_queue_is_read_from_a_url_a_hash_tag_or_its_plain_name() {
        let name = |text: &str| QueueName::parse(text).map(|q| q.to_string());
        assert_eq!(name("https://sqs.eu-west-1.amazonaws.com/123/emails"), Some("emails".into()));
        assert_eq!(name("{default}"), Some("default".into()));
        assert_eq!(name("high"), Some("high".into()));
        assert_eq!(name(" "), None);
    }

    #[test]
    fn a_workers_queues_are_in_its_order_and_nobody_elses() {
        let at = Timestamp::from_ms(0);
        let told = |stage, form, text: &str| {
            let mut line = Observation::bare(stage, at, LineKey(0), form);
            line.text = Some(text.into());
            line.worker_queues().map(|queue| queue.to_string()).collect::<Vec<_>>()
        };
        let queues = |stage, form| told(stage, form, "high,{default}, https://sqs/1/emails");
        let all = ["high", "default", "emails"];
        assert_eq!(queues(Stage::WorkerAlive, Form::Monolog), all);
        assert_eq!(queues(Stage::WorkerStarted, Form::Monolog), all);
        assert_eq!(queues(Stage::WorkerStopped, Form::Monolog), [""; 0], "that is a reason");
        assert_eq!(queues(Stage::WorkerStarted, Form::Process), [""; 0], "that is a sentence");
        let long = format!("high,{}", "x".repeat(ERROR_CHARS_MAX - "high,".len()));
        assert_eq!(told(Stage::WorkerAlive, Form::Monolog, &long), ["high"], "half a name is none");
    }

    #[test]
    fn only_digits_make_a_numeric_id() {
        assert!(JobId::from("17").is_numeric());
        assert!(!JobId::from("hGTusZBOe04jzF4dbUTIF7AkSjAAEm4i").is_numeric());
        assert!(!JobId::from("").is_numeric());
    }
}

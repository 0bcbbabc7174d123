//! What can be done about a cause, one command each.

use super::ecs::Ask;
use super::host::Host;
use super::host::Line;
use super::{Note, Problem, Purpose, Step, Variable, aws, name_or, reads_laravel, shell};
use crate::domain::diagnosis::cause::{Cause, SubCause};
use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::policy::Policy;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The end of the file that worker output goes to.
    Tail,
    /// How the worker is started so that its lines go to its output as well as to the file.
    Tee,
    /// Jobs that failed for good.
    Failed,
    /// How long the queue is, as the app sees it.
    Monitor,
    /// Whether a worker runs, and with which options.
    Processes,
    /// One job, by hand.
    WorkOnce,
    /// What ECS and its neighbours say of the app's tasks.
    Ecs(Ask),
    /// The last lines of the worker's stream.
    StreamTail,
    /// The streams that spoke last.
    LogStreams,
    /// Who gets the log group's lines.
    Filters,
    /// Which store the app is told to use.
    StoreNames,
    /// After how long a job is tried again that nobody ended.
    RetryAfter,
    /// The prefix of the app's keys.
    Prefix,
    /// Jobs in the database.
    JobsTable,
    /// Failed jobs in the database.
    FailedTable,
    /// Another connection for a while.
    SwitchConnection,
    /// The end of a pause.
    Resume,
    /// The end of maintenance.
    Up,
    /// Workers that load their code anew.
    Restart,
}

/// What to do about a problem, the best first.
pub(super) fn of(problem: &Problem<'_>) -> Vec<Action> {
    use Action::{
        Ecs, Failed, FailedTable, Filters, JobsTable, LogStreams, Monitor, Prefix, Processes, Restart,
        Resume, RetryAfter, StoreNames, StreamTail, SwitchConnection, Tail, Tee, Up, WorkOnce,
    };
    use Ask::{CacheClusters, ListTasks, SecurityGroups, Services, StoppedTasks, TaskDefinition};
    let is_slow = problem.sub_cause == Some(SubCause::TimedOut);
    let actions: &[Action] = match problem.cause {
        Cause::LogsNotForwarded if problem.sub_cause == Some(SubCause::LinesDropped) => {
            &[Monitor, Ecs(TaskDefinition), Failed, Processes, JobsTable]
        }
        Cause::LogsNotForwarded => &[Tail, Failed, Monitor, Tee, Processes, Ecs(TaskDefinition), JobsTable],
        Cause::NeverObserved => &[
            Processes,
            Monitor,
            Ecs(ListTasks),
            Failed,
            Ecs(TaskDefinition),
            WorkOnce,
            JobsTable,
            FailedTable,
        ],
        Cause::WorkerSilent => {
            &[Processes, Monitor, Ecs(ListTasks), Ecs(StoppedTasks), StreamTail, Failed, WorkOnce, JobsTable]
        }
        Cause::QueueNotConsumed => &[Processes, Monitor, Ecs(TaskDefinition), WorkOnce, JobsTable],
        Cause::CannotFetch if is_slow => &[
            Monitor,
            Ecs(SecurityGroups),
            Ecs(CacheClusters),
            StoreNames,
            StreamTail,
            JobsTable,
            SwitchConnection,
        ],
        Cause::CannotFetch => {
            &[Monitor, StoreNames, Prefix, StreamTail, JobsTable, Processes, SwitchConnection]
        }
        Cause::EnqueueErrors if is_slow => {
            &[Monitor, Ecs(SecurityGroups), Ecs(CacheClusters), StoreNames, JobsTable, SwitchConnection]
        }
        Cause::EnqueueErrors => &[Monitor, StoreNames, Ecs(Services), JobsTable, SwitchConnection],
        Cause::FailingFast => &[Failed, StreamTail, Tail, FailedTable, Monitor, Restart],
        Cause::CrashLoop => &[Ecs(StoppedTasks), StreamTail, Processes, Ecs(TaskDefinition), Failed],
        Cause::JobTimeout => &[Processes, RetryAfter, Failed, StreamTail],
        Cause::Paused if problem.sub_cause == Some(SubCause::Maintenance) => &[Up, Monitor, Processes],
        Cause::Paused => &[Resume, Monitor, Processes],
        Cause::SlowBacklog => &[Monitor, Ecs(Services), Processes],
        Cause::BehindLongJob => &[Processes, StreamTail, Monitor],
        Cause::LogPathDown => &[LogStreams, Ecs(Services), Filters, Ecs(ListTasks)],
        Cause::MonitorBlind => &[Filters, LogStreams],
    };
    actions.to_vec()
}

impl Action {
    /// Whether its answer is in CloudWatch Logs, and nowhere else.
    pub(super) const fn asks_cloudwatch(self) -> bool {
        matches!(self, Self::StreamTail | Self::LogStreams | Self::Filters)
    }

    /// Whether it is about Laravel's own commands, tables or settings.
    pub(super) const fn is_laravels(self) -> bool {
        !matches!(
            self,
            Self::Tail | Self::Processes | Self::Ecs(_) | Self::StreamTail | Self::LogStreams | Self::Filters
        )
    }

    /// What it is for.
    const fn purpose(self) -> Purpose {
        match self {
            Self::Tail => Purpose::ReadWorkerFile,
            Self::Tee => Purpose::KeepWorkerLines,
            Self::Failed => Purpose::ListFailed,
            Self::Monitor => Purpose::CountWaiting,
            Self::Processes => Purpose::SeeProcesses,
            Self::WorkOnce => Purpose::RunOneJob,
            Self::Ecs(Ask::ListTasks) => Purpose::ListTasks,
            Self::Ecs(Ask::StoppedTasks) => Purpose::SeeStoppedTasks,
            Self::Ecs(Ask::Services) => Purpose::SeeService,
            Self::Ecs(Ask::TaskDefinition) => Purpose::SeeTaskDefinition,
            Self::Ecs(Ask::SecurityGroups) => Purpose::SeeSecurityGroups,
            Self::Ecs(Ask::CacheClusters) => Purpose::SeeCaches,
            Self::StreamTail => Purpose::ReadWorkerLines,
            Self::LogStreams => Purpose::SeeLogStreams,
            Self::Filters => Purpose::SeeFilters,
            Self::StoreNames => Purpose::SeeStoreSettings,
            Self::RetryAfter => Purpose::SeeRetryAfter,
            Self::Prefix => Purpose::SeePrefix,
            Self::JobsTable => Purpose::ListJobsTable,
            Self::FailedTable => Purpose::ListFailedTable,
            Self::SwitchConnection => Purpose::SwitchConnection,
            Self::Resume => Purpose::Resume,
            Self::Up => Purpose::EndMaintenance,
            Self::Restart => Purpose::RestartWorkers,
        }
    }

    /// The command; `None` where it has nothing to be about.
    pub(super) fn step(self, problem: &Problem<'_>, host: &Host, policy: &Policy) -> Option<Step> {
        let purpose = Some(self.purpose());
        let step = |line: Line, note| Step { command: line.command, note, purpose, inside: line.inside };
        let plain = |line: Line| Some(step(line, None));
        let noted = |line: Line, note| Some(step(line, Some(note)));
        let here = |command: String| Line { command, inside: None };
        let artisan = |words: &str| host.run(&format!("php artisan {words}"), policy);
        match self {
            Self::Tail => {
                let (file, stream) = problem.log_file?;
                let there = Host::of(Some(stream), policy);
                plain(there.run(&format!("tail -n 100 {}", shell::path(file)), policy))
            }
            // A process substitution, not a pipe: exit status and process id stay the worker's.
            Self::Tee => {
                let file = shell::path(problem.log_file?.0);
                let work = format!("php artisan queue:work {}", options(problem));
                noted(here(format!("{work}> >(tee -a {file}) 2>&1")), Note::MendsEntrypoint)
            }
            Self::Failed => plain(artisan("queue:failed")),
            Self::Monitor => plain(artisan(&format!("queue:monitor {}", places(problem)))),
            Self::Processes => plain(host.shell(processes(policy), policy)),
            Self::WorkOnce => {
                noted(artisan(&format!("queue:work {}--once -v", options(problem))), Note::SpendsAttempt)
            }
            Self::RetryAfter => {
                let connection = problem.lane.0.as_ref().map_or("redis", ConnectionName::as_str);
                let key = format!("queue.connections.{connection}.retry_after");
                plain(artisan(&format!("config:show {}", shell::word(&key))))
            }
            Self::Prefix => is_redis(problem)
                .then(|| artisan("config:show database.redis.options.prefix"))
                .and_then(plain),
            Self::Resume => noted(artisan(&format!("queue:resume {}", place(problem)?)), Note::AskWhoPaused),
            Self::Up => noted(artisan("up"), Note::AskWhoPaused),
            Self::Restart => (problem.sub_cause == Some(SubCause::StalePayload))
                .then(|| artisan("queue:restart"))
                .and_then(|command| noted(command, Note::WorkersEnd)),
            Self::StoreNames => plain(host.run(store_names(problem), policy)),
            Self::SwitchConnection => is_redis(problem)
                .then(|| here("QUEUE_CONNECTION=database".to_owned()))
                .and_then(|command| noted(command, Note::JobsStay)),
            Self::JobsTable | Self::FailedTable => is_database(problem)
                .then(|| here(self.select(problem)))
                .and_then(|sql| noted(sql, Note::InDatabase)),
            Self::StreamTail => {
                let stream = problem.stream.filter(|stream| !stream.log_group.is_empty())?;
                let (group, name) = (shell::word(&stream.log_group), shell::word(&stream.log_stream));
                // Not `logs tail`: the AWS CLI 1 does not know it.
                plain(here(format!(
                    "{} --log-group-name {group} --log-stream-name {name} --limit 100 --query 'events[].message' \
                     --output text",
                    aws(policy, "logs get-log-events")
                )))
            }
            Self::LogStreams => plain(here(format!(
                "{} --log-group-name {} --order-by LastEventTime --descending --max-items 5 \
                 --query 'logStreams[].[logStreamName,lastEventTimestamp,lastIngestionTime]'",
                aws(policy, "logs describe-log-streams"),
                group(problem)
            ))),
            Self::Filters => plain(here(format!(
                "{} --log-group-name {}",
                aws(policy, "logs describe-subscription-filters"),
                group(problem)
            ))),
            Self::Ecs(ask) => problem.is_on_ecs.then(|| here(ask.command(host, policy))).and_then(plain),
        }
    }

    /// What the database is asked; no payloads, which hold what jobs are about.
    fn select(self, problem: &Problem<'_>) -> String {
        if self == Self::FailedTable {
            return "SELECT id, uuid, queue, failed_at, LEFT(exception, 200) FROM failed_jobs \
                    ORDER BY failed_at DESC LIMIT 10;"
                .to_owned();
        }
        // Databases differ in what a backslash means in a text, so that a name which is no plain word is left out.
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
        let queue = problem.lane.1.as_ref().filter(|queue| queue.as_str().bytes().all(is_plain));
        let of = queue.map_or_else(String::new, |queue| format!("WHERE queue = '{queue}' "));
        format!(
            "SELECT id, queue, attempts, reserved_at, available_at, created_at FROM jobs {of}ORDER BY id LIMIT 20;"
        )
    }
}

/// What shows the workers among all processes.
fn processes(policy: &Policy) -> &'static str {
    if reads_laravel(policy) { "ps aux | grep queue:work" } else { "ps aux" }
}

fn group(problem: &Problem<'_>) -> String {
    name_or(problem.log_group.filter(|group| !group.is_empty()), Variable::LogGroup)
}

/// Whether the connection is the database's; the name is all there is to go by, and Laravel's own.
fn is_database(problem: &Problem<'_>) -> bool {
    problem.lane.0.as_ref().is_some_and(|name| name.as_str() == "database")
}

fn is_redis(problem: &Problem<'_>) -> bool {
    problem.lane.0.as_ref().is_none_or(|name| name.as_str().starts_with("redis"))
}

fn store_names(problem: &Problem<'_>) -> &'static str {
    match problem.lane.0.as_ref().map(ConnectionName::as_str) {
        Some("database") => "printenv QUEUE_CONNECTION DB_CONNECTION DB_HOST DB_PORT",
        Some("sqs") => "printenv QUEUE_CONNECTION SQS_PREFIX SQS_QUEUE AWS_DEFAULT_REGION",
        None => "printenv QUEUE_CONNECTION REDIS_HOST REDIS_PORT DB_CONNECTION DB_HOST DB_PORT",
        Some(_) => "printenv QUEUE_CONNECTION REDIS_HOST REDIS_PORT REDIS_DB REDIS_PREFIX",
    }
}

/// `redis:default`, as `queue:monitor` and `queue:resume` take it; without a connection the app's own counts.
fn place(problem: &Problem<'_>) -> Option<String> {
    let (connection, queue) = problem.lane;
    Some(named(connection.as_ref(), queue.as_ref()?))
}

fn named(connection: Option<&ConnectionName>, queue: &QueueName) -> String {
    match connection {
        Some(connection) => shell::word(&format!("{connection}:{queue}")).into_owned(),
        None if queue.as_str().starts_with('-') => format!("-- {}", shell::word(queue.as_str())),
        None => shell::word(queue.as_str()).into_owned(),
    }
}

/// The place, or every place that it may be.
fn places(problem: &Problem<'_>) -> String {
    const QUEUES_MAX: usize = 5;
    let one = place(problem);
    let all = || {
        let named = problem.queues.iter().take(QUEUES_MAX).map(|queue| match &problem.lane.0 {
            Some(connection) => format!("{connection}:{queue}"),
            None => queue.to_string(),
        });
        let list = named.collect::<Vec<_>>().join(",");
        let list = if list.is_empty() { "default".to_owned() } else { list };
        if list.starts_with('-') {
            format!("-- {}", shell::word(&list))
        } else {
            shell::word(&list).into_owned()
        }
    };
    one.unwrap_or_else(all)
}

/// `redis --queue=default `, as far as it is known.
fn options(problem: &Problem<'_>) -> String {
    let (connection, queue) = problem.lane;
    let connection =
        connection.as_ref().map_or_else(String::new, |name| format!("{} ", shell::word(name.as_str())));
    let queue = queue
        .as_ref()
        .map_or_else(String::new, |name| format!("{} ", shell::word(&format!("--queue={name}"))));
    format!("{connection}{queue}")
}

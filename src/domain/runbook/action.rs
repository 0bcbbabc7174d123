//! What can be done about a cause, one command each.

use super::ecs::Ask;
use super::host::{Host, Line};
use super::{Note, Problem, Purpose, Step, Variable, aws, name_or, reads_laravel};
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::model::policy::Policy;
use crate::domain::shell;
use crate::domain::systems::runbook;

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
        Cause::BehindLongJob | Cause::PutBack => &[Processes, StreamTail, Monitor],
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
        let (connection, queue) = (problem.queue_ref.connection.as_ref(), problem.queue_ref.queue.as_ref());
        let run = |command: String| host.run(&command, policy);
        match self {
            Self::Tail => {
                let (file, stream) = problem.log_file?;
                let there = Host::of(Some(stream), policy);
                plain(there.run(&format!("tail -n 100 {}", shell::path(file)), policy))
            }
            // A process substitution, not a pipe: exit status and process id stay the worker's.
            Self::Tee => {
                let file = shell::path(problem.log_file?.0);
                let work = runbook::work(connection, queue);
                noted(here(format!("{work} > >(tee -a {file}) 2>&1")), Note::MendsEntrypoint)
            }
            Self::Failed => plain(run(runbook::failed())),
            Self::Monitor => plain(run(runbook::monitor(connection, queue, problem.queues))),
            Self::Processes => plain(host.shell(processes(policy), policy)),
            Self::WorkOnce => {
                let work = runbook::work(connection, queue);
                noted(run(format!("{work} --once -v")), Note::SpendsAttempt)
            }
            Self::RetryAfter => plain(run(runbook::retry_after(connection))),
            Self::Prefix => runbook::key_prefix(connection).map(run).and_then(plain),
            Self::Resume => noted(run(runbook::resume(connection, queue)?), Note::AskWhoPaused),
            Self::Up => noted(run(runbook::up()), Note::AskWhoPaused),
            Self::Restart => (problem.sub_cause == Some(SubCause::StalePayload))
                .then(|| run(runbook::restart()))
                .and_then(|command| noted(command, Note::WorkersEnd)),
            Self::StoreNames => plain(run(runbook::store_names(connection))),
            Self::SwitchConnection => noted(here(runbook::switch_connection(connection)?), Note::JobsStay),
            Self::JobsTable => noted(here(runbook::jobs_table(connection, queue)?), Note::InDatabase),
            Self::FailedTable => noted(here(runbook::failed_table(connection)?), Note::InDatabase),
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
}

/// What shows the workers among all processes.
fn processes(policy: &Policy) -> &'static str {
    if reads_laravel(policy) { runbook::PROCESSES } else { "ps aux" }
}

fn group(problem: &Problem<'_>) -> String {
    name_or(problem.log_group.filter(|group| !group.is_empty()), Variable::LogGroup)
}

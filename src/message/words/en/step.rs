//! What to do, in English: the line above each command.

use crate::domain::incidents::Blindness;
use crate::domain::runbook::{Note, Purpose, Variable};
use crate::message::words::Voice;

pub(in crate::message::words) const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ReadWorkerFile => "See what the worker wrote",
        Purpose::KeepWorkerLines => "Have the worker's lines logged",
        Purpose::ListFailed => "List the jobs that failed",
        Purpose::CountWaiting => "Count what waits in the queue",
        Purpose::SeeProcesses => "See whether a worker runs, and with which options",
        Purpose::RunOneJob => "Run one job by hand",
        Purpose::ListTasks => "See which tasks run",
        Purpose::SeeStoppedTasks => "See why tasks stopped",
        Purpose::SeeService => "See how many tasks should run and do",
        Purpose::SeeTaskDefinition => "See what the task starts, and where its output goes",
        Purpose::SeeSecurityGroups => "See the task's security groups",
        Purpose::SeeCaches => "See whether the cache is up, and its security groups",
        Purpose::ReadWorkerLines => "Read the worker's last lines",
        Purpose::SeeLogStreams => "See when the log group got its last lines",
        Purpose::SeeFilters => "See whether the log group still has its subscription filter",
        Purpose::SeeStoreSettings => "See which store the app is told to use",
        Purpose::SeeRetryAfter => "See after how long a job is tried again",
        Purpose::SeePrefix => "See the prefix of the app's keys",
        Purpose::ListJobsTable => "Look into the jobs table",
        Purpose::ListFailedTable => "Look into the failed_jobs table",
        Purpose::SwitchConnection => "Switch to another connection for a while",
        Purpose::Resume => "End the pause",
        Purpose::EndMaintenance => "End the maintenance",
        Purpose::RestartWorkers => "Have the workers load the new code",
    }
}

pub(in crate::message::words) const fn run() -> &'static str {
    "Run"
}

pub(in crate::message::words) fn in_same_container(verb: &str) -> String {
    format!("{verb} (in the same container)")
}

pub(in crate::message::words) fn with_note(verb: &str, note: &str) -> String {
    format!("{verb} - {note}")
}

pub(in crate::message::words) fn note(note: Note) -> String {
    let text = match note {
        Note::SpendsAttempt => "takes one job and spends one of its attempts",
        Note::InDatabase => "in a client of the app's database",
        Note::JobsStay => {
            "a way around, in the environment of app and workers: needs the jobs table and workers on it; jobs that are \
             in Redis stay there"
        }
        Note::WorkersEnd => {
            "after the fix: workers finish their job and end; something must start them again"
        }
        Note::MendsEntrypoint => {
            "in the entrypoint (bash), with the worker's own options, instead of the redirection; the file is kept"
        }
        Note::AskWhoPaused => "ask first: whoever did it had a reason",
        Note::Finds(variable_) => return format!("finds {}", variable(variable_)),
    };
    text.to_owned()
}

pub(in crate::message::words) fn variable(variable: Variable) -> String {
    let what = match variable {
        Variable::Cluster => "the cluster; [ecs] cluster in the configuration fills it in",
        Variable::Service => "the service; [ecs] service in the configuration fills it in",
        Variable::Task => "a task",
        Variable::LogGroup => "the log group",
    };
    format!("{}, {what}", variable.name())
}

/// A verb, and a command where there is one.
type Advice = (&'static str, Option<&'static str>);

pub(in crate::message::words) const fn advice(reason: Blindness, voice: &Voice) -> &'static [Advice] {
    match reason {
        Blindness::NoEnqueueLines => &[
            (
                "Have the app log a line when it enqueues a job (Laravel itself logs none): add the package's JobQueued \
                 listener, or a [[rule]] on a line that the app writes then",
                None,
            ),
            ("See why a line of yours is not recognised", Some("queuewatch explain 'LINE'")),
            ("Check the configuration and its rules", Some("queuewatch check queuewatch.toml")),
        ],
        Blindness::SourceSilent if voice.is_on_aws => {
            &[("See whether the filter and the last deliveries are in place", Some("queuewatch doctor"))]
        }
        Blindness::SourceSilent => &[
            ("See whether the app and its workers run", Some("ps aux")),
            ("See whether it still writes into the files that are watched, and not into new ones", None),
        ],
        Blindness::Unrecognised => &[
            ("See what is not read of such a line, and why", Some("queuewatch explain 'LINE'")),
            (
                "See what changed in how the app and its workers log: a deploy, a log driver, an agent, a formatter",
                None,
            ),
            (
                "Describe the lines with a [[rule]], or undo the change",
                Some("queuewatch check queuewatch.toml"),
            ),
        ],
        Blindness::Rejected if voice.is_on_aws => &[
            ("See how many are kept, and what else is wrong", Some("queuewatch doctor")),
            ("See who else writes to the function or the stream", None),
            ("Deliver them once more, after the fix", Some("queuewatch redrive")),
        ],
        Blindness::Rejected => {
            &[("See who else writes into the input, and what", Some("queuewatch replay EVENT.json"))]
        }
        Blindness::Late if voice.is_on_aws => &[
            ("Wait, if a backlog of logs is being caught up with", None),
            ("See whether deliveries fail", Some("queuewatch doctor")),
        ],
        Blindness::Late => &[("Wait, if old lines are being caught up with", None)],
    }
}

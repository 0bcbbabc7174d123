//! Commands ready to paste: which, for a cause, and in what order.
//!
//! It knows what is configured and what stream names tell; anything else is a variable, with the command that finds
//! it. It refuses remedies that can do harm: nothing here deletes a job, restarts in a loop, or prints a secret.
//!
//! **Invariant:** whatever comes from a log line went through `shell`.

mod action;
mod ecs;
mod host;
mod logs;
mod operator;
mod purpose;
mod shell;

use serde::{Deserialize, Serialize};

use super::diagnosis::cause::{Cause, SubCause};
use super::job::QueueName;
use super::ledger::class::Lane;
use super::ledger::stream::StreamFacts;
use super::policy::{Policy, Preset};
use host::Host;

pub use host::task_of;
pub use logs::{LogsQuery, dashboard};
pub use operator::{close, silence};
pub use purpose::Purpose;

/// Commands of one message, the best first: what is read on a phone, and leaves room for the rest.
const STEPS_MAX: usize = 8;

/// A command, and what to know before it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to paste.
    pub command: String,
    /// What to know.
    pub note: Option<Note>,
    /// What it is for; `None` for one that finds a variable.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// What runs inside a container, where the command takes it there: whoever has run one command in the container
    /// needs no more than this of the next.
    #[serde(default)]
    pub inside: Option<Inside>,
}

/// A command line inside a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The task, as it stands in the command.
    pub task: String,
    /// The container, where it is known.
    pub container: Option<String>,
    /// What runs there.
    pub line: String,
}

/// What to know of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It takes a job, and one of its attempts.
    SpendsAttempt,
    /// It is for a client of the database.
    InDatabase,
    /// A way around the store; jobs that are in it stay there.
    JobsStay,
    /// Workers finish their job and end; something must start them again.
    WorkersEnd,
    /// For the entrypoint, instead of a redirection into a file.
    MendsEntrypoint,
    /// Whoever paused it had a reason.
    AskWhoPaused,
    /// It finds what stands for a variable.
    Finds(Variable),
}

/// What is not known, as it stands in commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// The cluster.
    Cluster,
    /// The service.
    Service,
    /// The task.
    Task,
    /// The log group.
    LogGroup,
}

impl Variable {
    const ALL: [Self; 4] = [Self::Cluster, Self::Service, Self::Task, Self::LogGroup];

    /// As it stands in a command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cluster => "$CLUSTER",
            Self::Service => "$SERVICE",
            Self::Task => "$TASK",
            Self::LogGroup => "$LOG_GROUP",
        }
    }

    fn found_by(self, policy: &Policy) -> String {
        match self {
            Self::Cluster => {
                format!("{} --query 'clusterArns[]' --output text", aws(policy, "ecs list-clusters"))
            }
            Self::Service => format!(
                "{} --cluster {} --query 'serviceArns[]' --output text",
                aws(policy, "ecs list-services"),
                cluster(policy)
            ),
            Self::Task => format!(
                "{} --cluster {} --service-name {} --query 'taskArns[]' --output text",
                aws(policy, "ecs list-tasks"),
                cluster(policy),
                service(policy)
            ),
            Self::LogGroup => format!(
                "{} --query 'logGroups[].logGroupName' --output text",
                aws(policy, "logs describe-log-groups")
            ),
        }
    }
}

/// The commands that find what stands for the variables in `commands`.
#[must_use]
pub fn finders(commands: &[&str], policy: &Policy) -> Vec<Step> {
    let needs = |text: &str, it: Variable| text.contains(it.name());
    let mut found: Vec<Step> = Vec::new();
    // The service and the cluster may be needed to find the task.
    for variable in Variable::ALL.into_iter().rev() {
        let is_needed = commands.iter().any(|text| needs(text, variable))
            || found.iter().any(|step| needs(&step.command, variable));
        if is_needed {
            let command = variable.found_by(policy);
            let note = Some(Note::Finds(variable));
            found.insert(0, Step { command, note, purpose: None, inside: None });
        }
    }
    found
}

/// What commands are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// The likeliest cause.
    pub cause: Cause,
    /// What is behind it.
    pub sub_cause: Option<SubCause>,
    /// The place.
    pub lane: &'a Lane,
    /// The queues it may concern, where the place does not tell.
    pub queues: &'a [QueueName],
    /// The stream of the worker, or of whoever enqueues.
    pub stream: Option<&'a StreamFacts>,
    /// The file that worker output goes to, and the stream that says so.
    pub log_file: Option<(&'a str, &'a StreamFacts)>,
    /// The log group that is silent, or the worker's.
    pub log_group: Option<&'a str>,
    /// Whether the app runs on ECS: some stream is named after a task, or a cluster is configured.
    pub is_on_ecs: bool,
}

/// Commands for a problem, the best first, then those that find the variables in them.
#[must_use]
pub fn steps(problem: &Problem<'_>, policy: &Policy) -> Vec<Step> {
    let host = Host::of(problem.stream, policy);
    let is_laravel = reads_laravel(policy);
    let mut steps: Vec<Step> = Vec::new();
    for action in action::of(problem) {
        if action.asks_cloudwatch() && !policy.seat.is_on_aws() || action.is_laravels() && !is_laravel {
            continue;
        }
        let Some(step) = action.step(problem, &host, policy) else { continue };
        if !steps.iter().any(|known| known.command == step.command) {
            steps.push(step);
        }
    }
    steps.truncate(STEPS_MAX);
    let commands: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let finders = finders(&commands, policy);
    steps.extend(finders);
    steps
}

/// Whether some stream may be of a Laravel app: an app that is described by rules alone has no `artisan`.
fn reads_laravel(policy: &Policy) -> bool {
    policy.sources.is_empty() || policy.sources.iter().any(|it| it.presets.contains(&Preset::Laravel))
}

/// `aws ecs list-tasks --region eu-west-1`; without a region, the reader's own counts.
fn aws(policy: &Policy, command: &str) -> String {
    match &policy.aws.region {
        Some(region) => format!("aws {command} --region {}", shell::word(region)),
        None => format!("aws {command}"),
    }
}

fn cluster(policy: &Policy) -> String {
    name_or(policy.ecs.cluster.as_deref(), Variable::Cluster)
}

fn service(policy: &Policy) -> String {
    name_or(policy.ecs.service.as_deref(), Variable::Service)
}

fn name_or(name: Option<&str>, variable: Variable) -> String {
    match name {
        Some(name) => shell::word(name).into_owned(),
        None => format!("\"{}\"", variable.name()),
    }
}

#[cfg(test)]
mod tests;

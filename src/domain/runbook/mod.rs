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

use super::incidents::cause::{Cause, SubCause};
use super::job::QueueName;
use super::ledger::stream::StreamFacts;
use super::model::policy::{Policy, Preset};
use super::shell;
use crate::domain::model::queue_ref::QueueRef;
use host::Host;

pub use super::incidents::advice::{Inside, LogsQuery, Note, Step, Variable};
pub use super::incidents::purpose::Purpose;
pub use host::task_of;
pub use logs::dashboard;
pub use operator::{close, seen, silence, silence_until};

/// Commands of one message, the best first: what is read on a phone, and leaves room for the rest.
const STEPS_MAX: usize = 8;

impl Variable {
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
    pub queue_ref: &'a QueueRef,
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
        if action.asks_cloudwatch() && !policy.deployment.is_on_aws() || action.is_laravels() && !is_laravel {
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

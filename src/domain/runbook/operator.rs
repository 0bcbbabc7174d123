//! The commands with which an operator answers a message: close the incident, or silence its queue for a while.
//!
//! Where they go to is the seat's: the function that sweeps, or the folder that a watch keeps its state in. Both are
//! commands of queuewatch; what does the same with the AWS CLI stands in `docs/runbook.md`, for it is three lines long.

use crate::domain::deployment::Deployment;
use crate::domain::incidents::Incident;
use crate::domain::job::{HOUR_MS, Timestamp};
use crate::domain::model::policy::Policy;
use crate::domain::shell;

/// How long the silence lasts that a message offers: a shift's better half.
const SILENCE_MS: i64 = 4 * HOUR_MS;
/// What the operator is to fill in.
const REASON: &str = "WHY";
/// What a stack is called where nothing says otherwise.
const STACK: &str = "queuewatch";
/// Of `2025-12-06T16:37:00.000Z`, what comes before the seconds.
const MINUTE_CHARS: usize = 16;

/// Says that somebody has seen an incident. `None` where nobody can be told.
#[must_use]
pub fn seen(incident: &Incident, policy: &Policy) -> Option<String> {
    let id = &incident.id;
    match &policy.deployment {
        Deployment::Aws | Deployment::Folder(_) => {
            Some(format!("queuewatch answer {} seen{}", shell::word(id), whither(policy)))
        }
        Deployment::Process => None,
    }
}

/// Closes an incident by hand. `None` where nobody can be told.
#[must_use]
pub fn close(incident: &Incident, policy: &Policy) -> Option<String> {
    let id = &incident.id;
    match &policy.deployment {
        Deployment::Aws | Deployment::Folder(_) => {
            Some(answer(&format!("close {}", shell::word(id)), policy))
        }
        Deployment::Process => None,
    }
}

/// Holds back the messages of an incident's queue, from `now` on for four hours; where no queue is known, of all.
/// `None` where nobody can be told.
#[must_use]
pub fn silence(incident: &Incident, policy: &Policy, now: Timestamp) -> Option<String> {
    // One of its queues is enough: a silence concerns what may be on any of them.
    let queue = incident.key.queue.as_ref().or_else(|| incident.queues.first());
    let queue = queue.map_or("*", |queue| queue.as_str());
    let until = silence_until(now);
    let name = shell::word(queue);
    match &policy.deployment {
        // Behind `--` nothing is taken for an option.
        Deployment::Aws | Deployment::Folder(_) if queue.starts_with('-') => {
            Some(format!("{} -- {name}", answer(&format!("silence --until {until}"), policy)))
        }
        Deployment::Aws | Deployment::Folder(_) => {
            Some(answer(&format!("silence {name} --until {until}"), policy))
        }
        Deployment::Process => None,
    }
}

/// When the silence ends that a message offers; to the minute, as a person would write it: `2025-12-06T16:37Z`.
#[must_use]
pub fn silence_until(now: Timestamp) -> String {
    let minute = now.plus_ms(SILENCE_MS).minute().to_string();
    minute.chars().take(MINUTE_CHARS).chain(['Z']).collect()
}

/// The command, why, and where it is to be heard.
fn answer(command: &str, policy: &Policy) -> String {
    format!("queuewatch {command} --reason {REASON}{}", whither(policy))
}

/// Where a command is to be heard.
fn whither(policy: &Policy) -> String {
    match (&policy.deployment, &policy.aws.sweep_function) {
        (Deployment::Folder(folder), _) => format!(" --state {}", shell::word(folder)),
        (Deployment::Aws | Deployment::Process, function) => {
            let region = policy.aws.region.as_ref();
            let region = region.map_or_else(String::new, |it| format!(" --region {}", shell::word(it)));
            match (policy.aws.stack(), function) {
                (None, Some(function)) => format!(" --function {}{region}", shell::word(function)),
                (stack, _) => format!(" --stack {}{region}", shell::word(stack.unwrap_or(STACK))),
            }
        }
    }
}

//! The commands with which an operator answers a message: close the incident, or silence its queue for a while.
//!
//! Where they go to is the seat's: the function that sweeps, or the folder that a watch keeps its state in.

use serde_json::json;

use super::{Variable, aws, name_or, shell};
use crate::domain::incident::Incident;
use crate::domain::job::{HOUR_MS, Timestamp};
use crate::domain::policy::Policy;
use crate::domain::seat::Seat;

/// How long the silence lasts that a message offers: a shift's better half.
const SILENCE_MS: i64 = 4 * HOUR_MS;
/// What the operator is to fill in.
const REASON: &str = "WHY";

/// Closes an incident by hand. `None` where nobody can be told.
#[must_use]
pub fn close(incident: &Incident, policy: &Policy) -> Option<String> {
    let id = &incident.id;
    match &policy.seat {
        Seat::Aws => Some(invoke(policy, &json!({ "close": id, "reason": REASON }))),
        Seat::Folder(folder) => Some(tell(folder, &format!("close {}", shell::word(id)))),
        Seat::Process => None,
    }
}

/// Holds back the messages of an incident's queue, from `now` on for four hours; where no queue is known, of all.
/// `None` where nobody can be told.
#[must_use]
pub fn silence(incident: &Incident, policy: &Policy, now: Timestamp) -> Option<String> {
    // One of its queues is enough: a silence concerns what may be on any of them.
    let queue = incident.key.queue.as_ref().or_else(|| incident.queues.first());
    let queue = queue.map_or("*", |queue| queue.as_str());
    let until = now.plus_ms(SILENCE_MS).minute().to_string();
    match &policy.seat {
        Seat::Aws => {
            let silence = json!({ "queue": queue, "until": until, "reason": REASON });
            Some(invoke(policy, &json!({ "silence": silence })))
        }
        Seat::Folder(folder) => {
            let name = shell::word(queue);
            // Behind `--` nothing is taken for an option.
            Some(if queue.starts_with('-') {
                format!("{} -- {name}", tell(folder, &format!("silence --until {until}")))
            } else {
                tell(folder, &format!("silence {name} --until {until}"))
            })
        }
        Seat::Process => None,
    }
}

fn invoke(policy: &Policy, payload: &serde_json::Value) -> String {
    format!(
        "{} --function-name {} --cli-binary-format raw-in-base64-out --payload {} /dev/stdout",
        aws(policy, "lambda invoke"),
        name_or(policy.aws.sweep_function.as_deref(), Variable::Sweep),
        shell::word(&payload.to_string())
    )
}

fn tell(folder: &str, command: &str) -> String {
    format!("queuewatch {command} --reason {REASON} --state {}", shell::word(folder))
}

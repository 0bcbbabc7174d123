//! The commands with which an operator answers a message: close the incident, or silence its queue for a while.

use serde_json::json;

use super::{Variable, aws, name_or, shell};
use crate::domain::incident::Incident;
use crate::domain::job::{HOUR_MS, Timestamp};
use crate::domain::policy::Policy;

/// How long the silence lasts that a message offers: a shift's better half.
const SILENCE_MS: i64 = 4 * HOUR_MS;

/// Closes an incident by hand.
#[must_use]
pub fn close(incident: &Incident, policy: &Policy) -> String {
    invoke(policy, &json!({ "close": incident.id, "reason": "WHY" }))
}

/// Holds back the messages of an incident's queue, from `now` on for four hours. Where no queue is known, of all.
#[must_use]
pub fn silence(incident: &Incident, policy: &Policy, now: Timestamp) -> String {
    // One of its queues is enough: a silence concerns what may be on any of them.
    let queue = incident.key.queue.as_ref().or_else(|| incident.queues.first());
    let queue = queue.map_or("*", |queue| queue.as_str());
    let until = now.plus_ms(SILENCE_MS).minute().to_string();
    invoke(policy, &json!({ "silence": { "queue": queue, "until": until, "reason": "WHY" } }))
}

fn invoke(policy: &Policy, payload: &serde_json::Value) -> String {
    format!(
        "{} --function-name {} --cli-binary-format raw-in-base64-out --payload {} /dev/stdout",
        aws(policy, "lambda invoke"),
        name_or(policy.aws.sweep_function.as_deref(), Variable::Sweep),
        shell::word(&payload.to_string())
    )
}

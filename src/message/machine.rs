//! The machine JSON of a notification, for commands and webhooks: one object, one schema number.
//!
//! A field is added without a new number; one that goes or changes its meaning brings a new one. Times are RFC 3339 in
//! UTC with milliseconds, durations are seconds, what is not known is null.

use serde::Serialize;

use super::compose;
use super::explanation::{Explanation, explain};
use super::words::{self, Voice};
use crate::domain::diagnosis::Cause;
use crate::domain::incidents::{Blindness, Incident, MatchedBy, Notification};
use crate::domain::model::policy::Policy;
use crate::domain::printable::printable;

/// The number of the schema.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct Machine {
    schema: u8,
    notification: Said,
    incident: About,
}

#[derive(Serialize)]
struct Said {
    id: String,
    at: String,
    state: &'static str,
    cause: Option<&'static str>,
    subject: String,
    body: String,
}

#[derive(Serialize)]
struct About {
    id: String,
    kind: &'static str,
    severity: &'static str,
    app: String,
    connection: Option<String>,
    queue: Option<String>,
    queues: Vec<String>,
    sources: Vec<String>,
    reason: Option<&'static str>,
    opened_at: String,
    resolved_at: Option<String>,
    oldest_ready_at: Option<String>,
    jobs_count: u64,
    jobs_now: u64,
    given_up: u64,
    longest_wait_s: i64,
    matched_by: Option<&'static str>,
    jobs: Vec<Listed>,
    evidence: Vec<Known>,
    diagnosis: Option<Explanation>,
}

#[derive(Serialize)]
struct Known {
    text: String,
    at: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    id: Option<String>,
    uuid: Option<String>,
    class: Option<String>,
    enqueued_at: Option<String>,
}

/// The machine JSON of a notification.
#[must_use]
pub fn machine(policy: &Policy, incident: &Incident, notification: &Notification) -> String {
    let voice = Voice::english(compose::store(incident), policy.deployment.is_on_aws());
    let machine = Machine {
        schema: SCHEMA,
        notification: Said {
            id: notification.id.clone(),
            at: notification.at.to_string(),
            state: notification.state.as_str(),
            cause: notification.cause.map(Cause::as_str),
            subject: notification.subject.clone(),
            body: notification.body.clone(),
        },
        incident: About {
            id: incident.id.clone(),
            kind: incident.key.kind.as_str(),
            severity: incident.severity.as_str(),
            app: shown(incident.key.scope().unwrap_or(&policy.app)),
            connection: incident.key.connection.as_ref().map(|name| shown(name.as_str())),
            queue: incident.key.queue.as_ref().map(|name| shown(name.as_str())),
            queues: incident.queues.iter().map(|name| shown(name.as_str())).collect(),
            sources: incident.detail.silent().sources.iter().map(|name| shown(name)).collect(),
            reason: incident.key.reason.map(Blindness::as_str),
            opened_at: incident.opened_at.to_string(),
            resolved_at: incident.resolved_at.map(|at| at.to_string()),
            oldest_ready_at: incident.oldest_ready_at.map(|at| at.to_string()),
            jobs_count: incident.jobs_count,
            jobs_now: incident.jobs_now,
            given_up: incident.given_up,
            longest_wait_s: incident.longest_wait_ms.wrapping_div(1000),
            matched_by: incident.matched_by.map(MatchedBy::as_str),
            jobs: incident
                .jobs
                .iter()
                .map(|job| Listed {
                    id: job.id.as_ref().map(|id| shown(id.as_str())),
                    uuid: job.uuid.as_ref().map(|uuid| shown(uuid.as_str())),
                    class: job.class.as_ref().map(|class| shown(class.as_str())),
                    enqueued_at: job.enqueued_at.map(|at| at.to_string()),
                })
                .collect(),
            evidence: incident
                .evidence
                .iter()
                .map(|it| Known {
                    text: shown(&words::finding(it, &voice)),
                    at: it.at.map(|at| at.to_string()),
                })
                .collect(),
            diagnosis: explain(incident, &policy.deployment),
        },
    };
    // Strings and numbers: there is nothing in it that JSON could not hold.
    serde_json::to_string(&machine).unwrap_or_default()
}

fn shown(name: &str) -> String {
    printable(name).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::message::fixtures;

    #[test]
    fn a_notification_is_one_object_with_every_field() {
        let policy = Policy { app: "shop".into(), ..Policy::default() };
        let text = machine(&policy, &fixtures::stalled(), &fixtures::notification("subject", "body\n"));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "schema": 1,
                "notification": {
                    "id": "stalled-redis-default-20251206T1237Z/1",
                    "at": "2025-12-06T12:37:00.000Z",
                    "state": "firing",
                    "cause": "worker_silent",
                    "subject": "subject",
                    "body": "body\n",
                },
                "incident": {
                    "id": "stalled-redis-default-20251206T1237Z",
                    "kind": "stalled",
                    "severity": "page",
                    "app": "shop",
                    "connection": "redis",
                    "queue": "default",
                    "queues": ["default"],
                    "sources": [],
                    "reason": null,
                    "opened_at": "2025-12-06T12:37:00.000Z",
                    "resolved_at": null,
                    "oldest_ready_at": "2025-12-06T12:31:10.000Z",
                    "jobs_count": 2,
                    "jobs_now": 2,
                    "given_up": 0,
                    "longest_wait_s": 350,
                    "matched_by": "id",
                    "jobs": [{
                        "id": "abc",
                        "uuid": null,
                        "class": "App\\Jobs\\Make",
                        "enqueued_at": "2025-12-06T12:31:10.000Z",
                    }],
                    "evidence": [{"text": "last job started: none ever seen", "at": null}],
                    "diagnosis": {
                        "cause": "worker_silent",
                        "certain": false,
                        "runners_up": ["logs_not_forwarded"],
                        "evidence": ["last log line of any kind: 2025-12-06 12:36:00 UTC"],
                        "cannot_tell": ["whether a worker runs: idle, dead, paused and misrouted ones print nothing"],
                        "commands": [
                            "php artisan queue:monitor redis:default",
                            "# takes one job and spends one of its attempts\nphp artisan queue:work --once -v",
                        ],
                    },
                },
            })
        );
        assert!(!text.contains('\n'), "one line");
    }
}

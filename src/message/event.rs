//! An announcement for programs on AWS: the detail of an event on a bus.
//!
//! Flat where a rule would match and short where a pager would show it. `docs/event.schema.json` is its contract: a field
//! is added without a new number; one that goes or changes its meaning brings a new one. What is not known is null.

use serde::Serialize;

use super::mail::mail;
use super::sections::Sections;
use crate::domain::diagnosis::Cause;
use crate::domain::incidents::{Blindness, Incident, Notification};
use crate::domain::job::Timestamp;
use crate::domain::model::policy::Policy;
use crate::domain::printable::printable;

/// The number of the schema.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct Event<'a> {
    schema: u8,
    id: &'a str,
    dedup_key: &'a str,
    kind: &'static str,
    state: &'static str,
    severity: &'static str,
    app: String,
    account: Option<&'a str>,
    region: Option<&'a str>,
    connection: Option<String>,
    queue: Option<String>,
    queues: Vec<String>,
    reason: Option<&'static str>,
    cause: Option<&'static str>,
    certain: Option<bool>,
    seen_by: Option<&'a str>,
    jobs: u64,
    longest_wait_s: i64,
    times: Times,
    links: Vec<Target<'a>>,
    subject: &'a str,
    text: String,
}

#[derive(Serialize)]
struct Times {
    said_at: String,
    opened_at: String,
    oldest_ready_at: Option<String>,
    resolved_at: Option<String>,
}

#[derive(Serialize)]
struct Target<'a> {
    label: &'a str,
    url: &'a str,
}

/// The detail of an event, as one line of JSON.
pub(super) fn event(
    policy: &Policy,
    incident: &Incident,
    notification: &Notification,
    sections: &Sections,
) -> String {
    let key = &incident.key;
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let event = Event {
        schema: SCHEMA,
        id: &notification.id,
        dedup_key: &incident.id,
        kind: key.kind.as_str(),
        state: notification.state.as_str(),
        severity: incident.severity.as_str(),
        app: shown(&policy.app),
        account: policy.aws.account.as_deref(),
        region: policy.aws.region.as_deref(),
        connection: key.connection.as_ref().map(|name| shown(name.as_str())),
        queue: key.queue.as_ref().map(|name| shown(name.as_str())),
        queues: incident.queues.iter().map(|name| shown(name.as_str())).collect(),
        reason: key.reason.map(Blindness::as_str),
        cause: notification.cause.map(Cause::as_str),
        certain: incident.diagnosis.as_ref().map(|diagnosis| diagnosis.is_certain),
        seen_by: incident.seen.as_ref().map(|seen| seen.by.as_str()),
        jobs: incident.jobs_now,
        longest_wait_s: incident.longest_wait_ms.wrapping_div(1000),
        times: Times {
            said_at: notification.at.to_string(),
            opened_at: incident.opened_at.to_string(),
            oldest_ready_at: text(incident.oldest_ready_at),
            resolved_at: text(incident.resolved_at),
        },
        links: sections.links.iter().map(|link| Target { label: link.label, url: &link.url }).collect(),
        subject: &notification.subject,
        text: mail(sections),
    };
    // Strings and numbers: there is nothing in it that JSON could not hold.
    serde_json::to_string(&event).unwrap_or_default()
}

fn shown(name: &str) -> String {
    printable(name).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::model::policy::Aws;
    use crate::message::{compose, fixtures};

    #[test]
    fn an_event_says_what_a_rule_and_a_pager_need() {
        let aws =
            Aws { account: Some("123456789012".into()), region: Some("eu-west-1".into()), ..Aws::default() };
        let policy = Policy { app: "shop".into(), aws, ..Policy::default() };
        let (incident, said) = (fixtures::stalled(), fixtures::notification("subject", "body"));
        let sections = compose(&policy, &incident, said.state, said.at);
        let text = event(&policy, &incident, &said, &sections);
        assert!(!text.contains('\n'), "one line");
        let event: Value = serde_json::from_str(&text).unwrap();
        for (field, expected) in [
            ("id", "stalled-redis-default-20251206T1237Z/1"),
            ("dedup_key", "stalled-redis-default-20251206T1237Z"),
            ("kind", "stalled"),
            ("state", "firing"),
            ("severity", "page"),
            ("app", "shop"),
            ("account", "123456789012"),
            ("region", "eu-west-1"),
            ("queue", "default"),
            ("cause", "worker_silent"),
            ("subject", "subject"),
        ] {
            assert_eq!(event[field], expected, "{field}");
        }
        assert_eq!(event["times"]["opened_at"], "2025-12-06T12:37:00.000Z");
        assert_eq!(event["text"], mail(&sections));
        assert_eq!(event["links"].as_array().map(Vec::len), Some(sections.links.len()));
    }
}

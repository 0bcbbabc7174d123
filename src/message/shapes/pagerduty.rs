//! PagerDuty: an event of the [Events API v2](https://developer.pagerduty.com/docs/events-api-v2/trigger-events/).
//!
//! The routing key is not in it: it is a secret, and a message waits in a folder until it is taken. Whoever sends adds it.
//! **Invariant:** one dedup key an incident, for as long as it is open: a reminder adds to the incident that PagerDuty
//! has, and pages anew only where somebody resolved it there.

use serde::Serialize;

use super::{is_address, shortened};
use crate::domain::incidents::{Incident, Notification, NotificationState, Severity};
use crate::domain::model::policy::Policy;
use crate::domain::printable::printable;
use crate::message::mail::mail;
use crate::message::sections::Sections;

/// The summary: the title that is read aloud.
const SUMMARY_CHARS_MAX: usize = 1_024;
/// The dedup key.
const KEY_CHARS_MAX: usize = 255;
/// The whole text, far below the 512 KB of an event.
const TEXT_CHARS_MAX: usize = 20_000;
/// Source, component, group, class: names.
const NAME_CHARS_MAX: usize = 255;

#[derive(Serialize)]
struct Event<'a> {
    event_action: &'static str,
    dedup_key: String,
    #[serde(flatten)]
    trigger: Option<Trigger<'a>>,
}

#[derive(Serialize)]
struct Trigger<'a> {
    client: &'static str,
    links: Vec<Link<'a>>,
    payload: Payload<'a>,
}

#[derive(Serialize)]
struct Link<'a> {
    href: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: String,
    component: Option<String>,
    group: String,
    class: &'static str,
    custom_details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    incident: &'a str,
    kind: &'static str,
    cause: Option<&'static str>,
    connection: Option<String>,
    queue: Option<String>,
    jobs: u64,
    longest_wait_s: i64,
    opened_at: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// The event of a notification, without its routing key.
pub(in crate::message) fn pagerduty(
    policy: &Policy,
    incident: &Incident,
    notification: &Notification,
    sections: &Sections,
) -> String {
    let event_action = match notification.state {
        NotificationState::Firing | NotificationState::Reminder | NotificationState::Updated => "trigger",
        NotificationState::Seen => "acknowledge",
        NotificationState::Resolved => "resolve",
    };
    let trigger = (event_action == "trigger").then(|| trigger(policy, incident, notification, sections));
    let event = Event { event_action, dedup_key: dedup_key(&incident.id), trigger };
    // Strings and numbers: there is nothing in it that JSON could not hold.
    serde_json::to_string(&event).unwrap_or_default()
}

fn trigger<'a>(
    policy: &'a Policy,
    incident: &'a Incident,
    notification: &Notification,
    sections: &'a Sections,
) -> Trigger<'a> {
    let name = |text: &str| shortened(text, NAME_CHARS_MAX).0;
    let app = incident.key.scope().unwrap_or(&policy.app);
    let queue = incident.key.queue.as_ref().map(|queue| name(queue.as_str()));
    let connection = incident.key.connection.as_ref().map(|connection| name(connection.as_str()));
    let (summary, is_title_cut) = shortened(&sections.title, SUMMARY_CHARS_MAX);
    let (text, is_text_cut) = whole(&mail(sections));
    let links = sections.links.iter().filter(|link| is_address(&link.url));
    Trigger {
        client: "queuewatch",
        links: links.map(|link| Link { href: &link.url, text: link.label }).collect(),
        payload: Payload {
            summary,
            source: name(app),
            severity: match incident.severity {
                Severity::Page => "critical",
                Severity::Warn => "warning",
            },
            timestamp: notification.at.to_string(),
            component: queue.clone(),
            group: name(app),
            class: incident.key.kind.as_str(),
            custom_details: Details {
                incident: &incident.id,
                kind: incident.key.kind.as_str(),
                cause: notification.cause.map(crate::domain::diagnosis::Cause::as_str),
                connection,
                queue,
                jobs: incident.jobs_now,
                longest_wait_s: incident.longest_wait_ms.wrapping_div(1000),
                opened_at: incident.opened_at.to_string(),
                text,
                note: (is_title_cut || is_text_cut).then_some(sections.labels.shortened),
            },
        },
    }
}

/// The mail's text with its lines, and whether it had to be cut.
fn whole(text: &str) -> (String, bool) {
    let lines: Vec<_> = text.lines().map(printable).collect();
    let whole = lines.join("\n");
    if whole.chars().count() <= TEXT_CHARS_MAX {
        return (whole, false);
    }
    (whole.chars().take(TEXT_CHARS_MAX).collect(), true)
}

/// An id that is too long keeps both its ends: the kind and the names, and when it opened.
fn dedup_key(id: &str) -> String {
    let count = id.chars().count();
    if count <= KEY_CHARS_MAX {
        return id.to_owned();
    }
    let half = KEY_CHARS_MAX.wrapping_div(2);
    let end = id.chars().skip(count.saturating_sub(half));
    id.chars().take(half).chain(['~']).chain(end).collect()
}

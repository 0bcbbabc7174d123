//! Which topics a notification goes to: a page to both, a warning to the chat, or by mail where there is no chat.

use crate::domain::incident::{Incident, Notification, Severity};
use crate::domain::outbox::{Letter, Topic};
use crate::domain::policy::Policy;

/// Addresses a notification: one letter for each topic that it goes to.
#[must_use]
pub fn address(incident: &Incident, notification: &Notification, policy: &Policy) -> Vec<Letter> {
    let topics: &[Topic] = match (incident.severity, policy.has_chat_topic) {
        (Severity::Page, true) => &[Topic::Email, Topic::Chat],
        (Severity::Warn, true) => &[Topic::Chat],
        (Severity::Page | Severity::Warn, false) => &[Topic::Email],
    };
    topics
        .iter()
        .map(|topic| Letter {
            topic: *topic,
            subject: notification.subject.clone(),
            body: notification.body.clone(),
            incident: incident.id.clone(),
            notification: notification.id.clone(),
            severity: Some(incident.severity),
            queue: incident.key.queue.as_ref().map(ToString::to_string),
        })
        .collect()
}

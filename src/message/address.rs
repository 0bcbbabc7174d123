//! Which topics a notification goes to: a page to both, a warning to the chat, or by mail where there is no chat; and
//! everything to programs.

use std::collections::BTreeMap;

use super::sections::Sections;
use super::{chat, event, machine, mail, shapes};
use crate::domain::diagnosis::Cause;
use crate::domain::incidents::{Incident, Notification, Severity};
use crate::domain::model::channel::Channel;
use crate::domain::model::policy::Policy;
use crate::domain::outbox::OutgoingMessage;

/// Addresses a notification: one message for each topic that it goes to, each made of the same sections.
#[must_use]
pub fn address(
    incident: &Incident,
    notification: &Notification,
    sections: &Sections,
    policy: &Policy,
) -> Vec<OutgoingMessage> {
    let channels: &[Channel] = match (incident.severity, policy.has_chat_topic) {
        (Severity::Page, true) => &[Channel::Email, Channel::Chat],
        (Severity::Warn, true) => &[Channel::Chat],
        (Severity::Page | Severity::Warn, false) => &[Channel::Email],
    };
    channels
        .iter()
        .chain(policy.machine_topics.iter().filter(|channel| is_for(**channel, incident.severity, policy)))
        .map(|channel| OutgoingMessage {
            channel: *channel,
            subject: notification.subject.clone(),
            body: match channel {
                Channel::Email => mail(sections),
                Channel::Chat => chat::incident(policy, incident, notification, sections),
                Channel::EventBus => event::event(policy, incident, notification, sections),
                Channel::Slack => shapes::slack(incident, notification.state, sections),
                Channel::Teams => shapes::teams(incident, notification.state, sections),
                Channel::PagerDuty => shapes::pagerduty(policy, incident, notification, sections),
                Channel::Output | Channel::Command | Channel::Webhook => {
                    machine(policy, incident, notification)
                }
            },
            incident: incident.id.clone(),
            notification: notification.id.clone(),
            severity: Some(incident.severity),
            queue: incident.key.queue.as_ref().map(ToString::to_string),
            labels: labels(incident, notification, policy),
        })
        .collect()
}

/// Whether a channel takes a severity. A pager wakes people: a warning is for it only where somebody says so.
fn is_for(channel: Channel, severity: Severity, policy: &Policy) -> bool {
    channel != Channel::PagerDuty || severity == Severity::Page || policy.does_pager_take_warnings
}

/// What a program may sort a message by.
fn labels(incident: &Incident, notification: &Notification, policy: &Policy) -> BTreeMap<String, String> {
    let labels = [
        ("app", Some(policy.app.as_str())),
        ("cause", notification.cause.map(Cause::as_str)),
        ("kind", Some(incident.key.kind.as_str())),
        ("state", Some(notification.state.as_str())),
    ];
    labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::message::{compose, fixtures};

    #[track_caller]
    fn check(severity: Severity, has_chat_topic: bool, expected: &[Channel]) {
        let incident = Incident { severity, ..fixtures::stalled() };
        let policy = Policy { has_chat_topic, ..Policy::default() };
        let notification = fixtures::notification("subject", "body\n");
        let sections = compose(&policy, &incident, notification.state, notification.at);
        let messages = address(&incident, &notification, &sections, &policy);
        assert_eq!(messages.iter().map(|message| message.channel).collect::<Vec<_>>(), expected);
        for message in &messages {
            let chat = serde_json::from_str::<Value>(&message.body).ok();
            let is_chat = chat.is_some_and(|chat| chat["metadata"]["threadId"] == *incident.id);
            assert_eq!(is_chat, message.channel == Channel::Chat);
            assert_eq!((message.severity, message.queue.as_deref()), (Some(severity), Some("default")));
            assert_eq!(message.notification, "stalled-redis-default-20251206T1237Z/1");
        }
    }

    #[test]
    fn programs_are_told_of_everything_with_labels_to_sort_it_by() {
        let incident = Incident { severity: Severity::Warn, ..fixtures::stalled() };
        let policy =
            Policy { machine_topics: vec![Channel::EventBus], app: "shop".into(), ..Policy::default() };
        let notification = fixtures::notification("subject", "body\n");
        let sections = compose(&policy, &incident, notification.state, notification.at);
        let messages = address(&incident, &notification, &sections, &policy);
        let channels: Vec<Channel> = messages.iter().map(|message| message.channel).collect();
        assert_eq!(channels, [Channel::Email, Channel::EventBus]);
        let labels: Vec<(&str, &str)> =
            messages[1].labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected =
            [("app", "shop"), ("cause", "worker_silent"), ("kind", "stalled"), ("state", "firing")];
        assert_eq!(labels, expected);
    }

    #[test]
    fn a_pager_is_told_of_warnings_only_where_somebody_says_so() {
        for (severity, does_pager_take_warnings, expected) in
            [(Severity::Page, false, true), (Severity::Warn, false, false), (Severity::Warn, true, true)]
        {
            let incident = Incident { severity, ..fixtures::stalled() };
            let machine_topics = vec![Channel::Slack, Channel::PagerDuty];
            let policy = Policy { machine_topics, does_pager_take_warnings, ..Policy::default() };
            let notification = fixtures::notification("subject", "body\n");
            let sections = compose(&policy, &incident, notification.state, notification.at);
            let told: Vec<Channel> =
                address(&incident, &notification, &sections, &policy).iter().map(|it| it.channel).collect();
            assert_eq!(told.contains(&Channel::PagerDuty), expected, "{severity:?}");
            assert!(told.contains(&Channel::Slack));
        }
    }

    #[test]
    fn a_page_goes_to_both_topics() {
        check(Severity::Page, true, &[Channel::Email, Channel::Chat]);
        check(Severity::Page, false, &[Channel::Email]);
    }

    #[test]
    fn a_warning_goes_to_the_chat_and_by_mail_where_there_is_none() {
        check(Severity::Warn, true, &[Channel::Chat]);
        check(Severity::Warn, false, &[Channel::Email]);
    }
}

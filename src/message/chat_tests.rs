//! The chat's schema, and what is said within it.

use serde_json::{Value, json};

use super::*;
use crate::domain::model::policy::Aws;
use crate::message::{compose, fixtures};

fn policy() -> Policy {
    let sweep_function = Some("queuewatch-SweepFunction-1A2B3C".into());
    Policy { app: "shop".into(), aws: Aws { sweep_function, ..Aws::default() }, ..Policy::default() }
}

/// Written from the documentation's table of parameters; `additionalProperties` is our own strictness.
fn schema() -> Value {
    let text = |max: usize| json!({"type": "string", "minLength": 1, "maxLength": max});
    let texts = |count: usize, max: usize| json!({"type": "array", "maxItems": count, "items": text(max)});
    json!({
        "type": "object",
        "required": ["version", "source", "content"],
        "additionalProperties": false,
        "properties": {
            "version": {"const": "1.0"},
            "source": {"const": "custom"},
            "id": text(120),
            "content": {
                "type": "object",
                "required": ["description"],
                "additionalProperties": false,
                "properties": {
                    "textType": {"const": "client-markdown"},
                    "title": text(220),
                    "description": text(3_000),
                    "nextSteps": texts(3, 700),
                    "keywords": texts(6, 120),
                }
            },
            "metadata": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "threadId": text(120),
                    "summary": text(200),
                    "eventType": {"type": "string", "pattern": "^[a-zA-Z0-9-]{1,100}$"},
                    "relatedResources": texts(5, 120),
                    "additionalContext": {
                        "type": "object",
                        "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,100}$"},
                        "additionalProperties": text(1_024),
                    }
                }
            }
        }
    })
}

#[track_caller]
fn check(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    if let Err(error) = jsonschema::validate(&schema(), &value) {
        panic!("{error}\n{text}");
    }
    value
}

/// The chat of what the fixture says.
fn chat_of(incident_: &Incident, notification: &Notification) -> Value {
    let policy = policy();
    let sections = compose(&policy, incident_, notification.state, notification.at);
    check(&incident(&policy, incident_, notification, &sections))
}

#[test]
fn a_page_is_a_custom_notification_in_the_incidents_thread() {
    let page = fixtures::stalled();
    let notification = fixtures::notification("ALARM", "body\n");
    let mut chat = chat_of(&page, &notification);
    let description = chat["content"]["description"].take();
    let description = description.as_str().unwrap();
    assert!(
        description.starts_with("shop: jobs on redis:default have waited since 12:31 UTC"),
        "{description}"
    );
    assert!(description.contains("\n\nMost likely: the worker is not running.\nOr: "), "{description}");
    let steps = "\n\n1. Count what waits in the queue: `php artisan queue:monitor redis:default`\n\
                 2. Run one job by hand - takes one job and spends one of its attempts: \
                 `php artisan queue:work --once -v`\n\n*Known*\n• ";
    assert!(description.contains(steps), "{description}");
    assert!(description.contains("\nIncident: stalled-redis-default-20251206T1237Z; "), "{description}");
    assert_eq!(
        chat,
        json!({
            "version": "1.0",
            "source": "custom",
            "id": "stalled-redis-default-20251206T1237Z/1",
            "content": {
                "textType": "client-markdown",
                "title": ":rotating_light: ALARM shop redis:default: no job started for 6 min, 2 waiting",
                "description": null,
                "nextSteps": [
                    "I have seen it: no more reminders: `queuewatch answer stalled-redis-default-20251206T1237Z seen --stack queuewatch`",
                    "Close: `queuewatch close stalled-redis-default-20251206T1237Z --reason WHY --stack queuewatch`",
                    "Silence for 4 h: `queuewatch silence default --until 2025-12-06T16:37Z --reason WHY --stack queuewatch`",
                ],
                "keywords": ["shop", "stalled", "page", "default", "worker_silent"],
            },
            "metadata": {
                "threadId": "stalled-redis-default-20251206T1237Z",
                "summary": "ALARM shop redis:default: no job started for 6 min, 2 waiting",
                "eventType": "queuewatch-stalled",
                "additionalContext": {
                    "app": "shop",
                    "cause": "worker_silent",
                    "connection": "redis",
                    "function": "queuewatch-SweepFunction-1A2B3C",
                    "incident": "stalled-redis-default-20251206T1237Z",
                    "kind": "stalled",
                    "notification": "stalled-redis-default-20251206T1237Z/1",
                    "queue": "default",
                    "severity": "page",
                    "state": "firing",
                    "until": "2025-12-06T16:37Z",
                },
            },
        })
    );
}

#[test]
fn marks_in_names_are_not_read_as_markdown() {
    let mut page = fixtures::stalled();
    page.key.queue = Some("a *b* <@U1> & @here ```<!channel>```".into());
    let chat = chat_of(&page, &fixtures::notification("", ""));
    let (title, description) = (&chat["content"]["title"], &chat["content"]["description"]);
    for text in [title, description].map(|it| it.as_str().unwrap()) {
        assert!(
            text.contains(
                "redis:a *\u{200b}b*\u{200b} &lt;@\u{200b}U1&gt; &amp; @\u{200b}here `\u{200b}`\u{200b}`\u{200b}&lt;!channel&gt;"
            ),
            "{text}"
        );
    }
}

#[test]
fn whatever_is_too_long_is_cut_and_never_within_an_entity() {
    let mut page = fixtures::stalled();
    page.id = "i".repeat(5_000);
    page.key.queue = Some("<&>".repeat(900).as_str().into());
    let policy = Policy { app: "a".repeat(5_000), ..policy() };
    let notification = fixtures::notification("", "");
    let sections = compose(&policy, &page, notification.state, notification.at);
    let chat = check(&incident(&policy, &page, &notification, &sections));
    assert!(chat["content"]["description"].as_str().unwrap().chars().count() <= DESCRIPTION_CHARS_MAX);
    // Half a command is none: the ones that answer this incident are too long for a step.
    assert_eq!(chat["content"]["nextSteps"], Value::Null);
    assert!(serde_json::to_string(&chat).unwrap().len() < 8_000);
}

#[test]
fn recovery_and_warning_have_signs_of_their_own() {
    let mut notification = fixtures::notification("", "");
    notification.state = NotificationState::Resolved;
    let mut warning = fixtures::stalled();
    let is_signed = |it: &Incident, said: &Notification, sign: &str| {
        let chat = chat_of(it, said);
        assert!(chat["content"]["title"].as_str().unwrap().starts_with(sign), "{chat:#}");
        // There is nothing to answer where it is over, so that no button is shown.
        let context = &chat["metadata"]["additionalContext"];
        assert_eq!(context["until"].is_null(), said.state == NotificationState::Resolved, "{chat:#}");
    };
    is_signed(&warning, &notification, ":white_check_mark: OK ");
    warning.severity = Severity::Warn;
    notification.state = NotificationState::Reminder;
    is_signed(&warning, &notification, ":warning: WARN ");
    warning.key.kind = Kind::Lost;
    warning.given_up = 2;
    notification.state = NotificationState::Resolved;
    is_signed(&warning, &notification, ":grey_question: GIVEN UP ");
}

#[test]
fn a_japanese_title_is_japanese() {
    let policy = Policy { language: crate::domain::model::policy::Language::Ja, ..policy() };
    let notification = fixtures::notification("", "");
    let page = fixtures::stalled();
    let sections = compose(&policy, &page, notification.state, notification.at);
    let chat = check(&incident(&policy, &page, &notification, &sections));
    let title = ":rotating_light: 【障害】shop: redis:default で 6 分間開始なし、待機 2 件";
    assert_eq!(
        (&chat["content"]["title"], &chat["metadata"]["summary"]),
        (&title.into(), &title.trim_start_matches(":rotating_light: ").into())
    );
    assert!(sections.subject.is_ascii());
}

#[test]
fn a_greeting_is_a_custom_notification_too() {
    let watching = Watching { app: "shop".into(), ..Watching::default() };
    let chat = check(&greeting(&watching, "now-watching/1", "WATCHING shop", "body", &["Nothing."]));
    assert_eq!(chat["metadata"]["threadId"], "now-watching");
    assert_eq!(chat["content"]["nextSteps"], json!(["Nothing."]));
}

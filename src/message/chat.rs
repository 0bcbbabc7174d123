//! The chat JSON: a custom notification of Amazon Q Developer in chat applications, once AWS Chatbot.
//!
//! **Invariant:** the schema and nothing else: what does not match it is dropped there without a word
//! ([custom notifications](https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html)).
//! AWS names no lengths; the bounds here keep a message below what Slack shows of one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::markdown::{code, cut, fenced, inline};
use super::words;
use crate::domain::incident::{Incident, Notification, NotificationState, Severity};
use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::policy::Policy;
use crate::domain::runbook::{self, Note, Step};
use crate::domain::watching::{NOW_WATCHING, Watching};

/// A line on a phone's lock screen, four times over.
const TITLE_CHARS_MAX: usize = 200;
/// What one reads before doing something.
const STEPS_MAX: usize = 5;
/// A command that is ready to paste fits; a longer one is left out, as half a command is none.
const STEP_CHARS_MAX: usize = 700;
/// Names: keywords and values of the context, where a custom action takes 1,024 of a variable.
const NAME_CHARS_MAX: usize = 120;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    version: &'static str,
    source: &'static str,
    id: String,
    content: Content,
    metadata: Metadata,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    text_type: &'static str,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    thread_id: String,
    summary: String,
    event_type: String,
    additional_context: BTreeMap<&'static str, String>,
}

/// The chat JSON of a notification. Everything said of one incident goes to one thread.
#[must_use]
pub(super) fn incident(policy: &Policy, incident: &Incident, notification: &Notification) -> String {
    let app = policy.app.as_str();
    let (kind, severity) = (incident.key.kind.as_str(), incident.severity.as_str());
    let connection = incident.key.connection.as_ref().map(ConnectionName::as_str);
    let queue = incident.key.queue.as_ref().map(QueueName::as_str);
    let cause = incident.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
    let sign = match (notification.state, incident.severity) {
        (NotificationState::Resolved, _) => ":white_check_mark:",
        (_, Severity::Page) => ":rotating_light:",
        (_, Severity::Warn) => ":warning:",
    };
    let context = [
        ("app", Some(app)),
        ("cause", cause),
        ("connection", connection),
        ("incident", Some(&*incident.id)),
        ("kind", Some(kind)),
        ("notification", Some(&*notification.id)),
        ("queue", queue),
        ("severity", Some(severity)),
        ("state", Some(notification.state.as_str())),
    ];
    let keywords = [Some(app), Some(kind), Some(severity), queue, cause];
    json(Chat {
        version: "1.0",
        source: "custom",
        id: cut(&notification.id, NAME_CHARS_MAX),
        content: Content {
            text_type: "client-markdown",
            title: format!("{sign} {}", inline(&notification.subject, TITLE_CHARS_MAX)),
            description: fenced(&summary(policy, incident, notification)),
            next_steps: steps(policy, incident, notification),
            keywords: keywords.into_iter().flatten().map(|word| inline(word, NAME_CHARS_MAX)).collect(),
        },
        metadata: Metadata {
            thread_id: cut(&incident.id, NAME_CHARS_MAX),
            summary: cut(&notification.subject, TITLE_CHARS_MAX),
            event_type: format!("queuewatch-{kind}"),
            additional_context: context
                .into_iter()
                .filter_map(|(key, value)| Some((key, cut(value?, NAME_CHARS_MAX))))
                .collect(),
        },
    })
}

/// What the mail says before its commands: those are the steps, and the mail has the rest.
fn summary(policy: &Policy, incident: &Incident, notification: &Notification) -> String {
    let labels = words::labels(policy.language);
    let ends = [
        labels.first,
        labels.then,
        labels.to_do,
        labels.variables,
        labels.logs,
        labels.cannot_tell,
        labels.close,
    ];
    let is_end = |line: &str| notification.state != NotificationState::Resolved && ends.contains(&line);
    let mut lines: Vec<&str> = notification.body.lines().take_while(|line| !is_end(line)).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut text = lines.join("\n");
    if !text.contains(&incident.id) {
        text.push_str("\n\n");
        text.push_str(labels.incident);
        text.push_str(&incident.id);
    }
    text
}

/// Where to read on, what to run first, and how to answer.
fn steps(policy: &Policy, incident: &Incident, notification: &Notification) -> Vec<String> {
    if notification.state == NotificationState::Resolved {
        return Vec::new();
    }
    let language = policy.language;
    let advice =
        words::advice(language, &incident.key, &policy.seat).map(|advice| inline(advice, STEP_CHARS_MAX));
    let diagnosis = incident.diagnosis.as_ref();
    let is_step = |step: &&Step| !matches!(step.note, Some(Note::Finds(_)));
    let commands =
        diagnosis.into_iter().flat_map(|it| it.commands.iter().filter(is_step)).filter_map(|step| {
            let code = code(&step.command)?;
            Some(match step.note {
                Some(note) => format!("{code} ({})", inline(&words::note(language, note), NAME_CHARS_MAX)),
                None => code,
            })
        });
    let url = diagnosis.and_then(|it| it.logs.as_ref()?.url(policy));
    let link = url.map(|url| format!("<{url}|{}>", labels_of_logs(policy))).filter(|it| fits(it));
    let close = runbook::close(incident, policy).and_then(|close| code(&close));
    let close = close.map(|code| format!("{}: {code}", words::labels(language).close)).filter(|it| fits(it));
    let first = advice.into_iter().chain(commands).filter(|it| fits(it)).take(STEPS_MAX.saturating_sub(2));
    first.chain(link).chain(close).collect()
}

/// The chat JSON of the greeting.
#[must_use]
pub(super) fn greeting(watching: &Watching, id: &str, subject: &str, body: &str, steps: &[&str]) -> String {
    let context = [("app", &*watching.app), ("notification", id), ("state", "watching")];
    json(Chat {
        version: "1.0",
        source: "custom",
        id: id.to_owned(),
        content: Content {
            text_type: "client-markdown",
            title: format!(":eyes: {}", inline(subject, TITLE_CHARS_MAX)),
            description: fenced(body),
            next_steps: steps.iter().take(STEPS_MAX).map(|step| inline(step, STEP_CHARS_MAX)).collect(),
            keywords: vec![inline(&watching.app, NAME_CHARS_MAX), NOW_WATCHING.to_owned()],
        },
        metadata: Metadata {
            thread_id: NOW_WATCHING.to_owned(),
            summary: cut(subject, TITLE_CHARS_MAX),
            event_type: "queuewatch-watching".to_owned(),
            additional_context: context.map(|(key, value)| (key, cut(value, NAME_CHARS_MAX))).into(),
        },
    })
}

fn json(chat: Chat) -> String {
    // Strings and lists of strings: there is nothing in it that JSON could not hold.
    serde_json::to_string(&chat).unwrap_or_default()
}

/// The name of the link to the lines.
const fn labels_of_logs(policy: &Policy) -> &'static str {
    words::labels(policy.language).logs
}

fn fits(step: &str) -> bool {
    step.chars().count() <= STEP_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::message::fixtures;

    fn policy() -> Policy {
        Policy { app: "shop".into(), ..Policy::default() }
    }

    /// Written from the documentation's table of parameters; `additionalProperties` is our own strictness.
    fn schema() -> Value {
        let text = |max: usize| json!({"type": "string", "minLength": 1, "maxLength": max});
        let texts =
            |count: usize, max: usize| json!({"type": "array", "maxItems": count, "items": text(max)});
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
                        "nextSteps": texts(5, 700),
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

    #[test]
    fn a_page_is_a_custom_notification_in_the_incidents_thread() {
        let page = fixtures::stalled();
        let body = "ALARM\njobs 2\n\nDO FIRST\nphp artisan queue:monitor redis:default\n";
        let notification = fixtures::notification("ALARM shop redis:default stalled 7m, 2 overdue", body);
        assert_eq!(
            check(&incident(&policy(), &page, &notification)),
            json!({
                "version": "1.0",
                "source": "custom",
                "id": "stalled-redis-default-20251206T1237Z/1",
                "content": {
                    "textType": "client-markdown",
                    "title": ":rotating_light: ALARM shop redis:default stalled 7m, 2 overdue",
                    "description": "```\nALARM\njobs 2\n\nincident stalled-redis-default-20251206T1237Z\n```",
                    "nextSteps": [
                        "`php artisan queue:monitor redis:default`",
                        "`php artisan queue:work --once -v` (takes one job and spends one of its attempts)",
                        "CLOSE this incident, if nothing is wrong: `aws lambda invoke --function-name \"$SWEEP\" \
                         --cli-binary-format raw-in-base64-out \
                         --payload '{\"close\":\"stalled-redis-default-20251206T1237Z\",\"reason\":\"WHY\"}' /dev/stdout`",
                    ],
                    "keywords": ["shop", "stalled", "page", "default", "worker_silent"],
                },
                "metadata": {
                    "threadId": "stalled-redis-default-20251206T1237Z",
                    "summary": "ALARM shop redis:default stalled 7m, 2 overdue",
                    "eventType": "queuewatch-stalled",
                    "additionalContext": {
                        "app": "shop",
                        "cause": "worker_silent",
                        "connection": "redis",
                        "incident": "stalled-redis-default-20251206T1237Z",
                        "kind": "stalled",
                        "notification": "stalled-redis-default-20251206T1237Z/1",
                        "queue": "default",
                        "severity": "page",
                        "state": "firing",
                    },
                },
            })
        );
    }

    #[test]
    fn marks_in_names_are_not_read_as_markdown() {
        let notification = fixtures::notification("a *b* <@U1> & @here", "```<!channel>``` & *x*");
        let chat = check(&incident(&policy(), &fixtures::stalled(), &notification));
        assert_eq!(
            chat["content"]["title"],
            ":rotating_light: a *\u{200b}b*\u{200b} &lt;@\u{200b}U1&gt; &amp; @\u{200b}here"
        );
        let description = chat["content"]["description"].as_str().unwrap();
        assert!(description.starts_with("```\n'''&lt;!channel&gt;''' &amp; *x*\n"), "{description}");
    }

    #[test]
    fn whatever_is_too_long_is_cut_and_never_within_an_entity() {
        let mut page = fixtures::stalled();
        page.id = "i".repeat(5_000);
        page.key.queue = Some("<&>".repeat(900).as_str().into());
        let notification = fixtures::notification(&"<".repeat(5_000), &"&".repeat(5_000));
        let chat = check(&incident(&Policy { app: "a".repeat(5_000), ..policy() }, &page, &notification));
        let description = chat["content"]["description"].as_str().unwrap();
        assert!(description.ends_with("&amp;\n(cut)\n```"), "{description}");
        assert!(chat["content"]["title"].as_str().unwrap().ends_with("&lt;"));
        // Half a command is none: the one that closes this incident is too long for a step.
        assert_eq!(chat["content"]["nextSteps"].as_array().map(Vec::len), Some(2));
        assert!(serde_json::to_string(&chat).unwrap().len() < 8_000);
    }

    #[test]
    fn recovery_and_warning_have_signs_of_their_own() {
        let mut notification = fixtures::notification("OK", "body");
        notification.state = NotificationState::Resolved;
        let mut warning = fixtures::stalled();
        let title = |it: &Incident, said: &Notification| {
            check(&incident(&policy(), it, said))["content"]["title"].clone()
        };
        assert_eq!(title(&warning, &notification), ":white_check_mark: OK");
        warning.severity = Severity::Warn;
        notification.state = NotificationState::Reminder;
        assert_eq!(title(&warning, &notification), ":warning: OK");
    }

    #[test]
    fn a_greeting_is_a_custom_notification_too() {
        let watching = Watching { app: "shop".into(), ..Watching::default() };
        let chat = check(&greeting(&watching, "now-watching/1", "WATCHING shop", "body", &["Nothing."]));
        assert_eq!(chat["metadata"]["threadId"], "now-watching");
        assert_eq!(chat["content"]["nextSteps"], json!(["Nothing."]));
    }
}

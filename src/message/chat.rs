//! The chat JSON: a custom notification of Amazon Q Developer in chat applications, once AWS Chatbot.
//!
//! **Invariant:** the schema and nothing else: what does not match it is dropped there without a word
//! ([custom notifications](https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html)).
//! AWS names no lengths; the bounds here keep a message below what Slack shows of one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::markdown::{code, cut, inline};
use super::sections::{Sections, Todo};
use crate::domain::incidents::{Incident, Kind, Notification, NotificationState, Severity};
use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::model::policy::Policy;
use crate::domain::runbook::silence_until;
use crate::domain::watching::{NOW_WATCHING, Watching};

/// A line on a phone's lock screen, four times over.
const TITLE_CHARS_MAX: usize = 200;
/// The answers: to say that it is seen, to close it, to silence it; a greeting has two.
const NEXT_STEPS_MAX: usize = 3;
/// Slack cuts a section's text at 3,000 characters.
const DESCRIPTION_CHARS_MAX: usize = 2_900;
/// A sentence, a fact.
const LINE_CHARS_MAX: usize = 600;
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
pub(super) fn incident(
    policy: &Policy,
    incident: &Incident,
    notification: &Notification,
    sections: &Sections,
) -> String {
    let app = incident.key.scope().unwrap_or(&policy.app);
    let (kind, severity) = (incident.key.kind.as_str(), incident.severity.as_str());
    let connection = incident.key.connection.as_ref().map(ConnectionName::as_str);
    let queue = incident.key.queue.as_ref().map(QueueName::as_str);
    let cause = incident.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
    let sign = match (notification.state, incident.severity) {
        // What was given up is no good news.
        (NotificationState::Resolved, _) if incident.key.kind == Kind::Lost && incident.given_up > 0 => {
            ":grey_question:"
        }
        (NotificationState::Resolved, _) => ":white_check_mark:",
        (NotificationState::Seen, _) => ":eyes:",
        (_, Severity::Page) => ":rotating_light:",
        (_, Severity::Warn) => ":warning:",
    };
    // What buttons ask for, while there is something to answer: see `SeenButton` in template.yaml.
    let is_open = notification.state != NotificationState::Resolved;
    let until = is_open.then(|| silence_until(notification.at));
    let context = [
        ("app", Some(app)),
        ("cause", cause),
        ("connection", connection),
        ("function", policy.aws.sweep_function.as_deref()),
        ("incident", Some(&*incident.id)),
        ("kind", Some(kind)),
        ("notification", Some(&*notification.id)),
        ("queue", queue),
        ("severity", Some(severity)),
        ("state", Some(notification.state.as_str())),
        ("until", until.as_deref()),
    ];
    let keywords = [Some(app), Some(kind), Some(severity), queue, cause];
    json(Chat {
        version: "1.0",
        source: "custom",
        id: cut(&notification.id, NAME_CHARS_MAX),
        content: Content {
            text_type: "client-markdown",
            title: format!("{sign} {}", inline(&sections.title, TITLE_CHARS_MAX)),
            description: description(sections),
            next_steps: answers(sections),
            keywords: keywords.into_iter().flatten().map(|word| inline(word, NAME_CHARS_MAX)).collect(),
        },
        metadata: Metadata {
            thread_id: cut(&incident.id, NAME_CHARS_MAX),
            summary: cut(&sections.title, TITLE_CHARS_MAX),
            event_type: format!("queuewatch-{kind}"),
            additional_context: context
                .into_iter()
                .filter_map(|(key, value)| Some((key, cut(value?, NAME_CHARS_MAX))))
                .collect(),
        },
    })
}

/// What is said, a paragraph a part, in the order of the mail: what, why, where to read on and what to do; then the facts.
///
/// What is called next steps stands below all of it, more than a screen away: that is where the answers are.
fn description(sections: &Sections) -> String {
    let labels = sections.labels;
    let mut text = Paragraphs::default();
    text.add([&*sections.lead].into_iter().map(line));
    text.add(sections.causes.iter().map(|cause| line(cause)));
    text.add(sections.links.iter().map(|link| {
        let url = link.long.as_ref().filter(|long| fits(long)).unwrap_or(&link.url);
        // A name of a file is no address, and Slack would not make it one.
        if url.starts_with("http") {
            format!("<{url}|{}>", link.label)
        } else {
            line(&format!("{}{}{url}", link.label, labels.colon))
        }
    }));
    // The numbers are those that the text names.
    let steps = sections.steps.iter().zip(1_u8..);
    text.add(steps.filter_map(|(todo, place)| Some(format!("{place}. {}", step(todo, labels.colon)?))));
    let variables = sections.variables.iter().filter_map(|todo| step(todo, labels.colon));
    text.add(variables);
    let listed = |title: &str, lines: &[String]| -> Vec<String> {
        let points = lines.iter().map(|point| format!("• {}", line(point)));
        let title = (!lines.is_empty()).then(|| format!("*{}*", line(title)));
        title.into_iter().chain(points).collect()
    };
    text.add(listed(&sections.known_title, &sections.known).into_iter());
    text.add(listed(labels.not_known, &sections.unknown).into_iter());
    text.add([line(&sections.foot)].into_iter());
    text.0
}

fn line(text: &str) -> String {
    inline(text, LINE_CHARS_MAX)
}

/// Paragraphs up to what one message shows.
#[derive(Default)]
struct Paragraphs(String);

impl Paragraphs {
    /// Adds a paragraph of lines; those that do not fit any more are left out whole.
    fn add(&mut self, lines: impl Iterator<Item = String>) {
        let mut gap = if self.0.is_empty() { "" } else { "\n\n" };
        for line in lines {
            if self.0.chars().count().saturating_add(line.chars().count()) < DESCRIPTION_CHARS_MAX {
                self.0.push_str(gap);
                self.0.push_str(&line);
                gap = "\n";
            }
        }
    }
}

/// How to answer.
fn answers(sections: &Sections) -> Vec<String> {
    let answers = sections.answers.iter().filter_map(|todo| step(todo, sections.labels.colon));
    answers.take(NEXT_STEPS_MAX).collect()
}

/// A step on one line; `None` where its command cannot be shown whole.
fn step(todo: &Todo, colon: &str) -> Option<String> {
    let verb = inline(&todo.verb, NAME_CHARS_MAX);
    let step = match &todo.command {
        Some(command) => format!("{verb}{colon}{}", code(command)?),
        None => inline(&todo.verb, STEP_CHARS_MAX),
    };
    fits(&step).then_some(step)
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
            description: body.lines().map(line).collect::<Vec<_>>().join("\n"),
            next_steps: steps.iter().take(NEXT_STEPS_MAX).map(|step| inline(step, STEP_CHARS_MAX)).collect(),
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

fn fits(step: &str) -> bool {
    step.chars().count() <= STEP_CHARS_MAX
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;

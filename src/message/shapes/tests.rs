//! Each shape against what its vendor's documentation says: the fields, the words, the limits.

use serde_json::{Value, json};

use super::*;
use crate::domain::incidents::Notification;
use crate::domain::model::policy::{Aws, Language, Policy};
use crate::message::{Sections, Todo, compose, fixtures};

fn policy(language: Language) -> Policy {
    let aws = Aws { region: Some("eu-west-1".into()), ..Aws::default() };
    Policy { app: "shop".into(), language, aws, ..Policy::default() }
}

/// A message that is ten times as long as any, in every part.
fn long(sections: &Sections) -> Sections {
    let fact = "<&> *no mark* ".repeat(200);
    let todo = Todo { verb: "Look <here>".into(), command: Some("x & y ".repeat(2_000)) };
    let short = Todo { verb: "And ```here".into(), command: Some("a ```b``` c".into()) };
    Sections {
        title: "t".repeat(2_000),
        lead: "lead & ".repeat(1_000),
        causes: vec![fact.clone(); 4],
        steps: vec![todo.clone(), short.clone(), todo],
        variables: vec![short; 40],
        known: vec![fact.clone(); 60],
        unknown: vec![fact; 60],
        ..sections.clone()
    }
}

/// Both languages, every state, as it is and far too long: checked, and what it says of being cut.
fn each(look: impl Fn(&Policy, &Notification, &Sections, bool)) {
    for language in [Language::En, Language::Ja] {
        for state in [
            NotificationState::Firing,
            NotificationState::Reminder,
            NotificationState::Updated,
            NotificationState::Seen,
            NotificationState::Resolved,
        ] {
            let policy = policy(language);
            let said = Notification { state, ..fixtures::notification("subject", "body") };
            let sections = compose(&policy, &fixtures::stalled(), state, said.at);
            look(&policy, &said, &sections, false);
            look(&policy, &said, &long(&sections), true);
        }
    }
}

#[track_caller]
fn check(schema: &Value, text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    if let Err(error) = jsonschema::validate(schema, &value) {
        panic!("{error}\n{text}");
    }
    value
}

/// <https://docs.slack.dev/reference/block-kit/blocks>
fn slack_schema() -> Value {
    let text = |kind: &str, max: usize| {
        json!({"type": "object", "required": ["type", "text"], "additionalProperties": false,
        "properties": {"type": {"const": kind}, "text": {"type": "string", "minLength": 1, "maxLength": max}}})
    };
    let block = |kind: &str, key: &str, value: Value| {
        json!({"type": "object", "required": ["type", key],
        "additionalProperties": false, "properties": {"type": {"const": kind}, key: value}})
    };
    json!({"type": "object", "required": ["text", "blocks"], "additionalProperties": false, "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 4_000},
        "blocks": {"type": "array", "minItems": 2, "maxItems": 50, "items": {"oneOf": [
            block("header", "text", text("plain_text", 150)),
            block("section", "text", text("mrkdwn", 3_000)),
            block("context", "elements", json!({"type": "array", "maxItems": 10, "items": text("mrkdwn", 3_000)})),
        ]}},
    }})
}

#[test]
fn slack_takes_every_message_and_what_is_cut_is_said() {
    each(|_, said, sections, is_long| {
        let message = check(&slack_schema(), &slack(&fixtures::stalled(), said.state, sections));
        assert!(!message.to_string().contains('\u{fffd}'), "nothing unprintable: {message}");
        let text = message["blocks"].to_string();
        assert_eq!(text.contains(sections.labels.shortened), is_long, "{text}");
        assert!(!text.contains("<&>") && !text.contains("*no mark*"), "a name is no mark: {text}");
        for block in message["blocks"].as_array().unwrap() {
            let fences = block["text"]["text"].as_str().unwrap_or_default().matches("```").count();
            assert!(fences % 2 == 0, "a command is whole: {block}");
        }
        if !is_long {
            for todo in sections.steps.iter().chain(&sections.answers) {
                let command = todo.command.as_deref().unwrap_or_default();
                let shown = command.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let shown = serde_json::to_string(&shown).unwrap();
                assert!(text.contains(shown.trim_matches('"')), "{command}: {text}");
            }
        }
    });
}

#[test]
fn slack_shows_what_an_alarm_is_at_a_glance() {
    let policy = policy(Language::En);
    let incident = fixtures::stalled();
    let sign = |state| {
        let sections = compose(&policy, &incident, state, fixtures::notification("", "").at);
        let message: Value = serde_json::from_str(&slack(&incident, state, &sections)).unwrap();
        message["blocks"][0]["text"]["text"].as_str().unwrap().split(' ').next().unwrap().to_owned()
    };
    assert_eq!(sign(NotificationState::Firing), "🚨");
    assert_eq!(sign(NotificationState::Seen), "👀");
    assert_eq!(sign(NotificationState::Resolved), "✅");
}

/// <https://learn.microsoft.com/adaptive-cards/schema-explorer/adaptive-card>
fn teams_schema() -> Value {
    let run = json!({"type": "object", "required": ["type", "text"], "additionalProperties": false, "properties": {
        "type": {"const": "TextRun"}, "text": {"type": "string", "minLength": 1},
        "weight": {"enum": ["Lighter", "Default", "Bolder"]}, "size": {"enum": ["Small", "Default", "Medium", "Large", "ExtraLarge"]},
        "color": {"enum": ["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]},
        "fontType": {"enum": ["Default", "Monospace"]}, "isSubtle": {"type": "boolean"}}});
    let block = json!({"type": "object", "required": ["type", "inlines"], "additionalProperties": false, "properties": {
        "type": {"const": "RichTextBlock"}, "inlines": {"type": "array", "minItems": 1, "items": run},
        "spacing": {"enum": ["Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"]}}});
    let action = json!({"type": "object", "required": ["type", "title", "url"], "additionalProperties": false, "properties": {
        "type": {"const": "Action.OpenUrl"}, "title": {"type": "string"}, "url": {"type": "string", "pattern": "^https?://"}}});
    let card = json!({"type": "object", "required": ["type", "version", "body"], "properties": {
        "type": {"const": "AdaptiveCard"}, "version": {"enum": ["1.2", "1.3", "1.4", "1.5"]},
        "body": {"type": "array", "minItems": 2, "items": block},
        "actions": {"type": "array", "maxItems": 6, "items": action}}});
    let attachment = json!({"type": "object", "required": ["contentType", "content"], "properties": {
        "contentType": {"const": "application/vnd.microsoft.card.adaptive"}, "contentUrl": {"type": "null"}, "content": card}});
    json!({"type": "object", "required": ["type", "attachments"], "properties": {
        "type": {"const": "message"}, "attachments": {"type": "array", "minItems": 1, "maxItems": 1, "items": attachment}}})
}

#[test]
fn teams_takes_every_message_and_what_is_cut_is_said() {
    each(|_, said, sections, is_long| {
        let text = teams(&fixtures::stalled(), said.state, sections);
        assert!(text.len() <= 28 * 1_024, "{} bytes", text.len());
        let message = check(&teams_schema(), &text);
        let card = &message["attachments"][0]["content"];
        let runs: Vec<&str> = card["body"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["inlines"][0]["text"].as_str())
            .collect();
        assert_eq!(runs.contains(&sections.labels.shortened), is_long, "{runs:#?}");
        if !is_long {
            for todo in sections.steps.iter().chain(&sections.answers) {
                assert!(
                    todo.command.as_deref().is_none_or(|command| runs.contains(&command)),
                    "{todo:?}: {runs:#?}"
                );
            }
        }
    });
}

/// <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>, but for the routing key.
fn pagerduty_schema() -> Value {
    let text = |max: usize| json!({"type": "string", "minLength": 1, "maxLength": max});
    let name = json!({"type": ["string", "null"], "maxLength": 255});
    json!({"type": "object", "required": ["event_action", "dedup_key"], "additionalProperties": false, "properties": {
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": text(255),
        "client": {"type": "string"},
        "links": {"type": "array", "items": {"type": "object", "required": ["href"], "properties": {
            "href": {"type": "string", "pattern": "^https?://"}, "text": {"type": "string"}}}},
        "payload": {"type": "object", "required": ["summary", "source", "severity"], "additionalProperties": false, "properties": {
            "summary": text(1_024), "source": text(255), "severity": {"enum": ["critical", "error", "warning", "info"]},
            "timestamp": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"},
            "component": name, "group": name, "class": name, "custom_details": {"type": "object"}}},
    }})
}

#[test]
fn pagerduty_takes_every_event_and_what_is_cut_is_said() {
    each(|policy, said, sections, is_long| {
        let text = pagerduty(policy, &fixtures::stalled(), said, sections);
        assert!(text.len() <= 512 * 1_024, "{} bytes", text.len());
        let event = check(&pagerduty_schema(), &text);
        let action = match said.state {
            NotificationState::Firing | NotificationState::Reminder | NotificationState::Updated => "trigger",
            NotificationState::Seen => "acknowledge",
            NotificationState::Resolved => "resolve",
        };
        assert_eq!(
            (&event["event_action"], &event["dedup_key"]),
            (&action.into(), &fixtures::stalled().id.into())
        );
        assert_eq!(event["payload"].is_object(), action == "trigger");
        if action == "trigger" {
            let note = event["payload"]["custom_details"]["note"].as_str();
            assert_eq!(note, is_long.then_some(sections.labels.shortened));
            assert_eq!(event["payload"]["severity"], "critical");
        }
    });
}

#[test]
fn pagerduty_tells_a_warning_from_a_page_and_keeps_ids_apart_that_are_too_long() {
    let policy = policy(Language::En);
    let event = |severity, id: &str| -> Value {
        let incident = Incident { severity, id: id.to_owned(), ..fixtures::stalled() };
        let said = fixtures::notification("subject", "body");
        let sections = compose(&policy, &incident, said.state, said.at);
        check(&pagerduty_schema(), &pagerduty(&policy, &incident, &said, &sections))
    };
    assert_eq!(event(Severity::Warn, "a")["payload"]["severity"], "warning");
    let long = |kind: &str, time: &str| format!("{kind}-{}-{time}", "q".repeat(400));
    let keys: Vec<Value> = [long("lost", "1"), long("lost", "2"), long("stalled", "1")]
        .iter()
        .map(|id| event(Severity::Page, id)["dedup_key"].clone())
        .collect();
    assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2], "{keys:?}");
}

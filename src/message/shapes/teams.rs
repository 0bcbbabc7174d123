//! Teams: an [adaptive card](https://learn.microsoft.com/adaptive-cards/schema-explorer/adaptive-card) for a webhook of
//! the Workflows app ("When a Teams webhook request is received").
//!
//! Every text is a run of a rich text block: of these Teams reads no markdown, so `Make_Thumb` stays what it is.
//! **Invariant:** at most 28 KB, where Teams refuses a
//! [message](https://learn.microsoft.com/microsoftteams/limits-specifications-teams), and six buttons, which it shows.

use serde_json::{Value, json};

use super::{Tone, is_address, named, shortened};
use crate::domain::incidents::{Incident, NotificationState};
use crate::message::sections::{Sections, Todo};

/// Below Teams' 28 KB: the card's frame, and what a workflow puts around it.
const BODY_BYTES_MAX: usize = 22_000;
/// Buttons beneath a card.
const BUTTONS_MAX: usize = 6;
/// The address of a button. A logs query is longer than that only where it names scores of groups.
const URL_BYTES_MAX: usize = 700;
/// A sentence, a fact, a command.
const LINE_CHARS_MAX: usize = 1_500;
/// A title, and the text that stands for the card.
const TITLE_CHARS_MAX: usize = 250;

/// The message of a notification.
pub(in crate::message) fn teams(
    incident: &Incident,
    state: NotificationState,
    sections: &Sections,
) -> String {
    let labels = sections.labels;
    let tone = Tone::of(incident, state);
    let mut card = Card::default();
    let (title, is_cut) = shortened(&format!("{} {}", tone.sign(), sections.title), TITLE_CHARS_MAX);
    card.is_shortened |= is_cut;
    card.push(&title, &json!({"weight": "Bolder", "size": "Medium", "color": color(tone)}), "Default");
    for line in [&sections.lead].into_iter().chain(&sections.causes) {
        card.line(line, "Small");
    }
    let (buttons, names): (Vec<_>, Vec<_>) = sections.links.iter().partition(|link| is_address(&link.url));
    for link in names {
        card.line(&named(link.label, labels, &link.url), "Small");
    }
    for (place, todo) in sections.steps.iter().enumerate() {
        card.todo(&format!("{}. ", place.saturating_add(1)), todo);
    }
    for todo in &sections.variables {
        card.todo("", todo);
    }
    for (title, facts) in [(&*sections.known_title, &sections.known), (labels.not_known, &sections.unknown)] {
        if !facts.is_empty() {
            card.push(title, &json!({"weight": "Bolder"}), "Medium");
        }
        for fact in facts {
            card.line(&format!("• {fact}"), "None");
        }
    }
    for todo in &sections.answers {
        card.todo("", todo);
    }
    card.line(&sections.foot, "Medium");
    let actions: Vec<Value> = buttons
        .iter()
        .filter(|link| link.url.len() <= URL_BYTES_MAX)
        .take(BUTTONS_MAX)
        .map(|link| json!({"type": "Action.OpenUrl", "title": link.label, "url": link.url}))
        .collect();
    card.is_shortened |= actions.len() < buttons.len();
    if card.is_shortened {
        card.body.push(block(labels.shortened, &json!({"isSubtle": true}), "Small"));
    }
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": title,
        "msteams": {"width": "Full"},
        "body": card.body,
        "actions": actions,
    });
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": content,
    });
    json!({"type": "message", "summary": title, "attachments": [attachment]}).to_string()
}

/// The elements of a card, as far as they fit.
#[derive(Default)]
struct Card {
    body: Vec<Value>,
    bytes: usize,
    is_shortened: bool,
}

impl Card {
    fn line(&mut self, text: &str, spacing: &str) {
        let (text, is_cut) = shortened(text, LINE_CHARS_MAX);
        self.is_shortened |= is_cut;
        self.push(&text, &json!({}), spacing);
    }

    /// What to do, and below it what to paste: whole or not at all, since half a command is none.
    fn todo(&mut self, number: &str, todo: &Todo) {
        self.line(&format!("{number}{}", todo.verb), "Medium");
        let Some(command) = &todo.command else { return };
        if command.chars().count() > LINE_CHARS_MAX {
            self.is_shortened = true;
        } else {
            self.push(command, &json!({"fontType": "Monospace"}), "None");
        }
    }

    /// Adds a paragraph; what does not fit any more is left out whole.
    fn push(&mut self, text: &str, look: &Value, spacing: &str) {
        if text.is_empty() {
            return;
        }
        let block = block(text, look, spacing);
        let bytes = self.bytes.saturating_add(block.to_string().len());
        if bytes > BODY_BYTES_MAX {
            self.is_shortened = true;
        } else {
            self.bytes = bytes;
            self.body.push(block);
        }
    }
}

/// A paragraph of one run.
fn block(text: &str, look: &Value, spacing: &str) -> Value {
    let mut run = json!({"type": "TextRun", "text": text});
    if let (Some(run), Some(look)) = (run.as_object_mut(), look.as_object()) {
        run.extend(look.clone());
    }
    json!({"type": "RichTextBlock", "spacing": spacing, "inlines": [run]})
}

const fn color(tone: Tone) -> &'static str {
    match tone {
        Tone::Page => "Attention",
        Tone::Warn | Tone::GivenUp => "Warning",
        Tone::Seen => "Accent",
        Tone::Over => "Good",
    }
}

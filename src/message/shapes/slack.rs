//! Slack: blocks for an [incoming webhook](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
//!
//! **Invariant:** within Slack's limits, which refuses a message that is over one of them whole: 50
//! [blocks](https://docs.slack.dev/reference/block-kit/blocks), 150 characters of a header, 3,000 of a section.
//! Mattermost and Rocket.Chat take the same address and show the `text` alone: what and since when.

use serde::Serialize;

use super::{Tone, is_address, named, shortened};
use crate::domain::incidents::{Incident, NotificationState};
use crate::message::markdown::inline;
use crate::message::sections::{Sections, Todo};

/// A header's text.
const HEADER_CHARS_MAX: usize = 150;
/// A section's text, once escaped.
const SECTION_CHARS_MAX: usize = 3_000;
/// One sentence or fact: many fit a section, and a mark that parts characters may double its length.
const LINE_CHARS_MAX: usize = 1_400;
/// Blocks of a message, one kept for the word that something is left out.
const BLOCKS_MAX: usize = 49;

#[derive(Serialize)]
struct Message {
    /// What a lock screen shows, and a reader without blocks.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Header { text: Text },
    Section { text: Text },
    Context { elements: [Text; 1] },
}

#[derive(Serialize)]
#[serde(tag = "type", content = "text", rename_all = "snake_case")]
enum Text {
    PlainText(String),
    Mrkdwn(String),
}

/// The message of a notification.
pub(in crate::message) fn slack(
    incident: &Incident,
    state: NotificationState,
    sections: &Sections,
) -> String {
    let labels = sections.labels;
    let mut message = Builder::default();
    let title = format!("{} {}", Tone::of(incident, state).sign(), sections.title);
    let header = message.cut(&title, HEADER_CHARS_MAX);
    message.blocks.push(Block::Header { text: Text::PlainText(header) });
    message.lines([sections.lead.as_str()].into_iter().chain(sections.causes.iter().map(String::as_str)));
    let links = sections.links.iter().map(|link| {
        let url = link.long.as_ref().unwrap_or(&link.url);
        if is_address(url) {
            linked(url, link.label)
        } else {
            inline(&named(link.label, labels, url), usize::MAX)
        }
    });
    message.section(links.collect());
    for (place, todo) in sections.steps.iter().enumerate() {
        message.todo(&format!("{}. ", place.saturating_add(1)), todo);
    }
    for todo in &sections.variables {
        message.todo("", todo);
    }
    for (title, facts) in [(&*sections.known_title, &sections.known), (labels.not_known, &sections.unknown)] {
        let facts: Vec<String> = facts.iter().map(|fact| format!("• {}", message.line(fact))).collect();
        if !facts.is_empty() {
            let title = format!("*{}*", message.line(title));
            message.section([title].into_iter().chain(facts).collect());
        }
    }
    for todo in &sections.answers {
        message.todo("", todo);
    }
    let foot = message.line(&sections.foot);
    message.end(foot, labels.shortened);
    let [title, lead] = [&title, &sections.lead].map(|text| shortened(text, LINE_CHARS_MAX).0);
    let message = Message { text: escaped(&format!("{title}\n{lead}")), blocks: message.blocks };
    // Strings and lists of strings: there is nothing in it that JSON could not hold.
    serde_json::to_string(&message).unwrap_or_default()
}

/// The blocks of a message, and whether something is left out.
#[derive(Default)]
struct Builder {
    blocks: Vec<Block>,
    is_shortened: bool,
}

impl Builder {
    fn cut(&mut self, text: &str, chars_max: usize) -> String {
        let (text, is_cut) = shortened(text, chars_max);
        self.is_shortened |= is_cut;
        text
    }

    /// A sentence in which nothing is read as a mark or a mention.
    fn line(&mut self, text: &str) -> String {
        let text = self.cut(text, LINE_CHARS_MAX);
        inline(&text, usize::MAX)
    }

    fn lines<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let lines = lines.map(|line| self.line(line)).collect();
        self.section(lines);
    }

    /// Lines in as few sections as hold them.
    fn section(&mut self, lines: Vec<String>) {
        let mut text = String::new();
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            let length = text.chars().count().saturating_add(line.chars().count());
            if length >= SECTION_CHARS_MAX {
                self.push(std::mem::take(&mut text));
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
        self.push(text);
    }

    fn push(&mut self, text: String) {
        if text.chars().count() > SECTION_CHARS_MAX || self.blocks.len() >= BLOCKS_MAX {
            self.is_shortened = true;
        } else if !text.is_empty() {
            self.blocks.push(Block::Section { text: Text::Mrkdwn(text) });
        }
    }

    /// What to do, and below it what to paste: whole or not at all, since half a command is none.
    fn todo(&mut self, number: &str, todo: &Todo) {
        let verb = format!("{number}{}", self.line(&todo.verb));
        let Some(command) = &todo.command else { return self.section(vec![verb]) };
        let fenced = format!("{verb}\n```{}```", escaped(command));
        if command.contains("```") || fenced.chars().count() > SECTION_CHARS_MAX {
            self.is_shortened = true;
            return self.section(vec![verb]);
        }
        self.push(fenced);
    }

    /// The last lines: which incident it is, and that there is more.
    fn end(&mut self, foot: String, shortened: &str) {
        let more = if self.is_shortened { format!("\n{shortened}") } else { String::new() };
        self.blocks.push(Block::Context { elements: [Text::Mrkdwn(format!("{foot}{more}"))] });
    }
}

/// The three characters that Slack wants escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn linked(url: &str, label: &str) -> String {
    format!("<{}|{}>", escaped(url).replace('|', "%7C"), escaped(label))
}

//! The messages as people got them: the mail, and the same in the chat.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::NotificationRow;
use super::html::{self, escape};
use super::{Canvas, chat};

/// Messages shown whole.
const SHOWN_MAX: usize = 40;
/// Messages of which the subject is shown.
const SUBJECTS_MAX: usize = 1_000;

/// Writes every message in the order in which they went out.
pub(super) fn write(text: &mut String, canvas: &Canvas<'_>, chats: &BTreeMap<&str, &str>, language: &str) {
    let mut said: Vec<(&NotificationRow, &'static str)> = canvas
        .report
        .incidents
        .iter()
        .flat_map(|incident| incident.notifications.iter().map(|said| (said, incident.severity)))
        .collect();
    said.sort_by(|a, b| (a.0.at, &a.0.id).cmp(&(b.0.at, &b.0.id)));
    text.push_str("<section>\n<h2>Messages</h2>\n");
    if said.is_empty() {
        text.push_str("<p class=\"calm\">Nobody would have been told anything.</p>\n");
    }
    for (said, severity) in said.iter().take(SHOWN_MAX) {
        let chat = chats.get(said.id.as_str()).and_then(|body| chat::shown(body));
        message(text, canvas, said, severity, chat.as_deref(), language);
    }
    subjects(text, canvas, said.get(SHOWN_MAX..).unwrap_or_default());
    text.push_str("</section>\n");
}

/// The messages of which there were too many to be shown whole.
fn subjects(text: &mut String, canvas: &Canvas<'_>, said: &[(&NotificationRow, &'static str)]) {
    if said.is_empty() {
        return;
    }
    let _ = writeln!(text, "<h3>{}</h3>\n<ul>", html::count(said.len() as u64, "more message"));
    for (said, _) in said.iter().take(SUBJECTS_MAX) {
        let at = canvas.clock.second(said.at.0);
        let _ = writeln!(text, "<li><time>{}</time> {}</li>", escape(&at), escape(&said.subject));
    }
    text.push_str("</ul>\n");
    let more = said.len().saturating_sub(SUBJECTS_MAX);
    if more > 0 {
        let _ = writeln!(text, "<p class=\"note\">and {}</p>", html::count(more as u64, "other"));
    }
}

fn message(
    text: &mut String,
    canvas: &Canvas<'_>,
    said: &NotificationRow,
    severity: &str,
    chat: Option<&str>,
    language: &str,
) {
    // A reminder says mostly what was said before: it opens when asked.
    let open = if said.state == "reminder" { "" } else { " open=\"open\"" };
    let _ = writeln!(
        text,
        "<details class=\"message {} {severity}\"{open}><summary><time>{}</time> <b lang=\"{language}\">{}</b></summary>\n\
         <div class=\"looks\"><article class=\"mail\" lang=\"{language}\"><h4>Mail</h4><p class=\"subject\">{}</p>\
         <pre>{}</pre></article>",
        said.state,
        escape(&canvas.clock.second(said.at.0)),
        escape(&said.subject),
        escape(&said.subject),
        html::linked(&said.body),
    );
    if let Some(chat) = chat {
        let _ = writeln!(text, "<article class=\"chat\" lang=\"{language}\"><h4>Chat</h4>{chat}</article>");
    }
    text.push_str("</div></details>\n");
}

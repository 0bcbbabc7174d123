//! The mail: plain text, read at night on a phone.
//!
//! No line is wrapped here: a phone wraps by itself, and a line that was cut at 60 columns is cut twice there.
//! **Invariant:** no payload and no argument appears in it, and an exception only as the ledger keeps it: redacted.

use std::fmt::Write;

use super::sections::{Sections, Todo};

/// The text of a mail.
#[must_use]
pub fn mail(sections: &Sections) -> String {
    let labels = sections.labels;
    let mut parts = vec![sections.lead.clone()];
    parts.push(sections.causes.join("\n"));
    let links = sections.links.iter().map(|link| format!("{}{}{}", link.label, labels.colon, link.url));
    parts.push(links.collect::<Vec<_>>().join("\n"));
    parts.push(steps(&sections.steps));
    parts.push(list(labels.fill_in, sections.variables.iter().map(shown)));
    parts.push(list(&sections.known_title, sections.known.iter().map(|line| format!("- {line}"))));
    parts.push(list(labels.not_known, sections.unknown.iter().map(|line| format!("- {line}"))));
    let answers = sections.answers.iter().map(shown);
    parts.push(answers.chain([sections.foot.clone()]).collect::<Vec<_>>().join("\n"));
    parts.retain(|part| !part.is_empty());
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

/// `1. See what the worker wrote`, and the command below it.
fn steps(steps: &[Todo]) -> String {
    let mut text = String::new();
    for (place, todo) in steps.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        // Writing to a string cannot fail; the result is let go.
        let _ = write!(text, "{}. {}", place.saturating_add(1), shown(todo));
    }
    text
}

fn shown(todo: &Todo) -> String {
    match &todo.command {
        Some(command) => format!("{}\n{command}", todo.verb),
        None => todo.verb.clone(),
    }
}

/// A title and its lines; nothing where there are none.
fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("{title}\n{}", lines.join("\n")) }
}

/// The part of a mail that says what is wrong and what to do: all that stands before its first list of facts.
#[must_use]
pub fn before_facts(mail: &str) -> &str {
    let is_list = |part: &str| part.lines().nth(1).is_some_and(|line| line.starts_with("- "));
    let before = mail.split("\n\n").take_while(|part| !is_list(part));
    let length = before.map(|part| part.len().saturating_add("\n\n".len())).fold(0, usize::saturating_add);
    mail.get(..length).unwrap_or(mail).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mail: &str, expected: &str) {
        assert_eq!(before_facts(mail), expected);
    }

    #[test]
    fn facts_begin_at_the_first_list() {
        check("lead\n\n1. Look\nls\n\nKnown\n- a\n- b\n\nClose\nqueuewatch close x\n", "lead\n\n1. Look\nls");
        check("lead\n\n1. Look\nls - x\n", "lead\n\n1. Look\nls - x");
        check("", "");
    }
}

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

/// What is wrong and what to do: a mail that ends with its steps, and with what finds the variables in them.
#[must_use]
pub fn up_to_the_steps(sections: &Sections) -> String {
    mail(&Sections {
        known: Vec::new(),
        unknown: Vec::new(),
        answers: Vec::new(),
        foot: String::new(),
        ..sections.clone()
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incidents::NotificationState;
    use crate::domain::model::policy::Policy;
    use crate::message::{compose, fixtures};

    #[test]
    fn a_mail_that_ends_with_its_steps_is_the_beginning_of_the_whole_one() {
        let incident = fixtures::stalled();
        let sections = compose(&Policy::default(), &incident, NotificationState::Firing, incident.opened_at);
        let (whole, begun) = (mail(&sections), up_to_the_steps(&sections));
        assert!(whole.starts_with(begun.trim_end()), "{begun}");
        let last = sections.steps.last().and_then(|step| step.command.as_deref()).unwrap();
        assert!(begun.trim_end().ends_with(last), "{begun}");
    }
}

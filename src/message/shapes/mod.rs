//! The shapes that a webhook of others takes, each as its vendor describes it: one file a vendor.
//!
//! What is said comes from the [`Sections`](super::Sections), as for mail. A shape keeps its vendor's limits; what had to
//! be left out for them is said in the message.

mod pagerduty;
mod slack;
mod teams;

pub(super) use pagerduty::pagerduty;
pub(super) use slack::slack;
pub(super) use teams::teams;

use super::words::Labels;
use crate::domain::incidents::{Incident, Kind, NotificationState, Severity};
use crate::domain::printable::printable;

/// What a notification is, at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    /// A page.
    Page,
    /// A warning.
    Warn,
    /// Somebody has seen it.
    Seen,
    /// It is over.
    Over,
    /// It is over, and what became of some jobs is not known.
    GivenUp,
}

impl Tone {
    fn of(incident: &Incident, state: NotificationState) -> Self {
        match (state, incident.severity) {
            (NotificationState::Resolved, _) if incident.key.kind == Kind::Lost && incident.given_up > 0 => {
                Self::GivenUp
            }
            (NotificationState::Resolved, _) => Self::Over,
            (NotificationState::Seen, _) => Self::Seen,
            (
                NotificationState::Firing | NotificationState::Reminder | NotificationState::Updated,
                Severity::Page,
            ) => Self::Page,
            (
                NotificationState::Firing | NotificationState::Reminder | NotificationState::Updated,
                Severity::Warn,
            ) => Self::Warn,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Page => "🚨",
            Self::Warn => "⚠️",
            Self::Seen => "👀",
            Self::Over => "✅",
            Self::GivenUp => "❔",
        }
    }
}

/// A text of at most so many characters, and whether it had to be cut: what is cut ends with `…`.
fn shortened(text: &str, chars_max: usize) -> (String, bool) {
    let text = printable(text);
    if text.chars().count() <= chars_max {
        return (text.into_owned(), false);
    }
    (text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(), true)
}

/// An address that opens anywhere; a relative one is a file's name.
fn is_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// `Log lines: docs/runbook.md`.
fn named(label: &str, labels: &Labels, what: &str) -> String {
    format!("{label}{}{what}", labels.colon)
}

#[cfg(test)]
mod tests;

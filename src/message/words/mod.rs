//! Words for what the core found, in each language of messages.
//!
//! The core's facts are data; every sentence that is sent stands here, one file a language. Names and JSON stay
//! English. **Invariant:** a text from a log line is shown as it was kept: printable, redacted, cut.

mod en;
mod ja;
pub(super) mod watching;

use super::clock::Clock;
use crate::domain::diagnosis::cause::{Cause, SubCause};
use crate::domain::diagnosis::finding::{Fact, Trend, Unknown};
use crate::domain::incident::{Incident, Key, Kind, NotificationState};
use crate::domain::job::Timestamp;
use crate::domain::policy::Language;
use crate::domain::runbook::Note;
use crate::domain::seat::Seat;

/// The names of a message's parts.
pub(super) struct Labels {
    pub(super) app: &'static str,
    pub(super) source: &'static str,
    pub(super) queue: &'static str,
    pub(super) since: &'static str,
    pub(super) until: &'static str,
    /// The first start after a stall.
    pub(super) moves: &'static str,
    pub(super) jobs: &'static str,
    /// The cause, where lines leave no other.
    pub(super) certain: &'static str,
    /// The cause, where they do.
    pub(super) likely: &'static str,
    /// What was thought of what is over.
    pub(super) suspected: &'static str,
    /// A runner-up.
    pub(super) or: &'static str,
    pub(super) evidence: &'static str,
    pub(super) as_of: &'static str,
    pub(super) changed: &'static str,
    pub(super) first: &'static str,
    pub(super) then: &'static str,
    pub(super) variables: &'static str,
    pub(super) to_do: &'static str,
    pub(super) cannot_tell: &'static str,
    pub(super) logs: &'static str,
    pub(super) ids: &'static str,
    pub(super) close: &'static str,
    pub(super) silence: &'static str,
    pub(super) silence_all: &'static str,
    pub(super) also: &'static str,
    pub(super) incident: &'static str,
    pub(super) rule: &'static str,
    pub(super) next: &'static str,
}

/// The labels of a language.
pub(super) const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::En => &en::LABELS,
        Language::Ja => &ja::LABELS,
    }
}

/// A fact, with its moment as the reader's clock shows it; without its day where that is `near`'s.
pub(super) fn fact(language: Language, fact: &Fact, clock: &Clock, near: Option<Timestamp>) -> String {
    let text = finding(language, fact);
    match (fact.at, near) {
        (Some(at), Some(near)) => format!("{text}: {}", clock.show_near(at, near)),
        (Some(at), None) => format!("{text}: {}", clock.show(at)),
        (None, _) => text,
    }
}

/// A fact without its moment.
pub(super) fn finding(language: Language, fact: &Fact) -> String {
    match language {
        Language::En => en::finding(fact),
        Language::Ja => ja::finding(fact),
    }
}

/// A cause, as part of a sentence.
pub(super) const fn cause(language: Language, cause: Cause) -> &'static str {
    match language {
        Language::En => en::cause(cause),
        Language::Ja => ja::cause(cause),
    }
}

/// What is behind a cause.
pub(super) const fn sub_cause(language: Language, cause: SubCause) -> &'static str {
    match language {
        Language::En => en::sub_cause(cause),
        Language::Ja => ja::sub_cause(cause),
    }
}

/// What logs cannot tell, and what would.
pub(super) fn unknown(language: Language, unknown: Unknown) -> String {
    match language {
        Language::En => format!("{} (`{}` tells)", en::unknown(unknown), unknown.asked_by()),
        Language::Ja => format!("{}（`{}` で分かる）", ja::unknown(unknown), unknown.asked_by()),
    }
}

/// What to know of a command before it is run.
pub(super) fn note(language: Language, note: Note) -> String {
    match language {
        Language::En => en::note(note),
        Language::Ja => ja::note(note),
    }
}

/// Where a queue is heading.
pub(super) fn trend(language: Language, trend: Trend) -> String {
    match language {
        Language::En => en::trend(trend),
        Language::Ja => ja::trend(trend),
    }
}

/// What happened, in one line.
pub(super) fn headline(language: Language, incident: &Incident, state: NotificationState) -> String {
    let is_over = state == NotificationState::Resolved;
    if let Some(reason) = incident.closed_because.as_ref().filter(|_| is_over) {
        return match language {
            Language::En => en::closed(reason),
            Language::Ja => ja::closed(reason),
        };
    }
    if incident.is_of_missing_lines() {
        return match language {
            Language::En => en::of_missing_lines(is_over),
            Language::Ja => ja::of_missing_lines(is_over),
        }
        .to_owned();
    }
    let words = match language {
        Language::En => en::headline(&incident.key, is_over),
        Language::Ja => ja::headline(&incident.key, is_over),
    };
    words.to_owned()
}

/// The word that a message begins with.
pub(super) const fn opening(language: Language, state: NotificationState, is_page: bool) -> &'static str {
    match language {
        Language::En => en::opening(state, is_page),
        Language::Ja => ja::opening(state, is_page),
    }
}

/// What to do where the fault is in what we are given.
pub(super) const fn advice(language: Language, key: &Key, seat: &Seat) -> Option<&'static str> {
    match language {
        Language::En => en::advice(key, seat),
        Language::Ja => ja::advice(key, seat),
    }
}

/// Sentences with numbers in them.
pub(super) enum Sentence<'a> {
    /// Jobs that wait too long, the oldest for this long, where the limit is that.
    Overdue { jobs: u64, oldest: &'a str, limit: &'a str },
    /// Attempts that are stuck.
    Stuck { jobs: u64, oldest: &'a str },
    /// Jobs that failed, one after the other.
    InARow(u64),
    /// Enqueues that were refused.
    Refused(u64),
    /// Jobs that were hit, and how long the longest wait was.
    WereOverdue { jobs: u64, longest: &'a str },
    /// Jobs given up.
    GivenUp { jobs: u64, by_hand: bool },
    /// Jobs that were consumed while no line of it came.
    Unseen(u64),
    /// How many of all are listed.
    Oldest(u64),
    /// More than are listed.
    More(u64),
    /// A job and when it was enqueued.
    Enqueued { id: Option<&'a str>, at: Option<&'a str> },
    /// Which jobs wait is not known.
    Uncounted,
    /// The queues it may be.
    OneOf(&'a str),
    /// How long it was open.
    OpenFor(&'a str),
    /// About when.
    About(&'a str),
    /// It opened after the last line of a replay.
    AfterEnd,
    /// A job without a class.
    NoClass,
    /// When an incident of a kind opens.
    Rule { kind: Kind, grace: &'a str },
}

/// A sentence.
pub(super) fn sentence(language: Language, sentence: &Sentence<'_>) -> String {
    match language {
        Language::En => en::sentence(sentence),
        Language::Ja => ja::sentence(sentence),
    }
}

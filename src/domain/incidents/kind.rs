//! What kind of thing went wrong and where: the key of an incident.

use serde::{Deserialize, Serialize};

use crate::domain::job::{ConnectionName, QueueName, Timestamp};
use crate::domain::model::queue_ref::QueueRef;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Jobs wait, none was overtaken, and nothing starts.
    Stalled,
    /// Jobs were overtaken: later ones started, these did not. They vanished, or were processed unseen.
    Lost,
    /// Jobs wait too long, though others of their queue start.
    Backlog,
    /// A class does nothing but fail.
    Failing,
    /// Attempts neither end nor start again.
    StuckRunning,
    /// Jobs cannot be put on their queue.
    EnqueueErrors,
    /// We cannot see.
    Blind,
}

/// How loud an incident is. It belongs to the kind, never to the cause, and is fixed when it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Read it tomorrow.
    Warn,
    /// Wake somebody.
    Page,
}

impl Severity {
    /// The severity's name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Page => "page",
        }
    }
}

impl Kind {
    /// Whether it is found by looking at the jobs of one queue.
    #[must_use]
    pub const fn is_of_jobs(self) -> bool {
        matches!(self, Self::Stalled | Self::Lost | Self::Backlog | Self::StuckRunning)
    }

    /// How loud it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Stalled | Self::Failing | Self::EnqueueErrors => Severity::Page,
            Self::Lost | Self::Backlog | Self::StuckRunning | Self::Blind => Severity::Warn,
        }
    }
}

/// Why we cannot see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blindness {
    /// Worker lines come, and no enqueue line ever did.
    NoEnqueueLines,
    /// A source has fallen silent.
    SourceSilent,
    /// Payloads cannot be opened.
    Rejected,
    /// Deliveries reach us late.
    Late,
    /// Lines come in a form that is not understood.
    Unrecognised,
}

impl Blindness {
    /// The reason's name in keys and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEnqueueLines => "no_enqueue_lines",
            Self::SourceSilent => "source_silent",
            Self::Rejected => "rejected",
            Self::Late => "late",
            Self::Unrecognised => "unrecognised",
        }
    }
}

impl Kind {
    /// The kind's name in ids and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Lost => "lost",
            Self::Backlog => "backlog",
            Self::Failing => "failing",
            Self::StuckRunning => "stuck_running",
            Self::EnqueueErrors => "enqueue_errors",
            Self::Blind => "blind",
        }
    }
}

/// Identifies an incident within an app: there is at most one open incident a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What went wrong.
    pub kind: Kind,
    /// On which connection.
    pub connection: Option<ConnectionName>,
    /// On which queue.
    pub queue: Option<QueueName>,
    /// Why we cannot see, for [`Kind::Blind`].
    pub reason: Option<Blindness>,
}

impl Key {
    /// The key of a kind at a place.
    #[must_use]
    pub fn at(kind: Kind, place: &QueueRef) -> Self {
        let QueueRef { connection, queue } = place.clone();
        Self { kind, connection, queue, reason: None }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> QueueRef {
        QueueRef { connection: self.connection.clone(), queue: self.queue.clone() }
    }

    /// Whose queue it is, where that is not the stack's own app's.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        let queue = self.queue.as_ref().and_then(QueueName::scope);
        queue.or_else(|| self.connection.as_ref().and_then(ConnectionName::scope))
    }

    /// A blindness has no queue.
    #[must_use]
    pub const fn blind(reason: Blindness) -> Self {
        Self { kind: Kind::Blind, connection: None, queue: None, reason: Some(reason) }
    }

    /// The id of the incident that opens now: derived, never random, so that every run finds the same.
    /// `stalled-redis-default-20251206T1237Z`; a name that is not known prints as `unknown`.
    ///
    /// Where the one before it, of the same key, opened in the same minute, the id tells the second, and where that
    /// is the same, the millisecond: graces of seconds can open two in a minute.
    #[must_use]
    pub fn id_at(&self, opened_at: Timestamp, before: Option<Timestamp>) -> String {
        let place = match self.reason {
            Some(reason) => reason.as_str().to_owned(),
            None => {
                let connection = self.connection.as_ref().map_or("unknown", ConnectionName::as_str);
                let queue = self.queue.as_ref().map_or("unknown", QueueName::as_str);
                let scope = self.scope().map(|scope| format!("{scope}-")).unwrap_or_default();
                format!("{scope}{connection}-{queue}")
            }
        };
        let id = format!("{}-{place}-{}", self.kind.as_str(), compact(opened_at, before));
        // An id is pasted into commands and stands in keys: whatever a name may hold, it holds none of that.
        id.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
    }
}

/// `20251206T1237Z`, or with the second or the millisecond, whichever first tells it from the moment `before`.
fn compact(at: Timestamp, before: Option<Timestamp>) -> String {
    // From `2025-12-06T12:37:00.000Z`: everything up to the minute, second or millisecond, without marks.
    let upto = |at: Timestamp, chars: usize| at.to_string().chars().take(chars).collect::<String>();
    let is_told = |chars: &usize| before.is_none_or(|before| upto(at, *chars) != upto(before, *chars));
    let chars = [16, 19].into_iter().find(is_told).unwrap_or(23);
    let text: String = upto(at, chars).chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
    format!("{text}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_derived_from_kind_place_and_minute() {
        let at = Timestamp::from_ms(1_765_024_620_000);
        let mut key = Key {
            kind: Kind::Stalled,
            connection: Some("redis".into()),
            queue: Some("default".into()),
            reason: None,
        };
        assert_eq!(key.id_at(at, None), "stalled-redis-default-20251206T1237Z");
        (key.connection, key.queue) = (None, None);
        assert_eq!(key.id_at(at, None), "stalled-unknown-unknown-20251206T1237Z");
        key.queue = Some(QueueName::from("default").within(Some("billing")));
        assert_eq!(key.id_at(at, None), "stalled-billing-unknown-default-20251206T1237Z");
        key.queue = Some("a b$(x)\n".into());
        assert_eq!(key.id_at(at, None), "stalled-unknown-a_b__x__-20251206T1237Z");
        assert_eq!(Key::blind(Blindness::Late).id_at(at, None), "blind-late-20251206T1237Z");
    }

    #[test]
    fn two_incidents_of_one_minute_have_two_ids() {
        let (key, at) = (Key::blind(Blindness::Late), Timestamp::from_ms(1_765_024_662_512));
        let id = |ms_before: i64| key.id_at(at, Some(at.minus_ms(ms_before)));
        assert_eq!(id(42_513), "blind-late-20251206T1237Z");
        assert_eq!(id(42_512), "blind-late-20251206T123742Z");
        assert_eq!(id(513), "blind-late-20251206T123742Z");
        assert_eq!(id(512), "blind-late-20251206T123742512Z");
    }
}

//! An incident: what went wrong, where, since when, whom it hit, and what has been said about it.

pub mod advice;
pub mod cases;
pub mod cause;
mod detail;
pub mod diagnosis;
pub mod fact;
pub mod group;
mod kind;
pub mod purpose;
mod register;
mod stored;
pub mod suppress;
pub mod weight;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::job::{DAY_MS, HOUR_MS, JobClass, JobId, JobUuid, QueueName, Timestamp};

pub use cause::{Cause, SubCause};
pub use detail::{Delay, Detail, Failure, Loss, Rise, Round, Silent, Stall, Stuck};
pub use diagnosis::Diagnosis;
pub use fact::{Fact, Finding};
pub use kind::{Blindness, Key, Kind, Severity};
pub use register::{Register, by_name};
// The name of before, for as long as other rooms use it.

/// Jobs listed with an incident: what fits on a phone, and enough to see a pattern.
pub const JOBS_LISTED_MAX: usize = 20;

/// How a job's start would be known for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// By the payload's uuid.
    Uuid,
    /// By the driver's id.
    Id,
    /// By counting lines of its class.
    Count,
}

impl MatchedBy {
    /// The mode's name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Id => "id",
            Self::Count => "count",
        }
    }
}

/// A job that an incident lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedJob {
    /// Its driver's id.
    pub id: Option<JobId>,
    /// Its payload's uuid.
    pub uuid: Option<JobUuid>,
    /// Its display name.
    pub class: Option<JobClass>,
    /// When it was enqueued.
    pub enqueued_at: Option<Timestamp>,
}

/// What a notification says of its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// It opened, or reopened.
    Firing,
    /// It is still open.
    Reminder,
    /// It changed.
    Updated,
    /// Somebody has seen it, and it is still open.
    Seen,
    /// It is over.
    Resolved,
}

impl NotificationState {
    /// The state's name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Reminder => "reminder",
            Self::Updated => "updated",
            Self::Seen => "seen",
            Self::Resolved => "resolved",
        }
    }
}

/// One thing said about an incident. Its id is derived, so that a repeat can be known for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The incident's id and a number.
    pub id: String,
    /// When it was decided.
    pub at: Timestamp,
    /// What it says.
    pub state: NotificationState,
    /// The likeliest cause, as it was named.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// At most 99 ASCII characters.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// Who answered a message, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Who; may be empty.
    pub by: String,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Incident {
    /// Derived from the key and the opening minute.
    pub id: String,
    /// Identifies it; it keeps its key when a name is learned.
    pub key: Key,
    /// How loud it is.
    pub severity: Severity,
    /// The queues it may concern.
    pub queues: BTreeSet<QueueName>,
    /// The sweep that opened it.
    pub opened_at: Timestamp,
    /// The sweep that closed it.
    pub resolved_at: Option<Timestamp>,
    /// It opened after the last delivery of a replay.
    pub is_after_end: bool,
    /// When the oldest job was ready.
    pub oldest_ready_at: Option<Timestamp>,
    /// When the fault began, where it is not a job's.
    pub since: Option<Timestamp>,
    /// The most jobs it ever held at once.
    pub jobs_count: u64,
    /// The jobs it holds now.
    pub jobs_now: u64,
    /// The oldest jobs.
    pub jobs: Vec<ListedJob>,
    /// How their starts would be known.
    pub matched_by: Option<MatchedBy>,
    /// The longest a job of it waited.
    pub longest_wait_ms: i64,
    /// Jobs that turned unknown: nobody can say any more what became of them.
    pub given_up: u64,
    /// Reminders sent.
    pub reminders_count: u32,
    /// Facts to show.
    pub evidence: Vec<Fact>,
    /// What has been said.
    pub notifications: Vec<Notification>,
    /// The likely cause, as of the last time anything was said.
    #[serde(default)]
    pub diagnosis: Option<Diagnosis>,
    /// How often its diagnosis was corrected in a message.
    #[serde(default)]
    pub corrections_count: u32,
    /// The incidents that are grouped under this one: its messages tell of them.
    #[serde(default, rename = "followers")]
    pub grouped: BTreeSet<String>,
    /// The incident whose messages tell of it, where one message tells of several.
    #[serde(default)]
    pub grouped_under: Option<String>,
    /// Queues that are in trouble as well, and have no incident of their own because too many are open.
    #[serde(default, skip_serializing_if = "is_none_beyond")]
    pub beyond: u64,
    /// Its page is suppressed: it waits for the end of a silence.
    #[serde(default, rename = "is_withheld")]
    pub is_suppressed: bool,
    /// Who has seen it. Nobody is reminded of it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Why somebody closed it by hand.
    #[serde(default)]
    pub closed_because: Option<String>,
    /// What its kind knows beyond that.
    #[serde(flatten)]
    pub detail: Detail,
}

impl Incident {
    /// An incident that has just opened, of which nothing more is known.
    #[must_use]
    pub fn open(id: String, key: Key, opened_at: Timestamp) -> Self {
        Self {
            id,
            severity: key.kind.severity(),
            detail: Detail::blank(key.kind),
            key,
            queues: BTreeSet::new(),
            opened_at,
            resolved_at: None,
            is_after_end: false,
            oldest_ready_at: None,
            since: None,
            jobs_count: 0,
            jobs_now: 0,
            jobs: Vec::new(),
            matched_by: None,
            longest_wait_ms: 0,
            given_up: 0,
            reminders_count: 0,
            evidence: Vec::new(),
            notifications: Vec::new(),
            diagnosis: None,
            corrections_count: 0,
            grouped: BTreeSet::new(),
            grouped_under: None,
            beyond: 0,
            is_suppressed: false,
            seen: None,
            closed_because: None,
        }
    }

    /// Whether it is still going on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Whether it is about lines of workers that are missing, and not about jobs that somebody could look for.
    #[must_use]
    pub fn is_of_missing_lines(&self) -> bool {
        self.key.kind == Kind::Lost && self.detail.loss().turned_unknown_at.is_some() && self.jobs_now == 0
    }

    /// Whether it is only waited for whether it is over: nobody is reminded of no job.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.detail.loss().none_lost_since.is_some()
    }

    /// When the next reminder is due: 1 hour after somebody was told, after 4, then daily; never once somebody has seen
    /// it. A page that waited for the end of a silence is no older than that.
    #[must_use]
    pub fn next_reminder_at(&self) -> Timestamp {
        if self.seen.is_some() {
            return Timestamp::MAX;
        }
        self.reminder_after(self.notifications.first().map_or(self.opened_at, |first| first.at))
    }

    /// The same, if somebody is told at `told_at`.
    #[must_use]
    pub fn reminder_after(&self, told_at: Timestamp) -> Timestamp {
        let after_ms = match self.reminders_count {
            0 => HOUR_MS,
            1 => 4 * HOUR_MS,
            n => DAY_MS.saturating_mul(i64::from(n).saturating_sub(1)),
        };
        told_at.plus_ms(after_ms)
    }

    /// The id of the next notification.
    #[must_use]
    pub fn next_notification_id(&self) -> String {
        format!("{}/{}", self.id, self.notifications.len().saturating_add(1))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_none_beyond(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_come_after_one_hour_four_and_then_daily() {
        let mut incident = sample();
        let mut due = Vec::new();
        for n in 0..5 {
            incident.reminders_count = n;
            due.push(incident.next_reminder_at().as_ms() / HOUR_MS);
        }
        assert_eq!(due, [1, 4, 24, 48, 72]);
    }

    #[test]
    fn the_register_keeps_what_a_newer_incident_of_the_same_key_followed() {
        let mut register = Register::default();
        register.write(sample());
        let mut again = sample();
        again.jobs_count = 5;
        register.write(again);
        assert_eq!((register.newest.len(), register.past.len()), (1, 0));
        let mut next = sample();
        next.id = "next".into();
        register.write(next);
        assert_eq!((register.newest.len(), register.past.len()), (1, 1));
    }

    #[test]
    fn an_incident_is_named_by_its_id_or_by_the_beginning_that_it_has_alone() {
        let incidents: Vec<Incident> = ["stalled-a", "stalled-a-b", "lost-a"]
            .into_iter()
            .map(|id| Incident { id: id.to_owned(), ..sample() })
            .collect();
        let named = |name: &str| by_name(incidents.iter(), name).map(|incident| incident.id.as_str());
        assert_eq!(
            (named("stalled-a"), named("stalled-a-"), named("lost")),
            (Some("stalled-a"), Some("stalled-a-b"), Some("lost-a"))
        );
        assert_eq!((named("stalled"), named(""), named("x")), (None, None, None));
    }

    fn sample() -> Incident {
        Incident::open("one".into(), Key::blind(Blindness::Late), Timestamp::from_ms(0))
    }
}

//! The e-mail text: what, where, since when, how many, the longest wait, and the facts behind it.
//!
//! **Invariant:** a subject is at most [`SUBJECT_CHARS_MAX`] printable ASCII characters, as SNS demands.
//! No payload, argument or exception text appears in either part.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::domain::incident::{Blindness, Incident, Key, Kind, MatchedBy, NotificationState, Severity};
use crate::domain::job::{ConnectionName, JobClass, QueueName, Timestamp};

/// The longest subject that SNS takes is 100 characters; one less leaves no doubt whether that is a bound
/// or a limit ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)).
const SUBJECT_CHARS_MAX: usize = 99;
/// Classes named in a message; the rest are counted.
const CLASSES_MAX: usize = 5;
/// Jobs named in a message: the reader looks one up, not twenty.
const JOBS_MAX: usize = 5;

/// A subject and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// At most 99 ASCII characters.
    pub subject: String,
    /// Plain text, lines short enough for a phone where the facts allow it.
    pub body: String,
}

/// Puts an incident into words, as of `now`, with times in UTC and in `timezone`.
#[must_use]
pub fn render(
    app: &str,
    timezone: &str,
    incident: &Incident,
    state: NotificationState,
    now: Timestamp,
) -> Words {
    let clock = Clock(TimeZone::get(timezone).ok().filter(|tz| *tz != TimeZone::UTC));
    Words {
        subject: ascii(&subject(app, incident, state, now)),
        body: body(app, &clock, incident, state, now),
    }
}

/// Times, in UTC and in the configured zone.
struct Clock(Option<TimeZone>);

impl Clock {
    fn show(&self, at: Timestamp) -> String {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_ms()) else { return at.to_string() };
        let utc = moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        match &self.0 {
            Some(zone) => {
                format!("{utc} ({})", moment.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S %Z"))
            }
            None => utc,
        }
    }
}

fn subject(app: &str, incident: &Incident, state: NotificationState, now: Timestamp) -> String {
    let place = place(&incident.key);
    let word = match (state, incident.severity) {
        (NotificationState::Resolved, _) => "OK",
        (_, Severity::Page) => "ALARM",
        (_, Severity::Warn) => "WARN",
    };
    let age = duration(now.since_ms(incident.oldest_ready_at.unwrap_or(incident.opened_at)));
    let again = match state {
        NotificationState::Reminder => "still ",
        NotificationState::Firing | NotificationState::Updated | NotificationState::Resolved => "",
    };
    let (jobs, most) = (incident.jobs_now, incident.jobs_count);
    if let Some(reason) = incident.closed_because.as_ref().filter(|_| state == NotificationState::Resolved) {
        let what = incident.key.kind.as_str();
        return format!("{word} {app} {place} {what} closed by hand: {reason}");
    }
    match (state, incident.key.kind) {
        (NotificationState::Resolved, Kind::Stalled) => {
            let waited = duration(incident.longest_wait_ms);
            format!("{word} {app} {place} moves again, {most} delayed up to {waited}")
        }
        (NotificationState::Resolved, Kind::Lost) if incident.given_up > 0 => {
            format!("{word} {app} {place} {} jobs given up as unknown", incident.given_up)
        }
        (NotificationState::Resolved, Kind::Lost) => format!("{word} {app} {place} lost jobs accounted for"),
        (NotificationState::Resolved, Kind::Blind) => format!("{word} {app} {}", sight(&incident.key, true)),
        (NotificationState::Resolved, Kind::Backlog) => {
            format!("{word} {app} {place} backlog worked off, {most} delayed")
        }
        (NotificationState::Resolved, Kind::Failing) => format!("{word} {app} {place} jobs succeed again"),
        (NotificationState::Resolved, Kind::StuckRunning) => {
            format!("{word} {app} {place} stuck attempts accounted for")
        }
        (NotificationState::Resolved, Kind::EnqueueErrors) => {
            format!("{word} {app} {place} takes jobs again")
        }
        (_, Kind::Backlog) => format!("{word} {app} {place} {again}slow, {jobs} overdue, oldest {age}"),
        (_, Kind::Failing) => format!("{word} {app} {place} {again}failing"),
        (_, Kind::StuckRunning) => format!("{word} {app} {place} {jobs} attempts {again}stuck"),
        (_, Kind::EnqueueErrors) => format!("{word} {app} {place} {again}refuses jobs"),
        (_, Kind::Stalled) => format!("{word} {app} {place} {again}stalled {age}, {jobs} overdue"),
        (_, Kind::Lost) => format!("{word} {app} {place} {jobs} jobs {again}passed over, oldest {age}"),
        (_, Kind::Blind) => format!("{word} {app} {again}{}", sight(&incident.key, false)),
    }
}

/// `redis:default`, as `queue:monitor` takes it; what is not known is `unknown`.
fn place(key: &Key) -> String {
    let connection = key.connection.as_ref().map_or("unknown", ConnectionName::as_str);
    let queue = key.queue.as_ref().map_or("unknown", QueueName::as_str);
    format!("{connection}:{queue}")
}

fn sight(key: &Key, is_over: bool) -> &'static str {
    match (key.reason, is_over) {
        (Some(Blindness::NoEnqueueLines), false) => "logs no enqueue lines: a stall cannot be seen",
        (Some(Blindness::NoEnqueueLines), true) => "logs enqueue lines now",
        (Some(Blindness::SourceSilent), false) => "log source silent",
        (Some(Blindness::SourceSilent), true) => "log source heard again",
        (Some(Blindness::Rejected), false) => "log payloads cannot be opened",
        (Some(Blindness::Rejected), true) => "log payloads open again",
        (Some(Blindness::Late), false) => "log deliveries are late",
        (Some(Blindness::Late), true) => "log deliveries are in time again",
        (None, _) => "cannot see",
    }
}

fn body(app: &str, clock: &Clock, incident: &Incident, state: NotificationState, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail; the results are let go.
    let word = match (state, incident.severity) {
        (NotificationState::Resolved, _) => "RESOLVED",
        (NotificationState::Reminder, _) => "STILL OPEN",
        (NotificationState::Firing | NotificationState::Updated, Severity::Page) => "ALARM",
        (NotificationState::Firing | NotificationState::Updated, Severity::Warn) => "WARN",
    };
    let _ = writeln!(text, "{word}  {}", headline(incident, state));
    let _ = writeln!(text, "app      {app}");
    if incident.key.kind == Kind::Blind {
        for source in &incident.sources {
            let _ = writeln!(text, "source   {source}");
        }
    } else {
        let _ = writeln!(text, "queue    {}", place(&incident.key));
        if incident.key.queue.is_none() && !incident.queues.is_empty() {
            let queues: Vec<&str> = incident.queues.iter().map(QueueName::as_str).collect();
            let _ = writeln!(text, "         one of: {}", queues.join(", "));
        }
    }
    let since = incident.oldest_ready_at.or(incident.since).unwrap_or(incident.opened_at);
    let about = if incident.matched_by == Some(MatchedBy::Count) { "about " } else { "" };
    let _ = writeln!(text, "since    {about}{}", clock.show(since));
    if let Some(resolved_at) = incident.resolved_at {
        let lasted = duration(resolved_at.since_ms(incident.opened_at));
        let _ = writeln!(text, "until    {} (open for {lasted})", clock.show(resolved_at));
    }
    if incident.key.kind != Kind::Blind {
        jobs(&mut text, clock, incident, state, now);
    }
    facts(&mut text, clock, incident, state);
    if let Some(advice) = advice(&incident.key).filter(|_| state != NotificationState::Resolved) {
        let _ = writeln!(text, "\nTO DO\n{advice}");
    }
    if incident.is_after_end {
        let _ = writeln!(
            text,
            "\nThis opened after the last line that was replayed: lines that came later may tell otherwise."
        );
    }
    let _ = writeln!(text, "\nincident {}", incident.id);
    text
}

fn facts(text: &mut String, clock: &Clock, incident: &Incident, state: NotificationState) {
    if incident.evidence.is_empty() || state == NotificationState::Resolved {
        return;
    }
    let as_of = if state == NotificationState::Reminder { ", as of the opening" } else { "" };
    let _ = writeln!(text, "\nFACTS{as_of}");
    for fact in &incident.evidence {
        let _ = match fact.at {
            Some(at) => writeln!(text, "- {}: {}", fact.text, clock.show(at)),
            None => writeln!(text, "- {}", fact.text),
        };
    }
}

/// What to do where the fault is in what we are given, not in the app.
const fn advice(key: &Key) -> Option<&'static str> {
    match key.reason {
        Some(Blindness::NoEnqueueLines) => Some(
            "Have the app log a line when a job is enqueued: Laravel itself logs none. Add a JobQueued\n\
             listener, or a [[rule]] on a line that the app writes then. `queuewatch explain` tells why a\n\
             line is not recognised.",
        ),
        Some(Blindness::SourceSilent) => Some(
            "Look whether the app still runs and logs; on one machine, whether it writes to the file that is\n\
             watched; on AWS, whether the log group still has its subscription filter:\n\
             aws logs describe-subscription-filters --log-group-name $LOG_GROUP",
        ),
        Some(Blindness::Rejected) => Some(
            "Look who else writes to this function or stream. The rejected payloads are kept where\n\
             failed events go; `queuewatch replay` names the reason of each.",
        ),
        Some(Blindness::Late) => {
            Some("Nothing, if a backlog of logs is being caught up with. Waits are judged late until then.")
        }
        None => None,
    }
}

fn headline(incident: &Incident, state: NotificationState) -> String {
    let is_over = state == NotificationState::Resolved;
    if let Some(reason) = incident.closed_because.as_ref().filter(|_| is_over) {
        return if reason.is_empty() {
            "closed by hand".to_owned()
        } else {
            format!("closed by hand: {reason}")
        };
    }
    let words = match incident.key.kind {
        Kind::Stalled if is_over => "the queue moves again",
        Kind::Stalled => "queue stalled: jobs wait and none is started",
        Kind::Lost if is_over => "no job is passed over any more",
        Kind::Lost => "jobs passed over: later ones started, these did not",
        Kind::Backlog if is_over => "the backlog is worked off",
        Kind::Backlog => "backlog: jobs start, and too late",
        Kind::Failing if is_over => "jobs succeed again",
        Kind::Failing => "jobs do nothing but fail",
        Kind::StuckRunning if is_over => "no attempt is stuck any more",
        Kind::StuckRunning => "attempts neither end nor start again",
        Kind::EnqueueErrors if is_over => "jobs can be enqueued again",
        Kind::EnqueueErrors => "jobs cannot be enqueued",
        Kind::Blind => sight(&incident.key, is_over),
    };
    let is_about_the_app = incident.key.reason == Some(Blindness::NoEnqueueLines);
    if is_about_the_app { format!("the app {words}") } else { words.to_owned() }
}

fn jobs(text: &mut String, clock: &Clock, incident: &Incident, state: NotificationState, now: Timestamp) {
    let is_over = state == NotificationState::Resolved;
    if is_over {
        let waited = duration(incident.longest_wait_ms);
        let _ = writeln!(
            text,
            "jobs     {} were overdue at once, the longest wait {waited}",
            incident.jobs_count
        );
        if incident.given_up > 0 {
            let count = incident.given_up;
            let why =
                if incident.closed_because.is_some() { "closed by hand" } else { "no line in three days" };
            let _ = writeln!(text, "         {count} are given up as unknown: {why}");
        }
    } else {
        let since = incident.oldest_ready_at.unwrap_or(now);
        let (jobs, age) = (incident.jobs_now, duration(now.since_ms(since)));
        let _ = writeln!(text, "jobs     {jobs} overdue, oldest {age}");
    }
    let listed = incident.jobs.len() as u64;
    if incident.jobs_count > listed {
        let _ = writeln!(text, "         the {listed} oldest:");
    }
    for (class, count) in classes(incident) {
        let _ = writeln!(text, "         {class} x{count}");
    }
    if is_over {
        return;
    }
    if incident.matched_by == Some(MatchedBy::Count) {
        let _ = writeln!(text, "         which of them wait is not known: worker lines carry no id");
        return;
    }
    for job in incident.jobs.iter().take(JOBS_MAX) {
        let id = job.uuid.as_ref().map(ToString::to_string);
        let id = id.or_else(|| job.id.as_ref().map(ToString::to_string));
        let at = job.enqueued_at.map_or_else(|| "at an unknown time".to_owned(), |at| clock.show(at));
        let _ = writeln!(text, "- {} enqueued {at}", id.as_deref().unwrap_or("(no id)"));
    }
    let more = incident.jobs_now.saturating_sub(incident.jobs.len().min(JOBS_MAX) as u64);
    if more > 0 {
        let _ = writeln!(text, "- and {more} more");
    }
}

/// The classes among the listed jobs, most frequent first.
fn classes(incident: &Incident) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for job in &incident.jobs {
        let class = job.class.as_ref().map_or("(class unknown)", JobClass::as_str);
        let count = counts.entry(class).or_default();
        *count = count.saturating_add(1);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    counts.truncate(CLASSES_MAX);
    counts
}

/// `48s`, `5m50s`, `3h07m`, `2d04h`.
#[must_use]
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0).wrapping_div(1000);
    let (minutes, hours, days) =
        (seconds.wrapping_div(60), seconds.wrapping_div(3600), seconds.wrapping_div(86_400));
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{:02}s", seconds.wrapping_rem(60)),
        3600..86_400 => format!("{hours}h{:02}m", minutes.wrapping_rem(60)),
        _ => format!("{days}d{:02}h", hours.wrapping_rem(24)),
    }
}

/// Printable ASCII only, cut to what SNS takes.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let texts: Vec<String> =
            [0, 48_999, 350_000, 11_220_000, 187_200_000].into_iter().map(duration).collect();
        assert_eq!(texts, ["0s", "48s", "5m50s", "3h07m", "2d04h"]);
    }

    #[test]
    fn a_subject_is_ascii_and_short() {
        let text = ascii(&format!("caf\u{e9}\n{}", "x".repeat(200)));
        assert_eq!(text.len(), 99);
        assert!(text.starts_with("caf??x"));
    }
}

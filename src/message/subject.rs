//! A message's subject: what, where, since when and why, in one line, in English whatever the body's language is.
//!
//! **Invariant:** at most [`SUBJECT_CHARS_MAX`] printable ASCII characters, as SNS demands.

use super::duration;
use crate::domain::incident::{Blindness, Incident, Key, Kind, NotificationState, Severity};
use crate::domain::job::{ConnectionName, QueueName, Timestamp};

/// The longest subject that SNS takes is 100 characters; one less leaves no doubt whether that is a bound
/// or a limit ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)).
const SUBJECT_CHARS_MAX: usize = 99;

/// The subject of a notification.
pub(super) fn subject(app: &str, incident: &Incident, state: NotificationState, now: Timestamp) -> String {
    let place = place(&incident.key);
    let word = match (state, incident.severity) {
        (NotificationState::Resolved, _) => "OK",
        (_, Severity::Page) => "ALARM",
        (_, Severity::Warn) => "WARN",
    };
    let is_over = state == NotificationState::Resolved;
    let what = match incident.closed_because.as_ref().filter(|_| is_over) {
        Some(reason) => format!("{} closed by hand: {reason}", incident.key.kind.as_str()),
        None if is_over => over(incident),
        None => going_on(incident, state, now),
    };
    let text = match incident.key.kind {
        Kind::Blind => format!("{word} {app} {what}"),
        // Its lines name no queue: it is the app's store.
        Kind::EnqueueErrors if incident.key.queue.is_none() => format!("{word} {app} store {what}"),
        Kind::Stalled
        | Kind::Lost
        | Kind::Backlog
        | Kind::Failing
        | Kind::StuckRunning
        | Kind::EnqueueErrors => format!("{word} {app} {place} {what}"),
    };
    ascii(&text)
}

fn going_on(incident: &Incident, state: NotificationState, now: Timestamp) -> String {
    let age = duration(now.since_ms(incident.oldest_ready_at.unwrap_or(incident.opened_at)));
    let again = if state == NotificationState::Reminder { "still " } else { "" };
    let jobs = incident.jobs_now;
    let what = match incident.key.kind {
        Kind::Stalled => format!("{again}stalled {age}, {jobs} overdue"),
        Kind::Lost if incident.is_of_missing_lines() => {
            format!("worker lines {again}missing, {} unknown", n(incident.given_up, "job"))
        }
        Kind::Lost => format!("{} {again}passed over, oldest {age}", n(jobs, "job")),
        Kind::Backlog => format!("{again}slow, {jobs} overdue, oldest {age}"),
        Kind::Failing => format!("{again}failing"),
        Kind::StuckRunning => format!("{} {again}stuck", n(jobs, "attempt")),
        Kind::EnqueueErrors => format!("{again}refuses jobs"),
        Kind::Blind => return format!("{again}{}", sight(&incident.key, false)),
    };
    match &incident.diagnosis {
        Some(diagnosis) => format!("{what} - {}", diagnosis.cause.as_str().replace('_', " ")),
        None => what,
    }
}

fn over(incident: &Incident) -> String {
    let most = incident.jobs_count;
    match incident.key.kind {
        Kind::Stalled => {
            let unknown = match incident.given_up {
                0 => String::new(),
                unknown => format!(", {unknown} unknown"),
            };
            format!("moves again, {most} delayed up to {}{unknown}", duration(incident.longest_wait_ms))
        }
        Kind::Lost if incident.given_up > 0 => format!("{} given up as unknown", n(incident.given_up, "job")),
        Kind::Lost => "lost jobs accounted for".to_owned(),
        Kind::Backlog => format!("backlog worked off, {most} delayed"),
        Kind::Failing => "jobs succeed again".to_owned(),
        Kind::StuckRunning => "stuck attempts accounted for".to_owned(),
        Kind::EnqueueErrors => "takes jobs again".to_owned(),
        Kind::Blind => sight(&incident.key, true).to_owned(),
    }
}

/// `1 job`, `7 jobs`.
fn n(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `redis:default`, as `queue:monitor` takes it; what is not known is `unknown`.
pub(super) fn place(key: &Key) -> String {
    let connection = key.connection.as_ref().map_or("unknown", ConnectionName::as_str);
    let queue = key.queue.as_ref().map_or("unknown", QueueName::as_str);
    format!("{connection}:{queue}")
}

const fn sight(key: &Key, is_over: bool) -> &'static str {
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

/// Printable ASCII only, cut to what SNS takes.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_ascii_and_short() {
        let text = ascii(&format!("caf\u{e9}\n{}", "x".repeat(200)));
        assert_eq!(text.len(), 99);
        assert!(text.starts_with("caf??x"));
    }
}

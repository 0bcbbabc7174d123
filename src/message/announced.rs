//! What the sweep writes to its own log of incidents: the dashboard lists from it what is open.
//!
//! **Invariant:** names and the subject only, no line of anybody's and nothing of a job's payload.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::diagnosis::Cause;
use crate::domain::incidents::Incident;
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::printable::printable;
use crate::domain::sweep::Plan;

/// The names of a row's fields in the log.
pub const INCIDENT_FIELDS: &[&str] =
    &["incident", "kind", "severity", "state", "queue", "cause", "jobs", "opened_at", "seen_by", "subject"];

/// How often what is open is written once more: an hour of a dashboard shows it, whenever it was announced.
const REPEATED_EVERY_MS: i64 = 15 * MINUTE_MS;

/// One incident, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its id.
    pub incident: String,
    /// What went wrong.
    pub kind: &'static str,
    /// How loud it is.
    pub severity: &'static str,
    /// What was said of it; `open` where nothing is said now.
    pub state: &'static str,
    /// The queue, where it is known.
    pub queue: Option<String>,
    /// The likeliest cause.
    pub cause: Option<&'static str>,
    /// The jobs that it holds now.
    pub jobs: u64,
    /// When it opened.
    pub opened_at: String,
    /// Who has seen it.
    pub seen_by: Option<String>,
    /// The subject of what was said last; where it was told with another, that one's id.
    pub subject: String,
}

/// What a sweep announced, and every quarter of an hour all that is open.
#[must_use]
pub fn announced(plan: &Plan, now: Timestamp) -> Vec<Announced> {
    let newest: BTreeMap<&str, &Incident> =
        plan.incidents.iter().map(|incident| (incident.id.as_str(), incident)).collect();
    let mut rows: Vec<Announced> = plan
        .announcements
        .iter()
        .filter_map(|(id, state)| Some(row(newest.get(id.as_str())?, state.as_str())))
        .collect();
    let said: BTreeSet<&str> = plan.announcements.iter().map(|(id, _)| id.as_str()).collect();
    if now.minute().as_ms().checked_rem(REPEATED_EVERY_MS) == Some(0) {
        let open = newest.values().filter(|incident| incident.is_open() && !said.contains(&*incident.id));
        rows.extend(open.map(|incident| row(incident, "open")));
    }
    // Whatever ends without a word of its own, such as one that was told with another, ends in the list, too.
    let over = newest.values().filter(|incident| !said.contains(&*incident.id));
    let over = over.filter(|incident| incident.resolved_at.is_some_and(|at| at.minute() == now.minute()));
    rows.extend(over.map(|incident| row(incident, "resolved")));
    rows
}

fn row(incident: &Incident, state: &'static str) -> Announced {
    let told_with = || incident.grouped_under.as_ref().map(|leader| format!("told with {leader}"));
    let subject = incident.notifications.last().map(|said| said.subject.clone()).or_else(told_with);
    Announced {
        incident: printable(&incident.id).into_owned(),
        kind: incident.key.kind.as_str(),
        severity: incident.severity.as_str(),
        state,
        queue: incident.key.queue.as_ref().map(|queue| printable(queue.as_str()).into_owned()),
        cause: incident.diagnosis.as_ref().map(|diagnosis| Cause::as_str(diagnosis.cause)),
        jobs: incident.jobs_now,
        opened_at: incident.opened_at.to_string(),
        seen_by: incident.seen.as_ref().map(|seen| printable(&seen.by).into_owned()),
        subject: printable(&subject.unwrap_or_default()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incidents::NotificationState;
    use crate::message::fixtures;

    fn states(plan: &Plan, now: Timestamp) -> Vec<(String, &'static str)> {
        announced(plan, now).into_iter().map(|row| (row.incident, row.state)).collect()
    }

    #[test]
    fn what_is_said_is_written_and_what_is_open_each_quarter_of_an_hour() {
        let incident = fixtures::stalled();
        let id = incident.id.clone();
        let opened_at = incident.opened_at;
        let said = Plan {
            incidents: vec![incident.clone()],
            announcements: vec![(id.clone(), NotificationState::Firing)],
            ..Plan::default()
        };
        let quiet = Plan { incidents: vec![incident.clone()], ..Plan::default() };
        // 12:37, and 12:45.
        let quarter = opened_at.plus_ms(8 * MINUTE_MS);
        assert_eq!(states(&said, opened_at), [(id.clone(), "firing")]);
        assert_eq!(states(&said, quarter), [(id.clone(), "firing")]);
        assert_eq!(states(&quiet, opened_at), []);
        assert_eq!(states(&quiet, quarter), [(id.clone(), "open")]);
        let over = Incident { resolved_at: Some(quarter), ..incident };
        let over = Plan { incidents: vec![over], ..Plan::default() };
        assert_eq!(states(&over, quarter), [(id, "resolved")]);
        assert_eq!(states(&over, quarter.plus_ms(MINUTE_MS)), []);
    }

    #[test]
    fn a_row_has_names_and_the_subject() {
        let mut incident = fixtures::stalled();
        incident.notifications.push(fixtures::notification("no job started", "body"));
        let row = row(&incident, "firing");
        assert_eq!((row.kind, row.severity, row.queue.as_deref()), ("stalled", "page", Some("default")));
        assert_eq!((row.cause, row.jobs, row.subject.as_str()), (Some("worker_silent"), 2, "no job started"));
        assert_eq!(row.opened_at, "2025-12-06T12:37:00.000Z");
    }
}

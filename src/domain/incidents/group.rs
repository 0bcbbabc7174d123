//! One cause, one page: incidents that begin together by the same cause share one message. One of them leads; the others
//! are grouped under it, and its messages name them.

use std::collections::BTreeSet;

use super::cases::Cases;
use super::{Cause, Incident, Kind, NotificationState, Severity};

/// Groups pages that open now under one that opened within the grace by the same cause. Incidents that go on for longer
/// than the grace after their leader's end get a page of their own.
pub fn group(cases: &mut Cases<'_>) {
    release(cases);
    let announced = cases.collected.announcements.iter();
    let firing: BTreeSet<String> = announced
        .filter(|(_, state)| *state == NotificationState::Firing)
        .map(|(id, _)| id.clone())
        .collect();
    let mut order: Vec<usize> = (0..cases.collected.incidents.len()).collect();
    order.sort_by_key(|index| cases.collected.incidents.get(*index).map(rank));
    for index in order {
        let Some(incident) = cases.collected.incidents.get(index) else { continue };
        if !firing.contains(&incident.id) || incident.severity != Severity::Page {
            continue;
        }
        let Some(leader) = leader_of(cases, incident, &firing) else { continue };
        let id = incident.id.clone();
        if let Some(incident) = cases.collected.incidents.get_mut(index) {
            incident.grouped_under = Some(leader.id.clone());
        }
        cases.collected.announcements.retain(|(announced, _)| *announced != id);
        lead(cases, leader, id);
    }
}

/// The incident that one which opens now is grouped under.
fn leader_of(cases: &Cases<'_>, incident: &Incident, firing: &BTreeSet<String>) -> Option<Incident> {
    let grace_ms = cases.policy.grace_ms(incident.key.queue.as_ref(), None);
    let is_leader = |leader: &&Incident| {
        leader.id != incident.id
            && leader.is_open()
            && leader.severity == Severity::Page
            && leader.grouped_under.is_none()
            && !leader.is_suppressed
            && incident.opened_at.since_ms(leader.opened_at) <= grace_ms
            // Of two that open now, the one that comes first leads.
            && (!firing.contains(&leader.id) || rank(leader) < rank(incident))
            && is_same_trouble(leader, incident)
    };
    let changed: BTreeSet<&str> = cases.collected.incidents.iter().map(|it| it.id.as_str()).collect();
    let unchanged = cases.register.open().filter(|incident| !changed.contains(incident.id.as_str()));
    cases.collected.incidents.iter().chain(unchanged).filter(is_leader).min_by_key(|it| rank(it)).cloned()
}

/// Notes an incident with its leader, and announces an update of the leader.
fn lead(cases: &mut Cases<'_>, mut leader: Incident, id: String) {
    leader.grouped.insert(id);
    let is_announced = cases.collected.announcements.iter().any(|(id, _)| *id == leader.id);
    if !is_announced {
        cases.announce(&mut leader, NotificationState::Updated);
    }
    cases.replace(leader);
}

/// Ungroups incidents whose leader is over for longer than the grace, and announces them.
fn release(cases: &mut Cases<'_>) {
    let now = cases.now;
    let mut incidents = std::mem::take(&mut cases.collected.incidents);
    for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
        let Some(leader_id) = &incident.grouped_under else { continue };
        let leader = cases.register.all().into_iter().find(|leader| leader.id == *leader_id);
        let grace_ms = cases.policy.grace_ms(incident.key.queue.as_ref(), None);
        let released_at = leader.and_then(|leader| leader.resolved_at).map(|at| at.plus_ms(grace_ms));
        if let Some(released_at) = released_at {
            cases.collected.wake.at(released_at, now);
        }
        if leader.is_none() || released_at.is_some_and(|at| at <= now) {
            incident.grouped_under = None;
            cases.announce(incident, NotificationState::Firing);
        }
    }
    cases.collected.incidents = incidents;
}

/// Who leads: a kind that explains the others comes first.
fn rank(incident: &Incident) -> (u8, String) {
    let rank = match incident.key.kind {
        Kind::Blind => 0,
        Kind::EnqueueErrors => 1,
        Kind::Failing => 2,
        Kind::Stalled => 3,
        Kind::Lost | Kind::Backlog | Kind::StuckRunning => 4,
    };
    (rank, incident.id.clone())
}

/// Whether one page may name both: the same cause, or one that explains the other.
fn is_same_trouble(leader: &Incident, other: &Incident) -> bool {
    let cause = |incident: &Incident| incident.diagnosis.as_ref().map(|it| it.cause);
    let is_explained = match leader.key.kind {
        // A store that refuses jobs hands none out either.
        Kind::EnqueueErrors => {
            matches!(cause(other), Some(Cause::EnqueueErrors | Cause::CannotFetch))
        }
        Kind::Blind => true,
        Kind::Stalled | Kind::Failing | Kind::Lost | Kind::Backlog | Kind::StuckRunning => false,
    };
    is_explained || (cause(leader).is_some() && cause(leader) == cause(other))
}

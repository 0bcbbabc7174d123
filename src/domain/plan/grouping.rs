//! One cause, one page: what begins together by the same cause is told of in one message.

use std::collections::BTreeSet;

use super::Planner;
use crate::domain::diagnosis::Cause;
use crate::domain::incidents::{Incident, Kind, NotificationState, Severity};

impl Planner<'_> {
    /// Joins pages that open now to one that opened within the grace by the same cause, and lets those go whose
    /// leader is over and who are not.
    pub(super) fn group(&mut self) {
        self.release();
        let firing: BTreeSet<String> = self
            .plan
            .announcements
            .iter()
            .filter(|(_, state)| *state == NotificationState::Firing)
            .map(|(id, _)| id.clone())
            .collect();
        let mut order: Vec<usize> = (0..self.plan.incidents.len()).collect();
        order.sort_by_key(|place| self.plan.incidents.get(*place).map(rank));
        for place in order {
            let Some(follower) = self.plan.incidents.get(place) else { continue };
            if !firing.contains(&follower.id) || follower.severity != Severity::Page {
                continue;
            }
            let Some(leader) = self.leader_of(follower, &firing) else { continue };
            let follower_id = follower.id.clone();
            if let Some(follower) = self.plan.incidents.get_mut(place) {
                follower.grouped_under = Some(leader.id.clone());
            }
            self.plan.announcements.retain(|(id, _)| *id != follower_id);
            self.lead(leader, follower_id);
        }
    }

    /// The page that an incident which opens now belongs to.
    fn leader_of(&self, follower: &Incident, firing: &BTreeSet<String>) -> Option<Incident> {
        let grace_ms = self.policy.grace_ms(follower.key.queue.as_ref(), None);
        let is_leader = |leader: &&Incident| {
            leader.id != follower.id
                && leader.is_open()
                && leader.severity == Severity::Page
                && leader.grouped_under.is_none()
                && !leader.is_withheld
                && follower.opened_at.since_ms(leader.opened_at) <= grace_ms
                // Of two that open now, the one that comes first leads.
                && (!firing.contains(&leader.id) || rank(leader) < rank(follower))
                && is_same_trouble(leader, follower)
        };
        let changed: BTreeSet<&str> = self.plan.incidents.iter().map(|it| it.id.as_str()).collect();
        let unchanged = self.book.open().filter(|incident| !changed.contains(incident.id.as_str()));
        self.plan.incidents.iter().chain(unchanged).filter(is_leader).min_by_key(|it| rank(it)).cloned()
    }

    /// Notes a follower with its leader, and has the leader tell of it.
    fn lead(&mut self, mut leader: Incident, follower_id: String) {
        leader.followers.insert(follower_id);
        let is_announced = self.plan.announcements.iter().any(|(id, _)| *id == leader.id);
        if !is_announced {
            self.announce(&mut leader, NotificationState::Updated);
        }
        match self.plan.incidents.iter_mut().find(|incident| incident.id == leader.id) {
            Some(known) => *known = leader,
            None => self.plan.incidents.push(leader),
        }
    }

    /// Has followers speak for themselves whose leader is over for longer than the grace.
    fn release(&mut self) {
        let now = self.horizon.now;
        let mut incidents = std::mem::take(&mut self.plan.incidents);
        for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
            let Some(leader_id) = &incident.grouped_under else { continue };
            let leader = self.book.all().into_iter().find(|leader| leader.id == *leader_id);
            let grace_ms = self.policy.grace_ms(incident.key.queue.as_ref(), None);
            let released_at = leader.and_then(|leader| leader.resolved_at).map(|at| at.plus_ms(grace_ms));
            if let Some(released_at) = released_at {
                self.plan.wake.at(released_at, now);
            }
            if leader.is_none() || released_at.is_some_and(|at| at <= now) {
                incident.grouped_under = None;
                self.announce(incident, NotificationState::Firing);
            }
        }
        self.plan.incidents = incidents;
    }
}

/// Who leads: what explains the others comes first.
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

/// Whether one page may tell of both: the same cause, or one that explains the other.
fn is_same_trouble(leader: &Incident, follower: &Incident) -> bool {
    let cause = |incident: &Incident| incident.diagnosis.as_ref().map(|it| it.cause);
    let is_explained = match leader.key.kind {
        // A store that refuses jobs hands none out either.
        Kind::EnqueueErrors => {
            matches!(cause(follower), Some(Cause::EnqueueErrors | Cause::CannotFetch))
        }
        Kind::Blind => true,
        Kind::Stalled | Kind::Failing | Kind::Lost | Kind::Backlog | Kind::StuckRunning => false,
    };
    is_explained || (cause(leader).is_some() && cause(leader) == cause(follower))
}

//! What is said of incidents, and when it has to wait.

use jiff::tz::TimeZone;

use super::{Planner, SUSPECTS_MAX};
use crate::domain::incidents::{Incident, NotificationState};
use crate::domain::job::Timestamp;
use crate::domain::queues::view::WaitingJob;

impl Planner<'_> {
    pub(super) fn fire(&mut self, mut incident: Incident) {
        self.announce(&mut incident, NotificationState::Firing);
        self.plan.wake.at(incident.next_reminder_at(), self.horizon.now);
        self.plan.incidents.push(incident);
    }

    pub(super) fn resolve(&mut self, mut incident: Incident) {
        incident.resolved_at = Some(self.horizon.now);
        self.announce(&mut incident, NotificationState::Resolved);
        self.plan.incidents.push(incident);
    }

    pub(super) fn keep(&mut self, mut incident: Incident) {
        if incident.is_withheld && self.silenced_until(&incident).is_none() {
            incident.is_withheld = false;
            self.announce(&mut incident, NotificationState::Firing);
        }
        self.plan.incidents.push(incident);
    }

    /// The oldest jobs of an incident that is to be opened or has grown.
    pub(super) fn suspect(&mut self, jobs: &[&WaitingJob]) {
        self.plan.suspects.extend(jobs.iter().take(SUSPECTS_MAX).map(|job| job.ix));
    }

    /// Says something of an incident, unless its queue is silenced: then a page waits for the silence's end, and
    /// what is over by then was never said.
    pub(super) fn announce(&mut self, incident: &mut Incident, state: NotificationState) {
        // Its leader's page told of it, and its end is its own.
        if incident.grouped_under.is_some() && state != NotificationState::Resolved {
            return;
        }
        let is_silenced = self.silenced_until(incident).is_some();
        match state {
            NotificationState::Firing if is_silenced => incident.is_withheld = true,
            NotificationState::Resolved if incident.is_withheld => {}
            NotificationState::Reminder | NotificationState::Updated if is_silenced => {}
            NotificationState::Firing
            | NotificationState::Reminder
            | NotificationState::Updated
            | NotificationState::Resolved => self.plan.announcements.push((incident.id.clone(), state)),
        }
    }

    /// Until when nothing is said of an incident: the end of a silence, of a maintenance window, or of a deploy.
    pub(super) fn silenced_until(&mut self, incident: &Incident) -> Option<Timestamp> {
        let now = self.horizon.now;
        let silences = self.policy.silences.iter().chain(&self.book.silences);
        let silences = silences.filter(|it| it.concerns(&incident.queues)).map(|it| it.until);
        let zone = TimeZone::get(&self.policy.timezone).unwrap_or(TimeZone::UTC);
        let windows = self.policy.windows.iter().filter(|it| it.concerns(&incident.queues));
        let windows = windows.filter_map(|it| it.cron.lasts_until(now, it.length_ms, &zone));
        let until =
            silences.chain(windows).chain(self.deployed_until()).filter(|until| *until > now).max()?;
        self.plan.wake.at(until, now);
        Some(until)
    }

    pub(super) fn remind(&mut self) {
        let now = self.horizon.now;
        let mut incidents = std::mem::take(&mut self.plan.incidents);
        for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
            let is_told_now = |(id, state): &(String, NotificationState)| {
                *id == incident.id && *state == NotificationState::Firing
            };
            if incident.notifications.is_empty() && self.plan.announcements.iter().any(is_told_now) {
                self.plan.wake.at(incident.reminder_after(now), now);
                continue;
            }
            if incident.next_reminder_at() <= now {
                incident.reminders_count = incident.reminders_count.saturating_add(1);
                self.announce(incident, NotificationState::Reminder);
            }
            self.plan.wake.at(incident.next_reminder_at(), now);
        }
        self.plan.incidents = incidents;
    }
}

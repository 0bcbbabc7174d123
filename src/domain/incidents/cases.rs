//! The one builder through which a sweep's effects are collected: incidents that are new or changed, what is said of
//! them, and what becomes of their jobs.
//!
//! Detectors decide and return a [`Verdict`]; nothing else writes here. An incident's diagnosis is asked for when the
//! verdict is taken in, by a function that is handed in: what a cause is, is not known here.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::suppress;
use super::{Detail, Diagnosis, Incident, Key, Kind, NotificationState, Register, Seen};
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::policy::Policy;
use crate::domain::model::wake::Wake;
use crate::domain::queues::view::WaitingJob;

/// Jobs of one incident that are read once more before anybody is notified: one read of a store takes as many.
pub const VERIFIED_MAX: usize = 100;
/// Open incidents. All of them stand in one item of a table, of which DynamoDB takes 400 KB; and lines may be forged.
/// What would open beyond them is counted and said.
pub const OPEN_MAX: usize = 200;
/// Open incidents from which on a queue where no job was ever seen to start gets none of its own: anybody who can write
/// a line can invent a queue.
pub const NEVER_STARTED_MAX: usize = 100;
/// Corrected diagnoses of one incident that are sent: whoever gets a third one trusts none of them.
const CORRECTIONS_MAX: u32 = 2;

/// What a detector decided of one incident, and what follows from it.
#[derive(Debug, Default)]
pub struct Verdict<'v> {
    /// What becomes of the incident.
    pub change: Change,
    /// The jobs that its diagnosis is about, oldest first.
    pub about: Vec<&'v WaitingJob>,
    /// Jobs to read once more before anybody is notified.
    pub to_verify: Vec<JobIx>,
    /// Jobs of which nobody can say any more what became of them.
    pub unknown: Vec<JobIx>,
    /// Jobs that were consumed where nobody could see it, as far as is known now.
    pub hidden: BTreeSet<JobIx>,
    /// Jobs found overtaken, and since when.
    pub overtaken: Vec<(JobIx, Timestamp)>,
    /// Whether an attempt that does not end is still given a while.
    pub is_awaiting: bool,
    /// When it may be decided otherwise.
    pub wake: Wake,
}

/// What becomes of an incident.
#[derive(Debug, Default)]
pub enum Change {
    /// There is none.
    #[default]
    Nothing,
    /// It opens, or the one before it goes on.
    Open(Incident),
    /// It goes on.
    Keep {
        /// As it stands now.
        incident: Incident,
        /// Whether its cause is asked for again.
        is_asked: bool,
        /// Whether an update is sent because it is about other jobs now, or louder.
        is_updated: bool,
    },
    /// It is over.
    Resolve(Incident),
    /// Something more is known of it, open or not, and a message says so.
    Amend(Incident),
    /// Something more is known of it, and no message says so.
    Note(Incident),
}

/// What a sweep has decided so far.
#[derive(Debug)]
pub struct Cases<'a> {
    pub(super) register: &'a Register,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    ledger: &'a Ledger,
    deployed_until: OnceCell<Option<Timestamp>>,
    open_count: usize,
    /// Incidents that would have opened, and were too many.
    beyond: u64,
    pub(super) collected: Collected,
}

/// What has been collected.
#[derive(Debug, Default)]
pub struct Collected {
    /// Incidents that are new or changed.
    pub incidents: Vec<Incident>,
    /// What to say, of which incident (by its id), in this order.
    pub announcements: Vec<(String, NotificationState)>,
    /// Jobs to read once more before anybody is notified.
    pub to_verify: Vec<JobIx>,
    /// Jobs of which nobody can say any more what became of them.
    pub unknown: Vec<JobIx>,
    /// Jobs that were consumed where nobody could see it, as far as is known now.
    pub hidden: BTreeSet<JobIx>,
    /// Jobs found overtaken, and since when.
    pub overtaken: Vec<(JobIx, Timestamp)>,
    /// Whether an attempt that does not end is still given a while.
    pub is_awaiting: bool,
    /// When, without new deliveries, the next decision may fall.
    pub wake: Wake,
}

impl<'a> Cases<'a> {
    /// Begins with nothing but a moment to wake at.
    #[must_use]
    pub fn new(
        ledger: &'a Ledger,
        register: &'a Register,
        policy: &'a Policy,
        now: Timestamp,
        wake: Wake,
    ) -> Self {
        let collected = Collected { wake, ..Collected::default() };
        let open_count = register.open().count();
        Self {
            register,
            policy,
            now,
            ledger,
            deployed_until: OnceCell::new(),
            open_count,
            beyond: 0,
            collected,
        }
    }

    /// Takes a verdict in. `ask` names an incident's likely causes.
    pub fn apply(&mut self, verdict: Verdict<'_>, ask: impl FnOnce(&Incident, &[&WaitingJob]) -> Diagnosis) {
        let collected = &mut self.collected;
        collected.to_verify.extend(verdict.to_verify);
        collected.unknown.extend(verdict.unknown);
        collected.hidden.extend(verdict.hidden);
        collected.overtaken.extend(verdict.overtaken);
        collected.is_awaiting |= verdict.is_awaiting;
        collected.wake.or(verdict.wake);
        match verdict.change {
            Change::Nothing => {}
            Change::Open(incident) if self.is_full_for(&incident) => {
                self.beyond = self.beyond.saturating_add(1);
            }
            Change::Open(mut incident) => {
                self.open_count = self.open_count.saturating_add(1);
                // Who has seen the last one has not seen this.
                incident.seen = None;
                self.diagnose(&mut incident, &verdict.about, ask);
                self.announce(&mut incident, NotificationState::Firing);
                self.collected.wake.at(incident.next_reminder_at(), self.now);
                self.collected.incidents.push(incident);
            }
            Change::Keep { mut incident, is_asked, is_updated } => {
                if is_asked {
                    self.diagnose(&mut incident, &verdict.about, ask);
                }
                if is_updated {
                    self.announce(&mut incident, NotificationState::Updated);
                }
                self.keep(incident);
            }
            Change::Resolve(incident) => self.resolve(incident),
            Change::Amend(mut incident) => {
                // An update would say that a resolved incident goes on.
                let is_open = incident.is_open();
                let state = if is_open { NotificationState::Updated } else { NotificationState::Resolved };
                self.announce(&mut incident, state);
                self.replace(incident);
            }
            Change::Note(incident) => self.collected.incidents.push(incident),
        }
    }

    /// Closes an incident by hand, and gives its jobs up with it.
    pub fn close(&mut self, mut incident: Incident, reason: &str, jobs: Vec<JobIx>) {
        incident.closed_because = Some(reason.to_owned());
        incident.given_up = incident.given_up.saturating_add(jobs.len() as u64);
        self.collected.unknown.extend(jobs);
        self.resolve(incident);
    }

    /// Notes that somebody has seen an incident, and says who. The same person again is no news.
    pub fn see(&mut self, mut incident: Incident, by: &str) {
        let is_news = incident.seen.as_ref().is_none_or(|seen| seen.by != by);
        if is_news {
            incident.seen = Some(Seen { at: self.now, by: by.to_owned() });
            self.announce(&mut incident, NotificationState::Seen);
        }
        self.collected.incidents.push(incident);
    }

    /// Notes moments at which something may be decided otherwise.
    pub fn wake_by(&mut self, wake: Wake) {
        self.collected.wake.or(wake);
    }

    /// The newest incident of a key, as this sweep has left it.
    #[must_use]
    pub fn newest(&self, key: &Key) -> Option<&Incident> {
        let changed = self.collected.incidents.iter().find(|incident| incident.key == *key);
        changed.or_else(|| self.register.newest.get(key))
    }

    /// Sends reminders of open incidents whose last message is old enough.
    pub fn remind(&mut self) {
        let now = self.now;
        let mut incidents = std::mem::take(&mut self.collected.incidents);
        for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
            let is_told_now = |(id, state): &(String, NotificationState)| {
                *id == incident.id && *state == NotificationState::Firing
            };
            if incident.notifications.is_empty() && self.collected.announcements.iter().any(is_told_now) {
                self.collected.wake.at(incident.reminder_after(now), now);
                continue;
            }
            if incident.is_quiet() {
                continue;
            }
            if incident.next_reminder_at() <= now {
                incident.reminders_count = incident.reminders_count.saturating_add(1);
                self.announce(incident, NotificationState::Reminder);
            }
            self.collected.wake.at(incident.next_reminder_at(), now);
        }
        self.collected.incidents = incidents;
    }

    /// Notes with the incident that has been open for longest how many more there would be, and says so where they have
    /// doubled.
    pub fn tell_beyond(&mut self) {
        let leads = |(_, it): &(usize, &Incident)| it.is_open() && it.grouped_under.is_none();
        let incidents = self.collected.incidents.iter().enumerate();
        let oldest = incidents.filter(leads).min_by_key(|(_, it)| (it.opened_at, it.id.as_str()));
        let Some((index, incident)) = oldest else { return };
        let told = incident.beyond;
        if told == self.beyond {
            return;
        }
        let mut incident = incident.clone();
        incident.beyond = self.beyond;
        let is_told_now = self.collected.announcements.iter().any(|(id, _)| *id == incident.id);
        if self.beyond >= told.saturating_mul(2).max(1) && !is_told_now {
            self.announce(&mut incident, NotificationState::Updated);
        }
        if let Some(known) = self.collected.incidents.get_mut(index) {
            *known = incident;
        }
    }

    /// Whether there is no room for one more incident like this.
    fn is_full_for(&self, incident: &Incident) -> bool {
        let has_started = match &incident.detail {
            Detail::Stalled(stall) => stall.newest_start_at_opening.is_some(),
            Detail::Lost(_)
            | Detail::Backlog(_)
            | Detail::Failing(_)
            | Detail::StuckRunning(_)
            | Detail::EnqueueErrors
            | Detail::Blind(_) => true,
        };
        // There is but one of each of the others.
        let is_one_a_queue = !matches!(incident.key.kind, Kind::EnqueueErrors | Kind::Blind);
        is_one_a_queue && self.open_count >= if has_started { OPEN_MAX } else { NEVER_STARTED_MAX }
    }

    /// What has been collected.
    #[must_use]
    pub fn finish(self) -> Collected {
        self.collected
    }

    /// Asks for the likely causes: when the incident opens, when its suppressed page goes out, and for each reminder, unless
    /// the new answer has less weight. Otherwise the known answer stays, so that it does not depend on how often sweeps
    /// run. The exception is a new answer that is certain and names another cause: it replaces the known one, and an
    /// update says so.
    fn diagnose(
        &mut self,
        incident: &mut Incident,
        about: &[&WaitingJob],
        ask: impl FnOnce(&Incident, &[&WaitingJob]) -> Diagnosis,
    ) {
        let is_due = incident.is_suppressed && self.suppressed_until(incident).is_none();
        let found = ask(incident, about);
        let is_weightier =
            |known: &Diagnosis| (found.is_certain, found.weight) >= (known.is_certain, known.weight);
        let is_reminded = incident.next_reminder_at() <= self.now;
        let is_asked_again = |known: &Diagnosis| is_due || (is_reminded && is_weightier(known));
        let known = incident.diagnosis.as_ref().filter(|known| !is_asked_again(known));
        let Some(known) = known else {
            incident.diagnosis = Some(found);
            return;
        };
        if found.is_certain && found.cause != known.cause && incident.corrections_count < CORRECTIONS_MAX {
            incident.diagnosis = Some(found);
            if !incident.notifications.is_empty() {
                incident.corrections_count = incident.corrections_count.saturating_add(1);
                self.announce(incident, NotificationState::Updated);
            }
        }
    }

    fn resolve(&mut self, mut incident: Incident) {
        incident.resolved_at = Some(self.now);
        self.announce(&mut incident, NotificationState::Resolved);
        self.collected.incidents.push(incident);
    }

    fn keep(&mut self, mut incident: Incident) {
        if incident.is_suppressed && self.suppressed_until(&incident).is_none() {
            incident.is_suppressed = false;
            self.announce(&mut incident, NotificationState::Firing);
        }
        self.collected.incidents.push(incident);
    }

    /// Announces a change of an incident, unless it is suppressed. A suppressed page goes out when the suppression ends;
    /// an incident that is over by then is never announced.
    pub(super) fn announce(&mut self, incident: &mut Incident, state: NotificationState) {
        // The page of the incident that it is grouped under names it. Its end is not its leader's end.
        if incident.grouped_under.is_some() && state != NotificationState::Resolved {
            return;
        }
        let is_silenced = self.suppressed_until(incident).is_some();
        match state {
            NotificationState::Firing if is_silenced => incident.is_suppressed = true,
            NotificationState::Resolved if incident.is_suppressed => {}
            NotificationState::Reminder | NotificationState::Updated | NotificationState::Seen
                if is_silenced => {}
            NotificationState::Firing
            | NotificationState::Reminder
            | NotificationState::Updated
            | NotificationState::Seen
            | NotificationState::Resolved => self.collected.announcements.push((incident.id.clone(), state)),
        }
    }

    /// Until when nothing is said of an incident.
    fn suppressed_until(&mut self, incident: &Incident) -> Option<Timestamp> {
        let (now, policy) = (self.now, self.policy);
        let deployed_until =
            *self.deployed_until.get_or_init(|| suppress::deployed_until(self.ledger, policy, now));
        let until = suppress::until(incident, policy, &self.register.silences, deployed_until, now)?;
        self.collected.wake.at(until, now);
        Some(until)
    }

    /// Writes an incident over what this sweep has decided of it so far.
    pub(super) fn replace(&mut self, incident: Incident) {
        match self.collected.incidents.iter_mut().find(|known| known.id == incident.id) {
            Some(known) => *known = incident,
            None => self.collected.incidents.push(incident),
        }
    }
}

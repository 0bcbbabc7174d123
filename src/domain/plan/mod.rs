//! Decide, then do: what a sweep found, as complete data. Whoever carries it out has no choice left.

mod blindness;
mod command;
mod evidence;
mod gauges;
mod greeting;
mod lost;
mod stalled;

use std::collections::{BTreeMap, BTreeSet};

use super::detect::Wake;
use super::detect::queues::{self, QueueView, Queues, WaitingJob};
use super::incident::{Book, Incident, Key, Kind, NotificationState, Severity};
use super::job::{QueueName, Timestamp};
use super::ledger::Ledger;
use super::ledger::class::Lane;
use super::ledger::counting::JobIx;
use super::metric::Datum;
use super::policy::{Policy, Silence};
use super::watching::Watching;

pub use command::plan_command;

/// When a sweep happens, and how far its input reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The sweep's moment.
    pub now: Timestamp,
    /// The last delivery of a replay; `None` where there is no end.
    pub last_delivery: Option<Timestamp>,
}

/// What a sweep decided.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Incidents that are new or changed.
    pub incidents: Vec<Incident>,
    /// What to say, of which incident (by its id), in this order.
    pub announcements: Vec<(String, NotificationState)>,
    /// Gauges at now.
    pub gauges: Vec<Datum>,
    /// Jobs found passed over, and since when.
    pub passed_over: Vec<(JobIx, Timestamp)>,
    /// Jobs nobody can tell of any more.
    pub given_up: Vec<JobIx>,
    /// The oldest jobs of every incident that is to be opened or has grown: what a store that answers from an index
    /// looks at once more before anybody is told.
    pub suspects: Vec<JobIx>,
    /// Silences that somebody asked for.
    pub silences: Vec<Silence>,
    /// What to tell those who have just begun to watch.
    pub greeting: Option<Watching>,
    /// Jobs overdue now.
    pub overdue_count: u64,
    /// Whether nothing waits, runs or is open.
    pub is_quiet: bool,
    /// When, without new deliveries, the next decision may fall.
    pub wake: Wake,
}

/// Decides what a sweep does. Pure: the same ledger, book, policy and moment make the same plan.
#[must_use]
pub fn plan_sweep(ledger: &Ledger, book: &Book, policy: &Policy, horizon: Horizon) -> Plan {
    let mut planner = Planner { ledger, book, policy, horizon, plan: Plan::default() };
    let mut wake = Wake::default();
    let queues = queues::look(ledger, policy, horizon.now, &mut wake);
    planner.plan.wake = wake;
    planner.judge_queues(&queues);
    planner.judge_blindness();
    planner.remind();
    planner.greet();
    planner.gauge(&queues);
    planner.plan
}

/// Jobs of one queue that are looked at once more before anybody is told: one read of a store takes as many.
const SUSPECTS_MAX: usize = 100;

struct Planner<'a> {
    ledger: &'a Ledger,
    book: &'a Book,
    policy: &'a Policy,
    horizon: Horizon,
    plan: Plan,
}

impl Planner<'_> {
    fn judge_queues(&mut self, queues: &Queues) {
        let mut lanes: BTreeSet<Lane> = queues.keys().cloned().collect();
        for incident in self.book.open().filter(|incident| incident.key.kind != Kind::Blind) {
            lanes.insert((incident.key.connection.clone(), incident.key.queue.clone()));
        }
        let nothing = QueueView::default();
        let homes = self.homes(queues);
        for lane in lanes.iter().filter(|lane| homes.values().all(|home| home != *lane)) {
            let view = queues.get(lane).unwrap_or(&nothing);
            let home = homes.get(lane).unwrap_or(lane);
            self.judge_stalled(home, view);
            self.judge_lost(home, view);
        }
    }

    /// An incident keeps its key when a name is learned: for a queue whose connection was learned while an
    /// incident was open, the place in the incident's key.
    fn homes(&self, queues: &Queues) -> BTreeMap<Lane, Lane> {
        let mut homes = BTreeMap::new();
        for incident in self.book.open().filter(|incident| incident.key.kind != Kind::Blind) {
            let key: Lane = (incident.key.connection.clone(), incident.key.queue.clone());
            if key.0.is_some() || queues.get(&key).is_some_and(|view| !view.waiting.is_empty()) {
                continue;
            }
            let mut same_queue = queues
                .keys()
                .filter(|(connection, queue)| connection.is_some() && *queue == key.1 && queue.is_some());
            if let (Some(learned), None) = (same_queue.next(), same_queue.next()) {
                homes.insert(learned.clone(), key);
            }
        }
        homes
    }

    fn open(&self, key: Key, severity: Severity, view: &QueueView) -> Incident {
        let now = self.horizon.now;
        let mut queues: BTreeSet<QueueName> = key.queue.iter().cloned().collect();
        if key.queue.is_none() {
            queues.extend(view.queues.iter().cloned());
        }
        Incident {
            id: key.id_at(now),
            key,
            severity,
            queues,
            classes: BTreeSet::new(),
            sources: BTreeSet::new(),
            opened_at: now,
            resolved_at: None,
            is_after_end: self.horizon.last_delivery.is_some_and(|last| now > last),
            oldest_ready_at: None,
            since: None,
            jobs_count: 0,
            jobs_now: 0,
            jobs: Vec::new(),
            matched_by: None,
            longest_wait_ms: 0,
            newest_start_at_opening: view.newest_start,
            starts_since: None,
            given_up: 0,
            reminders_count: 0,
            evidence: Vec::new(),
            notifications: Vec::new(),
            diagnosis: None,
            grouped_under: None,
            is_withheld: false,
            closed_because: None,
        }
    }

    fn fire(&mut self, mut incident: Incident) {
        self.announce(&mut incident, NotificationState::Firing);
        self.plan.wake.at(incident.next_reminder_at(), self.horizon.now);
        self.plan.incidents.push(incident);
    }

    fn resolve(&mut self, mut incident: Incident) {
        incident.resolved_at = Some(self.horizon.now);
        self.announce(&mut incident, NotificationState::Resolved);
        self.plan.incidents.push(incident);
    }

    fn keep(&mut self, mut incident: Incident) {
        if incident.is_withheld && self.silenced_until(&incident).is_none() {
            incident.is_withheld = false;
            self.announce(&mut incident, NotificationState::Firing);
        }
        self.plan.incidents.push(incident);
    }

    /// The oldest jobs of an incident that is to be opened or has grown.
    fn suspect(&mut self, jobs: &[&WaitingJob]) {
        self.plan.suspects.extend(jobs.iter().take(SUSPECTS_MAX).map(|job| job.ix));
    }

    /// Says something of an incident, unless its queue is silenced: then a page waits for the silence's end, and
    /// what is over by then was never said.
    fn announce(&mut self, incident: &mut Incident, state: NotificationState) {
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

    /// Until when nothing is said of an incident.
    fn silenced_until(&mut self, incident: &Incident) -> Option<Timestamp> {
        let now = self.horizon.now;
        let silences = self.policy.silences.iter().chain(&self.book.silences);
        let until =
            silences.filter(|it| it.concerns(&incident.queues) && it.until > now).map(|it| it.until).max()?;
        self.plan.wake.at(until, now);
        Some(until)
    }

    fn remind(&mut self) {
        let now = self.horizon.now;
        let mut incidents = std::mem::take(&mut self.plan.incidents);
        for incident in incidents.iter_mut().filter(|incident| incident.is_open()) {
            if incident.next_reminder_at() <= now {
                incident.reminders_count = incident.reminders_count.saturating_add(1);
                self.announce(incident, NotificationState::Reminder);
            }
            self.plan.wake.at(incident.next_reminder_at(), now);
        }
        self.plan.incidents = incidents;
    }
}

fn key_of(kind: Kind, (connection, queue): &Lane) -> Key {
    Key { kind, connection: connection.clone(), queue: queue.clone(), reason: None }
}

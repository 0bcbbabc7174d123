//! Decide, then do: what a sweep found, as complete data. Whoever carries it out has no choice left.

mod backlog;
mod blindness;
mod command;
mod deploy;
mod drift;
mod enqueue_errors;
mod evidence;
mod failing;
mod gap;
mod gauges;
mod greeting;
mod grouping;
mod intent;
mod lost;
mod missing;
mod speech;
mod stalled;
mod stuck_running;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::diagnosis::{self, Diagnosis, Question};
use super::incidents::{Book, Incident, JOBS_LISTED_MAX, Key, Kind, NotificationState};
use super::job::{ConnectionName, QueueName, Timestamp};
use super::ledger::Ledger;
use super::ledger::counting::JobIx;
use super::ledger::reads::Missing;
use super::metric::Datum;
use super::model::policy::{Policy, Silence};
use super::model::queue_ref::QueueRef;
use super::model::wake::Wake;
use super::queues::resolver::QueueResolver;
use super::queues::view::{self, QueueView, Queues, WaitingJob};
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
    /// Jobs that were consumed unseen, as far as is known now: lines that come late may still tell of them.
    pub unseen: BTreeSet<JobIx>,
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
    let mut wake = Wake::default();
    let queues = view::read(ledger, policy, horizon.now, &mut wake);
    let mut planner = Planner::new(ledger, book, policy, horizon, &queues);
    planner.plan.wake = wake;
    planner.judge_queues();
    planner.judge_failing();
    planner.judge_enqueue_errors();
    planner.judge_blindness();
    planner.group();
    planner.remind();
    planner.greet();
    planner.gauge();
    planner.plan
}

/// Jobs of one queue that are looked at once more before anybody is told: one read of a store takes as many.
const SUSPECTS_MAX: usize = 100;
/// Corrected diagnoses of one incident that are told: a third one tells more of us than of the queue.
const CORRECTIONS_MAX: u32 = 2;

struct Planner<'a> {
    ledger: &'a Ledger,
    book: &'a Book,
    policy: &'a Policy,
    horizon: Horizon,
    queues: &'a Queues,
    resolver: QueueResolver<'a>,
    /// For a queue whose connection was learned while an incident was open, the place in the incident's key.
    homes: BTreeMap<QueueRef, QueueRef>,
    /// How many worker lines are missing: asked for by few sweeps, and then by each queue.
    missing: OnceCell<Option<Missing>>,
    /// Of the place that is being judged, the jobs that wait only because counting has drifted.
    drifted: BTreeSet<JobIx>,
    /// Whether an attempt that does not end is still given a while.
    is_word_awaited: bool,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn new(
        ledger: &'a Ledger,
        book: &'a Book,
        policy: &'a Policy,
        horizon: Horizon,
        queues: &'a Queues,
    ) -> Self {
        let resolver = QueueResolver::of(ledger, policy);
        let homes = homes(book, queues, ledger);
        Self {
            ledger,
            book,
            policy,
            horizon,
            queues,
            resolver,
            homes,
            missing: OnceCell::new(),
            drifted: BTreeSet::new(),
            is_word_awaited: false,
            plan: Plan::default(),
        }
    }

    fn judge_queues(&mut self) {
        let queues = self.queues;
        let mut lanes: BTreeSet<QueueRef> = queues.keys().cloned().collect();
        for incident in self.book.open().filter(|incident| incident.key.kind.is_of_jobs()) {
            lanes.insert(incident.key.place());
        }
        let nothing = QueueView::default();
        let homes = self.homes.clone();
        if !homes.is_empty() {
            // Where the incident ends now, the jobs are at their own place from the next look on.
            self.plan.wake.at(self.horizon.now.plus_ms(1), self.horizon.now);
        }
        for lane in lanes.iter().filter(|lane| homes.values().all(|home| home != *lane)) {
            let view = queues.get(lane).unwrap_or(&nothing);
            let home = homes.get(lane).unwrap_or(lane);
            self.drifted = self.drifted(home, view);
            self.plan.unseen.extend(&self.drifted);
            self.judge_stalled(home, view);
            self.judge_gap(home);
            self.judge_lost(home, view);
            self.judge_backlog(home, view);
            self.judge_stuck_running(home, view);
        }
    }

    /// Whether lines that name a queue so are about a place.
    fn is_at(&self, raw: impl Into<QueueRef>, place: &QueueRef) -> bool {
        let lane = self.resolver.resolve(raw);
        lane == *place || self.homes.get(&lane) == Some(place)
    }

    /// The open incident of a kind at a place.
    fn opened(&self, key: &Key) -> Option<Incident> {
        self.book.newest.get(key).filter(|incident| incident.is_open()).cloned()
    }

    /// A new incident; within the grace of its end the last one goes on, unless somebody closed it by hand.
    fn reopen(&self, key: Key, view: &QueueView) -> Incident {
        let grace_ms = self.policy.grace_ms(key.queue.as_ref(), None);
        let is_fresh = |at: Timestamp| self.horizon.now.since_ms(at) <= grace_ms;
        let past = self.book.newest.get(&key).filter(|past| past.closed_because.is_none());
        match past.filter(|past| past.resolved_at.is_some_and(is_fresh)) {
            Some(past) => Incident {
                resolved_at: None,
                starts_since: None,
                calm_since: None,
                is_gap_judged: false,
                newest_start_at_opening: view.newest_start,
                diagnosis: None,
                ..past.clone()
            },
            None => self.open(key, view),
        }
    }

    fn open(&self, key: Key, view: &QueueView) -> Incident {
        let now = self.horizon.now;
        let mut queues: BTreeSet<QueueName> = key.queue.iter().cloned().collect();
        if key.queue.is_none() {
            queues.extend(view.queues.iter().cloned());
        }
        Incident {
            id: key.id_at(now, self.book.newest.get(&key).map(|before| before.opened_at)),
            severity: key.kind.severity(),
            key,
            queues,
            classes: BTreeMap::new(),
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
            unseen_count: 0,
            calm_since: None,
            turned_unknown: Vec::new(),
            is_gap_judged: false,
            done_in_ms: None,
            corrections_count: 0,
            followers: BTreeSet::new(),
            grouped_under: None,
            is_withheld: false,
            closed_because: None,
        }
    }

    /// Asks for the likely causes: when the incident opens, when its page has waited and goes out now, and for each
    /// reminder, unless less speaks for what is found then. Else the answer stands, so that it does not depend on how
    /// often one looks, unless a later one is certain and another; whoever has been told is told so.
    fn diagnose(&mut self, incident: &mut Incident, view: &QueueView, jobs: &[&WaitingJob]) {
        let now = self.horizon.now;
        let is_due = incident.is_withheld && self.silenced_until(incident).is_none();
        let lane = incident.key.place();
        let question = Question {
            incident,
            lane: &lane,
            view,
            jobs,
            queues: self.queues,
            missing: self.missing(),
            now,
            heard_until: self.horizon.last_delivery.map_or(now, |last| last.min(now)),
        };
        let found = diagnosis::diagnose(self.ledger, self.policy, &question);
        let is_weightier =
            |known: &Diagnosis| (found.is_certain, found.weight) >= (known.is_certain, known.weight);
        let is_reminded = incident.next_reminder_at() <= now;
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
}

/// An incident keeps its key when a name is learned: for a queue whose connection was learned while an incident was open,
/// or that turned out to be where jobs wait whose lines name none, the place in the incident's key.
fn homes(book: &Book, queues: &Queues, ledger: &Ledger) -> BTreeMap<QueueRef, QueueRef> {
    let mut homes = BTreeMap::new();
    for incident in book.open().filter(|incident| incident.key.kind.is_of_jobs()) {
        let key = incident.key.place();
        if (key.connection.is_some() && key.queue.is_some())
            || queues.get(&key).is_some_and(|view| !view.waiting.is_empty())
        {
            continue;
        }
        let is_same =
            |connection: &Option<ConnectionName>| key.connection.is_none() || *connection == key.connection;
        // Its own jobs tell: others may wait elsewhere for reasons of their own.
        let is_listed = |job: &WaitingJob| {
            let known = ledger.job(job.ix).map(|job| &job.known);
            let enqueued_at = known.and_then(|known| known.enqueued).map(|enqueue| enqueue.at);
            let class = known.and_then(|known| known.class());
            incident.jobs.iter().any(|it| it.enqueued_at == enqueued_at && it.class.as_ref() == class)
        };
        let holds = |view: &QueueView| view.waiting.iter().take(JOBS_LISTED_MAX).any(is_listed);
        let mut same_queue = queues.iter().filter_map(|(lane, view)| {
            let QueueRef { connection, queue } = lane;
            let is_it = match &key.queue {
                Some(_) => connection.is_some() && *queue == key.queue,
                None => queue.is_some() && is_same(connection) && holds(view),
            };
            is_it.then_some(lane)
        });
        if let (Some(learned), None) = (same_queue.next(), same_queue.next()) {
            homes.insert(learned.clone(), key);
        }
    }
    homes
}

fn key_of(kind: Kind, place: &QueueRef) -> Key {
    Key::at(kind, place)
}

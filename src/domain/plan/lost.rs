//! Jobs were passed over: later ones started, these did not.

use std::collections::BTreeSet;

use super::intent::CHANCE_MAX;
use super::missing::Unread;
use super::{Planner, SUSPECTS_MAX, key_of};
use crate::domain::incidents::{Incident, Kind, NotificationState};
use crate::domain::job::DAY_MS;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::{QueueView, WaitingJob};

/// How long a lost job is looked for before it is given up as unknown.
pub(super) const LOST_GIVEN_UP_MS: i64 = 3 * DAY_MS;

/// What became of the jobs of a place that were passed over.
#[derive(Default)]
struct PassedOver<'v> {
    /// Those that somebody should look for.
    lost: Vec<&'v WaitingJob>,
    /// Those that were found to have been consumed unseen.
    unseen: BTreeSet<JobIx>,
    /// How many are given up now.
    given_up: u64,
}

/// What has turned unknown at a place.
struct Turned {
    /// Because lines of workers are missing all along.
    unread: Unread,
    /// How many were found to have been consumed unseen, those included of which somebody has been told.
    unseen_count: u64,
    /// How many in all, now.
    count: u64,
}

impl Planner<'_> {
    fn sort_out<'v>(&mut self, lane: &QueueRef, view: &'v QueueView) -> PassedOver<'v> {
        let now = self.horizon.now;
        let passed_over: Vec<&WaitingJob> =
            view.waiting.iter().filter(|job| job.passed_over_at.is_some()).collect();
        let consumed = self.consumed_unseen(lane, &passed_over);
        // A store that forgets starts remembers what they showed.
        let was_unseen =
            |ix: JobIx| self.ledger.is_apart() && self.ledger.job(ix).is_some_and(|job| job.is_unseen);
        let mut sorted = PassedOver::default();
        sorted.unseen.extend(passed_over.iter().map(|job| job.ix).filter(|ix| was_unseen(*ix)));
        sorted.unseen.extend(consumed);
        for job in passed_over.into_iter().filter(|job| job.due_at <= now) {
            let Some(passed_over_at) = job.passed_over_at else { continue };
            if self.ledger.job(job.ix).is_some_and(|known| known.passed_over_at != job.passed_over_at) {
                self.plan.passed_over.push((job.ix, passed_over_at));
            }
            let lost_at = passed_over_at.plus_ms(self.lost_after_ms(job)).max(job.due_at);
            let given_up_at = job.due_at.plus_ms(LOST_GIVEN_UP_MS);
            self.plan.wake.at(lost_at, now);
            self.plan.wake.at(given_up_at, now);
            if given_up_at <= now {
                self.plan.given_up.push(job.ix);
                sorted.given_up = sorted.given_up.saturating_add(1);
                sorted.unseen.remove(&job.ix);
            } else if lost_at <= now && !sorted.unseen.contains(&job.ix) {
                sorted.lost.push(job);
            }
        }
        sorted
    }

    /// Judges who was passed over. Jobs that worker lines which are missing explain are not lost.
    pub(super) fn judge_lost(&mut self, lane: &QueueRef, view: &QueueView) {
        let key = key_of(Kind::Lost, lane);
        let (lost, turned) = self.turn_unknown(lane, view);
        let open = self.opened(&key);
        if open.is_none() && lost.is_empty() && turned.count == 0 {
            return;
        }
        let is_new = open.is_none();
        let mut incident = open.unwrap_or_else(|| self.reopen(key, view));
        incident.given_up = incident.given_up.saturating_add(turned.count);
        incident.unseen_count = turned.unseen_count;
        let is_beyond = incident.is_of_missing_lines() && !lost.is_empty();
        if is_beyond {
            // More than missing lines explain: from now on it is about these.
            (incident.jobs_count, incident.calm_since, incident.diagnosis) = (0, None, None);
        }
        if is_new || is_beyond || lost.len() as u64 > incident.jobs_count {
            self.suspect(&lost);
        }
        self.follow_jobs(&mut incident, &lost);
        self.follow_unread(&mut incident, &turned.unread);
        let is_going_on = !lost.is_empty() || self.is_unread_lately(&incident);
        if is_going_on {
            self.diagnose(&mut incident, view, &lost);
        }
        if is_new && !lost.is_empty() {
            incident.evidence = self.queue_evidence(view, &lost);
        }
        match (is_new, is_going_on) {
            (true, true) => self.fire(incident),
            (false, true) => {
                if is_beyond {
                    self.announce(&mut incident, NotificationState::Updated);
                }
                self.keep(incident);
            }
            // Nobody was told that these were missing, and somebody should know that they are not looked for.
            (true, false) => self.resolve(incident),
            (false, false) => {
                self.complete_waits(&mut incident, lane, view);
                self.resolve(incident);
            }
        }
    }

    /// The jobs of a place that are lost, and what has turned unknown there now.
    fn turn_unknown<'v>(&mut self, lane: &QueueRef, view: &'v QueueView) -> (Vec<&'v WaitingJob>, Turned) {
        let now = self.horizon.now;
        let PassedOver { mut lost, mut unseen, given_up } = self.sort_out(lane, view);
        lost.retain(|job| !self.drifted.contains(&job.ix));
        if !self.drifted.is_empty() && !self.is_left_to_gap(lane) {
            unseen.extend(&self.drifted);
        }
        let starts = self.passed_over_unread(lane, &lost);
        if !starts.is_empty() {
            lost.clear();
        }
        let ends = self.ends_unread(lane, view);
        let named: Vec<JobIx> = starts.iter().chain(&ends).copied().collect();
        let unread_count = named.len() as u64;
        self.plan.suspects.extend(named.iter().take(SUSPECTS_MAX));
        self.plan.given_up.extend(named);
        let unseen_count = unseen.len() as u64;
        self.plan.unseen.append(&mut unseen);
        let is_near =
            |past: &&Incident| past.resolved_at.is_none_or(|at| now.since_ms(at) <= LOST_GIVEN_UP_MS);
        let newest = self.book.newest.get(&key_of(Kind::Lost, lane));
        let told = newest.filter(is_near).map_or(0, |past| past.unseen_count);
        let newly_unseen = unseen_count.saturating_sub(told);
        let counted = newly_unseen.min(self.drifted.len() as u64);
        let turned = Turned {
            unread: Unread { starts, ends, counted },
            unseen_count: unseen_count.max(told),
            count: given_up.saturating_add(newly_unseen).saturating_add(unread_count),
        };
        (lost, turned)
    }

    /// How long ago a job must have been passed over. Where delays are not logged, a job may be waiting by
    /// intent: then for as long as 99 of 100 jobs of its class waited, and as hardly any usually does, if that is
    /// longer. Of a thousand jobs a day ten wait longer than 99 of 100, and nobody would look for them twice.
    pub(super) fn lost_after_ms(&self, waiting: &WaitingJob) -> i64 {
        let Some(job) = self.ledger.job(waiting.ix) else { return 0 };
        let class = job.known.class();
        let grace_ms = self.policy.grace_ms(job.known.queue(), class);
        if self.ledger.traits.is_delay_logged {
            return grace_ms;
        }
        let waits = self.ledger.class(class).map(|facts| &facts.waits);
        grace_ms.max(waits.map_or(0, |waits| waits.p99_ms().max(waits.unusual_ms(CHANCE_MAX))))
    }
}

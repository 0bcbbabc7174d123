//! After a silence of worker lines: what is left from before it may have been consumed unseen.
//!
//! A stall alone is no gap. It takes evidence that jobs were consumed unseen: an end whose start was never read, or,
//! where lines carry no id, starts that are too few for what is left.

use std::collections::{BTreeMap, BTreeSet};

use super::{Planner, key_of};
use crate::domain::incidents::{Incident, Kind, NotificationState};
use crate::domain::job::{DAY_MS, HOUR_MS, JobClass, MINUTE_MS, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::pace::Moves;
use crate::domain::ledger::reads::UNREAD_AFTER_MS;
use crate::domain::ledger::record::ENQUEUE_TOLERANCE_MS;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::WaitingJob;

/// How long starts are watched after a silence before what is left from before is judged.
const JUDGED_AFTER_MS: i64 = 10 * MINUTE_MS;
/// How long they are watched at most: a backlog that is worked off is done by then, or is news of its own.
const JUDGED_UNTIL_MS: i64 = HOUR_MS;
/// Starts that outnumber enqueues by this much, twelve to ten, work a backlog off.
const DRAINING: (u64, u64) = (12, 10);
/// A silence shorter than this hides a job or two, and those are looked for one by one.
const SILENCE_LEAST_MS: i64 = 2 * MINUTE_MS;

/// Until when it is too early to judge what is left from before a stall.
pub(super) fn open_until(stall: &Incident) -> Option<Timestamp> {
    stall.starts_since.map(|since| since.plus_ms(JUDGED_AFTER_MS).plus_ms(MINUTE_MS).plus_ms(1))
}

impl Planner<'_> {
    /// Judges, once after each stall, what is left of counted classes from before the first start that followed.
    pub(super) fn judge_gap(&mut self, lane: &QueueRef) {
        let now = self.horizon.now;
        let key = key_of(Kind::Stalled, lane);
        let planned = self.plan.incidents.iter().position(|incident| incident.key == key);
        let stall = planned.and_then(|place| self.plan.incidents.get(place)).or(self.book.newest.get(&key));
        let Some(stall) = stall.filter(|stall| self.is_gap_undecided(stall)) else { return };
        let Some(since) = stall.starts_since else { return };
        let judged_at = since.plus_ms(JUDGED_AFTER_MS);
        self.plan.wake.at(judged_at, now);
        if judged_at > now {
            return;
        }
        let left = self.left_from_before(lane, since);
        if left.is_empty() {
            // Either nothing is left, or it is being worked off: the longer it is watched, the surer.
            self.plan.wake.at(now.plus_ms(1), now);
            return;
        }
        let mut stall = Incident { is_gap_judged: true, ..stall.clone() };
        stall.given_up = stall.given_up.saturating_add(left.len() as u64);
        self.plan.given_up.extend(left);
        // Whoever was told that it is over is told this on top of it, and not that it goes on.
        let state = if stall.is_open() { NotificationState::Updated } else { NotificationState::Resolved };
        self.announce(&mut stall, state);
        match planned.and_then(|place| self.plan.incidents.get_mut(place)) {
            Some(place) => *place = stall,
            None => self.plan.incidents.push(stall),
        }
    }

    /// Whether a stall that starts have followed is still to be judged.
    fn is_gap_undecided(&self, stall: &Incident) -> bool {
        let is_near = |since: Timestamp| self.horizon.now.since_ms(since) <= JUDGED_UNTIL_MS;
        // Of a class on several queues nobody can tell which of them was silent.
        let is_of_one = stall.key.kind == Kind::Stalled && stall.key.queue.is_some();
        is_of_one && !stall.is_gap_judged && stall.starts_since.is_some_and(is_near)
    }

    /// Whether starts have followed a stall so lately that it is too early to judge, or was until this sweep.
    pub(super) fn is_gap_open(&self, stall: &Incident) -> bool {
        let is_early = |until: Timestamp| self.horizon.now < until;
        self.is_gap_undecided(stall) && open_until(stall).is_some_and(is_early)
    }

    /// The jobs of counted classes that were ready before `since` and had not started by then, where the starts of all
    /// of these classes together do not work them off: one class alone has too few to tell.
    fn left_from_before(&self, lane: &QueueRef, since: Timestamp) -> Vec<JobIx> {
        let counted = self.ledger.series().filter(|(_, series)| series.is_nameless()).map(|(class, _)| class);
        let classes: Vec<&JobClass> =
            counted.filter(|class| self.resolver.place_of_class(class).queue == lane.queue).collect();
        let mut moves = Moves::default();
        for facts in classes.iter().filter_map(|class| self.ledger.class(Some(class))) {
            moves.add(facts.all_moves_since(since));
        }
        if moves.started.saturating_mul(DRAINING.1) >= moves.enqueued.saturating_mul(DRAINING.0) {
            return Vec::new();
        }
        let before = since.minus_ms(ENQUEUE_TOLERANCE_MS);
        let is_of = |ix: &JobIx| self.resolver.queue_of_job(*ix).queue == lane.queue;
        let left = classes.iter().flat_map(|class| self.ledger.counted_ready_before(class, before, since));
        left.filter(is_of).collect()
    }

    /// Of jobs that were passed over, those that became ready during a silence which an end without a start shows to
    /// have hidden work.
    pub(super) fn consumed_unseen(
        &mut self,
        lane: &QueueRef,
        passed_over: &[&WaitingJob],
    ) -> BTreeSet<JobIx> {
        let passed_over: Vec<&&WaitingJob> =
            passed_over.iter().filter(|job| job.is_passed_over_now).collect();
        let (Some(oldest), Some(newest)) = (passed_over.first(), passed_over.last()) else {
            return BTreeSet::new();
        };
        let from = oldest.ready_at.minus_ms(DAY_MS);
        let until = newest.ready_at.plus_ms(DAY_MS);
        // Every start of the place, and whether its line was read.
        let mut starts: BTreeMap<Timestamp, bool> = BTreeMap::new();
        let mut unread_at: Vec<Timestamp> = Vec::new();
        for (_, facts) in self.ledger.lanes().filter(|(raw, _)| self.is_at(*raw, lane)) {
            for (at, ix) in facts.starts.range((from, JobIx(0))..=(until, JobIx(usize::MAX))) {
                let Some(job) = self.ledger.job(*ix) else { continue };
                let has_start_lines =
                    self.ledger.class(job.known.class()).is_some_and(|facts| facts.has_start_lines);
                let ended_at = job.known.newest_fact().unwrap_or(*at);
                let is_missing = has_start_lines && job.known.is_start_unread();
                if is_missing {
                    unread_at.push(ended_at.plus_ms(UNREAD_AFTER_MS));
                }
                let is_read = !is_missing || ended_at.plus_ms(UNREAD_AFTER_MS) > self.horizon.now;
                starts.entry(*at).and_modify(|read| *read &= is_read).or_insert(is_read);
            }
        }
        for at in unread_at {
            self.plan.wake.at(at, self.horizon.now);
        }
        let mut silences: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut before: Option<Timestamp> = None;
        for (at, is_read) in &starts {
            if let Some(before) = before.filter(|_| !is_read)
                && at.since_ms(before) >= SILENCE_LEAST_MS
            {
                silences.push((before, *at));
            }
            before = Some(*at);
        }
        let is_within = |at: Timestamp| silences.iter().any(|(from, until)| (*from..=*until).contains(&at));
        passed_over.iter().filter(|job| is_within(job.ready_at)).map(|job| job.ix).collect()
    }
}

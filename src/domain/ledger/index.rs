//! The ledger's indexes: who waits, who runs, who started when on which queue. Derived from the jobs'
//! facts alone, and brought in line whenever those change.

use std::collections::BTreeSet;

use super::counting::JobIx;
use super::job_facts::{Enqueue, JobFacts, State};
use super::job_key::JobKey;
use super::names::{Likeness, Names};
use super::{FirstStart, Ledger};
use crate::domain::job::{JobClass, LineKey, Timestamp};
use crate::domain::metric::Metric;
use crate::domain::origin::workplace;

/// A job's place among the waiting jobs of its class.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) class: JobClass,
    pub(super) likeness: Likeness,
    at: (Timestamp, LineKey),
}

impl Place {
    /// Whether it is where a job with these facts stands at that moment.
    fn is(&self, known: &JobFacts, at: (Timestamp, LineKey)) -> bool {
        self.at == at
            && Some(&self.class) == known.class()
            && self.likeness.names == Names::of(known)
            && self.likeness.queue_ref.queue.as_ref() == known.queue()
            && self.likeness.queue_ref.connection.as_ref() == known.connection()
    }
}

impl Ledger {
    /// Brings every index in line with what is known of a job.
    pub(super) fn refresh(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        let state = job.known.state();
        let born = job.born.unwrap_or(LineKey(0));
        let is_known = !job.known.is_empty() && !job.is_unknown_now();
        let is_waiting = state.is_waiting() && is_known && job.by_count.is_none();
        let since = if state == State::Released {
            job.known.released.map(|mark| mark.at)
        } else {
            job.known.enqueued.map(Enqueue::ready_at)
        }
        .filter(|_| is_waiting);
        self.refresh_place(ix, since.map(|at| (at, born)));
        let Some(job) = self.jobs.get_mut(ix) else { return };
        let waiting = since.filter(|_| job.counted.is_none());
        move_key(&mut self.waiting, &mut job.waiting_key, waiting, ix);
        let is_running = state == State::Running && is_known;
        let running = job.known.start().map(|(mark, _)| mark.at).filter(|_| is_running);
        move_key(&mut self.running, &mut job.running_key, running, ix);
        self.refresh_queue(ix);
        self.refresh_served(ix);
        self.refresh_lost(ix);
        self.refresh_unmatched_starts(ix);
    }

    /// Puts a job where it stands among the waiting ones of its class.
    fn refresh_place(&mut self, ix: JobIx, at: Option<(Timestamp, LineKey)>) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        let wanted = at.and_then(|at| Some((job.known.class()?, at)));
        if match (&job.place, wanted) {
            (Some(place), Some((_, at))) => place.is(&job.known, at),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        } {
            return;
        }
        let place = wanted.map(|(class, at)| {
            Box::new(Place { class: class.clone(), likeness: Likeness::of(&job.known), at })
        });
        if let Some(old) = job.place.take() {
            self.series.entry(old.class.clone()).or_default().remove_job(&old.likeness, old.at);
            job.counted = None;
            note(&mut self.dirty_series, &old.class);
        }
        if let Some(place) = &place {
            self.series.entry(place.class.clone()).or_default().add_job(&place.likeness, place.at, ix);
            note(&mut self.dirty_series, &place.class);
        }
        job.place = place;
    }

    /// Notes which workers took a job of its origin.
    fn refresh_served(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get(ix) else { return };
        let (Some(origin), Some((mark, key))) = (job.known.origin(), job.known.newest_start) else { return };
        let workplace = match self.workplaces.get(&key) {
            Some(workplace) => *workplace,
            None => {
                let Some(stream) = self.streams.get(key) else { return };
                let workplace = workplace(&stream.log_group, &stream.log_stream);
                self.workplaces.insert(key, workplace);
                workplace
            }
        };
        self.signals.served.note(origin, workplace, mark.at);
    }

    /// Tells its class which attempts of a job were lost, where that has changed.
    fn refresh_lost(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        if job.known.attempts.is_repeated()
            && let Some(facts) = job.known.class().and_then(|class| self.classes.get_mut(class))
        {
            facts.has_retries = true;
        }
        let lost: BTreeSet<Timestamp> = job.known.attempts.lost().collect();
        if lost.is_empty() && !job.has_told_lost {
            return;
        }
        let name = JobKey::of_name(job.known.id(), job.known.uuid());
        if let (Some(class), Some(name)) = (job.known.class(), name) {
            job.has_told_lost = !lost.is_empty();
            self.classes.entry(class.clone()).or_default().outcomes.note_lost(name.hash(), lost);
        }
    }

    /// Brings a job's queue in line: newest enqueue and start, and the first start that overtakes others.
    fn refresh_queue(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        let lane = job.lane.unwrap_or_else(|| self.lanes.of(&job.known));
        job.lane = Some(lane);
        let started_at = job.known.started_at();
        let started = job.first_start();
        let enqueue = job.known.enqueued;
        let first = started.zip(enqueue).map(|(at, enqueue)| {
            let start = FirstStart { at, queued_at: enqueue.at, is_counted: started_at.is_none() };
            (enqueue.ready_at(), start)
        });
        let key = first.map(|(ready_at, _)| (lane, ready_at));
        if job.first != key {
            if let Some((old, ready_at)) = job.first.take()
                && let Some(facts) = self.lanes.get_mut(old)
            {
                facts.forget_first(ready_at, ix);
            }
            job.first = key;
        }
        let Some(facts) = self.lanes.get_mut(lane) else { return };
        if let Some((ready_at, start)) = first {
            facts.note_first(ready_at, ix, start);
        }
        let enqueued_at = enqueue.map(|e| e.at);
        facts.oldest_enqueue = [facts.oldest_enqueue, enqueued_at].into_iter().flatten().min();
        facts.newest_enqueue = facts.newest_enqueue.max(enqueued_at);
        let by_count = job.by_count.map(|counted| counted.started_at);
        let counted = job.counted.map(|(at, _, _)| at).max(by_count);
        let newest = job.known.start().map(|(mark, _)| mark.at).max(counted);
        // A job known by worker lines alone that name no queue moves the queue of its class, if that has one.
        let start = newest.filter(|_| job.known.queue().is_some() || enqueue.is_some()).map(|at| (lane, at));
        if job.start != start {
            if let Some((_, at)) = start {
                facts.starts.insert((at, ix));
            }
            if let Some((old, at)) = std::mem::replace(&mut job.start, start)
                && let Some(facts) = self.lanes.get_mut(old)
            {
                facts.starts.remove(&(at, ix));
            }
        }
    }

    /// Tells classes, once for each job, how long it waited for its first start. Sweeps do it, since by then an earlier
    /// start has mostly come in; what was told and published stays so.
    pub(super) fn tell_waits(&mut self) {
        for (ix, at) in std::mem::take(&mut self.fresh_waits) {
            let Some(job) = self.jobs.get_mut(ix) else { continue };
            let Some((wait_ms, started_at)) = job.waited().filter(|_| job.wait_told_at.is_none()) else {
                continue;
            };
            job.wait_told_at = Some(at);
            if let Some(facts) = job.known.class().and_then(|class| self.classes.get_mut(class)) {
                facts.waits.add(started_at, wait_ms);
            }
            let of = (job.known.queue(), job.known.class());
            self.unpublished.sample_job(Metric::QueueWait, of, started_at, wait_ms);
        }
    }
}

fn note(classes: &mut BTreeSet<JobClass>, class: &JobClass) {
    if !classes.contains(class) {
        classes.insert(class.clone());
    }
}

fn move_key(
    index: &mut BTreeSet<(Timestamp, JobIx)>,
    held: &mut Option<Timestamp>,
    wanted: Option<Timestamp>,
    ix: JobIx,
) {
    if *held == wanted {
        return;
    }
    if let Some(at) = held.take() {
        index.remove(&(at, ix));
    }
    if let Some(at) = wanted {
        index.insert((at, ix));
    }
    *held = wanted;
}

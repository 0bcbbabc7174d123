//! The ledger's indexes: who waits, who runs, who started when on which queue. Derived from the jobs'
//! facts alone, and brought in line whenever those change.

use std::collections::BTreeSet;

use super::counting::JobIx;
use super::job_facts::{Enqueue, State};
use super::job_key::JobKey;
use super::names::Likeness;
use super::{FirstStart, Ledger};
use crate::domain::job::{LineKey, Timestamp};
use crate::domain::metric::Metric;
use crate::domain::origin::workplace;

impl Ledger {
    /// Brings every index in line with what is known of a job.
    pub(super) fn refresh(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
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
        let place =
            since.and_then(|at| Some((job.known.class()?.clone(), Likeness::of(&job.known), (at, born))));
        if job.place != place {
            if let Some((class, likeness, at)) = job.place.take() {
                self.series.entry(class.clone()).or_default().remove_job(&likeness, at);
                self.dirty_series.insert(class);
                job.counted = None;
            }
            if let Some((class, likeness, at)) = &place {
                self.series.entry(class.clone()).or_default().add_job(likeness, *at, ix);
                self.dirty_series.insert(class.clone());
            }
            job.place = place;
        }
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

    /// Notes which workers took a job of its origin.
    fn refresh_served(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get(ix.0) else { return };
        let start = job.known.newest_start.and_then(|(mark, key)| Some((mark.at, self.streams.get(key)?)));
        if let (Some(origin), Some((at, stream))) = (job.known.origin(), start) {
            let workplace = workplace(&stream.log_group, &stream.log_stream);
            self.signals.served.note(origin, workplace, at);
        }
    }

    /// Tells its class which attempts of a job were lost, where that has changed.
    fn refresh_lost(&mut self, ix: JobIx) {
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
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
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
        let queue_ref = job.known.marked_queue();
        let started_at = job.known.started_at();
        let started = job.first_start();
        let enqueue = job.known.enqueued;
        let first = started.zip(enqueue).map(|(at, enqueue)| {
            (
                (enqueue.ready_at(), ix),
                FirstStart { at, queued_at: enqueue.at, is_counted: started_at.is_none() },
            )
        });
        let key = first.map(|(key, _)| (queue_ref.clone(), key));
        if job.first != key {
            if let Some((old, place)) = job.first.take()
                && let Some(facts) = self.queues.get_mut(&old)
            {
                facts.firsts.remove(&place);
            }
            job.first = key;
        }
        let facts = self.queues.entry(queue_ref.clone()).or_default();
        if let Some((place, start)) = first {
            facts.firsts.insert(place, start);
        }
        let enqueued_at = enqueue.map(|e| e.at);
        facts.oldest_enqueue = [facts.oldest_enqueue, enqueued_at].into_iter().flatten().min();
        facts.newest_enqueue = facts.newest_enqueue.max(enqueued_at);
        let by_count = job.by_count.map(|counted| counted.started_at);
        let counted = job.counted.map(|(at, _, _)| at).max(by_count);
        let newest = job.known.start().map(|(mark, _)| mark.at).max(counted);
        // A job known by worker lines alone that name no queue moves the queue of its class, if that has one.
        let start = newest
            .filter(|_| queue_ref.queue.is_some() || enqueue.is_some())
            .map(|at| (queue_ref.clone(), at));
        if job.start != start {
            if let Some((_, at)) = &start {
                facts.starts.insert((*at, ix));
            }
            if let Some((old, at)) = std::mem::replace(&mut job.start, start)
                && job.start.as_ref().is_none_or(|(queue_ref, new)| *queue_ref != old || *new != at)
                && let Some(facts) = self.queues.get_mut(&old)
            {
                facts.starts.remove(&(at, ix));
            }
        }
    }

    /// Tells classes, once for each job, how long it waited for its first start. Sweeps do it, since by then an earlier
    /// start has mostly come in; what was told and published stays so.
    pub(super) fn tell_waits(&mut self) {
        for (ix, at) in std::mem::take(&mut self.fresh_waits) {
            let Some(job) = self.jobs.get_mut(ix.0) else { continue };
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

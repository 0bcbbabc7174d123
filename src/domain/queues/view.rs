//! The ledger seen queue by queue at a moment: who waits and since when, who was overtaken, what runs.

use std::collections::{BTreeMap, BTreeSet};

use super::overtaken::{Age, Asked, First, Overtaken};
use super::resolver::QueueResolver;
use crate::domain::job::{HOUR_MS, JobClass, QueueName, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::{Job, Ledger};
use crate::domain::model::policy::Policy;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::model::wake::Wake;

/// How long a released job waits where neither the configuration nor the class's history says.
const BACKOFF_MS: i64 = HOUR_MS;
/// Attempts of one job that ended in nothing and are no accident any more.
const LOST_TWICE: usize = 2;

/// One queue at a moment.
#[derive(Clone, Debug, Default)]
pub struct QueueView {
    /// The queues the jobs are on; more than one where starts do not tell and the queue is `None`.
    pub queues: BTreeSet<QueueName>,
    /// Whether starts do not tell from which of several queues they took jobs that wait here: then one that starts shows
    /// that one of the queues moves, and not which.
    pub is_spread: bool,
    /// Jobs that wait, oldest first.
    pub waiting: Vec<WaitingJob>,
    /// Jobs that workers have worked off without a line, by what they say of themselves.
    pub worked_off: Vec<JobIx>,
    /// The newest enqueue.
    pub newest_enqueue: Option<Timestamp>,
    /// The newest start.
    pub newest_start: Option<Timestamp>,
    /// Until when attempts that run now may still be running; `None` where none runs.
    pub working_until: Option<Timestamp>,
    /// Attempts that run now.
    pub running_count: u64,
    /// Attempts that neither ended nor were repeated in their time, and jobs that lost their worker twice.
    pub stuck: Vec<StuckAttempt>,
}

/// An attempt that should be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckAttempt {
    /// Whose, where lines tell.
    pub ix: Option<JobIx>,
    /// Of which class.
    pub class: Option<JobClass>,
    /// When it started.
    pub started_at: Timestamp,
    /// Since when it should have been over.
    pub stuck_at: Timestamp,
    /// How often its job has gone back to its queue by its own will, where that is what it does instead.
    pub put_back: Option<u32>,
}

/// A job that waits for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingJob {
    /// Which.
    pub ix: JobIx,
    /// When a worker could take it.
    pub ready_at: Timestamp,
    /// When it is ready longer than its grace.
    pub overdue_at: Timestamp,
    /// When that has been known to us for its grace, too: a line that arrives late is no late job.
    pub due_at: Timestamp,
    /// When a job that became ready later was seen to start first.
    pub overtaken_at: Option<Timestamp>,
    /// Whether that can still be seen: the start that shows it is known now.
    pub is_overtaken_now: bool,
    /// Whether it is matched by counting.
    pub is_counted: bool,
}

/// Every queue at a moment.
pub type Queues = BTreeMap<QueueRef, QueueView>;

/// Looks at every queue at `now`.
#[must_use]
pub fn read(ledger: &Ledger, policy: &Policy, now: Timestamp, wake: &mut Wake) -> Queues {
    let resolver = QueueResolver::of(ledger, policy);
    let mut queues = Queues::new();
    for (place, facts) in ledger.queues() {
        let view = queues.entry(resolver.resolve(place)).or_default();
        view.newest_enqueue = view.newest_enqueue.max(facts.newest_enqueue);
        view.newest_start = view.newest_start.max(facts.newest_start());
    }
    // A start that names no queue moves the only queue of its class, or the one that its source names.
    for (class, _) in ledger.classes() {
        if let Some((at, stream)) = ledger.newest_start_of(class)
            && let Some(place) = resolver.only_queue_of_class(class, stream)
        {
            let view = queues.entry(place).or_default();
            view.newest_start = view.newest_start.max(Some(at));
        }
    }
    read_waiting(ledger, policy, &resolver, &mut queues, now, wake);
    set_worked_off_aside(ledger, &mut queues);
    for view in queues.values_mut() {
        view.waiting.sort_by_key(|job| (job.ready_at, ledger.job(job.ix).and_then(|j| j.tie_break())));
    }
    read_overtaken(ledger, &resolver, &mut queues, now);
    read_running(ledger, policy, &resolver, &mut queues, now, wake);
    read_put_back(ledger, &resolver, &mut queues, now, wake);
    queues
}

/// What jobs of one class, queue and connection have in common.
struct Alike {
    place: QueueRef,
    grace_ms: i64,
    is_spread: bool,
}

/// Puts every waiting job on its queue. A stall may hold a hundred thousand jobs and be looked at every minute,
/// so what jobs have in common is looked up once.
fn read_waiting(
    ledger: &Ledger,
    policy: &Policy,
    resolver: &QueueResolver<'_>,
    queues: &mut Queues,
    now: Timestamp,
    wake: &mut Wake,
) {
    let mut kinds: BTreeMap<_, Alike> = BTreeMap::new();
    let mut by_place: BTreeMap<QueueRef, (BTreeSet<QueueName>, Vec<WaitingJob>)> = BTreeMap::new();
    let mut row: (QueueRef, Vec<WaitingJob>) = Default::default();
    for (ix, job) in ledger.waiting() {
        let (queue, class) = (job.known.queue(), job.known.class());
        let Some(ready_at) = ready_at(ledger, policy, job) else { continue };
        // Where the line names no queue, the stream of its start may decide: that is the job's own.
        let own = queue.is_none().then_some(ix);
        let alike = kinds
            .entry((class, queue, job.known.connection(), job.known.origin(), own))
            .or_insert_with(|| Alike {
                place: resolver.queue_of_job(ix),
                grace_ms: policy.grace_ms(queue, class),
                is_spread: resolver.spread_over(class).is_some(),
            });
        let arrived_at = job.known.arrived_at.unwrap_or(ready_at);
        let waiting = WaitingJob {
            ix,
            ready_at,
            overdue_at: ready_at.plus_ms(alike.grace_ms),
            due_at: ready_at.max(arrived_at).plus_ms(alike.grace_ms),
            overtaken_at: job.passed_over_at,
            is_overtaken_now: false,
            is_counted: ledger.is_counted(job),
        };
        wake.at(waiting.due_at, now);
        if row.0 != alike.place {
            let (place, jobs) = std::mem::replace(&mut row, (alike.place.clone(), Vec::new()));
            by_place.entry(place).or_default().1.extend(jobs);
        }
        row.1.push(waiting);
    }
    let mut spread: BTreeSet<QueueRef> = BTreeSet::new();
    for ((_, queue, ..), alike) in kinds {
        spread.extend(alike.is_spread.then(|| alike.place.clone()));
        by_place.entry(alike.place).or_default().0.extend(queue.cloned());
    }
    let (place, jobs) = row;
    by_place.entry(place).or_default().1.extend(jobs);
    for (place, (names, jobs)) in by_place {
        if !jobs.is_empty() {
            let is_spread = spread.contains(&place);
            let view = queues.entry(place).or_default();
            view.is_spread = is_spread;
            view.queues.extend(names);
            view.waiting = jobs;
        }
    }
}

/// Sets jobs aside that nobody sees start, where workers say that they do jobs: of a queue no job line of which was ever
/// read, what was ready when they last said so is done, as far as anybody can tell.
fn set_worked_off_aside(ledger: &Ledger, queues: &mut Queues) {
    for (queue_ref, view) in queues.iter_mut().filter(|(_, view)| view.newest_start.is_none()) {
        let Some(until) = ledger.signals.worked_off_until(queue_ref) else { continue };
        let (done, waiting) =
            std::mem::take(&mut view.waiting).into_iter().partition(|job| job.ready_at <= until);
        view.waiting = waiting;
        view.worked_off = Vec::from_iter(done).into_iter().map(|job: WaitingJob| job.ix).collect();
    }
}

/// When a waiting job may be taken: after a release that is a matter of the backoff, which is configured,
/// else the longest seen of its class, else an hour.
#[must_use]
pub fn ready_at(ledger: &Ledger, policy: &Policy, job: &Job) -> Option<Timestamp> {
    if job.known.released.is_none() {
        return job.known.ready_at(0);
    }
    let class = job.known.class();
    let learned = || ledger.class(class).and_then(|facts| facts.longest_backoff_ms);
    job.known.ready_at(policy.backoff_ms(class).or_else(learned).unwrap_or(BACKOFF_MS))
}

/// Finds out who of the waiting was overtaken. Only queues where somebody is overdue are looked at, from that job
/// on.
fn read_overtaken(ledger: &Ledger, resolver: &QueueResolver<'_>, queues: &mut Queues, now: Timestamp) {
    let mut by_queue: BTreeMap<QueueRef, Overtaken<'_>> = BTreeMap::new();
    let due_since: BTreeMap<QueueRef, Timestamp> = queues
        .iter()
        .filter_map(|(place, view)| {
            let oldest = view.waiting.iter().find(|job| job.due_at <= now)?;
            Some((place.clone(), oldest.ready_at))
        })
        .collect();
    for (raw, facts) in ledger.queues() {
        let place = resolver.resolve(raw);
        let Some(since) = due_since.get(&place) else { continue };
        let firsts = by_queue.entry(place).or_default();
        for ((ready_at, ix), first) in facts.firsts.range((*since, JobIx(0))..) {
            let job = ledger.job(*ix);
            let class = job.and_then(|job| job.known.class());
            if first.is_counted && resolver.spread_over(class).is_some() {
                // It may have come from another queue.
                continue;
            }
            let age = Age { queued_at: first.queued_at, row: job.and_then(row_of) };
            let first = if first.is_counted { First::Counted(first.at, class) } else { First::Own(first.at) };
            firsts.add(*ready_at, age, first);
        }
    }
    for (place, firsts) in by_queue {
        let Some(view) = queues.get_mut(&place) else { continue };
        let asked: Vec<Asked<'_>> = view
            .waiting
            .iter()
            .map(|waiting| {
                let job = ledger.job(waiting.ix);
                let queued_at = job.and_then(queued_at).unwrap_or(waiting.ready_at);
                let age = Age { queued_at, row: job.and_then(row_of) };
                Asked { ready_at: waiting.ready_at, age, class: job.and_then(|job| job.known.class()) }
            })
            .collect();
        for (waiting, seen) in view.waiting.iter_mut().zip(firsts.overtaken_at(&asked)) {
            waiting.is_overtaken_now = seen.is_some();
            waiting.overtaken_at = [waiting.overtaken_at, seen].into_iter().flatten().min();
        }
    }
}

/// When a waiting job was put on its queue: a release is a new place in the row.
fn queued_at(job: &Job) -> Option<Timestamp> {
    job.known.released.map(|mark| mark.at).max(job.known.enqueued.map(|enqueue| enqueue.at))
}

/// The number of the row that the job is, where it is kept in a table. A release makes a new row, with a number that no
/// line tells of.
fn row_of(job: &Job) -> Option<u64> {
    let id = job.known.id().filter(|id| job.known.released.is_none() && id.is_numeric())?;
    id.as_str().parse().ok()
}

/// Attempts after which a job that goes back to its queue by its own will is not taken to be ever done: a rate limit or a
/// busy lock lets it through before.
const PUT_BACK_LEAST: u32 = 100;
/// For how long it must have done so.
const PUT_BACK_MS: i64 = 2 * HOUR_MS;

/// Finds jobs that go back to their queue again and again, by the attempts' own numbers.
fn read_put_back(
    ledger: &Ledger,
    resolver: &QueueResolver<'_>,
    queues: &mut Queues,
    now: Timestamp,
    wake: &mut Wake,
) {
    for (ix, job) in ledger.waiting().chain(ledger.running(Timestamp::MIN)) {
        let Some(released) = job.known.released.filter(|released| released.attempt >= PUT_BACK_LEAST) else {
            continue;
        };
        let Some(started_at) = job.known.started_at().or(job.known.first_enqueued) else { continue };
        let stuck_at = started_at.plus_ms(PUT_BACK_MS);
        wake.at(stuck_at, now);
        if stuck_at > now {
            continue;
        }
        let (class, put_back) = (job.known.class().cloned(), Some(released.attempt));
        let stuck = StuckAttempt { ix: Some(ix), class, started_at, stuck_at, put_back };
        let view = queues.entry(resolver.queue_of_job(ix)).or_default();
        view.stuck.retain(|known| known.ix != Some(ix));
        view.stuck.push(stuck);
    }
}

/// Finds the attempts that run: started, not ended, younger than their timeout, in a stream whose worker
/// has not broken off since. Those that should be over are stuck.
fn read_running(
    ledger: &Ledger,
    policy: &Policy,
    resolver: &QueueResolver<'_>,
    queues: &mut Queues,
    now: Timestamp,
    wake: &mut Wake,
) {
    let timeout_ms = |class: Option<&JobClass>, own: Option<i64>| {
        let learned = || ledger.class(class).map_or(0, |facts| facts.learned_timeout_ms());
        own.or_else(|| policy.job_timeout_ms(class)).unwrap_or_else(learned)
    };
    let mut run = |place: QueueRef, started_at: Timestamp, stream: StreamKey, until: Timestamp| {
        wake.at(until, now);
        if until <= now || ledger.streams.broke_since(stream, started_at, now) {
            return;
        }
        let view = queues.entry(place).or_default();
        view.running_count = view.running_count.saturating_add(1);
        view.working_until = view.working_until.max(Some(until));
    };
    let mut stuck: Vec<(QueueRef, StuckAttempt)> = Vec::new();
    for (ix, job) in ledger.running(Timestamp::MIN) {
        let Some((mark, stream)) = job.known.start() else { continue };
        let class = job.known.class();
        let until = mark.at.plus_ms(timeout_ms(class, job.known.timeout_ms));
        let place = resolver.queue_of_job(ix);
        let has_broken = |from: Timestamp, until: Timestamp| ledger.streams.broke_since(stream, from, until);
        let attempts = &job.known.attempts;
        let lost = attempts.lost().chain(attempts.lost_by_break(has_broken)).collect::<Vec<_>>();
        let first_lost = lost.first().copied().filter(|_| lost.len() >= LOST_TWICE);
        if let Some(started_at) = first_lost.or_else(|| (until <= now).then_some(mark.at)) {
            let stuck_at = first_lost.map_or(until, |_| mark.at);
            let class = class.cloned();
            let attempt = StuckAttempt { ix: Some(ix), class, started_at, stuck_at, put_back: None };
            stuck.push((place.clone(), attempt));
        }
        run(place, mark.at, stream, until);
    }
    for (class, series) in ledger.series() {
        let timeout_ms = timeout_ms(Some(class), None);
        let success = ledger.class(Some(class)).and_then(|facts| facts.outcomes.newest_success());
        for start in series.open_starts(Timestamp::MIN) {
            let place = resolver.queue_of_start(class, start, series.job_of(start));
            let until = start.0.plus_ms(timeout_ms);
            // Without ids a later success is all that can be known.
            if until <= now && success < Some(start.0) {
                let class = Some(class.clone());
                let (started_at, stuck_at) = (start.0, until);
                let stuck_attempt = StuckAttempt { ix: None, class, started_at, stuck_at, put_back: None };
                stuck.push((place.clone(), stuck_attempt));
            }
            run(place, start.0, start.2, until);
        }
    }
    for (place, attempt) in stuck {
        queues.entry(place).or_default().stuck.push(attempt);
    }
}

//! The queue itself: who waits, what starts there, and what starts elsewhere.

use std::collections::BTreeSet;

use super::{AROUND_MS, LogFile, files};
use crate::domain::diagnosis::Question;
use crate::domain::incidents::fact::{Fact, Finding, Trend};
use crate::domain::job::{HOUR_MS, JobClass, MINUTE_MS, QueueName, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::throughput::Throughput;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::split_queue;
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::throughput;
use crate::domain::queues::view::{QueueView, WaitingJob};

/// Jobs looked at one by one: a stall may hold a hundred thousand, and be asked about each minute.
const JOBS_EXAMINED_MAX: usize = 1_000;

/// A queue at the incident's place.
pub(in crate::domain::diagnosis) struct QueueEvidence<'a> {
    /// Classes of its jobs, and those that it may be about.
    pub(in crate::domain::diagnosis) classes: BTreeSet<&'a JobClass>,
    /// The newest start there; where starts do not tell the queue, of its classes.
    pub(in crate::domain::diagnosis) newest_start: Option<Timestamp>,
    /// What happened there in the last ten minutes.
    pub(in crate::domain::diagnosis) throughput: Throughput,
    /// Other queues on which jobs started since the trouble began, or shortly before and nobody waits there since;
    /// newest start first.
    pub(in crate::domain::diagnosis) elsewhere: Vec<Elsewhere<'a>>,
    /// Every queue that its classes are enqueued on.
    pub(in crate::domain::diagnosis) places: BTreeSet<QueueRef>,
    /// Where jobs of its classes started until they were put on queues that nobody had used before.
    pub(in crate::domain::diagnosis) moved_from: Option<(QueueRef, Timestamp)>,
}

/// Another queue on which jobs start.
pub(in crate::domain::diagnosis) struct Elsewhere<'a> {
    pub(in crate::domain::diagnosis) place: &'a QueueRef,
    pub(in crate::domain::diagnosis) newest_start: Timestamp,
    /// Whether jobs wait there, too: its workers have enough to do.
    pub(in crate::domain::diagnosis) is_busy: bool,
    /// Whether a job started there since the trouble began: else it is idle, and speaks less.
    pub(in crate::domain::diagnosis) is_since: bool,
}

impl<'a> QueueEvidence<'a> {
    pub(super) fn gather(
        ledger: &'a Ledger,
        question: &'a Question<'a>,
        since: Timestamp,
        heard: Timestamp,
    ) -> Self {
        let classes = classes(ledger, question);
        let from = heard.minus_ms(AROUND_MS);
        let throughput = throughput::since(ledger, question.resolver, question.place, from);
        let newest_start = question.view.newest_start.or_else(|| started(ledger, question.place, &classes));
        let places = places(ledger, question.resolver, &classes);
        Self {
            newest_start,
            throughput,
            elsewhere: elsewhere(question, &places, since, heard),
            moved_from: moved_from(ledger, question.resolver, question, &places),
            places,
            classes,
        }
    }

    /// The longest attempt seen of its classes.
    pub(super) fn longest_run_ms(&self, ledger: &Ledger) -> i64 {
        let facts = self.classes.iter().filter_map(|class| ledger.class(Some(class)));
        facts.map(|facts| facts.longest_run_ms).max().unwrap_or(0)
    }

    /// Where it is heading, where both ways were seen.
    pub(in crate::domain::diagnosis) fn trend(&self, waiting: usize) -> Option<Trend> {
        let coming = self.throughput.enqueued.saturating_add(self.throughput.released);
        let per_hour = |gained: u64| {
            let hours = HOUR_MS.checked_div(AROUND_MS).and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
            gained.saturating_mul(hours)
        };
        match coming.checked_sub(self.throughput.started) {
            Some(0) => None,
            Some(gained) => Some(Trend::Growing { per_hour: per_hour(gained) }),
            None => {
                let gained = i64::try_from(self.throughput.started.saturating_sub(coming)).ok()?;
                let waiting = i64::try_from(waiting).ok().filter(|waiting| *waiting > 0)?;
                Some(Trend::Draining { done_in_ms: AROUND_MS.saturating_mul(waiting).checked_div(gained)? })
            }
        }
    }

    /// What happened there in the last minutes, as a fact.
    pub(in crate::domain::diagnosis) fn pace(&self) -> Fact {
        Fact::timeless(Finding::Pace {
            started: self.throughput.started,
            enqueued: self.throughput.enqueued,
            minutes: u64::try_from(AROUND_MS.wrapping_div(MINUTE_MS)).unwrap_or(0),
        })
    }
}

fn classes<'a>(ledger: &'a Ledger, question: &'a Question<'a>) -> BTreeSet<&'a JobClass> {
    let of_jobs = question.jobs.iter().take(JOBS_EXAMINED_MAX);
    let mut classes: BTreeSet<&JobClass> =
        of_jobs.filter_map(|job| ledger.job(job.ix)?.known.class()).collect();
    let stuck = question.view.stuck.iter().filter_map(|attempt| attempt.class.as_ref());
    let failing = question.incident.detail.failure().classes;
    for name in failing.keys().chain(stuck) {
        classes.extend(ledger.classes().find(|(class, _)| *class == name).map(|(class, _)| class));
    }
    if failing.is_empty() && question.place.queue.is_some() {
        // What runs there holds up what waits there, whatever its class.
        let is_there = |on: &QueueRef| question.place.is_same_queue(on);
        let there = ledger
            .classes()
            .filter(|(_, facts)| facts.enqueued_on.iter().any(|names| is_there(&names.into())));
        classes.extend(there.map(|(class, _)| class));
    }
    if classes.is_empty() && question.place.queue.is_none() {
        classes.extend(ledger.classes().map(|(class, _)| class));
    }
    classes
}

/// Every queue that enqueue lines of these classes name.
fn places(
    ledger: &Ledger,
    resolver: &QueueResolver<'_>,
    classes: &BTreeSet<&JobClass>,
) -> BTreeSet<QueueRef> {
    let facts = classes.iter().filter_map(|class| ledger.class(Some(class)));
    let named = facts.flat_map(|facts| facts.enqueued_on.iter().filter(|at| at.queue.is_some()));
    named.map(|at| resolver.resolve(at)).collect()
}

/// Where jobs like those that wait started, if nothing had ever been put on the queues on which they wait: a deploy has
/// renamed the queue. The newest start there, which is older.
fn moved_from(
    ledger: &Ledger,
    resolver: &QueueResolver<'_>,
    question: &Question<'_>,
    places: &BTreeSet<QueueRef>,
) -> Option<(QueueRef, Timestamp)> {
    let known = question.jobs.iter().take(JOBS_EXAMINED_MAX).filter_map(|job| ledger.job(job.ix));
    let names = known.map(|job| (job.known.connection().cloned(), job.known.queue().cloned()));
    let now_on: BTreeSet<QueueRef> = names.map(|names| resolver.resolve(names)).collect();
    let queues = || ledger.queues().map(|(at, facts)| (resolver.resolve(at), facts));
    let new = queues().filter(|(at, _)| now_on.contains(at));
    let since = new.filter_map(|(_, facts)| facts.oldest_enqueue).min()?;
    // Who waits there in vain shows that its workers are gone as well.
    let is_served = |at: &QueueRef| {
        let mut waiting = question.queues.get(at).into_iter().flat_map(|view| &view.waiting);
        !waiting.any(|job| job.ready_at <= question.now)
    };
    let old = queues().filter(|(at, _)| places.contains(at) && !now_on.contains(at) && is_served(at));
    let started = old.filter_map(|(at, facts)| Some((at, facts.newest_start()?)));
    started.filter(|(_, newest)| *newest <= since).max_by_key(|(_, newest)| *newest)
}

fn elsewhere<'a>(
    question: &Question<'a>,
    places: &BTreeSet<QueueRef>,
    since: Timestamp,
    heard: Timestamp,
) -> Vec<Elsewhere<'a>> {
    let (place, is_spread) = (question.place, question.view.is_spread);
    // A place without a queue may be any: what starts "elsewhere" may be what is asked about.
    if place.queue.is_none() && !is_spread {
        return Vec::new();
    }
    // Another app's workers tell nothing of this one's.
    let is_here = |other: &QueueRef| other.is_same_queue(place) || is_spread && places.contains(other);
    let is_other = |other: &QueueRef| other.scope() == place.scope() && !is_here(other);
    let others = question.queues.iter().filter(|(other, _)| other.queue.is_some() && is_other(other));
    let moving = others.filter_map(|(place, view)| {
        let newest_start = view.newest_start.filter(|at| *at >= since.minus_ms(AROUND_MS))?;
        let is_busy = view.waiting.iter().any(|job| job.ready_at <= heard);
        let is_since = newest_start >= since;
        // Who waits there in vain shows that its workers may be gone as well.
        (is_since || !is_busy).then_some(Elsewhere { place, newest_start, is_busy, is_since })
    });
    let mut moving: Vec<_> = moving.collect();
    moving.sort_by_key(|it| (std::cmp::Reverse(it.newest_start), it.place));
    moving
}

/// The newest start of classes that wait on several queues, by lines that do not tell which.
fn started(ledger: &Ledger, place: &QueueRef, classes: &BTreeSet<&JobClass>) -> Option<Timestamp> {
    let facts =
        classes.iter().filter(|_| place.queue.is_none()).filter_map(|class| ledger.class(Some(class)));
    facts.filter_map(|facts| facts.newest_start.map(|(at, _)| at)).max()
}

/// The newest enqueue; where starts do not tell the queue, on those that its classes wait on.
fn enqueued(ledger: &Ledger, view: &QueueView) -> Option<Timestamp> {
    let is_there = |queue: &QueueName| view.queues.contains(&split_queue(queue).0);
    let there = ledger.queues().filter(|(at, _)| at.queue.as_ref().is_some_and(is_there));
    view.newest_enqueue.or_else(|| there.filter_map(|(_, facts)| facts.newest_enqueue).max())
}

/// The facts of a queue where jobs wait. What is not known is said to be so.
#[must_use]
pub fn queue_facts(ledger: &Ledger, view: &QueueView, jobs: &[&WaitingJob], now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    let waiting = view.waiting.iter().filter(|job| job.ready_at <= now).count();
    if waiting > jobs.len() {
        let (waiting, overdue) = (waiting as u64, jobs.len() as u64);
        facts.push(Fact::timeless(Finding::JobsWait { waiting, overdue }));
    }
    let classes: BTreeSet<&JobClass> =
        jobs.iter().take(JOBS_EXAMINED_MAX).filter_map(|job| ledger.job(job.ix)?.known.class()).collect();
    let spread = QueueRef::default();
    let newest_start =
        view.newest_start.or_else(|| started(ledger, &spread, &classes).filter(|_| view.queues.len() > 1));
    facts.push(Fact::when(Finding::LastEnqueue, enqueued(ledger, view)));
    facts.push(Fact::when(Finding::LastStart, newest_start));
    let elsewhere = ledger.traits.newest_worker_line_at;
    if elsewhere.is_none() {
        facts.push(Fact::timeless(Finding::NoJobLineEver));
    } else if elsewhere > newest_start {
        facts.push(Fact::when(Finding::LastJobLine, elsewhere));
    }
    let boots = ledger.streams.all().into_iter().filter_map(|stream| stream.boots.last().copied());
    if let Some(boot) = boots.max() {
        facts.push(Fact::at(Finding::LastBoot, boot));
    }
    let heard = ledger.sources.iter().filter_map(|(_, source)| source.newest_line).max();
    facts.push(Fact::when(Finding::LastLine, heard));
    facts.extend(counting(ledger, jobs));
    facts.extend(files::gather(ledger, now).iter().map(LogFile::fact));
    facts
}

/// What is to be known where jobs are matched by counting.
pub(in crate::domain::diagnosis) fn counting(ledger: &Ledger, jobs: &[&WaitingJob]) -> Vec<Fact> {
    let jobs = jobs.get(..jobs.len().min(JOBS_EXAMINED_MAX)).unwrap_or_default();
    if !jobs.iter().any(|job| job.is_counted) {
        return Vec::new();
    }
    let classes: BTreeSet<&JobClass> =
        jobs.iter().filter_map(|job| ledger.job(job.ix)?.known.class()).collect();
    let doubtful = ledger.series().filter(|(class, _)| classes.contains(class));
    let doubtful = doubtful.map(|(_, series)| series.retries_unaccounted()).fold(0, usize::saturating_add);
    let mut facts = vec![Fact::timeless(Finding::Counted)];
    if doubtful > 0 {
        facts.push(Fact::timeless(Finding::DoubtfulStarts(doubtful as u64)));
    }
    facts
}

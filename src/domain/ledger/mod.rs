//! What is known of every job, joined from the lines of all streams.
//!
//! **Invariant:** whatever the order, repetition or splitting of deliveries, the same lines end in the same
//! ledger, as long as none is more than two hours later than the rest.

pub mod attempts;
pub mod checkpoint;
pub mod class;
mod clocks;
pub mod counting;
pub mod coverage;
mod deal;
pub mod deliveries;
pub mod entry;
pub mod errors;
mod fold;
pub mod heard;
mod implied_start;
mod index;
pub mod intake;
pub mod job_facts;
pub mod job_key;
mod job_line;
pub mod job_record;
mod job_table;
mod jobs;
mod lanes;
pub mod names;
mod nesting;
mod newest;
pub mod outcomes;
pub mod pairing;
pub mod rates;
pub mod ready_pool;
mod recent;
pub mod recognition;
pub mod retries;
pub mod row;
pub mod served;
pub mod signals;
pub mod sources;
pub mod split_traces;
pub mod state;
pub mod stream;
pub mod tally;
pub mod throughput;
pub mod tries;
pub mod unmatched_starts;
pub mod waits;
mod whose;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::job::{JobClass, LineKey, Timestamp};
use crate::domain::line::KeySet;
use crate::domain::metric::Unpublished;
use crate::domain::model::queue_ref::QueueRef;
use class::ClassFacts;
use counting::{ClassSeries, JobIx, StartKey};
use coverage::Coverage;
use deal::Row;
use deliveries::Deliveries;
use index::Place;
use job_facts::{JobFacts, State, StreamKey};
use job_key::{JobHash, JobKey};
use job_record::Counted;
use job_table::{JobHashes, JobTable};
use jobs::{ByName, Sources as JobSources};
pub use lanes::{FirstStart, QueueActivity, SLOW_MS};
use lanes::{LaneIx, Lanes};
use retries::Retries;
use signals::Signals;
use sources::Sources;
use stream::Streams;
use tally::Tally;
use unmatched_starts::UnmatchedStarts;

/// All that is known.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What has been counted.
    pub tally: Tally,
    /// What has been counted and not published.
    pub unpublished: Unpublished,
    /// Log streams.
    pub streams: Streams,
    /// Log groups and how often they speak.
    pub sources: Sources,
    /// How the last deliveries went.
    pub deliveries: Deliveries,
    /// What the app's lines have carried so far.
    pub traits: Traits,
    /// What lines tell beside jobs.
    pub signals: Signals,
    /// How well worker lines reach us.
    pub coverage: Coverage,
    seen_lines: KeySet,
    jobs: JobTable,
    by_name: ByName,
    rows: BTreeMap<JobKey, Row>,
    /// Jobs whose wait has been told to their class before this ledger knew them, and when.
    told: BTreeMap<JobHash, Timestamp>,
    series: BTreeMap<JobClass, ClassSeries>,
    dirty_series: BTreeSet<JobClass>,
    classes: BTreeMap<JobClass, ClassFacts>,
    lanes: Lanes,
    /// Where workers of each stream print.
    workplaces: BTreeMap<StreamKey, u64>,
    /// Jobs of whose wait there is news, and since when.
    fresh_waits: BTreeMap<JobIx, Timestamp>,
    waiting: BTreeSet<(Timestamp, JobIx)>,
    running: BTreeSet<(Timestamp, JobIx)>,
}

/// One job of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Everything its own lines say.
    pub known: JobFacts,
    /// The same by where it comes from, for a job that has lines under a numeric id.
    sources: Option<Box<JobSources>>,
    /// The names it is known by.
    hashes: JobHashes,
    /// The keys under which a store keeps it, but for those of rows.
    #[expect(clippy::box_collection, reason = "one word in each job, and without a store none has any")]
    keys: Option<Box<Vec<JobKey>>>,
    /// The stream of its enqueue line.
    source: Option<StreamKey>,
    /// The id-less start it is counted to have taken.
    pub counted: Option<StartKey>,
    /// What it was found to be by counting, once and for all: the lines it was counted by are gone.
    pub by_count: Option<Counted>,
    /// When a job that became ready later was seen to start first.
    pub passed_over_at: Option<Timestamp>,
    /// When it was given up: nobody can tell any more what became of it, unless newer lines do.
    pub unknown_since: Option<Timestamp>,
    /// Was consumed where no line shows it, as sweeps found out.
    pub is_hidden: bool,
    born: Option<LineKey>,
    /// Its place among the waiting jobs of its class.
    place: Option<Box<Place>>,
    /// It stands for lines of a row that no enqueue explains, perhaps of several jobs.
    is_unexplained_row: bool,
    /// Its starts, where no enqueue line named it.
    unmatched_starts: Option<Box<UnmatchedStarts>>,
    /// Its lane, while its lines name no other.
    lane: Option<LaneIx>,
    /// Where its first start stands: in which lane, and by when it was ready.
    first: Option<(LaneIx, Timestamp)>,
    /// Its newest start, and the lane that counts it.
    start: Option<(LaneIx, Timestamp)>,
    waiting_key: Option<Timestamp>,
    running_key: Option<Timestamp>,
    /// When its class was told how long it waited: it is told once.
    wait_told_at: Option<Timestamp>,
    /// Its class has been told of attempts that were lost.
    has_told_lost: bool,
    retries: Option<Box<Retries>>,
    is_merged_away: bool,
    /// Lines of the delivery at hand tell of it.
    is_touched: bool,
    /// More than how an attempt of it ended.
    has_news: bool,
}

impl Job {
    /// Whether it was given up, and nothing newer has been said of it since.
    fn is_unknown_now(&self) -> bool {
        self.unknown_since.is_some() && self.known.newest_fact() <= self.unknown_since
    }

    /// When it first started, by its own lines or by counting.
    fn first_start(&self) -> Option<Timestamp> {
        let counted =
            || self.counted.map(|(at, _, _)| at).or(self.by_count.map(|counted| counted.started_at));
        self.known.started_at().or_else(counted)
    }

    /// How long it waited for its first start, and when that was.
    fn waited(&self) -> Option<(i64, Timestamp)> {
        let (enqueue, started_at) = (self.known.enqueued?, self.first_start()?);
        Some((started_at.since_ms(enqueue.ready_at()).max(0), started_at))
    }
}

/// What the app's lines have carried so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// The first enqueue line.
    pub first_enqueue_at: Option<Timestamp>,
    /// The first start or end line.
    pub first_worker_line_at: Option<Timestamp>,
    /// The newest start or end line.
    pub newest_worker_line_at: Option<Timestamp>,
    /// Some start or end line carried a uuid.
    pub worker_has_uuid: bool,
    /// Some start or end line carried an id.
    pub worker_has_id: bool,
    /// Some start or end line carried neither.
    pub worker_has_neither: bool,
    /// Some enqueue line carried a delay.
    pub is_delay_logged: bool,
    /// Some worker line was of a form that prints no start.
    pub has_end_only: bool,
    /// A numeric id was seen on a worker line without a uuid: retries are new ids.
    pub has_row_ids: bool,
}

impl Job {
    /// Orders jobs that became ready at the same moment.
    #[must_use]
    pub const fn tie_break(&self) -> Option<LineKey> {
        self.born
    }
}

impl Ledger {
    /// Every job, in no order that means anything.
    pub fn jobs(&self) -> impl Iterator<Item = (JobIx, &Job)> {
        self.jobs
            .iter()
            .enumerate()
            .map(|(ix, job)| (JobIx(ix), job))
            .filter(|(_, job)| !job.is_merged_away && !job.known.is_empty())
    }

    /// One job.
    #[must_use]
    pub fn job(&self, ix: JobIx) -> Option<&Job> {
        self.jobs.get(ix)
    }

    /// Notes that a job was seen passed over, at the earliest moment known.
    pub fn mark_passed_over(&mut self, ix: JobIx, at: Timestamp) {
        if let Some(job) = self.jobs.get_mut(ix) {
            job.passed_over_at = Some(job.passed_over_at.map_or(at, |known| known.min(at)));
        }
    }

    /// Notes a job that was consumed where no line shows it.
    pub fn mark_hidden(&mut self, ix: JobIx) {
        if let Some(job) = self.jobs.get_mut(ix) {
            job.is_hidden = true;
        }
    }

    /// Gives a job up at a moment: nobody can tell any more what became of it.
    pub fn mark_unknown(&mut self, ix: JobIx, at: Timestamp) {
        if let Some(job) = self.jobs.get_mut(ix) {
            job.unknown_since = job.unknown_since.max(Some(at));
        }
        self.refresh(ix);
    }

    /// The jobs that wait for a worker, by when they were enqueued or released; those given up left out.
    pub fn waiting(&self) -> impl Iterator<Item = (JobIx, &Job)> {
        self.waiting.iter().filter_map(|(_, ix)| Some((*ix, self.job(*ix)?)))
    }

    /// The jobs that run by their own lines, and started at or after `from`.
    pub fn running(&self, from: Timestamp) -> impl Iterator<Item = (JobIx, &Job)> {
        self.running.range((from, JobIx(0))..).filter_map(|(_, ix)| Some((*ix, self.job(*ix)?)))
    }

    /// The classes and their counted lines.
    pub fn series(&self) -> impl Iterator<Item = (&JobClass, &ClassSeries)> {
        self.series.iter()
    }

    /// What a class has shown.
    #[must_use]
    pub fn class(&self, class: Option<&JobClass>) -> Option<&ClassFacts> {
        self.classes.get(class?)
    }

    /// What each class has shown.
    pub fn classes(&self) -> impl Iterator<Item = (&JobClass, &ClassFacts)> {
        self.classes.iter()
    }

    /// The queues as their lines name them, with the origin of what is on them.
    pub fn queues(&self) -> impl Iterator<Item = (&QueueRef, &QueueActivity)> {
        self.lanes.iter()
    }

    /// The jobs of a counted class that were ready before `ready_before` and had not started before `started_by`.
    pub fn counted_ready_before(
        &self,
        class: &JobClass,
        ready_before: Timestamp,
        started_by: Timestamp,
    ) -> impl Iterator<Item = JobIx> + '_ {
        let series = self.series.get(class).filter(|series| series.is_nameless());
        series.into_iter().flat_map(move |series| series.left(ready_before, started_by))
    }

    /// Whether worker lines of this class come without an id.
    #[must_use]
    pub fn is_nameless(&self, class: Option<&JobClass>) -> bool {
        class.and_then(|class| self.series.get(class)).is_some_and(ClassSeries::is_nameless)
    }

    /// Whether a job that waits is matched by counting.
    #[must_use]
    pub fn is_counted(&self, job: &Job) -> bool {
        let Some(place) = &job.place else { return false };
        self.series.get(&place.class).is_some_and(|series| series.is_counted(&place.likeness))
    }

    /// What a job is doing, by its own lines or by counting, and when it settled.
    #[must_use]
    pub fn state(&self, job: &Job) -> (State, Option<Timestamp>) {
        if let Some(start) = job.counted
            && let Some(series) = job.known.class().and_then(|class| self.series.get(class))
        {
            // A lasting name tells itself what became of it.
            let lasting =
                series.unmatched_start(start).filter(|it| !it.may_be_retry).and_then(|it| self.job(it.job?));
            let own = lasting.map(|it| (it.known.state(), it.known.settled_at()));
            return own.unwrap_or_else(|| series.outcome(start));
        }
        let state = job.known.state();
        if let Some(counted) = job.by_count.filter(|_| state.is_waiting()) {
            let settled = if counted.is_failure { State::Failed } else { State::Processed };
            return (settled, counted.settled_at);
        }
        if job.is_unknown_now() && state.is_open() {
            return (State::Unknown, None);
        }
        (state, job.known.settled_at())
    }

    /// When a job first started, by its own lines or by counting.
    #[must_use]
    pub fn started_at(&self, job: &Job) -> Option<Timestamp> {
        job.first_start()
    }

    /// Forgets the minutes that nobody asks for any more.
    pub fn forget_before(&mut self, now: Timestamp) {
        for facts in self.classes.values_mut() {
            facts.forget_before(now);
        }
    }

    /// Matches id-less lines again where new ones came in.
    pub fn settle(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty_series);
        dirty.append(&mut nesting::find_nested(&mut self.series, &dirty));
        for class in dirty {
            let mut told = Vec::new();
            if let Some(series) = self.series.get_mut(&class) {
                series.settle(|job, start| told.push((job, start)));
            }
            for (ix, start) in told {
                if let Some(job) = self.jobs.get_mut(ix) {
                    job.counted = start;
                }
                self.refresh(ix);
                if let Some((at, _, _)) = start {
                    self.fresh_waits.entry(ix).or_insert(at);
                }
            }
        }
        self.tell_waits();
    }
}

//! What a sweep leaves for the next one: everything that is known but for the jobs, which a store keeps apart.
//!
//! **Invariant:** it is bounded: whatever has grown beyond a bound loses what is oldest, and jobs matched by counting
//! are settled for good once no line is expected any more that could match them otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::class::ClassFacts;
use super::counting::{JobIx, StartKey, StreamLines};
use super::coverage::Coverage;
use super::deliveries::Deliveries;
use super::entry::Entry;
use super::job_key::{JobHash, JobKey};
use super::job_record::{Counted, JobRecord};
use super::recent::Open;
use super::row::RowRecord;
use super::signals::Signals;
use super::sources::Sources;
use super::stream::StreamFacts;
use super::tally::Tally;
use super::unmatched_starts::UnmatchedStart;
use super::{Ledger, Traits};
use crate::domain::job::{HOUR_MS, JobClass, Timestamp};
use crate::domain::metric::Unpublished;
use crate::domain::model::queue_ref::QueueRef;

/// How late an id-less line may come and still be matched exactly (the design's lateness horizon).
const COUNTING_HORIZON_MS: i64 = 2 * HOUR_MS;
/// Id-less lines kept. Each takes some 20 bytes once deflated, and DynamoDB takes 400 KB an item.
const COUNTED_LINES_MAX: usize = 8_000;
/// How long a settled job is kept: the index of a store may lag, and a line that comes late may ask who overtook
/// whom. The longest grace comes on top.
const RECENT_MS: i64 = COUNTING_HORIZON_MS;
/// How long it is remembered whose wait has been told.
const TOLD_MS: i64 = COUNTING_HORIZON_MS + HOUR_MS;
/// Jobs remembered whose wait has been told, newest first.
const TOLD_MAX: usize = 10_000;
/// Streams kept, those that spoke last: a container's stream is dead once the container is.
const STREAMS_MAX: usize = 200;
/// Boots and ends of workers kept of each stream, the newest.
const BREAKS_MAX: usize = 50;
/// Counters kept that could not be published, by metric, dimensions and minute: some hours of a dozen queues.
const UNPUBLISHED_MAX: usize = 10_000;
/// Classes kept, those of which a job started last; an app has dozens.
const CLASSES_MAX: usize = 500;

/// Queues kept, those that something happened on last: each takes some 30 bytes once deflated.
const QUEUES_MAX: usize = 10_000;

/// How much is remembered: all that the bounds allow, or half of it, and half of that, where it would not fit an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    halvings: u32,
}

impl Room {
    /// Half of it.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self { halvings: self.halvings.saturating_add(1) }
    }

    pub(super) const fn of(self, max: usize) -> usize {
        max.wrapping_shr(self.halvings)
    }
}

/// What is known but for the jobs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkpoint {
    tally: Tally,
    unpublished: Unpublished,
    streams: Vec<StreamFacts>,
    sources: Sources,
    deliveries: Deliveries,
    traits: Traits,
    #[serde(alias = "circumstances")]
    signals: Signals,
    #[serde(alias = "reads")]
    coverage: Coverage,
    classes: BTreeMap<JobClass, ClassFacts>,
    #[serde(alias = "lanes")]
    queues: Vec<(QueueRef, QueueBounds)>,
    recent: Vec<(Vec<JobHash>, JobRecord)>,
    rows: Vec<(JobKey, RowRecord)>,
    open: Vec<Open>,
    told: Vec<(JobHash, Timestamp)>,
    series: BTreeMap<JobClass, Vec<StreamLines>>,
    #[serde(alias = "strangers")]
    unmatched_starts: BTreeMap<JobClass, Vec<(StartKey, UnmatchedStart)>>,
}

/// What is kept of a queue when its jobs are not.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct QueueBounds {
    oldest_enqueue: Option<Timestamp>,
    newest_enqueue: Option<Timestamp>,
    newest_start: Option<Timestamp>,
}

impl Checkpoint {
    /// Whether to count by class, too, from now on.
    pub fn set_class_dimension(&mut self, is_wanted: bool) {
        self.unpublished.set_class_dimension(is_wanted);
    }

    /// Lets the counters go: they have been published.
    pub fn drop_published(&mut self) {
        self.unpublished.drain();
    }
}

impl Ledger {
    /// A ledger that knows what `checkpoint` knows.
    #[must_use]
    pub fn restore(checkpoint: Checkpoint) -> Self {
        let mut ledger = Self {
            tally: checkpoint.tally,
            unpublished: checkpoint.unpublished,
            sources: checkpoint.sources,
            deliveries: checkpoint.deliveries,
            traits: checkpoint.traits,
            signals: checkpoint.signals,
            coverage: checkpoint.coverage,
            classes: checkpoint.classes,
            told: checkpoint.told.into_iter().collect(),
            ..Self::default()
        };
        for facts in checkpoint.streams {
            ledger.streams.restore(facts);
        }
        for (queue_ref, bounds) in checkpoint.queues {
            let facts = ledger.lanes.named(queue_ref);
            facts.oldest_enqueue = bounds.oldest_enqueue;
            facts.newest_enqueue = bounds.newest_enqueue;
            facts.newest_past_start = bounds.newest_start;
        }
        for (class, lines) in checkpoint.series {
            let series = ledger.series.entry(class.clone()).or_default();
            for lines in lines {
                series.restore(lines);
            }
            ledger.dirty_series.insert(class);
        }
        for (class, unmatched_starts) in checkpoint.unmatched_starts {
            let series = ledger.series.entry(class.clone()).or_default();
            for (key, unmatched_start) in unmatched_starts {
                series.add_unmatched_start(key, unmatched_start);
            }
            ledger.dirty_series.insert(class);
        }
        for (hashes, record) in checkpoint.recent {
            ledger.take_recent(&hashes, record);
        }
        for (key, record) in checkpoint.rows {
            ledger.take_entry(&key, Entry::Row(record));
        }
        for open in checkpoint.open {
            ledger.find_again(&open.keys, open.source);
        }
        ledger
    }

    /// Settles for good what counting matched so long ago that no late line is expected to change it, and tells
    /// which jobs those are.
    pub fn settle_past(&mut self, now: Timestamp, room: Room) -> Vec<JobIx> {
        let before = self.counted_before(now, room);
        let mut settled: Vec<(JobIx, Counted)> = Vec::new();
        for series in self.series.values() {
            settled.extend(series.past(before).0);
        }
        for (ix, counted) in &settled {
            if let Some(job) = self.jobs.get_mut(*ix) {
                job.by_count = Some(*counted);
            }
        }
        settled.into_iter().map(|(ix, _)| ix).collect()
    }

    /// What is known now, within bounds. `is_kept_apart` tells which jobs the store will show again by itself;
    /// `grace_max_ms` is the longest grace of any queue or class.
    #[must_use]
    pub fn checkpoint(
        &self,
        now: Timestamp,
        grace_max_ms: i64,
        room: Room,
        is_kept_apart: impl Fn(JobIx) -> bool,
    ) -> Checkpoint {
        let recent = self.recent(now.minus_ms(RECENT_MS).minus_ms(grace_max_ms), room, &is_kept_apart);
        let mut queues: BTreeMap<QueueRef, QueueBounds> = BTreeMap::new();
        for (queue_ref, facts) in self.queues() {
            let bounds = queues.entry(queue_ref.clone()).or_default();
            bounds.oldest_enqueue = facts.oldest_enqueue;
            bounds.newest_enqueue = facts.newest_enqueue;
            bounds.newest_start = facts.newest_past_start;
        }
        for job in recent.past.into_iter().filter(|ix| !is_kept_apart(*ix)).filter_map(|ix| self.job(ix)) {
            if let Some((lane, at)) = job.start
                && let Some(queue_ref) = self.lanes.name(lane)
            {
                let bounds = queues.entry(queue_ref.clone()).or_default();
                bounds.newest_start = bounds.newest_start.max(Some(at));
            }
        }
        Checkpoint {
            tally: self.tally,
            unpublished: self.unpublished.newest(room.of(UNPUBLISHED_MAX)),
            streams: self.newest_streams(),
            sources: self.sources.clone(),
            deliveries: self.deliveries.clone(),
            traits: self.traits,
            signals: self.signals.clone(),
            coverage: self.coverage.clone(),
            classes: self.newest_classes(now, room),
            queues: newest_queues(queues, room),
            recent: recent.kept,
            rows: recent.rows,
            open: recent.open,
            told: self.newest_told(now, room),
            series: self.newest_series(now, room),
            unmatched_starts: self.newest_unmatched_starts(now, room),
        }
    }

    fn newest_classes(&self, now: Timestamp, room: Room) -> BTreeMap<JobClass, ClassFacts> {
        let mut newest: Vec<(&JobClass, &ClassFacts)> = self.classes.iter().collect();
        if newest.len() > room.of(CLASSES_MAX) {
            // Those that workers take: a name that only enqueue lines carry may be invented.
            newest.sort_by_key(|(_, facts)| std::cmp::Reverse(facts.newest_start.map(|(at, _)| at)));
            newest.truncate(room.of(CLASSES_MAX));
        }
        let mut classes: BTreeMap<JobClass, ClassFacts> =
            newest.into_iter().map(|(class, facts)| (class.clone(), facts.clone())).collect();
        for facts in classes.values_mut() {
            facts.forget_before(now);
        }
        classes
    }

    fn newest_streams(&self) -> Vec<StreamFacts> {
        let mut streams: Vec<StreamFacts> = self.streams.all().into_iter().cloned().collect();
        streams.sort_by_key(|stream| std::cmp::Reverse(stream.newest_line));
        streams.truncate(STREAMS_MAX);
        for stream in &mut streams {
            while stream.breaks.len() > BREAKS_MAX {
                stream.breaks.pop_first();
            }
            for marks in [&mut stream.boots, &mut stream.kills, &mut stream.faults] {
                while marks.len() > BREAKS_MAX {
                    marks.pop_first();
                }
            }
            for texts in [&mut stream.stops, &mut stream.log_files] {
                while texts.len() > BREAKS_MAX {
                    texts.pop_first();
                }
            }
            stream.split_traces.forget_before(stream.newest_line.map(|at| at.minus_ms(HOUR_MS)));
        }
        streams
    }

    fn newest_told(&self, now: Timestamp, room: Room) -> Vec<(JobHash, Timestamp)> {
        let from = now.minus_ms(TOLD_MS);
        let here = self.jobs.iter().flat_map(|job| job.hashes.as_slice().iter().zip(job.wait_told_at));
        let all: BTreeMap<JobHash, Timestamp> = self
            .told
            .iter()
            .map(|(hash, at)| (*hash, *at))
            .chain(here.map(|(hash, at)| (*hash, at)))
            .collect();
        let mut told: Vec<_> = all.into_iter().filter(|(_, at)| *at >= from).collect();
        told.sort_by_key(|(hash, at)| (std::cmp::Reverse(*at), *hash));
        told.truncate(room.of(TOLD_MAX));
        told
    }

    fn newest_series(&self, now: Timestamp, room: Room) -> BTreeMap<JobClass, Vec<StreamLines>> {
        let before = self.counted_before(now, room);
        let kept = self.series.iter().filter(|(_, series)| series.is_nameless()).map(|(class, series)| {
            let mut lines = series.lines(&series.past(before).1);
            // A stream without lines says that the class is counted; one is enough to say so.
            lines.sort_by_key(|lines| lines.starts.is_empty() && lines.ends.is_empty());
            let filled = lines.iter().filter(|it| !(it.starts.is_empty() && it.ends.is_empty())).count();
            lines.truncate(filled.max(1));
            (class.clone(), lines)
        });
        kept.collect()
    }

    /// Starts that no enqueue line named, of classes where such lines lack a name: nothing else could ever be one.
    fn newest_unmatched_starts(
        &self,
        now: Timestamp,
        room: Room,
    ) -> BTreeMap<JobClass, Vec<(StartKey, UnmatchedStart)>> {
        let before = self.counted_before(now, room);
        let lacks = |class: &JobClass| self.classes.get(class).is_some_and(|facts| facts.lacks_names);
        let kept = self.series.iter().filter(|(class, series)| series.has_unmatched_starts() && lacks(class));
        kept.map(|(class, series)| (class.clone(), series.unmatched_starts(&series.past(before).1).collect()))
            .collect()
    }

    /// Before when counted lines are settled for good: the horizon, or sooner where there are too many to be kept.
    fn counted_before(&self, now: Timestamp, room: Room) -> Timestamp {
        let horizon = now.minus_ms(COUNTING_HORIZON_MS);
        let mut starts: Vec<Timestamp> =
            self.series.values().flat_map(super::counting::ClassSeries::start_times).collect();
        starts.sort_unstable();
        let kept = room.of(COUNTED_LINES_MAX).wrapping_shr(1);
        let cut = starts.len().checked_sub(kept).and_then(|ix| starts.get(ix).copied());
        cut.map_or(horizon, |cut| cut.max(horizon))
    }
}

fn newest_queues(queues: BTreeMap<QueueRef, QueueBounds>, room: Room) -> Vec<(QueueRef, QueueBounds)> {
    let mut queues: Vec<(QueueRef, QueueBounds)> = queues.into_iter().collect();
    let queues_max = room.of(QUEUES_MAX);
    if queues.len() > queues_max {
        queues.sort_by_key(|(_, bounds)| std::cmp::Reverse(bounds.newest_enqueue.max(bounds.newest_start)));
        queues.truncate(queues_max);
    }
    queues
}

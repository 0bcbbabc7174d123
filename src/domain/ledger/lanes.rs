//! Queues as their lines name them, with the origin of what is on them, and numbers for those names: jobs and indexes
//! hold a number, and a line is put on its lane without a name being made.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::counting::JobIx;
use super::job_facts::JobFacts;
use crate::domain::job::{ConnectionName, QueueName, SECOND_MS, Timestamp};
use crate::domain::model::queue_ref::QueueRef;

/// Lanes looked at before a name is made: lines that follow each other are of few queues.
const RECENT_MAX: usize = 8;

/// A job that waited for as long met no worker that was there: one that is takes it within seconds.
pub const SLOW_MS: i64 = 30 * SECOND_MS;

/// A queue as its lines name it.
#[derive(Clone, Debug, Default)]
pub struct QueueActivity {
    /// Oldest enqueue.
    pub oldest_enqueue: Option<Timestamp>,
    /// Newest enqueue.
    pub newest_enqueue: Option<Timestamp>,
    /// Newest start of the jobs that are not held any more.
    pub newest_past_start: Option<Timestamp>,
    /// Newest starts of the jobs known to be of this queue. A set, so that a job that turns out to be of
    /// another queue takes its start along.
    pub starts: BTreeSet<(Timestamp, JobIx)>,
    /// First starts, by when the job was ready: who overtook whom.
    pub firsts: BTreeMap<(Timestamp, JobIx), FirstStart>,
    /// Those of them whose job had waited for [`SLOW_MS`] or longer: few where all is well, and each sweep asks for them.
    slow_firsts: BTreeSet<(Timestamp, JobIx)>,
}

impl QueueActivity {
    /// Notes when a job first started, and when it had been ready.
    pub(super) fn note_first(&mut self, ready_at: Timestamp, ix: JobIx, start: FirstStart) {
        self.firsts.insert((ready_at, ix), start);
        if start.at.since_ms(ready_at) >= SLOW_MS {
            self.slow_firsts.insert((ready_at, ix));
        } else {
            self.slow_firsts.remove(&(ready_at, ix));
        }
    }

    /// Forgets what was noted of a job.
    pub(super) fn forget_first(&mut self, ready_at: Timestamp, ix: JobIx) {
        self.firsts.remove(&(ready_at, ix));
        self.slow_firsts.remove(&(ready_at, ix));
    }

    /// Whether a job that was ready at `from` or later waited for [`SLOW_MS`] or longer before it started.
    #[must_use]
    pub fn has_slow_first(&self, from: Timestamp) -> bool {
        self.slow_firsts.range((from, JobIx(0))..).next().is_some()
    }

    /// The newest start.
    #[must_use]
    pub fn newest_start(&self) -> Option<Timestamp> {
        self.starts.last().map(|(at, _)| *at).max(self.newest_past_start)
    }
}

/// A job's first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstStart {
    /// When.
    pub at: Timestamp,
    /// When the job was enqueued.
    pub queued_at: Timestamp,
    /// Whether it was counted, so that it says nothing about jobs of its own class.
    pub is_counted: bool,
}

/// The number of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LaneIx(NonZeroU32);

/// All lanes.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    by_name: BTreeMap<QueueRef, LaneIx>,
    lanes: Vec<(QueueRef, QueueActivity)>,
    /// The last that were asked for, and what makes up their names; newest last.
    recent: Vec<(Parts, LaneIx)>,
}

/// What makes up a lane's name.
#[derive(Clone, Debug)]
struct Parts {
    connection: Option<ConnectionName>,
    queue: Option<QueueName>,
    origin: Option<Arc<str>>,
}

impl Parts {
    fn are(&self, known: &JobFacts) -> bool {
        self.queue.as_ref() == known.queue()
            && self.connection.as_ref() == known.connection()
            && self.origin.as_ref() == known.origin()
    }
}

impl Lanes {
    /// The lane that a job is on.
    pub(super) fn of(&mut self, known: &JobFacts) -> LaneIx {
        if let Some((_, lane)) = self.recent.iter().rev().find(|(parts, _)| parts.are(known)) {
            return *lane;
        }
        let lane = self.number(known.marked_queue());
        if self.recent.len() >= RECENT_MAX {
            self.recent.remove(0);
        }
        let (connection, queue) = (known.connection().cloned(), known.queue().cloned());
        self.recent.push((Parts { connection, queue, origin: known.origin().cloned() }, lane));
        lane
    }

    fn number(&mut self, name: QueueRef) -> LaneIx {
        if let Some(lane) = self.by_name.get(&name) {
            return *lane;
        }
        self.lanes.push((name.clone(), QueueActivity::default()));
        let number = u32::try_from(self.lanes.len()).ok().and_then(NonZeroU32::new);
        let lane = LaneIx(number.unwrap_or(NonZeroU32::MAX));
        self.by_name.insert(name, lane);
        lane
    }

    /// What is known of a lane, to be added to; it is made where there is none.
    pub(super) fn named(&mut self, name: QueueRef) -> &mut QueueActivity {
        let lane = self.number(name);
        #[expect(clippy::indexing_slicing, reason = "the lane was found or made just above")]
        &mut self.lanes[place(lane)].1
    }

    /// What is known of a lane, to be added to.
    pub(super) fn get_mut(&mut self, lane: LaneIx) -> Option<&mut QueueActivity> {
        Some(&mut self.lanes.get_mut(place(lane))?.1)
    }

    /// A lane's name.
    pub(super) fn name(&self, lane: LaneIx) -> Option<&QueueRef> {
        Some(&self.lanes.get(place(lane))?.0)
    }

    /// All of them, by their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&QueueRef, &QueueActivity)> {
        self.by_name.iter().filter_map(|(name, lane)| Some((name, &self.lanes.get(place(*lane))?.1)))
    }
}

const fn place(LaneIx(number): LaneIx) -> usize {
    (number.get() as usize).saturating_sub(1)
}

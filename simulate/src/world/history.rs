//! What really happened on a day.

use super::asides::Aside;
use super::plan::Lane;

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has taken it yet, or nobody finished it and it waits again.
    Waiting,
    /// Somebody works on it.
    Running,
    /// It was done.
    Done,
    /// It failed for good.
    Failed,
    /// It was never put on a queue: Redis was not there.
    Refused,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well.
    Done,
    /// It threw, and is tried again.
    Released,
    /// It went back to its queue by its own will.
    PutBack,
    /// It threw, for good.
    Failed,
    /// Its worker died. Nothing is printed of the job.
    Lost,
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Who.
    pub worker: usize,
    /// From when.
    pub start_ms: i64,
    /// Until when, and how; `None` while it goes on.
    pub end: Option<(i64, End)>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The driver's id.
    pub id: String,
    /// The payload's uuid.
    pub uuid: String,
    /// The display name.
    pub class: &'static str,
    /// Where it was put.
    pub lane: Lane,
    /// When it was put there, or should have been.
    pub enqueued_ms: i64,
    /// How long it has to wait first.
    pub delay_ms: i64,
    /// How long an attempt runs.
    pub run_ms: i64,
    /// What share of its attempts throws.
    pub throws: f64,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// What became of it.
    pub fate: Fate,
}

impl Job {
    /// When a worker may first take it.
    #[must_use]
    pub const fn ready_ms(&self) -> i64 {
        self.enqueued_ms + self.delay_ms
    }
}

/// Who printed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// The app's container of this number.
    App(usize),
    /// The worker of this number.
    Worker(usize),
}

/// What was printed, and what of. Jobs are named by their place in [`History::jobs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// A job was put on a queue.
    Enqueued(usize),
    /// A job could not be put on a queue.
    Refused,
    /// An attempt started.
    Started(usize, usize),
    /// An attempt ended.
    Ended(usize, usize),
    /// A job threw, and the framework reported it.
    Threw(usize, usize),
    /// The worker could not fetch.
    CannotFetch,
    /// The worker leaves a queue alone from now on.
    Paused(&'static str),
    /// And no longer.
    Resumed(&'static str),
    /// The worker was killed.
    Killed,
    /// A supervisor starts the worker again.
    Restarted,
    /// The container boots.
    Booted,
    /// A load balancer asks how the container is.
    Health,
    /// Somebody asks for a page.
    Page,
    /// Something that is of no job's life.
    Aside(Aside),
}

/// One thing printed.
#[derive(Clone, Copy, Debug)]
pub struct Utterance {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub speaker: Speaker,
    /// What.
    pub said: Said,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every job, in the order of their enqueues.
    pub jobs: Vec<Job>,
    /// Everything printed, by time.
    pub said: Vec<Utterance>,
}

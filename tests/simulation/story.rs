//! What happens in an app: jobs are put on queues, and workers take them or do not.
//!
//! It is the truth that a history is judged by, and it is not asked of the code under test.

use queuewatch::domain::job::MINUTE_MS;

use crate::dice::Dice;
use crate::printing::STREAMS;

/// 2026-01-05T09:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_767_603_600_000;
/// How long a job may wait: what the policy of every history says.
pub(crate) const GRACE_MS: i64 = 5 * MINUTE_MS;
/// How long an attempt without an end is taken to run.
pub(crate) const JOB_TIMEOUT_MS: i64 = 5 * MINUTE_MS;
/// When the workers of a queue that recovers are back: well after everything has been told of its stall.
const RECOVERY_MS: i64 = BEGIN_MS + 16 * MINUTE_MS + 10_000;

/// What the workers print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prints {
    /// Id, uuid, queue, attempts.
    Json,
    /// Id and queue.
    Verbose,
    /// A class, so that jobs are counted.
    Plain,
}

/// How the driver names jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// An id for as long as the job lives.
    Redis,
    /// A row's number, which is another one after each release.
    Database,
}

/// What an enqueue line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Both,
    Id,
    Uuid,
}

/// What becomes of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its jobs are taken within seconds.
    Consumed,
    /// From some job on nobody takes any.
    Stalls,
    /// The same, until the workers are back.
    Recovers,
    /// Its jobs are taken just when they become overdue: whether that is a stall is decided by milliseconds.
    Brink,
}

/// What a line tells of its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    Enqueued,
    Started,
    Released,
    Processed,
    Failed,
}

/// One log line. Its place in [`Story::lines`] is its event id.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) stream: usize,
    pub(crate) at_ms: i64,
    pub(crate) text: String,
    /// How long the attempt ran that it tells the end of, as printed.
    pub(crate) ran_ms: i64,
    /// Of which job it tells what; `None` for one that tells nothing.
    pub(crate) tells: Option<(usize, Tells)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) fate: Fate,
    /// How long after it was put there a job may be taken.
    pub(crate) delay_ms: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) queue: usize,
    /// Whether one stream holds the lines of the app and of the worker, as where both live in one container.
    pub(crate) is_shared: bool,
}

/// A world.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) prints: Prints,
    pub(crate) names: Names,
    pub(crate) driver: Driver,
    pub(crate) queues: Vec<Queue>,
    pub(crate) jobs: Vec<Job>,
    /// By time.
    pub(crate) lines: Vec<Line>,
}

impl Story {
    pub(crate) fn tell(dice: &mut Dice) -> Self {
        let prints = dice.pick(&[
            Prints::Json,
            Prints::Json,
            Prints::Json,
            Prints::Verbose,
            Prints::Verbose,
            Prints::Plain,
        ]);
        let names = match prints {
            Prints::Json => dice.pick(&[Names::Both, Names::Both, Names::Id, Names::Uuid]),
            Prints::Verbose | Prints::Plain => dice.pick(&[Names::Both, Names::Id]),
        };
        let is_database = prints == Prints::Json && names != Names::Uuid && dice.happens(300);
        let driver = if is_database { Driver::Database } else { Driver::Redis };
        let (queues, jobs, lines) = (Vec::new(), Vec::new(), Vec::new());
        let mut story = Self { prints, names, driver, queues, jobs, lines };
        for n in 0..=dice.below(2) {
            let fate = dice.pick(&[Fate::Consumed, Fate::Stalls, Fate::Stalls, Fate::Recovers, Fate::Brink]);
            let delay_ms = dice.pick(&[0, 0, 0, 30_000]);
            story.queues.push(Queue { name: format!("queue{n}"), fate, delay_ms });
            story.fill(n, dice);
        }
        story.lines.push(Line {
            stream: dice.below(STREAMS.len()),
            at_ms: BEGIN_MS + dice.between(0, 110_000),
            ran_ms: 0,
            text: r#"10.0.0.1 - - [05/Jan/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 12"#.to_owned(),
            tells: None,
        });
        story.lines.sort_by_key(|line| line.at_ms);
        story
    }

    /// Puts jobs on a queue, and lets them be taken in their order.
    fn fill(&mut self, queue: usize, dice: &mut Dice) {
        let Queue { fate, delay_ms, .. } = self.queues[queue];
        let jobs_count = 1 + dice.below(3);
        // The first that is not taken, and one that vanishes while a later one is taken.
        let stuck = dice.below(jobs_count);
        let vanished = (fate == Fate::Consumed && self.prints != Prints::Plain && dice.happens(200))
            .then(|| dice.below(jobs_count))
            .filter(|n| n + 1 < jobs_count);
        let brink_ms = GRACE_MS + dice.between(15_000, 70_000);
        let mut at_ms = BEGIN_MS + dice.between(5_000, 60_000);
        for n in 0..jobs_count {
            let job = self.jobs.len();
            self.jobs.push(Job { queue, is_shared: dice.happens(450) });
            self.print(job, at_ms, Tells::Enqueued, 0, 0);
            let taken_ms = match fate {
                _ if Some(n) == vanished => None,
                Fate::Stalls if n >= stuck => None,
                Fate::Recovers if n >= stuck => Some(RECOVERY_MS + 400 * i64::try_from(n).unwrap()),
                Fate::Brink => Some(at_ms + delay_ms + brink_ms),
                // Clocks differ: it may seem taken before it was put there.
                Fate::Consumed | Fate::Stalls | Fate::Recovers => {
                    Some(at_ms + delay_ms + dice.between(-1_000, 4_000))
                }
            };
            if let Some(taken_ms) = taken_ms {
                let is_stuck_next = matches!(fate, Fate::Stalls | Fate::Recovers) && n + 1 == stuck;
                self.run(job, taken_ms, is_stuck_next || n + 1 == jobs_count, dice);
            }
            // More than the five seconds by which a later job passes over an earlier one.
            at_ms += dice.between(6_500, 18_000);
        }
    }

    /// A worker takes a job.
    fn run(&mut self, job: usize, mut at_ms: i64, may_hang: bool, dice: &mut Dice) {
        self.print(job, at_ms, Tells::Started, 1, 0);
        let mut ran_ms = dice.between(20, 3_000);
        at_ms += ran_ms;
        let kind = if self.prints == Prints::Plain { 0 } else { dice.below(8) };
        match kind {
            7 if self.prints == Prints::Json => {
                self.print(job, at_ms, Tells::Released, 1, ran_ms);
                at_ms += dice.between(500, 2_000);
                self.print(job, at_ms, Tells::Started, 2, 0);
                ran_ms = dice.between(20, 900);
                self.print(job, at_ms + ran_ms, Tells::Processed, 2, ran_ms);
            }
            6 => self.print(job, at_ms, Tells::Failed, 1, ran_ms),
            5 if may_hang => {}
            _ => self.print(job, at_ms, Tells::Processed, 1, ran_ms),
        }
    }
}

//! What is true of a story in the end.

use std::collections::BTreeMap;

use queuewatch::domain::job::Timestamp;
use queuewatch::domain::metric::{Dimensions, Metric};

use crate::story::{Line, Names, Prints, Story, Tells};

/// Sums, by name, dimensions and minute.
pub(crate) type Counters = BTreeMap<(Metric, Dimensions, Timestamp), i64>;

impl Story {
    /// When a job may be taken.
    pub(crate) fn ready_ms(&self, job: usize) -> i64 {
        let enqueued = self.first(job, Tells::Enqueued).unwrap();
        self.lines[enqueued].at_ms + self.queues[self.jobs[job].queue].delay_ms
    }

    /// Whether a job that is looked at closely is found under every name that a line of it may carry. Where lines carry
    /// no id, and where the enqueue does not carry the id that worker lines go by, what an old index hides stays hidden.
    pub(crate) fn can_be_looked_up(&self) -> bool {
        self.prints != Prints::Plain && self.names != Names::Uuid
    }

    /// The lines of a job, by time.
    pub(crate) fn lines_of(&self, job: usize) -> impl Iterator<Item = (usize, &Line, Tells)> {
        let lines = self.lines.iter().enumerate();
        let telling = lines.filter_map(|(n, line)| line.tells.map(|(of, tells)| (of, (n, line, tells))));
        telling.filter(move |(of, _)| *of == job).map(|(_, line)| line)
    }

    /// The place of a job's first line that tells this.
    pub(crate) fn first(&self, job: usize, tells: Tells) -> Option<usize> {
        self.lines_of(job).find(|(_, _, it)| *it == tells).map(|(n, _, _)| n)
    }

    /// What a job does in the end, in the words of the ledger.
    pub(crate) fn state(&self, job: usize) -> &'static str {
        match self.lines_of(job).map(|(_, _, tells)| tells).filter(|tells| *tells != Tells::Enqueued).last() {
            None => "pending",
            Some(Tells::Enqueued | Tells::Started) => "running",
            Some(Tells::Released) => "released",
            Some(Tells::Processed) => "processed",
            Some(Tells::Failed) => "failed",
        }
    }

    pub(crate) fn jobs_on(&self, queue: usize) -> impl Iterator<Item = usize> {
        self.jobs.iter().enumerate().filter(move |(_, job)| job.queue == queue).map(|(n, _)| n)
    }

    /// How many jobs of a queue are never taken.
    pub(crate) fn waiting_on(&self, queue: usize) -> usize {
        self.jobs_on(queue).filter(|job| self.state(*job) == "pending").count()
    }

    /// The counters and how long attempts ran, by name, dimensions and minute.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters::new();
        for line in &self.lines {
            let Some((job, tells)) = line.tells else { continue };
            let metric = match tells {
                Tells::Enqueued => Metric::Enqueued,
                Tells::Started => Metric::Processing,
                Tells::Released => Metric::Released,
                Tells::Processed => Metric::Processed,
                Tells::Failed => Metric::Failed,
            };
            let minute = Timestamp::from_ms(line.at_ms).minute();
            let queue = Dimensions::Queue(self.queues[self.jobs[job].queue].name.as_str().into());
            let names_queue = tells == Tells::Enqueued || self.prints != Prints::Plain;
            for dimensions in
                [Some(Dimensions::App), Some(queue).filter(|_| names_queue)].into_iter().flatten()
            {
                *counters.entry((metric, dimensions.clone(), minute)).or_default() += 1;
                if line.ran_ms > 0 {
                    *counters.entry((Metric::JobDuration, dimensions, minute)).or_default() += line.ran_ms;
                }
            }
        }
        counters
    }
}

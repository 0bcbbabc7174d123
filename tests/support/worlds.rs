//! Small generated worlds: jobs, workers, and the lines that both would have printed.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use proptest::prelude::*;

use crate::cuts::Stream;

/// 2026-01-05T09:00:00Z.
pub(crate) const BEGIN_MS: i64 = 1_767_603_600_000;

/// Row numbers that jobs begin with; with more jobs than these they are used again.
pub(crate) const ROW_IDS: usize = 5;

/// What worker lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prints {
    /// `[ts][id] Processing:`.
    Bracket,
    /// `RUNNING` and `DONE`, no id.
    Plain,
    /// The same with `-v`.
    Verbose,
    /// `--json`.
    Json,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Done,
    /// Goes back, to be tried again after so many seconds.
    Retries(i64),
    Fails,
    /// The worker dies under it.
    Killed,
}

/// An attempt: how long, how it ends, and which of its lines is missing from the logs (1 the start, 2 the end).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) runs_ms: i64,
    pub(crate) ends: Ends,
    pub(crate) loses: u8,
}

/// A job: what its enqueue line carries, and what becomes of it. One without attempts is never taken.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) class: u8,
    pub(crate) queue: u8,
    pub(crate) at_s: i64,
    pub(crate) delay_s: i64,
    pub(crate) names_id: bool,
    pub(crate) names_uuid: bool,
    pub(crate) names_connection: bool,
    pub(crate) attempts: Vec<Attempt>,
}

/// A world.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) prints: Prints,
    /// Ids are row numbers, renewed by each release and used again.
    pub(crate) is_database: bool,
    pub(crate) workers: usize,
    pub(crate) jobs: Vec<Job>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let ends = prop_oneof![
        6 => Just(Ends::Done),
        3 => prop_oneof![Just(1_i64), Just(30), Just(400)].prop_map(Ends::Retries),
        2 => Just(Ends::Fails),
        1 => Just(Ends::Killed),
    ];
    let runs = prop_oneof![1_i64..900, 1_000_i64..20_000, Just(200_000_i64)];
    let loses = prop_oneof![10 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    (runs, ends, loses).prop_map(|(runs_ms, ends, loses)| Attempt { runs_ms, ends, loses })
}

fn job() -> impl Strategy<Value = Job> {
    let delay = prop_oneof![4 => Just(0_i64), 1 => Just(45), 1 => Just(3_600)];
    let names = prop_oneof![5 => Just((true, true)), 1 => Just((true, false)), 1 => Just((false, true)), 1 => Just((false, false))];
    (0_u8..2, 0_u8..2, 0_i64..1_500, delay, names, any::<bool>(), prop::collection::vec(attempt(), 0..4))
        .prop_map(|(class, queue, at_s, delay_s, (names_id, names_uuid), names_connection, attempts)| Job {
            class,
            queue,
            at_s,
            delay_s,
            names_id,
            names_uuid,
            names_connection,
            attempts,
        })
}

/// Any small world.
pub(crate) fn world() -> impl Strategy<Value = World> {
    let prints =
        prop_oneof![Just(Prints::Bracket), Just(Prints::Plain), Just(Prints::Verbose), Just(Prints::Json)];
    (prints, any::<bool>(), 1_usize..3, prop::collection::vec(job(), 1..14))
        .prop_map(|(prints, is_database, workers, jobs)| World { prints, is_database, workers, jobs })
}

/// The world while it runs.
struct Running<'a> {
    world: &'a World,
    app: Vec<(i64, String)>,
    workers: Vec<Vec<(i64, String)>>,
    ids: Vec<String>,
    taken: BTreeSet<u32>,
}

impl World {
    /// The app's stream, then one for each worker.
    pub(crate) fn streams(&self) -> Vec<Stream> {
        let mut running = Running {
            world: self,
            app: Vec::new(),
            workers: vec![Vec::new(); self.workers],
            ids: vec![String::new(); self.jobs.len()],
            taken: BTreeSet::new(),
        };
        running.run();
        let mut streams = vec![stream("/ecs/app", "ecs/app/1".into(), running.app)];
        for (n, lines) in running.workers.into_iter().enumerate() {
            streams.push(stream("/ecs/worker", format!("ecs/worker/{n}"), lines));
        }
        streams
    }

    /// App and one worker in one stream.
    pub(crate) fn merged(&self) -> Vec<Stream> {
        let lines = self.streams().into_iter().flat_map(|stream| stream.lines).collect();
        vec![stream("/ecs/app", "ecs/app/1".into(), lines)]
    }
}

fn stream(log_group: &'static str, log_stream: String, mut lines: Vec<(i64, String)>) -> Stream {
    lines.sort_by_key(|(ms, _)| *ms);
    Stream { log_group, log_stream, lines }
}

fn text_time(ms: i64) -> String {
    queuewatch::domain::job::Timestamp::from_ms(ms).to_string()[..19].replace('T', " ")
}

impl Running<'_> {
    fn run(&mut self) {
        // Ready, whether newly enqueued (so that its line is written), job, attempt.
        let mut waiting: BinaryHeap<Reverse<(i64, usize, usize)>> = BinaryHeap::new();
        let mut order: Vec<usize> = (0..self.world.jobs.len()).collect();
        order.sort_by_key(|n| self.world.jobs[*n].at_s);
        for n in order {
            let job = &self.world.jobs[n];
            // No two jobs are ready in the same millisecond: which is older is no matter of taste.
            let at = BEGIN_MS + job.at_s * 1_000 + n as i64;
            self.ids[n] = self.fresh_id(n, 0);
            let line = self.enqueue_line(at, n);
            self.app.push((at, line));
            waiting.push(Reverse((at + job.delay_s * 1_000, n, 0)));
        }
        let mut free_at = vec![BEGIN_MS; self.workers.len()];
        while let Some(Reverse((ready, n, turn))) = waiting.pop() {
            let Some(attempt) = self.world.jobs[n].attempts.get(turn).copied() else { continue };
            let worker = (0..free_at.len()).min_by_key(|w| free_at[*w]).unwrap();
            let start = ready.max(free_at[worker]) + 17;
            let end = start + attempt.runs_ms;
            free_at[worker] = end + 3;
            self.attempt(worker, n, turn, attempt, start, end);
            if let Ends::Retries(backoff_s) = attempt.ends {
                self.ids[n] = self.fresh_id(n, turn + 1);
                waiting.push(Reverse((end + backoff_s * 1_000, n, turn + 1)));
            }
        }
    }

    /// A row number that no job before it in the table has, or 32 letters and digits.
    fn fresh_id(&mut self, n: usize, turn: usize) -> String {
        if !self.world.is_database {
            return if turn == 0 {
                format!("{:032}", 7_000_000 + n).replace('0', "A")
            } else {
                self.ids[n].clone()
            };
        }
        let row = if turn == 0 {
            1 + (n % ROW_IDS) as u32
        } else {
            (20..).find(|row| !self.taken.contains(row)).unwrap()
        };
        self.taken.insert(row);
        row.to_string()
    }

    fn class(&self, n: usize) -> &'static str {
        ["Export", "Mail"][usize::from(self.world.jobs[n].class)]
    }

    fn queue(&self, n: usize) -> &'static str {
        ["default", "high"][usize::from(self.world.jobs[n].queue)]
    }

    fn connection(&self) -> &'static str {
        if self.world.is_database { "database" } else { "redis" }
    }

    fn enqueue_line(&self, at: i64, n: usize) -> String {
        let job = &self.world.jobs[n];
        let mut context =
            serde_json::json!({"job": format!("App\\Jobs\\{}", self.class(n)), "queue": self.queue(n)});
        if job.names_id {
            context["id"] = self.ids[n].clone().into();
        }
        if job.names_uuid {
            context["uuid"] = uuid(n).into();
        }
        if job.names_connection {
            context["connection"] = self.connection().into();
        }
        if job.delay_s > 0 {
            context["delay"] = job.delay_s.into();
        }
        format!("[{}] production.INFO: Job queued {context} ", text_time(at))
    }

    fn attempt(&mut self, worker: usize, n: usize, turn: usize, attempt: Attempt, start: i64, end: i64) {
        if attempt.loses != 1 {
            let line = self.worker_line(n, turn, start, None);
            self.workers[worker].push((start, line));
        }
        if attempt.ends == Ends::Killed {
            let line = "/bin/bash: line 1:  6258 Killed                  php artisan queue:work --sleep=1";
            self.workers[worker].push((end, line.to_owned()));
        } else if attempt.loses != 2
            && !(self.world.prints == Prints::Bracket && matches!(attempt.ends, Ends::Retries(_)))
        {
            let line = self.worker_line(n, turn, end, Some(attempt));
            self.workers[worker].push((end, line));
        }
    }

    fn worker_line(&self, n: usize, turn: usize, at: i64, ended: Option<Attempt>) -> String {
        let (class, id, stamp) = (self.class(n), &self.ids[n], text_time(at));
        let runtime = ended
            .map(|attempt| attempt.runs_ms)
            .map(|ms| if ms < 1_000 { format!("{ms}.12ms") } else { format!("{}s", ms / 1_000) });
        let word = |done: &'static str, fail: &'static str, start: &'static str| match ended.map(|a| a.ends) {
            None => start,
            Some(Ends::Done) => done,
            Some(_) => fail,
        };
        match self.world.prints {
            Prints::Bracket => {
                let word = word("Processed:  ", "Failed:     ", "Processing: ");
                format!("[{stamp}][{id}] {word}App\\Jobs\\{class}")
            }
            Prints::Plain | Prints::Verbose => {
                let word = word("DONE", "FAIL", "RUNNING");
                let verbose = format!(" {id} {} {}", self.connection(), self.queue(n));
                let names = if self.world.prints == Prints::Verbose { verbose.as_str() } else { "" };
                let runtime = runtime.map_or_else(String::new, |text| format!("{text} "));
                format!("  {stamp} App\\Jobs\\{class}{names} ....... {runtime}{word}")
            }
            Prints::Json => self.json_line(n, turn, ended),
        }
    }

    fn json_line(&self, n: usize, turn: usize, ended: Option<Attempt>) -> String {
        let mut line = serde_json::json!({
            "level": "info", "id": self.ids[n], "uuid": uuid(n), "connection": self.connection(),
            "queue": self.queue(n), "job": format!("App\\Jobs\\{}", self.class(n)), "attempts": turn + 1,
        });
        let (status, result) = match ended.map(|attempt| attempt.ends) {
            None => ("starting", None),
            Some(Ends::Done) => ("success", Some("deleted")),
            Some(Ends::Retries(1)) => ("success", Some("released")),
            Some(Ends::Retries(_)) => ("released_after_exception", Some("released")),
            Some(Ends::Fails | Ends::Killed) => ("failed", Some("failed")),
        };
        line["status"] = status.into();
        if let (Some(result), Some(attempt)) = (result, ended) {
            line["result"] = result.into();
            line["duration"] = serde_json::json!(attempt.runs_ms as f64 / 1_000.0);
        }
        line.to_string()
    }
}

fn uuid(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

//! What was said, as lines of a Laravel version: the worker's in one of four forms, the app's beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asides::record;
use super::dice::Dice;
use super::forms::{access, class_json, columns, micro, monolog_json, stamp, worker_json};
use super::history::{End, History, Job, Said, Speaker, Utterance};
use super::plan::{Plan, Weather};
use super::run::TASKS;
use super::span::{DAY, SECOND};
use super::style::{Chaos, Layout, Style};
use super::traces::Failure;

/// How far a container's clock may be off.
const SKEW_MS: i64 = 2 * SECOND;

/// What a metric filter with the right pattern would count a line as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tells {
    /// A job was put on a queue.
    Enqueued,
    /// An attempt started.
    Started,
    /// An attempt ended well.
    Done,
    /// An attempt ended badly, as far as the line tells.
    Failed,
}

/// One log event.
#[derive(Clone, Debug)]
pub struct Line {
    /// CloudWatch's stamp, by the clock of whoever printed it.
    pub at_ms: i64,
    /// When CloudWatch took it in.
    pub taken_in_ms: i64,
    /// The log group.
    pub log_group: &'static str,
    /// The log stream.
    pub log_stream: Arc<str>,
    /// The text.
    pub message: String,
    /// What was said, on the first line of it.
    pub said: Option<(Speaker, Said)>,
    /// What it counts as, and for which job.
    pub tells: Option<(Tells, usize)>,
    /// Until when it is kept back on the way.
    pub held_until_ms: Option<i64>,
}

/// Everything that reached CloudWatch.
#[must_use]
pub fn say(
    plan: &Plan,
    history: &History,
    style: Style,
    layout: Layout,
    chaos: Chaos,
    dice: &Dice,
) -> Vec<Line> {
    let mut saying = Saying {
        plan,
        history,
        style,
        layout,
        dice: dice.fork("say"),
        clocks: BTreeMap::new(),
        streams: BTreeMap::new(),
        lines: Vec::with_capacity(history.said.len() * 2),
    };
    let mut losing = dice.fork("loss");
    let mut clocks = dice.fork("clocks");
    for utterance in &history.said {
        let is_worker = matches!(utterance.speaker, Speaker::Worker(_));
        if chaos == Chaos::Loss && is_worker && losing.chance(0.2) {
            continue;
        }
        if chaos == Chaos::Delivery {
            saying.clocks.entry(utterance.speaker).or_insert_with(|| clocks.between(-SKEW_MS, SKEW_MS));
        }
        saying.utter(utterance);
    }
    saying.lines.sort_by_key(|line| line.at_ms);
    saying.lines
}

struct Saying<'a> {
    plan: &'a Plan,
    history: &'a History,
    style: Style,
    layout: Layout,
    dice: Dice,
    clocks: BTreeMap<Speaker, i64>,
    streams: BTreeMap<(Speaker, usize), Arc<str>>,
    lines: Vec<Line>,
}

impl Saying<'_> {
    fn utter(&mut self, utterance: &Utterance) {
        let Utterance { at_ms, speaker, said } = *utterance;
        let is_redirected = matches!(speaker, Speaker::Worker(_)) && said != Said::Booted;
        if self.plan.is(at_ms, Weather::LogsGone)
            || (is_redirected && self.plan.is(at_ms, Weather::Unforwarded))
        {
            return;
        }
        let held = self.plan.at(at_ms, |weather| (weather == Weather::Held).then_some(()));
        let held_until_ms = held.filter(|_| is_redirected).map(|(span, ())| span.to_ms);
        let at_ms = at_ms + self.clocks.get(&speaker).copied().unwrap_or(0) + self.host_clock_ms(speaker);
        if !DAY.holds(at_ms) {
            return;
        }
        let (log_group, log_stream) = self.place(speaker, utterance.at_ms);
        let mut tells = self.tells(said);
        let mut said = Some((speaker, said));
        for message in self.messages(utterance, at_ms) {
            self.lines.push(Line {
                at_ms,
                taken_in_ms: at_ms,
                log_group,
                log_stream: Arc::clone(&log_stream),
                message,
                said: said.take(),
                tells: tells.take(),
                held_until_ms,
            });
        }
    }

    /// How far the clock of the host is off on which somebody runs.
    fn host_clock_ms(&self, speaker: Speaker) -> i64 {
        let is_off = match (speaker, self.layout) {
            (Speaker::Worker(_), Layout::Separate) => true,
            (Speaker::App(_), Layout::Separate) => false,
            (Speaker::Worker(n) | Speaker::App(n), Layout::Shared) => n % TASKS == 1,
        };
        if is_off { self.plan.worker_clock_ms } else { 0 }
    }

    /// Where somebody writes: each container has a stream, and a container that is replaced has another one.
    fn place(&mut self, speaker: Speaker, at_ms: i64) -> (&'static str, Arc<str>) {
        let speaker = match (speaker, self.layout) {
            (Speaker::Worker(worker), Layout::Shared) => Speaker::App(worker % TASKS),
            _ => speaker,
        };
        let replaced = self.plan.weather.iter().filter(|(span, weather)| match (weather, speaker) {
            (Weather::Deployed, Speaker::App(_)) => span.from_ms <= at_ms,
            (Weather::Deployed, Speaker::Worker(_)) => span.to_ms <= at_ms,
            (Weather::Replaced(one), Speaker::Worker(worker)) => *one == worker && span.to_ms <= at_ms,
            (Weather::Gone(who), Speaker::Worker(worker)) => who.is(worker) && span.to_ms <= at_ms,
            _ => false,
        });
        let generation = replaced.count();
        let (log_group, prefix) = match speaker {
            Speaker::App(_) => (APP_GROUP, "ecs/app"),
            Speaker::Worker(_) => (WORKER_GROUP, "ecs/worker"),
        };
        let dice = &mut self.dice;
        let log_stream = self
            .streams
            .entry((speaker, generation))
            .or_insert_with(|| Arc::from(format!("{prefix}/{}", dice.task_id())));
        (log_group, Arc::clone(log_stream))
    }

    fn tells(&self, said: Said) -> Option<(Tells, usize)> {
        match said {
            Said::Enqueued(job) => Some((Tells::Enqueued, job)),
            Said::Started(job, _) => Some((Tells::Started, job)),
            Said::Ended(job, attempt) => match (self.end(job, attempt)?.1, self.style) {
                // Text cannot tell that it went back.
                (End::Done, _) | (End::PutBack, Style::Verbose | Style::Text) => Some((Tells::Done, job)),
                // JSON says that it was released; text cannot tell.
                (End::Released, Style::Verbose | Style::Text) | (End::Failed, _) => {
                    Some((Tells::Failed, job))
                }
                (End::Released | End::PutBack | End::Lost, _) => None,
            },
            Said::Refused
            | Said::Threw(..)
            | Said::CannotFetch
            | Said::Paused(_)
            | Said::Resumed(_)
            | Said::Killed
            | Said::Restarted
            | Said::Booted
            | Said::Health
            | Said::Page
            | Said::Aside(_) => None,
        }
    }

    /// How an attempt ended, after how long.
    fn end(&self, job: usize, attempt: usize) -> Option<(i64, End)> {
        let attempt = self.history.jobs.get(job)?.attempts.get(attempt)?;
        attempt.end.map(|(end_ms, end)| (end_ms - attempt.start_ms, end))
    }

    fn messages(&mut self, utterance: &Utterance, at_ms: i64) -> Vec<String> {
        let stamp = stamp(at_ms);
        let one = |text: String| vec![text];
        match utterance.said {
            Said::Enqueued(job) => {
                self.history.jobs.get(job).map(|job| self.enqueued(job, &stamp, at_ms)).into_iter().collect()
            }
            Said::Refused => self.failure(Failure::Push, &stamp, at_ms),
            Said::CannotFetch => self.failure(Failure::Pop, &stamp, at_ms),
            Said::Threw(job, attempt) => self.failure(self.thrown(job, attempt), &stamp, at_ms),
            Said::Started(job, attempt) => {
                self.attempt(job, attempt, None, &stamp, at_ms).into_iter().collect()
            }
            Said::Ended(job, attempt) => {
                let end = self.end(job, attempt);
                self.attempt(job, attempt, end, &stamp, at_ms).into_iter().collect()
            }
            Said::Paused(queue) => self.pause(queue, "PAUSED", &stamp, at_ms).into_iter().collect(),
            Said::Resumed(queue) => self.pause(queue, "RESUMED", &stamp, at_ms).into_iter().collect(),
            Said::Killed => {
                let pid = self.dice.between(60, 30_000);
                vec![
                    format!(
                        "/bin/bash: line 1: {pid:>5} Killed                  php artisan queue:work --sleep=3"
                    ),
                    "worker exited with code 137".to_owned(),
                ]
            }
            Said::Restarted => one(format!("[{stamp}] Starting queue worker with driver: redis...")),
            Said::Booted => self.boot(utterance.speaker, at_ms),
            Said::Aside(aside) => aside.lines(self.style == Style::Json, at_ms),
            Said::Health => one(access(&stamp, "GET /health", 200, "ELB-HealthChecker/2.0")),
            Said::Page => {
                let page = *self
                    .dice
                    .pick(&["GET /", "GET /lessons/12", "POST /lessons/12/done", "POST /login"])
                    .unwrap_or(&"GET /");
                one(access(&stamp, page, 200, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)"))
            }
        }
    }

    fn enqueued(&self, job: &Job, stamp: &str, at_ms: i64) -> String {
        let mut context = format!("{{\"id\":\"{}\"", job.id);
        if self.style != Style::Bracket {
            context += &format!(",\"uuid\":\"{}\"", job.uuid);
        }
        let lane = job.lane;
        context += &format!(
            ",\"job\":\"{}\",\"queue\":\"{}\",\"connection\":\"{}\"",
            class_json(job),
            lane.queue,
            lane.connection
        );
        if self.plan.logs_delays {
            let seconds = job.delay_ms / SECOND;
            context +=
                &if seconds == 0 { ",\"delay\":null".to_owned() } else { format!(",\"delay\":{seconds}") };
        }
        context.push('}');
        match self.style {
            Style::Json => monolog_json("Job queued", &context, "INFO", at_ms),
            Style::Verbose | Style::Text | Style::Bracket => {
                format!("[{stamp}] production.INFO: Job queued {context} ")
            }
        }
    }

    fn failure(&self, failure: Failure, stamp: &str, at_ms: i64) -> Vec<String> {
        if self.style != Style::Json {
            return failure.lines(stamp);
        }
        vec![record(failure, at_ms)]
    }

    /// What a job's attempt threw, if it did: one beyond `--tries` is not even begun.
    fn thrown(&self, job: usize, attempt: usize) -> Failure {
        let class = self.history.jobs.get(job).map(|job| job.class);
        let is_beyond = u32::try_from(attempt).is_ok_and(|attempt| attempt >= self.plan.tries);
        class.filter(|_| is_beyond).map_or(Failure::Job, Failure::TriedTooOften)
    }

    /// A start, or with an end an end; `None` where this version prints nothing.
    fn attempt(
        &self,
        ix: usize,
        attempt: usize,
        end: Option<(i64, End)>,
        stamp: &str,
        at_ms: i64,
    ) -> Option<String> {
        let job = self.history.jobs.get(ix)?;
        match self.style {
            Style::Json => Some(worker_json(job, attempt, end, self.thrown(ix, attempt), at_ms)),
            Style::Verbose => Some(columns(job, end, stamp, true)),
            Style::Text => Some(columns(job, end, stamp, false)),
            Style::Bracket => {
                let word = match end.map(|(_, end)| end) {
                    None => "Processing: ",
                    Some(End::Done) => "Processed:  ",
                    Some(End::Failed) => "Failed:     ",
                    Some(End::Released | End::PutBack | End::Lost) => return None,
                };
                Some(format!("[{stamp}][{}] {word}App\\Jobs\\{}", job.id, job.class))
            }
        }
    }

    /// Laravel 13.26 and later; older workers leave a queue alone without a word.
    fn pause(&self, queue: &str, word: &str, stamp: &str, at_ms: i64) -> Option<String> {
        match self.style {
            Style::Json => Some(format!(
                "{{\"level\":\"warning\",\"queue\":\"{queue}\",\"status\":\"{}\",\"timestamp\":\"{}\"}}",
                word.to_lowercase(),
                micro(at_ms)
            )),
            Style::Verbose | Style::Text => Some(format!("  {stamp} Queue {queue} {word}")),
            Style::Bracket => None,
        }
    }

    fn boot(&mut self, speaker: Speaker, at_ms: i64) -> Vec<String> {
        let says = |lines: &[String]| lines.iter().map(|line| format!("[Entrypoint] {line}")).collect();
        let mut worker = vec![format!("Queue Worker started with PID: {}", self.dice.between(40, 99))];
        if self.plan.names_log_file {
            let day: String = stamp(at_ms).chars().take(10).filter(char::is_ascii_digit).collect();
            worker.insert(0, "Step 5: Starting Laravel Queue Worker in background...".to_owned());
            worker.push(format!("Queue Worker logs: storage/logs/queue-{day}.log"));
        }
        match speaker {
            Speaker::Worker(_) => says(&worker),
            Speaker::App(_) => says(&[
                "Container starting (production)".to_owned(),
                "Step 1: Checking environment...".to_owned(),
                "Step 6: Starting Apache in foreground...".to_owned(),
            ]),
        }
    }
}

/// The log group of the app's containers.
pub const APP_GROUP: &str = "/ecs/school-app";
/// The log group of worker containers.
pub const WORKER_GROUP: &str = "/ecs/school-worker";

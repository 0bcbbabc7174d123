//! Lets a day happen: jobs arrive, workers poll, attempts end, weather interferes.
//!
//! Workers behave as Laravel's do with a Redis queue: they poll every three seconds when idle, take the oldest ready
//! job of the first queue in their list that has one, and a job that nobody finished is given to the next worker after
//! `retry_after`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::dice::Dice;
use super::history::{Attempt, End, Fate, History, Job, Said, Speaker, Utterance};
use super::plan::{HANGS, KILLS, Lane, Plan, Weather};
use super::span::{DAY, MINUTE, SECOND, Span};

/// The app's containers.
pub const TASKS: usize = 2;

/// How long an idle worker sleeps (`--sleep=3`).
const SLEEP_MS: i64 = 3 * SECOND;
/// How long a supervisor waits before it starts a worker again.
const RESTART_MS: i64 = 5 * SECOND;
/// Between two questions of a load balancer.
const HEALTH_MS: i64 = 30 * SECOND;
/// Between two pages that people ask for, on average.
const PAGE_MS: i64 = 2 * MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    Polls(usize),
    Ends(usize),
    /// A job is given to the next worker, though an attempt may still be at it.
    Returns(usize, usize),
}

#[derive(Clone, Debug, Default)]
struct WorkerState {
    is_down: bool,
    paused: BTreeSet<&'static str>,
    /// The attempt it is at: the job, which of its attempts, how it will end, and when the worker polls again.
    at_work: Option<(usize, usize, End, i64)>,
}

struct Running<'a> {
    plan: &'a Plan,
    dice: Dice,
    history: History,
    /// Ready times and jobs, by lane.
    waiting: BTreeMap<Lane, BTreeSet<(i64, usize)>>,
    workers: Vec<WorkerState>,
    /// When a job of the class that keeps to a limit last ran.
    limited_ms: i64,
    events: BinaryHeap<Reverse<(i64, Event)>>,
}

/// What happens on the day of this plan.
#[must_use]
pub fn run(plan: &Plan, dice: &Dice) -> History {
    let jobs = arriving(plan, &mut dice.fork("jobs"));
    let mut events: BinaryHeap<Reverse<(i64, Event)>> = BinaryHeap::new();
    for (n, job) in jobs.iter().enumerate() {
        events.push(Reverse((job.enqueued_ms, Event::Arrives(n))));
    }
    let mut running = Running {
        plan,
        dice: dice.fork("run"),
        history: History { jobs, said: Vec::new() },
        waiting: BTreeMap::new(),
        workers: vec![WorkerState::default(); plan.workers.len()],
        limited_ms: 0,
        events,
    };
    for worker in 0..plan.workers.len() {
        let first = DAY.from_ms + running.dice.between(0, SLEEP_MS);
        running.events.push(Reverse((first, Event::Polls(worker))));
    }
    running.containers();
    while let Some(Reverse((at, event))) = running.events.pop() {
        if !DAY.holds(at) {
            break;
        }
        match event {
            Event::Arrives(job) => running.arrives(job, at),
            Event::Polls(worker) => running.polls(worker, at),
            Event::Ends(worker) => running.ends(worker, at),
            Event::Returns(job, attempt) => running.returns(job, attempt, at),
        }
    }
    running.history.said.retain(|utterance| DAY.holds(utterance.at_ms));
    running.history.said.sort_by_key(|utterance| utterance.at_ms);
    running.history
}

/// Every job of the day, in the order they come.
fn arriving(plan: &Plan, dice: &mut Dice) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut add = |dice: &mut Dice, at: i64, lane: Lane, class: &'static str, run_ms: i64| {
        let misdirected = plan.at(at, |weather| weather.misdirects(lane));
        jobs.push(Job {
            id: dice.job_id(),
            uuid: dice.uuid(),
            class,
            lane: misdirected.map_or(lane, |(_, to)| to),
            enqueued_ms: at,
            delay_ms: 0,
            run_ms,
            throws: 0.0,
            attempts: Vec::new(),
            fate: Fate::Refused,
        });
        jobs.len() - 1
    };
    let mut shaped: Vec<(usize, i64, f64)> = Vec::new();
    for traffic in &plan.traffic {
        for at in traffic.arrivals(dice) {
            let class = dice.pick(traffic.classes).copied().unwrap_or_default();
            let run_ms = dice.exponential(traffic.run_ms).clamp(5, 20 * traffic.run_ms);
            let job = add(dice, at, traffic.lane, class, run_ms);
            let delay_ms = match traffic.delayed {
                Some((share, delay_ms)) if dice.chance(share) => delay_ms,
                _ => 0,
            };
            shaped.push((job, delay_ms, traffic.throws));
        }
    }
    for single in &plan.singles {
        add(dice, single.at_ms, single.lane, single.class, single.run_ms);
    }
    for (job, delay_ms, throws) in shaped {
        if let Some(job) = jobs.get_mut(job) {
            job.delay_ms = delay_ms;
            job.throws = throws;
        }
    }
    jobs.sort_by_key(|job| job.enqueued_ms);
    jobs
}

impl Running<'_> {
    fn say(&mut self, at_ms: i64, speaker: Speaker, said: Said) {
        self.history.said.push(Utterance { at_ms, speaker, said });
    }

    /// What the app's containers print whatever happens to jobs.
    fn containers(&mut self) {
        for task in 0..TASKS {
            let mut at = DAY.from_ms + self.dice.between(0, HEALTH_MS);
            while DAY.holds(at) {
                self.say(at, Speaker::App(task), Said::Health);
                at += HEALTH_MS + self.dice.between(-20, 20);
            }
        }
        for (at_ms, aside) in &self.plan.asides {
            let speaker = if aside.is_of_workers() { Speaker::Worker(0) } else { Speaker::App(0) };
            self.say(*at_ms, speaker, Said::Aside(*aside));
        }
        let mut at = DAY.from_ms + self.dice.exponential(PAGE_MS);
        while DAY.holds(at) {
            let task = self.task();
            self.say(at, task, Said::Page);
            at += self.dice.exponential(PAGE_MS).max(1);
        }
        let deploys: Vec<Span> = self
            .plan
            .weather
            .iter()
            .filter(|(_, weather)| *weather == Weather::Deployed)
            .map(|(span, _)| *span)
            .collect();
        let begin = Span::lasting(DAY.from_ms, SECOND);
        let first = self.plan.names_log_file.then_some(begin);
        for span in first.into_iter().chain(deploys) {
            for task in 0..TASKS {
                let at = span.from_ms + self.dice.between(0, 20 * SECOND);
                self.say(at, Speaker::App(task), Said::Booted);
            }
        }
        if self.plan.names_log_file {
            for worker in 0..self.workers.len() {
                let at = DAY.from_ms + self.dice.between(0, 20 * SECOND);
                self.say(at, Speaker::Worker(worker), Said::Booted);
            }
        }
    }

    fn task(&mut self) -> Speaker {
        let task = self.dice.between(0, i64::try_from(TASKS).unwrap_or(1));
        Speaker::App(usize::try_from(task).unwrap_or(0))
    }

    fn arrives(&mut self, job: usize, at: i64) {
        let task = self.task();
        let said_at = at + self.dice.between(1, 15);
        self.say(at, task, Said::Page);
        if self.plan.is(at, Weather::CannotPush) {
            return self.say(said_at, task, Said::Refused);
        }
        if self.plan.logs_enqueues {
            self.say(said_at, task, Said::Enqueued(job));
        }
        if self.plan.is(at, Weather::Swallowed) {
            if let Some(job) = self.history.jobs.get_mut(job) {
                job.fate = Fate::Waiting;
            }
            return;
        }
        self.waits(job, None);
    }

    /// Puts a job back on its queue, ready at some moment or when it first is.
    fn waits(&mut self, job: usize, ready_ms: Option<i64>) {
        if let Some(waiting) = self.history.jobs.get_mut(job) {
            waiting.fate = Fate::Waiting;
            let ready_ms = ready_ms.unwrap_or_else(|| waiting.ready_ms());
            self.waiting.entry(waiting.lane).or_default().insert((ready_ms, job));
        }
    }

    fn polls_at(&mut self, worker: usize, at: i64) {
        self.events.push(Reverse((at, Event::Polls(worker))));
    }

    fn polls(&mut self, worker: usize, at: i64) {
        let plan = self.plan;
        let down = plan.at(at, |weather| weather.takes_away(worker).then_some(()));
        let Some(state) = self.workers.get_mut(worker) else { return };
        let was_down = state.is_down;
        state.is_down = down.is_some();
        if let Some((span, ())) = down {
            return self.polls_at(worker, span.to_ms);
        }
        if was_down {
            self.say(at, Speaker::Worker(worker), Said::Booted);
        }
        self.minds_pauses(worker, at);
        if plan.is(at, Weather::CannotFetch) {
            self.say(at, Speaker::Worker(worker), Said::CannotFetch);
            let again = at + SLEEP_MS + SECOND + self.dice.between(0, 50);
            return self.polls_at(worker, again);
        }
        match self.next_job(worker, at) {
            Some(job) => self.starts(worker, job, at),
            None => {
                let comes_ms = plan.comes_every_ms;
                let next = comes_ms.map(|every| at - (at - DAY.from_ms) % every + every);
                let again = next.unwrap_or(at + SLEEP_MS) + self.dice.between(0, 20);
                self.polls_at(worker, again);
            }
        }
    }

    /// Says which queues it was told to leave alone, and which no longer.
    fn minds_pauses(&mut self, worker: usize, at: i64) {
        let plan = self.plan;
        let Some(lanes) = plan.workers.get(worker).map(|it| &it.lanes) else { return };
        for lane in lanes {
            let is_paused = plan.is(at, Weather::Paused(lane.queue));
            let Some(state) = self.workers.get_mut(worker) else { return };
            let has_changed =
                if is_paused { state.paused.insert(lane.queue) } else { state.paused.remove(lane.queue) };
            if has_changed {
                let said = if is_paused { Said::Paused(lane.queue) } else { Said::Resumed(lane.queue) };
                self.say(at, Speaker::Worker(worker), said);
            }
        }
    }

    /// Takes the oldest ready job of the first queue that has one.
    fn next_job(&mut self, worker: usize, at: i64) -> Option<usize> {
        let plan = self.plan;
        for lane in &plan.workers.get(worker)?.lanes {
            let is_left_alone = plan.is(at, Weather::Paused(lane.queue));
            if is_left_alone || plan.is(at, Weather::Unlisted(lane.queue)) {
                continue;
            }
            let Some(waiting) = self.waiting.get_mut(lane) else { continue };
            if let Some((ready_ms, job)) = waiting.first().copied().filter(|(ready_ms, _)| *ready_ms <= at) {
                waiting.remove(&(ready_ms, job));
                return Some(job);
            }
        }
        None
    }

    fn starts(&mut self, worker: usize, ix: usize, at: i64) {
        let (end_ms, end) = self.fate_of_attempt(worker, ix, at);
        let Some(job) = self.history.jobs.get_mut(ix) else { return };
        job.fate = Fate::Running;
        job.attempts.push(Attempt { worker, start_ms: at, end: None });
        let attempt = job.attempts.len() - 1;
        self.say(at, Speaker::Worker(worker), Said::Started(ix, attempt));
        let polls_at = match end {
            End::Lost => end_ms + RESTART_MS + SECOND,
            End::Done | End::Released | End::PutBack | End::Failed => end_ms + self.dice.between(2, 12),
        };
        if let Some(state) = self.workers.get_mut(worker) {
            state.at_work = Some((ix, attempt, end, polls_at));
        }
        let returns_ms = at + self.plan.retry_after_ms;
        if end_ms > returns_ms && end != End::Lost {
            self.events.push(Reverse((returns_ms, Event::Returns(ix, attempt))));
        }
        self.events.push(Reverse((end_ms, Event::Ends(worker))));
    }

    /// When and how the next attempt of a job will end.
    fn fate_of_attempt(&mut self, worker: usize, ix: usize, at: i64) -> (i64, End) {
        let plan = self.plan;
        let dice = &mut self.dice;
        let Some(job) = self.history.jobs.get(ix) else { return (at, End::Failed) };
        let before = u32::try_from(job.attempts.len()).unwrap_or(u32::MAX);
        let thrown = if before + 1 < plan.tries { End::Released } else { End::Failed };
        let slow = plan.at(at, |weather| weather.slows(job.lane.queue));
        let run_ms = match slow {
            Some((_, run_ms)) => run_ms * dice.between(80, 120) / 100,
            // What hung once works the next time.
            None if job.run_ms == HANGS && before > 0 => SECOND,
            None => job.run_ms,
        };
        let (end_ms, end) = if before >= plan.tries {
            // It has been attempted too often already.
            (at + dice.between(3, 9), End::Failed)
        } else if let Some(limit) = plan.limit.filter(|limit| limit.class == job.class)
            && at < self.limited_ms + limit.every_ms
        {
            (at + dice.between(3, 9), End::PutBack)
        } else if job.run_ms == KILLS {
            (at + dice.between(2 * SECOND, 9 * SECOND), End::Lost)
        } else if plan.is(at, Weather::Throws) || plan.is(at, Weather::ThrowsOn(job.lane.queue)) {
            (at + dice.between(3, 40), thrown)
        } else if plan.is(at, Weather::TimesOut(job.lane.queue)) {
            (at + MINUTE, End::Lost)
        } else if plan.is(at, Weather::Killed) {
            (at + dice.between(2 * SECOND, 9 * SECOND), End::Lost)
        } else if dice.chance(job.throws) {
            (at + run_ms / 2 + 3, thrown)
        } else {
            (at + run_ms, End::Done)
        };
        let gone = plan
            .weather
            .iter()
            .find(|(span, weather)| weather.kills(worker) && (at..end_ms).contains(&span.from_ms));
        gone.map_or((end_ms, end), |(span, _)| (span.from_ms, End::Lost))
    }

    /// Gives a job to the next worker, if an attempt is still at it: nobody has put it back.
    fn returns(&mut self, ix: usize, attempt: usize, at: i64) {
        let job = self.history.jobs.get(ix);
        let is_open = job.and_then(|job| job.attempts.get(attempt)).is_some_and(|it| it.end.is_none());
        if is_open {
            self.waits(ix, Some(at));
        }
    }

    fn ends(&mut self, worker: usize, at: i64) {
        let at_work = self.workers.get_mut(worker).and_then(|state| state.at_work.take());
        let Some((ix, attempt, end, polls_at)) = at_work else { return };
        let Some(job) = self.history.jobs.get_mut(ix) else { return };
        let Some(last) = job.attempts.get_mut(attempt) else { return };
        last.end = Some((at, end));
        let start_ms = last.start_ms;
        let speaker = Speaker::Worker(worker);
        let dies = job.run_ms == KILLS
            || self.plan.is(at, Weather::Killed)
            || self.plan.is(at, Weather::TimesOut(job.lane.queue));
        if self.plan.limit.is_some_and(|limit| limit.class == job.class) && end != End::PutBack {
            self.limited_ms = at;
        }
        let back_ms = self.plan.limit.map_or(0, |limit| limit.back_ms);
        match end {
            End::Done => job.fate = Fate::Done,
            End::Failed => job.fate = Fate::Failed,
            End::Released => self.waits(ix, Some(at + self.plan.backoff_ms)),
            End::PutBack => self.waits(ix, Some(at + back_ms)),
            End::Lost => self.waits(ix, Some(start_ms + self.plan.retry_after_ms)),
        }
        match end {
            End::Done | End::PutBack => self.say(at, speaker, Said::Ended(ix, attempt)),
            End::Released | End::Failed => {
                self.say(at, speaker, Said::Ended(ix, attempt));
                self.say(at + 2, speaker, Said::Threw(ix, attempt));
            }
            // A container that is taken away takes its shell with it.
            End::Lost if dies => {
                self.say(at, speaker, Said::Killed);
                self.say(at + RESTART_MS, speaker, Said::Restarted);
            }
            End::Lost => {}
        }
        self.polls_at(worker, polls_at);
    }
}

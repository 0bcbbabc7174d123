//! What befalls a day: the jobs that come, the workers there are, and the weather over both.

use super::asides::Aside;
use super::dice::Dice;
use super::fault::Fault;
use super::span::{DAY, HOUR, MINUTE, SECOND, Span};

/// A queue and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// The queue connection.
    pub connection: &'static str,
    /// The queue.
    pub queue: &'static str,
}

/// A queue of the connection most apps have.
#[must_use]
pub const fn redis(queue: &'static str) -> Lane {
    Lane { connection: "redis", queue }
}

/// Jobs that come by chance.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Where they go.
    pub lane: Lane,
    /// Their classes, each as likely as the next.
    pub classes: &'static [&'static str],
    /// When they come, and how many an hour.
    pub rates: Vec<(Span, f64)>,
    /// How long one runs, on average.
    pub run_ms: i64,
    /// What share of them is delayed, and by how much.
    pub delayed: Option<(f64, i64)>,
    /// What share of their attempts throws.
    pub throws: f64,
}

impl Traffic {
    /// Jobs of a second each.
    #[must_use]
    pub fn new(lane: Lane, classes: &'static [&'static str], rates: Vec<(Span, f64)>) -> Self {
        Self { lane, classes, rates, run_ms: SECOND, delayed: None, throws: 0.0 }
    }

    /// The same with jobs of this length.
    #[must_use]
    pub fn running(self, run_ms: i64) -> Self {
        Self { run_ms, ..self }
    }

    /// When its jobs come.
    #[must_use]
    pub fn arrivals(&self, dice: &mut Dice) -> Vec<i64> {
        let mut arrivals = Vec::new();
        for (span, per_hour) in &self.rates {
            if *per_hour <= 0.0 {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a day")]
            let mean_ms = (3_600_000.0 / per_hour) as i64;
            let mut at = span.from_ms + dice.exponential(mean_ms);
            while span.holds(at) {
                arrivals.push(at);
                at += dice.exponential(mean_ms).max(1);
            }
        }
        arrivals
    }
}

/// One job that comes for certain.
#[derive(Clone, Copy, Debug)]
pub struct Single {
    /// When.
    pub at_ms: i64,
    /// Where it goes.
    pub lane: Lane,
    /// Its class.
    pub class: &'static str,
    /// How long it runs; [`HANGS`] is for ever.
    pub run_ms: i64,
}

/// The run of a job that never ends by itself.
pub const HANGS: i64 = 100 * HOUR;
/// The run of a job that its worker dies of, each time.
pub const KILLS: i64 = 101 * HOUR;

/// A limit that a class keeps to: an attempt that comes too soon after the last goes back to its queue, by no fault of its
/// own (`RateLimited`, `Job::release()`).
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The class.
    pub class: &'static str,
    /// How far apart its runs are kept.
    pub every_ms: i64,
    /// How long a job that came too soon waits.
    pub back_ms: i64,
}

/// A worker process.
#[derive(Clone, Debug)]
pub struct Worker {
    /// What it takes jobs from, the most important first.
    pub lanes: Vec<Lane>,
}

/// Which workers some weather is over; they are numbered as in [`Plan::workers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// All of them.
    All,
    /// One.
    One(usize),
}

impl Who {
    /// Whether it is this worker.
    #[must_use]
    pub fn is(self, worker: usize) -> bool {
        self == Self::All || self == Self::One(worker)
    }
}

/// Something that lasts for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// The process is not there: its container was taken away in the middle of whatever it did.
    Gone(Who),
    /// The process is not there: it was asked to stop, finished its job first, and a new container comes after.
    Deployed,
    /// One process is not there, in the same way.
    Replaced(usize),
    /// It cannot fetch jobs: its Redis is not there.
    CannotFetch,
    /// Apps cannot put jobs on queues: their Redis is not there.
    CannotPush,
    /// Workers were told to leave a queue alone.
    Paused(&'static str),
    /// No worker has this queue in its list.
    Unlisted(&'static str),
    /// Jobs of one lane are put on another.
    Misdirected(Lane, Lane),
    /// Every attempt throws at once, for good or to be tried again.
    Throws,
    /// The same, of one queue.
    ThrowsOn(&'static str),
    /// Every attempt ends with the worker being killed.
    Killed,
    /// Attempts of this queue take so long instead.
    Slow(&'static str, i64),
    /// What workers print does not reach CloudWatch.
    Unforwarded,
    /// What workers print reaches CloudWatch when it is over.
    Held,
    /// Nothing reaches CloudWatch.
    LogsGone,
    /// Jobs are put on queues, and their Redis forgets them at once: it is being replaced.
    Swallowed,
    /// Every attempt of this queue hangs until its worker kills itself for it, a minute later.
    TimesOut(&'static str),
}

impl Weather {
    /// Whether it takes this worker away, asked or not.
    #[must_use]
    pub fn takes_away(self, worker: usize) -> bool {
        self == Self::Deployed || self == Self::Replaced(worker) || self.kills(worker)
    }

    /// Whether it takes this worker away in the middle of whatever it does.
    #[must_use]
    pub fn kills(self, worker: usize) -> bool {
        matches!(self, Self::Gone(who) if who.is(worker))
    }

    /// How long attempts of this queue take under it.
    #[must_use]
    pub fn slows(self, of: &str) -> Option<i64> {
        if let Self::Slow(queue, run_ms) = self { (queue == of).then_some(run_ms) } else { None }
    }

    /// Where jobs for this lane end up under it.
    #[must_use]
    pub fn misdirects(self, lane: Lane) -> Option<Lane> {
        if let Self::Misdirected(from, to) = self { (from == lane).then_some(to) } else { None }
    }
}

/// A whole day.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Jobs by chance.
    pub traffic: Vec<Traffic>,
    /// Jobs for certain.
    pub singles: Vec<Single>,
    /// The workers.
    pub workers: Vec<Worker>,
    /// What lasts, and how long.
    pub weather: Vec<(Span, Weather)>,
    /// What should be found of it.
    pub faults: Vec<Fault>,
    /// `--tries`.
    pub tries: u32,
    /// `--backoff`.
    pub backoff_ms: i64,
    /// After how long a job that nobody finished is given to the next worker.
    pub retry_after_ms: i64,
    /// Whether the app logs its enqueues.
    pub logs_enqueues: bool,
    /// Whether an enqueue line tells the delay.
    pub logs_delays: bool,
    /// Whether worker output is redirected into a file, which the entrypoint says.
    pub names_log_file: bool,
    /// What is printed beside all that, and when.
    pub asides: Vec<(i64, Aside)>,
    /// A class that keeps to a limit.
    pub limit: Option<Limit>,
    /// How far the clocks of worker hosts are off; where workers share the app's containers, that of every other one.
    pub worker_clock_ms: i64,
    /// Workers are started so often, and leave when they find nothing (`queue:work --stop-when-empty` by cron).
    pub comes_every_ms: Option<i64>,
    /// How long an operator who knows this app lets ready jobs wait.
    pub grace_ms: i64,
    /// What else that operator configured, as TOML.
    pub config: String,
}

impl Plan {
    /// A quiet day of these jobs and so many workers that serve all their lanes.
    #[must_use]
    pub fn of(traffic: Vec<Traffic>, workers: usize) -> Self {
        let mut lanes: Vec<Lane> = traffic.iter().map(|traffic| traffic.lane).collect();
        lanes.dedup();
        Self {
            traffic,
            singles: Vec::new(),
            workers: vec![Worker { lanes }; workers],
            weather: Vec::new(),
            faults: Vec::new(),
            tries: 3,
            backoff_ms: 0,
            retry_after_ms: 90 * SECOND,
            logs_enqueues: true,
            logs_delays: true,
            names_log_file: false,
            asides: Vec::new(),
            limit: None,
            worker_clock_ms: 0,
            comes_every_ms: None,
            grace_ms: 5 * MINUTE,
            config: String::new(),
        }
    }

    /// The same day under this weather.
    #[must_use]
    pub fn under(mut self, span: Span, weather: Weather) -> Self {
        self.weather.push((span, weather));
        self
    }

    /// The same day with this to be found.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The first weather at that moment that `tells` something.
    pub fn at<T>(&self, at_ms: i64, tells: impl Fn(Weather) -> Option<T>) -> Option<(Span, T)> {
        let here = self.weather.iter().filter(|(span, _)| span.holds(at_ms));
        here.filter_map(|(span, weather)| Some((*span, tells(*weather)?))).next()
    }

    /// Whether there is this weather at that moment.
    #[must_use]
    pub fn is(&self, at_ms: i64, wanted: Weather) -> bool {
        self.at(at_ms, |weather| (weather == wanted).then_some(())).is_some()
    }
}

/// A steady rate all day.
#[must_use]
pub fn all_day(per_hour: f64) -> Vec<(Span, f64)> {
    vec![(DAY, per_hour)]
}

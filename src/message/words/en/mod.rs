//! English.

mod finding;

use super::{Labels, Sentence};
use crate::domain::diagnosis::cause::{Cause, SubCause};
use crate::domain::diagnosis::finding::{Trend, Unknown};
use crate::domain::incident::{Blindness, Key, Kind, NotificationState};
use crate::domain::runbook::{Note, Variable};
use crate::domain::seat::Seat;
use crate::message::duration;

pub(in crate::message::words) use finding::finding;

pub(in crate::message::words) const LABELS: Labels = Labels {
    app: "app      ",
    source: "source   ",
    queue: "queue    ",
    since: "since    ",
    until: "until    ",
    moves: "moves    ",
    jobs: "jobs     ",
    certain: "CAUSE    ",
    likely: "LIKELY   ",
    suspected: "SUSPECTED ",
    or: "OR       ",
    evidence: "EVIDENCE",
    as_of: "as of",
    changed: "CHANGED in the hour before",
    first: "DO FIRST",
    then: "THEN",
    variables: "VARIABLES",
    to_do: "TO DO",
    cannot_tell: "LOGS CANNOT TELL",
    logs: "LOGS",
    ids: "JOBS",
    close: "CLOSE this incident, if nothing is wrong",
    silence: "SILENCE the queue for 4 hours",
    silence_all: "SILENCE everything for 4 hours",
    also: "also     ",
    incident: "incident ",
    rule: "rule     ",
    next: "reminder ",
};

pub(in crate::message::words) const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::MonitorBlind => "queuewatch does not get to see the lines",
        Cause::LogPathDown => "no line comes from the log group at all",
        Cause::EnqueueErrors => "the store refuses the app's jobs",
        Cause::FailingFast => "jobs fail as soon as they start",
        Cause::CrashLoop => "workers die, and start again",
        Cause::JobTimeout => "attempts hang, or run into their timeout",
        Cause::Paused => "the queue is paused",
        Cause::QueueNotConsumed => "workers take jobs from other queues only",
        Cause::CannotFetch => "workers run and cannot fetch from the store",
        Cause::SlowBacklog => "jobs are worked off too slowly",
        Cause::PutBack => "a job is put back again and again, and never done",
        Cause::BehindLongJob => "the workers are busy with a long job",
        Cause::LogsNotForwarded => "worker output does not reach CloudWatch",
        Cause::NeverObserved => "no worker was ever seen to work here",
        Cause::WorkerSilent => "workers have fallen silent",
    }
}

pub(in crate::message::words) const fn sub_cause(cause: SubCause) -> &'static str {
    match cause {
        SubCause::StalePayload => "the payload names code that is not there any more, as after a deploy",
        SubCause::MissingConfig => "a setting is missing in the worker's environment",
        SubCause::MaxAttempts => {
            "attempts were used up without a word: lost workers, or a retry_after shorter than the job"
        }
        SubCause::RetriedTooSoon => {
            "retry_after is shorter than the job: it is handed out again while it still runs"
        }
        SubCause::ReleasedTooOften => {
            "jobs were put back by themselves until their attempts were used up: an overlap lock, or a rate limit"
        }
        SubCause::OutOfMemory => "a process ran out of memory",
        SubCause::DiesAtStart => "the worker dies before it takes a job",
        SubCause::WrongQueue => "no worker lists this queue",
        SubCause::WrongConnection => "jobs go to one connection, workers fetch from another",
        SubCause::Starved => "a queue that comes first keeps the workers busy",
        SubCause::Maintenance => "the app is in maintenance mode",
        SubCause::Refused => "connection refused: the store is down, or listens on another port",
        SubCause::TimedOut => "no answer: a security group, a route, or a store that is overloaded",
        SubCause::ConnectionLost => "the store closed the connection: it restarted, or failed over",
        SubCause::Unauthorized => "the store does not take the password: look at the secret",
        SubCause::NoCredentials => "the process has no credentials for the store: look at its role",
        SubCause::BadPayload => {
            "the store works, and refuses these jobs: too large, or not to be written down"
        }
        SubCause::HostUnknown => "the store's host name does not resolve",
        SubCause::ClusterMoved => "the key is on another node: a cluster needs a cluster client",
        SubCause::ReadOnly => "the store takes no writes: this is a replica, after a failover",
        SubCause::StoreFull => "the store is full",
        SubCause::Loading => "the store is starting, and loads its data",
        SubCause::TooManyClients => "the store has too many clients",
        SubCause::NoTable => "the jobs table is missing: migrations have not run there",
        SubCause::Locked => "rows of the jobs table are locked",
        SubCause::LinesDropped => {
            "some lines are dropped on the way: a log driver in non-blocking mode drops what its buffer does not hold"
        }
        SubCause::StoreForgot => "the store failed in between, and may have lost what it held",
    }
}

pub(in crate::message::words) const fn unknown(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::WorkerRuns => "whether a worker runs: idle, dead, paused and misrouted ones are all silent",
        Unknown::DeadOrUnheard => "whether a silent worker is dead, or its lines go elsewhere",
        Unknown::FileContent => "what is in that file: whether jobs succeed or fail there",
        Unknown::GoneOrUnseen => "whether the jobs are gone, or were processed unseen",
        Unknown::StoreHolds => "whether the store still holds the jobs",
        Unknown::WhyItDied => "why workers die: memory, a timeout, a deploy",
        Unknown::WhoMetIt => "whether the app or a worker met the store's error",
        Unknown::WorkersQueues => "which queues the workers list",
        Unknown::WorkersStore => "whether workers fetch from the same store, database and prefix",
        Unknown::WhichQueue => "which of the queues is stuck",
        Unknown::WhichJobs => "which of the jobs wait: worker lines carry no id",
        Unknown::Delays => "whether jobs wait by intent: delays are not logged",
        Unknown::RanTwice => "whether a job ran twice at once",
        Unknown::RunsOrHangs => "whether that attempt works or hangs",
        Unknown::WhySilent => "why the log group is silent: the app, its log driver, or the subscription",
        Unknown::FailOrRetry => "whether a failed attempt is tried again: text prints FAIL for both",
    }
}

pub(in crate::message::words) fn note(note: Note) -> String {
    match note {
        Note::SpendsAttempt => "takes one job and spends one of its attempts".to_owned(),
        Note::InDatabase => "in a client of the app's database".to_owned(),
        Note::JobsStay => {
            "a way around, in the environment of app and workers: needs the jobs table and workers on it; \
                           jobs that are in Redis stay there"
                .to_owned()
        }
        Note::WorkersEnd => {
            "after the fix: workers finish their job and end; something must start them again".to_owned()
        }
        Note::MendsEntrypoint => {
            "in the entrypoint (bash), with the worker's own options, instead of the redirection: its \
                                  lines are seen, and the file is kept"
                .to_owned()
        }
        Note::AskWhoPaused => "ask first: whoever paused it had a reason".to_owned(),
        Note::Finds(variable) => format!("finds {}", found(variable)),
    }
}

fn found(variable: Variable) -> String {
    let what = match variable {
        Variable::Cluster => "the cluster; [ecs] cluster in the configuration fills it in",
        Variable::Service => "the service; [ecs] service in the configuration fills it in",
        Variable::Task => "a task",
        Variable::LogGroup => "the log group",
        Variable::Sweep => "the function that sweeps",
    };
    format!("{}, {what}", variable.name())
}

pub(in crate::message::words) fn trend(trend: Trend) -> String {
    match trend {
        Trend::Growing { per_hour } if per_hour >= 60 => {
            format!("growing by {} a minute", per_hour.wrapping_div(60))
        }
        Trend::Growing { per_hour } => format!("growing by {per_hour} an hour"),
        Trend::Draining { done_in_ms } => format!("draining, done in about {}", duration(done_in_ms)),
    }
}

pub(in crate::message::words) fn closed(reason: &str) -> String {
    if reason.is_empty() { "closed by hand".to_owned() } else { format!("closed by hand: {reason}") }
}

pub(in crate::message::words) const fn of_missing_lines(is_over: bool) -> &'static str {
    if is_over {
        "no more jobs turn unknown"
    } else {
        "lines of workers are missing: what became of some jobs is unknown"
    }
}

pub(in crate::message::words) const fn headline(key: &Key, is_over: bool) -> &'static str {
    match (key.kind, is_over) {
        (Kind::Stalled, true) => "the queue moves again",
        (Kind::Stalled, false) => "queue stalled: jobs wait and none is started",
        (Kind::Lost, true) => "no job is passed over any more",
        (Kind::Lost, false) => "jobs passed over: later ones started, these did not",
        (Kind::Backlog, true) => "the backlog is worked off",
        (Kind::Backlog, false) => "backlog: jobs start, and too late",
        (Kind::Failing, true) => "jobs succeed again",
        (Kind::Failing, false) => "jobs do nothing but fail",
        (Kind::StuckRunning, true) => "no attempt is stuck any more",
        (Kind::StuckRunning, false) => "attempts neither end nor start again",
        (Kind::EnqueueErrors, true) => "jobs can be enqueued again",
        (Kind::EnqueueErrors, false) => "jobs cannot be enqueued",
        (Kind::Blind, _) => match (key.reason, is_over) {
            (Some(Blindness::NoEnqueueLines), false) => {
                "the app logs no enqueue lines: a stall cannot be seen"
            }
            (Some(Blindness::NoEnqueueLines), true) => "the app logs enqueue lines now",
            (Some(Blindness::SourceSilent), false) => "log source silent",
            (Some(Blindness::SourceSilent), true) => "log source heard again",
            (Some(Blindness::Rejected), false) => "log payloads cannot be opened",
            (Some(Blindness::Rejected), true) => "log payloads open again",
            (Some(Blindness::Late), false) => "log deliveries are late",
            (Some(Blindness::Late), true) => "log deliveries are in time again",
            (None, _) => "cannot see",
        },
    }
}

pub(in crate::message::words) const fn opening(state: NotificationState, is_page: bool) -> &'static str {
    match (state, is_page) {
        (NotificationState::Resolved, _) => "RESOLVED",
        (NotificationState::Reminder, _) => "STILL OPEN",
        (NotificationState::Updated, _) => "UPDATE",
        (NotificationState::Firing, true) => "ALARM",
        (NotificationState::Firing, false) => "WARN",
    }
}

pub(in crate::message::words) const fn advice(key: &Key, seat: &Seat) -> Option<&'static str> {
    match key.reason {
        Some(Blindness::NoEnqueueLines) => Some(
            "Have the app log a line when a job is enqueued: Laravel itself logs none. Add a JobQueued listener, or a \
             [[rule]] on a line that the app writes then. `queuewatch explain` tells why a line is not recognised.",
        ),
        Some(Blindness::SourceSilent) if !seat.is_on_aws() => Some(
            "Look whether the app still runs, and whether it still writes into the files that are watched.",
        ),
        Some(Blindness::SourceSilent) => Some(
            "Look whether the app still runs and logs, and whether the log group still has its subscription filter.",
        ),
        Some(Blindness::Rejected) => Some(
            "Look who else writes to this function or stream. The rejected payloads are kept where failed events go; \
             `queuewatch replay` names the reason of each.",
        ),
        Some(Blindness::Late) => {
            Some("Nothing, if a backlog of logs is being caught up with. Waits are judged late until then.")
        }
        None => None,
    }
}

pub(in crate::message::words) fn sentence(sentence: &Sentence<'_>) -> String {
    match sentence {
        Sentence::Overdue { jobs, oldest, limit } => {
            format!("{jobs} overdue, oldest {oldest} (limit {limit})")
        }
        Sentence::Stuck { jobs, oldest } => {
            format!("{} stuck, oldest {oldest}", n(*jobs, "attempt", "attempts"))
        }
        Sentence::InARow(jobs) => format!("{jobs} failed in a row"),
        Sentence::Refused(jobs) => format!("{jobs} refused of late"),
        Sentence::WereOverdue { jobs, longest } => {
            format!("{} overdue at once, the longest wait {longest}", n(*jobs, "was", "were"))
        }
        Sentence::GivenUp { jobs, by_hand: true } => {
            format!("{} given up as unknown: closed by hand", n(*jobs, "is", "are"))
        }
        Sentence::GivenUp { jobs, by_hand: false } => {
            format!("{} given up as unknown: nobody can tell what became of them", n(*jobs, "is", "are"))
        }
        Sentence::Unseen(jobs) => {
            format!(
                "{} started while lines of workers were missing, and given up as unknown",
                n(*jobs, "was", "were")
            )
        }
        Sentence::Oldest(listed) => format!("the {listed} oldest:"),
        Sentence::More(more) => format!("and {more} more"),
        Sentence::Enqueued { id, at } => {
            format!("{} enqueued {}", id.unwrap_or("(no id)"), at.unwrap_or("at an unknown time"))
        }
        Sentence::Uncounted => "which of them wait is not known: worker lines carry no id".to_owned(),
        Sentence::OneOf(queues) => format!("one of: {queues}"),
        Sentence::OpenFor(lasted) => format!("open for {lasted}"),
        Sentence::About(at) => format!("about {at}"),
        Sentence::AfterEnd => {
            "This opened after the last line that was replayed: lines that came later may tell otherwise."
                .to_owned()
        }
        Sentence::NoClass => "(class unknown)".to_owned(),
        Sentence::Rule { kind, grace } => rule(*kind, grace),
    }
}

fn rule(kind: Kind, grace: &str) -> String {
    match kind {
        Kind::Stalled => format!("ready over {grace}, and no start for {grace}"),
        Kind::Lost => format!("passed over for more than {grace}"),
        Kind::Backlog => format!("ready over {grace}, though the queue moves"),
        Kind::Failing => "5 jobs in a row, most of the last 10 minutes, or all of a day".to_owned(),
        Kind::StuckRunning => "running past the timeout, or 2 workers lost".to_owned(),
        Kind::EnqueueErrors => "3 refused enqueues within 5 minutes".to_owned(),
        Kind::Blind => "what comes from the logs".to_owned(),
    }
}

/// `1 job`, `7 jobs`.
fn n(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

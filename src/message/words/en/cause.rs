//! Why, in English, and what the logs leave open.

use super::lead::store;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::Unknown;
use crate::message::words::{About, Causes, Voice};

pub(in crate::message::words) fn cause(cause: Cause, about: &About<'_>, voice: &Voice) -> String {
    let store = store(voice.store);
    match cause {
        Cause::MonitorBlind => "queuewatch itself gets the log lines late, or not at all".to_owned(),
        Cause::LogPathDown if voice.is_on_aws => "no line of any kind reaches the log group".to_owned(),
        Cause::LogPathDown => "nothing writes to the watched files any more".to_owned(),
        Cause::EnqueueErrors if about.is_past => format!("the app could not put jobs on {store}"),
        Cause::EnqueueErrors => format!("the app cannot put jobs on {store}"),
        Cause::FailingFast if about.is_slow => "jobs end in an exception".to_owned(),
        Cause::FailingFast if about.is_first => "jobs fail as soon as they start".to_owned(),
        Cause::FailingFast => "every job fails at once".to_owned(),
        Cause::CrashLoop => "the worker dies and starts again, over and over".to_owned(),
        Cause::JobTimeout => "jobs hang, or run longer than they may".to_owned(),
        Cause::Paused if about.is_maintenance => "the app is in maintenance mode".to_owned(),
        Cause::Paused => "the queue is paused".to_owned(),
        Cause::QueueNotConsumed => "workers take jobs from other queues, not from this one".to_owned(),
        Cause::CannotFetch if about.has_forgotten => {
            format!("{store} failed in between, and may have lost the jobs it held")
        }
        Cause::CannotFetch if about.is_of_lost => format!("{store} may have lost the jobs it held"),
        Cause::CannotFetch => format!("workers run, and cannot fetch jobs from {store}"),
        Cause::SlowBacklog => "the workers finish jobs too slowly".to_owned(),
        Cause::PutBack => {
            "something puts the job back each time, as an overlap lock that nobody holds or a rate limit"
                .to_owned()
        }
        Cause::BehindLongJob => "the workers are busy with a long job".to_owned(),
        Cause::LogsNotForwarded if about.is_dropping => "some worker lines are lost on the way".to_owned(),
        Cause::LogsNotForwarded => {
            let missed = if voice.is_on_aws { "CloudWatch does not get" } else { "is not watched" };
            match (about.file, voice.is_on_aws) {
                (Some(file), _) => format!("the worker writes to a file that {missed} ({file})"),
                (None, true) => "the worker's lines do not reach CloudWatch".to_owned(),
                (None, false) => "the worker's lines do not reach the watched files".to_owned(),
            }
        }
        Cause::NeverObserved if about.is_unheard_told => "no worker has been started".to_owned(),
        Cause::NeverObserved => "no worker has been started, or none of its lines arrives".to_owned(),
        Cause::WorkerSilent => "the worker is not running".to_owned(),
    }
}

pub(in crate::message::words) fn sub_cause(cause: SubCause, voice: &Voice) -> String {
    let store = store(voice.store);
    let text = match cause {
        SubCause::StalePayload => "the payload names code that is not there any more, as after a deploy",
        SubCause::MissingConfig => "a setting is missing in the worker's environment",
        SubCause::MaxAttempts => {
            "attempts were used up without a line, by lost workers or a retry_after shorter than the job"
        }
        SubCause::RetriedTooSoon => {
            "retry_after is shorter than the job, which is handed out again while it still runs"
        }
        SubCause::ReleasedTooOften => {
            "jobs put themselves back until their attempts were used up, as under an overlap lock or a rate limit"
        }
        SubCause::OutOfMemory => "a process ran out of memory",
        SubCause::DiesAtStart => "it dies before it takes a job",
        SubCause::WrongQueue => "no worker lists this queue",
        SubCause::WrongConnection => "jobs go to one connection, workers fetch from another",
        SubCause::Starved => "a queue that comes first keeps the workers busy",
        SubCause::Maintenance => "someone ran `php artisan down`",
        SubCause::Refused => {
            return format!("connection refused, as when {store} is down or on another port");
        }
        SubCause::TimedOut => {
            return format!("{store} does not answer (a security group, a route, or its load)");
        }
        SubCause::ConnectionLost => {
            return format!("{store} closed the connection, as after a restart or when it failed over");
        }
        SubCause::Unauthorized => return format!("{store} does not take the password of the secret"),
        SubCause::NoCredentials => {
            return format!("the process has no credentials for {store}, as when its role is missing");
        }
        SubCause::BadPayload => {
            return format!("{store} works, and refuses these jobs (too large, or not to be encoded)");
        }
        SubCause::HostUnknown => return format!("the host name of {store} does not resolve"),
        SubCause::ClusterMoved => "the key is on another node, which needs a cluster client",
        SubCause::ReadOnly => {
            return format!("{store} takes no writes, as a replica does after a failover");
        }
        SubCause::StoreFull => return format!("{store} is full"),
        SubCause::Loading => return format!("{store} is starting, and loads its data"),
        SubCause::TooManyClients => return format!("{store} has too many clients"),
        SubCause::NoTable => "the jobs table is missing, as before migrations have run",
        SubCause::Locked => "rows of the jobs table are locked",
        SubCause::LinesDropped if voice.is_on_aws => {
            "a log driver in non-blocking mode drops what its buffer does not hold"
        }
        SubCause::LinesDropped => "ends come without their starts",
        SubCause::StoreForgot => return format!("{store} was down while they waited"),
    };
    text.to_owned()
}

pub(in crate::message::words) fn causes(it: &Causes<'_>) -> Vec<String> {
    let label = match (it.is_certain, it.is_over) {
        (true, false) => "Cause",
        (true, true) => "Cause at the time",
        (false, false) => "Most likely",
        (false, true) => "Most likely cause at the time",
    };
    let mut lines = vec![format!("{label}: {}.", it.first)];
    if it.is_over || it.others.is_empty() {
        return lines;
    }
    lines.push(it.others.iter().map(|other| format!("Or: {other}.")).collect::<Vec<_>>().join(" "));
    lines.push(match it.step {
        Some(step) => format!("The logs cannot tell these apart; step {step} does."),
        None => "The logs cannot tell these apart.".to_owned(),
    });
    lines
}

pub(in crate::message::words) fn unknown(unknown: Unknown, step: Option<usize>, voice: &Voice) -> String {
    let store = store(voice.store);
    let text = match unknown {
        Unknown::WorkerRuns => {
            "whether a worker runs: idle, dead, paused and misrouted ones print nothing".to_owned()
        }
        Unknown::DeadOrUnheard => "whether a silent worker is dead, or its lines go elsewhere".to_owned(),
        Unknown::FileContent => "what is in that file: whether jobs succeed or fail there".to_owned(),
        Unknown::GoneOrUnseen => "whether the jobs are gone, or were processed unseen".to_owned(),
        Unknown::StoreHolds => format!("whether {store} still holds the jobs"),
        Unknown::WhyItDied => "why workers die: memory, a timeout, a deploy".to_owned(),
        Unknown::WhoMetIt => format!("whether the app or a worker got the error of {store}"),
        Unknown::WorkersQueues => "which queues the workers list".to_owned(),
        Unknown::WorkersStore => format!("whether workers use the same host, database and prefix of {store}"),
        Unknown::WhichQueue => "which of the queues is stuck".to_owned(),
        Unknown::WhichJobs => "which of the jobs wait: worker lines carry no id".to_owned(),
        Unknown::Delays => "whether jobs wait on purpose: delays are not logged".to_owned(),
        Unknown::RanTwice => "whether a job ran twice at once".to_owned(),
        Unknown::RunsOrHangs => "whether that attempt works or hangs".to_owned(),
        Unknown::WhySilent if voice.is_on_aws => {
            "why the log group is silent: the app, its log driver, or the subscription".to_owned()
        }
        Unknown::WhySilent => "why the file is silent".to_owned(),
        Unknown::FailOrRetry => {
            "whether a failed attempt is tried again: the worker prints FAIL for both".to_owned()
        }
    };
    match step {
        Some(step) => format!("{text} (step {step} tells)"),
        None => text,
    }
}

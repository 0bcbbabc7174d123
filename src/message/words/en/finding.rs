//! Facts, in English.

use super::{n, sub_cause};
use crate::domain::diagnosis::finding::{Fact, Finding, Who};
use crate::domain::job::{JobClass, QueueName};
use crate::message::duration;

#[expect(clippy::too_many_lines, reason = "a line or two for each fact, and none left out")]
pub(in crate::message::words) fn finding(fact: &Fact) -> String {
    let never = |text: &str, never: &str| match fact.at {
        Some(_) => text.to_owned(),
        None => format!("{text}: {never}"),
    };
    match &fact.what {
        Finding::JobsWait { waiting, overdue } => {
            format!("{} there, {overdue} of them beyond their grace", n(*waiting, "job waits", "jobs wait"))
        }
        Finding::LastEnqueue => never("last job enqueued there", "never"),
        Finding::LastEnqueueAnywhere => never("last job enqueued, on any queue", "never"),
        Finding::LastStart => never("last job started there", "none that was seen"),
        Finding::NoJobLineEver => "no job was ever seen to start or end, on any queue".to_owned(),
        Finding::LastJobLine => never("last job line of a worker, on any queue", "never"),
        Finding::LastBoot => "last line that says a worker was started".to_owned(),
        Finding::LastLine => never("last line of any kind", "never"),
        Finding::Counted => "worker lines carry no id: jobs are matched by counting, oldest first".to_owned(),
        Finding::DoubtfulStarts(count) => {
            format!(
                "{} may have been retries: the count may be short by as many",
                n(*count, "start", "starts")
            )
        }
        Finding::LogFile { file, streams } => {
            format!("worker output goes to {file}, say lines of {}; the newest", streams.join(", "))
        }
        Finding::StoreErrors { who, count, text } => {
            let who = match who {
                Who::App => "the app, which enqueues",
                Who::Worker => "workers, which fetch",
                Who::Unknown => "either the app or workers",
            };
            let errors = n(*count, "error", "errors");
            format!("{errors} of the store met by {who}{}; the newest", quoted(text.as_deref()))
        }
        Finding::WorkerErrors { count, text } => {
            let errors = n(*count, "error", "errors");
            format!("{errors} of workers outside of a job{}; the newest", quoted(text.as_deref()))
        }
        Finding::Paused => "a line says that the queue was paused, and none that it goes on".to_owned(),
        Finding::Maintenance => "the app went into maintenance mode".to_owned(),
        Finding::StartsElsewhere { place } => format!("jobs start on {place}; the newest"),
        Finding::StartsOnOneOf { place } => format!("jobs of the class start on one of {place}; the newest"),
        Finding::WorkerServes { connection, queues } => {
            let queues = queues.iter().map(QueueName::as_str).collect::<Vec<_>>().join(",");
            let connection = connection.as_ref().map_or_else(String::new, |name| format!("{name}:"));
            format!("a live worker says it fetches from {connection}{queues}, not from this queue")
        }
        Finding::WorkersAlive(count) => {
            let says = n(*count, "worker of this queue says", "workers of this queue say");
            format!("{says} to be alive; the newest")
        }

        Finding::WorkersExpected { alive, expected } => {
            format!(
                "{alive} of {} sent a heartbeat in 5 minutes",
                n(*expected, "expected worker", "expected workers")
            )
        }
        Finding::LastHeartbeat => "last heartbeat of a worker of this queue".to_owned(),
        Finding::WorkerStopped(text) => format!("a worker ended: \"{text}\""),
        Finding::PutBack { class, count } => format!(
            "{} was put back {count} times, as by an overlap lock that nobody holds or a rate limit; it first started",
            class.as_ref().map_or("a job", JobClass::as_str)
        ),
        Finding::LastWords(text) => format!("where the worker spoke, the last lines say: \"{text}\""),
        Finding::BadExits(count) => {
            format!("{} badly within 10 minutes; the newest", n(*count, "worker ended", "workers ended"))
        }
        Finding::Killed(count) => {
            format!("{} killed within 10 minutes; the newest", n(*count, "worker", "workers"))
        }
        Finding::Boots { count, stream } => {
            format!("{count} starts of a worker within 10 minutes in {stream}; the newest")
        }
        Finding::LostJobs(count) => {
            let lost = n(*count, "job lost its worker", "jobs lost their worker");
            format!("{lost} twice or more often; the newest of those attempts")
        }

        Finding::OpenStarts(count) => {
            let started = n(*count, "attempt", "attempts");
            format!("{started} started and did not end, and none succeeded since the first")
        }

        Finding::RetriedEvery { every_ms, timeout_ms } => {
            let twice = match timeout_ms.filter(|timeout_ms| every_ms < timeout_ms) {
                Some(timeout_ms) => format!(
                    ", sooner than its timeout of {}: it may run twice at once (retry_after is too short)",
                    duration(timeout_ms)
                ),
                None => String::new(),
            };
            format!("the same job starts again after {}{twice}", duration(*every_ms))
        }
        Finding::StillRunning { class } => {
            format!(
                "an attempt of {} has not ended; it started",
                class.as_ref().map_or("a job", JobClass::as_str)
            )
        }
        Finding::BadEnds { class, bad, of } => {
            format!("{bad} of the last {of} attempts of {class} ended badly; the newest")
        }
        Finding::BadRuntime(ms) if *ms < 1000 => format!("the longest of them took {ms} ms"),
        Finding::BadRuntime(ms) => format!("the longest of them took {}", duration(*ms)),
        Finding::Exception(text) => format!("\"{text}\""),
        Finding::Because(cause) => sub_cause(*cause).to_owned(),
        Finding::Pace { started, enqueued, minutes } => {
            format!("{started} started and {enqueued} enqueued within {minutes} minutes")
        }
        Finding::Deployed => "a deploy".to_owned(),
        Finding::Booted { stream } => format!("a worker started in {stream}"),
        Finding::DeliveryLate { minutes } => format!("a delivery was {minutes} min old when it came"),
        Finding::DeliveriesBehind => {
            "more deliveries came than a sweep can take in: what is known is over a minute old".to_owned()
        }
        Finding::PayloadsRejected(count) => format!("payloads that could not be opened: {count}; the newest"),
        Finding::SourceSilent { group } if group.is_empty() => "last line of (no log group)".to_owned(),
        Finding::SourceSilent { group } => format!("last line of {group}"),
        Finding::ConsumedUnseen(count) => {
            format!(
                "{} started while lines of workers were missing",
                n(*count, "other job has", "other jobs have")
            )
        }
        Finding::LinesMissing(missing) => {
            format!(
                "worker lines are missing: {} of the last {} attempts that ended have no start line",
                missing.unread, missing.of
            )
        }
        Finding::OnlyWorkerLines(count) => format!("{count} worker lines and no enqueue line; the first"),
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": \"{text}\""))
}

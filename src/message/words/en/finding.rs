//! Facts, in English.

use super::lead::store;
use super::{n, sub_cause};
use crate::domain::incidents::fact::{Fact, Finding, Who};
use crate::domain::job::JobClass;
use crate::domain::systems::Near;
use crate::message::place::pair;
use crate::message::words::Voice;

#[expect(clippy::too_many_lines, reason = "a line or two for each fact, and none left out")]
pub(in crate::message::words) fn finding(fact: &Fact, voice: &Voice) -> String {
    let store = store(voice.store);
    let never = |text: &str, never: &str| match fact.at {
        Some(_) => text.to_owned(),
        None => format!("{text}: {never}"),
    };
    match &fact.what {
        Finding::JobsWait { waiting, overdue } => {
            format!("{}, {overdue} of them over the limit", n(*waiting, "job waits", "jobs wait"))
        }
        Finding::LastEnqueue => never("last job enqueued", "none ever seen"),
        Finding::LastEnqueueAnywhere => never("last job enqueued, on any queue", "none ever seen"),
        Finding::LastStart => never("last job started", "none ever seen"),
        Finding::NoJobLineEver => "no job was ever seen to start or end, on any queue".to_owned(),
        Finding::LastJobLine => never("last line of a worker about a job, on any queue", "none ever seen"),
        Finding::LastBoot => "last line that says that a worker was started".to_owned(),
        Finding::LastLine => never("last log line of any kind", "none"),
        Finding::Counted => "worker lines carry no id: jobs are matched by counting, oldest first".to_owned(),
        Finding::DoubtfulStarts(count) => {
            format!(
                "{} may have been retries: the count may be short by as many",
                n(*count, "start", "starts")
            )
        }
        Finding::LogFile { file, streams } => {
            format!(
                "a line of {} names {file} as the file for the worker's output; the newest",
                streams.join(", ")
            )
        }
        Finding::StoreErrors { who, count, text } => {
            let who = match who {
                Who::App => "when the app enqueued",
                Who::Worker => "when workers fetched",
                Who::Unknown => "in the app or in workers",
            };
            let errors = n(*count, "error", "errors");
            format!("{errors} of {store} {who}{}; the newest", quoted(text.as_deref()))
        }
        Finding::WorkerErrors { count, text } => {
            let errors = n(*count, "error", "errors");
            format!("{errors} in workers outside of a job{}; the newest", quoted(text.as_deref()))
        }
        Finding::Paused => "a line says that the queue was paused, and none that it was resumed".to_owned(),
        Finding::Maintenance => "the app went into maintenance mode".to_owned(),
        Finding::StartsElsewhere { place } => format!("jobs start on {place}; the newest"),
        Finding::StartsOnOneOf { place } => format!("jobs of the class start on one of {place}; the newest"),
        Finding::WorkerServes { connection, queues } => {
            let queues: Vec<String> = queues.iter().map(|queue| pair(connection.as_ref(), queue)).collect();
            format!("the heartbeat of a worker lists {}, and not this queue", queues.join(", "))
        }
        Finding::WorkersAlive(count) => {
            let sent = n(*count, "worker of this queue sent", "workers of this queue sent");
            format!("{sent} heartbeats; the newest")
        }
        Finding::WorkersExpected { alive, expected } => {
            format!(
                "{alive} of {} sent a heartbeat in 5 minutes",
                n(*expected, "expected worker", "expected workers")
            )
        }
        Finding::LastHeartbeat => "last heartbeat of a worker of this queue".to_owned(),
        Finding::WorkersSilent { count, of } => {
            format!("{count} of {of} workers' log streams fell silent, the last line came")
        }
        Finding::WorkerStopped(text) => format!("a worker ended: \"{text}\""),
        Finding::PutBack { class, count } => format!(
            "{} was put back {count} times; it first started",
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
                    ", before its timeout of {} is over: it may run twice at once (retry_after is too short)",
                    voice.exact(timeout_ms)
                ),
                None => String::new(),
            };
            format!("the same job starts again after {}{twice}", voice.about(*every_ms))
        }
        Finding::StillRunning { class } => {
            format!(
                "an attempt of {} has not ended; it started",
                class.as_ref().map_or("a job", JobClass::as_str)
            )
        }
        Finding::BadEnds { class, bad, of } => {
            format!("{bad} of the last {of} attempts of {class} failed; the newest")
        }
        Finding::FailsMore { class, percent, before } => {
            format!("{percent} % of the attempts of {class} fail, {before} % did before")
        }
        Finding::BadRuntime(ms) if *ms < 1000 => format!("the longest failed attempt took {ms} ms"),
        Finding::BadRuntime(ms) => format!("the longest failed attempt took {}", voice.about(*ms)),
        Finding::Exception(text) => format!("\"{text}\""),
        Finding::Because(cause) => sub_cause(*cause, voice),
        Finding::Pace { started, enqueued, minutes } => {
            format!("in the last {minutes} min {started} started and {enqueued} enqueued")
        }
        Finding::Deployed => "a deploy".to_owned(),
        Finding::Booted { stream } => format!("a worker started in {stream}"),
        Finding::DeliveryLate { minutes } => {
            format!("the newest delivery of log lines came {minutes} min late")
        }
        Finding::DeliveriesBehind => {
            "more log lines came than could be read in time: what is known is over a minute old".to_owned()
        }
        Finding::PayloadsRejected(count) => format!("payloads that could not be opened: {count}; the newest"),
        Finding::SourceSilent { group } if group.is_empty() => {
            "last line of a source without a name".to_owned()
        }
        Finding::SourceSilent { group } => format!("last line of {group}"),
        Finding::ConsumedUnseen(count) => {
            format!(
                "{} started while worker lines were missing",
                n(*count, "other job has", "other jobs have")
            )
        }
        Finding::LinesMissing(missing) => {
            format!(
                "worker lines are missing: {} of the last {} attempts that ended have no start line",
                missing.unread, missing.of
            )
        }
        Finding::LastRecognised => "last line that was recognised".to_owned(),
        Finding::NearlyRead { near, count } => format!("{}; the newest", nearly(*near, *count)),
        Finding::UnreadShape { shape, count } => {
            format!("{} like (a word is a, a number 9): {shape}", n(*count, "unread line", "unread lines"))
        }
        Finding::OnlyWorkerLines(count) => format!("{count} worker lines and no enqueue line; the first"),
    }
}

fn nearly(near: Near, count: u64) -> String {
    match near {
        Near::BehindPrefix => format!(
            "{} behind a prefix that is not known",
            n(count, "worker's line stands", "workers' lines stand")
        ),
        Near::InField => format!(
            "{} inside a field of JSON that is not known",
            n(count, "worker's or enqueue line stands", "workers' or enqueue lines stand")
        ),
        Near::EnqueueWords => {
            format!("{} \"Job queued\" in no known form", n(count, "line says", "lines say"))
        }
        Near::ServersUnknownError => format!(
            "{} \"unknown error.\" where the app's own lines should be: Octane with FrankenPHP does so while no log \
             level is set",
            n(count, "line says", "lines say")
        ),
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(": \"{text}\""))
}

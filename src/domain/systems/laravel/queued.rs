//! `Job queued` and what a worker tells of itself: records that an app (or queuewatch's Laravel package) logs itself.
//!
//! The message must be exactly that; only the context's own top-level keys are read. `Job queued` with nothing
//! to know the job by is declined: it could never be met by a worker's line and would be overdue for ever.
//! A worker is known by its host and process, and by as much of that as the record has.

use std::borrow::Cow;

use crate::domain::job::{Ending, Form, Stage};

use super::json::{Document, Scalar};
use super::sighting::Sighting;
use super::{flat_json, monolog};

/// The message that reports an enqueue.
pub(super) const MESSAGE: &str = "Job queued";

/// Messages that say something, word for word.
pub(super) const MESSAGES: [&str; 10] = [
    MESSAGE,
    "Worker heartbeat",
    "Worker started",
    "Worker stopped",
    "Processing job",
    "Job processing",
    "Processed job",
    "Job processed",
    "Failed job",
    "Job failed",
];

/// Keys under which loggers put a context, Monolog's own first.
const CONTEXTS: [&str; 11] = [
    "context",
    "ctx",
    "data",
    "labels",
    "fields",
    "attributes",
    "extra",
    "payload",
    "meta",
    "properties",
    "job",
];

/// What a message reports, and the job's id where the message itself has it.
struct Report<'a> {
    stage: Stage,
    id: Option<&'a str>,
}

/// What a message reports, if anything.
fn report(message: &str) -> Option<Report<'_>> {
    let stage = match unlabelled(message) {
        MESSAGE => Stage::Enqueued,
        "Worker heartbeat" => Stage::WorkerAlive,
        "Worker started" => Stage::WorkerStarted,
        "Worker stopped" => Stage::WorkerStopped,
        "Processing job" | "Job processing" => Stage::Processing,
        "Processed job" | "Job processed" => Stage::Processed,
        "Failed job" | "Job failed" => Stage::Failed,
        other => return bref(other),
    };
    Some(Report { stage, id: None })
}

/// Bref's worker on Lambda: `Processing job ID`, `Processed job ID`, `Job failed ID`, the class in the context.
/// <https://github.com/brefphp/laravel-bridge>
fn bref(message: &str) -> Option<Report<'_>> {
    const WORDS: [(&str, Stage); 3] = [
        ("Processing job ", Stage::Processing),
        ("Processed job ", Stage::Processed),
        ("Job failed ", Stage::Failed),
    ];
    let (id, stage) =
        WORDS.into_iter().find_map(|(words, stage)| Some((message.strip_prefix(words)?, stage)))?;
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_id.then_some(Report { stage, id: Some(id) })
}

/// Steps over `[req-9f2] `, which a processor puts before every message.
fn unlabelled(message: &str) -> &str {
    const LABELS_MAX: usize = 3;
    let mut rest = message;
    for _ in 0..LABELS_MAX {
        let Some((label, after)) = rest.strip_prefix('[').and_then(|it| it.split_once("] ")) else { break };
        if label.contains(['[', '{', '"']) {
            break;
        }
        rest = after;
    }
    rest
}

/// Reads the body of a line-form record: `Job queued {context} {extra}`.
pub(super) fn read_line(body: &str) -> Option<Sighting<'_>> {
    // The gate: no other message starts with these letters often enough to matter.
    if !body.starts_with(['J', 'W', 'P', 'F', '[']) {
        return None;
    }
    let (message, context) = match body.as_bytes().windows(2).position(|two| two == b" {") {
        // A format of the app's own may put a mark between the two.
        Some(end) => (body.get(..end)?.trim_end_matches([' ', '|', '-']), body.get(end..)?.trim_start()),
        None => (body.trim_end(), "{}"),
    };
    let report = report(message)?;
    // Only the first value: a processor's `extra` may follow the context.
    let context = match flat_json::context(context) {
        Some(context) => context,
        None => serde_json::Deserializer::from_str(context).into_iter::<Document<'_>>().next()?.ok()?,
    };
    sighting(&report, &context)
}

/// Reads a record that a transport prints without its time: `production.INFO: Job queued {context}`, as Laravel's syslog
/// channel does.
pub(super) fn read_unstamped(line: &str) -> Option<Sighting<'_>> {
    // The gate: a channel is one word, or two, and its level is in capitals.
    let colon = memchr::memmem::find(line.as_bytes(), b": ")?;
    let (head, body) = (line.get(..colon)?, line.get(colon.checked_add(2)?..)?);
    let (channel, level) = head.rsplit_once('.')?;
    let is_level = !level.is_empty() && level.bytes().all(|b| b.is_ascii_uppercase());
    let seen = read_line(body).filter(|_| is_level && monolog::is_channel(channel))?;
    Some(Sighting { channel: Some(channel.into()), ..seen })
}

/// Reads a JSON-form record, whatever its formatter calls the keys.
pub(super) fn read_json<'a>(message: &str, record: &Document<'a>) -> Option<Sighting<'a>> {
    // Whoever formats a line first has put the context behind the message.
    if message.contains(" {\"") {
        return read_line(message).map(Sighting::into_owned);
    }
    let report = report(message)?;
    let printed =
        || Some(sighting(&report, &serde_json::from_str(&record.text(&["context"])?).ok()?)?.into_owned());
    let named = |record: &Document<'a>| {
        CONTEXTS.iter().find_map(|key| record.object(key).and_then(|it| sighting(&report, &it)))
    };
    // OpenTelemetry's attributes hold the context, as an object or by names with dots.
    let attributes = || record.object("attributes");
    named(record)
        .or_else(|| named(&attributes()?))
        .or_else(|| sighting(&report, &flattened(&attributes()?)))
        .or_else(|| sighting(&report, &flattened(record)))
        .or_else(printed)
}

/// The context of a formatter that puts it beside the message: GELF's `_ctxt_id`, Logstash's `ctxt_id`, or plain keys.
fn flattened<'a>(record: &Document<'a>) -> Document<'a> {
    record.renamed(|key| {
        let key = key.strip_prefix('_').unwrap_or(key);
        let name =
            ["ctxt_", "context_", "context."].iter().find_map(|it| key.strip_prefix(it)).unwrap_or(key);
        // The host is whose log it is, not whose worker.
        (name != "host" || name != key).then_some(name)
    })
}

fn sighting<'a>(report: &Report<'_>, context: &Document<'a>) -> Option<Sighting<'a>> {
    let stage = report.stage;
    let mut seen = Sighting::new(stage, Form::Monolog);
    seen.connection = context.text(&["connection", "connectionName"]);
    if let Some(id) = report.id {
        seen.id = Some(id.to_owned().into());
        // Other queues' workers say so, too: theirs have no namespace, and no connection.
        let class = context.text(&["name", "job", "class"])?;
        seen.class = Some(class).filter(|class| class.contains('\\') || seen.connection.is_some());
        seen.class.as_ref()?;
        seen.queue = context.text(&["queue"]);
        if stage == Stage::Failed {
            // A message that fails goes back to SQS, which may deliver it again.
            seen.ending = Ending::FailOrRetry;
        }
        return Some(seen);
    }
    if stage.is_lifecycle() && stage != Stage::Enqueued {
        return attempt(stage, context);
    }
    if stage != Stage::Enqueued {
        let queues = context.get("queues").and_then(queue_list);
        seen.queue = context.text(&["queue"]).or(only_queue(queues.as_deref()).map(Into::into));
        seen.id = worker_name(context.scalar("worker"), context.scalar("host"), context.scalar("pid"));
        let is_stop = stage == Stage::WorkerStopped;
        seen.jobs = context.scalar("jobs").as_count().filter(|_| is_stop);
        seen.text = if is_stop { context.text(&["reason"]) } else { queues.map(Into::into) };
        return Some(seen);
    }
    seen.id = context.scalar("id").into_id();
    seen.uuid = context.text(&["uuid"]);
    seen.class = context.text(&["job", "class", "displayName"]);
    seen.queue = context.text(&["queue"]);
    seen.delay_ms = delay_ms(context);
    seen.timeout_ms = context.scalar("timeout").seconds_as_ms().filter(|ms| *ms > 0);
    if seen.id.is_none() && seen.uuid.is_none() && seen.class.is_none() { None } else { Some(seen) }
}

/// An attempt of which an app's own listener tells. Others call their tasks jobs, too: it must have a queued job's names.
fn attempt<'a>(stage: Stage, context: &Document<'a>) -> Option<Sighting<'a>> {
    let mut seen = Sighting::new(stage, Form::Monolog);
    seen.class = context.text(&["job", "class", "name", "displayName"]).filter(|class| class.contains('\\'));
    (seen.id, seen.uuid) = (context.scalar("id").into_id(), context.text(&["uuid"]));
    seen.queue = context.text(&["queue"]);
    seen.connection = context.text(&["connection", "connectionName"]);
    seen.attempt = ["attempt", "attempts"].iter().find_map(|key| context.scalar(key).as_count());
    if stage == Stage::Failed {
        seen.ending = Ending::FailOrRetry;
    }
    let is_known = seen.id.is_some() || seen.uuid.is_some();
    (seen.class.is_some() && seen.queue.is_some() && is_known).then_some(seen)
}

/// The delay in milliseconds; `null` is what the framework's event holds for a job without one, where a missing key
/// is no answer.
fn delay_ms(context: &Document<'_>) -> Option<i64> {
    if !context.has("delay") {
        return None;
    }
    let delay = context.scalar("delay");
    if delay == Scalar::Absent { Some(0) } else { delay.seconds_as_ms() }
}

/// `high,default` from text or a list.
fn queue_list(raw: &serde_json::value::RawValue) -> Option<String> {
    let names: Vec<String> = serde_json::from_str(raw.get())
        .or_else(|_| serde_json::from_str::<String>(raw.get()).map(|one| vec![one]))
        .ok()?;
    let list = names.join(",");
    if list.is_empty() { None } else { Some(list) }
}

/// The queue of a worker that has no other.
fn only_queue(queues: Option<&str>) -> Option<String> {
    queues.filter(|list| !list.contains(',')).map(str::to_owned)
}

/// `web-1:70`, or what there is of it: two workers of one host differ by process, two of one number by host.
fn worker_name<'a>(worker: Scalar<'a>, host: Scalar<'a>, pid: Scalar<'a>) -> Option<Cow<'a, str>> {
    if let Some(worker) = worker.into_id() {
        return Some(worker);
    }
    match (host.into_text(), pid.into_id()) {
        (Some(host), Some(pid)) => Some(Cow::Owned(format!("{host}:{pid}"))),
        (host, pid) => host.or(pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stage, id, class and delay.
    type Read<'a> = (Stage, Option<&'a str>, Option<&'a str>, Option<i64>);

    #[track_caller]
    fn check(body: &str, expected: Option<Read<'_>>) {
        let seen = read_line(body);
        let got = seen.as_ref().map(|s| (s.stage, s.id.as_deref(), s.class.as_deref(), s.delay_ms));
        assert_eq!(got, expected, "{body}");
    }

    #[test]
    fn a_job_queued_is_read_from_its_context() {
        let class = Some(r"App\Jobs\X");
        check(
            r#"Job queued {"id":"h1","job":"App\\Jobs\\X","queue":"default"} "#,
            Some((Stage::Enqueued, Some("h1"), class, None)),
        );
        check(
            r#"Job queued {"id":17,"class":"App\\Jobs\\X","delay":0}"#,
            Some((Stage::Enqueued, Some("17"), class, Some(0))),
        );
        check(
            r#"Job queued {"displayName":"App\\Jobs\\X","delay":90} {"url":"/"}"#,
            Some((Stage::Enqueued, None, class, Some(90_000))),
        );
        check(r#"Job queued {"id":"1","delay":null}"#, Some((Stage::Enqueued, Some("1"), None, Some(0))));
        check(r#"Job queued {"id":"1"}"#, Some((Stage::Enqueued, Some("1"), None, None)));
        check(
            r#"Job queued {"id":"1","delay":"2025-12-06T12:00:00Z"}"#,
            Some((Stage::Enqueued, Some("1"), None, None)),
        );
        check(r#"Job queued {"id":"1","delay":{"s":1}}"#, Some((Stage::Enqueued, Some("1"), None, None)));
    }

    #[test]
    fn every_key_is_read() {
        let body = r#"Job queued {"id":"1","uuid":"u","job":"X","queue":"emails","connection":"redis","timeout":120} "#;
        let seen = read_line(body).expect("an enqueue");
        assert_eq!((seen.uuid.as_deref(), seen.queue.as_deref()), (Some("u"), Some("emails")));
        assert_eq!((seen.connection.as_deref(), seen.timeout_ms), (Some("redis"), Some(120_000)));
        let body = r#"Job queued {"id":"1","connectionName":"sqs","queue":null,"timeout":null}"#;
        let seen = read_line(body).expect("an enqueue");
        assert_eq!((seen.connection.as_deref(), seen.queue, seen.timeout_ms), (Some("sqs"), None, None));
    }

    #[test]
    fn another_message_or_an_unknowable_job_is_declined() {
        check(r#"job queued {"id":"1"}"#, None);
        check(r#"Job queued. {"id":"1"}"#, None);
        check(r#"Job queued for retry {"id":"1"}"#, None);
        check(r#"The Job queued {"id":"1"}"#, None);
        check("Job queued", None);
        check(r#"Job queued {"queue":"default"}"#, None);
        check(r#"Job queued {"id":"1""#, None);
        check(r#"Job queued {"context":{"id":"1"}}"#, None);
    }

    /// A worker's line: stage, connection, queue, name and text.
    type Worker<'a> = (Stage, Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

    #[track_caller]
    fn check_worker(body: &str, expected: Worker<'_>) {
        let s = read_line(body).expect("a worker's line");
        let queue = s.queue.as_deref();
        assert_eq!(
            (s.stage, s.connection.as_deref(), queue, s.id.as_deref(), s.text.as_deref()),
            expected,
            "{body}"
        );
    }

    #[test]
    fn a_worker_tells_that_it_lives() {
        check_worker(
            r#"Worker heartbeat {"connection":"redis","queues":"high,default","host":"web-1","pid":70} "#,
            (Stage::WorkerAlive, Some("redis"), None, Some("web-1:70"), Some("high,default")),
        );
        check_worker(
            r#"Worker heartbeat {"connection":"redis","queues":"default","host":"web-1","pid":70,"jobs":3}"#,
            (Stage::WorkerAlive, Some("redis"), Some("default"), Some("web-1:70"), Some("default")),
        );
        check_worker(
            r#"Worker started {"queues":["high","default"],"pid":70}"#,
            (Stage::WorkerStarted, None, None, Some("70"), Some("high,default")),
        );
        check_worker(
            r#"Worker started {"connection":"sqs","queues":["https://sqs/1/emails"],"host":"web-1"}"#,
            (
                Stage::WorkerStarted,
                Some("sqs"),
                Some("https://sqs/1/emails"),
                Some("web-1"),
                Some("https://sqs/1/emails"),
            ),
        );
        check_worker("Worker heartbeat", (Stage::WorkerAlive, None, None, None, None));
    }

    #[test]
    fn a_worker_that_stops_tells_why_and_not_what_it_worked_on() {
        check_worker(
            r#"Worker stopped {"connection":"redis","queues":"high,default","reason":"memory","status":12}"#,
            (Stage::WorkerStopped, Some("redis"), None, None, Some("memory")),
        );
        check_worker(
            r#"Worker stopped {"queues":"default","worker":"a-1","reason":null}"#,
            (Stage::WorkerStopped, None, Some("default"), Some("a-1"), None),
        );
        // The class of a job that a worker mentions is nobody's enqueue, and its id nobody's name.
        let body = r#"Worker heartbeat {"queues":"a,b","last_job":"App\\Jobs\\X","id":"h","job":"App\\Jobs\\X","uuid":"u"}"#;
        let seen = read_line(body).expect("alive");
        assert_eq!((seen.class, seen.id, seen.uuid), (None, None, None));
    }

    #[test]
    fn a_worker_of_another_wording_is_declined() {
        for body in
            ["Worker crashed {}", "Worker heartbeats {}", "worker started {}", r#"Worker stopped: {"a":1}"#]
        {
            assert_eq!(read_line(body), None, "{body}");
        }
    }
}

//! `Job queued` and the worker's heartbeat: records that an app (or queuewatch's Laravel package) logs itself.
//!
//! The message must be exactly that; only the context's own top-level keys are read. `Job queued` with nothing
//! to know the job by is declined: it could never be met by a worker's line and would be overdue for ever.

use serde::{Deserialize, Deserializer};

use crate::domain::job::{Form, Stage};

use super::json::Scalar;
use super::sighting::Sighting;

/// The message that reports an enqueue.
pub(super) const MESSAGE: &str = "Job queued";

/// The keys read from a context. Each has the name of the tiny listener and the names people give instead.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    #[serde(borrow)]
    uuid: Scalar<'a>,
    #[serde(borrow)]
    job: Scalar<'a>,
    #[serde(borrow)]
    class: Scalar<'a>,
    #[serde(borrow, rename = "displayName")]
    display_name: Scalar<'a>,
    #[serde(borrow)]
    queue: Scalar<'a>,
    #[serde(borrow)]
    connection: Scalar<'a>,
    #[serde(borrow, rename = "connectionName")]
    connection_name: Scalar<'a>,
    #[serde(borrow)]
    delay: Given<'a>,
    #[serde(borrow)]
    timeout: Scalar<'a>,
    #[serde(borrow)]
    queues: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    reason: Scalar<'a>,
}

/// A value whose key is there: `null` is an answer, where a missing key is none.
#[derive(Debug, Default)]
struct Given<'a>(Option<Scalar<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl Given<'_> {
    /// The delay in milliseconds; `null` is what the framework's event holds for a job without one.
    fn delay_ms(&self) -> Option<i64> {
        match &self.0 {
            Some(Scalar::Absent) => Some(0),
            Some(value) => value.seconds_as_ms(),
            None => None,
        }
    }
}

/// What an exact message reports, if anything.
fn stage(message: &str) -> Option<Stage> {
    match message {
        MESSAGE => Some(Stage::Enqueued),
        "Worker heartbeat" => Some(Stage::WorkerAlive),
        "Worker started" => Some(Stage::WorkerStarted),
        "Worker stopped" => Some(Stage::WorkerStopped),
        _ => None,
    }
}

/// Reads the body of a line-form record: `Job queued {context} {extra}`.
pub(super) fn read_line(body: &str) -> Option<Sighting<'_>> {
    // The gate: no other message starts with these letters often enough to matter.
    if !body.starts_with(['J', 'W']) {
        return None;
    }
    let (message, context) = match body.find(" {") {
        Some(end) => (body.get(..end)?, body.get(end..)?.trim_start()),
        None => (body.trim_end(), "{}"),
    };
    let stage = stage(message)?;
    // Only the first value: a processor's `extra` may follow the context.
    let context = serde_json::Deserializer::from_str(context).into_iter::<Context<'_>>().next()?.ok()?;
    sighting(stage, context)
}

/// Reads a JSON-form record.
pub(super) fn read_json<'a>(
    message: &str,
    context: Option<&'a serde_json::value::RawValue>,
) -> Option<Sighting<'a>> {
    let stage = stage(message)?;
    let context = context.and_then(|c| serde_json::from_str(c.get()).ok()).unwrap_or_default();
    sighting(stage, context)
}

fn sighting(stage: Stage, context: Context<'_>) -> Option<Sighting<'_>> {
    let mut seen = Sighting::new(stage, Form::Monolog);
    seen.connection = context.connection.into_text().or(context.connection_name.into_text());
    if stage != Stage::Enqueued {
        seen.text = context
            .queues
            .and_then(queue_list)
            .or(context.reason.into_text().map(|r| r.into_owned()))
            .map(Into::into);
        return Some(seen);
    }
    seen.id = context.id.into_id();
    seen.uuid = context.uuid.into_text();
    seen.class = context.job.into_text().or(context.class.into_text()).or(context.display_name.into_text());
    seen.queue = context.queue.into_text();
    seen.delay_ms = context.delay.delay_ms();
    seen.timeout_ms = context.timeout.seconds_as_ms().filter(|ms| *ms > 0);
    if seen.id.is_none() && seen.uuid.is_none() && seen.class.is_none() { None } else { Some(seen) }
}

/// `high,default` from text or a list.
fn queue_list(raw: &serde_json::value::RawValue) -> Option<String> {
    let names: Vec<String> = serde_json::from_str(raw.get())
        .or_else(|_| serde_json::from_str::<String>(raw.get()).map(|one| vec![one]))
        .ok()?;
    let list = names.join(",");
    if list.is_empty() { None } else { Some(list) }
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

    #[test]
    fn a_worker_tells_that_it_lives() {
        let seen =
            read_line(r#"Worker heartbeat {"connection":"redis","queues":"high,default"} "#).expect("alive");
        assert_eq!((seen.stage, seen.text.as_deref()), (Stage::WorkerAlive, Some("high,default")));
        assert_eq!(seen.connection.as_deref(), Some("redis"));
        let seen = read_line(r#"Worker started {"queues":["high","default"]}"#).expect("started");
        assert_eq!((seen.stage, seen.text.as_deref()), (Stage::WorkerStarted, Some("high,default")));
        let seen = read_line(r#"Worker stopped {"reason":"memory"}"#).expect("stopped");
        assert_eq!((seen.stage, seen.text.as_deref()), (Stage::WorkerStopped, Some("memory")));
        assert_eq!(read_line("Worker heartbeat").map(|s| s.stage), Some(Stage::WorkerAlive));
        assert_eq!(read_line("Worker crashed {}"), None);
    }
}

//! An error record in Monolog's JSON form: its exception as an object, or printed into a string.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::job::Stage;

use super::json::Document;
use super::monolog;
use super::records::stage_of;
use super::store_error::{self, Fault};
use super::trace::{self, Part};

/// Monolog's level of an error.
const MONOLOG_ERROR: u32 = 400;
/// Syslog's.
const GELF_ERROR: u32 = 3;

/// An exception as formatters print it: Monolog's `class`, Elastic's `type`, Datadog's `kind`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Exception<'a> {
    #[serde(borrow, alias = "type", alias = "kind")]
    class: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    file: Option<Cow<'a, str>>,
    trace: Vec<Cow<'a, str>>,
    /// The whole trace in one text.
    #[serde(alias = "stack", alias = "stacktrace")]
    stack_trace: Option<Cow<'a, str>>,
}

/// Where formatters print an exception: in the context (Monolog), beside the message (Bref), named for the context it
/// was in (GELF), or under an error's name (Elastic, Datadog).
const PLACES: [&str; 4] = ["exception", "_ctxt_exception", "ctxt_exception", "error"];

/// Keys under which formatters put a record's level.
const LEVELS: [&str; 7] =
    ["level_name", "severity", "severity_text", "severityText", "level", "log.level", "monolog_level"];
/// OpenTelemetry's, as a number.
const NUMBERS: [&str; 2] = ["severity_number", "severityNumber"];
/// The least of an error, there.
const OTEL_ERROR: u32 = 17;

/// Whether an object has a level at all: without one it is no logger's record.
pub(super) fn has_level(record: &Document<'_>) -> bool {
    LEVELS.iter().chain(&NUMBERS).any(|key| record.has(key)) || nested_level(record).is_some()
}

/// Elastic's `"log": {"level": "ERROR"}`.
fn nested_level<'a>(record: &Document<'a>) -> Option<Cow<'a, str>> {
    record.object("log")?.text(&["level"])
}

/// Whether a record's level reports a failure, whatever its formatter calls the level. A number is Monolog's, or, in
/// GELF, syslog's, where less is worse.
pub(super) fn is_error(record: &Document<'_>) -> bool {
    if let Some(name) = record.text(&LEVELS).or_else(|| nested_level(record)) {
        return monolog::is_error_level(&name);
    }
    let level = record.scalar("level").as_count().or_else(|| record.scalar("monolog_level").as_count());
    let number = NUMBERS.iter().find_map(|key| record.scalar(key).as_count());
    if let Some(number) = number {
        return number >= OTEL_ERROR;
    }
    let is_gelf = record.has("short_message");
    level.is_some_and(|level| if is_gelf { level <= GELF_ERROR } else { level >= MONOLOG_ERROR })
}

/// What the record is evidence of, if its exception is a queue's.
pub(super) fn read(record: &Document<'_>) -> Option<Stage> {
    let context = record.object("context").and_then(|context| context.get("exception"));
    let exception = context.or_else(|| PLACES.iter().find_map(|place| record.get(place)));
    let (fault, part) = match exception {
        Some(exception) if exception.get().starts_with('"') => {
            let printed: String = serde_json::from_str(exception.get()).ok()?;
            let text = printed.strip_prefix("[object] (").unwrap_or(&printed);
            let (class, message) = store_error::split_printed(text);
            (store_error::fault(class, message), trace::part_of_files(printed.lines()))
        }
        Some(exception) => judged(&serde_json::from_str(exception.get()).ok()?),
        None => judged(&flattened(record)?),
    };
    match (part, fault) {
        (Some(Part::Side(side)), _) | (None, Fault::Sided(side)) => Some(stage_of(side)),
        (None, Fault::Store) => Some(Stage::RedisError),
        (Some(Part::Job), _) | (None, Fault::Other) => None,
    }
}

fn judged(exception: &Exception<'_>) -> (Fault, Option<Part>) {
    let stack = exception.stack_trace.as_deref().unwrap_or_default();
    let frames = exception.file.iter().chain(&exception.trace).map(AsRef::as_ref).chain(stack.lines());
    (store_error::fault(&exception.class, &exception.message), trace::part_of_files(frames))
}

/// An exception whose parts stand beside the message, or among its attributes, by names with dots: Elastic's
/// `error.type`, OpenTelemetry's `exception.type`.
fn flattened<'a>(record: &Document<'a>) -> Option<Exception<'a>> {
    let attributes = record.object("attributes");
    let part = |names: [&str; 2]| {
        record.text(&names).or_else(|| attributes.as_ref().and_then(|attributes| attributes.text(&names)))
    };
    Some(Exception {
        class: part(["error.type", "exception.type"])?,
        message: part(["error.message", "exception.message"]).unwrap_or_default(),
        stack_trace: part(["error.stack_trace", "exception.stacktrace"]),
        ..Exception::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(exception: &str, expected: Option<Stage>) {
        for record in [
            format!(r#"{{"context":{{"userId":1,"exception":{exception}}}}}"#),
            format!(r#"{{"level":"ERROR","exception":{exception}}}"#),
        ] {
            let document = serde_json::from_str(&record).expect("JSON");
            assert_eq!(read(&document), expected, "{record}");
        }
    }

    #[test]
    fn the_trace_decides_and_without_one_redis_alone_counts() {
        let redis = r#""class":"RedisException","message":"Connection refused","code":0,"file":"/v/PhpRedisConnector.php:185""#;
        let sql =
            r#""class":"Illuminate\\Database\\QueryException","message":"SQLSTATE[HY000] gone","code":0"#;
        let push = r#""trace":["/v/Illuminate/Queue/RedisQueue.php:1","/v/Illuminate/Queue/Queue.php:2"]"#;
        let pop = r#""trace":["/v/Illuminate/Queue/DatabaseQueue.php:1","/v/Illuminate/Queue/Worker.php:2"]"#;
        check(&format!("{{{redis}}}"), Some(Stage::RedisError));
        check(&format!("{{{redis},{push}}}"), Some(Stage::EnqueueError));
        check(&format!("{{{redis},{pop}}}"), Some(Stage::WorkerError));
        check(&format!("{{{sql}}}"), None);
        check(&format!("{{{sql},{pop}}}"), Some(Stage::WorkerError));
        check(r#"{"class":"RuntimeException","message":"Connection refused"}"#, None);
        check(
            r##""[object] (RedisException(code: 0): gone at /x.php:1)\n[stacktrace]\n#0 /x.php(1): Illuminate\\Queue\\RedisQueue->pushRaw()""##,
            Some(Stage::EnqueueError),
        );
        check("17", None);
        check(
            r#"{"class":"Illuminate\\Queue\\InvalidPayloadException","message":"Unable to JSON encode payload."}"#,
            Some(Stage::EnqueueError),
        );
        check(
            r#"{"class":"Illuminate\\Database\\QueryException","message":"SQLSTATE[HY000] gone (Connection: mysql, SQL: select * from `jobs` where `queue` = default and ((`reserved_at` is null"}"#,
            Some(Stage::WorkerError),
        );
    }

    #[test]
    fn exceptions_stand_in_many_places() {
        let check = |fields: &str, expected| {
            let record = format!(r#"{{"level":"error",{fields}}}"#);
            let document = serde_json::from_str(&record).expect("JSON");
            assert_eq!(read(&document), expected, "{record}");
        };
        let redis = Some(Stage::RedisError);
        check(r#""_ctxt_exception":"[object] (RedisException(code: 0): gone at /x.php:1)""#, redis);
        check(r#""error":{"type":"RedisException","message":"gone"}"#, redis);
        check(r#""error":{"kind":"RedisException","message":"gone","stack":"\n"}"#, redis);
        check(r#""error.type":"RedisException","error.message":"gone""#, redis);
        check(r#""attributes":{"exception.type":"RedisException","exception.message":"gone"}"#, redis);
        check(
            r##""error":{"type":"RedisException","stack_trace":"#0 /v/x.php(1): Redis->lpush()\n#1 /v/y.php(2): Illuminate\\Queue\\RedisQueue->pushRaw()"}"##,
            Some(Stage::EnqueueError),
        );
        check(r#""error":"gone""#, None);
        check(r#""error":{"code":17}"#, None);
    }
}

//! JSON lines: a worker's record, a logger's, or a router's with a line within. Which keys are there decides.

use std::borrow::Cow;

use crate::domain::job::Form;

use super::json::{self, Document};
use super::sighting::Sighting;
use super::{error_json, flat_json, half, queued, worker_json};
use crate::domain::systems::wrappers::{bundles, fields, otlp};

/// What a line that begins with a brace turned out to be.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A record that says something.
    Says(Box<Sighting<'a>>),
    /// A router's, the line within, and whose that is.
    Within(Cow<'a, str>, Cow<'a, str>),
    /// A whole object, and what stands behind it.
    Several(&'a str, &'a str),
    /// An object that breaks off.
    BrokenOff,
    /// Nothing that is known.
    Nothing,
}

/// Keys of a record's message, by formatter.
const MESSAGES: [&str; 6] = ["message", "msg", "MESSAGE", "short_message", "@message", "body"];

/// Reads a line.
pub(super) fn read(text: &str) -> Found<'_> {
    if let Some(seen) = flat_json::read(text).and_then(worker_json::read) {
        return Found::Says(Box::new(seen));
    }
    if !json::is_telling(text) {
        return Found::Nothing;
    }
    if let Some(lines) = otlp::plain(text).or_else(|| bundles::lines(text)) {
        return Found::Within(Cow::Owned(lines), Cow::Borrowed(""));
    }
    let Ok(document) = serde_json::from_str::<Document<'_>>(text) else { return split(text) };
    let seen =
        worker_json::read(worker_json::Record::from(&document)).or_else(|| record(&document, Level::Needed));
    if let Some(seen) = seen {
        return Found::Says(Box::new(seen));
    }
    match fields::inner(&document) {
        Some((_, inner)) => Found::Within(inner, fields::label(&document).unwrap_or_default()),
        None => Found::Nothing,
    }
}

/// Reads a record of which only the beginning came, as far as it goes.
pub(super) fn read_half(text: &str) -> Option<Sighting<'static>> {
    let closed = half::closed(text)?;
    let document = serde_json::from_str::<Document<'_>>(&closed).ok()?;
    record(&document, Level::CutOff).map(Sighting::into_owned)
}

/// Where a record's level is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// In the record, or it is none.
    Needed,
    /// Behind what was cut off; only errors carry exceptions in practice.
    CutOff,
}

/// A logger's record: an enqueue, a worker's own words, or an error of a store.
fn record<'a>(document: &Document<'a>, level: Level) -> Option<Sighting<'a>> {
    let is_cut = level == Level::CutOff;
    let message = document.text(&MESSAGES).filter(|_| is_cut || error_json::has_level(document))?;
    if let Some(seen) = queued::read_json(&message, document) {
        return Some(Sighting { channel: channel(document), ..seen });
    }
    let stage = (is_cut || error_json::is_error(document)).then(|| error_json::read(document)).flatten()?;
    Some(Sighting::new(stage, Form::Monolog).saying(message))
}

/// Whose record it is: its logger's channel, or else the app or the service that it names.
fn channel<'a>(document: &Document<'a>) -> Option<Cow<'a, str>> {
    const KEYS: [&str; 8] = [
        "channel",
        "logger_name",
        "log.logger",
        "service.name",
        "service",
        "app_name",
        "application",
        "environment",
    ];
    let nested = |object: &str, key: &str| document.object(object)?.text(&[key]);
    let named = document.text(&KEYS).or_else(|| nested("log", "logger"));
    named.or_else(|| nested("service", "name")).or_else(|| nested("resource", "service.name"))
}

/// Objects that stand behind one another on one line are lines, the last of them perhaps not whole.
fn split(text: &str) -> Found<'_> {
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Document<'_>>();
    match objects.next() {
        Some(Ok(_)) => match text.split_at_checked(objects.byte_offset()) {
            Some((first, rest)) => Found::Several(first, rest),
            None => Found::Nothing,
        },
        Some(Err(error)) if error.is_eof() => Found::BrokenOff,
        Some(Err(_)) | None => Found::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = format!("{:?}", read(text));
        assert!(found.starts_with(expected), "{text}: {found}");
    }

    #[test]
    fn its_keys_decide_what_a_line_is() {
        check(r#"{"level":"info","job":"App\\X","status":"starting"}"#, "Says");
        check(r#"{"job":"App\\X","status":"starting","kubernetes":{}}"#, "Says");
        check(r#"{"message":"Job queued","context":{"id":1},"severity":"INFO"}"#, "Says");
        check(
            r#"{"version":"1.1","short_message":"Job queued","level":6,"_ctxt_id":"1","_ctxt_job":"X"}"#,
            "Says",
        );
        check(
            r#"{"@timestamp":"t","message":"Job queued","log":{"level":"INFO"},"labels":{"id":"1"}}"#,
            "Says",
        );
        check(r#"{"body":"Job queued","severity_text":"INFO","attributes":{"id":"1","job":"X"}}"#, "Says");
        check(r#"{"time":"t","level":"INFO","msg":"Job queued","id":"1","job":"X"}"#, "Says");
        check(r#"{"log":"queue","stream":"stdout"}"#, "Within(\"queue\", \"\")");
        check(r#"{"status":200}{"status":201}"#, "Several");
        check(r#"{"status":"starting","job":"#, "BrokenOff");
        check(r#"{"status":starting}"#, "Nothing");
        check(r#"{"message":"GET / 200"}"#, "Nothing");
        check(r#"{"message":"Job queued","context":{"id":1}}"#, "Nothing");
    }

    #[test]
    fn an_error_counts_by_its_level_whatever_its_name() {
        let error = |level: &str| {
            format!(
                r#"{{"message":"gone","exception":{{"class":"RedisException","message":"gone"}},{level}}}"#
            )
        };
        for level in
            [r#""level":"error""#, r#""severity":"CRITICAL""#, r#""level":400"#, r#""log.level":"ERROR""#]
        {
            check(&error(level), "Says");
        }
        check(&error(r#""short_message":"x","level":3"#), "Says");
        check(&error(r#""short_message":"x","level":6"#), "Nothing");
        check(&error(r#""level":"info""#), "Nothing");
        check(&error(r#""level":200"#), "Nothing");
    }
}

//! The quick way through a worker's JSON line: one flat object as PHP's `json_encode` writes it, no spaces, no
//! nesting. Whatever is not exactly that is left to the full parser, which decides alike.
//!
//! A worker prints two such lines a job, so this is the path that a busy queue runs through.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::json::Scalar;
use super::worker_json::Record;

/// Reads a flat object, or leaves it to the full parser.
pub(super) fn read(line: &str) -> Option<Record<'_>> {
    let mut record = Record::default();
    let mut rest = line.strip_prefix('{')?;
    loop {
        let (key, after) = plain_text(rest)?;
        let (value, after) = value(after.strip_prefix(':')?)?;
        if let Some(field) = field(&mut record, key) {
            // A key that stands twice is for the full parser to decline.
            if std::mem::replace(field, value) != Scalar::Absent {
                return None;
            }
        } else if !matches!(key, "level" | "timestamp") {
            // Another form's key, or one that nobody knows.
            return None;
        }
        match after.as_bytes().first()? {
            b',' => rest = after.get(1..)?,
            b'}' if after.len() == 1 => return Some(record),
            _ => return None,
        }
    }
}

/// The fields that a worker's record is read for.
fn field<'d, 'a>(record: &'d mut Record<'a>, key: &str) -> Option<&'d mut Scalar<'a>> {
    Some(match key {
        "id" => &mut record.id,
        "uuid" => &mut record.uuid,
        "connection" => &mut record.connection,
        "queue" => &mut record.queue,
        "job" => &mut record.job,
        "status" => &mut record.status,
        "result" => &mut record.result,
        "attempts" => &mut record.attempts,
        "duration" => &mut record.duration,
        "exception" => &mut record.exception,
        "message" => &mut record.message,
        _ => return None,
    })
}

/// A key: text without any escape, and what follows its closing quote.
fn plain_text(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = memchr2(b'"', b'\\', text.as_bytes())?;
    if text.as_bytes().get(end) == Some(&b'"') {
        Some((text.get(..end)?, text.get(end.checked_add(1)?..)?))
    } else {
        None
    }
}

fn value(text: &str) -> Option<(Scalar<'_>, &str)> {
    if text.starts_with('"') {
        return match plain_text(text) {
            Some((plain, after)) => Some((Scalar::Text(Cow::Borrowed(plain)), after)),
            None => escaped_text(text),
        };
    }
    let end = text.bytes().position(|byte| matches!(byte, b',' | b'}'))?;
    let (token, after) = (text.get(..end)?, text.get(end..)?);
    let is_number = token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    // A number that JSON would not take (`01`, `1.`) is for the full parser to decline.
    let is_odd =
        token.starts_with('0') && token.len() > 1 && !token.starts_with("0.") || token.ends_with('.');
    if !is_number || is_odd || token.starts_with(['-', '.']) {
        return None;
    }
    let scalar = match token.parse() {
        Ok(whole) => Scalar::Whole(whole),
        Err(_) => Scalar::Real(token.parse().ok()?),
    };
    Some((scalar, after))
}

/// Text with the escapes that class names and URLs have; any other is for the full parser.
fn escaped_text(text: &str) -> Option<(Scalar<'_>, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut plain = String::with_capacity(memchr(b',', rest.as_bytes()).unwrap_or(0));
    loop {
        let end = memchr2(b'"', b'\\', rest.as_bytes())?;
        plain.push_str(rest.get(..end)?);
        let mark = rest.get(end..)?;
        if let Some(after) = mark.strip_prefix('"') {
            return Some((Scalar::Text(Cow::Owned(plain)), after));
        }
        let escaped = mark.get(1..)?;
        plain.push(match escaped.as_bytes().first()? {
            b'\\' => '\\',
            b'/' => '/',
            b'"' => '"',
            _ => return None,
        });
        rest = escaped.get(1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::systems::json::Document;

    /// Both ways must say the same of whatever the quick one takes.
    #[track_caller]
    fn check(line: &str, is_taken: bool) {
        let quick = read(line);
        assert_eq!(quick.is_some(), is_taken, "{line}");
        if let Some(quick) = quick {
            let full: Document<'_> = serde_json::from_str(line).expect("JSON, as the quick way found");
            assert_eq!(quick, Record::from(&full), "{line}");
        }
    }

    #[test]
    fn a_workers_line_is_taken_and_read_as_the_full_parser_does() {
        check(
            r#"{"level":"info","id":"Xto3","uuid":"5-9","connection":"redis","queue":"default","job":"App\\Jobs\\X","status":"starting","attempts":1,"timestamp":"2026-11-23T16:49:31.571114+00:00"}"#,
            true,
        );
        check(
            r#"{"level":"info","id":17,"job":"X","status":"success","result":"deleted","attempts":12,"duration":0.029338}"#,
            true,
        );
        check(
            r#"{"level":"warning","queue":"https:\/\/sqs\/1\/q","message":"say \"no\"","duration":3}"#,
            true,
        );
        check(r#"{"level":"info","job":"\\"}"#, true);
        check(r#"{"level":"","job":""}"#, true);
    }

    #[test]
    fn what_is_not_flat_or_not_plain_is_left_to_the_full_parser() {
        check(r#"{"level":"info","job":"caf\u00e9"}"#, false);
        check(r#"{"level":"info","job":"a\nb"}"#, false);
        check(r#"{"level":"info", "job":"X"}"#, false);
        check(r#"{"level":"info","job":["X"]}"#, false);
        check(r#"{"level":"info","job":{"a":1}}"#, false);
        check(r#"{"level":"info","job":null}"#, false);
        check(r#"{"level":"info","job":"X","job":"Y"}"#, false);
        check(r#"{"level":"info","level_name":"INFO","message":"x"}"#, false);
        check(r#"{"level":"info","attempts":01}"#, false);
        check(r#"{"level":"info","attempts":1.}"#, false);
        check(r#"{"level":"info","attempts":1-2}"#, false);
        check(r#"{"level":"info","attempts":1e3}"#, false);
        check(r#"{"level":"info","log":"X","stream":"stdout"}"#, false);
        check(r#"{"level":"info"} "#, false);
        check(r#"{"level":"info""#, false);
        check(r#"{"level":"info","job":"X"#, false);
        check(r#"{}"#, false);
        check("", false);
    }
}

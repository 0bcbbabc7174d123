//! The quick way through JSON as PHP's `json_encode` writes it: one flat object, no spaces, no nesting. A worker's line is
//! one, and so is the context of `Job queued`. Whatever is not exactly that is left to the full parser, which decides
//! alike.
//!
//! A job of a busy queue prints three such objects, so this is the path that most lines of jobs run through.

use std::borrow::Cow;

use super::json::{Document, Scalar};
use super::worker_json::Record;
use crate::domain::quoted::{plain_escape, plain_run};

/// Reads a worker's line, or leaves it to the full parser.
pub(super) fn read(line: &str) -> Option<Record<'_>> {
    let mut record = Record::default();
    let rest = object(line, |key, value| {
        if value == Scalar::Absent {
            return None;
        }
        if let Some(field) = field(&mut record, key) {
            // A key that stands twice is for the full parser to decline.
            return (std::mem::replace(field, value) == Scalar::Absent).then_some(());
        }
        // Another form's key, or one that nobody knows.
        matches!(key, "level" | "timestamp").then_some(())
    })?;
    rest.is_empty().then_some(record)
}

/// Reads the context that a text begins with, or leaves it to the full parser.
pub(super) fn context(text: &str) -> Option<Document<'_>> {
    let mut fields = Vec::with_capacity(CONTEXT_KEYS);
    let rest = object(text, |key, value| {
        fields.push((key, value));
        // It may be a list, and is asked for as it is written.
        (key != "queues").then_some(())
    })?;
    // JSON has no control byte as it is; the text may hold one all the same.
    let read = text.get(..text.len().saturating_sub(rest.len()))?;
    let is_json = read.bytes().fold(true, |is_json, byte| is_json & (byte >= b' '));
    is_json.then(|| Document::of_scalars(fields))
}

/// Keys of the context that queuewatch's package writes.
const CONTEXT_KEYS: usize = 8;

/// Hands out an object's members, and answers what stands behind it; `None` where `take` has no use for one.
fn object<'a>(text: &'a str, mut take: impl FnMut(&'a str, Scalar<'a>) -> Option<()>) -> Option<&'a str> {
    let mut rest = text.strip_prefix('{')?;
    loop {
        let (key, after) = plain_text(rest)?;
        let (value, after) = value(after.strip_prefix(':')?)?;
        take(key, value)?;
        match after.as_bytes().first()? {
            b',' => rest = after.get(1..)?,
            b'}' => return after.get(1..),
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
    let (plain, rest) = text.split_at_checked(plain_run(text.as_bytes()))?;
    Some((plain, rest.strip_prefix('"')?))
}

fn value(text: &str) -> Option<(Scalar<'_>, &str)> {
    if text.starts_with('"') {
        return match plain_text(text) {
            Some((plain, after)) => Some((Scalar::Text(Cow::Borrowed(plain)), after)),
            None => escaped_text(text),
        };
    }
    if let Some(after) = text.strip_prefix("null") {
        return Some((Scalar::Absent, after));
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
        // Too large for us; what that is taken for is the full parser's to say.
        Err(_) if token.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Err(_) => Scalar::Real(token.parse().ok()?),
    };
    Some((scalar, after))
}

/// Text with escapes of one letter; any other is for the full parser.
fn escaped_text(text: &str) -> Option<(Scalar<'_>, &str)> {
    /// Bytes of a class's name, mostly.
    const NAME_BYTES: usize = 48;
    let mut rest = text.strip_prefix('"')?;
    let mut plain = String::with_capacity(NAME_BYTES);
    loop {
        let (run, mark) = rest.split_at_checked(plain_run(rest.as_bytes()))?;
        plain.push_str(run);
        if let Some(after) = mark.strip_prefix('"') {
            return Some((Scalar::Text(Cow::Owned(plain)), after));
        }
        let escaped = mark.get(1..)?;
        plain.push(char::from(plain_escape(*escaped.as_bytes().first()?)?));
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
        check(r#"{"level":"info","job":"a\nb"}"#, true);
    }

    #[test]
    fn what_is_not_flat_or_not_plain_is_left_to_the_full_parser() {
        check(r#"{"level":"info","job":"caf\u00e9"}"#, false);
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
    #[track_caller]
    fn check_context(text: &str, is_taken: bool) {
        const KEYS: [&str; 8] = ["id", "uuid", "job", "queue", "delay", "connection", "timeout", "class"];
        let quick = context(text);
        assert_eq!(quick.is_some(), is_taken, "{text}");
        let Some(quick) = quick else { return };
        let full = serde_json::Deserializer::from_str(text).into_iter::<Document<'_>>().next();
        let full = full.expect("a value").expect("JSON, as the quick way found");
        for key in KEYS {
            assert_eq!(quick.has(key), full.has(key), "{key} of {text}");
            assert_eq!(quick.scalar(key), full.scalar(key), "{key} of {text}");
        }
    }

    #[test]
    fn a_context_is_taken_and_read_as_the_full_parser_does() {
        check_context(
            r#"{"job":"App\\Jobs\\X","queue":"default","id":"h","uuid":"5-9","delay":null} "#,
            true,
        );
        check_context(r#"{"id":17,"delay":90,"timeout":1.5} {"url":"\/"}"#, true);
        check_context(r#"{"id":"a","id":"b","delay":null,"delay":3}"#, true);
        check_context("{\"id\":\"a\tb\"}", false);
        check_context(r#"{"id":"a","queues":["x"]}"#, false);
        check_context(r#"{"id":"a","queues":"x"}"#, false);
        check_context(r#"{"id":true}"#, false);
        check_context(r#"{"id":nullx}"#, false);
        check_context(r#"{"id": "a"}"#, false);
        check_context(r#"{"id":"a""#, false);
        check_context("{}", false);
    }

    /// Lines put together from pieces that objects are made of, by a seed: where both ways take one, they say the same,
    /// and the quick one takes none that is no JSON.
    #[test]
    fn both_ways_agree_on_whatever_is_put_together() {
        const PIECES: [&str; 30] = [
            "{",
            "}",
            "\"",
            "\":\"",
            "\",\"",
            "\":",
            ",\"",
            "id",
            "job",
            "status",
            "level",
            "delay",
            "App\\\\Jobs",
            "\\/",
            "\\n",
            "\\u00e9",
            "é",
            "17",
            "0.5",
            "01",
            "-1",
            "1.",
            "1e3",
            "null",
            "true",
            "[",
            "]",
            " ",
            "\\",
            "starting",
        ];
        let mut seed = 0x51_u64;
        let mut below = |count: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % count
        };
        let mut taken = 0;
        for _ in 0..60_000 {
            let mut line = String::from("{\"");
            for _ in 0..below(4) {
                line.push_str(
                    ["id\":\"a\",\"", "job\":\"App\\\\X\",\"", "delay\":null,\"", "attempts\":2,\""]
                        [below(4)],
                );
            }
            (0..below(9)).for_each(|_| line.push_str(PIECES[below(PIECES.len())]));
            line.push_str(["\"}", "}", "1}", ""][below(4)]);
            for (is_whole, quick) in [(true, read(&line).is_some()), (false, context(&line).is_some())] {
                let first = serde_json::Deserializer::from_str(&line).into_iter::<Document<'_>>().next();
                let is_json = matches!(first, Some(Ok(_)));
                assert!(!quick || is_json, "{line} is no JSON");
                assert!(!quick || !is_whole || serde_json::from_str::<Document<'_>>(&line).is_ok(), "{line}");
                taken += usize::from(quick);
            }
            if let Some(quick) = read(&line) {
                let full: Document<'_> = serde_json::from_str(&line).unwrap();
                assert_eq!(quick, Record::from(&full), "{line}");
            }
            if context(&line).is_some() {
                check_context(&line, true);
            }
        }
        assert!(taken > 500, "{taken} of them are read the quick way");
    }
}

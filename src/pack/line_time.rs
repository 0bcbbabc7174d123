//! The time that a line itself carries, for logs that were saved without CloudWatch's.
//!
//! Only a line's own head counts, never a time in the middle of its text. Whose a time without an offset is, the line
//! does not say, and nothing here guesses it.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::domain::job::Timestamp;

/// A time as a line prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTime {
    /// With its offset.
    At(Timestamp),
    /// Without one: of whatever time zone the program was in.
    Local(DateTime),
}

impl LineTime {
    /// The moment, where local times are of this zone. An hour that a zone has twice is the first of the two.
    #[must_use]
    pub fn within(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::Local(time) => zone.to_timestamp(time).ok().map(moment),
        }
    }
}

fn moment(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_ms(time.as_millisecond())
}

/// Reads a line's own time: `[YYYY-mm-dd HH:MM:SS]`, the worker's `  YYYY-mm-dd HH:MM:SS`, a JSON line's
/// `timestamp` or `datetime`, or an access line's `[06/Dec/2025:12:31:10 +0900]`.
#[must_use]
pub fn line_time(line: &str) -> Option<LineTime> {
    let head = plain_head(line);
    if head.starts_with('{') {
        json_time(head)
    } else {
        head_time(head.strip_prefix('[').unwrap_or(head)).or_else(|| access_time(head))
    }
}

/// The line without leading spaces and colours: workers on a terminal print `  ESC[90m2025-…`.
fn plain_head(line: &str) -> &str {
    let mut head = line.trim_start();
    while let Some((codes, rest)) = head.strip_prefix("\u{1b}[").and_then(|escape| escape.split_once('m')) {
        if !codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') {
            break;
        }
        head = rest.trim_start();
    }
    head
}

/// `2025-12-06 12:31:10`, `2025-12-06T12:31:10.123456+00:00`, `2025-12-06T12:31:10Z` at the start, and then
/// something else.
fn head_time(text: &str) -> Option<LineTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix([' ', 'T'])?;
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | '+' | '-' | 'Z');
    let end = rest.find(|c| !is_time(c)).unwrap_or(rest.len());
    let (time, after) = rest.split_at(end);
    if after.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    // Python prints its milliseconds after a comma.
    written_time(&format!("{date}T{}", time.replace(',', ".")))
}

/// A whole text as a time: RFC 3339, or without an offset.
fn written_time(text: &str) -> Option<LineTime> {
    // A civil time may also be a bare date, which would stamp a line with midnight.
    if text.len() < "2025-12-06T12:31:10".len() {
        return None;
    }
    let with_offset = text.parse().ok().map(moment).map(LineTime::At);
    with_offset.or_else(|| text.parse().ok().map(LineTime::Local))
}

fn json_time(line: &str) -> Option<LineTime> {
    #[derive(Deserialize)]
    struct Line {
        timestamp: Option<serde_json::Value>,
        datetime: Option<serde_json::Value>,
    }
    let line: Line = serde_json::from_str(line).ok()?;
    let time = |value: Option<serde_json::Value>| written_time(value?.as_str()?);
    time(line.timestamp).or_else(|| time(line.datetime))
}

/// Apache's and nginx's: the first bracket, before any quoted request.
/// <https://httpd.apache.org/docs/2.4/logs.html#accesslog>
fn access_time(line: &str) -> Option<LineTime> {
    let before_request = line.split('"').next()?;
    let (_, bracket) = before_request.split_once('[')?;
    let (time, _) = bracket.split_once(']')?;
    strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).ok()?.to_timestamp().ok().map(moment).map(LineTime::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let at = line_time(line).and_then(|time| time.within(&TimeZone::UTC));
        assert_eq!(at.map(|at| at.to_string()).as_deref(), Some(expected), "{line:?}");
    }

    #[track_caller]
    fn check_none(line: &str) {
        assert_eq!(line_time(line), None, "{line:?}");
    }

    #[test]
    fn a_bracketed_time_is_read() {
        check("[2025-12-06 12:00:01] Starting queue worker", "2025-12-06T12:00:01.000Z");
        check("[2025-12-06 12:00:01][hGTusZ] Processing: App\\Jobs\\X", "2025-12-06T12:00:01.000Z");
        check("[2025-12-06T12:31:10.123456+00:00] production.INFO: x", "2025-12-06T12:31:10.123Z");
        check("[2025-12-06T21:31:10+09:00] messenger.INFO: x", "2025-12-06T12:31:10.000Z");
        check("[2025-12-06 12:31:10,250] [PID 12] x", "2025-12-06T12:31:10.250Z");
    }

    #[test]
    fn a_workers_time_is_read_with_and_without_colours() {
        check("  2025-12-06 12:40:36 App\\Jobs\\X .... RUNNING", "2025-12-06T12:40:36.000Z");
        check("  \u{1b}[90m2025-12-06 12:40:36\u{1b}[39m App\\Jobs\\X", "2025-12-06T12:40:36.000Z");
        check("2025-12-06T12:40:36.614Z pid=1 tid=2 INFO: start", "2025-12-06T12:40:36.614Z");
        check("  2025-12-06 12:40:36", "2025-12-06T12:40:36.000Z");
    }

    #[test]
    fn a_json_lines_time_is_read() {
        check(
            r#"{"level":"info","timestamp":"2026-11-23T16:51:20.872336+00:00"}"#,
            "2026-11-23T16:51:20.872Z",
        );
        check(r#"{"message":"x","datetime":"2026-11-23T16:51:21.009908+09:00"}"#, "2026-11-23T07:51:21.009Z");
        check(r#"{"datetime":"2026-11-23 16:51:21"}"#, "2026-11-23T16:51:21.000Z");
        check(r#"{"timestamp":17,"datetime":"2026-11-23T16:51:21Z"}"#, "2026-11-23T16:51:21.000Z");
    }

    #[test]
    fn an_access_lines_time_is_read() {
        let line = |time: &str| format!("10.0.1.7 - bob [{time}] \"POST /avatars HTTP/1.1\" 302 412");
        check(&line("06/Dec/2025:12:31:10 +0900"), "2025-12-06T03:31:10.000Z");
        check(&line("06/Dec/2025:12:31:10 -0130"), "2025-12-06T14:01:10.000Z");
    }

    #[test]
    fn a_time_without_an_offset_is_of_whatever_zone_is_named() {
        let tokyo = TimeZone::get("Asia/Tokyo").expect("a zone");
        let at = |line: &str| line_time(line).and_then(|time| time.within(&tokyo)).map(|at| at.to_string());
        assert_eq!(at("[2025-12-06 21:31:10] x").as_deref(), Some("2025-12-06T12:31:10.000Z"));
        assert_eq!(at("2025-12-06T12:31:10Z x").as_deref(), Some("2025-12-06T12:31:10.000Z"));
    }

    #[test]
    fn anything_else_has_no_time() {
        for line in [
            "",
            "#0 {main}",
            "[Entrypoint] Step 5: Starting Laravel Queue Worker in background...",
            "[2025-12-06] midnight",
            "2025-12-06",
            "2025-12-06 12:31 x",
            "2025-12-06 12:31:10abc",
            "2025-13-06 12:31:10 x",
            "2025-12-06 25:31:10 x",
            "job 2025-12-06 12:31:10 x",
            "20251206 12:31:10 x",
            "ééééé é 12:31:10",
            r#"{"timestamp":"yesterday"}"#,
            r#"{"context":{"timestamp":"2026-11-23T16:51:21Z"}}"#,
            r#"{"timestamp":1765024270000}"#,
            r#"{"timestamp":"2026-11-23"}"#,
            r#"{"timestamp":"2026-11-23T16:51:21Z"#,
            "GET \"[06/Dec/2025:12:31:10 +0900]\"",
            "10.0.1.7 - - [06/Foo/2025:12:31:10 +0900] x",
            "10.0.1.7 - - [06/Dec/2025:12:31:10] x",
            "\u{1b}[90",
        ] {
            check_none(line);
        }
    }
}

//! Records in a line format of the app's own: `2026-03-02 09:00:16 [INFO] Job queued {…}`, `[…][req-9f] shop.INFO: …`.
//!
//! Monolog's `LineFormatter` takes any format, and apps leave out the channel, add a request's id, or take the brackets
//! off the time. Such a record is known by what stands at its end: a context that is JSON, behind a message that says
//! exactly what [`queued`] knows, or with an exception as Monolog prints it. Before the message stand a time, a level
//! and short labels, and no quote: text that quotes a record has one.

use std::sync::LazyLock;

use memchr::memmem;
use serde::de::IgnoredAny;

use super::monolog::{self, EXCEPTION, Head};
use super::queued;
use super::sighting::Sighting;
use super::stamp;

/// How a context begins.
static CONTEXT: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b" {\""));
/// How an exception in one does.
static PRINTED: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(EXCEPTION));

/// What stands before a message: a time, a level, a host, a request.
const HEAD_BYTES_MAX: usize = 160;

/// Reads an enqueue, or what a worker tells of itself.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    // The gate: most lines have no context.
    let context = CONTEXT.find(line.as_bytes())?;
    let before = line.get(..context)?.trim_end_matches([' ', '|', '-']);
    let message = queued::MESSAGES.iter().find(|message| before.ends_with(**message))?;
    let (head, _) = before.split_at_checked(before.len().checked_sub(message.len())?)?;
    let context = line.get(context..)?;
    let mut values = serde_json::Deserializer::from_str(context).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let behind = context.get(values.byte_offset()..)?.trim();
    let is_over = behind.is_empty() || (behind.starts_with(['{', '[']) && behind.ends_with(['}', ']']));
    if !is_over || !is_head(head) {
        return None;
    }
    let body = line.get(head.len()..)?;
    let seen = queued::read_line(body)?;
    // Nothing but the message shows that it is a record: it must tell of a queued job as the package's does.
    let is_certain = !head.is_empty() || (seen.class.is_some() && (seen.id.is_some() || seen.uuid.is_some()));
    let channel = level_of(head).and_then(|(channel, _)| channel);
    is_certain.then(|| Sighting { channel: channel.map(Into::into), ..seen })
}

/// The minute that a record prints, where a time and a level begin the line.
pub(super) fn minute(line: &str) -> Option<&str> {
    const MINUTE_BYTES: usize = "2026-03-02 09:00".len();
    let time = line.strip_prefix('[').unwrap_or(line);
    stamp::skip(time)?;
    let head = line.get(..line.floor_char_boundary(HEAD_BYTES_MAX))?;
    let head = head.split_once(" {").map_or(head, |(head, _)| head);
    level_of(head).and_then(|_| time.get(..MINUTE_BYTES))
}

/// The parts of an error's first line, where its context has an exception.
pub(super) fn error(line: &str) -> Option<Head<'_>> {
    // The gate: most lines have no exception.
    if !line.starts_with(|c: char| c == '[' || c.is_ascii_digit()) {
        return None;
    }
    let before = line.get(..PRINTED.find(line.as_bytes())?)?;
    let head = before.get(..before.len().min(HEAD_BYTES_MAX)).unwrap_or(before);
    // The message may say anything; the level is the first word that can be one.
    let mut start = 0_usize;
    for word in head.split_inclusive(' ') {
        let end = start.saturating_add(word.len());
        if let Some((channel, level)) = level_of(word) {
            let is_labels = !line.get(..start)?.contains(['"', '{']);
            let stamp = line.trim_start_matches('[').get(..19)?;
            let head = Head { stamp, channel: channel.unwrap_or_default(), level, body: line.get(end..)? };
            return (is_labels && monolog::is_error_level(level)).then_some(head);
        }
        start = end;
    }
    None
}

/// Whether a text can stand before a message: nothing at all, a time, or labels with a level among them.
fn is_head(head: &str) -> bool {
    let is_short = head.len() <= HEAD_BYTES_MAX && !head.contains(['"', '{', '`', '\'']);
    let is_time = || head.bytes().all(|b| b.is_ascii_digit() || b" -:.+/,[]TZ".contains(&b));
    is_short && (is_time() || level_of(head).is_some())
}

/// The channel and the level of a head: `shop.INFO:`, `[INFO]`, `INFO`.
fn level_of(head: &str) -> Option<(Option<&str>, &str)> {
    let words =
        head.split([' ', '\t']).map(|word| word.trim_matches(['[', ']', ':', '|', '(', ')', '<', '>']));
    words.filter(|word| !word.is_empty()).find_map(|word| {
        let (channel, level) = match word.rsplit_once('.') {
            Some((channel, level)) => (Some(channel), level),
            None => (None, word),
        };
        let is_channel = channel.is_none_or(monolog::is_channel);
        (is_channel && monolog::LEVELS.contains(&level)).then_some((channel, level))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = r#"{"id":"a1","job":"App\\Jobs\\X","queue":"default"}"#;

    #[track_caller]
    fn check(head: &str, channel: Option<&str>) {
        let line = format!("{head}Job queued {JOB}");
        let seen = read(&line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((seen.id.as_deref(), seen.channel.as_deref()), (Some("a1"), channel), "{line}");
    }

    #[track_caller]
    fn check_none(line: &str) {
        assert_eq!(read(line), None, "{line}");
    }

    #[test]
    fn a_record_is_known_by_its_end_whatever_stands_before_it() {
        check("", None);
        check("2026-03-02 09:00:16 ", None);
        check("[2026-03-02 09:00:16] INFO: ", None);
        check("[2026-03-02 09:00:16] [production] [INFO] ", None);
        check("[2026-03-02 09:00:16][a1b2c3] shop.INFO: ", Some("shop"));
        check("2026-03-02T09:00:16.1+00:00 shop.INFO: ", Some("shop"));
        check("[2026-03-02 09:00:16] shop.INFO (web-1): ", Some("shop"));
        check("[1772442016] shop.INFO ", Some("shop"));
        check("INFO: ", None);
        let line = format!("INFO: Job queued | {JOB} []");
        assert!(read(&line).is_some(), "{line}");
    }

    #[test]
    fn a_time_and_a_level_begin_a_record() {
        assert_eq!(minute("[2026-03-02 09:00:16] INFO: x"), Some("2026-03-02 09:00"));
        assert_eq!(minute("2026-03-02 09:00:16 [web-1] shop.INFO: x"), Some("2026-03-02 09:00"));
        assert_eq!(minute("[2026-03-02 09:00:16] x"), None);
        assert_eq!(minute("#0 /x.php(1): f()"), None);
    }

    #[test]
    fn prose_and_quotations_are_declined() {
        check_none(&format!("the worker said Job queued {JOB}"));
        check_none(&format!("INFO: it said \"Job queued {JOB}\""));
        check_none(&format!("INFO: Job queued {JOB} and more"));
        check_none("Job queued {\"queue\":\"default\"}");
        check_none("Job queued {\"id\":\"1\"}");
        check_none("INFO: Job queued");
    }

    #[test]
    fn an_error_with_an_exception_is_a_records_head() {
        let exception = r#"{"exception":"[object] (RedisException(code: 0): gone at /x.php:1)"#;
        for (before, channel) in [
            ("[2026-03-02 09:00:16] ERROR: gone ", ""),
            ("[2026-03-02 09:00:16] [web-1] shop.ERROR: gone ", "shop"),
            ("2026-03-02 09:00:16 [CRITICAL] gone ", ""),
        ] {
            let line = format!("{before}{exception}");
            let head = error(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((head.channel, head.message(), head.stamp), (channel, "gone", "2026-03-02 09:00:16"));
        }
        for before in ["[2026-03-02 09:00:16] INFO: gone ", "[2026-03-02 09:00:16] gone ", "gone ERROR "] {
            assert_eq!(error(&format!("{before}{exception}")), None, "{before}");
        }
    }
}

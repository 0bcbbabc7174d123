//! The head of a Monolog record in line form: `[time] channel.LEVEL: message {context} `.
//!
//! It only finds the parts. A record may go on over many lines; [`Head::is_open`] tells when its message does.

/// The first line of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head<'a> {
    /// The time, as printed.
    pub(super) stamp: &'a str,
    /// The channel: the environment's name, or what the app calls its log.
    pub(super) channel: &'a str,
    /// The level, as printed.
    pub(super) level: &'a str,
    /// Message, context and extra.
    pub(super) body: &'a str,
}

/// Monolog's levels.
pub(super) const LEVELS: [&str; 8] =
    ["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

/// The longest stamp, `2025-12-06T12:00:00.123456+00:00`, with room to spare.
const STAMP_BYTES_MAX: usize = 40;

/// The mark of an exception in a context, whatever keys stand before it (Laravel adds `userId`).
pub(super) const EXCEPTION: &str = "\"exception\":\"[object] (";

/// Finds the parts of a head, or declines.
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    let line = line.strip_prefix('[')?;
    let end = line.bytes().take(STAMP_BYTES_MAX.wrapping_add(1)).position(|byte| byte == b']')?;
    let (stamp, rest) = (line.get(..end)?, line.get(end.wrapping_add(1)..)?);
    let rest = rest.strip_prefix(' ')?;
    let is_stamp = stamp.starts_with(|c: char| c.is_ascii_digit())
        && stamp.bytes().all(|b| b.is_ascii_alphanumeric() || b" -:.+/,".contains(&b))
        && stamp.contains(':');
    let (channel, body) = rest.split_once(':')?;
    let body = if body.is_empty() { body } else { body.strip_prefix(' ')? };
    let (name, level) = channel.rsplit_once('.')?;
    let is_level = LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
    (is_stamp && is_channel(name) && is_level).then_some(Head { stamp, channel: name, level, body })
}

/// Whether a channel's name can be one: an app's name (`My App`) or its environment's, never a sentence.
pub(super) fn is_channel(name: &str) -> bool {
    const CHANNEL_BYTES_MAX: usize = 40;
    !name.is_empty() && name.len() <= CHANNEL_BYTES_MAX && !name.contains(['[', ']', '{', '"'])
}

/// Whether a level reports a failure.
pub(super) fn is_error_level(level: &str) -> bool {
    ["ERROR", "CRITICAL", "ALERT", "EMERGENCY", "FATAL"].iter().any(|error| error.eq_ignore_ascii_case(level))
}

impl<'a> Head<'a> {
    /// The message, as far as this line has it.
    pub(super) fn message(&self) -> &'a str {
        let end = self.body.find(" {\"").unwrap_or(self.body.len());
        self.body.get(..end).unwrap_or_default()
    }

    /// The exception in an error's context: `RedisException(code: 0): Connection refused at …`.
    pub(super) fn exception(&self) -> Option<&'a str> {
        if is_error_level(self.level) { exception(self.body) } else { None }
    }

    /// Whether the record's message, or its exception's, goes on in the next line.
    ///
    /// A complete record ends with a space: Monolog's, before the place of the empty `extra`. Where a shipper
    /// trims it, a context's bracket stands last, and a record without context looks open; so what follows an
    /// open head is only ever *provisional*.
    pub(super) fn is_open(&self) -> bool {
        match self.exception() {
            Some(exception) => !is_closed_exception(exception),
            None => !self.body.ends_with([' ', '}', ']']),
        }
    }
}

/// The text after the mark of an exception.
pub(super) fn exception(text: &str) -> Option<&str> {
    let (_, exception) = text.split_once(EXCEPTION)?;
    Some(exception)
}

/// Whether an exception's first line is over: ` at /path:9)` ends it, or the whole record ends here.
fn is_closed_exception(exception: &str) -> bool {
    ends_with_place(exception) || exception.trim_end().ends_with("\"}")
}

/// Whether a line ends like ` at /var/www/html/app/Jobs/X.php:9)`.
pub(super) fn ends_with_place(line: &str) -> bool {
    let Some((before, number)) = line.strip_suffix(')').and_then(|l| l.rsplit_once(':')) else {
        return false;
    };
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && before.contains(" at ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &str)>) {
        assert_eq!(head(line).map(|h| (h.level, h.message())), expected, "{line}");
    }

    #[test]
    fn a_head_has_a_stamp_a_channel_and_a_level() {
        let job = r#"[2026-11-23 16:49:31] production.INFO: Job queued {"id":"h"} "#;
        check(job, Some(("INFO", "Job queued")));
        check("[2026-11-23T16:49:31.5+00:00] local.ERROR: a: b", Some(("ERROR", "a: b")));
        check("[2026-11-23 16:49:31] my-app.queue.CRITICAL: x  ", Some(("CRITICAL", "x  ")));
        check("[2026-11-23 16:49:31] production.ERROR: ", Some(("ERROR", "")));
        check("[2026-11-23 16:49:31] production.info: x", Some(("info", "x")));
        check("[2026-11-23 16:49:31] My App.INFO: x", Some(("INFO", "x")));
        check("[23-Nov-2026 16:49:31 UTC] production.INFO: x", Some(("INFO", "x")));
        check("[2026-11-23 16:49:31 JST] production.INFO: x", Some(("INFO", "x")));
        check("[2026-11-23 16:49:31] Processing: X.INFO: y", None);
        check("[Entrypoint] production.INFO: x", None);
        check("[2026-11-23 16:49:31][id] production.INFO: x", None);
        check(" [2026-11-23 16:49:31] production.INFO: x", None);
        check("[2026-11-23 16:49:31] INFO: x", None);
    }

    #[track_caller]
    fn check_open(body: &str, expected: bool) {
        let line = format!("[2026-11-23 16:49:31] production.ERROR: {body}");
        assert_eq!(head(&line).map(|h| h.is_open()), Some(expected), "{body}");
    }

    #[test]
    fn a_record_is_open_until_its_message_ends() {
        check_open("first line", true);
        check_open(r#"first {"exception":"[object] (RuntimeException(code: 0): first"#, true);
        check_open(r#"m {"exception":"[object] (RuntimeException(code: 0): m at /app/X.php:9)"#, false);
        check_open(r#"m {"userId":1,"exception":"[object] (E(code: 0): m at /app/X.php:9)"#, false);
        check_open(r#"m {"exception":"[object] (E(code: 0): m at /app/X.php:9)"} "#, false);
        check_open("message  ", false);
        check_open(r#"message {"a":1} "#, false);
        check_open(r#"message {"a":1}"#, false);
    }

    #[test]
    fn a_place_ends_a_line() {
        assert!(ends_with_place("third at /var/www/html/app/Jobs/MultilineFail.php:9)"));
        assert!(!ends_with_place("third at noon)"));
        assert!(!ends_with_place("third (1:9)"));
    }
}

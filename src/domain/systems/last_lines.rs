//! The last lines of a stream that tell of trouble in words that no form knows: `sh: php: not found`, `exec format error`.
//!
//! A worker that does not start says why in its wrapper's words, and there are more wrappers than forms. Such a line is
//! no observation; it is quoted where the stream is known to be a worker's. It refuses what is said of requests, frames
//! of traces and records of the app below an error: those are about the app.

use std::sync::{Arc, LazyLock};

use memchr::memmem;
use regex::Regex;

use crate::domain::job::Timestamp;
use crate::domain::redact::constant;

use super::sighting::cut;

/// Lines kept of one payload: a shell's complaint and the program's own.
const LINES_MAX: usize = 3;
/// Letters looked at of each: what is wrong stands at a line's beginning.
const BYTES_MAX: usize = 300;

/// Words of trouble: every line that no form knows is looked through for them, once.
static TROUBLE: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        "(?i)error|fatal|fail|not found|no such|denied|cannot|can't|could not|couldn't|unable|killed|exception|refused\
         |panic|gave up|already running|not defined|does not exist|terminat|abort|exited|not permitted|out of memory\
         |timed out|unstable restarts|wrongpass|noauth|readonly|went away|invalid|unauthorized|undefined|sqlstate",
    )
});

/// The newest lines of trouble of one payload, oldest first.
#[derive(Debug, Default)]
pub(super) struct LastLines(Vec<(Timestamp, String)>);

impl LastLines {
    /// Notes a line that no form knows, if it tells of trouble.
    pub(super) fn note(&mut self, at: Timestamp, line: &str) {
        if !is_trouble(line) {
            return;
        }
        // The oldest one's memory is used again.
        let (_, mut text) = if self.0.len() < LINES_MAX { Default::default() } else { self.0.remove(0) };
        text.clear();
        text.push_str(line.trim());
        self.0.push((at, text));
    }

    /// The lines without secrets, each said once.
    pub(super) fn into_lines(self) -> Vec<(Timestamp, Arc<str>)> {
        let mut lines: Vec<(Timestamp, Arc<str>)> =
            self.0.into_iter().map(|(at, text)| (at, cut(&text))).collect();
        lines.dedup_by(|later, earlier| later.1 == earlier.1);
        lines
    }
}

fn is_trouble(line: &str) -> bool {
    let beginning = line.as_bytes().get(..line.len().min(BYTES_MAX)).unwrap_or_default();
    let has = |word: &str| memmem::find(beginning, word.as_bytes()).is_some();
    let is_record = match beginning.first() {
        None | Some(b'#' | b'{' | b'"' | b'<') => return false,
        Some(b'[') => beginning.get(1).is_some_and(u8::is_ascii_digit),
        Some(_) => false,
    };
    if (is_record && !has(".ERROR: ") && !has(".CRITICAL: ") && !has(".EMERGENCY: ")) || has(" HTTP/") {
        return false;
    }
    TROUBLE.is_match(line.get(..line.floor_char_boundary(BYTES_MAX)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[&str]) {
        let mut last = LastLines::default();
        for (line, ms) in lines.iter().zip(0..) {
            last.note(Timestamp::from_ms(ms), line);
        }
        let got: Vec<String> = last.into_lines().into_iter().map(|(_, text)| text.to_string()).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn lines_of_trouble_are_kept_the_newest_three() {
        check(&["/start.sh: line 3: php: command not found"], &["/start.sh: line 3: php: command not found"]);
        check(
            &["exec /usr/local/bin/php: exec format error"],
            &["exec /usr/local/bin/php: exec format error"],
        );
        check(&["error 1", "error 2", "error 3", "error 4"], &["error 2", "error 3", "error 4"]);
        check(&["error a", "error a", "x"], &["error a"]);
    }

    #[test]
    fn what_is_about_the_app_is_left_out() {
        check(&["[2026-03-02 09:00:00] production.INFO: retry failed once"], &[]);
        check(
            &["[2026-03-02 09:00:00] production.ERROR: gone  "],
            &["[2026-03-02 09:00:00] production.ERROR: gone"],
        );
        check(
            &[
                r#"10.0.0.1 - - "GET /errors HTTP/1.1" 200"#,
                "#3 /v/Error.php(1): fail()",
                r#"{"error":1}"#,
                "",
            ],
            &[],
        );
        check(&["Everything is fine"], &[]);
    }

    #[test]
    fn secrets_are_not_quoted() {
        check(&["error: password=hunter2000 refused"], &["error: password=(redacted) refused"]);
    }
}

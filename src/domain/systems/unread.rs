//! Lines that say nothing: how many, of which shapes, and which of them nearly were a worker's or a logger's.
//!
//! It keeps no text: a shape is what is left of a line without its words and numbers, so that no secret is in it.
//! **Invariant:** [`Unread::join`] is commutative and associative: counts are summed, and of the shapes those with the
//! smallest hashes are kept, which are the same whatever the order. It is not idempotent: whoever joins a delivery
//! twice counts it twice.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::domain::line::LineHash;
use crate::domain::redact::constant;

/// Shapes kept of one payload, or of many.
pub const SHAPES_MAX: usize = 16;
/// Lines of one payload whose shape is made: what comes oftener than this has shown its shape by then.
const SHAPED_MAX: u64 = 512;
/// Characters of a shape.
const SHAPE_CHARS_MAX: usize = 72;

/// What was passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unread {
    /// How many lines.
    pub lines_count: u64,
    /// How many of them are of a web server's access log, in which nobody looks for jobs.
    pub access_count: u64,
    /// How many of them nearly said something, by why they do not.
    pub near: BTreeMap<Near, u64>,
    /// How many of each shape, for at most [`SHAPES_MAX`] shapes.
    pub shapes: BTreeMap<String, u64>,
}

/// Why a line that holds a worker's or a logger's words is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Near {
    /// A worker's line, with something in front of it that no known wrapper prints.
    BehindPrefix,
    /// A worker's line, or an enqueue, in a field of a JSON object that is no known wrapper.
    InField,
    /// An enqueue's words in a record that is not written as one.
    EnqueueWords,
    /// A server that prints `unknown error.` instead of the line that the app wrote: Octane with FrankenPHP.
    ServersUnknownError,
}

impl Unread {
    /// Whether nothing was passed over.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines_count == 0
    }

    /// Takes another's counts.
    pub fn join(&mut self, other: &Self) {
        self.lines_count = self.lines_count.saturating_add(other.lines_count);
        self.access_count = self.access_count.saturating_add(other.access_count);
        for (near, count) in &other.near {
            add(&mut self.near, *near, *count);
        }
        for (shape, count) in &other.shapes {
            add(&mut self.shapes, shape.clone(), *count);
        }
        self.limit();
    }

    /// Counts a line.
    pub(super) fn note(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        self.lines_count = self.lines_count.saturating_add(1);
        self.access_count = self.access_count.saturating_add(u64::from(is_access_line(line)));
        if let Some(near) = near(line) {
            add(&mut self.near, near, 1);
        }
        if self.lines_count <= SHAPED_MAX {
            add(&mut self.shapes, shape(line), 1);
            self.limit();
        }
    }

    fn limit(&mut self) {
        let hash = |shape: &str| LineHash::default().with(shape.as_bytes()).finish();
        while self.shapes.len() > SHAPES_MAX {
            let Some(last) = self.shapes.keys().max_by_key(|shape| hash(shape)).cloned() else { return };
            self.shapes.remove(&last);
        }
    }
}

/// Every line that says nothing is looked through for it.
static PROTOCOL: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(" HTTP/"));

/// Whether a line is of an access log in the common or the combined format: `"GET /x HTTP/1.1" 200`.
fn is_access_line(line: &str) -> bool {
    let Some(at) = PROTOCOL.find(line.as_bytes()) else { return false };
    let Some((before, after)) = line.split_at_checked(at) else { return false };
    let status = after.split_once("\" ").map(|(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    before.contains('"') && status == Some(3)
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    let sum = counts.entry(key).or_default();
    *sum = sum.saturating_add(count);
}

/// Words that a worker's line, or an enqueue, has; most lines have none of them, and are looked through once.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r#"Job queued|Processing: |Processed: |Failed:  | RUNNING|s DONE|s FAIL|\\?"status\\?": ?\\?"|ERROR  unknown error\."#,
    )
});

/// A worker's whole line in text: its time and what follows it, as no app writes them of its own accord. An app's own
/// `Processing: order 17`, behind a logger's stamp and level, is none.
static WORKERS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"\[\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^\]]{0,16}\](?:\[[^\]]{0,80}\])? (?:Processing|Processed|Failed): +[\\\w]|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [\\\w]+ .*(?: RUNNING|s DONE|s FAIL)\b",
    )
});

/// Whether a line holds what a worker or a logger prints, and why it is not read.
pub(super) fn near(line: &str) -> Option<Near> {
    let found = WORDS.find(line)?;
    let word = found.as_str();
    if word.starts_with("ERROR") {
        return (line.trim() == word).then_some(Near::ServersUnknownError);
    }
    let holds = |name: &str| {
        [format!("\"{name}\":"), format!("\\\"{name}\\\":")].iter().any(|field| line.contains(field.as_str()))
    };
    let place = if line.starts_with('{') { Near::InField } else { Near::BehindPrefix };
    if word.contains("status") {
        // Builds and batches tell of jobs, too: a worker's record has its connection, or a class with its namespace.
        let is_workers = holds("connection") || line.contains("\\\\");
        return (holds("job") && holds("queue") && is_workers).then_some(place);
    }
    if word == "Job queued" {
        let is_whole = line.starts_with('{') && holds("job") && holds("queue");
        return Some(if is_whole { Near::InField } else { Near::EnqueueWords });
    }
    let workers = WORKERS.find(line)?;
    if workers.as_str().contains(" Running [") {
        // The scheduler's.
        return None;
    }
    (!line.get(..workers.start())?.trim().is_empty()).then_some(place)
}

/// Words that a shape keeps: whose line it is, never what it is about.
const KEPT: [&str; 34] = [
    "ALERT",
    "CRITICAL",
    "CRIT",
    "DEBUG",
    "DONE",
    "EMERGENCY",
    "ERROR",
    "Error",
    "FAIL",
    "Failed",
    "GET",
    "HEAD",
    "HTTP",
    "INFO",
    "Job",
    "LOG",
    "NOTICE",
    "PATCH",
    "PHP",
    "POST",
    "PUT",
    "Processed",
    "Processing",
    "RUNNING",
    "WARN",
    "WARNING",
    "error",
    "exited",
    "info",
    "queued",
    "stderr",
    "stdout",
    "success",
    "warning",
];

/// A line without its words and numbers: `[9-9-9 9:9:9] a.ERROR: a a {"a":"a"}`.
#[must_use]
pub fn shape(line: &str) -> String {
    let mut shape = String::new();
    let mut chars_count = 0_usize;
    let mut rest = line.trim_end();
    let mut last = "";
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let Some((token, after)) = rest.split_at_checked(end) else { break };
        rest = after;
        let token = match token {
            word if word.bytes().all(|b| b.is_ascii_digit()) => "9",
            word if KEPT.contains(&word) => word,
            _ if is_word(first) => "a",
            _ if first.is_control() => " ",
            mark => mark,
        };
        // Runs of words, blanks and dots are one.
        let repeats = token == last && matches!(token, " " | "." | "a" | "=" | "-");
        let is_list = shape.ends_with("a a ") && token == "a";
        if repeats || is_list {
            continue;
        }
        if is_list || (shape.ends_with("a ") && last == " " && token == " ") {
            continue;
        }
        chars_count = chars_count.saturating_add(token.chars().count());
        if chars_count > SHAPE_CHARS_MAX {
            shape.push('…');
            break;
        }
        shape.push_str(token);
        last = token;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_no_word_and_no_number_of_its_line() {
        for (line, expected) in [
            (
                r#"10.0.0.1 - - [02/Mar/2026:09:00:16 +0000] "GET /users/17?token=s3cr3t HTTP/1.1" 200 612"#,
                r#"9.9.9.9 - - [9/a/9:9:9:9 +9] "GET /a/9?a=a HTTP/9.9" 9 9"#,
            ),
            ("The password of bob is hunter2", "a a "),
            ("worker-1 | 2026-03-02 09:00:16 X ..... RUNNING", "a-9 | 9-9-9 9:9:9 a . RUNNING"),
            ("", ""),
        ] {
            assert_eq!(shape(line), expected, "{line}");
        }
        assert!(shape(&"[x]".repeat(100)).chars().count() <= SHAPE_CHARS_MAX + 1);
    }

    #[track_caller]
    fn check(line: &str, expected: Option<Near>) {
        assert_eq!(near(line), expected, "{line}");
    }

    #[test]
    fn what_nearly_is_a_line_says_why_it_is_not() {
        check(r"any thing: [2026-03-02 09:00:16][x] Processing: App\Jobs\X", Some(Near::BehindPrefix));
        check(r#"{"what":"[2026-03-02 09:00:16][x] Processing: App\\Jobs\\X"}"#, Some(Near::InField));
        check(r#"x {"job":"App\\X","queue":"q","status":"success"} y"#, Some(Near::BehindPrefix));
        check(r#"{"job":"build","queue":"ci","status":"failed"}"#, None);
        check("Job queued: 17", Some(Near::EnqueueWords));
        check("   ERROR  unknown error.  ", Some(Near::ServersUnknownError));
        check("Processing: 5 of 10 files", None);
        check(r#"GET / HTTP/1.1" 200 "status":"ok""#, None);
        check("[2026-03-02 09:00:16] production.INFO: Processing: order 17", None);
        check(r#"{"message":"Processing: order 17","level":200}"#, None);
        check("@@ 2026-03-02 09:00:16 Running ['artisan' x] ..... 12ms DONE", None);
        check("@@ 2026-03-02 09:00:16 App\\Jobs\\X ..... RUNNING", Some(Near::BehindPrefix));
        check(
            r#"{"e":"{\"job\":\"X\",\"queue\":\"q\",\"connection\":\"c\",\"status\":\"success\"}"}"#,
            Some(Near::InField),
        );
        check("", None);
    }

    #[track_caller]
    fn check_access(line: &str, expected: bool) {
        let mut unread = Unread::default();
        unread.note(line);
        assert_eq!((unread.lines_count, unread.access_count), (1, u64::from(expected)), "{line}");
    }

    #[test]
    fn access_lines_are_counted_apart() {
        check_access(
            r#"10.0.1.2 - - [02/Mar/2026:03:41:56 +0000] "GET /health HTTP/1.1" 200 229 "-" "ELB""#,
            true,
        );
        check_access(r#"10.0.1.2 -  02/Mar/2026:03:41:56 +0000 "POST /index.php HTTP/2.0" 302"#, true);
        check_access(r#"INFO:     172.18.0.1:44 - "GET / HTTP/1.1" 200 OK"#, true);
        check_access("cURL error 28: see https://curl.se HTTP/2 stream 0", false);
        check_access(r#"the client "x" sent HTTP/1.1 and went"#, false);
    }

    #[test]
    fn joining_is_the_same_in_any_order() {
        let of = |lines: &[String]| {
            let mut unread = Unread::default();
            lines.iter().for_each(|line| unread.note(line));
            unread
        };
        let lines: Vec<String> = (0..60).map(|n| "(<".repeat(n % 25 + 1) + &"!?".repeat(n % 3)).collect();
        let whole = of(&lines);
        assert_eq!((whole.lines_count, whole.shapes.len()), (60, SHAPES_MAX));
        for cut in [1, 7, 30, 59] {
            let (a, b) = (of(&lines[..cut]), of(&lines[cut..]));
            for (first, second) in [(&a, &b), (&b, &a)] {
                let mut joined = first.clone();
                joined.join(second);
                assert_eq!(joined, whole);
            }
        }
    }
}

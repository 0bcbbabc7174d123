//! A worker's line behind a job's output: what a job prints without a newline stands before the line that ends it.
//!
//! It refuses all but a whole line in a form that nothing else prints: columns with their two spaces, time and status;
//! a bracket with the id of a real driver and the padded status; a worker's JSON object, whole and last. Text that
//! quotes such a line mostly goes on behind it.

use std::sync::LazyLock;

use memchr::memmem;
use serde::de::IgnoredAny;

use super::sighting::Sighting;
use super::{bare, bracket, columns, monolog, queued, stamp};
use crate::domain::job::Stage;

/// How an enqueue's record goes on behind its head.
static ENQUEUE: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b": Job queued {\""));

/// The shortest line that could hold two.
const BYTES_MIN: usize = 24;

/// The whole line that stands at the end of another.
pub(in crate::domain::systems) fn tail(line: &str) -> Option<&str> {
    if line.len() < BYTES_MIN {
        return None;
    }
    let tail = if line.ends_with('}') {
        worker_json(line).or_else(|| json_record(line))
    } else {
        in_columns(line).or_else(|| bracketed(line))
    }?;
    // Blanks are no output: a line that is indented otherwise than a worker's is somebody's text. Behind a quote that
    // is still open the line is quoted: whoever asks for a path can put it there.
    let output = line.strip_suffix(tail)?;
    let is_quoted = output.bytes().filter(|byte| *byte == b'"').count() & 1 == 1;
    (!output.trim().is_empty() && !is_quoted).then_some(tail)
}

/// `200  2026-03-02 09:00:11 App\Jobs\X .... 352.10ms DONE`.
fn in_columns(line: &str) -> Option<&str> {
    if !["DONE", "FAIL", "RUNNING"].iter().any(|status| line.ends_with(status)) {
        return None;
    }
    let place = columns::last_beginning(line).filter(|place| *place > 0)?;
    line.get(place..).filter(|tail| columns::read(tail).is_some())
}

/// `sent[2026-03-02 09:00:11][hGTu…] Processed:  App\Jobs\X`.
fn bracketed(line: &str) -> Option<&str> {
    // The gate: searching from the end is slow, and most lines have no such words.
    if !["] Processing: ", "] Processed:  ", "] Failed:     "].iter().any(|words| line.contains(words)) {
        return None;
    }
    let mut end = line.len();
    loop {
        let place = line.get(..end)?.rfind("[2").filter(|place| *place > 0)?;
        end = place;
        let tail = line.get(place..)?;
        if stamp::skip(tail.strip_prefix('[')?).is_none() {
            continue;
        }
        let Some(seen) = bracket::read(tail) else { continue };
        let is_drivers = |id: &str| columns::is_random_id(id) || id.bytes().all(|b| b.is_ascii_digit());
        let id = seen.id.as_deref().unwrap_or_default();
        let is_class = seen.class.as_deref().is_some_and(bare::is_plausible_class);
        return (!id.is_empty() && is_drivers(id) && is_class).then_some(tail);
    }
}

/// `200[2026-03-02 09:00:00] production.INFO: Job queued {…} `: an enqueue's record behind output, or behind another
/// record. Nothing may follow it but what a logger prints behind a context, and it stands in no quotes: a record that
/// quotes another goes on.
pub(super) fn record(line: &str) -> Option<Sighting<'_>> {
    // The gate: searching from the end is slow, and most lines have no such words.
    ENQUEUE.find(line.as_bytes())?;
    let words = memmem::rfind(line.as_bytes(), ENQUEUE.needle())?;
    let place = line.get(..words)?.rfind('[').filter(|place| *place > 0)?;
    let (output, tail) = line.split_at_checked(place)?;
    let head = monolog::head(tail)?;
    let (_, context) = head.body.split_once(' ')?.1.split_once(' ')?;
    let mut values = serde_json::Deserializer::from_str(context).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let behind = context.get(values.byte_offset()..)?.trim();
    let is_record = behind.is_empty() || (behind.starts_with(['{', '[']) && behind.ends_with(['}', ']']));
    let is_quoted =
        output.bytes().filter(|byte| *byte == b'"').count() & 1 == 1 || output.ends_with(['(', '`', '\'']);
    // Behind another record it stands where that is over, and not in its message.
    let is_behind = monolog::head(output).is_none() || output.trim_end().ends_with(['}', ']']);
    let seen = queued::read_line(head.body).filter(|_| is_record && is_behind && !is_quoted)?;
    Some(Sighting { channel: Some(head.channel.into()), ..seen })
}

/// `{"ok":true}{"level":"info",…}`.
fn worker_json(line: &str) -> Option<&str> {
    let place = line.rfind("{\"level\":\"").filter(|place| *place > 0)?;
    let tail = line.get(place..)?;
    let document = serde_json::from_str(tail).ok()?;
    let seen = super::worker_json::read(super::worker_json::Record::from(&document))?;
    (seen.stage != Stage::Paused).then_some(tail)
}

/// `200{"message":"Job queued",…}`, `worker-7d9f app {"message":"Job queued",…}`: an enqueue's record as a JSON formatter
/// writes it, behind output or behind a short label that no table has. A sentence is no label: it may quote a record.
fn json_record(line: &str) -> Option<&str> {
    const BEGINNING: &[u8] = b"{\"message\":\"Job queued\",";
    const LABEL_BYTES_MAX: usize = 128;
    const WORDS_MAX: usize = 2;
    let place =
        memmem::find(line.as_bytes(), BEGINNING).filter(|place| (1..=LABEL_BYTES_MAX).contains(place))?;
    let (label, tail) = line.split_at_checked(place)?;
    let is_label = label.split_ascii_whitespace().count() <= WORDS_MAX && !label.contains(['\'', '#']);
    (is_label && serde_json::from_str::<IgnoredAny>(tail).is_ok()).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, line: &str) {
        let both = format!("{output}{line}");
        assert_eq!(tail(&both), Some(line), "{both}");
    }

    #[track_caller]
    fn check_none(line: &str) {
        assert_eq!(tail(line), None, "{line}");
    }

    #[test]
    fn a_whole_line_behind_output_is_a_line() {
        let done = r"  2026-03-02 09:00:11 App\Jobs\X .................. 352.10ms DONE";
        for output in ["200", "{\"ok\":true}", "two words ", "  indented", "[a] ", "日本"] {
            check(output, done);
        }
        check("200", r"  2026-03-02 09:00:11 App\Jobs\X 17 database default  352.10ms 22MB FAIL");
        check("x", r"[2026-03-02 09:00:11][hGTusZBOe04jzF4dbUTIF7AkSjAAEm4i] Processed:  App\Jobs\X");
        check("[2026] x", r"[2026-03-02 09:00:11][17] Failed:     App\Jobs\X");
        check("ok", r#"{"level":"info","id":"1","job":"App\\X","status":"success","result":"deleted"}"#);
        check("{}", r#"{"level":"info","id":"1","job":"App\\X","status":"starting"}"#);
        check("200", r#"{"message":"Job queued","context":{"id":"1"},"level_name":"INFO"}"#);
        check("worker-7d9f app ", r#"{"message":"Job queued","context":{"id":"1"},"level_name":"INFO"}"#);
    }

    #[test]
    fn an_enqueues_record_behind_output_or_another_record_is_read() {
        let enqueue = r#"[2026-03-02 09:00:00] shop.INFO: Job queued {"id":"1","job":"App\\Jobs\\X"} "#;
        for before in ["200", "....", "{\"ok\":true}", "[2026-03-02 09:00:00] shop.INFO: saved {\"a\":1} "] {
            let line = format!("{before}{enqueue}");
            let seen = record(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((seen.id.as_deref(), seen.channel.as_deref()), (Some("1"), Some("shop")));
        }
        for line in [
            enqueue.to_owned(),
            format!("[2026-03-02 09:00:00] shop.INFO: read {enqueue}"),
            format!("said \"{}\"", enqueue.trim()),
            format!("200{}, it said", enqueue.trim()),
            format!("200{}", enqueue.replace("queued", "done")),
        ] {
            assert!(record(&line).is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_not_whole_or_might_be_quoted_is_not() {
        check_none(r"  2026-03-02 09:00:11 App\Jobs\X .................. 352.10ms DONE");
        check_none(r"200 2026-03-02 09:00:11 App\Jobs\X .................. 352.10ms DONE");
        check_none(r"200  2026-03-02 09:00:11 App\Jobs\X .................. 352.10ms DONE, he said");
        check_none(r"200  2026-03-02 09:00:11 Running ['artisan' x] ....... 352.10ms DONE");
        check_none(r"second [2025-01-01 00:00:00][abc] Processed:  App\Jobs\Fake");
        check_none(r"x[2026-03-02 09:00:11] Processed: App\Jobs\X");
        check_none(r#""GET /?q=[2026-03-02 09:00:11][17] Processed:  App\Jobs\X HTTP/1.1" 200"#);
        check_none(r"GET /?q=[2026-03-02 09:00:11][17] Processed:  App\Jobs\X HTTP/1.1 200");
        check_none(r#""GET /?q=  2026-03-02 09:00:11 App\Jobs\X .... RUNNING"#);
        check_none(r#""GET /?q={"level":"info","id":"1","job":"X","status":"success"}"#);
        check_none(r#"GET {"level":"info","id":"1","job":"X","status":"success"} 200"#);
        check_none(r#"x{"level":"info","id":"1"}"#);
        check_none(r"    2026-03-02 09:00:11 App\Jobs\X .... RUNNING");
        check_none("DONE");
    }
}

//! The form that a declined line nearly has. Only `explain` asks; nothing here is on the hot path.

use serde_json::Value;

use super::bare::STATUSES;
use super::bare::is_plausible_class;
use super::bracket;
use super::{columns, monolog, queued, stamp, store_error, trace};

const COLUMNS: &str = "column form (Laravel 9.21 and later)";
const BRACKET: &str = "bracket form (Laravel 5.2 to 9.20)";
const WORKER_JSON: &str = "queue:work --json (Laravel 11.27 and later)";
const RECORD: &str = "log record";

fn miss(form: &str, why: impl Into<String>) -> NearMiss {
    NearMiss { form: form.to_owned(), why: why.into() }
}

/// A form that a line nearly has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The form's name.
    pub form: String,
    /// Why it is not that.
    pub why: String,
}

/// The nearest form, or `None` where no form is near.
pub(in crate::domain::systems) fn find(line: &str) -> Option<NearMiss> {
    if line.starts_with('{') {
        return Some(json(line));
    }
    if let Some(head) = monolog::head(line) {
        return Some(record(head));
    }
    if trace::frame(line).is_some() || line == "[stacktrace]" {
        let why = "a line of a stack trace: evidence for the error before it, never a lifecycle line";
        return Some(miss("stack trace", why));
    }
    bracketed(line)
        .or_else(|| in_columns(line))
        .or_else(|| interrupted(line))
        .or_else(|| bare(line))
        .or_else(|| quoted(line))
}

/// Whether a line begins as a log record does.
pub(in crate::domain::systems) fn is_record(line: &str) -> bool {
    monolog::head(line).is_some()
}

fn record(head: monolog::Head<'_>) -> NearMiss {
    let message = head.message();
    let trimmed = message.trim_end();
    if trimmed == queued::MESSAGE {
        return miss(
            RECORD,
            "`Job queued`, but its context is not JSON, or has none of id, uuid and job: nothing could ever match it",
        );
    }
    if message.to_ascii_lowercase().contains("job queued") {
        let found: String = trimmed.chars().take(60).collect();
        return miss(
            RECORD,
            format!("a log record, but its message is `{found}`, not exactly `{}`", queued::MESSAGE),
        );
    }
    if let Some(exception) = head.exception() {
        let (class, _) = store_error::split_printed(exception);
        let class = class.replace("\\\\", "\\");
        return miss(
            RECORD,
            format!(
                "an application error ({class}): only errors whose trace shows a queue at work count, and without a trace those of Redis"
            ),
        );
    }
    if STATUSES.iter().any(|(status, ..)| message.contains(status)) {
        return miss(
            RECORD,
            "a log record whose message mentions a status: a worker's own line begins with it, and a message is never a lifecycle line",
        );
    }
    miss(RECORD, format!("an ordinary log record of level {}", head.level))
}

fn json(line: &str) -> NearMiss {
    let document: Value = match serde_json::from_str(line) {
        Ok(document) => document,
        Err(error) => return miss("JSON", format!("begins like JSON, but is not: {error}")),
    };
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    if let Some(message) = text("message").filter(|_| text("level_name").is_some()) {
        if message == queued::MESSAGE {
            return miss(
                RECORD,
                "`Job queued`, but its context has none of id, uuid and job: nothing could ever match it",
            );
        }
        let found: String = message.chars().take(60).collect();
        return miss(
            RECORD,
            format!("a JSON log record, but its message is `{found}`, not exactly `{}`", queued::MESSAGE),
        );
    }
    match (text("status"), text("job")) {
        (Some(status), None) => miss(WORKER_JSON, format!("inside JSON: has status `{status}` but no job")),
        (None, Some(job)) => miss(WORKER_JSON, format!("inside JSON: has job `{job}` but no status")),
        (Some(status), Some(_)) => miss(
            WORKER_JSON,
            format!("its status is `{status}`, not starting, success, failed or released_after_exception"),
        ),
        (None, None) => no_workers_line(&document),
    }
}

/// What a JSON line lacks of a log record, if it is none of a worker.
fn no_workers_line(document: &Value) -> NearMiss {
    let has_text = |key: &str| document.get(key).is_some_and(Value::is_string);
    let (missing, present) = match (has_text("message"), has_text("level_name")) {
        (true, false) => ("level_name", "message"),
        (false, true) => ("message", "level_name"),
        _ => {
            return miss(
                "JSON",
                "has none of the keys that tell a worker's line (job, status) or a log record (message, level_name)",
            );
        }
    };
    // Laravel's own JSON, which is Monolog's, always has both.
    let why = if document.get(missing).is_some() { "which is no text here" } else { "which is missing here" };
    miss(RECORD, format!("inside JSON: has `{present}`, but a log record also has `{missing}`, {why}"))
}

fn bracketed(line: &str) -> Option<NearMiss> {
    stamp::skip(line.strip_prefix('[')?)?;
    let Some((id, rest)) = bracket::split(line) else {
        return Some(miss(BRACKET, "begins with a time in brackets, but not `[time][id] ` and a status"));
    };
    let lower = rest.to_ascii_lowercase();
    let near = STATUSES.into_iter().find(|(status, ..)| lower.starts_with(&status.to_ascii_lowercase()));
    let Some((status, _, padding)) = near else {
        let word = rest.split(' ').next().unwrap_or_default();
        return Some(miss(
            BRACKET,
            format!("its status is `{word}`, not Processing:, Processed: or Failed:"),
        ));
    };
    let Some(name) = rest.strip_prefix(status) else {
        return Some(miss(BRACKET, format!("the status is not written `{status}`: letter case counts")));
    };
    let spaces = name.len().saturating_sub(name.trim_start_matches(' ').len());
    if id.is_some() && spaces != padding {
        return Some(miss(
            BRACKET,
            format!("the status is padded wrong: `{status}` is followed by {padding} spaces, not {spaces}"),
        ));
    }
    let name = name.trim();
    Some(miss(
        BRACKET,
        format!("`{name}` does not look like a class, and there is no id to tell the line from prose"),
    ))
}

fn in_columns(line: &str) -> Option<NearMiss> {
    if columns::after_stamp(line).is_some_and(columns::is_task) {
        return Some(miss(COLUMNS, "a task of the scheduler, which prints as workers do: no job"));
    }
    let body = line.trim_start_matches(' ');
    let after_time = stamp::skip(body)?.strip_prefix(' ')?;
    let indent = line.len().saturating_sub(body.len());
    let last = after_time.trim_end().rsplit(' ').next().unwrap_or_default();
    let is_status = ["RUNNING", "DONE", "FAIL"].contains(&last);
    if indent != 2 && is_status {
        return Some(miss(
            COLUMNS,
            format!("a worker's line begins with two spaces, this one with {indent}"),
        ));
    }
    if is_status && line.ends_with(' ') {
        return Some(miss(COLUMNS, format!("there is text after the status `{last}`: spaces")));
    }
    if is_status && last != "RUNNING" {
        return Some(miss(
            COLUMNS,
            format!(
                "ends in `{last}`, but what stands before it is no runtime that Laravel prints (`12.34ms`, `2s`, `1m 5s`) behind dots or two spaces"
            ),
        ));
    }
    if is_status {
        return Some(miss(COLUMNS, "ends in `RUNNING`, but neither dots nor two spaces stand before it"));
    }
    if columns::split_glued(line).is_some_and(|(class, _)| class.is_some()) {
        return Some(miss(
            COLUMNS,
            "an unfinished line with other output glued to it (Laravel 9.21 to 9.40): its end comes later",
        ));
    }
    if indent == 2 && after_time.contains("..") {
        return Some(miss(
            COLUMNS,
            format!("looks like the 9.41+ form, but ends in `{last}`, not RUNNING, DONE or FAIL"),
        ));
    }
    if indent == 2 {
        return Some(miss(
            COLUMNS,
            "begins like a worker's line and has no status: cut off, or another program's",
        ));
    }
    None
}

/// Dots at a line's beginning: the rest of a line that something was printed into.
fn interrupted(line: &str) -> Option<NearMiss> {
    let last = line.strip_prefix(" .")?.rsplit(' ').next()?;
    let why = format!("begins with dots, but ends in `{last}`, not DONE or FAIL behind a runtime");
    Some(miss("end of an interrupted column line (Laravel 9.21 to 9.40)", why))
}

fn bare(line: &str) -> Option<NearMiss> {
    let (status, name) =
        STATUSES.iter().find_map(|(status, ..)| Some((status, line.strip_prefix(status)?)))?;
    let name = name.trim();
    let why = if is_plausible_class(name) {
        format!("the status is padded wrong after `{status}`")
    } else {
        format!("`{name}` does not look like a class, and nothing else tells the line from prose")
    };
    Some(miss("bare form (Laravel 5.0, 5.1 and Vapor)", why))
}

fn quoted(line: &str) -> Option<NearMiss> {
    if STATUSES.iter().any(|(status, ..)| line.contains(status)) {
        return Some(miss(
            BRACKET,
            "holds a status, but not at the place where a worker prints it: quoted text is never a lifecycle line",
        ));
    }
    if line.contains(queued::MESSAGE) {
        return Some(miss(
            RECORD,
            "mentions `Job queued`, but is not a log record (`[time] channel.LEVEL: message {context}`)",
        ));
    }
    if line.contains(" Killed ") {
        return Some(miss(
            "process line",
            "a process was killed, but its command is not queue:work, queue:listen or horizon",
        ));
    }
    None
}

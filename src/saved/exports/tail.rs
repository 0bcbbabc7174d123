//! The output of `aws logs tail`, in each of its formats.
//!
//! `short` is a time and the message, `detailed` has the offset and the log stream between them, `json` is the same and
//! breaks JSON over many lines. A line without a time goes on with the one before it.
//! <https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html>

use std::sync::LazyLock;

use regex::Regex;

use super::{in_order, moment};
use crate::saved::runs::Exported;

/// Digits, a `T` and no zone, or with one and a stream: loggers write other things than both.
static HEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:(?<short>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)|(?<long>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00) (?<stream>[^\s:*]+))(?: |$)",
    )
    .ok()
});

/// Whether a text begins as this output does.
pub(in crate::saved) fn is_tail(text: &str) -> bool {
    text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| head(line).is_some())
}

/// The time, the stream and the message of a line.
fn head(line: &str) -> Option<(&str, &str, &str)> {
    let found = HEAD.as_ref()?.captures(line)?;
    let rest = line.get(found.get(0)?.end()..)?;
    let at = found.name("short").or_else(|| found.name("long"))?.as_str();
    Some((at, found.name("stream").map_or("", |stream| stream.as_str()), rest))
}

/// The lines of such a text.
pub(super) fn read(text: &str) -> Option<Vec<Exported>> {
    if !is_tail(text) {
        return None;
    }
    let mut lines: Vec<Exported> = Vec::new();
    for line in text.lines() {
        let begun = head(line).and_then(|(at, stream, message)| Some((moment(at)?, stream, message)));
        match (begun, lines.last_mut()) {
            (Some((at, stream, message)), _) => lines.push(Exported {
                log_group: String::new(),
                log_stream: stream.to_owned(),
                at,
                ingested_at: None,
                message: message.to_owned(),
            }),
            (None, Some(before)) => {
                before.message.push('\n');
                before.message.push_str(line);
            }
            (None, None) => {}
        }
    }
    for line in &mut lines {
        line.message = on_one_line(std::mem::take(&mut line.message));
    }
    Some(in_order(lines))
}

/// JSON that was broken over many lines, as it was logged; anything else as it stands, without blank lines at its end.
fn on_one_line(message: String) -> String {
    let message = message.trim_end_matches(['\n', '\r']).to_owned();
    if !message.contains('\n') || !message.starts_with('{') {
        return message;
    }
    let value = serde_json::from_str::<serde_json::Value>(&message);
    value.map_or(message, |value| value.to_string())
}

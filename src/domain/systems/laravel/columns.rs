//! `  time Class .... 12.34ms DONE`, Laravel 9.21 and later: dotted columns, and their fragments.
//!
//! The class column is a display name and may hold spaces, so with `-v` (`Class id`, or `Class id connection
//! queue`) the words at its end are ambiguous. The shape of the id decides: 32 letters and digits or a UUID
//! always; a bare number only after a class with a namespace or a closure, or before a connection named like a driver. A
//! display name that ends in such a word is read as having an id; nothing on the line can tell otherwise.

use crate::domain::job::{Ending, Form, Stage};

use super::monolog;
use super::runtime;
use super::sighting::Sighting;
use super::stamp;

/// What follows the two spaces and the time.
pub(super) fn after_stamp(line: &str) -> Option<&str> {
    let rest = stamp::skip(line.strip_prefix("  ")?)?.strip_prefix(' ')?;
    if rest.is_empty() || rest.starts_with(' ') { None } else { Some(rest) }
}

/// Reads a whole line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    let (rest, status) = after_stamp(line)?.rsplit_once(' ')?;
    if status == "PAUSED" || status == "RESUMED" {
        return pause(rest, status);
    }
    let (left, mut seen) = ending(rest, status)?;
    if left.is_empty() || left.starts_with('.') {
        return None;
    }
    name(left, &mut seen);
    Some(seen)
}

/// Reads `Queue default PAUSED` without a time, or declines.
pub(super) fn read_pause(line: &str) -> Option<Sighting<'_>> {
    let (rest, status) = line.rsplit_once(' ')?;
    if matches!(status, "PAUSED" | "RESUMED") { pause(rest, status) } else { None }
}

/// Reads what 9.21–9.40 prints after a job's own output: ` ..... 28.47ms DONE`, the class long gone.
pub(super) fn read_continuation(line: &str) -> Option<Sighting<'_>> {
    let (rest, status) = line.rsplit_once(' ')?;
    if !rest.starts_with(' ') || status == "RUNNING" {
        return None;
    }
    let (left, mut seen) = ending(rest, status)?;
    if !left.is_empty() {
        return None;
    }
    seen.form = Form::EndOnly;
    Some(seen)
}

/// Splits an unfinished 9.21–9.40 line from the output glued to it: the class, and the record after it.
///
/// Only a log record or a shell's message is a visible seam; with other output the class is unknown (`None`).
pub(super) fn split_glued(line: &str) -> Option<(Option<&str>, &str)> {
    let rest = after_stamp(line)?;
    let seams = ["[2", "{\"", "/bin/"];
    let seam = seams.into_iter().find_map(|seam| {
        let (class, _) = rest.split_once(seam)?;
        let glued = rest.get(class.len()..)?;
        let is_record = seam != "[2" || monolog::head(glued).is_some();
        (is_record && !class.is_empty() && !class.ends_with(' ')).then_some((class, glued))
    });
    Some(seam.map_or((None, ""), |(class, glued)| (Some(class), glued)))
}

/// Reads status, memory, runtime and dots off the end; what is left is the class column.
fn ending<'a>(rest: &'a str, status: &str) -> Option<(&'a str, Sighting<'a>)> {
    let (stage, ends_as) = match status {
        "RUNNING" => return Some((dots(rest)?, Sighting::new(Stage::Processing, Form::TwoLine))),
        "DONE" => (Stage::Processed, Ending::Plain),
        "FAIL" => (Stage::Failed, Ending::FailOrRetry),
        _ => return None,
    };
    let rest = match rest.rsplit_once(' ') {
        Some((before, memory)) if is_memory(memory) => before,
        _ => rest,
    };
    let (rest, runtime) = runtime::take_last(rest)?;
    let mut seen = Sighting::new(stage, Form::TwoLine);
    seen.ending = ends_as;
    seen.runtime = Some(runtime);
    Some((dots(rest)?, seen))
}

/// Takes the dots, or the second of two spaces where there was no room for a dot.
fn dots(text: &str) -> Option<&str> {
    let (left, dots) = text.rsplit_once(' ')?;
    dots.bytes().all(|b| b == b'.').then_some(left)
}

/// `22MB`, from 13.3 with `-v`.
fn is_memory(word: &str) -> bool {
    let number = word.strip_suffix("MB").or_else(|| word.strip_suffix("GB"));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b','))
}

/// Splits the class column into class, id, connection and queue.
fn name<'a>(column: &'a str, seen: &mut Sighting<'a>) {
    if let Some((class, id, connection, queue)) = three_words(column) {
        let is_driver = DRIVERS.contains(&connection);
        if is_random_id(id) || (is_number(id) && (is_code(class) || is_driver)) {
            seen.class = Some(class.into());
            seen.id = Some(id.into());
            seen.connection = Some(connection.into());
            seen.queue = Some(queue.into());
            return;
        }
    }
    if let Some((class, id)) = column.rsplit_once(' ')
        && (is_random_id(id) || (is_number(id) && is_code(class)))
    {
        seen.class = Some(class.into());
        seen.id = Some(id.into());
        return;
    }
    seen.class = Some(column.into());
}

fn three_words(column: &str) -> Option<(&str, &str, &str, &str)> {
    let (rest, queue) = column.rsplit_once(' ')?;
    let (rest, connection) = rest.rsplit_once(' ')?;
    let (class, id) = rest.rsplit_once(' ')?;
    if queue.is_empty() || connection.is_empty() { None } else { Some((class, id, connection, queue)) }
}

/// Connections as `config/queue.php` names them, whose drivers number their jobs.
const DRIVERS: [&str; 7] = ["database", "redis", "beanstalkd", "mysql", "pgsql", "sqlite", "rabbitmq"];

/// `Str::random(32)` of the Redis driver, or a UUID of SQS and Horizon.
fn is_random_id(word: &str) -> bool {
    let is_uuid = || {
        let hyphens = [8_usize, 13, 18, 23];
        word.bytes().enumerate().all(|(place, byte)| {
            if hyphens.contains(&place) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
    };
    match word.len() {
        32 => word.bytes().all(|b| b.is_ascii_alphanumeric()),
        36 => is_uuid(),
        _ => false,
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a display name is code's, and not chosen by a person: `App\Jobs\X`, or `Closure (routes.php:28)`, before
/// which newer versions put a name and ` - `.
fn is_code(class: &str) -> bool {
    let is_closure = || {
        class.split_once("Closure (").is_some_and(|(_, place)| place.contains(':') && place.ends_with(')'))
    };
    (class.contains('\\') && !class.contains(' ')) || is_closure()
}

/// `Queue default PAUSED`, from 13.26.
fn pause<'a>(rest: &'a str, status: &str) -> Option<Sighting<'a>> {
    let queue = rest.strip_prefix("Queue ")?.trim_end_matches(['.', ' ']);
    if queue.is_empty() || queue.contains(' ') {
        return None;
    }
    let stage = if status == "PAUSED" { Stage::Paused } else { Stage::Resumed };
    let mut seen = Sighting::new(stage, Form::TwoLine);
    seen.queue = Some(queue.into());
    Some(seen)
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;

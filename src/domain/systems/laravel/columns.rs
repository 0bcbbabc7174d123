//! `  time Class .... 12.34ms DONE`, Laravel 9.21 and later: dotted columns, and their fragments.
//!
//! The class column is a display name and may hold spaces, so with `-v` (`Class id`, or `Class id connection
//! queue`) the words at its end are ambiguous. The shape of the id decides: 32 letters and digits or a UUID
//! always; a bare number only after a class with a namespace or a closure, or before a connection named like a driver. A
//! class with a namespace holds no spaces, so behind one a word is an id whatever its shape. A display name that ends in
//! such a word is read as having an id; nothing on the line can tell otherwise.
//!
//! The scheduler prints its tasks through the same component (`Running ['artisan' x] .... 2s DONE`): no jobs.

use crate::domain::job::{Ending, Form, SYNC_CONNECTION, Stage};

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
    whole(after_stamp(line)?)
}

/// Reads what follows the time.
fn whole(text: &str) -> Option<Sighting<'_>> {
    let (rest, status) = text.rsplit_once(' ')?;
    if status == "PAUSED" || status == "RESUMED" {
        return pause(rest, status);
    }
    let (left, mut seen) = ending(rest, status)?;
    // Another line's beginning inside the name: two workers print into one stream.
    if left.is_empty() || left.starts_with('.') || is_task(left) || last_beginning(left).is_some() {
        return None;
    }
    name(left, &mut seen);
    Some(seen)
}

/// Reads a whole line whose two spaces are gone: syslog and many shippers trim lines. Without them dots, or a class with
/// a namespace, must show whose line it is.
pub(super) fn read_trimmed(line: &str) -> Option<Sighting<'_>> {
    let rest = stamp::skip(line)?.strip_prefix(' ').filter(|rest| !rest.starts_with(' '))?;
    let seen = whole(rest)?;
    let has_dots = rest.contains(" .") || seen.stage == Stage::Paused || seen.stage == Stage::Resumed;
    (has_dots || seen.class.as_deref().is_some_and(is_code)).then_some(seen)
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

/// Whether a name is a task of the scheduler: `Running ['artisan' inspire]`, `Skipping [...], because …`.
pub(super) fn is_task(name: &str) -> bool {
    ["Running [", "Skipping [", "Running scheduled command"].iter().any(|words| name.starts_with(words))
}

/// Where the last line begins that stands in a text: two spaces, a time, a space, as a worker prints them.
pub(super) fn last_beginning(text: &str) -> Option<usize> {
    // A digit follows the spaces; a millennium is long enough to name it.
    let mut end = text.len();
    while let Some(place) = text.get(..end)?.rfind("  2") {
        if text.get(place..).and_then(after_stamp).is_some() {
            return Some(place);
        }
        end = place.saturating_add(1);
    }
    None
}

/// Splits an unfinished 9.21–9.40 line from the output glued to it: the class, and the record after it.
///
/// Only a log record, a shell's message or another worker's line is a visible seam; with other output the class is
/// unknown (`None`).
pub(super) fn split_glued(line: &str) -> Option<(Option<&str>, &str)> {
    let rest = after_stamp(line)?;
    if let Some(seam) = last_beginning(rest) {
        let (class, glued) = rest.split_at_checked(seam)?;
        // Three lines in one: the ones before the last end later, and have lost their names.
        let class = (!class.is_empty() && last_beginning(class).is_none()).then_some(class);
        return Some((class, glued));
    }
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
    let english = runtime::take_last(rest).and_then(|(rest, runtime)| Some((dots(rest)?, Some(runtime))));
    let (left, runtime) = match english {
        Some(english) => english,
        None => runtime::take_words(rest).and_then(|(rest, runtime)| Some((dots(rest)?, runtime)))?,
    };
    let mut seen = Sighting::new(stage, Form::TwoLine);
    seen.ending = ends_as;
    seen.runtime = runtime;
    Some((left, seen))
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
    if let Some((class, connection, queue)) = without_id(column) {
        seen.class = Some(class.into());
        seen.connection = Some(connection.into());
        seen.queue = queue.map(Into::into);
        return;
    }
    if let Some((class, id, connection, queue)) = three_words(column) {
        let is_driver = DRIVERS.contains(&connection);
        if is_random_id(id) || is_code(class) || (is_number(id) && (is_driver || id.len() >= LONG_NUMBER)) {
            seen.class = Some(class.into());
            seen.id = Some(id.into());
            seen.connection = Some(connection.into());
            seen.queue = Some(queue.into());
            return;
        }
    }
    if let Some((class, id)) = column.rsplit_once(' ')
        && (is_random_id(id) || (is_code(class) && is_word(id)))
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

/// Class, connection and queue of a job that runs at once, inside another (`dispatchSync`): with `-v` its id is empty,
/// and an empty word shows between the spaces. Before 12.20 there is only that.
fn without_id(column: &str) -> Option<(&str, &str, Option<&str>)> {
    if let Some(class) = column.strip_suffix(' ') {
        return (!class.is_empty() && !class.ends_with(' ')).then_some((class, SYNC_CONNECTION, None));
    }
    let (class, rest) = column.split_once("  ")?;
    let (connection, queue) = rest.split_once(' ')?;
    let fits = is_word(connection) && is_word(queue) && (is_code(class) || connection == SYNC_CONNECTION);
    fits.then_some((class, connection, Some(queue)))
}

/// One word, and nothing that a sentence or a path ends in.
fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic())
}

/// Digits of a number that is nobody's count: queues of Google's and others make such ids.
const LONG_NUMBER: usize = 12;

/// Connections as `config/queue.php` names them, whose drivers number their jobs.
const DRIVERS: [&str; 7] = ["database", "redis", "beanstalkd", "mysql", "pgsql", "sqlite", "rabbitmq"];

/// The ids that drivers make, told from a name by their shape: `Str::random(32)` (Redis), a UUID (SQS, Horizon), 24 hex
/// digits (MongoDB's ObjectId), a ULID, `uniqid('', true)` (RabbitMQ).
pub(super) fn is_random_id(word: &str) -> bool {
    let is_uuid = || {
        let hyphens = [8_usize, 13, 18, 23];
        word.bytes().enumerate().all(|(place, byte)| {
            if hyphens.contains(&place) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
    };
    let has_digit = || word.bytes().any(|b| b.is_ascii_digit());
    match word.len() {
        24 => word.bytes().all(|b| b.is_ascii_hexdigit()) && has_digit(),
        26 => word.bytes().all(|b| b.is_ascii_alphanumeric() && !b"ILOUilou".contains(&b)) && has_digit(),
        32 => word.bytes().all(|b| b.is_ascii_alphanumeric()),
        36 => is_uuid(),
        20..=24 => word.split_once('.').is_some_and(|(hex, digits)| {
            hex.len() >= 13 && hex.bytes().all(|b| b.is_ascii_hexdigit()) && is_number(digits)
        }),
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

//! Short labels that a console, a process manager or a logger puts before a line.

use memchr::memchr;

use super::{Peeled, begins_like_a_line, container, is_trace};

/// The longest label: a pod's name and its container's.
const LABEL_BYTES_MAX: usize = 128;

/// Levels as labels.
const LEVELS: [&str; 12] = [
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARN",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
    "LOG",
    "FATAL",
    "SUCCESS",
];

/// What people call a worker's process in the tools that label lines with it.
const PROCESSES: [&str; 6] =
    ["queue", "worker", "queue-worker", "laravel-worker", "laravel-queue", "horizon"];

/// `   INFO  line`: what Octane's servers print goes through its console's components.
/// <https://github.com/laravel/octane/blob/2.x/src/Commands/Concerns/InteractsWithIO.php>
pub(super) fn console(line: &str) -> Option<Peeled<'_>> {
    let (label, rest) = line.strip_prefix("   ")?.split_once("  ")?;
    let inner = rest.trim_end();
    // The same label stands before sentences of the console's own.
    (LEVELS.contains(&label) && begins_like_a_line(inner)).then(|| Peeled::whole(inner))
}

/// `INFO<tab>message<tab>{json}`: Bref's formatter, which says all of it again in the JSON.
/// <https://github.com/brefphp/monolog-bridge>
pub(super) fn tabbed(line: &str) -> Option<Peeled<'_>> {
    let level =
        LEVELS.iter().find(|level| line.strip_prefix(**level).is_some_and(|it| it.starts_with('\t')))?;
    let rest = line.strip_prefix(level)?.strip_prefix('\t')?;
    let (_, json) = rest.rsplit_once("\t{\"")?;
    let start = rest.len().saturating_sub(json.len()).saturating_sub("{\"".len());
    Some(Peeled::whole(rest.get(start..)?))
}

/// `worker: line`: the program's name as a shell, a logger or a tag of Docker's puts it before a line. Only before what
/// begins like a line; the names of [`PROCESSES`] are labels before anything, and what a process manager says with them
/// in front is read so first.
pub(super) fn named(line: &str) -> Option<Peeled<'_>> {
    let head = line.as_bytes().get(..LABEL_BYTES_MAX.min(line.len()))?;
    let (label, rest) = line.split_at_checked(memchr(b':', head)?)?;
    let inner = rest.strip_prefix(": ")?;
    let is_certain = PROCESSES.contains(&label);
    let peeled = || Peeled { is_supervisors: is_certain, ..Peeled::whole(inner).of(label) };
    (is_name(label) && (is_certain || is_line(inner))).then(peeled)
}

/// `[queue] line`, `[pod/worker-1/app] line`: concurrently (`composer dev`), `kubectl logs --prefix`, Foreman's kin.
/// Only before what begins like a line, or goes on with a record's trace: brackets also begin sentences. A pod's name
/// with its kind, and what a worker's process is usually called, is a label before anything.
pub(super) fn bracketed(line: &str) -> Option<Peeled<'_>> {
    let (label, inner) = line.strip_prefix('[')?.split_once("] ")?;
    let is_certain = label.starts_with("pod/") || PROCESSES.contains(&label);
    (is_name(label) && (is_certain || is_line(inner))).then(|| Peeled::whole(inner).of(label))
}

/// Whether a text is a line, or a record's trace, so that a label before it is no sentence's beginning.
fn is_line(text: &str) -> bool {
    const STATUSES: [&str; 3] = ["Processing: ", "Processed: ", "Failed: "];
    // A line without a time says by its class's namespace what it is.
    let is_bare = || text.contains('\\') && STATUSES.iter().any(|status| text.starts_with(status));
    begins_like_a_line(text)
        || container::time(text).is_some()
        || container::is_clock(text.get(..container::CLOCK_BYTES).unwrap_or_default(), b" ")
        || is_bare()
        || is_trace(text)
}

/// `worker-1  | line`, `web.1 | line`, `0|worker  | line`, `12:00:01 worker.1  | line`, `app stdout | line`: docker
/// compose, Foreman, PM2, supervisor-stdout. The name is padded; of the blanks behind the bar one is the prefix's.
pub(super) fn piped(line: &str) -> Option<Peeled<'_>> {
    let head = line.as_bytes().get(..LABEL_BYTES_MAX.min(line.len()))?;
    let bar = memchr(b'|', head)?;
    let (label, rest) = line.split_at_checked(bar)?;
    // PM2 numbers its processes: `0|worker  | line`.
    if !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()) {
        let (name, inner) = rest.strip_prefix('|')?.split_once("| ")?;
        let name = name.trim_end_matches(' ');
        return is_name(name).then(|| Peeled::whole(inner).of(name));
    }
    let inner = rest.strip_prefix("| ").or_else(|| rest.strip_prefix('|').filter(|it| it.is_empty()))?;
    let padded = label.strip_suffix(' ')?;
    let stream = padded.strip_suffix(" stdout").or_else(|| padded.strip_suffix(" stderr"));
    let name = stream.unwrap_or(padded).trim_end_matches(' ');
    // A sentence has bars, too: a name is padded, or numbered, or its stream is named.
    let is_numbered = name
        .rsplit_once(['-', '_', '.'])
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    if stream.is_none() && padded == name && !is_numbered {
        return None;
    }
    // Foreman prints the time first.
    let name = match name.split_once(' ') {
        Some((clock, name)) if clock.len() == 8 && clock.bytes().filter(|b| *b == b':').count() == 2 => {
            name.trim_start_matches(' ')
        }
        _ => name,
    };
    // What the manager itself says of a process: read with the name in front.
    const TOLD: [&str; 5] =
        ["exited with ", "Exited with ", "started with pid ", "terminated by SIG", "Exited ("];
    let is_supervisors = name == "system" || TOLD.iter().any(|told| inner.starts_with(told));
    is_name(name).then(|| Peeled { is_supervisors, ..Peeled::whole(inner).of(name) })
}

/// A process's, a service's or a pod's name.
fn is_name(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@#".contains(&b))
}

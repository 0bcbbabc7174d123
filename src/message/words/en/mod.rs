//! English.

mod cause;
mod finding;
mod lead;
mod step;
mod title;

use super::{Aside, Labels};
use crate::domain::incidents::Kind;

pub(in crate::message::words) use cause::{cause, causes, sub_cause, unknown};
pub(in crate::message::words) use finding::finding;
pub(in crate::message::words) use lead::lead;
pub(in crate::message::words) use step::{
    advice, in_same_container, note, purpose, run, variable, with_note,
};
pub(in crate::message::words) use title::title;

pub(in crate::message::words) const LABELS: Labels = Labels {
    log_lines: "Log lines",
    dashboard: "Dashboard",
    meaning: "What this alarm means",
    fill_in: "Fill in",
    known: "Known",
    not_known: "Not in the logs",
    seen: "I have seen it: no more reminders",
    close: "Close",
    silence: "Silence for 4 h",
    silence_all: "Silence everything for 4 h",
    incident: "Incident",
    shortened: "Something is left out here for its length: the whole text is what queuewatch prints.",
    and: "; ",
    colon: ": ",
};

pub(in crate::message::words) fn aside(aside: &Aside<'_>) -> String {
    match aside {
        Aside::Seen { by, at } => {
            format!("{} has seen it, at {at}", if by.is_empty() { "somebody" } else { by })
        }
        Aside::LastOnes { enqueued, started, is_none_anywhere } => {
            let never = if *is_none_anywhere { "none ever seen, on any queue" } else { "none ever seen" };
            let enqueued = enqueued
                .map_or("no job ever seen enqueued".to_owned(), |at| format!("last job enqueued {at}"));
            let started = started.map_or(format!("started: {never}"), |at| format!("last started {at}"));
            format!("{enqueued}; {started}")
        }
        Aside::NamesThatFile { streams, at } => {
            let of = if *streams > 1 { format!(" ({streams} streams)") } else { String::new() };
            match at {
                Some(at) => format!("a line at {at} names that log file{of}"),
                None => format!("a line names that log file{of}"),
            }
        }
        Aside::Quoted(text) => format!("the newest error: \"{text}\""),
        Aside::Jobs { kind, classes, more, oldest } => {
            let mut named: Vec<String> =
                classes.iter().map(|(class, count)| format!("{class} x{count}")).collect();
            if *more > 0 {
                named.push(format!("{more} more"));
            }
            let oldest = oldest.map_or_else(String::new, |id| format!("; the oldest: {id}"));
            let which = match kind {
                Kind::Stalled | Kind::Backlog => "over the limit",
                Kind::Lost => "skipped",
                Kind::StuckRunning => "without an end",
                Kind::Failing | Kind::EnqueueErrors | Kind::Blind => "the jobs",
            };
            format!("{which}: {}{oldest}", named.join(", "))
        }
        Aside::Classes([class]) => format!("the class: {class}"),
        Aside::Classes(classes) => format!("the classes: {}", classes.join(", ")),
        Aside::JoinedMore(count) => {
            format!("and {}, too many to be told one by one", n(*count, "more queue", "more queues"))
        }
        Aside::Joined(incident) => format!("of the same cause, and told with this: {incident}"),
        Aside::Unseen(count) => {
            let jobs = n(*count, "other job was", "other jobs were");
            format!("{jobs} found to have started while worker lines were missing")
        }
        Aside::AfterEnd => {
            "this was found after the last line of the replay: later lines may tell otherwise".to_owned()
        }
        Aside::KnownAt(at) => format!("Known at {at}"),
        Aside::Next(at) => format!("if it is still open, told again at {at}"),
    }
}

/// `1 job`, `7 jobs`.
fn n(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `a`, `a or b`, `a, b or c`.
fn or_list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let last = names.pop();
    match (names.is_empty(), last) {
        (_, None) => String::new(),
        (true, Some(only)) => only,
        (false, Some(last)) => format!("{} or {last}", names.join(", ")),
    }
}

//! What went wrong, where and for how long, in one line of English: the subject of a mail.

use super::lead::{candidates, others, store};
use super::n;
use crate::domain::incidents::{Blindness, Kind, NotificationState, Severity};
use crate::message::compose::Situation;
use crate::message::place::{Place, Store};
use crate::message::words::Voice;

pub(in crate::message::words) fn title(it: &Situation<'_>, voice: &Voice) -> String {
    let word = match (it.state, it.severity) {
        (NotificationState::Resolved, _) if it.kind == Kind::Lost && it.given_up > 0 => "GIVEN UP",
        (NotificationState::Resolved, _) => "OK",
        (NotificationState::Seen, _) => "SEEN",
        (_, Severity::Page) => "ALARM",
        (_, Severity::Warn) => "WARN",
    };
    let app = it.app;
    let what = headline(it, voice);
    match it.kind {
        Kind::Blind => format!("{word} {app}: {what}"),
        // Its lines name no queue: it is the app's store.
        Kind::EnqueueErrors if it.place.is_unknown() && voice.store == Store::Unknown => {
            format!("{word} {app}: {what}")
        }
        Kind::EnqueueErrors if it.place.is_unknown() => {
            format!("{word} {app} {}: {what}", store(voice.store).trim_start_matches("the "))
        }
        Kind::EnqueueErrors
        | Kind::Stalled
        | Kind::Lost
        | Kind::Backlog
        | Kind::Failing
        | Kind::StuckRunning => {
            format!("{word} {app} {}: {what}", place_in_brief(&it.place))
        }
    }
}

fn headline(it: &Situation<'_>, voice: &Voice) -> String {
    match it.closed_because.filter(|_| it.is_over()) {
        Some("") => format!("{} closed by hand", kind(it.kind)),
        Some(reason) => format!("{} closed by hand: {reason}", kind(it.kind)),
        None if it.is_over() => over(it, voice),
        None => going_on(it, voice),
    }
}

/// The kind, as part of a sentence.
const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stalled => "stall",
        Kind::Lost => "skipped jobs",
        Kind::Backlog => "backlog",
        Kind::Failing => "failures",
        Kind::StuckRunning => "stuck attempts",
        Kind::EnqueueErrors => "enqueue errors",
        Kind::Blind => "blind spot",
    }
}

fn going_on(it: &Situation<'_>, voice: &Voice) -> String {
    let still = if it.state == NotificationState::Reminder { "still " } else { "" };
    let (age, limit) = (voice.about(it.age_ms), voice.exact(it.limit_ms));
    let jobs = it.jobs_now;
    match it.kind {
        Kind::Stalled => match (it.idle_ms(), it.waiting) {
            (Some(ms), Some(waiting)) => {
                format!("{still}no job started for {}, {waiting} waiting", voice.about(ms))
            }
            (Some(ms), None) => {
                format!("{still}no job started for {}, {jobs} over {limit}", voice.about(ms))
            }
            (None, _) if jobs == 0 => format!("{still}not moving as before, since {age} ago"),
            (None, _) => {
                format!("{} {still}over {limit}, {}", n(jobs, "job waits", "jobs wait"), oldest(jobs, &age))
            }
        },
        Kind::Lost if it.is_of_missing_lines => {
            format!("worker lines {still}missing, {}", n(it.given_up, "job unknown", "jobs unknown"))
        }
        Kind::Lost if jobs == 1 => format!("1 job {still}skipped, it waits {age}"),
        Kind::Lost => format!("{jobs} jobs {still}skipped, the oldest waits {age}"),
        Kind::Backlog if jobs == 1 => format!("1 job waits {still}over {limit}, {age} now"),
        Kind::Backlog => format!("{jobs} jobs wait {still}over {limit}, the oldest {age}"),
        Kind::Failing => failing(it, still),
        Kind::StuckRunning if it.is_put_back => {
            let jobs = n(jobs, "job is", "jobs are");
            format!("{jobs} {still}put back again and again")
        }
        Kind::StuckRunning if it.has_lost_workers => {
            let what = it.classes.first().filter(|_| it.classes.len() == 1).unwrap_or(&"a job");
            format!("{what} {still}loses one worker after the other")
        }
        Kind::StuckRunning if jobs == 0 => {
            format!("attempts {still}end in nothing, the first began {age} ago")
        }
        Kind::StuckRunning => match it.classes.as_slice() {
            [class] if jobs == 1 => format!("{class} started {age} ago and has {still}not ended"),
            _ => {
                let attempts = n(jobs, "attempt has", "attempts have");
                format!("{attempts} {still}not ended, the oldest started {age} ago")
            }
        },
        Kind::EnqueueErrors if it.is_taken_again() || jobs == 0 => {
            format!("{still}enqueue errors{}", quoted(it))
        }
        Kind::EnqueueErrors => {
            format!("{} {still}not enqueued{}", n(jobs, "job", "jobs"), quoted(it))
        }
        Kind::Blind => format!("{still}{}", sight(it.reason, false, voice)),
    }
}

/// `the oldest 8 min`, or `8 min now` of a single one.
fn oldest(jobs: u64, age: &str) -> String {
    if jobs == 1 { format!("{age} now") } else { format!("the oldest {age}") }
}

fn failing(it: &Situation<'_>, still: &str) -> String {
    let text = quoted(it);
    match (&it.worst, others(it)) {
        (Some(worst), None) => format!(
            "{} {still}fails{text} ({} of {})",
            it.classes.first().unwrap_or(&worst.class),
            worst.bad,
            worst.of
        ),
        // How many of how many would read as a sum of them all.
        (Some(worst), Some(others)) => format!("{} and {others} {still}fail{text}", worst.class),
        (None, _) => format!("{} {still}fail{text}", n(it.classes.len() as u64, "job class", "job classes")),
    }
}

/// The error's words, as far as there is room.
fn quoted(it: &Situation<'_>) -> String {
    let Some(text) = it.text else { return String::new() };
    // The class of an exception takes the room of what it says.
    let said = text
        .split_once(": ")
        .map_or(text, |(class, said)| if class.contains(' ') || said.is_empty() { text } else { said });
    let cut: String = said.chars().take(it.text_chars_max).collect();
    let (cut, dots) = match cut.len() < said.len() {
        true => (cut.trim_end(), "..."),
        false => (said.trim_end_matches('.'), ""),
    };
    if cut.is_empty() { String::new() } else { format!(", \"{cut}{dots}\"") }
}

fn over(it: &Situation<'_>, voice: &Voice) -> String {
    let longest = voice.about(it.longest_ms);
    let unknown = match it.given_up {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    match it.kind {
        Kind::Stalled if it.starts_since.is_some() => {
            format!("jobs start again, {}{unknown}", up_to(it.jobs_count, &longest))
        }
        Kind::Stalled => {
            format!("no job waits any more, {}{unknown}", up_to(it.jobs_count, &longest))
        }
        Kind::Lost if it.given_up > 0 => {
            format!("{} never seen to start", n(it.given_up, "skipped job was", "skipped jobs were"))
        }
        Kind::Lost => "the skipped jobs were seen after all".to_owned(),
        Kind::Backlog => format!("no longer slow, {}", up_to(it.jobs_count, &longest)),
        Kind::Failing => match it.classes.as_slice() {
            [class] => format!("{class} succeeds again"),
            _ => "jobs succeed again".to_owned(),
        },
        Kind::StuckRunning if it.given_up > 0 => {
            format!("no attempt is open any more{unknown}")
        }
        Kind::StuckRunning => "no attempt is open any more".to_owned(),
        Kind::EnqueueErrors => "jobs are enqueued again".to_owned(),
        Kind::Blind => sight(it.reason, true, voice).to_owned(),
    }
}

/// `up to 31 waited, the longest 48 min`.
fn up_to(jobs: u64, longest: &str) -> String {
    if jobs == 1 {
        format!("1 waited {longest}")
    } else {
        format!("up to {jobs} waited, the longest {longest}")
    }
}

pub(super) const fn sight(reason: Option<Blindness>, is_over: bool, voice: &Voice) -> &'static str {
    match (reason, is_over) {
        (Some(Blindness::NoEnqueueLines), false) => {
            "no line says that a job was enqueued, so a stall would not be seen"
        }
        (Some(Blindness::NoEnqueueLines), true) => "lines say now when a job is enqueued",
        (Some(Blindness::SourceSilent), false) if voice.is_on_aws => "a log group is silent",
        (Some(Blindness::SourceSilent), false) => "a log file is silent",
        (Some(Blindness::SourceSilent), true) => "log lines come again",
        (Some(Blindness::Rejected), false) => "log payloads cannot be opened",
        (Some(Blindness::Rejected), true) => "log payloads open again",
        (Some(Blindness::Late), false) => "log lines come late",
        (Some(Blindness::Unrecognised), false) => "log lines are not recognised",
        (Some(Blindness::Unrecognised), true) => "log lines are recognised again",
        (Some(Blindness::Late), true) => "log lines come in time again",
        (None, _) => "queuewatch cannot see",
    }
}

/// Where it is, in a subject.
fn place_in_brief(place: &Place<'_>) -> String {
    let one_of = candidates(place);
    match (&place.connection, &place.queue) {
        (Some(connection), Some(queue)) => format!("{connection}:{queue}"),
        (None, Some(queue)) => format!("queue {queue}"),
        (Some(connection), None) if one_of.is_empty() => format!("{connection}, queue not logged"),
        (Some(connection), None) => format!("{connection}, queue {one_of}"),
        (None, None) if one_of.is_empty() => "queue not logged".to_owned(),
        (None, None) => format!("queue {one_of}"),
    }
}

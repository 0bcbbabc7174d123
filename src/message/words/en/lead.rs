//! What went wrong and since when, in English: the first sentences.

use super::title::sight;
use super::{n, or_list};
use crate::domain::incidents::{Blindness, Kind};
use crate::message::compose::Situation;
use crate::message::place::{Place, Store};
use crate::message::words::Voice;

fn place(place: &Place<'_>) -> String {
    let one_of = candidates(place);
    match (&place.connection, &place.queue) {
        (Some(connection), Some(queue)) => format!("{connection}:{queue}"),
        (None, Some(queue)) => format!("queue {queue} (connection not logged)"),
        (Some(connection), None) if one_of.is_empty() => format!("{connection} (queue not logged)"),
        (Some(connection), None) => format!("{connection}, queue {one_of} (which one is not logged)"),
        (None, None) if one_of.is_empty() => "a queue that no line names".to_owned(),
        (None, None) => format!("queue {one_of} (which one is not logged)"),
    }
}

/// `default or emails`.
pub(super) fn candidates(place: &Place<'_>) -> String {
    let more = (place.more > 0).then(|| n(place.more as u64, "other", "others"));
    or_list(place.candidates.iter().map(ToString::to_string).chain(more))
}

pub(in crate::message::words) const fn store(store: Store) -> &'static str {
    match store {
        Store::Redis => "Redis",
        Store::Database => "the database",
        Store::Sqs => "SQS",
        Store::Beanstalkd => "beanstalkd",
        Store::RabbitMq => "RabbitMQ",
        Store::Unknown => "the queue store",
    }
}

pub(in crate::message::words) fn lead(it: &Situation<'_>, voice: &Voice) -> String {
    let about = if it.is_about { "about " } else { "" };
    let since = format!("{about}{}", voice.both(it.since));
    if it.is_over() {
        return ended(it, &since, voice);
    }
    let (app, place, limit) = (it.app, place(&it.place), voice.exact(it.limit_ms));
    let jobs = it.jobs_now;
    match it.kind {
        Kind::Stalled => format!("{}{}", stalled(it, &place, &since, voice), counts(it, &limit, voice)),
        Kind::Lost if it.is_of_missing_lines => format!(
            "{app}: some lines of the workers on {place} are missing from the logs since {since}. What became of {} is \
             unknown.",
            n(it.given_up, "job", "jobs")
        ),
        Kind::Lost => format!(
            "{app}: no start was seen of {} on {place}, though later jobs there have started. {} has waited since \
             {since}.{}",
            n(jobs, "job", "jobs"),
            if jobs == 1 { "It" } else { "The oldest" },
            given_up(it)
        ),
        Kind::Backlog => {
            format!(
                "{app}: {place} is slow: its oldest job has waited since {since}.{}",
                counts(it, &limit, voice)
            )
        }
        Kind::Failing => failed(it, &place, &since, voice),
        Kind::StuckRunning if it.is_put_back => format!(
            "{app}: {} on {place} {} put back again and again, and never done. {} first started at {since}.{}",
            n(jobs, "job", "jobs"),
            if jobs == 1 { "is" } else { "are" },
            if jobs == 1 { "It" } else { "The oldest" },
            given_up(it)
        ),
        Kind::StuckRunning if jobs == 0 => format!(
            "{app}: attempts on {place} start and no end is seen, the first at {since}. None is open at this moment.{}",
            given_up(it)
        ),
        Kind::StuckRunning => format!(
            "{app}: {} on {place} started and no end was seen. {} started at {since}.{}",
            n(jobs, "attempt", "attempts"),
            if jobs == 1 { "It" } else { "The oldest" },
            given_up(it)
        ),
        Kind::EnqueueErrors => refused(it, &since, voice),
        Kind::Blind => blind(it, &since, voice),
    }
}

fn stalled(it: &Situation<'_>, place: &str, since: &str, voice: &Voice) -> String {
    let app = it.app;
    let tail = match (it.has_no_start(), it.starts_since, it.last_start.filter(|at| *at > it.since)) {
        (true, ..) => " and none was started".to_owned(),
        (false, Some(at), _) => format!(". Jobs are started again since {}", voice.minute(at)),
        (false, None, Some(at)) if it.is_asked_now => {
            format!("; the last one was started at {}", voice.minute(at))
        }
        (false, None, _) => String::new(),
    };
    format!("{app}: jobs on {place} have waited since {since}{tail}.{}", again(it))
}

/// ` It has stalled 3 times in an hour and a half: …` Where it comes and goes, its end is told when it stays away.
fn again(it: &Situation<'_>) -> String {
    match it.stalls_lately {
        0 => String::new(),
        1 => " It has stalled once before in the last hour and a half.".to_owned(),
        times => format!(
            " It has stalled {times} times before in the last hour and a half: it comes and goes, and is told to be over \
             when it has not come again for 30 min."
        ),
    }
}

/// ` 2 waiting, 1 over the 5 min limit, up 2 in the last 10 min.`
fn counts(it: &Situation<'_>, limit: &str, voice: &Voice) -> String {
    let over = it.jobs_now;
    let mut parts = match it.waiting {
        Some(waiting) if waiting == over && over == 1 => vec![format!("1 waiting, over the {limit} limit")],
        Some(waiting) if waiting == over => vec![format!("{waiting} waiting, all over the {limit} limit")],
        Some(waiting) => vec![format!("{waiting} waiting, {over} over the {limit} limit")],
        None if over > 0 => vec![format!("{over} over the {limit} limit")],
        None => Vec::new(),
    };
    parts.extend(it.growth().map(|gained| format!("up {gained} in the last 10 min")));
    if it.kind == Kind::Backlog {
        let done_in = it.done_in_ms.map(|ms| voice.about(ms));
        parts.extend(done_in.map(|done_in| format!("worked off in about {done_in} at this rate")));
    }
    let counts = if parts.is_empty() { String::new() } else { format!(" {}.", parts.join(", ")) };
    format!("{counts}{}", given_up(it))
}

fn given_up(it: &Situation<'_>) -> String {
    match it.given_up {
        0 => String::new(),
        count => format!(" {} given up as unknown.", n(count, "more was", "more were")),
    }
}

fn failed(it: &Situation<'_>, place: &str, since: &str, voice: &Voice) -> String {
    let app = it.app;
    let Some(worst) = &it.worst else {
        let classes = it.classes.join(", ");
        return format!("{app}: jobs on {place} have been failing since {since}: {classes}.");
    };
    let class = worst.class;
    let (who, have, whose) = match others(it) {
        None => (class.to_owned(), "has", "its".to_owned()),
        // How many of how many is of one class: a sum would read as a row.
        Some(others) => (format!("{class} and {others}"), "have", format!("{class}'s")),
    };
    let of = match (worst.bad, worst.of) {
        (1, 1) => format!("The last of {whose} attempts failed"),
        (bad, of) if bad == of => format!("All of {whose} last {of} attempts failed"),
        (bad, of) => format!("{bad} of {whose} last {of} attempts failed"),
    };
    let at = worst.at.map_or_else(String::new, |at| format!(", the last at {}", voice.minute(at)));
    format!("{app}: {who} on {place} {have} been failing since {since}. {of}{at}.")
}

/// `1 more class`, beside the one that fails most lately.
pub(super) fn others(it: &Situation<'_>) -> Option<String> {
    let others = (it.classes.len() as u64).checked_sub(1).filter(|others| *others > 0)?;
    Some(n(others, "more class", "more classes"))
}

fn refused(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let (app, jobs) = (it.app, it.jobs_now);
    let whither = match voice.store == Store::Unknown {
        true => String::new(),
        false => format!(" on {}", store(voice.store)),
    };
    let newest =
        it.newest_error.map_or_else(String::new, |at| format!(", the newest at {}", voice.minute(at)));
    let count = match jobs {
        0 => "none in the last 10 min".to_owned(),
        jobs => format!("{jobs} in the last 10 min"),
    };
    let after = match (it.is_taken_again(), it.last_enqueue) {
        (true, Some(at)) => format!(" A job was enqueued after that, at {}.", voice.minute(at)),
        (_, Some(at)) => format!(" The last job that was enqueued: {}.", voice.minute(at)),
        (_, None) => " No line says that a job was enqueued.".to_owned(),
    };
    format!("{app}: jobs could not be enqueued{whither} since {since}: {count}{newest}.{after}")
}

fn blind(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let app = it.app;
    let count = it.count.unwrap_or_default();
    match it.reason {
        Some(Blindness::NoEnqueueLines) => format!(
            "{app}: {} since {since}, and none that says that a job was enqueued. A stalled queue would not be seen.",
            n(count, "worker line has come", "worker lines have come")
        ),
        Some(Blindness::SourceSilent) => {
            let sources = match (it.sources.as_slice(), voice.is_on_aws) {
                ([], true) => "the log group".to_owned(),
                ([], false) => "the log file".to_owned(),
                (sources, _) => sources.join(", "),
            };
            format!("{app}: no line has come from {sources} since {since}. What happens there is not seen.")
        }
        Some(Blindness::Rejected) => format!(
            "{app}: {} could not be opened since {since}. What was in them is not known.",
            n(count, "log payload", "log payloads")
        ),
        Some(Blindness::Late) => {
            let late =
                it.late_minutes.map_or_else(String::new, |minutes| format!(", the newest by {minutes} min"));
            format!("{app}: log lines come late since {since}{late}. An alarm comes as much later.")
        }
        Some(Blindness::Unrecognised) => format!(
            "{app}: log lines come, and have not been recognised since {since}. Jobs in them are not seen, nor would a \
             stalled queue be."
        ),
        None => format!("{app}: queuewatch cannot see what happens, since {since}."),
    }
}

fn ended(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let (app, place, longest) = (it.app, place(&it.place), voice.about(it.longest_ms));
    let lasted = voice.about(it.open_ms);
    if let Some(reason) = it.closed_because {
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let jobs = match it.given_up {
            0 => String::new(),
            count => format!(" {} given up with it.", n(count, "job was", "jobs were")),
        };
        return format!("{app}: closed by hand after {lasted}{why}.{jobs}");
    }
    let jobs = n(it.jobs_count, "job", "jobs");
    match it.kind {
        Kind::Stalled => {
            let how = match it.starts_since {
                Some(at) => format!("jobs on {place} start again since {}", voice.both(at)),
                None => format!("no job on {place} waits any more"),
            };
            let rhythm = it.rhythm_ms.map(|ms| voice.exact(ms)).map(|period| {
                format!(" Its workers come every {period}: from now on an alarm comes when they do not come.")
            });
            let rhythm = rhythm.unwrap_or_default();
            format!("{app}: {how}. {}{}{rhythm}", waited(it, since, &longest), given_up(it))
        }
        Kind::Backlog => format!("{app}: {place} is no longer slow. {}", waited(it, since, &longest)),
        Kind::Lost if it.given_up > 0 => format!(
            "{app}: {} on {place}{} {since}, and {} not looked for any more. Nothing in the logs tells what became of {}.",
            n(it.given_up, "job", "jobs"),
            if it.given_up == 1 {
                " was not seen to start since"
            } else {
                " were not seen to start, the oldest since"
            },
            if it.given_up == 1 { "is" } else { "are" },
            if it.given_up == 1 { "it" } else { "them" }
        ),
        Kind::Lost => {
            format!("{app}: what was skipped on {place}, {jobs}, has been seen by now, after {lasted}.")
        }
        Kind::Failing => {
            let age = voice.about(it.age_ms);
            match it.classes.as_slice() {
                [class] => {
                    format!(
                        "{app}: {class} on {place} succeeds again after {age}. It had failed since {since}."
                    )
                }
                _ => format!(
                    "{app}: each class that failed on {place} succeeds again after {age}. The first had failed since {since}."
                ),
            }
        }
        Kind::StuckRunning => {
            format!(
                "{app}: no attempt on {place} is open past its time any more, after {lasted}.{}",
                given_up(it)
            )
        }
        Kind::EnqueueErrors => {
            let age = voice.about(it.age_ms);
            format!(
                "{app}: jobs are enqueued again after {age}, the last 5 min without an error. They had failed since {since}."
            )
        }
        Kind::Blind => format!("{app}: {}, after {lasted}.", sight(it.reason, true, voice)),
    }
}

/// How many waited, and for how long.
fn waited(it: &Situation<'_>, since: &str, longest: &str) -> String {
    match it.jobs_count {
        1 => format!("1 job had waited since {since}, for {longest}."),
        jobs => {
            format!("Since {since} up to {jobs} jobs at once waited too long, the longest for {longest}.")
        }
    }
}

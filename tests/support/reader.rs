//! A reader who does not know the code: holds a message against the facts that it was made from, and against a phone.

use std::collections::BTreeSet;

use queuewatch::domain::incidents::{Fact, Finding, Incident, Kind};
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::model::policy::Policy;

use crate::phone;

/// What no message may say, whatever happened.
const FORBIDDEN: [&str; 14] = [
    "grace",
    "nothing but fail",
    "in a row",
    "of late",
    "unknown:",
    ":unknown",
    "the store ",
    "猶予",
    "overdue",
    "None",
    "  ",
    " x0",
    " 1 jobs",
    " 1 attempts",
];
/// Rows up to the end of the third step: a screen, less its subject and sender.
const ROWS_MAX: usize = phone::ROWS;

/// Everything that is wrong with the text of a message about an incident.
pub(crate) fn read(policy: &Policy, incident: &Incident, subject: &str, text: &str) -> Vec<String> {
    let mut wrong = read_alone(subject, text);
    let is_over = incident.resolved_at.is_some();
    let key = &incident.key;
    for name in key.queue.iter().map(|it| it.as_str()).chain(key.connection.iter().map(|it| it.as_str())) {
        if !text.contains(name) || !subject.contains(name) {
            wrong.push(format!("{name} is not named"));
        }
    }
    if !text.contains(&incident.id) {
        wrong.push("the incident's id is missing".into());
    }
    let is_redis = key.connection.as_ref().is_some_and(|name| name.as_str() == "redis");
    if is_redis && ["queue store", "キューのストア"].iter().any(|it| text.contains(it)) {
        wrong.push("Redis is not called by its name".into());
    }
    if !policy.deployment.is_on_aws() {
        let of_aws = ["CloudWatch", "aws ", "log group", "ロググループ", "$"];
        wrong.extend(of_aws.iter().filter(|it| text.contains(**it)).map(|it| format!("{it:?} on no AWS")));
    }
    let known = times(policy, incident);
    for time in clock_times(text) {
        if !known.contains(&time) {
            wrong.push(format!("{time} is none of the incident's times {known:?}"));
        }
    }
    if !is_over {
        for fact in facts(incident) {
            wrong.extend(missing(fact, text).map(|it| format!("{it:?} is not said")));
        }
        for class in
            incident.jobs.iter().filter_map(|job| job.class.as_ref()).chain(incident.detail.classes())
        {
            if !text.contains(class.as_str()) {
                wrong.push(format!("{class} is not named"));
            }
        }
        wrong.extend(counts(incident, text));
    }
    wrong
}

/// What is wrong with a text by itself.
pub(crate) fn read_alone(subject: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for phrase in FORBIDDEN {
        if said(text).any(|line| line.contains(phrase)) || subject.contains(phrase) {
            wrong.push(format!("it says {phrase:?}"));
        }
    }
    if text.contains(subject) {
        wrong.push("the subject is repeated".into());
    }
    let mut met = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if !met.insert(line) {
            wrong.push(format!("said twice: {line}"));
        }
        if line.starts_with(' ') || line.ends_with(' ') {
            wrong.push(format!("wrapped: {line:?}"));
        }
    }
    if subject.len() > 99 || !subject.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        wrong.push(format!("no subject: {subject}"));
    }
    let rows = phone::rows(subject) + phone::rows(&upto_step_three(text));
    if rows > ROWS_MAX {
        wrong.push(format!("step 3 ends in row {rows} of a phone"));
    }
    wrong.extend(order(text));
    wrong
}

/// The lines that are sentences: no address, no command.
fn said(text: &str) -> impl Iterator<Item = &str> {
    let is_command = |line: &str| {
        ["aws ", "php ", "ps ", "printenv ", "SELECT ", "queuewatch ", "tail ", "QUEUE_"]
            .iter()
            .any(|begin| line.starts_with(begin))
    };
    text.lines().filter(move |line| !is_command(line) && !line.contains("https://"))
}

/// Everything before what follows the last step.
fn upto_step_three(text: &str) -> String {
    let parts: Vec<&str> = text.split("\n\n").collect();
    let steps = parts.iter().rposition(|part| part.starts_with("1. "));
    let parts = steps.map_or(&[][..], |last| parts.get(..=last).unwrap_or_default());
    parts.join("\n\n")
}

/// Links come before steps, and steps before what is known.
fn order(text: &str) -> Option<String> {
    let places: Vec<usize> = ["docs/runbook", "\n1. ", "\n- ", "\nqueuewatch close"]
        .iter()
        .filter_map(|part| text.find(part))
        .collect();
    (!places.is_sorted()).then(|| format!("out of order: {places:?}"))
}

fn facts(incident: &Incident) -> impl Iterator<Item = &Fact> {
    incident.diagnosis.iter().flat_map(|diagnosis| diagnosis.evidence.iter().chain(&diagnosis.changes))
}

/// What of a fact must be found in the text, and is not.
fn missing(fact: &Fact, text: &str) -> Option<String> {
    let words = match &fact.what {
        Finding::StoreErrors { text, .. } | Finding::WorkerErrors { text, .. } => text.as_ref()?.to_string(),
        Finding::Exception(text) | Finding::WorkerStopped(text) => text.to_string(),
        Finding::LogFile { file, .. } => file.to_string(),
        Finding::StartsElsewhere { place } => place.clone(),
        Finding::BadEnds { class, .. } => class.as_str().to_owned(),
        Finding::Pace { started, .. } => started.to_string(),
        _ => return None,
    };
    (!text.contains(&words)).then_some(words)
}

/// The numbers of the first sentences.
fn counts(incident: &Incident, text: &str) -> Option<String> {
    let lead = text.lines().next().unwrap_or_default();
    let numbers: Vec<u64> = match incident.key.kind {
        Kind::Stalled | Kind::Backlog => vec![7, incident.jobs_now],
        Kind::Lost | Kind::StuckRunning | Kind::EnqueueErrors => vec![incident.jobs_now],
        Kind::Failing => facts(incident)
            .find_map(|fact| match fact.what {
                Finding::BadEnds { bad, of, .. } => Some(if bad == of { vec![of] } else { vec![bad, of] }),
                _ => None,
            })
            .unwrap_or_default(),
        Kind::Blind => Vec::new(),
    };
    let is_said = |number: &u64| lead.split(|c: char| !c.is_ascii_digit()).any(|it| it == number.to_string());
    let missing: Vec<u64> = numbers.into_iter().filter(|number| !is_said(number)).collect();
    (!missing.is_empty()).then(|| format!("the first sentence does not say {missing:?}"))
}

/// Every time that a message about an incident may show, on the reader's clock and in UTC.
fn times(policy: &Policy, incident: &Incident) -> BTreeSet<String> {
    let zone = jiff::tz::TimeZone::get(&policy.timezone).unwrap();
    let moments = facts(incident).filter_map(|fact| fact.at);
    let own = [
        Some(incident.opened_at),
        incident.oldest_ready_at,
        incident.since,
        incident.detail.stall().starts_since,
        incident.resolved_at,
        Some(incident.next_reminder_at()),
    ];
    let shown = |at: Timestamp| {
        let moment = jiff::Timestamp::from_millisecond(at.as_ms()).unwrap();
        let local = moment.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string();
        [local, moment.strftime("%H:%M").to_string()]
    };
    moments.chain(own.into_iter().flatten()).flat_map(shown).collect()
}

/// Whatever reads like a time of day in the sentences of a text, to the minute.
fn clock_times(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in said(text) {
        let chars: Vec<char> = line.chars().collect();
        for (at, window) in chars.windows(5).enumerate() {
            let is_time =
                window.iter().enumerate().all(|(n, c)| if n == 2 { *c == ':' } else { c.is_ascii_digit() });
            let is_first = at == 0 || !chars[at - 1].is_ascii_digit() && chars[at - 1] != ':';
            if is_time && is_first {
                found.push(window.iter().collect());
            }
        }
    }
    found
}

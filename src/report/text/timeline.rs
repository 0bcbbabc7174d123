//! What happened when: the first and last of each kind, and every incident.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Palette, short};
use crate::domain::incidents::{NotificationState, Severity};
use crate::domain::job::Timestamp;
use crate::domain::ledger::QueueActivity;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::policy::Policy;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::resolver::QueueResolver;
use crate::replay::Outcome;

struct Entry {
    at: Timestamp,
    text: String,
    mood: Mood,
}

#[derive(Clone, Copy)]
enum Mood {
    Plain,
    Page,
    Warn,
    Good,
}

/// Prints the timeline; with the date where it changes.
pub(super) fn print(text: &mut String, outcome: &Outcome, policy: &Policy, palette: Palette) {
    let mut entries = entries(outcome, policy);
    entries.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
    let mut day = String::new();
    for entry in &entries {
        let at = short(entry.at);
        let (date, time) = at.split_once(' ').unwrap_or(("", &at));
        if date != day {
            let dim = palette.dim;
            let _ = writeln!(text, "  {dim}{date}{dim:#}");
            date.clone_into(&mut day);
        }
        let style = match entry.mood {
            Mood::Plain => anstyle::Style::new(),
            Mood::Page => palette.page,
            Mood::Warn => palette.warn,
            Mood::Good => palette.good,
        };
        let _ = writeln!(text, "  {time}  {style}{}{style:#}", entry.text);
    }
}

fn entries(outcome: &Outcome, policy: &Policy) -> Vec<Entry> {
    let ledger = &outcome.store.ledger;
    let mut entries = Vec::new();
    let mut plain = |at: Option<Timestamp>, text: String| {
        if let Some(at) = at {
            entries.push(Entry { at, text, mood: Mood::Plain });
        }
    };
    let resolver = QueueResolver::of(ledger, policy);
    let mut by_place: BTreeMap<QueueRef, QueueActivity> = BTreeMap::new();
    for (queue_ref, facts) in ledger.queues() {
        let all = by_place.entry(resolver.resolve(queue_ref)).or_default();
        all.oldest_enqueue = [all.oldest_enqueue, facts.oldest_enqueue].into_iter().flatten().min();
        all.newest_enqueue = all.newest_enqueue.max(facts.newest_enqueue);
        all.starts.extend(facts.newest_start().map(|at| (at, JobIx(0))));
    }
    for (place, facts) in by_place {
        let (first, last, start) = (facts.oldest_enqueue, facts.newest_enqueue, facts.newest_start());
        plain(first, format!("first enqueue on {place}"));
        plain(last.filter(|_| last != first), format!("last enqueue on {place}"));
        plain(start, format!("last job started on {place}"));
    }
    plain(ledger.traits.first_worker_line_at, "first job line of a worker".to_owned());
    let mut files: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    let mut boots = Vec::new();
    for stream in ledger.streams.all() {
        boots.extend(stream.boots.last().copied());
        for (at, file) in &stream.log_files {
            files.entry(file).or_default().push(*at);
        }
    }
    let streams =
        |all: &[Timestamp]| if all.len() == 1 { String::new() } else { format!(" ({} streams)", all.len()) };
    plain(
        boots.iter().max().copied(),
        format!("last line that says a worker was started{}", streams(&boots)),
    );
    for (file, all) in files {
        plain(all.iter().max().copied(), format!("worker output goes to {file}{}", streams(&all)));
    }
    plain(outcome.last_delivery, "last line delivered".to_owned());
    plain(outcome.last_delivery.map(|_| outcome.ends_at), "replay ends".to_owned());
    for incident in outcome.store.register.all() {
        for said in &incident.notifications {
            let mood = match (said.state, incident.severity) {
                (NotificationState::Resolved, _) => Mood::Good,
                (_, Severity::Page) => Mood::Page,
                (_, Severity::Warn) => Mood::Warn,
            };
            if said.state != NotificationState::Reminder {
                entries.push(Entry { at: said.at, text: said.subject.clone(), mood });
            }
        }
    }
    entries
}

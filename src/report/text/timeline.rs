//! What happened when: the first and last of each kind, and every incident.

use std::fmt::Write;

use super::{Palette, short};
use crate::domain::incident::{NotificationState, Severity};
use crate::domain::job::Timestamp;
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
pub(super) fn print(text: &mut String, outcome: &Outcome, palette: Palette) {
    let mut entries = entries(outcome);
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

fn entries(outcome: &Outcome) -> Vec<Entry> {
    let ledger = &outcome.store.ledger;
    let mut entries = Vec::new();
    let mut plain = |at: Option<Timestamp>, text: String| {
        if let Some(at) = at {
            entries.push(Entry { at, text, mood: Mood::Plain });
        }
    };
    for ((connection, queue), facts) in ledger.lanes() {
        let connection = connection.as_ref().map_or("unknown", |name| name.as_str());
        let queue = queue.as_ref().map_or("unknown", |name| name.as_str());
        let place = format!("{connection}:{queue}");
        let (first, last) = (facts.oldest_enqueue, facts.newest_enqueue);
        plain(first, format!("first enqueue on {place}"));
        plain(last.filter(|_| last != first), format!("last enqueue on {place}"));
        plain(facts.newest_start, format!("last start on {place}"));
    }
    plain(ledger.traits.first_worker_line_at, "first start or end of a job".to_owned());
    for stream in ledger.streams.iter() {
        for (at, file) in &stream.log_files {
            plain(Some(*at), format!("a line names a log file for worker output: {file}"));
        }
    }
    plain(outcome.last_delivery, "last line delivered".to_owned());
    plain(outcome.last_delivery.map(|_| outcome.ends_at), "replay ends".to_owned());
    for incident in outcome.store.book.all() {
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

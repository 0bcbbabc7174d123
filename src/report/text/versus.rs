//! Our incidents and plain alarms, below each other: who said so, when, and until when.

use super::table::Table;
use super::{Report, count, short};
use crate::report::versus::Versus;

/// Spells of an alarm shown one by one; one that rings at every pause has hundreds.
const SPELLS_SHOWN_MAX: usize = 4;

pub(super) fn table(report: &Report, versus: &Versus) -> Table {
    let mut table = Table::new(&["who", "for", "rang at", "over at"]);
    let mut row = |who: &str, what: &str, from: String, to: String| {
        table.row(vec![who.to_owned(), what.to_owned(), from, to]);
    };
    for incident in &report.incidents {
        let when = |state: &str| incident.notifications.iter().find(|said| said.state == state);
        let from = when("firing").map_or_else(|| "not said".to_owned(), |said| short(said.at.0));
        let to = when("resolved").map_or_else(|| "still on".to_owned(), |said| short(said.at.0));
        row("queuewatch", &format!("{} ({})", incident.id, incident.severity), from, to);
    }
    if report.incidents.is_empty() {
        row("queuewatch", "nothing", "never".to_owned(), String::new());
    }
    for alarm in &versus.alarms {
        for (n, spell) in alarm.spells.iter().take(SPELLS_SHOWN_MAX).enumerate() {
            let (who, what) = if n == 0 { (alarm.name.as_str(), alarm.what) } else { ("", "") };
            let to = spell.ok_at.map_or_else(|| "still on".to_owned(), |at| short(at.0));
            row(who, what, short(spell.alarm_at.0), to);
        }
        let more = alarm.spells.len().saturating_sub(SPELLS_SHOWN_MAX);
        if alarm.spells.is_empty() {
            row(&alarm.name, alarm.what, "never".to_owned(), String::new());
        } else if more > 0 {
            row("", "", format!("and {} more", count(more as u64, "time")), String::new());
        }
    }
    table
}

//! The sums as text: queuewatch in full, plain alarms beside each other, and all days in a few lines.

use std::fmt::Write;

use cloudwatch_alarms::baseline;

use super::table::{OURS, Row};
use crate::world::scenarios::Group;

/// Prints queuewatch's rows in full, and the baselines' cells beside each other.
#[must_use]
pub fn rows(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<17} {:>4} {:>7} {:>16} {:>8} {:>8} {:>6} {:>9} {:>9} {:>6} {:>6}",
        OURS, "days", "found", "minutes late", "false", "false", "false", "first", "named", "pages", "mess."
    );
    let _ = writeln!(
        text,
        "{:<17} {:>4} {:>7} {:>16} {:>8} {:>8} {:>6} {:>9} {:>9} {:>6} {:>6}",
        "", "", "", "least/med/most", "pages/d", "warns/d", "recov.", "cause", "causes", "each", "/d"
    );
    for row in rows.iter().filter(|row| row.by == OURS) {
        let _ = writeln!(
            text,
            "{:<17} {:>4} {:>7} {:>16} {:>8} {:>8} {:>6} {:>9} {:>9} {:>6} {:>6}",
            row.scenario,
            row.days,
            of([row.faults, row.found]),
            row.late_minutes.map_or_else(dash, |[a, b, c]| format!("{a:.1}/{b:.1}/{c:.1}")),
            rate(row.false_pages_a_day),
            rate(row.false_warnings_a_day),
            if row.false_recoveries == 0 { dash() } else { row.false_recoveries.to_string() },
            of(row.decided),
            of(row.undecided),
            row.messages_a_fault.map_or_else(dash, |each| format!("{each:.1}")),
            rate(row.messages_a_day),
        );
    }
    let names: Vec<&str> = {
        let first = rows.first().map(|row| row.scenario);
        rows.iter()
            .filter(|row| Some(row.scenario) == first && row.by != OURS)
            .map(|row| row.by.as_str())
            .collect()
    };
    let _ = write!(text, "\n{:<17}", "plain alarms");
    for name in &names {
        let _ = write!(text, " | {name:<22}");
    }
    text.push('\n');
    let mut at = "";
    for row in rows.iter().filter(|row| row.by != OURS) {
        if row.scenario != at {
            let _ = write!(text, "{}{:<17}", if at.is_empty() { "" } else { "\n" }, row.scenario);
            at = row.scenario;
        }
        let _ = write!(text, " | {:<22}", cell(row));
    }
    text.push_str("\n\n");
    for name in &names {
        let _ = writeln!(text, "{name:<10} {}", baseline::describe(name));
    }
    text.push_str("\nA cell: faults found, median minutes after they could be told, false recoveries a fault (ok), false alarms a\n\
                   day (FA); pre: it rang before the fault for no reason, and so was silent.\n");
    text
}

/// What some rows come to.
type Measure = fn(&[&Row]) -> String;

/// All days in a few lines: queuewatch beside the strongest plain alarms.
#[must_use]
pub fn summary(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<34} {:>10} {:>10} {:>10} {:>10}",
        "all days", OURS, "B2b", "B2+B3+B5", "per queue"
    );
    let measures: [(&str, Measure); 11] = [
        ("stalls paged", |rows| found(rows, Group::Stalled)),
        ("other faults found", |rows| found(rows, Group::Broken)),
        ("minutes late, the worst stall", |rows| {
            let stalls = rows.iter().filter(|row| row.group == Group::Stalled);
            let most = stalls.filter_map(|row| row.late_minutes).map(|[_, _, most]| most).reduce(f64::max);
            most.map_or_else(dash, |most| format!("{most:.1}"))
        }),
        ("false pages a day, healthy days", |rows| false_pages(rows, true)),
        ("false pages a day, other days", |rows| false_pages(rows, false)),
        ("false recoveries", |rows| rows.iter().map(|row| row.false_recoveries).sum::<usize>().to_string()),
        ("cause that logs tell, named first", |rows| of(sums(rows, |row| row.decided))),
        ("cause they do not, among three", |rows| of(sums(rows, |row| row.undecided))),
        ("right on lost lines, days", |rows| of(sums(rows, |row| row.right_on_loss))),
        ("messages a week, healthy days", |rows| {
            let healthy: Vec<&&Row> = rows.iter().filter(|row| row.group == Group::Healthy).collect();
            #[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
            let (messages, days) = healthy.iter().fold((0.0, 0.0), |(messages, days), row| {
                (messages + row.messages_a_day * row.days as f64, days + row.days as f64)
            });
            let is_counted = days > 0.0 && healthy.iter().any(|row| row.by == OURS);
            if is_counted { format!("{:.2}", 7.0 * messages / days) } else { dash() }
        }),
        ("messages a fault", |rows| {
            let told = rows.iter().filter_map(|row| Some((row.found, row.messages_a_fault?)));
            #[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
            let (found, messages) = told
                .fold((0.0, 0.0), |(n, sum), (found, each)| (n + found as f64, sum + each * found as f64));
            if found == 0.0 { dash() } else { format!("{:.2}", messages / found) }
        }),
    ];
    for (measure, value) in measures {
        let _ = write!(text, "{measure:<34}");
        for by in [OURS, "B2b", "B2+B3+B5", "per queue"] {
            let mine: Vec<&Row> = rows.iter().filter(|row| row.by == by).collect();
            let _ = write!(text, " {:>10}", value(&mine));
        }
        text.push('\n');
    }
    text
}

fn sums(rows: &[&Row], counts: impl Fn(&Row) -> [usize; 2]) -> [usize; 2] {
    rows.iter().map(|row| counts(row)).fold([0, 0], |[all, some], [more, of_it]| [all + more, some + of_it])
}

fn found(rows: &[&Row], group: Group) -> String {
    of(sums(rows, |row| if row.group == group { [row.faults, row.found] } else { [0, 0] }))
}

fn false_pages(rows: &[&Row], is_healthy: bool) -> String {
    let mine = rows.iter().filter(|row| (row.group == Group::Healthy) == is_healthy);
    #[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
    let (pages, days) = mine.fold((0.0, 0.0), |(pages, days), row| {
        (pages + row.false_pages_a_day * row.days as f64, days + row.days as f64)
    });
    if days == 0.0 { dash() } else { format!("{:.2}", pages / days) }
}

fn dash() -> String {
    "-".to_owned()
}

fn of([all, some]: [usize; 2]) -> String {
    if all == 0 { dash() } else { format!("{some}/{all}") }
}

fn rate(a_day: f64) -> String {
    if a_day == 0.0 { dash() } else { format!("{a_day:.2}") }
}

/// `100% 6m ok2.0 FA1.5`: found, median minutes late, false recoveries a fault, false alarms a day.
fn cell(row: &Row) -> String {
    let mut parts = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
    if row.faults > 0 {
        let share = |count: usize| 100.0 * count as f64 / row.faults as f64;
        parts.push(format!("{:.0}%", share(row.found)));
        if row.rang_before > 0 {
            parts.push(format!("pre{:.0}%", share(row.rang_before)));
        }
        if let Some([_, median, _]) = row.late_minutes {
            parts.push(format!("{median:.0}m"));
        }
        if row.false_recoveries > 0 {
            parts.push(format!("ok{:.1}", row.false_recoveries as f64 / row.faults as f64));
        }
    }
    if row.false_pages_a_day > 0.0 {
        parts.push(format!("FA{:.1}", row.false_pages_a_day));
    }
    if parts.is_empty() { dash() } else { parts.join(" ") }
}

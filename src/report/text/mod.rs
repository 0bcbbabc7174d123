//! The report as people read it in a terminal: a first screen, or all of it.

mod brief;
mod head;
mod queues;
mod table;
mod timeline;
mod versus;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{IncidentRow, Report};
use crate::adapters::memory::Statistics;
use crate::domain::job::Timestamp;
use crate::domain::metric::{Dimensions, Kind, Metric};
use crate::domain::model::policy::Policy;
use crate::message::duration;
use crate::replay::Outcome;
use table::Table;

/// The colours of a terminal, or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    heading: Style,
    page: Style,
    warn: Style,
    good: Style,
    dim: Style,
}

impl Palette {
    /// For a terminal.
    #[must_use]
    pub const fn coloured() -> Self {
        Self {
            heading: Style::new().bold(),
            page: AnsiColor::Red.on_default().bold(),
            warn: AnsiColor::Yellow.on_default(),
            good: AnsiColor::Green.on_default(),
            dim: Style::new().dimmed(),
        }
    }

    /// The colour of a message.
    fn of(self, severity: &str, state: &str) -> Style {
        match (state, severity) {
            ("resolved", _) => self.good,
            (_, "page") => self.page,
            _ => self.warn,
        }
    }
}

/// Reminders shown one by one; a stall of weeks has one a day.
const REMINDERS_SHOWN_MAX: usize = 3;

/// How much of a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What fits a screen.
    Brief,
    /// All of it.
    Whole,
}

/// Prints a report. Writing to a string cannot fail; the results are let go.
#[must_use]
pub fn render(
    outcome: &Outcome,
    report: &Report,
    policy: &Policy,
    palette: Palette,
    detail: Detail,
) -> String {
    let mut text = String::new();
    match detail {
        Detail::Brief => brief::print(&mut text, outcome, report, policy, palette),
        Detail::Whole => whole(&mut text, outcome, report, policy, palette),
    }
    text
}

fn whole(text: &mut String, outcome: &Outcome, report: &Report, policy: &Policy, palette: Palette) {
    let heading = palette.heading;
    let _ = writeln!(text, "{heading}queuewatch replay{heading:#}, app \"{}\"", policy.app);
    let _ = writeln!(text, "{}\n{}", head::input(report), head::clock(outcome));
    head::late(text, report, palette);
    section(text, palette, "TIMELINE (UTC)");
    timeline::print(text, outcome, policy, palette);
    section(text, palette, "INCIDENTS");
    verdict(text, report, palette);
    if report.has_notified() {
        section(text, palette, "MESSAGES, as they would be sent");
        for incident in &report.incidents {
            messages(text, incident, palette);
        }
    }
    if let Some(rival) = &report.versus {
        section(text, palette, "VERSUS plain CloudWatch alarms on the same lines");
        text.push_str(&versus::table(report, rival).print(2, palette));
    }
    section(text, palette, "QUEUES (jobs, at the end of the replay)");
    text.push_str(&queues::table(outcome, policy).print(2, palette));
    section(text, palette, "LINES");
    let _ = writeln!(text, "  {}", lines(report));
    if !report.payloads.rejected.is_empty() {
        section(text, palette, "REJECTED PAYLOADS");
        rejected(text, report, palette);
    }
    section(text, palette, "METRICS (those that stayed at zero left out)");
    text.push_str(&metrics(outcome, &policy.app).print(2, palette));
    if !report.blind_spots.is_empty() {
        section(text, palette, "BLIND SPOTS");
        for spot in &report.blind_spots {
            let _ = writeln!(text, "  - {}", wrap(spot, 74, "    "));
        }
    }
}

/// Payloads told of one by one; a folder of something else has thousands.
const REJECTED_SHOWN_MAX: usize = 10;

fn rejected(text: &mut String, report: &Report, palette: Palette) {
    let rejected = &report.payloads.rejected;
    for row in rejected.iter().take(REJECTED_SHOWN_MAX) {
        let (warn, source) = (palette.warn, &row.source);
        let _ = writeln!(text, "  {warn}{}{warn:#}  {source}: {}", row.reason, row.detail);
    }
    let more = rejected.len().saturating_sub(REJECTED_SHOWN_MAX);
    if more > 0 {
        let _ = writeln!(text, "  and {}", count(more as u64, "more payload"));
    }
}

fn section(text: &mut String, palette: Palette, title: &str) {
    let heading = palette.heading;
    let _ = writeln!(text, "\n{heading}{title}{heading:#}");
}

/// `1 payload`, `7 payloads`.
fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `1 job is`, `7 jobs are`.
fn are(n: u64, what: &str) -> String {
    format!("{} {}", count(n, what), if n == 1 { "is" } else { "are" })
}

/// Lifecycle lines by what they print; what there was none of is left out.
fn lines(report: &Report) -> String {
    let counts = &report.counts;
    let all = [
        ("enqueued", counts.enqueued),
        ("processing", counts.processing),
        ("processed", counts.processed),
        ("failed", counts.failed),
        ("released", counts.released),
        ("enqueue errors", counts.enqueue_errors),
    ];
    let there = all.into_iter().filter(|(_, count)| *count > 0);
    let there: Vec<String> = there.map(|(name, count)| format!("{count} {name}")).collect();
    if there.is_empty() { "none of a job".to_owned() } else { there.join(", ") }
}

fn metrics(outcome: &Outcome, app: &str) -> Table {
    let mut table = Table::new(&["metric", "dimensions", ">shown as", ">value", "unit"]);
    let rows: Vec<_> = outcome.metrics.rows().filter(|(_, _, all, _)| all.max > 0).collect();
    // Of an app with one queue the row of the app says the same once more.
    let is_said_of_a_queue = |metric: Metric, all: &Statistics| {
        let mut of_queues =
            rows.iter().filter(|(it, of, ..)| *it == metric && matches!(of, Dimensions::Queue(_)));
        let only = of_queues.next().filter(|_| of_queues.next().is_none());
        only.is_some_and(|(_, _, of_queue, _)| of_queue == all)
    };
    for (metric, dimensions, all, _) in &rows {
        if **dimensions == Dimensions::App && is_said_of_a_queue(*metric, all) {
            continue;
        }
        let pairs: Vec<String> =
            dimensions.pairs(app).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (shown, value) = match metric.kind() {
            Kind::Counter => ("sum", all.sum),
            Kind::Gauge | Kind::Distribution => ("maximum", all.max),
        };
        let (value, unit) = match metric.unit() {
            "Milliseconds" if value >= 10_000 => (duration(value), String::new()),
            unit => (value.to_string(), unit.to_lowercase()),
        };
        table.row(vec![metric.name().to_owned(), pairs.join(" "), shown.to_owned(), value, unit]);
    }
    table
}

/// What went wrong, or that nothing did — which an app without enqueue lines is never told.
fn verdict(text: &mut String, report: &Report, palette: Palette) {
    if report.incidents.is_empty() {
        let (good, warn) = (palette.good, palette.warn);
        let _ = if report.counts.enqueued > 0 && report.pending.overdue == 0 {
            writeln!(text, "  {good}none{good:#}")
        } else if report.counts.enqueued > 0 {
            writeln!(text, "  {warn}none opened, but {} overdue{warn:#}", are(report.pending.overdue, "job"))
        } else {
            writeln!(text, "  {warn}none, and none could be seen: no enqueue line has ever matched{warn:#}")
        };
    }
    for incident in &report.incidents {
        let style = if incident.severity == "page" { palette.page } else { palette.warn };
        let state = match incident.resolved_at {
            Some(at) => format!("resolved {}", short(at.0)),
            None => "open at the end".to_owned(),
        };
        let jobs = match incident.jobs_count {
            0 => String::new(),
            n => format!(", {}", count(n, "job")),
        };
        let after = if incident.after_end { ", after the last line" } else { "" };
        let _ = writeln!(
            text,
            "  {style}{:<5}{style:#} {}\n        opened {}{after}, {state}{jobs}",
            incident.severity.to_uppercase(),
            incident.id,
            short(incident.opened_at.0),
        );
    }
}

fn messages(text: &mut String, incident: &IncidentRow, palette: Palette) {
    let dim = palette.dim;
    let mut reminders: usize = 0;
    for said in &incident.notifications {
        let style = palette.of(incident.severity, said.state);
        if said.state == "reminder" {
            reminders = reminders.saturating_add(1);
            if reminders <= REMINDERS_SHOWN_MAX {
                let _ =
                    writeln!(text, "  {dim}{}{dim:#}  {style}{}{style:#}", short(said.at.0), said.subject);
            }
            continue;
        }
        let _ = writeln!(text, "  {dim}{}{dim:#}  {style}{}{style:#}", short(said.at.0), said.subject);
        for line in said.body.lines() {
            let _ = writeln!(text, "{}{line}", if line.is_empty() { "" } else { "      " });
        }
    }
    if reminders > REMINDERS_SHOWN_MAX {
        let more = reminders.saturating_sub(REMINDERS_SHOWN_MAX);
        let _ = writeln!(text, "  {dim}and {}{dim:#}", count(more as u64, "more reminder"));
    }
}

/// `2025-12-06 12:37:00`, UTC.
fn short(at: Timestamp) -> String {
    at.to_string().chars().take(19).collect::<String>().replace('T', " ")
}

/// Breaks at spaces, so that lines keep to about `width` columns.
fn wrap(text: &str, width: usize, indent: &str) -> String {
    let mut wrapped = String::new();
    let mut column: usize = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column.saturating_add(length) > width {
            wrapped.push('\n');
            wrapped.push_str(indent);
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column = column.saturating_add(1);
        }
        wrapped.push_str(word);
        column = column.saturating_add(length);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_only() {
        assert_eq!(wrap("one two three", 8, "  "), "one two\n  three");
        assert_eq!(wrap("averylongword", 4, "  "), "averylongword");
    }
}

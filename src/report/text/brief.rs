//! The first screen of a report: a verdict, what was said, the first message up to its last step, each queue in a line.
//!
//! **Invariant:** messages, queues and rejected payloads end after a few, and say how many more there are. Blind spots are
//! all told: what cannot be seen decides what the rest is worth.

use std::fmt::Write;

use super::{Palette, are, count, head, queues, rejected, short, versus, wrap};
use crate::domain::model::policy::Policy;
use crate::message::up_to_the_steps;
use crate::replay::Outcome;
use crate::report::{IncidentRow, NotificationRow, Report};

/// Messages named; the verdict counts all.
const NAMED_MAX: usize = 8;
/// Queues told of.
const QUEUES_MAX: usize = 6;

pub(super) fn print(
    text: &mut String,
    outcome: &Outcome,
    report: &Report,
    policy: &Policy,
    palette: Palette,
) {
    let (style, verdict) = verdict(report, palette);
    let _ = writeln!(text, "{style}{verdict}{style:#}");
    let dim = palette.dim;
    let _ = writeln!(text, "{dim}{}{dim:#}", head::input(report));
    head::late(text, report, palette);
    if !report.payloads.rejected.is_empty() {
        let _ = writeln!(text);
        rejected(text, report, palette);
    }
    let said = said(report);
    if !said.is_empty() {
        let _ = writeln!(text);
        headlines(text, &said, palette);
    }
    let first = first(&said).map(|(_, first)| first);
    if let Some((first, sections)) = first.and_then(|first| Some((first, outcome.said.get(&first.id)?))) {
        let _ = writeln!(text, "\n{dim}As it is sent at {} UTC:{dim:#}\n", short(first.at.0));
        for line in up_to_the_steps(sections).lines() {
            let _ = writeln!(text, "{}{line}", if line.is_empty() { "" } else { "  " });
        }
    }
    let queues = queues::sentences(outcome, policy);
    if !queues.is_empty() {
        let _ = writeln!(text);
    }
    for queue in queues.iter().take(QUEUES_MAX) {
        let _ = writeln!(text, "{queue}");
    }
    more(text, queues.len(), QUEUES_MAX, "queue");
    // Of an empty file everything is unseen.
    for spot in report.blind_spots.iter().filter(|_| report.lines.read > 0) {
        let _ = writeln!(text, "{}", wrap(&format!("Not to be seen: {spot}"), 96, "  "));
    }
    if let Some(rival) = &report.versus {
        let heading = palette.heading;
        let _ = writeln!(text, "\n{heading}VERSUS plain CloudWatch alarms on the same lines{heading:#}");
        text.push_str(&versus::table(report, rival).print(2, palette));
    }
    if report.lines.read > 0 {
        let _ = writeln!(
            text,
            "\n{dim}--details adds the timeline, every message whole, queues and metrics; --report FILE.html draws \
             them{dim:#}"
        );
    }
}

type Said<'a> = (&'a IncidentRow, &'a NotificationRow);

/// What was said, in the order of time.
fn said(report: &Report) -> Vec<Said<'_>> {
    let of = |incident| move |said| (incident, said);
    let all = report
        .incidents
        .iter()
        .flat_map(|incident: &IncidentRow| incident.notifications.iter().map(of(incident)));
    let mut all: Vec<Said<'_>> = all.collect();
    all.sort_by_key(|(_, said)| said.at.0);
    all
}

/// The message to show: the first page, or where there is none the first warning.
fn first<'a>(said: &[Said<'a>]) -> Option<Said<'a>> {
    let is_page = |(incident, _): &&Said<'_>| incident.severity == "page";
    said.iter().find(is_page).or_else(|| said.first()).copied()
}

fn headlines(text: &mut String, said: &[Said<'_>], palette: Palette) {
    let told: Vec<_> = said.iter().filter(|(_, said)| said.state != "reminder").collect();
    for (incident, said) in told.iter().take(NAMED_MAX) {
        let style = palette.of(incident.severity, said.state);
        let at = short(said.at.0);
        let minute = at.get(..16).unwrap_or(&at);
        let after = if incident.after_end && said.state == "firing" { ", after the last line" } else { "" };
        let dim = palette.dim;
        let _ = writeln!(text, "{dim}{minute}{dim:#}  {style}{}{style:#}{after}", said.subject);
    }
    more(text, told.len(), NAMED_MAX, "message");
    let reminders = said.len().saturating_sub(told.len());
    if reminders > 0 {
        let _ = writeln!(text, "and {} while it lasted", count(reminders as u64, "reminder"));
    }
}

fn more(text: &mut String, all: usize, shown: usize, what: &str) {
    let more = all.saturating_sub(shown);
    if more > 0 {
        let _ = writeln!(text, "and {}", count(more as u64, &format!("more {what}")));
    }
}

/// What went wrong, or that nothing did — which an app without enqueue lines is never told.
fn verdict(report: &Report, palette: Palette) -> (anstyle::Style, String) {
    let told = report.incidents.iter().filter(|incident| !incident.notifications.is_empty());
    let of = |severity: &str| told.clone().filter(|incident| incident.severity == severity).count() as u64;
    let (pages, warnings) = (of("page"), of("warn"));
    let open = told.clone().filter(|incident| incident.resolved_at.is_none()).count() as u64;
    let style = if pages > 0 { palette.page } else { palette.warn };
    let said = match (pages, warnings) {
        (0, 0) => return (palette.nothing_told(report), nothing_told(report)),
        (pages, 0) => count(pages, "page"),
        (0, warnings) => count(warnings, "warning"),
        (pages, warnings) => format!("{} and {}", count(pages, "page"), count(warnings, "warning")),
    };
    let all = pages.saturating_add(warnings);
    let state = match (all, open) {
        (_, 0) => "over at the end".to_owned(),
        (1, _) => "open at the end".to_owned(),
        (_, open) => format!("{open} of them open at the end"),
    };
    (style, format!("{said}, {state}."))
}

impl Palette {
    const fn nothing_told(self, report: &Report) -> anstyle::Style {
        let is_fine =
            report.incidents.is_empty() && report.counts.enqueued > 0 && report.pending.overdue == 0;
        if is_fine { self.good } else { self.warn }
    }
}

fn nothing_told(report: &Report) -> String {
    let counts = &report.counts;
    if !report.incidents.is_empty() {
        return format!("{}, and nobody was told of it.", count(report.incidents.len() as u64, "incident"));
    }
    if report.lines.read == 0 {
        return "Nothing to judge: no log line was read.".to_owned();
    }
    if counts.enqueued == 0 {
        return "Nothing to judge: no line says that a job was enqueued, so no stall could be seen."
            .to_owned();
    }
    if report.pending.overdue > 0 {
        return format!("No alarm, but {} overdue.", are(report.pending.overdue, "job"));
    }
    format!("No alarm: {} enqueued, none overdue.", count(counts.enqueued, "job"))
}

//! When each incident was open, and beneath it when plain alarms rang.

use std::fmt::Write as _;

use super::super::IncidentRow;
use super::super::versus::Versus;
use super::Canvas;
use super::html::{self, escape};
use crate::domain::job::Timestamp;

/// Incidents that have a band of their own.
const INCIDENTS_MAX: usize = 60;
/// The least width that can be seen and pointed at, in thousandths of the chart.
const WIDTH_MIN: f64 = 4.0;

/// Writes a band for each incident and each plain alarm.
pub(super) fn write(text: &mut String, canvas: &Canvas<'_>) {
    let report = canvas.report;
    text.push_str("<section>\n<h2>Incidents</h2>\n<figure class=\"bands\">\n");
    if report.incidents.is_empty() {
        text.push_str("<p class=\"calm\">None.</p>\n");
    }
    for incident in report.incidents.iter().take(INCIDENTS_MAX) {
        row(text, canvas, incident);
    }
    let more = report.incidents.len().saturating_sub(INCIDENTS_MAX);
    if more > 0 {
        let _ = writeln!(text, "<p class=\"note\">and {}</p>", html::count(more as u64, "more incident"));
    }
    if let Some(rival) = &report.versus {
        rivals(text, canvas, rival);
    }
    text.push_str(&canvas.span.axis(canvas.clock));
    text.push_str("</figure>\n</section>\n");
}

fn row(text: &mut String, canvas: &Canvas<'_>, incident: &IncidentRow) {
    let clock = canvas.clock;
    let end = incident.resolved_at.map(|at| at.0);
    let until = end.map_or_else(|| "open at the end".to_owned(), |at| format!("over {}", clock.second(at)));
    let cause = incident.diagnosis.as_ref().map_or_else(String::new, |diagnosis| {
        format!("{} {}; ", if diagnosis.certain { "cause" } else { "likely" }, diagnosis.cause)
    });
    let jobs = match incident.jobs_count {
        0 => String::new(),
        n => format!("{}; ", html::count(n, "job")),
    };
    let grouped =
        incident.grouped_under.as_ref().map_or_else(String::new, |leader| format!("; told with {leader}"));
    let _ = write!(
        text,
        "<div class=\"band {severity}\"><p><b>{severity}</b> {id}</p>{track}<p class=\"note\">{about}</p></div>\n",
        severity = incident.severity,
        id = escape(&incident.id),
        track = track(canvas, &[(incident.opened_at.0, end)], &incident.id),
        about =
            escape(&format!("{cause}{jobs}opened {}, {until}{grouped}", clock.second(incident.opened_at.0))),
    );
}

/// The plain alarms: a band for each that rang, and the names of those that never did.
fn rivals(text: &mut String, canvas: &Canvas<'_>, rival: &Versus) {
    text.push_str("<h3>Plain CloudWatch alarms on the same lines</h3>\n");
    let (rang, never): (Vec<_>, Vec<_>) = rival.alarms.iter().partition(|alarm| !alarm.spells.is_empty());
    for alarm in rang {
        let spells: Vec<(Timestamp, Option<Timestamp>)> =
            alarm.spells.iter().map(|spell| (spell.alarm_at.0, spell.ok_at.map(|at| at.0))).collect();
        let first = spells.first().map_or_else(String::new, |(at, _)| canvas.clock.second(*at));
        let when = match spells.len() {
            1 => format!("rang {first}"),
            n => format!("rang {}, first {first}", html::count(n as u64, "time")),
        };
        let _ = writeln!(
            text,
            "<div class=\"band rival\"><p><b>{}</b> {}</p>{}<p class=\"note\">{}</p></div>",
            escape(&alarm.name),
            escape(alarm.what),
            track(canvas, &spells, &alarm.name),
            escape(&when),
        );
    }
    if !never.is_empty() {
        let names: Vec<String> = never
            .iter()
            .map(|alarm| format!("<b>{}</b> {}", escape(&alarm.name), escape(alarm.what)))
            .collect();
        let _ = writeln!(text, "<p class=\"note\">Never rang: {}.</p>", names.join("; "));
    }
}

/// Stretches of time, of which one without an end goes to the edge.
fn track(canvas: &Canvas<'_>, stretches: &[(Timestamp, Option<Timestamp>)], name: &str) -> String {
    let mut path = String::new();
    let mut reached = -1.0_f64;
    for (from, to) in stretches {
        let (left, right) = edges(canvas, *from, *to);
        // Hundreds of rings within one pixel are one.
        if right <= reached {
            continue;
        }
        reached = right;
        let _ = write!(path, "M{left:.1} 0H{right:.1}V10H{left:.1}Z");
    }
    format!(
        "<svg class=\"track\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\"><path d=\"{path}\"/></svg>",
        escape(name)
    )
}

fn edges(canvas: &Canvas<'_>, from: Timestamp, to: Option<Timestamp>) -> (f64, f64) {
    let span = canvas.span;
    let left = (span.percent(from) * 10.0).min(1000.0 - WIDTH_MIN);
    let right = to.map_or(1000.0, |to| span.percent(to) * 10.0).max(left + WIDTH_MIN);
    (left, right)
}

/// The incidents of a queue, to stand behind its chart; those of the app where `queue` is none.
pub(super) fn behind(canvas: &Canvas<'_>, queue: Option<&str>) -> String {
    let mut shown = String::new();
    for incident in canvas.report.incidents.iter().take(INCIDENTS_MAX) {
        let is_named = incident.queues.iter().any(|name| Some(name.as_str()) == queue);
        if incident.queue.as_deref() != queue && !is_named {
            continue;
        }
        let end = incident.resolved_at.map(|at| at.0);
        let (left, right) = edges(canvas, incident.opened_at.0, end);
        let _ = write!(
            shown,
            "<rect class=\"{}\" x=\"{left:.1}\" y=\"0\" width=\"{:.1}\" height=\"100\"><title>{}</title></rect>",
            incident.severity,
            right - left,
            escape(&incident.id)
        );
    }
    shown
}

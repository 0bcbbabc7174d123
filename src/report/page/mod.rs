//! The report as one page for a post-mortem: charts, bands, lifelines and the messages as people got them.
//!
//! One file with its style inside: no script, no picture and no font is fetched, so it can be mailed, kept and printed.
//! **Invariant:** every word that came from a log line goes through `html::escape`, and nothing of the page grows with
//! the number of jobs but its numbers: charts have a fixed number of steps, and lists an end.

mod bands;
mod chat;
mod clock;
mod html;
mod lifelines;
mod messages;
mod queues;
mod series;
mod span;

use std::collections::BTreeMap;

use super::Report;
use crate::domain::job::Timestamp;
use crate::domain::model::channel::Channel;
use crate::domain::model::policy::{Language, Policy};
use crate::domain::outbox::OutgoingMessage;
use clock::Clock;
use html::escape;
use span::Span;

/// What the page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What was found, with every job and every minute.
    pub report: &'a Report,
    /// The graces, the zone and the language.
    pub policy: &'a Policy,
    /// What was sent, of which the chat's part is shown beside the mail.
    pub sent: &'a [OutgoingMessage],
    /// When the last line came; without one, there is no time to draw.
    pub last_delivery: Option<Timestamp>,
}

/// What every part of the page draws with.
#[derive(Clone, Copy)]
struct Canvas<'a> {
    report: &'a Report,
    policy: &'a Policy,
    clock: &'a Clock,
    span: Span,
}

/// Writes the page.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let Page { report, policy, .. } = *page;
    let clock = Clock::of(&policy.timezone);
    let span = Span::of(report, page.last_delivery);
    let canvas = Canvas { report, policy, clock: &clock, span };
    let chats: BTreeMap<&str, &str> = page
        .sent
        .iter()
        .filter(|message| message.channel == Channel::Chat)
        .map(|message| (message.notification.as_str(), message.body.as_str()))
        .collect();
    let title = format!("queuewatch: {}, {}", policy.app, clock.range(span.from, span.to));
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
        escape(&title),
        include_str!("page.css"),
    );
    head(&mut text, &canvas);
    if page.last_delivery.is_some() {
        bands::write(&mut text, &canvas);
        queues::write(&mut text, &canvas);
        lifelines::write(&mut text, &canvas);
    }
    let language = if policy.language == Language::Ja { "ja" } else { "en" };
    messages::write(&mut text, &canvas, &chats, language);
    foot(&mut text, &canvas);
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

/// What is to be known before anything is read: the verdict, and the numbers.
fn head(text: &mut String, canvas: &Canvas<'_>) {
    let Canvas { report, policy, clock, span } = *canvas;
    let when = clock.range(span.from, span.to);
    text.push_str(&format!(
        "<header>\n<p class=\"kicker\">queuewatch replay</p>\n<h1>{}</h1>\n<p class=\"when\">{} \
         <span class=\"zone\">{}</span></p>\n<p class=\"verdict {}\">{}</p>\n<dl class=\"tiles\">\n",
        escape(&policy.app),
        escape(&when),
        escape(&clock.zone_at(span.to)),
        if report.incidents.is_empty() && report.pending.overdue == 0 { "calm" } else { "loud" },
        escape(&verdict(report)),
    ));
    let counts = &report.counts;
    for (name, value) in [
        ("enqueued", counts.enqueued),
        ("started", counts.processing),
        ("processed", counts.processed),
        ("failed", counts.failed),
        ("waiting at the end", report.pending.jobs),
        ("of them overdue", report.pending.overdue),
        ("unknown", report.pending.unknown),
        ("enqueues refused", counts.enqueue_errors),
    ] {
        text.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", html::grouped(value)));
    }
    text.push_str("</dl>\n</header>\n");
}

/// `2 incidents: 1 page, 1 warning. 7 jobs are overdue at the end.`
fn verdict(report: &Report) -> String {
    let pages = report.incidents.iter().filter(|incident| incident.severity == "page").count() as u64;
    let warnings = (report.incidents.len() as u64).saturating_sub(pages);
    let open = report.incidents.iter().filter(|incident| incident.resolved_at.is_none()).count() as u64;
    let overdue = report.pending.overdue;
    let late = match overdue {
        0 => String::new(),
        1 => " 1 job is overdue at the end.".to_owned(),
        n => format!(" {} jobs are overdue at the end.", html::grouped(n)),
    };
    if report.incidents.is_empty() {
        return if report.counts.enqueued == 0 {
            "No incident, and none could be seen: no enqueue line has ever matched.".to_owned()
        } else {
            format!("No incident.{late}")
        };
    }
    let parts: Vec<String> = [(pages, "page"), (warnings, "warning")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| html::count(n, what))
        .collect();
    let all = html::count(report.incidents.len() as u64, "incident");
    let still = match open {
        0 => String::new(),
        1 => " 1 is open at the end.".to_owned(),
        n => format!(" {n} are open at the end."),
    };
    format!("{all}: {}.{still}{late}", parts.join(", "))
}

/// What was read, and what it cannot show.
fn foot(text: &mut String, canvas: &Canvas<'_>) {
    let report = canvas.report;
    text.push_str("<section>\n<h2>What these logs cannot show</h2>\n");
    if report.blind_spots.is_empty() {
        text.push_str("<p>No blind spot was found.</p>\n");
    } else {
        text.push_str("<ul>\n");
        for spot in &report.blind_spots {
            text.push_str(&format!("<li>{}</li>\n", escape(spot)));
        }
        text.push_str("</ul>\n");
    }
    let (payloads, lines) = (&report.payloads, &report.lines);
    let mut read = format!(
        "Read: {}, {}, {} about queues and workers",
        html::count(payloads.read, "payload"),
        html::count(lines.read, "log line"),
        html::grouped(lines.classified),
    );
    for (n, what) in [
        (payloads.duplicate, "delivered once more"),
        (payloads.rejected.len() as u64, "not opened"),
        (lines.late, "lines stamped too far from the rest"),
    ] {
        if n > 0 {
            read.push_str(&format!("; {} {what}", html::grouped(n)));
        }
    }
    text.push_str(&format!("<p class=\"note\">{}.</p>\n</section>\n", escape(&read)));
}

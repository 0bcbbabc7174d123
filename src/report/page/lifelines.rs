//! The lives of the jobs that fared worst: when each was ready, started and ended.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::super::JobRow;
use super::Canvas;
use super::html::{self, escape};
use crate::domain::job::{JobClass, QueueName, Timestamp};
use crate::message::duration;

/// Lifelines shown.
const SHOWN_MAX: usize = 24;
/// The least width that can be seen, in thousandths of the chart.
const WIDTH_MIN: f64 = 3.0;

/// A job in trouble, and how much.
struct Life<'a> {
    job: &'a JobRow,
    /// From ready to the start, or to the end of what is known.
    wait: Option<(Timestamp, Timestamp)>,
    /// From the start to the end, or to the end of what is known.
    run: Option<(Timestamp, Timestamp)>,
    /// How far the wait went beyond the grace, or how long the attempt has not ended.
    trouble_ms: i64,
}

impl<'a> Life<'a> {
    fn of(canvas: &Canvas<'_>, job: &'a JobRow) -> Self {
        let end = canvas.report.ends_at.0;
        let (ready, started) = (job.ready_at.map(|at| at.0), job.started_at.map(|at| at.0));
        let settled = job.settled_at.map(|at| at.0);
        let is_waiting = matches!(job.state, "pending" | "released");
        let wait = ready.map(|ready| {
            // A job that was put back waits again, whenever it was started before.
            let over = if is_waiting { end } else { started.or(settled).unwrap_or(end) };
            (ready, over.max(ready))
        });
        let run = started.map(|started| {
            let over = if job.state == "running" { end } else { settled.unwrap_or(started) };
            (started, over.max(started))
        });
        let names = (job.queue.as_deref().map(QueueName::from), job.class.as_deref().map(JobClass::from));
        let grace_ms = canvas.policy.grace_ms(names.0.as_ref(), names.1.as_ref());
        let late_ms = wait.map_or(0, |(from, to)| to.since_ms(from).saturating_sub(grace_ms)).max(0);
        let running = run.filter(|_| job.state == "running").map_or(0, |(from, to)| to.since_ms(from));
        Self { job, wait, run, trouble_ms: late_ms.max(running) }
    }

    fn is_in_trouble(&self) -> bool {
        self.trouble_ms > 0 || self.job.state == "failed"
    }
}

/// Writes the lifelines, the worst first.
pub(super) fn write(text: &mut String, canvas: &Canvas<'_>) {
    let jobs = canvas.report.jobs.as_deref().unwrap_or_default();
    let mut lives: Vec<Life<'_>> =
        jobs.iter().map(|job| Life::of(canvas, job)).filter(Life::is_in_trouble).collect();
    // A stable sort: what is equally bad stays in the order of the jobs.
    lives.sort_by_key(|life| Reverse(life.trouble_ms));
    text.push_str("<section>\n<h2>The jobs that fared worst</h2>\n");
    if lives.is_empty() {
        text.push_str(
            "<p class=\"calm\">No job waited longer than its grace, none failed, and none is running.</p>\n",
        );
        text.push_str("</section>\n");
        return;
    }
    let _ = writeln!(
        text,
        "<p class=\"note\">{}{}. <span class=\"key wait\"></span> waited <span class=\"key run\"></span> ran. \
         Signs: ✓ processed, ✕ failed, … still waiting, ▸ still running, ? not known.</p>\n<figure class=\"lives\">",
        html::count(lives.len() as u64, "job"),
        if lives.len() > SHOWN_MAX { format!(", of which {SHOWN_MAX} are shown") } else { String::new() },
    );
    for life in lives.iter().take(SHOWN_MAX) {
        row(text, canvas, life);
    }
    text.push_str(&canvas.span.axis(canvas.clock));
    text.push_str("</figure>\n</section>\n");
}

fn row(text: &mut String, canvas: &Canvas<'_>, life: &Life<'_>) {
    let job = life.job;
    let (sign, state) = match job.state {
        "processed" => ("✓", "processed"),
        "failed" => ("✕", "failed"),
        "running" => ("▸", "still running"),
        "pending" => ("…", "still waiting"),
        "released" => ("…", "put back, still waiting"),
        _ => ("?", "not known what became of it"),
    };
    let class = job.class.as_deref().unwrap_or("job without a name");
    // The short name is enough to tell them apart on a phone; the whole one is in the tooltip.
    let short = class.rsplit('\\').next().unwrap_or(class);
    let name = job.uuid.as_deref().or(job.id.as_deref()).unwrap_or("");
    let waited = life.wait.map(|(from, to)| format!("waited {}", duration(to.since_ms(from))));
    let ran = life
        .run
        .filter(|(from, to)| to > from)
        .map(|(from, to)| format!("ran {}", duration(to.since_ms(from))));
    let place = job.queue.as_ref().map(|queue| format!("on {queue}"));
    let since = job.enqueued_at.map(|at| format!("enqueued {}", canvas.clock.second(at.0)));
    let told: Vec<String> = [place, since, waited, ran].into_iter().flatten().collect();
    let _ = writeln!(
        text,
        "<div class=\"life {}\"><p><b title=\"{}\">{}</b> <code>{}</code></p>\
         <svg class=\"track\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">{}</svg><p class=\"note\"><span class=\"sign\">{sign}</span> {state}; {}</p></div>",
        job.state,
        escape(class),
        escape(short),
        escape(name),
        escape(&told.join(", ")),
        tracks(canvas, life),
        escape(&told.join(", ")),
    );
}

fn tracks(canvas: &Canvas<'_>, life: &Life<'_>) -> String {
    let span = canvas.span;
    let mut shown = String::new();
    for (class, stretch, y, height) in [("wait", life.wait, 2.0, 6.0), ("run", life.run, 0.0, 10.0)] {
        let Some((from, to)) = stretch else { continue };
        let left = (span.percent(from) * 10.0).min(1000.0 - WIDTH_MIN);
        let width = (span.percent(to) * 10.0 - left).max(WIDTH_MIN);
        let _ = write!(
            shown,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\"/>"
        );
    }
    shown
}

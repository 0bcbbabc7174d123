//! Queue by queue: how long the oldest job waited against its grace, and what came, started and ended.

use std::fmt::Write as _;

use super::Canvas;
use super::bands;
use super::html::{self, escape};
use super::series::{self, Counted, Point};
use super::span::Span;
use crate::domain::job::{MINUTE_MS, QueueName};
use crate::message::duration;

/// Queues that are drawn; who has more looks at the longest waits first.
const DRAWN_MAX: usize = 12;
/// Names of queues that are not drawn.
const NAMED_MAX: usize = 40;

/// A queue, and how it fared.
struct Queue<'a> {
    /// `None` for the whole app.
    name: Option<&'a str>,
    grace_ms: i64,
    oldest: Vec<Point>,
    longest_ms: i64,
    enqueued: Counted,
    started: Counted,
    processed: Counted,
    failed: Counted,
}

impl<'a> Queue<'a> {
    fn of(canvas: &Canvas<'a>, name: Option<&'a str>) -> Self {
        let (report, span) = (canvas.report, canvas.span);
        let queue = name.map(QueueName::from);
        let counted = |metric: &str| series::counted(report, metric, name, span);
        let oldest = series::oldest(report, name);
        Self {
            name,
            grace_ms: canvas.policy.grace_ms(queue.as_ref(), None),
            longest_ms: oldest.iter().map(|(_, age_ms)| *age_ms).max().unwrap_or(0),
            oldest: series::thinned(oldest, span),
            enqueued: counted("Enqueued"),
            started: counted("Processing"),
            processed: counted("Processed"),
            failed: counted("Failed"),
        }
    }

    fn is_late(&self) -> bool {
        self.longest_ms > self.grace_ms
    }

    fn lines(&self) -> i64 {
        self.enqueued.sum.saturating_add(self.started.sum).saturating_add(self.processed.sum)
    }
}

/// Writes a chart for each queue, the one that waited longest first.
pub(super) fn write(text: &mut String, canvas: &Canvas<'_>) {
    let mut queues: Vec<Queue<'_>> =
        series::queues(canvas.report).into_iter().map(|name| Queue::of(canvas, Some(name))).collect();
    if queues.is_empty() {
        queues.push(Queue::of(canvas, None));
    }
    let over = |queue: &Queue<'_>| queue.longest_ms.saturating_sub(queue.grace_ms).max(0);
    queues.sort_by_key(|queue| std::cmp::Reverse((over(queue), queue.longest_ms, queue.lines())));
    text.push_str(
        "<section>\n<h2>Queues</h2>\n<p class=\"note\">Above: how long the oldest ready job had waited, ",
    );
    text.push_str("the dashed line is the grace. Below: jobs each minute");
    if canvas.span.step_ms() > MINUTE_MS {
        text.push_str(&format!(", on average over {}", canvas.span.step_in_words()));
    }
    text.push_str(". Times in all charts stand below each other.</p>\n");
    for queue in queues.iter().take(DRAWN_MAX) {
        figure(text, canvas, queue);
    }
    let rest: Vec<String> = queues
        .iter()
        .skip(DRAWN_MAX)
        .take(NAMED_MAX)
        .map(|queue| escape(queue.name.unwrap_or("all queues")))
        .collect();
    if !rest.is_empty() {
        let more = queues.len().saturating_sub(DRAWN_MAX);
        let _ = writeln!(
            text,
            "<p class=\"note\">{} with shorter waits: {}.</p>",
            html::count(more as u64, "more queue"),
            rest.join(", ")
        );
    }
    text.push_str("</section>\n");
}

fn figure(text: &mut String, canvas: &Canvas<'_>, queue: &Queue<'_>) {
    let name = escape(queue.name.unwrap_or("all queues"));
    let (longest, grace) = (duration(queue.longest_ms), duration(queue.grace_ms));
    let state = if queue.is_late() { "loud" } else { "calm" };
    let _ = writeln!(
        text,
        "<figure class=\"queue\">\n<figcaption><h3>{name}</h3><p class=\"{state}\">longest wait <b>{longest}</b>, \
         grace {grace}</p></figcaption>"
    );
    age(text, canvas, queue);
    let span = canvas.span;
    bars(text, span, "enqueued", &queue.enqueued, None);
    bars(text, span, "started", &queue.started, None);
    bars(text, span, "ended", &queue.processed, Some(&queue.failed));
    text.push_str(&span.axis(canvas.clock));
    text.push_str("</figure>\n");
}

/// The age of the oldest job, with what is above the grace in another colour, and the incidents behind it.
fn age(text: &mut String, canvas: &Canvas<'_>, queue: &Queue<'_>) {
    let span = canvas.span;
    let top_ms = (queue.longest_ms.max(queue.grace_ms) as f64 * 1.15).max(1.0);
    let height = |age_ms: i64| 100.0 - age_ms as f64 / top_ms * 100.0;
    let grace_y = height(queue.grace_ms);
    let mut line = String::new();
    for (at, age_ms) in &queue.oldest {
        let pen = if line.is_empty() { 'M' } else { 'L' };
        let _ = write!(line, "{pen}{:.1} {:.1}", span.percent(*at) * 10.0, height(*age_ms));
    }
    let ends = queue.oldest.first().zip(queue.oldest.last());
    let area = ends.map_or_else(String::new, |(first, last)| {
        let (left, right) = (span.percent(first.0) * 10.0, span.percent(last.0) * 10.0);
        format!("{line}L{right:.1} 100L{left:.1} 100Z")
    });
    let label = format!(
        "Age of the oldest waiting job on {}: at most {}, grace {}",
        queue.name.unwrap_or("all queues"),
        duration(queue.longest_ms),
        duration(queue.grace_ms)
    );
    let _ = write!(
        text,
        "<div class=\"age\"><svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">{}",
        escape(&label),
        bands::behind(canvas, queue.name),
    );
    // Two windows onto one area: what lies below the grace, and what lies above it.
    let below = (100.0 - grace_y).max(0.0);
    let _ = writeln!(
        text,
        "<svg y=\"{grace_y:.1}\" width=\"1000\" height=\"{below:.1}\" viewBox=\"0 {grace_y:.1} 1000 {below:.1}\" \
         preserveAspectRatio=\"none\"><path class=\"wait\" d=\"{area}\"/></svg>\
         <svg width=\"1000\" height=\"{grace_y:.1}\" viewBox=\"0 0 1000 {grace_y:.1}\" \
         preserveAspectRatio=\"none\"><path class=\"late\" d=\"{area}\"/></svg>\
         <path class=\"edge\" d=\"{line}\"/><path class=\"grace\" d=\"M0 {grace_y:.1}H1000\"/></svg>\
         <span class=\"mark\" style=\"top:{grace_y:.1}%\">grace {}</span></div>",
        duration(queue.grace_ms)
    );
}

/// Bars of a counter; `bad` stands on top of the good ones.
fn bars(text: &mut String, span: Span, name: &str, good: &Counted, bad: Option<&Counted>) {
    let minutes = (span.step_ms().wrapping_div(MINUTE_MS)).max(1) as f64;
    let none = Counted::default();
    let bad = bad.unwrap_or(&none);
    let at = |counted: &Counted, step: usize| counted.steps.get(step).copied().unwrap_or(0);
    let both = |step: usize| at(good, step).saturating_add(at(bad, step));
    let most = (0..good.steps.len()).map(both).max().unwrap_or(0);
    let top = most.max(1) as f64;
    let width = span.step_ms() as f64 / span.length_ms() as f64 * 1000.0;
    let (mut plain, mut failed) = (String::new(), String::new());
    for step in 0..good.steps.len() {
        let (up, more) = (at(good, step) as f64 / top * 92.0, at(bad, step) as f64 / top * 92.0);
        let left = step as f64 * width;
        let wide = (width * 0.86).min(1000.0 - left);
        if wide <= 0.0 {
            continue;
        }
        if up > 0.0 {
            let _ = write!(plain, "M{left:.1} 100v-{up:.1}h{wide:.1}v{up:.1}z");
        }
        if more > 0.0 {
            let _ = write!(failed, "M{left:.1} {:.1}v-{more:.1}h{wide:.1}v{more:.1}z", 100.0 - up);
        }
    }
    let sum = good.sum.saturating_add(bad.sum);
    let failures = if bad.sum > 0 {
        format!(", <b class=\"bad\">{} failed</b>", html::grouped(bad.sum.unsigned_abs()))
    } else {
        String::new()
    };
    let peak =
        if most > 0 { format!(", at most {} a minute", rate(most as f64 / minutes)) } else { String::new() };
    let _ = writeln!(
        text,
        "<div class=\"bars {name}\"><p>{name} <b>{}</b>{failures}<i>{peak}</i></p><svg viewBox=\"0 0 1000 100\" \
         preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{name} each minute: {sum} in all{peak}\">\
         <path d=\"{plain}\"/><path class=\"failed\" d=\"{failed}\"/></svg></div>",
        html::grouped(sum.unsigned_abs()),
    );
}

/// `12`, and below ten `0.4`.
fn rate(per_minute: f64) -> String {
    let shown = if per_minute < 10.0 { format!("{per_minute:.1}") } else { format!("{per_minute:.0}") };
    shown.strip_suffix(".0").map_or(shown.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_as_exact_as_it_is_small() {
        assert_eq!([0.4, 3.0, 9.96, 12.4].map(rate), ["0.4", "3", "10", "12"]);
    }
}

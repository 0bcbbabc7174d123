//! The stretch of time that every chart of the page shows, so that what stands below each other happened together.

use std::fmt::Write as _;

use super::super::Report;
use super::clock::Clock;
use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// Steps of a chart: more are narrower than a pixel of a phone.
const STEPS_MAX: i64 = 240;
/// Widths of a step, the finest first.
const STEPS_MS: [i64; 9] = [
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
    6 * HOUR_MS,
    DAY_MS,
    7 * DAY_MS,
    28 * DAY_MS,
    364 * DAY_MS,
];
/// Between two labels of the axis.
const TICKS_MS: [i64; 12] = [
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    20 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    3 * DAY_MS,
    14 * DAY_MS,
    91 * DAY_MS,
    364 * DAY_MS,
];
/// Labels of the axis, at most.
const TICKS_MAX: i64 = 8;
/// A label nearer to an end than this would stand across it.
const EDGE_PERCENT: f64 = 3.0;

/// From the first minute that anything is known of to the last sweep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The first minute.
    pub(super) from: Timestamp,
    /// The last.
    pub(super) to: Timestamp,
}

impl Span {
    /// The span of a report: what its minutes and its open ends reach.
    pub(super) fn of(report: &Report, last_delivery: Option<Timestamp>) -> Self {
        let minutes = report.metrics.iter().flat_map(|row| row.minutes.iter().flatten());
        let first = minutes.map(|minute| minute.at.0).min();
        let from = first.or(last_delivery).unwrap_or(report.ends_at.0).minute();
        Self { from, to: report.ends_at.0.max(from.plus_ms(MINUTE_MS)) }
    }

    pub(super) fn length_ms(self) -> i64 {
        self.to.since_ms(self.from).max(MINUTE_MS)
    }

    /// Where a moment stands, in percent from the left; within the chart.
    pub(super) fn percent(self, at: Timestamp) -> f64 {
        let share = at.since_ms(self.from) as f64 / self.length_ms() as f64;
        (share * 100.0).clamp(0.0, 100.0)
    }

    /// How long a step is.
    pub(super) fn step_ms(self) -> i64 {
        let fits = |step: &&i64| self.length_ms().checked_div(**step).is_some_and(|n| n <= STEPS_MAX);
        STEPS_MS.iter().find(fits).copied().unwrap_or(364 * DAY_MS)
    }

    /// Which step a moment lies in.
    pub(super) fn step(self, at: Timestamp) -> usize {
        let step = at.since_ms(self.from).max(0).checked_div(self.step_ms()).unwrap_or(0);
        usize::try_from(step).unwrap_or(0)
    }

    /// The axis: labels at the reader's round times.
    pub(super) fn axis(self, clock: &Clock) -> String {
        let length = self.length_ms();
        let fits = |tick: &&i64| length.checked_div(**tick).is_some_and(|n| n <= TICKS_MAX);
        let tick_ms = TICKS_MS.iter().find(fits).copied().unwrap_or(length);
        let spans_days = length > DAY_MS;
        let offset_ms = clock.offset_ms(self.from);
        let into = self.from.plus_ms(offset_ms).as_ms().checked_rem_euclid(tick_ms).unwrap_or(0);
        let mut at = self.from.minus_ms(into);
        let mut labels = String::from("<div class=\"axis\" aria-hidden=\"true\">");
        let mut place: usize = 0;
        while at <= self.to {
            let percent = self.percent(at);
            if at >= self.from && (EDGE_PERCENT..=100.0 - EDGE_PERCENT).contains(&percent) {
                // Every other one is left out where there is no room for it.
                let class = if place.is_multiple_of(2) { "" } else { " class=\"other\"" };
                let label = clock.tick(at, spans_days);
                // Writing to a string cannot fail; the result is let go.
                let _ = write!(labels, "<span{class} style=\"left:{percent:.2}%\">{label}</span>");
                place = place.saturating_add(1);
            }
            at = at.plus_ms(tick_ms);
        }
        labels.push_str("</div>\n");
        labels
    }

    /// The step in words: `a minute`, `5 minutes`.
    pub(super) fn step_in_words(self) -> String {
        match self.step_ms() {
            MINUTE_MS => "a minute".to_owned(),
            HOUR_MS => "an hour".to_owned(),
            DAY_MS => "a day".to_owned(),
            ms if ms < HOUR_MS => format!("{} minutes", ms.wrapping_div(MINUTE_MS)),
            ms if ms < DAY_MS => format!("{} hours", ms.wrapping_div(HOUR_MS)),
            ms => format!("{} days", ms.wrapping_div(DAY_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(length_ms: i64, words: &str) {
        let from = Timestamp::from_ms(1_765_022_820_000);
        let span = Span { from, to: from.plus_ms(length_ms) };
        assert_eq!(span.step_in_words(), words);
        assert!(span.step(span.to) <= 240, "{}", span.step(span.to));
        let axis = span.axis(&Clock::of("Asia/Kolkata"));
        assert!((1..=9).contains(&axis.matches("<span").count()), "{axis}");
    }

    #[test]
    fn a_step_is_as_fine_as_a_chart_has_room_for() {
        check(HOUR_MS, "a minute");
        check(4 * HOUR_MS, "a minute");
        check(12 * HOUR_MS, "5 minutes");
        check(DAY_MS, "15 minutes");
        check(14 * DAY_MS, "6 hours");
        check(60 * DAY_MS, "6 hours");
        check(3 * 364 * DAY_MS, "7 days");
    }

    #[test]
    fn what_lies_outside_stands_at_the_edge() {
        let span = Span { from: Timestamp::from_ms(0), to: Timestamp::from_ms(600_000) };
        let percents = [-1, 0, 300_000, 600_000, i64::MAX].map(|ms| span.percent(Timestamp::from_ms(ms)));
        assert_eq!(percents, [0.0, 0.0, 50.0, 100.0, 100.0]);
    }
}

//! What the metrics say of one queue, step by step.

use super::super::{MetricRow, Report};
use super::span::Span;
use crate::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};

/// A moment, and how long the oldest job had waited.
pub(super) type Point = (Timestamp, i64);

/// One metric of a queue; of the whole app where `queue` is none.
pub(super) fn find<'a>(report: &'a Report, name: &str, queue: Option<&str>) -> Option<&'a MetricRow> {
    report.metrics.iter().find(|row| {
        row.name == name
            && row.dimensions.contains_key("App")
            && row.dimensions.get("Queue").map(String::as_str) == queue
            && !row.dimensions.contains_key("JobClass")
    })
}

/// Every queue that a metric names.
pub(super) fn queues(report: &Report) -> Vec<&str> {
    let named = report.metrics.iter().filter(|row| !row.dimensions.contains_key("JobClass"));
    let mut names: Vec<&str> = named.filter_map(|row| Some(row.dimensions.get("Queue")?.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A counter, added up in each step.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// The sum of each step.
    pub(super) steps: Vec<i64>,
    /// The sum of all.
    pub(super) sum: i64,
}

/// Adds a counter up in the steps of a chart.
pub(super) fn counted(report: &Report, name: &str, queue: Option<&str>, span: Span) -> Counted {
    let mut counted = Counted { steps: vec![0; span.step(span.to).saturating_add(1)], ..Counted::default() };
    let row = find(report, name, queue);
    for minute in row.and_then(|row| row.minutes.as_deref()).unwrap_or_default() {
        counted.sum = counted.sum.saturating_add(minute.sum);
        if let Some(step) = counted.steps.get_mut(span.step(minute.at.0)) {
            *step = step.saturating_add(minute.sum);
        }
    }
    counted
}

/// How long the oldest job had waited, at every moment where that bends.
///
/// A replay visits only the minutes in which something can change. Between two visits nothing came, so whoever waited
/// went on waiting, and a wait that is new at a visit began as long ago as it is.
pub(super) fn oldest(report: &Report, queue: Option<&str>) -> Vec<Point> {
    let row = find(report, "OldestPendingAge", queue);
    let mut points: Vec<Point> = Vec::new();
    for minute in row.and_then(|row| row.minutes.as_deref()).unwrap_or_default() {
        let (at, age_ms) = (minute.at.0, minute.sum.saturating_mul(SECOND_MS));
        if let Some((before, held_ms)) = points.last().copied() {
            let gap_ms = at.since_ms(before);
            if held_ms > 0 && gap_ms > MINUTE_MS && age_ms < held_ms.saturating_add(gap_ms) {
                let waited = gap_ms.saturating_sub(MINUTE_MS);
                points.push((before.plus_ms(waited), held_ms.saturating_add(waited)));
            }
            let began = at.minus_ms(age_ms);
            if held_ms == 0 && age_ms > 0 && began > before {
                points.push((began, 0));
            }
        }
        points.push((at, age_ms));
    }
    points
}

/// The same points, where there are more than a chart shows: the longest wait of each part of it.
pub(super) fn thinned(points: Vec<Point>, span: Span) -> Vec<Point> {
    const PARTS: i64 = 600;
    if points.len() <= 2 * 600 {
        return points;
    }
    let part = |at: Timestamp| {
        at.since_ms(span.from).saturating_mul(PARTS).checked_div(span.length_ms()).unwrap_or(0)
    };
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        match kept.last_mut().filter(|last| part(last.0) == part(point.0)) {
            Some(last) if last.1 < point.1 => *last = point,
            Some(_) => {}
            None => kept.push(point),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::adapters::memory::MemoryLedger;
    use crate::domain::model::policy::Policy;
    use crate::replay::Outcome;
    use crate::report::{Extent, MinuteRow, Moment};

    /// A report whose gauge says `minutes`: each a minute and an age in seconds.
    fn report(name: &'static str, minutes: &[(i64, i64)]) -> Report {
        let outcome: Outcome<MemoryLedger> = Outcome::default();
        let mut report = Report::new(&outcome, &Policy::default(), Extent::default());
        let row = |(minute, sum): &(i64, i64)| MinuteRow {
            at: Moment(Timestamp::from_ms(minute * MINUTE_MS)),
            sum: *sum,
            count: 1,
        };
        report.metrics = vec![MetricRow {
            name,
            unit: "Seconds",
            dimensions: BTreeMap::from([("App", "app".to_owned()), ("Queue", "default".to_owned())]),
            count: 0,
            sum: 0,
            min: 0,
            max: 0,
            minutes: Some(minutes.iter().map(row).collect()),
        }];
        report
    }

    /// Minutes and ages in seconds.
    #[track_caller]
    fn check(minutes: &[(i64, i64)], expected: &[(f64, i64)]) {
        let report = report("OldestPendingAge", minutes);
        let points = oldest(&report, Some("default"));
        let shown: Vec<(f64, i64)> =
            points.iter().map(|(at, age)| (at.as_ms() as f64 / 60_000.0, age / 1000)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn who_waited_at_a_visit_waited_until_the_next() {
        // It went on until something came.
        check(&[(0, 60), (10, 0)], &[(0.0, 60), (9.0, 600), (10.0, 0)]);
        // It goes on.
        check(&[(0, 60), (10, 660)], &[(0.0, 60), (10.0, 660)]);
        // A wait that is new began within.
        check(&[(0, 0), (10, 120)], &[(0.0, 0), (8.0, 0), (10.0, 120)]);
        check(&[(0, 30), (1, 0), (2, 30)], &[(0.0, 30), (1.0, 0), (1.5, 0), (2.0, 30)]);
    }

    #[test]
    fn a_counter_is_added_up_in_steps() {
        let report = report("Enqueued", &[(0, 2), (1, 5), (700, 1)]);
        let span = Span { from: Timestamp::from_ms(0), to: Timestamp::from_ms(700 * MINUTE_MS) };
        let counted = counted(&report, "Enqueued", Some("default"), span);
        assert_eq!(counted.sum, 8);
        assert_eq!((counted.steps.first(), counted.steps.last()), (Some(&7), Some(&1)));
        assert_eq!(counted.steps.len(), 141);
    }

    #[test]
    fn thinning_keeps_the_longest_waits() {
        let span = Span { from: Timestamp::from_ms(0), to: Timestamp::from_ms(6_000 * MINUTE_MS) };
        let points: Vec<Point> = (0..6_000)
            .map(|minute| {
                (Timestamp::from_ms(minute * MINUTE_MS), if minute == 3_333 { 99 } else { minute % 7 })
            })
            .collect();
        let kept = thinned(points, span);
        assert!(kept.len() <= 601, "{}", kept.len());
        assert_eq!(kept.iter().map(|point| point.1).max(), Some(99));
    }
}

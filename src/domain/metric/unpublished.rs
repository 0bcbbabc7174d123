//! What has been counted and not yet published, by metric, dimensions and minute.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Datum, Dimensions, Metric};
use crate::domain::job::{JobClass, Observation, QueueName, Timestamp};

/// Classes with rows of their own: at $0.30 for each metric, queue and class a month, more is an accident.
const CLASSES_MAX: usize = 50;
/// Queues with rows of their own, the first that lines name: a dozen metrics each, at the same price. Anybody who can
/// write a line can invent a queue.
pub const QUEUES_MAX: usize = 200;
/// The class, and the queue, that all others share.
const OTHER: &str = "other";

/// What has been counted and not yet published.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Unpublished {
    #[serde(with = "crate::domain::pairs")]
    data: BTreeMap<(Metric, Dimensions, Timestamp), BTreeMap<i64, u64>>,
    /// Classes that have rows of their own; `None` where nobody asked for any.
    #[serde(default)]
    classes: Option<BTreeSet<JobClass>>,
    /// Queues that have rows of their own.
    #[serde(default)]
    queues: BTreeSet<QueueName>,
}

/// Counts of one delivery, added up before they are looked up: its lines share a few minutes and queues.
#[derive(Debug, Default)]
pub struct Counts<'l>(Vec<Count<'l>>);

#[derive(Debug)]
struct Count<'l> {
    metric: Metric,
    queue: Option<&'l QueueName>,
    minute: Timestamp,
    count: u64,
}

impl<'l> Counts<'l> {
    /// Counts looked at before a new one is begun.
    const RECENT_MAX: usize = 16;

    fn add(&mut self, metric: Metric, line: &'l Observation) {
        let (minute, queue) = (line.at.minute(), line.queue.as_ref());
        let mut recent = self.0.iter_mut().rev().take(Self::RECENT_MAX);
        let same = recent.find(|it| it.metric == metric && it.minute == minute && it.queue == queue);
        match same {
            Some(same) => same.count = same.count.saturating_add(1),
            None => self.0.push(Count { metric, queue, minute, count: 1 }),
        }
    }
}

impl Unpublished {
    /// Whether to count by class, too. Each queue and class is a metric that costs money, so it is to be asked for.
    pub fn set_class_dimension(&mut self, is_wanted: bool) {
        if is_wanted {
            self.classes.get_or_insert_default();
        } else {
            self.classes = None;
        }
    }

    /// Counts a line of a job's life, or of an enqueue that failed, by what it carries: among those of its delivery, unless
    /// it may be the first of its queue or class.
    pub fn count_line<'l>(&mut self, counts: &mut Counts<'l>, metric: Metric, observation: &'l Observation) {
        // The first queues and classes get rows of their own, in the order of lines.
        if self.classes.is_none() && observation.queue.as_ref().is_none_or(|it| self.queues.contains(it)) {
            return counts.add(metric, observation);
        }
        self.count(metric, observation.queue.as_ref(), observation.at, 1);
        if let Some(dimensions) = self.by_class(observation.queue.as_ref(), observation.class.as_ref()) {
            self.add(metric, dimensions, observation.at, 1);
        }
    }

    /// Takes what a delivery's lines counted.
    pub fn take(&mut self, counts: Counts<'_>) {
        for Count { metric, queue, minute, count } in counts.0 {
            self.count(metric, queue, minute, count);
        }
    }

    /// Takes one value of a job's.
    pub fn sample_job(
        &mut self,
        metric: Metric,
        (queue, class): (Option<&QueueName>, Option<&JobClass>),
        at: Timestamp,
        value: i64,
    ) {
        self.sample(metric, queue, at, value);
        if let Some(dimensions) = self.by_class(queue, class) {
            self.sample_one(metric, dimensions, at, value);
        }
    }

    /// The class's own dimensions, where both queue and class are known; those of `other` once there are too
    /// many classes.
    fn by_class(&mut self, queue: Option<&QueueName>, class: Option<&JobClass>) -> Option<Dimensions> {
        let named = self.classes.as_mut()?;
        let (queue, class) = (queue?, class?.clone());
        if named.len() < CLASSES_MAX {
            named.insert(class.clone());
        }
        let class = if named.contains(&class) { class } else { JobClass::from(OTHER) };
        Some(Dimensions::Class(self.name_row(queue), class))
    }

    /// The queue whose row a queue's values go to, from now on its own if there is room.
    fn name_row(&mut self, queue: &QueueName) -> QueueName {
        if self.queues.len() < QUEUES_MAX && !self.queues.contains(queue) {
            self.queues.insert(queue.clone());
        }
        self.row_of(queue)
    }

    /// The queue whose row a queue's values go to.
    #[must_use]
    pub fn row_of(&self, queue: &QueueName) -> QueueName {
        if self.has_row(queue) { queue.clone() } else { QueueName::from(OTHER) }
    }

    /// Whether a queue has a row of its own, or would get one.
    #[must_use]
    pub fn has_row(&self, queue: &QueueName) -> bool {
        self.queues.len() < QUEUES_MAX || self.queues.contains(queue)
    }

    fn sample_one(&mut self, metric: Metric, dimensions: Dimensions, at: Timestamp, value: i64) {
        let values = self.data.entry((metric, dimensions, at.minute())).or_default();
        let count = values.entry(value).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts `n` at the minute of `at`, for the app and, where the line names one, its queue.
    pub fn count(&mut self, metric: Metric, queue: Option<&QueueName>, at: Timestamp, n: u64) {
        self.add(metric, Dimensions::App, at, n);
        if let Some(queue) = queue {
            let row = self.name_row(queue);
            self.add(metric, Dimensions::Queue(row), at, n);
        }
    }

    /// Counts `n` for one set of dimensions.
    pub fn add(&mut self, metric: Metric, dimensions: Dimensions, at: Timestamp, n: u64) {
        if n == 0 {
            return;
        }
        let values = self.data.entry((metric, dimensions, at.minute())).or_default();
        let sum = values.pop_first().map_or(0, |(value, _)| value);
        values.insert(sum.saturating_add(i64::try_from(n).unwrap_or(i64::MAX)), 1);
    }

    /// Corrects what was counted for the app at the minute of `at`: a later line may prove a count wrong.
    pub fn correct(&mut self, metric: Metric, at: Timestamp, n: i64) {
        if n == 0 {
            return;
        }
        let values = self.data.entry((metric, Dimensions::App, at.minute())).or_default();
        let sum = values.pop_first().map_or(0, |(value, _)| value);
        values.insert(sum.saturating_add(n), 1);
    }

    /// Takes one value of a distribution.
    pub fn sample(&mut self, metric: Metric, queue: Option<&QueueName>, at: Timestamp, value: i64) {
        self.sample_one(metric, Dimensions::App, at, value);
        if let Some(queue) = queue {
            let row = self.name_row(queue);
            self.sample_one(metric, Dimensions::Queue(row), at, value);
        }
    }

    /// The same, without what is oldest where there are more than `rows_max` rows.
    #[must_use]
    pub fn newest(&self, rows_max: usize) -> Self {
        let mut minutes: Vec<Timestamp> = self.data.keys().map(|(_, _, at)| *at).collect();
        minutes.sort_unstable();
        let from = minutes.len().checked_sub(rows_max).and_then(|ix| minutes.get(ix).copied());
        let kept = self.data.iter().filter(|((_, _, at), _)| from.is_none_or(|from| *at >= from));
        let data = kept.map(|(key, values)| (key.clone(), values.clone())).collect();
        Self { data, classes: self.classes.clone(), queues: self.queues.clone() }
    }

    /// Takes everything out, as data.
    pub fn drain(&mut self) -> Vec<Datum> {
        std::mem::take(&mut self.data)
            .into_iter()
            .map(|((metric, dimensions, at), values)| Datum { metric, dimensions, at, values })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey, Stage};

    fn line(class: &str) -> Observation {
        let at = Timestamp::from_ms(90_000);
        Observation {
            class: Some(class.into()),
            queue: Some("default".into()),
            ..Observation::bare(Stage::Processing, at, LineKey(1), Form::Json)
        }
    }

    fn count_line(unpublished: &mut Unpublished, line: &Observation) {
        let mut counts = Counts::default();
        unpublished.count_line(&mut counts, Metric::Processing, line);
        unpublished.take(counts);
    }

    #[test]
    fn a_class_has_rows_of_its_own_only_where_asked_for() {
        let mut unpublished = Unpublished::default();
        count_line(&mut unpublished, &line("Mail"));
        assert_eq!(unpublished.drain().len(), 2);
        unpublished.set_class_dimension(true);
        count_line(&mut unpublished, &line("Mail"));
        let mail = line("Mail");
        unpublished.sample_job(Metric::JobDuration, (mail.queue.as_ref(), mail.class.as_ref()), mail.at, 7);
        count_line(&mut unpublished, &Observation { queue: None, ..line("Mail") });
        let by_class: Vec<Datum> = unpublished
            .drain()
            .into_iter()
            .filter(|it| matches!(it.dimensions, Dimensions::Class(..)))
            .collect();
        let values: Vec<_> = by_class.iter().map(|it| (it.metric, it.values.clone())).collect();
        let one = |value| BTreeMap::from([(value, 1)]);
        assert_eq!(values, [(Metric::Processing, one(1)), (Metric::JobDuration, one(7))]);
        let pairs = by_class[0].dimensions.pairs("shop");
        let names: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(names, [("App", "shop"), ("Queue", "default"), ("JobClass", "Mail")]);
    }

    #[test]
    fn more_queues_than_may_be_paid_for_share_one_row() {
        let mut unpublished = Unpublished::default();
        let at = Timestamp::from_ms(90_000);
        for n in 0..QUEUES_MAX + 7 {
            unpublished.count(Metric::Processing, Some(&format!("queue{n}").as_str().into()), at, 1);
            unpublished.sample(Metric::QueueWait, Some(&format!("queue{n}").as_str().into()), at, 5);
        }
        let rows = unpublished.drain();
        let of = |metric: Metric, queue: &str| {
            let dimensions = Dimensions::Queue(queue.into());
            rows.iter()
                .find(|row| (row.metric, &row.dimensions) == (metric, &dimensions))
                .map(|row| &row.values)
        };
        assert_eq!(of(Metric::Processing, "other"), Some(&BTreeMap::from([(7, 1)])));
        assert_eq!(of(Metric::QueueWait, "other"), Some(&BTreeMap::from([(5, 7)])));
        assert!(of(Metric::Processing, "queue3").is_some() && of(Metric::Processing, "queue206").is_none());
        assert_eq!(rows.len(), 2 * (QUEUES_MAX + 2), "a row each, one of the rest, one of the app");
    }

    #[test]
    fn more_classes_than_may_be_paid_for_share_one_row() {
        let mut unpublished = Unpublished::default();
        unpublished.set_class_dimension(true);
        for n in 0..CLASSES_MAX + 7 {
            count_line(&mut unpublished, &line(&format!("Job{n}")));
        }
        let rows = unpublished.drain();
        let other = Dimensions::Class("default".into(), OTHER.into());
        let of_other = rows.iter().find(|row| row.dimensions == other).unwrap();
        assert_eq!(of_other.values, BTreeMap::from([(7, 1)]));
        assert_eq!(
            rows.iter().filter(|it| matches!(it.dimensions, Dimensions::Class(..))).count(),
            CLASSES_MAX + 1
        );
        // Who had a row keeps it when counting goes on.
        count_line(&mut unpublished, &line("Job3"));
        let kept = Dimensions::Class("default".into(), "Job3".into());
        assert!(unpublished.drain().iter().any(|row| row.dimensions == kept));
    }
}

//! Errors of the queue's store, by who met them: the app that pushes, a worker that fetches, or nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::split_traces::Reattribution;
use crate::domain::job::{Observation, Stage, Timestamp, TraceSide};

/// Moments kept, the newest: a store that is down is told of each second by each worker.
const MOMENTS_MAX: usize = 400;

/// Workplaces kept of one moment.
const WORKPLACES_MAX: usize = 8;

/// The errors of one moment. A trace that comes later may move an error to another side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreError {
    /// The first line of the error; the least of several of one moment, so that order does not matter.
    #[serde(rename = "t")]
    pub text: Option<Arc<str>>,
    #[serde(rename = "p", skip_serializing_if = "is_zero")]
    push: i64,
    #[serde(rename = "f", skip_serializing_if = "is_zero")]
    fetch: i64,
    #[serde(rename = "u", skip_serializing_if = "is_zero")]
    unknown: i64,
    /// Where they were printed: see [`crate::domain::origin::workplace`].
    #[serde(rename = "w", skip_serializing_if = "BTreeSet::is_empty")]
    workplaces: BTreeSet<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it like this")]
const fn is_zero(n: &i64) -> bool {
    *n == 0
}

impl StoreError {
    /// How many errors there were on a side; `None` for those whose side nobody told.
    #[must_use]
    pub fn count(&self, side: Option<TraceSide>) -> u64 {
        let count = match side {
            Some(TraceSide::Push) => self.push,
            Some(TraceSide::Pop) => self.fetch,
            None => self.unknown,
        };
        u64::try_from(count).unwrap_or(0)
    }

    const fn side(&mut self, side: Option<TraceSide>) -> &mut i64 {
        match side {
            Some(TraceSide::Push) => &mut self.push,
            Some(TraceSide::Pop) => &mut self.fetch,
            None => &mut self.unknown,
        }
    }
}

/// The newest errors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreErrors {
    #[serde(with = "crate::domain::pairs")]
    by_moment: BTreeMap<Timestamp, StoreError>,
}

impl StoreErrors {
    /// Takes a line that was printed at `workplace`, if it tells of an error.
    pub fn take(&mut self, observation: &Observation, workplace: u64) {
        let stage = observation.stage;
        if !stage.is_store_error() {
            return;
        }
        let side = match stage == Stage::EnqueueError {
            true => Some(TraceSide::Push),
            false => (stage == Stage::WorkerError).then_some(TraceSide::Pop),
        };
        let error = self.note(observation.at, observation.text.as_ref(), workplace);
        let count = error.side(side);
        *count = count.saturating_add(1);
        self.limit();
    }

    /// Makes room for an exception whose trace may yet show a queue: until it does, it is no store's error.
    pub fn expect(&mut self, at: Timestamp, text: &Arc<str>, workplace: u64) {
        self.note(at, Some(text), workplace);
        self.limit();
    }

    fn note(&mut self, at: Timestamp, text: Option<&Arc<str>>, workplace: u64) -> &mut StoreError {
        let error = self.by_moment.entry(at).or_default();
        error.workplaces.insert(workplace);
        if error.workplaces.len() > WORKPLACES_MAX {
            error.workplaces.pop_last();
        }
        error.text = match (error.text.take(), text.cloned()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        error
    }

    fn limit(&mut self) {
        if self.by_moment.len() > MOMENTS_MAX {
            self.by_moment.pop_first();
        }
    }

    /// Moves an error to another side: its trace has been met, or turned out to be another's. An exception that was
    /// expected comes from nowhere: the unknown ones are then one short, which counts as none.
    pub fn reattribute(&mut self, reattribution: &Reattribution) {
        let Some(error) = self.by_moment.get_mut(&reattribution.at) else { return };
        let before = error.side(reattribution.before);
        *before = before.saturating_sub(1);
        let after = error.side(reattribution.after);
        *after = after.saturating_add(1);
    }

    /// The moments from `from` to `until` at which errors of a side were met, and how many, oldest first.
    pub fn of(
        &self,
        side: Option<TraceSide>,
        from: Timestamp,
        until: Timestamp,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, u64, Option<&Arc<str>>)> {
        static NOWHERE: BTreeSet<u64> = BTreeSet::new();
        self.of_all_but(&NOWHERE, side, from, until)
    }

    /// The same without the moments at which nobody but those of `others` printed an error.
    pub fn of_all_but(
        &self,
        others: &BTreeSet<u64>,
        side: Option<TraceSide>,
        from: Timestamp,
        until: Timestamp,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, u64, Option<&Arc<str>>)> {
        let met = self.by_moment.range(from..=until.max(from));
        let met = met.filter(|(_, error)| others.is_empty() || !error.workplaces.is_subset(others));
        met.map(move |(at, error)| (*at, error.count(side), error.text.as_ref())).filter(|(_, n, _)| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey};

    fn error(stage: Stage, ms: i64, text: &str) -> Observation {
        let at = Timestamp::from_ms(ms);
        Observation { text: Some(Arc::from(text)), ..Observation::bare(stage, at, LineKey(1), Form::Monolog) }
    }

    #[test]
    fn an_error_is_counted_on_its_side_until_its_trace_tells_another() {
        let mut errors = StoreErrors::default();
        let at = Timestamp::from_ms(5);
        errors.take(&error(Stage::RedisError, 5, "refused"), 1);
        errors.take(&error(Stage::EnqueueError, 9, "went away"), 1);
        errors.take(&error(Stage::Enqueued, 9, "no error"), 1);
        let count = |errors: &StoreErrors, side| -> u64 {
            errors.of(side, Timestamp::MIN, Timestamp::MAX).map(|(_, n, _)| n).sum()
        };
        assert_eq!((count(&errors, None), count(&errors, Some(TraceSide::Push))), (1, 1));
        errors.reattribute(&Reattribution { at, before: None, after: Some(TraceSide::Push) });
        assert_eq!((count(&errors, None), count(&errors, Some(TraceSide::Push))), (0, 2));
        let texts: Vec<_> = errors
            .of(Some(TraceSide::Push), at, at)
            .filter_map(|(_, _, text)| text)
            .map(|it| &**it)
            .collect();
        assert_eq!(texts, ["refused"]);
    }

    #[test]
    fn the_newest_moments_are_kept() {
        let mut errors = StoreErrors::default();
        for ms in 0..1_000 {
            errors.take(&error(Stage::WorkerError, ms, "x"), 1);
        }
        let kept: Vec<_> = errors.of(Some(TraceSide::Pop), Timestamp::MIN, Timestamp::MAX).collect();
        assert_eq!((kept.len(), kept[0].0), (MOMENTS_MAX, Timestamp::from_ms(600)));
    }
}

//! Store errors whose trace lies in another payload: whose they are is told by the frames that follow them.
//!
//! A trace belongs to the nearest error before it in its stream. That is a matter of all errors and traces
//! known, never of the order they came in: what a new one changes is judged again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::job::{LineKey, SECOND_MS, Timestamp, TraceSide};

/// A trace is written in one go: frames that come later than this belong to nothing that is known.
const TRACE_SPREAD_MS: i64 = 5 * SECOND_MS;

/// An error's line.
type Place = (Timestamp, LineKey);

/// How an error's side is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Head {
    /// Its own payload told it, or that there is none to tell.
    Told,
    /// Its payload ended first.
    Open,
    /// Its payload ended first, and a copy of it in another payload told it.
    ToldByCopy(TraceSide),
}

/// The store errors and traces of one stream.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SplitTraces {
    #[serde(with = "crate::domain::pairs")]
    heads: BTreeMap<Place, Head>,
    tails: BTreeMap<Timestamp, TraceSide>,
}

/// An error whose side was not known, or is not any more: `before` to `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reattribution {
    /// When the error's line was stamped.
    pub at: Timestamp,
    /// What was known.
    pub before: Option<TraceSide>,
    /// What is known now.
    pub after: Option<TraceSide>,
}

impl SplitTraces {
    /// Notes an error whose payload told its side.
    pub fn add_told(&mut self, place: Place) -> Vec<Reattribution> {
        self.change(place.0, |split_traces| {
            split_traces.heads.entry(place).or_insert(Head::Told);
        })
    }

    /// Notes a copy of an error, from a payload that told its side.
    pub fn add_copy(&mut self, place: Place, side: TraceSide) -> Vec<Reattribution> {
        self.change(place.0, |split_traces| {
            if split_traces.heads.get(&place) == Some(&Head::Open) {
                split_traces.heads.insert(place, Head::ToldByCopy(side));
            }
        })
    }

    /// Notes an error whose payload ended before its trace told the side; `is_copy` if its line was known.
    pub fn add_open(&mut self, place: Place, is_copy: bool) -> Vec<Reattribution> {
        self.change(place.0, |split_traces| {
            if !is_copy {
                split_traces.heads.insert(place, Head::Open);
            }
        })
    }

    /// Notes the first telling frame of a trace whose error was not in its payload.
    pub fn add_tail(&mut self, at: Timestamp, side: TraceSide) -> Vec<Reattribution> {
        self.change(at, |split_traces| {
            let known = split_traces.tails.entry(at).or_insert(side);
            *known = (*known).min(side);
        })
    }

    /// Forgets what lies before `from`: its other half will not come any more.
    pub fn forget_before(&mut self, from: Option<Timestamp>) {
        let Some(from) = from else { return };
        self.heads.retain(|(at, _), _| *at >= from);
        self.tails.retain(|at, _| *at >= from);
    }

    /// Makes a change at `at` and tells what it turned: only errors shortly before it can have been.
    fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Self)) -> Vec<Reattribution> {
        let before = self.sides_before(at);
        change(self);
        let after = self.sides_before(at);
        let mut places: Vec<Place> = before.keys().chain(after.keys()).copied().collect();
        places.sort_unstable();
        places.dedup();
        places
            .into_iter()
            .map(|place| Reattribution {
                at: place.0,
                before: before.get(&place).copied(),
                after: after.get(&place).copied(),
            })
            .filter(|reattribution| reattribution.before != reattribution.after)
            .collect()
    }

    /// The sides found for the errors that a half at `at` can concern.
    fn sides_before(&self, at: Timestamp) -> BTreeMap<Place, TraceSide> {
        let near = (at.minus_ms(TRACE_SPREAD_MS), LineKey(0))..=(at, LineKey(u64::MAX));
        self.heads.range(near).filter_map(|(place, head)| Some((*place, self.side(*place, *head)?))).collect()
    }

    fn side(&self, place: Place, head: Head) -> Option<TraceSide> {
        match head {
            Head::Told => None,
            Head::ToldByCopy(side) => Some(side),
            Head::Open => {
                let (tail, side) = self.tails.range(place.0..=place.0.plus_ms(TRACE_SPREAD_MS)).next()?;
                let next = self.heads.range((place.0, LineKey(place.1.0.saturating_add(1)))..).next();
                next.is_none_or(|((at, _), _)| at > tail).then_some(*side)
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;

    const fn ms(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    /// `o<ms>` an open error, `t<ms>` a told one, `+<ms>` and `-<ms>` the tails of a push and of a pop, in every
    /// rotation and reversed; asserts how many errors turn out to be pushes.
    #[track_caller]
    fn check(split_traces: &[&str], pushes: i32) {
        for reattribution in 0..split_traces.len() {
            for is_reversed in [false, true] {
                let mut order = split_traces.to_vec();
                order.rotate_left(reattribution);
                if is_reversed {
                    order.reverse();
                }
                let mut known = SplitTraces::default();
                let mut count = 0;
                for half in &order {
                    let (kind, at) = half.split_at(1);
                    let at = ms(at.parse().unwrap());
                    let reattributions = match kind {
                        "o" => known.add_open((at, LineKey(1)), false),
                        "t" => known.add_told((at, LineKey(1))),
                        "+" => known.add_tail(at, TraceSide::Push),
                        _ => known.add_tail(at, TraceSide::Pop),
                    };
                    for reattribution in reattributions {
                        count += i32::from(reattribution.after == Some(TraceSide::Push));
                        count -= i32::from(reattribution.before == Some(TraceSide::Push));
                    }
                }
                assert_eq!(count, pushes, "{order:?}");
            }
        }
    }

    #[test]
    fn an_error_and_its_trace_meet_in_any_order() {
        check(&["o1000", "+1002"], 1);
        check(&["o1000", "-1002"], 0);
        check(&["o1000", "+1001", "o1002", "+1003"], 2);
        check(&["o1000", "+1001", "o1002", "-1003"], 1);
        check(&["o1000", "+1001", "+1003"], 1);
    }

    #[test]
    fn a_trace_belongs_to_the_nearest_error_before_it() {
        check(&["o1000", "t1002", "+1003"], 0);
        check(&["o1000", "o1002", "+1003"], 1);
        check(&["o1000", "+6001"], 0);
        check(&["o1000", "+999"], 0);
    }

    #[test]
    fn a_copy_that_tells_its_side_is_believed_once() {
        let place = (ms(1000), LineKey(1));
        let mut known = SplitTraces::default();
        assert_eq!(known.add_open(place, false), []);
        let reattribution = Reattribution { at: ms(1000), before: None, after: Some(TraceSide::Push) };
        assert_eq!(known.add_copy(place, TraceSide::Push), [reattribution]);
        assert_eq!(known.add_copy(place, TraceSide::Push), []);
        let mut known = SplitTraces::default();
        assert_eq!(known.add_told(place), []);
        assert_eq!(known.add_open(place, true), []);
        assert_eq!(known.add_tail(ms(1001), TraceSide::Push), [], "its own payload told it");
    }
}

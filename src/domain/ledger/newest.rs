//! The newest few of what happened, by when.
//!
//! Lines mostly come in their order, so that nearly everything is added at the end: a row that is searched by halves is
//! several times quicker there than a tree.
//!
//! **Invariant:** in order, each key once; what is kept does not depend on the order in which things were added.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::domain::job::{LineKey, Timestamp};

/// When, and by which line.
pub(super) type At = (Timestamp, LineKey);

/// At most `MAX` things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(At, V)>")]
pub(super) struct Newest<V, const MAX: usize>(VecDeque<(At, V)>);

impl<V, const MAX: usize> Default for Newest<V, MAX> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<V, const MAX: usize> From<Vec<(At, V)>> for Newest<V, MAX> {
    fn from(kept: Vec<(At, V)>) -> Self {
        let mut newest = Self::default();
        kept.into_iter().for_each(|(at, value)| newest.add(at, value));
        newest
    }
}

impl<V, const MAX: usize> Newest<V, MAX> {
    /// Adds something, in place of what is there; the oldest goes where there is no room.
    pub(super) fn add(&mut self, at: At, value: V) {
        if self.0.back().is_none_or(|(last, _)| *last < at) {
            self.0.push_back((at, value));
        } else {
            match self.0.binary_search_by_key(&at, |(at, _)| *at) {
                Ok(place) => {
                    if let Some((_, held)) = self.0.get_mut(place) {
                        *held = value;
                    }
                }
                Err(0) if self.0.len() >= MAX => return,
                Err(place) => self.0.insert(place, (at, value)),
            }
        }
        if self.0.len() > MAX {
            self.0.pop_front();
        }
    }

    /// The oldest that is kept.
    pub(super) fn first(&self) -> Option<&(At, V)> {
        self.0.front()
    }

    /// Whether something is kept of then.
    pub(super) fn has(&self, at: &At) -> bool {
        self.0.binary_search_by_key(at, |(at, _)| *at).is_ok()
    }

    /// All of it, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&At, &V)> {
        self.0.iter().map(|(at, value)| (at, value))
    }

    /// What happened within a time, oldest first; nothing of one that ends before it begins.
    pub(super) fn within(
        &self,
        time: RangeInclusive<Timestamp>,
    ) -> impl DoubleEndedIterator<Item = (&At, &V)> + Clone {
        let from = self.0.partition_point(|((at, _), _)| at < time.start());
        let until = self.0.partition_point(|((at, _), _)| at <= time.end());
        self.0.range(from.min(until)..until).map(|(at, value)| (at, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A tree that forgets its first does the same more slowly.
    #[test]
    fn it_keeps_what_a_tree_would_in_whatever_order_things_come() {
        let mut seed = 7_u64;
        let mut below = |count: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % count
        };
        for disorder in [1, 3, 40] {
            let (mut newest, mut tree) = (Newest::<u64, 16>::default(), BTreeMap::new());
            for n in 0..500_u64 {
                let ms = i64::try_from(n + below(disorder)).unwrap();
                let at = (Timestamp::from_ms(ms), LineKey(below(2)));
                newest.add(at, n);
                tree.insert(at, n);
                if tree.len() > 16 {
                    tree.pop_first();
                }
                assert!(newest.iter().eq(tree.iter()));
                let (from, until) = (Timestamp::from_ms(ms - 9), Timestamp::from_ms(ms - 2));
                let within = tree.range((from, LineKey(0))..=(until, LineKey(u64::MAX)));
                assert!(newest.within(from..=until).eq(within));
                assert!(newest.has(newest.iter().next().unwrap().0) && !newest.has(&(until, LineKey(2))));
            }
            let text = serde_json::to_string(&newest).unwrap();
            assert_eq!(serde_json::from_str::<Newest<u64, 16>>(&text).unwrap(), newest);
        }
        assert_eq!(Newest::<u64, 16>::default().within(Timestamp::MAX..=Timestamp::MIN).count(), 0);
    }
}

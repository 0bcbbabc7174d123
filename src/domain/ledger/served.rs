//! Which workers have taken the jobs of which origin: workers that take jobs of two are one app's.
//!
//! **Invariant:** whatever the order of starts and however often they come, the same is known. It is bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::job::Timestamp;

/// Starts kept of an origin, the first: whoever has as many has workers.
const STARTS_MAX: usize = 5;
/// Workplaces kept of an origin, by when they last took a job.
const WORKPLACES_MAX: usize = 16;
/// Origins kept, by when a job of theirs was last taken.
const ORIGINS_MAX: usize = 100;

/// Who took the jobs of each origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Served(BTreeMap<Arc<str>, Takers>);

/// Who took the jobs of one origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takers {
    /// Where workers print that took one, and the newest start there.
    #[serde(rename = "w")]
    workplaces: BTreeMap<u64, Timestamp>,
    /// The first starts.
    #[serde(rename = "s")]
    starts: BTreeSet<Timestamp>,
}

impl Served {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes that a worker took a job.
    pub fn note(&mut self, origin: &Arc<str>, workplace: u64, at: Timestamp) {
        if let Some(takers) = self.0.get_mut(origin) {
            takers.note(workplace, at);
            return;
        }
        self.0.entry(Arc::clone(origin)).or_default().note(workplace, at);
        while self.0.len() > ORIGINS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, takers)| takers.newest());
            let Some(oldest) = oldest.map(|(origin, _)| Arc::clone(origin)) else { return };
            self.0.remove(&oldest);
        }
    }

    /// Every origin, and who took its jobs.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Takers)> {
        self.0.iter().map(|(origin, takers)| (&**origin, takers))
    }

    /// Who took the jobs of an origin.
    #[must_use]
    pub fn takers(&self, origin: &str) -> Option<&Takers> {
        self.0.get(origin)
    }
}

impl Takers {
    fn note(&mut self, workplace: u64, at: Timestamp) {
        let newest = self.workplaces.entry(workplace).or_insert(at);
        *newest = (*newest).max(at);
        if self.starts.len() < STARTS_MAX || self.starts.last() > Some(&at) {
            self.starts.insert(at);
        }
        while self.starts.len() > STARTS_MAX {
            self.starts.pop_last();
        }
        while self.workplaces.len() > WORKPLACES_MAX {
            let oldest = self.workplaces.iter().min_by_key(|(workplace, at)| (**at, **workplace));
            let Some(oldest) = oldest.map(|(workplace, _)| *workplace) else { return };
            self.workplaces.remove(&oldest);
        }
    }

    fn newest(&self) -> Option<Timestamp> {
        self.workplaces.values().max().copied()
    }

    /// Where workers print that took its jobs.
    pub fn workplaces(&self) -> impl Iterator<Item = u64> {
        self.workplaces.keys().copied()
    }

    /// Whether so many of its jobs were taken that it is no chance by whom.
    #[must_use]
    pub fn is_often(&self) -> bool {
        self.starts.len() >= STARTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_noted_in_any_order_and_as_often_as_they_come() {
        let origin = Arc::from("app");
        let of = |starts: &[(u64, i64)]| {
            let mut served = Served::default();
            starts.iter().for_each(|(place, ms)| served.note(&origin, *place, Timestamp::from_ms(*ms)));
            served
        };
        let one = of(&[(1, 5), (2, 7), (1, 9), (1, 1), (2, 2), (1, 30)]);
        assert_eq!(one, of(&[(1, 30), (2, 2), (1, 1), (1, 9), (2, 7), (1, 5), (1, 5)]));
        let takers = one.takers("app").expect("noted");
        assert!(takers.is_often() && takers.workplaces().eq([1, 2]));
        assert!(!of(&[(1, 5), (2, 7)]).takers("app").expect("noted").is_often());
        assert!(one.takers("other").is_none());
    }

    #[test]
    fn it_is_bounded() {
        let mut served = Served::default();
        for n in 0..300_u32 {
            served.note(&Arc::from(format!("o{n}")), 1, Timestamp::from_ms(n.into()));
            served.note(&Arc::from("one"), n.into(), Timestamp::from_ms(n.into()));
        }
        assert_eq!(served.0.len(), ORIGINS_MAX);
        assert_eq!(served.takers("one").expect("noted").workplaces().count(), WORKPLACES_MAX);
    }
}

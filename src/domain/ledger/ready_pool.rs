//! The jobs of one class that wait, kind by kind, and how far each kind has been taken.
//!
//! A start takes the oldest job of the kinds that it may be of, so that of each kind the oldest are taken and the others
//! wait: one place a kind tells all.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use super::counting::JobIx;
use super::names::Likeness;
use super::pairing::Place;
use crate::domain::job::{LineKey, Timestamp};

/// Jobs that wait. There are few kinds: an app's lines seldom change what they carry.
#[derive(Clone, Debug, Default)]
pub struct ReadyPool {
    kinds: Vec<(Likeness, BTreeMap<Place, JobIx>)>,
}

/// The last job taken of each kind.
#[derive(Clone, Debug, Default)]
pub struct Cursor(Box<[Option<Place>]>);

impl Cursor {
    fn of(&self, kind: usize) -> Option<Place> {
        self.0.get(kind).copied().flatten()
    }

    fn set(&mut self, kind: usize, place: Place) {
        if self.0.len() <= kind {
            let mut longer = self.0.to_vec();
            longer.resize(kind.saturating_add(1), None);
            self.0 = longer.into();
        }
        if let Some(last) = self.0.get_mut(kind) {
            *last = Some(place);
        }
    }
}

impl ReadyPool {
    /// Takes a job that waits.
    pub fn add(&mut self, likeness: &Likeness, place: Place, job: JobIx) {
        match self.kinds.iter_mut().find(|(of, _)| of == likeness) {
            Some((_, jobs)) => {
                jobs.insert(place, job);
            }
            None => self.kinds.push((likeness.clone(), BTreeMap::from([(place, job)]))),
        }
    }

    /// Takes back one that does not wait any more.
    pub fn remove(&mut self, likeness: &Likeness, place: Place) {
        if let Some((_, jobs)) = self.kinds.iter_mut().find(|(of, _)| of == likeness) {
            jobs.remove(&place);
        }
    }

    /// Takes the oldest job that is ready by then, of those that such a start may be; a start without any name may be
    /// any.
    pub fn take(&self, start: Option<&Likeness>, taken: &mut Cursor, ready_by: Timestamp) -> Option<JobIx> {
        let kinds = self.kinds.iter().enumerate();
        let mays = kinds.filter(|(_, (of, _))| start.is_none_or(|start| start.may_be(of)));
        let next = mays.filter_map(|(kind, (_, jobs))| {
            let after = taken.of(kind).map_or(Unbounded, Excluded);
            let (place, job) = jobs.range((after, Unbounded)).next()?;
            Some((kind, *place, *job))
        });
        let (kind, place, job) = next.min_by_key(|(_, place, _)| *place)?;
        if place.0 > ready_by {
            return None;
        }
        taken.set(kind, place);
        Some(job)
    }

    /// When the newest of them became ready, in order, and whether there are older ones.
    pub fn newest(&self, count_max: usize) -> (Vec<Timestamp>, bool) {
        let newest = |jobs: &BTreeMap<Place, JobIx>| {
            jobs.keys().rev().take(count_max).map(|(at, _)| *at).collect::<Vec<_>>()
        };
        let mut all: Vec<Timestamp> = self.kinds.iter().flat_map(|(_, jobs)| newest(jobs)).collect();
        all.sort_unstable();
        let older = all.len().saturating_sub(count_max);
        let is_cut = older > 0 || self.kinds.iter().any(|(_, jobs)| jobs.len() > count_max);
        (all.split_off(older), is_cut)
    }

    /// Whether one became ready then.
    pub fn has_between(&self, from: Timestamp, until: Timestamp) -> bool {
        let span = (from, LineKey(0))..=(until.max(from), LineKey(u64::MAX));
        self.kinds.iter().any(|(_, jobs)| jobs.range(span.clone()).next().is_some())
    }

    /// The jobs that were ready before then and not taken.
    pub fn left(&self, taken: Option<&Cursor>, ready_before: Timestamp) -> impl Iterator<Item = JobIx> {
        self.kinds.iter().enumerate().flat_map(move |(kind, (_, jobs))| {
            let last = taken.and_then(|taken| taken.of(kind));
            // A lone bound below the other would panic.
            let is_any = last.is_none_or(|place| place.0 < ready_before);
            let after = last.map_or(Unbounded, Excluded);
            let until = if is_any { Excluded((ready_before, LineKey(0))) } else { Unbounded };
            jobs.range((after, until)).take_while(move |_| is_any).map(|(_, job)| *job)
        })
    }

    /// Every job, of one kind after the other.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&Place, &JobIx)> {
        self.kinds.iter().flat_map(|(_, jobs)| jobs)
    }
}

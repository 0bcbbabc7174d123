//! When the attempts of one job started and ended, so that an attempt without an end can be told.
//!
//! **Invariant:** each side is the newest few of a union, so that the order in which lines come does not show.

use serde::{Deserialize, Serialize};

use crate::domain::job::{Observation, Stage, Timestamp};
use crate::domain::systems::form;

/// Attempts remembered of one job, the newest: two that were lost make an incident, and a job that is retried for
/// ever shows the same thing again and again.
pub(super) const ATTEMPTS_MAX: usize = 8;

/// The starts and ends that lines of one job tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempts {
    #[serde(rename = "s", skip_serializing_if = "Few::is_empty")]
    starts: Few,
    #[serde(rename = "e", skip_serializing_if = "Few::is_empty")]
    ends: Few,
    /// Starts in the form of before 9.21, where a retry prints nothing: two of them alone tell of no lost attempt.
    #[serde(rename = "q", skip_serializing_if = "Few::is_empty")]
    quiet: Few,
}

impl Attempts {
    /// What one line says.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let mut attempts = Self::default();
        attempts.take(observation);
        attempts
    }

    /// Takes what one line says.
    pub fn take(&mut self, observation: &Observation) {
        let place = match (observation.stage, observation.form) {
            (Stage::Processing, of) if !form(of).prints_retries => &mut self.quiet,
            (Stage::Processing, _) => &mut self.starts,
            (stage, _) if stage.is_end() => &mut self.ends,
            _ => return,
        };
        place.join(&Few::One(observation.at));
    }

    /// Takes what another record of the same job has.
    pub fn join(&mut self, other: &Self) {
        self.starts.join(&other.starts);
        self.ends.join(&other.ends);
        self.quiet.join(&other.quiet);
    }

    /// Forgets what lies before `from`: another job's, where ids are used again.
    pub fn forget_before(&mut self, from: Timestamp) {
        self.starts.retain(from);
        self.ends.retain(from);
        self.quiet.retain(from);
    }

    /// When its newest attempts started.
    #[must_use]
    pub const fn starts(&self) -> &[Timestamp] {
        self.starts.as_slice()
    }

    /// The first end of an attempt from `start` until before `next`.
    #[must_use]
    pub fn end_between(&self, start: Timestamp, next: Timestamp) -> Option<Timestamp> {
        self.ends.as_slice().iter().copied().find(|end| (start..next).contains(end))
    }

    /// Whether the job was started more than once.
    #[must_use]
    pub const fn is_repeated(&self) -> bool {
        self.starts.as_slice().len() > 1
    }

    /// The attempts that ended in nothing: the job started again, and no end lies between.
    pub fn lost(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.lost_and_next().map(|(start, _)| start)
    }

    /// Of starts in the form of before 9.21, those whose worker broke off before the next one, as `has_broken(from, until)`
    /// tells: that was no retry.
    pub fn lost_by_break(
        &self,
        has_broken: impl Fn(Timestamp, Timestamp) -> bool,
    ) -> impl Iterator<Item = Timestamp> {
        let quiet = self.quiet.as_slice();
        quiet.iter().zip(quiet.iter().skip(1)).filter_map(move |(start, next)| {
            let is_lost = self.end_between(*start, *next).is_none() && has_broken(*start, *next);
            is_lost.then_some(*start)
        })
    }

    /// How long it took from the start of each such attempt to the next one.
    pub fn lost_gaps_ms(&self) -> impl Iterator<Item = i64> + '_ {
        self.lost_and_next().map(|(start, next)| next.since_ms(start))
    }

    fn lost_and_next(&self) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let starts = self.starts.as_slice();
        starts.iter().zip(starts.iter().skip(1)).filter_map(|(start, next)| {
            let is_ended = self.ends.as_slice().iter().any(|end| (start..=next).contains(&end));
            (!is_ended).then_some((*start, *next))
        })
    }
}

/// A few moments, oldest first. Nearly every job has one start and one end, which take no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Timestamp>", into = "Vec<Timestamp>")]
enum Few {
    #[default]
    None,
    One(Timestamp),
    #[expect(clippy::box_collection, reason = "one word in each job, of which nearly none has more than one")]
    More(Box<Vec<Timestamp>>),
}

impl Few {
    const fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    const fn as_slice(&self) -> &[Timestamp] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more.as_slice(),
        }
    }

    fn join(&mut self, other: &Self) {
        if other.as_slice().iter().all(|at| self.as_slice().contains(at)) {
            return;
        }
        if self.is_empty() {
            self.clone_from(other);
            return;
        }
        let mut all = [self.as_slice(), other.as_slice()].concat();
        all.sort_unstable();
        all.dedup();
        all.drain(..all.len().saturating_sub(ATTEMPTS_MAX));
        *self = all.into();
    }

    fn retain(&mut self, from: Timestamp) {
        if self.as_slice().first().is_some_and(|first| *first < from) {
            let kept: Vec<Timestamp> = self.as_slice().iter().copied().filter(|at| *at >= from).collect();
            *self = kept.into();
        }
    }
}

impl From<Vec<Timestamp>> for Few {
    fn from(moments: Vec<Timestamp>) -> Self {
        match *moments.as_slice() {
            [] => Self::None,
            [one] => Self::One(one),
            _ => Self::More(Box::new(moments)),
        }
    }
}

impl From<Few> for Vec<Timestamp> {
    fn from(few: Few) -> Self {
        few.as_slice().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `s<ms>` starts and `e<ms>` ends, joined in every rotation; asserts the starts that were lost.
    #[track_caller]
    fn check(lines: &[&str], lost: &[i64]) {
        for turn in 0..lines.len() {
            let mut attempts = Attempts::default();
            for line in lines.iter().cycle().skip(turn).take(lines.len()) {
                let (kind, ms) = line.split_at(1);
                let at = Few::One(Timestamp::from_ms(ms.parse().unwrap()));
                let (starts, ends) = if kind == "s" { (at, Few::None) } else { (Few::None, at) };
                let one = Attempts { starts, ends, ..Attempts::default() };
                attempts.join(&one);
                attempts.join(&one);
            }
            let got: Vec<i64> = attempts.lost().map(Timestamp::as_ms).collect();
            assert_eq!(got, lost, "turn {turn}");
        }
    }

    #[test]
    fn a_start_after_a_start_without_an_end_between_shows_a_lost_attempt() {
        check(&["s100", "s200"], &[100]);
        check(&["s100", "s200", "s300", "e310"], &[100, 200]);
        check(&["s100", "e150", "s200"], &[]);
        check(&["s100", "e200", "s200"], &[]);
        check(&["s100", "s200", "e250", "s300"], &[100]);
        check(&["s100"], &[]);
        check(&["e100", "e200"], &[]);
    }

    #[test]
    fn where_a_retry_prints_nothing_a_break_between_two_starts_shows_a_lost_attempt() {
        let ms = |ms: &i64| Timestamp::from_ms(*ms);
        let attempts = Attempts {
            quiet: [100, 200, 300, 400].iter().map(ms).collect::<Vec<_>>().into(),
            ends: Few::One(Timestamp::from_ms(350)),
            ..Attempts::default()
        };
        let breaks = [150, 310];
        let has_broken =
            |from: Timestamp, until: Timestamp| breaks.iter().any(|at| (from..until).contains(&ms(at)));
        let lost: Vec<i64> = attempts.lost_by_break(has_broken).map(Timestamp::as_ms).collect();
        assert_eq!(lost, [100], "the second was a retry, the third ended");
    }

    #[test]
    fn the_newest_eight_are_kept_whatever_the_order() {
        let lines: Vec<String> = (1..=12).map(|n| format!("s{n}00")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(&lines, &[500, 600, 700, 800, 900, 1000, 1100]);
    }

    #[test]
    fn what_is_written_down_is_read_back() {
        let mut attempts = Attempts { starts: Few::One(Timestamp::from_ms(5)), ..Attempts::default() };
        let text = serde_json::to_string(&attempts).unwrap();
        assert_eq!(text, r#"{"s":[5]}"#);
        assert_eq!(serde_json::from_str::<Attempts>(&text).unwrap(), attempts);
        attempts.join(&Attempts { starts: Few::One(Timestamp::from_ms(7)), ..Attempts::default() });
        let text = serde_json::to_string(&attempts).unwrap();
        assert_eq!(serde_json::from_str::<Attempts>(&text).unwrap(), attempts);
    }
}

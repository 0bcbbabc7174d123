//! Who was overtaken: a job waits, and one of the same queue that became ready later has started.

use std::collections::BTreeMap;

use crate::domain::job::{JobClass, SECOND_MS, Timestamp};

/// How much later the other must have become ready: less is the order of two lines, not of two jobs.
pub const OVERTAKEN_BY_MS: i64 = 5 * SECOND_MS;

/// The earliest start after a point: by jobs with lines of their own, and by counted ones of two classes.
#[derive(Clone, Copy, Debug, Default)]
struct Earliest<'a> {
    own: Option<Timestamp>,
    counted: Option<(Timestamp, &'a JobClass)>,
    counted_other: Option<Timestamp>,
}

/// First starts of one queue, ready to be asked who overtook whom.
#[derive(Debug, Default)]
pub struct Overtaken<'a> {
    starts: Vec<(Timestamp, First<'a>)>,
    /// `from[n]` sums up `starts[n..]`.
    from: BTreeMap<Timestamp, Earliest<'a>>,
}

/// A first start of a job.
#[derive(Clone, Copy, Debug)]
pub enum First<'a> {
    /// Shown by the job's own lines.
    Own(Timestamp),
    /// Counted, of a class: it says nothing about other jobs of that class.
    Counted(Timestamp, Option<&'a JobClass>),
}

impl<'a> Overtaken<'a> {
    /// Takes a job that was ready at `ready_at` and has started.
    pub fn add(&mut self, ready_at: Timestamp, first: First<'a>) {
        self.starts.push((ready_at, first));
    }

    /// Sums up. Must be called once, after the last [`Self::add`].
    pub fn sum_up(&mut self) {
        self.starts.sort_by_key(|(ready_at, _)| *ready_at);
        let mut sum = Earliest::default();
        for (ready_at, first) in self.starts.iter().rev() {
            sum.take(*first);
            self.from.insert(*ready_at, sum);
        }
    }

    /// When a job of `class` that became ready at `ready_at` was first overtaken.
    #[must_use]
    pub fn overtaken_at(&self, ready_at: Timestamp, class: Option<&JobClass>) -> Option<Timestamp> {
        let after = ready_at.plus_ms(OVERTAKEN_BY_MS).plus_ms(1);
        let (_, sum) = self.from.range(after..).next()?;
        let counted = match sum.counted {
            Some((_, of)) if Some(of) == class => sum.counted_other,
            Some((at, _)) => Some(at),
            None => None,
        };
        match (sum.own, counted) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl<'a> Earliest<'a> {
    fn take(&mut self, first: First<'a>) {
        match first {
            First::Own(at) => self.own = Some(self.own.map_or(at, |own| own.min(at))),
            First::Counted(_, None) => {}
            First::Counted(at, Some(class)) => match self.counted {
                Some((best, of)) if of == class => self.counted = Some((best.min(at), class)),
                Some((best, _)) if best <= at => {
                    self.counted_other = Some(self.counted_other.map_or(at, |other| other.min(at)));
                }
                Some((best, _)) => {
                    // `best` is of another class than the new best, and nothing of another class beats it.
                    self.counted_other = Some(best);
                    self.counted = Some((at, class));
                }
                None => self.counted = Some((at, class)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `starts`: ready, start, class (`""` = own lines). Asks for a job of class `A` ready at 0.
    #[track_caller]
    fn check(starts: &[(i64, i64, &str)], expected: Option<i64>) {
        let classes: Vec<JobClass> = starts.iter().map(|(_, _, class)| JobClass::from(*class)).collect();
        let mut overtaken = Overtaken::default();
        for ((ready, at, class), name) in starts.iter().zip(&classes) {
            let at = Timestamp::from_ms(*at);
            let first = if class.is_empty() { First::Own(at) } else { First::Counted(at, Some(name)) };
            overtaken.add(Timestamp::from_ms(*ready), first);
        }
        overtaken.sum_up();
        let got = overtaken.overtaken_at(Timestamp::from_ms(0), Some(&JobClass::from("A")));
        assert_eq!(got.map(Timestamp::as_ms), expected);
    }

    #[test]
    fn a_job_ready_more_than_five_seconds_later_overtakes() {
        check(&[(5_001, 6_000, "")], Some(6_000));
        check(&[(5_000, 6_000, "")], None);
        check(&[(9_000, 9_500, ""), (6_000, 9_900, "")], Some(9_500));
    }

    #[test]
    fn a_counted_start_of_the_same_class_does_not() {
        check(&[(6_000, 7_000, "A")], None);
        check(&[(6_000, 7_000, "A"), (6_500, 7_500, "B")], Some(7_500));
        check(&[(6_000, 7_000, "B"), (6_500, 6_600, "A"), (7_000, 8_000, "C")], Some(7_000));
        check(&[(6_000, 7_000, "A"), (6_500, 7_500, "A")], None);
    }
}

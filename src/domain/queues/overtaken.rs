//! Who was overtaken: a job waits, and one of the same queue that was put there after it and became ready later has
//! started.

use crate::domain::job::{JobClass, SECOND_MS, Timestamp};

/// How much later the other must have become ready: less is the order of two lines, not of two jobs.
pub const OVERTAKEN_BY_MS: i64 = 5 * SECOND_MS;

/// The earliest start of some jobs: by those with lines of their own, and by counted ones of two classes.
#[derive(Clone, Copy, Debug, Default)]
struct Earliest<'a> {
    own: Option<Timestamp>,
    counted: Option<(Timestamp, &'a JobClass)>,
    /// Of another class than the one before.
    counted_other: Option<(Timestamp, &'a JobClass)>,
}

/// When a job was put on its queue, and its row where it has one: which of two jobs is older, whenever they may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    /// When it was enqueued, or went back to its queue.
    pub queued_at: Timestamp,
    /// The number of its row, between jobs of the same moment.
    pub row: Option<u64>,
}

/// First starts of one queue, ready to be asked who overtook whom.
#[derive(Debug, Default)]
pub struct Overtaken<'a> {
    starts: Vec<Start<'a>>,
}

/// A job that has started.
#[derive(Clone, Copy, Debug)]
struct Start<'a> {
    ready_at: Timestamp,
    age: Age,
    first: First<'a>,
}

/// A first start of a job.
#[derive(Clone, Copy, Debug)]
pub enum First<'a> {
    /// Shown by the job's own lines.
    Own(Timestamp),
    /// Counted, of a class: it says nothing about other jobs of that class.
    Counted(Timestamp, Option<&'a JobClass>),
}

/// A job that waits, as it is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// When a worker could take it.
    pub ready_at: Timestamp,
    /// How old it is.
    pub age: Age,
    /// Its class.
    pub class: Option<&'a JobClass>,
}

impl<'a> Overtaken<'a> {
    /// Takes a job that was ready at `ready_at` and has started.
    pub fn add(&mut self, ready_at: Timestamp, age: Age, first: First<'a>) {
        self.starts.push(Start { ready_at, age, first });
    }

    /// When each of these jobs was first overtaken: by one that became ready later, and is no older. A table hands the
    /// lowest row out first, so that a delayed job goes before those enqueued while it was not ready yet.
    #[must_use]
    pub fn overtaken_at(mut self, asked: &[Asked<'_>]) -> Vec<Option<Timestamp>> {
        self.starts.sort_by_key(|start| start.ready_at);
        let mut ages: Vec<Age> = self.starts.iter().map(|start| start.age.as_started()).collect();
        ages.sort_unstable();
        ages.dedup();
        let mut younger = Younger::of(ages);
        let mut order: Vec<(usize, &Asked<'_>)> = asked.iter().enumerate().collect();
        order.sort_by_key(|(_, job)| job.ready_at);
        let mut found = vec![None; asked.len()];
        // From the one that became ready last: the starts of those ready later than it are in by then.
        for (n, job) in order.into_iter().rev() {
            let after = job.ready_at.plus_ms(OVERTAKEN_BY_MS);
            while let Some(start) = self.starts.pop_if(|start| start.ready_at > after) {
                younger.take(start.age.as_started(), start.first);
            }
            if let Some(at) = found.get_mut(n) {
                *at = younger.than(job.age.as_waiting()).of_other_than(job.class);
            }
        }
        found
    }
}

impl Age {
    /// Where no row tells which of two jobs of the same moment is older, the one that waits is.
    const fn as_started(self) -> Self {
        let row = match self.row {
            None => Some(u64::MAX),
            known => known,
        };
        Self { row, ..self }
    }

    const fn as_waiting(self) -> Self {
        let row = match self.row {
            None => Some(0),
            known => known,
        };
        Self { row, ..self }
    }
}

/// The earliest starts by age: a tree of partial sums, since a stall may hold a hundred thousand jobs.
struct Younger<'a> {
    ages: Vec<Age>,
    sums: Vec<Earliest<'a>>,
}

impl<'a> Younger<'a> {
    fn of(ages: Vec<Age>) -> Self {
        let sums = vec![Earliest::default(); ages.len().saturating_add(1)];
        Self { ages, sums }
    }

    /// How many ages are at least this one: the youngest is first in the tree.
    fn rank(&self, is_older: impl Fn(&Age) -> bool) -> usize {
        self.ages.len().saturating_sub(self.ages.partition_point(is_older))
    }

    fn take(&mut self, age: Age, first: First<'a>) {
        let mut at = self.rank(|other| *other < age);
        while let Some(sum) = self.sums.get_mut(at).filter(|_| at > 0) {
            sum.join(&Earliest::of(first));
            at = at.saturating_add(lowest_bit(at));
        }
    }

    /// What is younger than `age`.
    fn than(&self, age: Age) -> Earliest<'a> {
        let mut sum = Earliest::default();
        let mut at = self.rank(|other| *other <= age);
        while at > 0 {
            if let Some(part) = self.sums.get(at) {
                sum.join(part);
            }
            at = at.saturating_sub(lowest_bit(at));
        }
        sum
    }
}

const fn lowest_bit(n: usize) -> usize {
    n & n.wrapping_neg()
}

impl<'a> Earliest<'a> {
    fn of(first: First<'a>) -> Self {
        match first {
            First::Own(at) => Self { own: Some(at), ..Self::default() },
            First::Counted(at, class) => Self { counted: class.map(|class| (at, class)), ..Self::default() },
        }
    }

    fn join(&mut self, other: &Self) {
        self.own = [self.own, other.own].into_iter().flatten().min();
        for counted in [other.counted, other.counted_other].into_iter().flatten() {
            self.count(counted);
        }
    }

    fn count(&mut self, (at, class): (Timestamp, &'a JobClass)) {
        match self.counted {
            Some((best, of)) if of == class => self.counted = Some((best.min(at), class)),
            Some((best, _)) if best <= at => {
                let is_better = self.counted_other.is_none_or(|(other, _)| at < other);
                self.counted_other = if is_better { Some((at, class)) } else { self.counted_other };
            }
            // What was best is of another class, and nothing of another class beats it.
            best => (self.counted, self.counted_other) = (Some((at, class)), best),
        }
    }

    /// The earliest that tells something of a job of `class`.
    fn of_other_than(&self, class: Option<&JobClass>) -> Option<Timestamp> {
        let is_other = |counted: &&(Timestamp, &JobClass)| Some(counted.1) != class;
        let counted = [self.counted, self.counted_other];
        let counted = counted.iter().flatten().find(is_other).map(|(at, _)| *at);
        [self.own, counted].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `starts`: when it was enqueued, was ready and started, its row (0 = none), its class (`""` = own lines). Asks for a
    /// job of class `A`, row 50, enqueued and ready at 0.
    #[track_caller]
    fn check(starts: &[(i64, i64, i64, u64, &str)], expected: Option<i64>) {
        let classes: Vec<JobClass> = starts.iter().map(|(.., class)| JobClass::from(*class)).collect();
        let mut overtaken = Overtaken::default();
        let age = |queued_at: i64, row: u64| Age {
            queued_at: Timestamp::from_ms(queued_at),
            row: Some(row).filter(|row| *row > 0),
        };
        for ((queued_at, ready_at, at, row, class), name) in starts.iter().zip(&classes) {
            let at = Timestamp::from_ms(*at);
            let first = if class.is_empty() { First::Own(at) } else { First::Counted(at, Some(name)) };
            overtaken.add(Timestamp::from_ms(*ready_at), age(*queued_at, *row), first);
        }
        let class = JobClass::from("A");
        let asked = Asked { ready_at: Timestamp::from_ms(0), age: age(0, 50), class: Some(&class) };
        let got = overtaken.overtaken_at(&[asked]);
        assert_eq!(got, [expected.map(Timestamp::from_ms)]);
    }

    /// The same for jobs without rows and delays.
    #[track_caller]
    fn check_ready(starts: &[(i64, i64, &str)], expected: Option<i64>) {
        let starts: Vec<_> =
            starts.iter().map(|(ready_at, at, class)| (*ready_at, *ready_at, *at, 0, *class)).collect();
        check(&starts, expected);
    }

    #[test]
    fn a_job_ready_more_than_five_seconds_later_overtakes() {
        check_ready(&[(5_001, 6_000, "")], Some(6_000));
        check_ready(&[(5_000, 6_000, "")], None);
        check_ready(&[(9_000, 9_500, ""), (6_000, 9_900, "")], Some(9_500));
    }

    #[test]
    fn a_delayed_job_that_is_older_does_not() {
        check(&[(-900_000, 900_000, 900_001, 0, "")], None);
        check(&[(-900_000, 900_000, 900_001, 60, "")], None);
        check(&[(1, 900_000, 900_001, 0, "")], Some(900_001));
        check(&[(-900_000, 900_000, 900_001, 0, ""), (910_000, 910_000, 910_001, 0, "")], Some(910_001));
    }

    #[test]
    fn of_the_same_moment_the_row_tells_who_is_older() {
        check(&[(0, 900_000, 900_001, 49, "")], None);
        check(&[(0, 900_000, 900_001, 50, "")], None);
        check(&[(0, 900_000, 900_001, 51, "")], Some(900_001));
        check(&[(0, 900_000, 900_001, 0, "")], Some(900_001));
    }

    #[test]
    fn a_counted_start_of_the_same_class_does_not() {
        check_ready(&[(6_000, 7_000, "A")], None);
        check_ready(&[(6_000, 7_000, "A"), (6_500, 7_500, "B")], Some(7_500));
        check_ready(&[(6_000, 7_000, "B"), (6_500, 6_600, "A"), (7_000, 8_000, "C")], Some(7_000));
        check_ready(&[(6_000, 7_000, "A"), (6_500, 7_500, "A")], None);
    }

    #[test]
    fn many_are_asked_at_once_and_in_any_order() {
        let at = Timestamp::from_ms;
        let mut overtaken = Overtaken::default();
        for n in 0..100 {
            let age = Age { queued_at: at(n * 1_000), row: None };
            overtaken.add(at(n * 1_000), age, First::Own(at(n * 1_000 + 300)));
        }
        let asked: Vec<Asked<'_>> = [90, 10, 99, 50]
            .map(|n| Asked {
                ready_at: at(n * 1_000),
                age: Age { queued_at: at(n * 1_000), row: None },
                class: None,
            })
            .into();
        let expected = [Some(at(96_300)), Some(at(16_300)), None, Some(at(56_300))];
        assert_eq!(overtaken.overtaken_at(&asked), expected);
    }
}

//! The state of an alarm from its newest datapoints, some of which are missing.
//!
//! After *Configuring how CloudWatch alarms treat missing data*
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>), whose two tables
//! are this crate's first test. The page leaves one number open: how much more than it needs an alarm looks at. It
//! tells it for one alarm only, 5 datapoints for 3; taken here as two more than it needs, always.

/// What an alarm says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It cannot tell, or has just been made.
    #[default]
    InsufficientData,
    /// Within the threshold.
    Ok,
    /// Outside.
    Alarm,
}

/// One datapoint, held against the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datapoint {
    /// Within the threshold.
    Within,
    /// Outside.
    Breaching,
    /// Not there.
    Missing,
}

/// `TreatMissingData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// `missing`: with nothing to go by, the alarm has insufficient data.
    Missing,
    /// `ignore`: the state stays.
    Ignore,
    /// `breaching`.
    Breaching,
    /// `notBreaching`.
    NotBreaching,
}

/// M out of N, and what a gap counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// `EvaluationPeriods`, N.
    pub periods: usize,
    /// `DatapointsToAlarm`, M.
    pub to_alarm: usize,
    /// `TreatMissingData`.
    pub missing: Missing,
}

/// How many datapoints more than it needs an alarm looks at.
const LOOKS_FURTHER: usize = 2;

impl Evaluation {
    /// The evaluation range: how many datapoints the alarm looks at, so that it has enough where some are missing.
    #[must_use]
    pub const fn range(&self) -> usize {
        self.periods.saturating_add(LOOKS_FURTHER)
    }

    /// The state after looking at `points`, the evaluation range's, oldest first; or the newest of them that hold N
    /// which are there, as no more are looked at then.
    #[must_use]
    pub fn state(&self, points: &[Datapoint], current: State) -> State {
        let there = points.iter().filter(|point| **point != Datapoint::Missing).count();
        let newest = || points.iter().rev().filter(|point| **point != Datapoint::Missing).take(self.periods);
        let breaching = newest().filter(|point| **point == Datapoint::Breaching).count();
        let lacking = self.periods.saturating_sub(there);
        let verdict = |breaching: usize| if breaching >= self.to_alarm { State::Alarm } else { State::Ok };
        match self.missing {
            Missing::Missing | Missing::Ignore if lacking > 0 && breaching < self.to_alarm => {
                self.undecided(points, current)
            }
            Missing::Breaching => verdict(breaching.saturating_add(lacking)),
            Missing::Missing | Missing::Ignore | Missing::NotBreaching => verdict(breaching),
        }
    }

    /// Too few datapoints, and gaps that count for nothing. One that is within the threshold settles it. Breaching
    /// ones alone do once the oldest of them is M datapoints old: until then the next one might be within.
    fn undecided(&self, points: &[Datapoint], current: State) -> State {
        if points.contains(&Datapoint::Within) {
            return State::Ok;
        }
        let oldest = points.iter().position(|point| *point == Datapoint::Breaching);
        let age = oldest.map_or(0, |at| points.len().saturating_sub(at));
        match self.missing {
            Missing::Ignore => current,
            Missing::Missing | Missing::Breaching | Missing::NotBreaching => {
                if age > 0 && age >= self.to_alarm { State::Alarm } else { State::InsufficientData }
            }
        }
    }
}

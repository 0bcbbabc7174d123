//! Metric math, as much of it as the baselines use: numbers, `FILL`, `-`, `>`, `==`, `AND`, `IF`.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>
//!
//! An expression over something missing is missing; `FILL` is the way out.

use std::fmt;

use crate::logs::{Counted, Fact, Metric};

/// An expression, worked out period by period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The sum of a metric.
    Sum(Metric),
    /// A number.
    Number(i64),
    /// `FILL(…, n)`.
    Fill(Box<Expression>, i64),
    /// `… - …`.
    Minus(Box<Expression>, Box<Expression>),
    /// `… > …`, which is 1 or 0, as all that compare.
    Above(Box<Expression>, Box<Expression>),
    /// `… == …`.
    Equal(Box<Expression>, Box<Expression>),
    /// `… AND …`.
    And(Box<Expression>, Box<Expression>),
    /// `IF(…, …, …)`.
    If(Box<Expression>, Box<Expression>, Box<Expression>),
}

impl Expression {
    /// `FILL(metric, 0)`: what alarms on filters are told to use.
    #[must_use]
    pub fn filled(metric: Metric) -> Self {
        Self::Fill(Box::new(Self::Sum(metric)), 0)
    }

    /// `self - other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::Minus(Box::new(self), Box::new(other))
    }

    /// `self > number`.
    #[must_use]
    pub fn above(self, number: i64) -> Self {
        Self::Above(Box::new(self), Box::new(Self::Number(number)))
    }

    /// `self == number`.
    #[must_use]
    pub fn equal(self, number: i64) -> Self {
        Self::Equal(Box::new(self), Box::new(Self::Number(number)))
    }

    /// `self AND other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// `IF(self, 1, 0)`.
    #[must_use]
    pub fn as_flag(self) -> Self {
        Self::If(Box::new(self), Box::new(Self::Number(1)), Box::new(Self::Number(0)))
    }

    /// Its value in a period, given each metric's sum there.
    pub fn value(&self, sum: &impl Fn(&Metric) -> Option<i64>) -> Option<i64> {
        let both = |left: &Self, right: &Self| left.value(sum).zip(right.value(sum));
        match self {
            Self::Sum(metric) => sum(metric),
            Self::Number(number) => Some(*number),
            Self::Fill(inner, number) => Some(inner.value(sum).unwrap_or(*number)),
            Self::Minus(left, right) => both(left, right).map(|(l, r)| l.saturating_sub(r)),
            Self::Above(left, right) => both(left, right).map(|(l, r)| i64::from(l > r)),
            Self::Equal(left, right) => both(left, right).map(|(l, r)| i64::from(l == r)),
            Self::And(left, right) => both(left, right).map(|(l, r)| i64::from(l != 0 && r != 0)),
            Self::If(condition, then, otherwise) => {
                let chosen = if condition.value(sum)? == 0 { otherwise } else { then };
                chosen.value(sum)
            }
        }
    }

    /// Every metric in it.
    #[must_use]
    pub fn metrics(&self) -> Vec<&Metric> {
        let parts: Vec<&Self> = match self {
            Self::Sum(metric) => return vec![metric],
            Self::Number(_) => Vec::new(),
            Self::Fill(inner, _) => vec![inner],
            Self::Minus(left, right)
            | Self::Above(left, right)
            | Self::Equal(left, right)
            | Self::And(left, right) => vec![left, right],
            Self::If(condition, then, otherwise) => vec![condition, then, otherwise],
        };
        parts.into_iter().flat_map(Self::metrics).collect()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum(metric) => {
                f.write_str(match metric.counted {
                    Counted::Matches(Fact::Enqueued) => "enqueued",
                    Counted::Matches(Fact::Started) => "started",
                    Counted::Matches(Fact::Done) => "done",
                    Counted::Matches(Fact::Failed) => "failed",
                    Counted::Incoming => "IncomingLogEvents",
                })?;
                metric.queue.as_ref().map_or(Ok(()), |queue| write!(f, "[{queue}]"))
            }
            Self::Number(number) => write!(f, "{number}"),
            Self::Fill(inner, number) => write!(f, "FILL({inner},{number})"),
            Self::Minus(left, right) => write!(f, "{left}-{right}"),
            Self::Above(left, right) => write!(f, "{left}>{right}"),
            Self::Equal(left, right) => write!(f, "{left}=={right}"),
            Self::And(left, right) => write!(f, "{left} AND {right}"),
            Self::If(condition, then, otherwise) => write!(f, "IF({condition},{then},{otherwise})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn metric(fact: Fact) -> Metric {
        Metric { counted: Counted::Matches(fact), groups: BTreeSet::new(), queue: None }
    }

    #[track_caller]
    fn check(expression: &Expression, enqueued: Option<i64>, started: Option<i64>, expected: Option<i64>) {
        let sum = |asked: &Metric| if *asked == metric(Fact::Enqueued) { enqueued } else { started };
        assert_eq!(expression.value(&sum), expected, "{expression}");
    }

    #[test]
    fn what_is_missing_stays_missing_unless_filled() {
        let bare = || Expression::Sum(metric(Fact::Enqueued)).minus(Expression::Sum(metric(Fact::Started)));
        check(&bare(), Some(5), Some(2), Some(3));
        check(&bare(), Some(5), None, None);
        let filled =
            Expression::filled(metric(Fact::Enqueued)).minus(Expression::filled(metric(Fact::Started)));
        check(&filled, Some(5), None, Some(5));
        check(&filled, None, None, Some(0));
    }

    #[test]
    fn a_flag_is_one_where_jobs_came_and_none_started() {
        let came = Expression::filled(metric(Fact::Enqueued)).above(0);
        let flag = came.and(Expression::filled(metric(Fact::Started)).equal(0)).as_flag();
        check(&flag, Some(1), None, Some(1));
        check(&flag, Some(1), Some(1), Some(0));
        check(&flag, None, None, Some(0));
        assert_eq!(flag.to_string(), "IF(FILL(enqueued,0)>0 AND FILL(started,0)==0,1,0)");
        assert_eq!(flag.metrics(), [&metric(Fact::Enqueued), &metric(Fact::Started)]);
    }
}

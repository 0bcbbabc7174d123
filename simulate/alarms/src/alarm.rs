//! Alarms over time: each is looked at once a minute, on periods that slide with it.
//!
//! An alarm acts when its state changes, and only then: it never repeats itself.

use crate::evaluate::{Datapoint, Evaluation, State};
use crate::logs::{Logs, MINUTE_MS, Metric, Playback};
use crate::math::Expression;

/// What is outside the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `GreaterThanThreshold`.
    Above,
    /// `GreaterThanOrEqualToThreshold`.
    AtLeast,
    /// `LessThanThreshold`.
    Below,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it looks at.
    pub expression: Expression,
    /// How it compares.
    pub comparison: Comparison,
    /// To what.
    pub threshold: i64,
    /// Minutes that one datapoint sums.
    pub period_minutes: i64,
    /// M of N, and gaps.
    pub evaluation: Evaluation,
}

impl Alarm {
    fn is_breaching(&self, value: i64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::AtLeast => value >= self.threshold,
            Comparison::Below => value < self.threshold,
        }
    }

    /// Its state after a look at the beginning of `minute`.
    fn evaluate(&self, playback: &Playback, minute: i64, current: State) -> State {
        let (mut points, mut there) = (Vec::new(), 0_usize);
        let mut to = minute;
        for _ in 0..self.evaluation.range() {
            // With enough datapoints that are there, older ones are not looked at.
            if there >= self.evaluation.periods {
                break;
            }
            let from = to.saturating_sub(self.period_minutes);
            let point = match self.expression.value(&|metric: &Metric| playback.sum(metric, from, to)) {
                None => Datapoint::Missing,
                Some(value) if self.is_breaching(value) => Datapoint::Breaching,
                Some(_) => Datapoint::Within,
            };
            there = there.saturating_add(usize::from(point != Datapoint::Missing));
            points.push(point);
            to = from;
        }
        points.reverse();
        self.evaluation.state(&points, current)
    }

    /// Minutes until an alarm that was made with the first line has a whole evaluation range behind it.
    fn warm_up_minutes(&self) -> i64 {
        let range = i64::try_from(self.evaluation.range()).unwrap_or(i64::MAX);
        range.saturating_mul(self.period_minutes)
    }
}

/// Alarms that count as one, as in a composite alarm `ALARM(a) OR ALARM(b)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyOf {
    /// What it is called.
    pub name: String,
    /// The alarms.
    pub alarms: Vec<Alarm>,
}

/// A stretch of time in ALARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When it went to ALARM.
    pub alarm_at_ms: i64,
    /// When it went back; `None` where it never did.
    pub ok_at_ms: Option<i64>,
}

/// Watches until `until_ms`, and returns each one's spells. An alarm is first looked at once its evaluation range lies
/// behind the first line: nobody is told that there was nothing before there was anything.
#[must_use]
pub fn watch(watched: &[AnyOf], logs: &Logs, until_ms: i64) -> Vec<Vec<Spell>> {
    let mut spells = vec![Vec::<Spell>::new(); watched.len()];
    let Some((first, _)) = logs.span() else { return spells };
    let alarms = || watched.iter().flat_map(|any| &any.alarms);
    let mut metrics: Vec<Metric> = alarms().flat_map(|alarm| alarm.expression.metrics()).cloned().collect();
    metrics.sort();
    metrics.dedup();
    let mut playback = logs.play(metrics);
    let mut states: Vec<Vec<State>> =
        watched.iter().map(|any| vec![State::default(); any.alarms.len()]).collect();
    let longest = alarms().map(Alarm::warm_up_minutes).fold(0, i64::max);
    let mut minute = first;
    while minute <= until_ms.div_euclid(MINUTE_MS) {
        playback.advance(minute);
        for ((any, states), spells) in watched.iter().zip(&mut states).zip(&mut spells) {
            for (alarm, state) in any.alarms.iter().zip(states.iter_mut()) {
                if minute >= first.saturating_add(alarm.warm_up_minutes()) {
                    *state = alarm.evaluate(&playback, minute, *state);
                }
            }
            note(spells, states.contains(&State::Alarm), minute.saturating_mul(MINUTE_MS));
        }
        // Once everything counted lies before every evaluation range, nothing changes until something is counted.
        let (last, next) = playback.around();
        let is_settled = last.is_some_and(|last| last.saturating_add(longest).saturating_add(1) < minute);
        let resume = next.map_or(i64::MAX, |next| next.saturating_add(1));
        minute = minute.saturating_add(1).max(if is_settled { resume } else { minute });
    }
    spells
}

fn note(spells: &mut Vec<Spell>, is_alarm: bool, at_ms: i64) {
    let open = spells.last_mut().filter(|spell| spell.ok_at_ms.is_none());
    match (open, is_alarm) {
        (None, true) => spells.push(Spell { alarm_at_ms: at_ms, ok_at_ms: None }),
        (Some(spell), false) => spell.ok_at_ms = Some(at_ms),
        (Some(_), true) | (None, false) => {}
    }
}

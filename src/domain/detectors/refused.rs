//! Refused: jobs cannot be put on their queue. Errors of the queue's store whose trace shows a push.

use std::collections::VecDeque;

use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::incidents::cases::Change;
use crate::domain::incidents::{Detail, Incident, Key, Kind};
use crate::domain::job::{MINUTE_MS, Timestamp, TraceSide};
use crate::domain::ledger::Ledger;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::place::World;

/// Errors that are no accident any more.
const ERRORS_LEAST: u64 = 3;
/// Within how long they must have come.
const WINDOW_MS: i64 = 5 * MINUTE_MS;
/// How old they may be when they are read: lines come late.
const LOOKED_BACK_MS: i64 = 2 * WINDOW_MS;
/// How long a store may refuse enqueues and page nobody, if it takes one after that: it was restarted, or failed over.
const BRIEF_MS: i64 = MINUTE_MS;

/// The lines of such errors name neither connection nor queue, so that there is one incident for the app.
#[must_use]
pub fn key() -> Key {
    Key::at(Kind::EnqueueErrors, &QueueRef::default())
}

/// Judges the app at one moment.
#[must_use]
pub fn judge<'v>(world: &World<'v>, past: Option<&Incident>) -> Verdict<'v> {
    let now = world.now;
    let refusals = read(world.ledger, told_until(world.ledger, closed_by_hand_at(past), now), now);
    let newest_enqueue = world.ledger.queues().filter_map(|(_, facts)| facts.newest_enqueue).max();
    let is_taken = newest_enqueue > refusals.newest;
    let mut verdict = Verdict::default();
    let change = match opened(past) {
        Some(mut incident) => {
            follow(&mut incident, &refusals);
            let calm_at = refusals.calm_at();
            if let Some(calm_at) = calm_at {
                verdict.wake.at(calm_at, now);
            }
            if is_taken && calm_at.is_none_or(|at| at <= now) {
                Change::Resolve(incident)
            } else {
                Change::Keep { incident, is_asked: true, is_updated: false }
            }
        }
        None if refusals.is_burst && refusals.calm_at().is_some_and(|at| at > now) => {
            if let Some(until) = refusals.brief_until(now) {
                verdict.wake.at(until, now);
                return verdict;
            }
            if refusals.is_brief() && is_taken {
                return verdict;
            }
            let opening = Opening::of(world, past);
            let mut incident = opening.reopen(key(), [].into_iter(), |_| Detail::EnqueueErrors);
            incident.since = refusals.oldest;
            follow(&mut incident, &refusals);
            Change::Open(incident)
        }
        None => Change::Nothing,
    };
    Verdict { change, ..verdict }
}

fn follow(incident: &mut Incident, refusals: &Refusals) {
    incident.jobs_now = refusals.count;
    incident.jobs_count = incident.jobs_count.max(refusals.count);
}

/// Refused enqueues of the last minutes.
#[derive(Debug, Default)]
struct Refusals {
    /// Whether three came within five minutes.
    is_burst: bool,
    /// The first of those.
    oldest: Option<Timestamp>,
    /// The newest, however long ago.
    newest: Option<Timestamp>,
    /// How many in the time that is looked at.
    count: u64,
}

impl Refusals {
    /// Whether they lie so close together that the store may have been away for a moment.
    fn is_brief(&self) -> bool {
        self.newest.zip(self.oldest).is_some_and(|(newest, oldest)| newest.since_ms(oldest) < BRIEF_MS)
    }

    /// Until when nobody can say yet whether it was only a moment.
    fn brief_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.oldest.map(|at| at.plus_ms(BRIEF_MS)).filter(|until| *until > now)
    }

    /// When the calm has lasted long enough, if none comes any more.
    fn calm_at(&self) -> Option<Timestamp> {
        self.newest.map(|at| at.plus_ms(WINDOW_MS))
    }
}

/// Up to when everything is told, after somebody has closed the incident: what follows without a pause is of the same
/// trouble.
fn told_until(ledger: &Ledger, closed_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let Some(closed_at) = closed_at else { return Timestamp::MIN };
    let errors = &ledger.signals.store_errors;
    let mut before =
        errors.of(Some(TraceSide::Push), Timestamp::MIN, closed_at).next_back().map(|(at, ..)| at);
    for (at, ..) in errors.of(Some(TraceSide::Push), closed_at, now) {
        // Where those of before are forgotten, there were too many to keep.
        if before.is_some_and(|before| at.since_ms(before) > WINDOW_MS) {
            return at.minus_ms(1);
        }
        before = Some(at);
    }
    before.map_or(closed_at, |before| before.max(closed_at))
}

/// Reads the refusals after `told_until`.
fn read(ledger: &Ledger, told_until: Timestamp, now: Timestamp) -> Refusals {
    let errors = &ledger.signals.store_errors;
    let from = told_until.plus_ms(1);
    let newest = errors.of(Some(TraceSide::Push), from, now).rfind(|(at, ..)| *at >= from);
    let mut refusals = Refusals { newest: newest.map(|(at, ..)| at), ..Refusals::default() };
    let mut window: VecDeque<(Timestamp, u64)> = VecDeque::new();
    for (at, n, _) in errors.of(Some(TraceSide::Push), from.max(now.minus_ms(LOOKED_BACK_MS)), now) {
        refusals.count = refusals.count.saturating_add(n);
        window.push_back((at, n));
        while window.front().is_some_and(|(first, _)| at.since_ms(*first) > WINDOW_MS) {
            window.pop_front();
        }
        if window.iter().map(|(_, n)| n).sum::<u64>() >= ERRORS_LEAST {
            refusals.is_burst = true;
            refusals.oldest = refusals.oldest.or(window.front().map(|(first, _)| *first));
        }
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey, Observation, SECOND_MS, Stage};

    /// Errors at these seconds, looked at `now_s`.
    #[track_caller]
    fn check(errors_s: &[i64], now_s: i64, is_burst: bool, count: u64) {
        let mut ledger = Ledger::default();
        let second = |s: i64| Timestamp::from_ms(s.saturating_mul(SECOND_MS));
        for at in errors_s {
            let error = Observation::bare(Stage::EnqueueError, second(*at), LineKey(1), Form::Monolog);
            ledger.signals.store_errors.take(&error, 1);
        }
        let refusals = read(&ledger, Timestamp::MIN, second(now_s));
        assert_eq!((refusals.is_burst, refusals.count), (is_burst, count));
    }

    #[test]
    fn three_errors_within_five_minutes_are_a_burst_also_when_they_come_late() {
        check(&[0, 100, 300], 300, true, 3);
        check(&[0, 100, 301], 301, false, 3);
        check(&[0, 100], 300, false, 2);
        check(&[0, 0, 0], 599, true, 3);
        check(&[0, 100, 200], 590, true, 3);
        check(&[0, 100, 200], 601, false, 2);
    }
}

//! Refused: jobs cannot be put on their queue. Errors of the queue's store whose trace shows a push.

use std::collections::VecDeque;

use super::{Opening, Verdict, opened};
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

/// The lines of such errors name neither connection nor queue, so that there is one incident for the app.
#[must_use]
pub fn key() -> Key {
    Key::at(Kind::EnqueueErrors, &QueueRef::default())
}

/// Judges the app at one moment.
#[must_use]
pub fn judge<'v>(world: &World<'v>, past: Option<&Incident>) -> Verdict<'v> {
    let now = world.now;
    let refusals = read(world.ledger, now);
    let mut verdict = Verdict::default();
    let change = match opened(past) {
        Some(mut incident) => {
            follow(&mut incident, &refusals);
            let calm_at = refusals.calm_at();
            if let Some(calm_at) = calm_at {
                verdict.wake.at(calm_at, now);
            }
            let newest_enqueue = world.ledger.lanes().filter_map(|(_, facts)| facts.newest_enqueue).max();
            let is_taken = newest_enqueue > refusals.newest;
            if is_taken && calm_at.is_none_or(|at| at <= now) {
                Change::Resolve(incident)
            } else {
                Change::Keep { incident, is_asked: true, is_updated: false }
            }
        }
        None if refusals.is_burst && refusals.calm_at().is_some_and(|at| at > now) => {
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
    /// When the calm has lasted long enough, if none comes any more.
    fn calm_at(&self) -> Option<Timestamp> {
        self.newest.map(|at| at.plus_ms(WINDOW_MS))
    }
}

fn read(ledger: &Ledger, now: Timestamp) -> Refusals {
    let errors = &ledger.circumstances.store_errors;
    let newest = errors.of(Some(TraceSide::Push), Timestamp::MIN, now).next_back();
    let mut refusals = Refusals { newest: newest.map(|(at, ..)| at), ..Refusals::default() };
    let mut window: VecDeque<(Timestamp, u64)> = VecDeque::new();
    for (at, n, _) in errors.of(Some(TraceSide::Push), now.minus_ms(LOOKED_BACK_MS), now) {
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
            ledger.circumstances.store_errors.take(&error);
        }
        let refusals = read(&ledger, second(now_s));
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

//! When sweeps come: each minute, anywhere within it, sometimes twice, sometimes not at all.
//!
//! Most minutes of the quiet hours are left out: their sweeps find nothing new, and histories are to be many.

use queuewatch::domain::job::MINUTE_MS;

use crate::deliveries::LATE_MS;
use crate::dice::Dice;
use crate::story::{BEGIN_MS, Fate, Story};

/// Minutes in which everything goes well, before workers come back: by then every stall has been told.
const CALM: [i64; 2] = [14, 15];

/// How long no sweep comes in some histories.
const IDLE_MINUTES: i64 = 60;

/// A sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) at_ms: i64,
    /// Whether nothing goes wrong in it.
    pub(crate) is_calm: bool,
}

/// The sweeps of a history, by time. Where nothing goes wrong none is left out while jobs may become overdue.
pub(crate) fn ticks(story: &Story, dice: &mut Dice, has_faults: bool, has_late: bool) -> Vec<Tick> {
    let mut ticks = Vec::new();
    let mut within = |minute: i64, is_calm: bool, dice: &mut Dice| {
        let at_ms = BEGIN_MS + minute * MINUTE_MS + dice.between(0, 59_999);
        ticks.push(Tick { at_ms, is_calm });
        if !is_calm && dice.happens(250) {
            ticks.push(Tick { at_ms: at_ms + dice.between(0, 8_000), is_calm });
        }
    };
    let recovers = story.queues.iter().any(|queue| queue.fate == Fate::Recovers);
    // Nobody sweeps for an hour.
    let is_idle = has_faults && !recovers && dice.happens(100);
    let after = if is_idle { IDLE_MINUTES } else { 0 };
    for minute in if is_idle { 0..0 } else { 1..11 } {
        let fires = if minute < 5 {
            250
        } else if has_faults {
            900
        } else {
            1_000
        };
        if dice.happens(fires) {
            within(minute, false, dice);
        }
    }
    for minute in CALM {
        within(after + minute, true, dice);
    }
    if recovers {
        for minute in 17..=19 {
            within(minute, false, dice);
        }
    }
    if has_late {
        let late = (LATE_MS - BEGIN_MS) / MINUTE_MS;
        // It lets go of the jobs that settled, of which the late payloads speak again.
        within(late - 2, true, dice);
        for minute in [late + 1, late + 6, late + 7] {
            within(minute, false, dice);
        }
    }
    ticks.sort_by_key(|tick| tick.at_ms);
    ticks
}

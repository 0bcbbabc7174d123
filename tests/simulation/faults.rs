//! What goes wrong between a process and the outside, and how often.

use queuewatch::domain::job::MINUTE_MS;

use crate::dice::Dice;
use crate::story::BEGIN_MS;

/// How long a call takes at most, mostly.
const QUICK_MS: i64 = 20;
/// When a client gives up on a topic.
const STUCK_MS: i64 = 5_000;

/// How far a clock may be off: the lease has five seconds for two that are.
const SKEW_MAX_MS: i64 = 2_000;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A read of the table or its index.
    Read,
    /// A write of the table.
    Write,
    /// A message to a topic.
    OutgoingMessage,
    /// Metrics.
    Metrics,
}

impl Site {
    /// How often a call is tried: the table's client tries again by itself, the others' do not, as with AWS's.
    pub(crate) const fn tries(self) -> usize {
        match self {
            Self::Read | Self::Write => 4,
            Self::OutgoingMessage | Self::Metrics => 1,
        }
    }
}

/// What becomes of one try of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    /// It is done, and the caller is told.
    Good,
    /// It is not done, and the caller is told: a throttle.
    Refused,
    /// It is done, and the caller is told that it is not, or nothing.
    ReplyLost,
    /// As [`Luck::Refused`], and no further try helps.
    Down,
    /// As [`Luck::ReplyLost`], and no further try is made.
    ReplyLostForGood,
    /// The process dies before it is done.
    DiesBefore,
    /// The process dies while it is under way: it is done later, and nobody is told.
    DiesMeanwhile,
    /// It is done, and the process dies.
    DiesAfter,
}

/// How often things go wrong in one history, in thousandths of the tries, and how slow the outside is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    refused: u64,
    reply_lost: u64,
    down: u64,
    dies: u64,
    /// How long a call takes at most, of a process that is slow.
    slow_max_ms: i64,
    /// How far behind the index may be.
    pub(crate) stale_max_ms: i64,
    /// How far the clocks of processes may be off.
    pub(crate) skew_max_ms: i64,
    /// When another version begins to be deployed.
    pub(crate) deployed_ms: Option<i64>,
    /// Whether a delivery may fail all three times that Lambda tries it.
    pub(crate) may_lose_deliveries: bool,
}

impl Faults {
    /// Everything may go wrong.
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        let moderate = Self { refused: 30, reply_lost: 20, down: 6, dies: 9, ..Self::default() };
        let kind = match dice.below(6) {
            0 => Self { reply_lost: 70, down: 10, ..Self::default() },
            1 => Self { dies: 25, ..Self::default() },
            2 => Self { refused: 200, reply_lost: 10, down: 15, dies: 4, ..Self::default() },
            _ => moderate,
        };
        let may_lose_deliveries = dice.happens(250);
        let skew_max_ms = dice.pick(&[0, 0, 300, SKEW_MAX_MS]);
        let deployed_ms = dice.happens(200).then(|| BEGIN_MS + dice.between(0, 9 * MINUTE_MS));
        let down = if may_lose_deliveries { 40 } else { kind.down };
        // At the slowest a sweep is killed before it is done.
        Self {
            may_lose_deliveries,
            down,
            skew_max_ms,
            deployed_ms,
            ..kind.paced(dice, &[QUICK_MS, 300, 900, 4_000])
        }
    }

    /// Nothing goes wrong; the outside may be slow and the index old.
    pub(crate) fn none(dice: &mut Dice) -> Self {
        // At the slowest a sweep takes some twenty seconds, so that one minute's often meets the next one's.
        Self::default().paced(dice, &[QUICK_MS, QUICK_MS, 300, 900])
    }

    fn paced(self, dice: &mut Dice, slow_max_ms: &[i64]) -> Self {
        let slow_max_ms = dice.pick(slow_max_ms);
        let stale_max_ms = dice.pick(&[0, 1_000, 5_000, 20_000]);
        Self { slow_max_ms, stale_max_ms, ..self }
    }

    pub(crate) fn luck(&self, dice: &mut Dice, site: Site) -> Luck {
        // Most calls are reads, and what goes wrong with them is soon told.
        let weight = if site == Site::Read { 1 } else { 3 };
        let mut roll = dice.below(1_000) as u64;
        let deaths = [Luck::DiesBefore, Luck::DiesMeanwhile, Luck::DiesAfter];
        let death = dice.pick(&deaths);
        for (share, luck) in [
            (self.dies * weight, death),
            (self.down, Luck::Down),
            (self.down, Luck::ReplyLostForGood),
            (self.reply_lost * weight, Luck::ReplyLost),
            (self.refused, Luck::Refused),
        ] {
            if roll < share {
                return luck;
            }
            roll -= share;
        }
        Luck::Good
    }

    /// How long a call of a process takes at most; one process may be slow while the next one is not.
    pub(crate) fn pace_ms(&self, dice: &mut Dice, is_calm: bool) -> i64 {
        let pace_ms = dice.pick(&[QUICK_MS, self.slow_max_ms]);
        if is_calm { QUICK_MS } else { pace_ms }
    }

    /// How long one call takes. A topic may take its time where others do not.
    pub(crate) fn latency_ms(&self, dice: &mut Dice, site: Site, pace_ms: i64) -> i64 {
        let is_stuck = site == Site::OutgoingMessage && self.is_slow() && dice.happens(400);
        dice.between(1, if is_stuck { STUCK_MS } else { pace_ms })
    }

    /// How far behind the index is for one question to it.
    pub(crate) fn stale_ms(&self, dice: &mut Dice) -> i64 {
        if self.stale_max_ms == 0 || dice.happens(400) { 0 } else { dice.between(0, self.stale_max_ms) }
    }

    /// Whether a sweep may take so long that the next one comes meanwhile.
    pub(crate) const fn is_slow(&self) -> bool {
        self.slow_max_ms > QUICK_MS
    }
}

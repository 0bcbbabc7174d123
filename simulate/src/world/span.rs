//! Times of a day: milliseconds since the epoch, and stretches of them.

use serde::Serialize;

/// A second, in milliseconds.
pub const SECOND: i64 = 1_000;
/// A minute.
pub const MINUTE: i64 = 60 * SECOND;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;

/// When every day begins: Monday, 2026-03-02T00:00:00Z.
pub const MIDNIGHT: i64 = 1_772_409_600_000;

/// All of the day.
pub const DAY: Span = Span { from_ms: MIDNIGHT, to_ms: MIDNIGHT + 24 * HOUR };

/// Some of the day: from one moment up to another, which is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Its first millisecond.
    pub from_ms: i64,
    /// The first one after it.
    pub to_ms: i64,
}

impl Span {
    /// From one time of the day to another, each in hours and minutes.
    #[must_use]
    pub const fn clock(from: (i64, i64), to: (i64, i64)) -> Self {
        Self { from_ms: clock(from.0, from.1), to_ms: clock(to.0, to.1) }
    }

    /// As long as that from then on.
    #[must_use]
    pub const fn lasting(from_ms: i64, length_ms: i64) -> Self {
        Self { from_ms, to_ms: from_ms + length_ms }
    }

    /// Whether it holds this moment.
    #[must_use]
    pub const fn holds(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.to_ms
    }
}

/// A time of the day.
#[must_use]
pub const fn clock(hour: i64, minute: i64) -> i64 {
    MIDNIGHT + hour * HOUR + minute * MINUTE
}

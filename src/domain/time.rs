//! A moment, as CloudWatch stamps it, and spans of time.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since the Unix epoch, as CloudWatch stamps log events.
///
/// Arithmetic saturates: a line may carry any number, and none of them may panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self(i64::MAX);

    /// Makes a timestamp of milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This moment, `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This moment, `ms` milliseconds earlier.
    #[must_use]
    pub const fn minus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if it lies before.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the UTC minute this moment lies in.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(MINUTE_MS)))
    }

    /// The first whole UTC minute at or after this moment.
    #[must_use]
    pub const fn minute_ceil(self) -> Self {
        let floor = self.minute();
        if floor.0 == self.0 { self } else { floor.plus_ms(MINUTE_MS) }
    }
}

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// 0001-01-01T00:00:00.000Z.
const YEAR_1_MS: i64 = -62_135_596_800_000;
/// 9999-12-30T22:00:00.000Z, the last moment that prints in every time zone.
const YEAR_9999_MS: i64 = 253_402_207_200_000;

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, milliseconds. Moments outside the years 1 to 9999, which no line's clock can mean, print as
    /// the nearest one within.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0.clamp(YEAR_1_MS, YEAR_9999_MS)) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_milliseconds_and_utc() {
        assert_eq!(Timestamp::from_ms(1_765_024_270_000).to_string(), "2025-12-06T12:31:10.000Z");
    }

    #[test]
    fn a_timestamp_of_any_number_prints_and_saturates() {
        assert_eq!(Timestamp::MAX.plus_ms(1).to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MIN.minus_ms(1), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.minute_ceil(), Timestamp::MAX);
    }

    #[test]
    fn a_minute_is_the_floor_and_the_ceiling_before_and_after_the_epoch() {
        assert_eq!(Timestamp::from_ms(61_000).minute().as_ms(), 60_000);
        assert_eq!(Timestamp::from_ms(61_000).minute_ceil().as_ms(), 120_000);
        assert_eq!(Timestamp::from_ms(60_000).minute_ceil().as_ms(), 60_000);
        assert_eq!(Timestamp::from_ms(-1).minute().as_ms(), -60_000);
    }
}

//! A moment, as CloudWatch stamps it, and spans of time.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// A moment in milliseconds since the Unix epoch, as CloudWatch stamps log events.
///
/// Arithmetic saturates: a line may carry any number, and none of them may panic.
///
/// Kept with its sign turned over, so that it is ordered as it stands and never zero: `Option<Timestamp>` takes no more
/// room than a moment, and a job has a dozen of them. The least number of all counts as the one after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(NonZeroU64);

/// The bit that is a number's sign.
const SIGN: u64 = 1 << 63;

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self::from_ms(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self::from_ms(i64::MAX);

    /// Makes a timestamp of milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        match NonZeroU64::new(ms.cast_unsigned() ^ SIGN) {
            Some(kept) => Self(kept),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// This moment, `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.as_ms().saturating_add(ms))
    }

    /// This moment, `ms` milliseconds earlier.
    #[must_use]
    pub const fn minus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.as_ms().saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative if it lies before.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.as_ms().saturating_sub(earlier.as_ms())
    }

    /// The start of the UTC minute this moment lies in.
    #[must_use]
    pub const fn minute(self) -> Self {
        self.minus_ms(self.as_ms().rem_euclid(MINUTE_MS))
    }

    /// The first whole UTC minute at or after this moment.
    #[must_use]
    pub const fn minute_ceil(self) -> Self {
        let floor = self.minute();
        if floor.as_ms() == self.as_ms() { self } else { floor.plus_ms(MINUTE_MS) }
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_ms(0)
    }
}

impl From<i64> for Timestamp {
    fn from(ms: i64) -> Self {
        Self::from_ms(ms)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.as_ms()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.as_ms()).finish()
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
        match jiff::Timestamp::from_millisecond(self.as_ms().clamp(YEAR_1_MS, YEAR_9999_MS)) {
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
    fn moments_are_ordered_as_their_numbers_and_none_takes_room_of_its_own() {
        let numbers = [i64::MIN, -1_765_024_270_000, -1, 0, 1, 1_765_024_270_000, i64::MAX];
        let moments = numbers.map(Timestamp::from_ms);
        assert!(moments.is_sorted_by(|a, b| a < b));
        assert_eq!(moments.map(Timestamp::as_ms)[1..], numbers[1..]);
        assert_eq!(size_of::<Option<Timestamp>>(), size_of::<i64>());
        assert_eq!(serde_json::to_string(&moments[1]).unwrap(), "-1765024270000");
    }

    #[test]
    fn a_minute_is_the_floor_and_the_ceiling_before_and_after_the_epoch() {
        assert_eq!(Timestamp::from_ms(61_000).minute().as_ms(), 60_000);
        assert_eq!(Timestamp::from_ms(61_000).minute_ceil().as_ms(), 120_000);
        assert_eq!(Timestamp::from_ms(60_000).minute_ceil().as_ms(), 60_000);
        assert_eq!(Timestamp::from_ms(-1).minute().as_ms(), -60_000);
    }
}

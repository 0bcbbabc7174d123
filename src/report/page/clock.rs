//! Moments in the reader's zone, as a chart and a caption show them.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Moment, ZonedDateTime};

use crate::domain::job::{DAY_MS, Timestamp};

/// A reader's clock.
pub(super) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// A clock in this IANA zone; in UTC where there is no such zone.
    pub(super) fn of(timezone: &str) -> Self {
        Self { zone: TimeZone::get(timezone).unwrap_or(TimeZone::UTC) }
    }

    /// `2025-12-06 21:31:10`.
    pub(super) fn second(&self, at: Timestamp) -> String {
        self.shown(at, "%Y-%m-%d %H:%M:%S")
    }

    /// `21:31`, and where a chart spans days `6 Dec 21:31`.
    pub(super) fn tick(&self, at: Timestamp, spans_days: bool) -> String {
        self.shown(at, if spans_days { "%-d %b %H:%M" } else { "%H:%M" })
    }

    /// `6 Dec 2025, 21:07 to 22:40`, with the second date where it is another.
    pub(super) fn range(&self, from: Timestamp, to: Timestamp) -> String {
        let (day, end) = (self.shown(from, "%-d %b %Y"), self.shown(to, "%-d %b %Y"));
        let (first, last) = (self.shown(from, "%H:%M"), self.shown(to, "%H:%M"));
        if day == end {
            format!("{day}, {first} to {last}")
        } else {
            format!("{day}, {first} to {end}, {last}")
        }
    }

    /// `JST`.
    pub(super) fn zone_at(&self, at: Timestamp) -> String {
        self.shown(at, "%Z")
    }

    /// Milliseconds from UTC's midnight to the zone's, so that ticks stand at the reader's round hours.
    pub(super) fn offset_ms(&self, at: Timestamp) -> i64 {
        self.zoned(at)
            .map_or(0, |moment| i64::from(moment.offset().seconds()).saturating_mul(1000))
            .clamp(DAY_MS.wrapping_neg(), DAY_MS)
    }

    fn shown(&self, at: Timestamp, format: &str) -> String {
        self.zoned(at).map_or_else(|| at.to_string(), |moment| moment.strftime(format).to_string())
    }

    fn zoned(&self, at: Timestamp) -> Option<ZonedDateTime> {
        Some(Moment::from_millisecond(at.as_ms()).ok()?.to_zoned_datetime(self.zone.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_the_readers_zone() {
        let clock = Clock::of("Asia/Tokyo");
        let at = Timestamp::from_ms(1_765_024_270_000);
        assert_eq!(clock.second(at), "2025-12-06 21:31:10");
        assert_eq!((clock.tick(at, false), clock.tick(at, true)), ("21:31".into(), "6 Dec 21:31".into()));
        assert_eq!(clock.range(at, at.plus_ms(3_600_000)), "6 Dec 2025, 21:31 to 22:31");
        assert_eq!(clock.range(at, at.plus_ms(DAY_MS)), "6 Dec 2025, 21:31 to 7 Dec 2025, 21:31");
        assert_eq!((clock.zone_at(at), clock.offset_ms(at)), ("JST".into(), 32_400_000));
    }

    #[test]
    fn a_moment_no_calendar_has_is_shown_all_the_same() {
        assert_eq!(Clock::of("Nowhere/None").second(Timestamp::MAX), Timestamp::MAX.to_string());
    }
}

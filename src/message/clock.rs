//! Times as a message shows them: in UTC, and in the configured zone beside it.

use jiff::tz::TimeZone;

use crate::domain::job::{DAY_MS, Timestamp};

/// A reader's clock.
pub(super) struct Clock(Option<TimeZone>);

impl Clock {
    /// A clock in this IANA zone; UTC alone where there is no such zone.
    pub(super) fn of(timezone: &str) -> Self {
        Self(TimeZone::get(timezone).ok().filter(|zone| *zone != TimeZone::UTC))
    }

    /// `2025-12-06 12:31:10 UTC (21:31:10 JST)`.
    pub(super) fn show(&self, at: Timestamp) -> String {
        self.print(at, "%Y-%m-%d %H:%M:%S UTC")
    }

    /// `12:31:10 UTC (21:31:10 JST)`, of a moment of the same UTC day as another.
    pub(super) fn show_near(&self, at: Timestamp, now: Timestamp) -> String {
        let day = |at: Timestamp| at.as_ms().div_euclid(DAY_MS);
        if day(at) == day(now) { self.print(at, "%H:%M:%S UTC") } else { self.show(at) }
    }

    fn print(&self, at: Timestamp, format: &str) -> String {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_ms()) else { return at.to_string() };
        let utc = moment.strftime(format).to_string();
        match &self.0 {
            Some(zone) => {
                format!("{utc} ({})", moment.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S %Z"))
            }
            None => utc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_utc_and_beside_it_in_the_readers_zone() {
        let at = Timestamp::from_ms(1_765_024_270_000);
        assert_eq!(Clock::of("UTC").show(at), "2025-12-06 12:31:10 UTC");
        assert_eq!(Clock::of("Asia/Tokyo").show(at), "2025-12-06 12:31:10 UTC (21:31:10 JST)");
        assert_eq!(Clock::of("Mars/Base").show(at), "2025-12-06 12:31:10 UTC");
        let tokyo = Clock::of("Asia/Tokyo");
        assert_eq!(tokyo.show_near(at, at.plus_ms(3_600_000)), "12:31:10 UTC (21:31:10 JST)");
        assert_eq!(tokyo.show_near(at, at.plus_ms(12 * 3_600_000)), tokyo.show(at));
    }
}

//! Times as a message shows them: in the reader's zone first, with UTC beside it where that is asked for.
//!
//! A day is named where it is not the day of the message, of each clock by itself: near midnight the two clocks of one
//! moment show different dates.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Moment, ZonedDateTime};

use crate::domain::job::Timestamp;

/// A reader's clock, at the moment of the message.
pub(super) struct Clock {
    zone: TimeZone,
    now: Timestamp,
}

impl Clock {
    /// A clock in this IANA zone; in UTC where there is no such zone.
    pub(super) fn of(timezone: &str, now: Timestamp) -> Self {
        Self { zone: TimeZone::get(timezone).unwrap_or(TimeZone::UTC), now }
    }

    /// `21:31 JST (12:31 UTC)`; `12:31 UTC` where that is the reader's own.
    pub(super) fn both(&self, at: Timestamp, is_japanese: bool) -> String {
        let (Some(local), Some(utc)) = (self.local(at), zoned(at, &TimeZone::UTC)) else {
            return at.to_string();
        };
        let utc = format!("{} UTC", self.dated(&utc, &TimeZone::UTC, "%H:%M"));
        if local.offset().is_zero() && local.strftime("%Z").to_string() == "UTC" {
            return utc;
        }
        let local = format!("{} {}", self.dated(&local, &self.zone, "%H:%M"), local.strftime("%Z"));
        if is_japanese { format!("{local}（{utc}）") } else { format!("{local} ({utc})") }
    }

    /// `21:31`, in the reader's zone.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        self.shown(at, "%H:%M")
    }

    /// `21:31:10`, in the reader's zone: for what is looked up in a log.
    pub(super) fn second(&self, at: Timestamp) -> String {
        self.shown(at, "%H:%M:%S")
    }

    fn shown(&self, at: Timestamp, format: &str) -> String {
        self.local(at).map_or_else(|| at.to_string(), |local| self.dated(&local, &self.zone, format))
    }

    fn local(&self, at: Timestamp) -> Option<ZonedDateTime> {
        zoned(at, &self.zone)
    }

    /// With its date, where that is not the one of the message on the same clock.
    fn dated(&self, moment: &ZonedDateTime, zone: &TimeZone, format: &str) -> String {
        let is_today = zoned(self.now, zone).is_some_and(|now| now.date() == moment.date());
        let time = moment.strftime(format);
        if is_today { time.to_string() } else { format!("{} {time}", moment.date()) }
    }
}

/// `2025-12-06 12:31:10 UTC`: for programs.
pub(super) fn utc(at: Timestamp) -> String {
    zoned(at, &TimeZone::UTC)
        .map_or_else(|| at.to_string(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<ZonedDateTime> {
    Some(Moment::from_millisecond(at.as_ms()).ok()?.to_zoned_datetime(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-12-06T12:31:10Z.
    const AT: Timestamp = Timestamp::from_ms(1_765_024_270_000);

    #[track_caller]
    fn check(zone: &str, hours_later: i64, expected: &str) {
        let clock = Clock::of(zone, AT.plus_ms(hours_later.saturating_mul(3_600_000)));
        assert_eq!(clock.both(AT, false), expected);
    }

    #[test]
    fn local_time_comes_first_and_utc_beside_it_once() {
        check("Asia/Tokyo", 0, "21:31 JST (12:31 UTC)");
        check("UTC", 0, "12:31 UTC");
        check("Mars/Base", 0, "12:31 UTC");
        let tokyo = Clock::of("Asia/Tokyo", AT);
        assert_eq!(tokyo.both(AT, true), "21:31 JST（12:31 UTC）");
        assert_eq!((tokyo.minute(AT), tokyo.second(AT)), ("21:31".into(), "21:31:10".into()));
        assert_eq!(utc(AT), "2025-12-06 12:31:10 UTC");
    }

    #[test]
    fn each_clock_names_its_own_day_where_that_is_not_the_messages() {
        check("Asia/Tokyo", 4, "2025-12-06 21:31 JST (12:31 UTC)");
        check("Asia/Tokyo", 15, "2025-12-06 21:31 JST (2025-12-06 12:31 UTC)");
        check("UTC", 12, "2025-12-06 12:31 UTC");
    }
}

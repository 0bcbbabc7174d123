//! Five cron fields: `minute hour day-of-month month day-of-week`.
//!
//! Numbers, `*`, lists, ranges and steps. It refuses names (`sun`, `@daily`) and a sixth field, which every
//! scheduler reads in its own way.

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::job::{MINUTE_MS, Timestamp};

/// Each field's name and bounds; day 0 and day 7 of the week are both Sunday.
const FIELDS: [(&str, RangeInclusive<u8>); 5] = [
    ("minute", 0..=59),
    ("hour", 0..=23),
    ("day of month", 1..=31),
    ("month", 1..=12),
    ("day of week", 0..=7),
];

/// A checked expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// The numbers of each field, a bit each.
    fields: [u64; 5],
    /// Where both days are restricted, either will do, as cron has it.
    is_either_day: bool,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says which field is wrong, and what it may hold.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() != FIELDS.len() {
            return Err(format!(
                "`{text}` has {} fields, not the 5 of `minute hour day month weekday`",
                words.len()
            ));
        }
        let mut fields = [0; 5];
        for ((field, word), (name, bounds)) in fields.iter_mut().zip(&words).zip(FIELDS) {
            let items: Option<Vec<u64>> = word.split(',').map(|item| numbers_of(item, &bounds)).collect();
            let Some(items) = items else {
                return Err(format!(
                    "`{word}` is no {name}: numbers {} to {}, `*`, `a-b`, `*/n`, `a-b/n`, and lists of them",
                    bounds.start(),
                    bounds.end()
                ));
            };
            *field = items.into_iter().fold(0, |all, item| all | item);
        }
        let is_restricted = |place: usize| words.get(place).is_some_and(|word| !word.starts_with('*'));
        Ok(Self { text: text.to_owned(), fields, is_either_day: is_restricted(2) && is_restricted(4) })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Until when something lasts at `now` that begins at these moments of `zone` and takes `length_ms`; `None` where
    /// it does not go on at `now`.
    #[must_use]
    pub fn lasts_until(&self, now: Timestamp, length_ms: i64, zone: &TimeZone) -> Option<Timestamp> {
        let mut begin = now.minute();
        let mut until = None;
        while begin.plus_ms(length_ms) > now {
            if self.begins_at(begin, zone) {
                // A newer beginning lasts longer.
                until = until.or(Some(begin.plus_ms(length_ms)));
                break;
            }
            begin = begin.minus_ms(MINUTE_MS);
        }
        until
    }

    fn begins_at(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_ms()) else { return false };
        let local = zone.to_datetime(moment);
        let [minute, hour, day, month, weekday] = self.fields;
        let has = |field: u64, number: i8| field >> number.clamp(0, 63) & 1 == 1;
        let is_day = has(day, local.day());
        let sunday = local.weekday().to_sunday_zero_offset();
        let is_weekday = has(weekday, sunday) || sunday == 0 && has(weekday, 7);
        let fits = if self.is_either_day { is_day || is_weekday } else { is_day && is_weekday };
        has(minute, local.minute()) && has(hour, local.hour()) && has(month, local.month()) && fits
    }
}

/// The numbers that an item of a list stands for, a bit each; `None` where it is none.
fn numbers_of(item: &str, bounds: &RangeInclusive<u8>) -> Option<u64> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
        None => (item, None),
    };
    let (first, last) = if range == "*" {
        (*bounds.start(), *bounds.end())
    } else if let Some((first, last)) = range.split_once('-') {
        let (first, last) = (number(first)?, number(last)?);
        (bounds.contains(&first) && bounds.contains(&last) && first <= last).then_some((first, last))?
    } else {
        // A step needs a range to step through: `5/10` means one thing to one cron and another to the next.
        let only = number(range).filter(|number| step.is_none() && bounds.contains(number))?;
        (only, only)
    };
    let steps = (first..=last).step_by(usize::from(step.unwrap_or(1)));
    Some(steps.fold(0, |all, number| all | 1_u64.wrapping_shl(u32::from(number))))
}

/// Digits only: `parse` would also take a sign.
fn number(text: &str) -> Option<u8> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(Cron::parse(text).is_ok(), expected, "{text:?}: {:?}", Cron::parse(text));
    }

    #[test]
    fn numbers_stars_lists_ranges_and_steps_are_read() {
        check("0 3 * * 0", true);
        check("*/15 0-6,22-23 1,15 1-12/3 7", true);
        check("59 23 31 12 6", true);
        check("  0   3 * *  0 ", true);
    }

    #[test]
    fn anything_else_is_declined() {
        for text in [
            "",
            "0 3 * *",
            "0 3 * * 0 2026",
            "@daily",
            "60 3 * * 0",
            "0 24 * * 0",
            "0 3 0 * 0",
            "0 3 32 * 0",
            "0 3 * 0 0",
            "0 3 * 13 0",
            "0 3 * * 8",
            "0 3 * * sun",
            "6-0 3 * * 0",
            "*/0 3 * * 0",
            "5/10 3 * * 0",
            "1, 3 * * 0",
            "-1 3 * * 0",
            "+1 3 * * 0",
            "1-2-3 3 * * 0",
            "*/x 3 * * 0",
            "1-70 3 * * 0",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn the_error_names_the_field() {
        assert!(Cron::parse("0 24 * * 0").unwrap_err().contains("`24` is no hour"));
        assert!(Cron::parse("0 3 * *").unwrap_err().contains("has 4 fields"));
    }

    /// `now` in UTC; the end of a window of `minutes`, if it goes on then in `zone`.
    #[track_caller]
    fn check_window(cron: &str, minutes: i64, zone: &str, now: &str, until: Option<&str>) {
        let at = |text: &str| Timestamp::from_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let zone = TimeZone::get(zone).unwrap();
        let got = Cron::parse(cron).unwrap().lasts_until(at(now), minutes * MINUTE_MS, &zone);
        assert_eq!(got, until.map(at), "{cron} at {now}");
    }

    #[test]
    fn a_window_goes_on_from_its_minute_for_its_length_in_its_zone() {
        let sunday = Some("2026-01-04T03:30:00Z");
        check_window("0 3 * * 0", 30, "UTC", "2026-01-04T03:00:00Z", sunday);
        check_window("0 3 * * 7", 30, "UTC", "2026-01-04T03:29:59Z", sunday);
        check_window("0 3 * * 0", 30, "UTC", "2026-01-04T03:30:00Z", None);
        check_window("0 3 * * 0", 30, "UTC", "2026-01-04T02:59:59Z", None);
        check_window("0 3 * * 0", 30, "UTC", "2026-01-05T03:10:00Z", None);
        check_window("0 3 * * 0", 30, "Asia/Tokyo", "2026-01-03T18:10:00Z", Some("2026-01-03T18:30:00Z"));
        check_window("*/10 * * * *", 15, "UTC", "2026-01-03T18:12:00Z", Some("2026-01-03T18:25:00Z"));
        check_window("0 23 * * *", 120, "UTC", "2026-01-04T00:30:00Z", Some("2026-01-04T01:00:00Z"));
    }

    #[test]
    fn where_both_days_are_named_either_will_do() {
        let until = Some("2026-01-01T03:30:00Z");
        check_window("0 3 1 * 0", 30, "UTC", "2026-01-01T03:10:00Z", until);
        check_window("0 3 1 * 0", 30, "UTC", "2026-01-04T03:10:00Z", Some("2026-01-04T03:30:00Z"));
        check_window("0 3 1 * *", 30, "UTC", "2026-01-04T03:10:00Z", None);
    }
}

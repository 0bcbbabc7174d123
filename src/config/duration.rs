//! Durations as people write them: `90s`, `5m`, `1h`, `2h30m`, `1d`.
//!
//! It refuses a bare number, because the file, the flags and the metrics would each guess another unit.

use thiserror::Error;

use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// The longest duration: a year. Beyond it lies a typing error, and sums of two must not overflow.
pub const DURATION_MS_MAX: i64 = 366 * DAY_MS;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// A number without a unit.
    #[error("`{0}` has no unit: write `{0}s` for seconds, or `5m`, `1h`, `2h30m`, `1d`")]
    NoUnit(String),
    /// Not numbers, each with a unit, in falling order.
    #[error("`{0}` is no duration: write `90s`, `5m`, `1h`, `2h30m` or `1d`")]
    NotDuration(String),
    /// Longer than [`DURATION_MS_MAX`].
    #[error("`{0}` is longer than a year")]
    TooLong(String),
}

/// Reads a duration, in milliseconds: numbers with the units `d`, `h`, `m`, `s`, each at most once, the
/// larger first.
///
/// # Errors
/// Anything else, a bare number included, and more than [`DURATION_MS_MAX`].
pub fn parse_duration_ms(text: &str) -> Result<i64, DurationError> {
    let not_duration = || DurationError::NotDuration(text.into());
    let too_long = || DurationError::TooLong(text.into());
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::NoUnit(text.into()));
    }
    let (mut total_ms, mut last_unit_ms, mut rest) = (0_i64, i64::MAX, text);
    while total_ms == 0 && last_unit_ms == i64::MAX || !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(digits_end);
        let mut tail = tail.chars();
        let unit_ms = match tail.next() {
            Some('d') => DAY_MS,
            Some('h') => HOUR_MS,
            Some('m') => MINUTE_MS,
            Some('s') => SECOND_MS,
            Some(_) | None => return Err(not_duration()),
        };
        if digits.is_empty() || unit_ms >= last_unit_ms {
            return Err(not_duration());
        }
        // Only digits are left to fail on, so a failure is a number of more than 19 of them.
        let number: i64 = digits.parse().map_err(|_| too_long())?;
        total_ms = number.saturating_mul(unit_ms).saturating_add(total_ms);
        if total_ms > DURATION_MS_MAX {
            return Err(too_long());
        }
        (last_unit_ms, rest) = (unit_ms, tail.as_str());
    }
    Ok(total_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<i64, DurationError>) {
        assert_eq!(parse_duration_ms(text), expected, "{text:?}");
    }

    #[track_caller]
    fn check_declined(text: &str) {
        check(text, Err(DurationError::NotDuration(text.into())));
    }

    #[test]
    fn numbers_with_falling_units_are_durations() {
        check("90s", Ok(90_000));
        check("5m", Ok(300_000));
        check("1h", Ok(3_600_000));
        check("2h30m", Ok(9_000_000));
        check("1d", Ok(86_400_000));
        check("1d2h3m4s", Ok(93_784_000));
        check("0s", Ok(0));
        check("0h5s", Ok(5_000));
        check("366d", Ok(DURATION_MS_MAX));
    }

    #[test]
    fn a_bare_number_is_told_how_to_be_written() {
        check("300", Err(DurationError::NoUnit("300".into())));
        assert!(parse_duration_ms("300").unwrap_err().to_string().contains("`300s`"));
    }

    #[test]
    fn anything_else_is_declined() {
        for text in
            ["", "m", "5", "5 m", " 5m", "5m ", "-5m", "1.5h", "5M", "5min", "30m2h", "5m5m", "5m3", "٥m"]
        {
            assert!(parse_duration_ms(text).is_err(), "{text:?}");
        }
        check_declined("");
        check_declined("5m3");
        check_declined("30m2h");
        check_declined("5m5m");
    }

    #[test]
    fn more_than_a_year_is_declined_and_never_overflows() {
        for text in ["367d", "366d1s", "9223372036854775807d", "99999999999999999999s"] {
            check(text, Err(DurationError::TooLong(text.into())));
        }
    }
}

//! The runtime on an end line: `12.34ms`, `1,304.17ms`, or from 10.13.1 whole units above a second: `1m 5s`.

use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, Runtime, SECOND_MS};

/// Units printed, longest runtime first: a job of a week is the longest anyone prints.
const UNITS: [(&str, i64); 5] =
    [("w", 7 * DAY_MS), ("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS)];

/// Takes the runtime off the end of `text`, and returns what stood before it.
pub(super) fn take_last(text: &str) -> Option<(&str, Runtime)> {
    let (left, last) = text.rsplit_once(' ')?;
    if let Some(number) = last.strip_suffix("ms") {
        return Some((left, Runtime { ms: whole(number)?, is_whole_seconds: false }));
    }
    let mut ms = unit(last)?;
    let mut left = left;
    // `1h 2m 5s`: at most one word for each unit.
    for _ in 1..UNITS.len() {
        let Some((before, word)) = left.rsplit_once(' ') else { break };
        let Some(more) = unit(word) else { break };
        ms = ms.saturating_add(more);
        left = before;
    }
    Some((left, Runtime { ms, is_whole_seconds: true }))
}

/// Seconds as a JSON number, in whole milliseconds.
pub(super) fn from_seconds(seconds: f64) -> Option<Runtime> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    // A float cast saturates, and the nudge keeps 0.029 s (28.999…) from losing a millisecond.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and milliseconds are what is kept")]
    Some(Runtime { ms: (seconds * 1000.0 + 1e-6) as i64, is_whole_seconds: false })
}

/// The whole part of `1,304.17`; where a locale turns the marks around, of `1.304,17` and `12,01` as well. The last mark
/// ends the whole part, unless it is a comma before three digits, which groups thousands.
fn whole(number: &str) -> Option<i64> {
    const GROUP: usize = 3;
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = match number.rsplit_once([',', '.']) {
        Some((_, group)) if group.len() == GROUP && number.rfind(',') > number.rfind('.') => (number, "0"),
        Some((whole, part)) => (whole, part),
        None => (number, "0"),
    };
    let mut groups = whole.split([',', '.']);
    let is_first = groups.next().is_some_and(is_digits);
    if !is_first || !is_digits(part) || !groups.all(|group| group.len() == GROUP && is_digits(group)) {
        return None;
    }
    let digits = whole.bytes().filter(u8::is_ascii_digit);
    Some(digits.fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')))
    }))
}

fn unit(word: &str) -> Option<i64> {
    let (name, ms) = UNITS.into_iter().find(|(name, _)| word.ends_with(name))?;
    let count = word.strip_suffix(name)?;
    if count.contains(['.', ',']) {
        return None;
    }
    Some(whole(count)?.saturating_mul(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, i64, bool)>) {
        let got = take_last(text).map(|(left, r)| (left, r.ms, r.is_whole_seconds));
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn every_printed_runtime_is_read() {
        check("... 12.34ms", Some(("...", 12, false)));
        check("... 0.79ms", Some(("...", 0, false)));
        check("... 5ms", Some(("...", 5, false)));
        check("... 1,304.17ms", Some(("...", 1304, false)));
        check("... 1,304ms", Some(("...", 1304, false)));
        check("... 12,304,017.5ms", Some(("...", 12_304_017, false)));
        check("... 12,01ms", Some(("...", 12, false)));
        check("... 1.304,17ms", Some(("...", 1304, false)));
        check("... 1s", Some(("...", 1_000, true)));
        check("... 1m 5s", Some(("...", 65_000, true)));
        check("... 1h 2m", Some(("...", 3_720_000, true)));
        check("X  2d 1h", Some(("X ", 2 * DAY_MS + HOUR_MS, true)));
    }

    #[test]
    fn other_words_are_declined() {
        check("... ms", None);
        check("... 1.2.3ms", None);
        check("... ,5ms", None);
        check("... 1.5s", None);
        check("... s", None);
        check("... 12", None);
        check("... fast", None);
        check("12ms", None);
    }

    #[test]
    fn a_huge_number_saturates() {
        check("... 99999999999999999999999ms", Some(("...", i64::MAX, false)));
        check("... 99999999999999999999999w", Some(("...", i64::MAX, true)));
        assert_eq!(from_seconds(1e300).map(|r| r.ms), Some(i64::MAX));
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(-1.0), None);
        assert_eq!(from_seconds(0.029).map(|r| r.ms), Some(29));
    }
}

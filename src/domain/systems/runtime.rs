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

/// Takes a runtime in another language off the end: above a second Laravel prints it in the app's, `1 Min. 5 Sek.`,
/// `1分 5秒`. It is what stands behind the dots, or two spaces; how long it is, is known of some languages only.
pub(super) fn take_words(text: &str) -> Option<(&str, Option<Runtime>)> {
    const WORDS_BYTES_MAX: usize = 80;
    let after = |seam: &str| Some(text.rfind(seam)?.saturating_add(seam.len()));
    let place = after(".. ").max(after("  "))?;
    let words = text.get(place..)?;
    let is_words = words.bytes().all(|b| !b"\\/:\"{}[]()".contains(&b)) && words.len() <= WORDS_BYTES_MAX;
    // English is read elsewhere: a number, or another script.
    let is_time = words.starts_with(|c: char| c.is_numeric() || !c.is_ascii())
        || words.ends_with(|c: char| c.is_ascii_digit());
    let (left, _) = text.split_at_checked(place.checked_sub(1)?)?;
    (is_words && is_time).then_some((left, in_words(words)))
}

/// `1 Min. 5 Sek.`, where every unit is known.
fn in_words(words: &str) -> Option<Runtime> {
    let mut ms = 0_i64;
    let mut rest = words.trim_start();
    while !rest.is_empty() {
        let name = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let count: i64 = rest.strip_suffix(name)?.parse().ok()?;
        let name = name.trim_start();
        let end = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
        let (unit, after) = name.split_at_checked(end)?;
        let unit = unit.trim().trim_end_matches('.').to_lowercase();
        let (_, unit_ms) = WORDS.iter().find(|(names, _)| names.contains(&&*unit))?;
        ms = ms.saturating_add(count.saturating_mul(*unit_ms));
        rest = after;
    }
    Some(Runtime { ms, is_whole_seconds: true })
}

/// Units of the languages that most apps speak, as Carbon shortens them. What means one unit here and another there
/// (`j` is a day in French, an hour in Indonesian) is left out.
/// <https://github.com/briannesbitt/Carbon/tree/master/src/Carbon/Lang>
const WORDS: [(&[&str], i64); 3] = [
    (&["s", "sec", "sek", "seg", "сек", "с", "秒", "초", "sn", "dt", "giây", "δευ"], SECOND_MS),
    (&["m", "min", "мин", "хв", "分", "分钟", "分鐘", "분", "dk", "mnt", "phút", "λεπ", "perc"], MINUTE_MS),
    (
        &["h", "std", "godz", "hod", "tim", "ч", "г", "時間", "小时", "小時", "시간", "sa", "u", "giờ"],
        HOUR_MS,
    ),
];

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
    fn a_runtime_in_another_language_is_what_stands_behind_the_dots() {
        let check = |text: &str, ms: Option<i64>| {
            let taken =
                take_words(text).map(|(left, runtime)| (left.trim_end_matches('.'), runtime.map(|r| r.ms)));
            assert_eq!(taken, Some(("X ", ms)), "{text}");
        };
        check("X ..... 2 Sek.", Some(2_000));
        check("X ..... 1 Std. 2 Min. 5 Sek.", Some(3_725_000));
        check("X ..... 1h 2min 5s", Some(3_725_000));
        check("X ..... 1時間 2分 5秒", Some(3_725_000));
        check("X ..... 1小时2分钟5秒", Some(3_725_000));
        check("X ..... 1 ч. 2 мин. 5 сек.", Some(3_725_000));
        check("X ..... 1 óra 2 perc 5 másodperc", None);
        check("X ..... ثانيتين", None);
        check("X  2sn", Some(2_000));
        assert_eq!(take_words("X ..... fast"), None);
        assert_eq!(take_words("X 2sn"), None);
        assert_eq!(take_words(r"X ..... 2 App\Jobs\X"), None);
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

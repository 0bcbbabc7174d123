//! Spans of time as people say them.

use crate::domain::model::policy::Language;

/// `48s`, `5m50s`, `3h07m`, `2d04h`: in tables and in lines for the terminal.
#[must_use]
pub fn duration(ms: i64) -> String {
    let seconds = ms.max(0).wrapping_div(1000);
    let (minutes, hours, days) =
        (seconds.wrapping_div(60), seconds.wrapping_div(3600), seconds.wrapping_div(86_400));
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{:02}s", seconds.wrapping_rem(60)),
        3600..86_400 => format!("{hours}h{:02}m", minutes.wrapping_rem(60)),
        _ => format!("{days}d{:02}h", hours.wrapping_rem(24)),
    }
}

/// `48 s`, `6 min`, `3 h 7 min`, `2 d 4 h`: as a sentence says it, to the nearest minute, above two days to the hour.
#[must_use]
pub(super) fn about(language: Language, ms: i64) -> String {
    let seconds = ms.max(0).wrapping_add(500).wrapping_div(1000);
    if seconds < 120 {
        return units(language, &[(seconds, "s", "秒")]);
    }
    let minutes = seconds.wrapping_add(30).wrapping_div(60);
    let (hours, days) = (minutes.wrapping_div(60), minutes.wrapping_div(1440));
    match minutes {
        ..60 => units(language, &[(minutes, "min", "分")]),
        60..2880 => units(language, &[(hours, "h", "時間"), (minutes.wrapping_rem(60), "min", "分")]),
        _ => units(language, &[(days, "d", "日"), (hours.wrapping_rem(24), "h", "時間")]),
    }
}

/// A limit that somebody configured, to the second: `5 min`, `90 s`, `2 min 30 s`.
#[must_use]
pub(super) fn exact(language: Language, ms: i64) -> String {
    let seconds = ms.max(0).wrapping_div(1000);
    let (minutes, rest) = (seconds.wrapping_div(60), seconds.wrapping_rem(60));
    match (minutes, rest) {
        (0, _) | (1, 1..) => units(language, &[(seconds, "s", "秒")]),
        (1..60, _) => units(language, &[(minutes, "min", "分"), (rest, "s", "秒")]),
        (_, _) => {
            let (hours, minutes) = (minutes.wrapping_div(60), minutes.wrapping_rem(60));
            units(language, &[(hours, "h", "時間"), (minutes, "min", "分"), (rest, "s", "秒")])
        }
    }
}

/// The units that are not zero; the first where all are.
fn units(language: Language, units: &[(i64, &str, &str)]) -> String {
    let shown = |(count, en, ja): &(i64, &str, &str)| match language {
        Language::En => format!("{count} {en}"),
        Language::Ja => format!("{count} {ja}"),
    };
    let some: Vec<String> = units.iter().filter(|(count, ..)| *count > 0).map(shown).collect();
    if some.is_empty() { units.first().map(shown).unwrap_or_default() } else { some.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let texts: Vec<String> =
            [0, 48_999, 350_000, 11_220_000, 187_200_000].into_iter().map(duration).collect();
        assert_eq!(texts, ["0s", "48s", "5m50s", "3h07m", "2d04h"]);
    }

    #[test]
    fn a_sentence_rounds_and_a_limit_does_not() {
        let said: Vec<String> =
            [0, 48_999, 350_000, 3_600_000, 11_220_000, 187_200_000].map(|ms| about(Language::En, ms)).into();
        assert_eq!(said, ["0 s", "49 s", "6 min", "1 h", "3 h 7 min", "2 d 4 h"]);
        assert_eq!(about(Language::Ja, 3_900_000), "1 時間 5 分");
        let limits: Vec<String> =
            [10_000, 90_000, 60_000, 300_000, 150_000, 5_400_000].map(|ms| exact(Language::En, ms)).into();
        assert_eq!(limits, ["10 s", "90 s", "1 min", "5 min", "2 min 30 s", "1 h 30 min"]);
    }
}

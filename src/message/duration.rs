//! Spans of time as people say them.

/// `48s`, `5m50s`, `3h07m`, `2d04h`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let texts: Vec<String> =
            [0, 48_999, 350_000, 11_220_000, 187_200_000].into_iter().map(duration).collect();
        assert_eq!(texts, ["0s", "48s", "5m50s", "3h07m", "2d04h"]);
    }
}

//! One line and its place: what is read of an event, when, and the key of each thing that it says.

use std::cell::RefCell;

use jiff::civil::DateTime;

use crate::domain::job::{HOUR_MS, LineKey, Timestamp};
use crate::domain::line::{LineHash, LineStamp};

/// How much later than its event's first line a line may say that it was printed: as long as a log driver holds an
/// event that it takes to go on.
const LATER_MAX_MS: i64 = HOUR_MS;

/// One line of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The event's.
    pub(super) key: LineKey,
    /// When: CloudWatch's stamp, or later by what the line itself shows (see [`EventClock`]).
    pub(super) at: Timestamp,
    /// Whether that is to the second only: see [`EventClock`].
    pub(super) is_rough: bool,
    /// Without colours, line ends and what stands around it.
    pub(super) text: &'a str,
    /// Whose line it is, by what stood around it: a container, a program, a namespace.
    pub(super) label: &'a str,
    /// What the event has said so far.
    pub(super) said: &'a Said,
}

/// What an event has said so far.
#[derive(Debug, Default)]
pub(super) struct Said(RefCell<(u64, Vec<LineStamp>)>);

impl Said {
    /// The lines within the event that said something after the first that did.
    pub(super) fn into_within(self) -> Vec<LineStamp> {
        self.0.into_inner().1
    }
}

impl<'a> Line<'a> {
    pub(super) const fn new(key: LineKey, at: Timestamp, text: &'a str, said: &'a Said) -> Self {
        Self { key, at, is_rough: false, text, label: "", said }
    }

    /// The key of the next thing that the event says: its own for the first, and one made of it for each further one.
    /// Several lines in one event, or two on one line, are lines of their own.
    pub(super) fn next_key(&self) -> LineKey {
        let Ok(mut said) = self.said.0.try_borrow_mut() else { return self.key };
        let (number, within) = &mut *said;
        let nth = *number;
        *number = nth.saturating_add(1);
        if nth == 0 {
            return self.key;
        }
        let key = LineKey(LineHash::default().with_key(self.key).with_key(LineKey(nth)).finish());
        within.push(LineStamp { key, at: self.at });
        key
    }
}

/// The time within an event of several lines: CloudWatch stamps the first, and a driver that glues lines holds them for
/// minutes. What the lines print tells how much later each of them is; what time it was is CloudWatch's to say.
#[derive(Debug)]
pub(super) struct EventClock {
    at: Timestamp,
    first: Option<DateTime>,
}

impl EventClock {
    pub(super) fn new(at: Timestamp, first_line: &str) -> Self {
        Self { at, first: printed(first_line) }
    }

    /// When a line was printed.
    pub(super) fn at(&mut self, line: &str) -> Timestamp {
        let Some(time) = printed(line) else { return self.at };
        let Some(first) = self.first else {
            self.first = Some(time);
            return self.at;
        };
        let later_ms = time.duration_since(first).as_millis();
        match i64::try_from(later_ms) {
            Ok(ms) if (0..=LATER_MAX_MS).contains(&ms) => self.at.plus_ms(ms),
            Ok(_) | Err(_) => self.at,
        }
    }
}

/// The time that a line prints, without its offset: at its beginning, or as a JSON line's `timestamp` or `datetime`.
fn printed(line: &str) -> Option<DateTime> {
    const STAMP_BYTES: usize = "2025-12-06 12:31:10".len();
    let text = if line.starts_with('{') {
        let (_, rest) = line.split_once("\"timestamp\":\"").or_else(|| line.split_once("\"datetime\":\""))?;
        rest
    } else {
        let rest = line.trim_start_matches(' ');
        rest.strip_prefix('[').unwrap_or(rest)
    };
    text.get(..STAMP_BYTES)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &str, line: &str, later_ms: i64) {
        let mut clock = EventClock::new(Timestamp::from_ms(1_000), first);
        assert_eq!(clock.at(line).since_ms(Timestamp::from_ms(1_000)), later_ms, "{line}");
    }

    #[test]
    fn a_line_is_as_much_later_than_the_first_as_it_says() {
        let first = "[2026-03-02 09:00:16] production.INFO: Cache warmed";
        check(first, "  2026-03-02 09:04:16 App ... RUNNING", 240_000);
        check(first, "[2026-03-02 09:00:17][1] Processing: X", 1_000);
        check(first, r#"{"level":"info","timestamp":"2026-03-02T09:00:18.5+00:00"}"#, 2_000);
        check(first, "no time", 0);
        check(first, "  2026-03-02 08:00:16 another zone's ... RUNNING", 0);
        check(first, "  2026-03-02 18:00:16 another zone's ... RUNNING", 0);
        check(first, "  2026-13-99 18:00:16 no time ... RUNNING", 0);
        check("no time", "  2026-03-02 09:04:16 App ... RUNNING", 0);
    }
}

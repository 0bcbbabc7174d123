//! How the last minutes' deliveries went: opened, rejected, late.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::domain::job::{MINUTE_MS, Timestamp};

/// How far back deliveries are judged.
const WINDOW_MS: i64 = 10 * MINUTE_MS;
/// A delivery older than this on arrival is late; AWS names three minutes.
pub(super) const LATE_MS: i64 = 10 * MINUTE_MS;
/// Rejected payloads within the window that are no accident any more.
const REJECTED_MAX: usize = 3;
/// How far back the lag is looked at that lengthens graces.
const LAG_WINDOW_MS: i64 = 5 * MINUTE_MS;
/// A lag up to this is what AWS promises, and within the graces that `check` lets pass without a word.
const LAG_USUAL_MS: i64 = MINUTE_MS;
/// Deliveries remembered: a bound on the window for a flood. The window's verdict needs far fewer.
const RECENT_MAX: usize = 10_000;

/// The deliveries of the last ten minutes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Deliveries {
    recent: VecDeque<(Timestamp, bool)>,
    /// Whether the payloads up to the newest were rejected too often: three of the window's, or all. It is
    /// judged when a payload comes, so that silence neither raises nor ends it.
    pub is_rejecting: bool,
    /// When the first delivery came.
    pub first_at: Option<Timestamp>,
    /// The lags of the last deliveries, by when they came: the greatest of each minute.
    lags_ms: BTreeMap<Timestamp, i64>,
    /// Whether more had come than a sweep could fold: what it knows is old.
    #[serde(skip)]
    pub is_behind: bool,
    /// The newest payload that was opened.
    pub opened_at: Option<Timestamp>,
    /// The newest payload that was rejected.
    pub rejected_at: Option<Timestamp>,
    /// The newest payload that came late, and by how much.
    pub late_at: Option<(Timestamp, i64)>,
    /// The newest payload that came in time.
    pub in_time_at: Option<Timestamp>,
}

impl Deliveries {
    /// Notes a payload that was opened, and how old its newest line was on arrival.
    pub fn opened(&mut self, at: Timestamp, lag_ms: Option<i64>) {
        self.push(at, false);
        self.heard(at);
        if let Some(lag_ms) = lag_ms {
            let known = self.lags_ms.entry(at.minute()).or_insert(lag_ms);
            *known = (*known).max(lag_ms);
            self.lags_ms = self.lags_ms.split_off(&at.minute().minus_ms(LAG_WINDOW_MS));
        }
        self.opened_at = self.opened_at.max(Some(at));
        match lag_ms {
            Some(lag_ms) if lag_ms > LATE_MS => self.late_at = self.late_at.max(Some((at, lag_ms))),
            Some(_) => self.in_time_at = self.in_time_at.max(Some(at)),
            None => {}
        }
    }

    /// Notes when a payload last came in time, whatever it said: others may, too.
    pub fn heard_in_time(&mut self, at: Option<Timestamp>) {
        self.in_time_at = self.in_time_at.max(at);
    }

    /// Notes that something came, whatever it said.
    pub fn heard(&mut self, at: Timestamp) {
        self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
    }

    /// How much later than usual lines may come at `now`: by how much the greatest lag of the last minutes is more than
    /// any grace has room for, at most what makes a delivery late. A worker's lines may be that far behind the app's.
    #[must_use]
    pub fn unusual_lag_ms(&self, now: Timestamp) -> i64 {
        let recent = self.lags_ms.range(now.minute().minus_ms(LAG_WINDOW_MS)..).map(|(_, lag_ms)| *lag_ms);
        recent.max().map_or(0, |lag_ms| lag_ms.saturating_sub(LAG_USUAL_MS)).clamp(0, LATE_MS)
    }

    /// Notes a payload that was rejected.
    pub fn rejected(&mut self, at: Timestamp) {
        self.push(at, true);
        self.rejected_at = self.rejected_at.max(Some(at));
    }

    fn push(&mut self, at: Timestamp, is_rejected: bool) {
        self.recent.push_back((at, is_rejected));
        while self.recent.len() > RECENT_MAX
            || self.recent.front().is_some_and(|(first, _)| at.since_ms(*first) > WINDOW_MS)
        {
            self.recent.pop_front();
        }
        let rejected = self.recent.iter().filter(|(_, is_rejected)| *is_rejected).count();
        self.is_rejecting = rejected > 0 && (rejected >= REJECTED_MAX || rejected == self.recent.len());
    }

    /// How late the newest delivery was, if none since came in time.
    #[must_use]
    pub fn lag_ms(&self) -> Option<i64> {
        let (at, lag_ms) = self.late_at?;
        (self.in_time_at < Some(at)).then_some(lag_ms)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;

    const fn min(minutes: i64) -> Timestamp {
        Timestamp::from_ms(minutes * MINUTE_MS)
    }

    #[test]
    fn three_rejections_or_nothing_but_rejections_are_too_many() {
        let mut deliveries = Deliveries::default();
        deliveries.rejected(min(0));
        assert!(deliveries.is_rejecting, "all of one");
        deliveries.opened(min(1), None);
        assert!(!deliveries.is_rejecting, "one of two");
        deliveries.rejected(min(2));
        deliveries.rejected(min(3));
        assert!(deliveries.is_rejecting, "three of four");
        deliveries.opened(min(4), None);
        assert!(deliveries.is_rejecting, "three of five");
        deliveries.opened(min(20), None);
        assert!(!deliveries.is_rejecting, "long ago, and one that opened since");
    }

    #[test]
    fn a_delivery_is_late_until_one_comes_in_time() {
        let mut deliveries = Deliveries::default();
        deliveries.opened(min(0), Some(LATE_MS));
        assert_eq!(deliveries.lag_ms(), None);
        deliveries.opened(min(1), Some(LATE_MS + 1));
        assert_eq!(deliveries.lag_ms(), Some(LATE_MS + 1));
        deliveries.opened(min(2), Some(0));
        assert_eq!(deliveries.lag_ms(), None);
    }

    #[test]
    fn graces_are_lengthened_by_what_no_grace_has_room_for() {
        let mut deliveries = Deliveries::default();
        deliveries.opened(min(10), Some(LAG_USUAL_MS));
        assert_eq!(deliveries.unusual_lag_ms(min(10)), 0);
        deliveries.opened(min(11), Some(LAG_USUAL_MS + 15_000));
        assert_eq!(deliveries.unusual_lag_ms(min(12)), 15_000);
        assert_eq!(deliveries.unusual_lag_ms(min(17)), 0, "long ago");
        deliveries.opened(min(20), Some(i64::MAX));
        assert_eq!(deliveries.unusual_lag_ms(min(20)), LATE_MS);
    }
}

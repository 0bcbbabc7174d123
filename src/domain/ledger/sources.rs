//! How often each log group speaks, so that its silence can be told from its habit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::recognition::Recognition;
use crate::domain::job::{MINUTE_MS, Timestamp};

/// Gaps kept of each source: enough for a median, few enough to follow a change of habit.
const GAPS_MAX: usize = 101;
/// Gaps that must have been seen before a source's silence means anything.
const GAPS_LEAST: usize = 20;
/// A silence shorter than this is nobody's news.
const SILENCE_LEAST_MS: i64 = 30 * MINUTE_MS;

/// All log groups met.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sources {
    /// Since when lines have been listened for without a break, where that is not always.
    #[serde(skip)]
    pub attended_since: Option<Timestamp>,
    /// Whether what they say is understood.
    #[serde(default)]
    pub recognition: Recognition,
    by_group: BTreeMap<Arc<str>, SourceFacts>,
}

/// What is known of one log group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceFacts {
    /// Its newest line.
    pub newest_line: Option<Timestamp>,
    /// The longest time between two deliveries' newest lines.
    pub longest_gap_ms: i64,
    gaps_ms: VecDeque<i64>,
}

impl Sources {
    /// Notes a delivery whose newest line is stamped `newest`.
    pub fn heard(&mut self, log_group: &Arc<str>, newest: Timestamp) {
        self.by_group.entry(Arc::clone(log_group)).or_default().heard(newest);
    }

    /// Every log group, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &SourceFacts)> {
        self.by_group.iter()
    }
}

impl SourceFacts {
    /// Notes that lines up to `newest` have come.
    pub(super) fn heard(&mut self, newest: Timestamp) {
        let Some(last) = self.newest_line else {
            self.newest_line = Some(newest);
            return;
        };
        if newest <= last {
            return;
        }
        let gap_ms = newest.since_ms(last);
        self.newest_line = Some(newest);
        self.longest_gap_ms = self.longest_gap_ms.max(gap_ms);
        self.gaps_ms.push_back(gap_ms);
        if self.gaps_ms.len() > GAPS_MAX {
            self.gaps_ms.pop_front();
        }
    }

    /// How long the source may be silent before that is news: ten times its median gap, at least half an
    /// hour. `None` while too little has been heard.
    #[must_use]
    pub fn silence_max_ms(&self) -> Option<i64> {
        if self.gaps_ms.len() < GAPS_LEAST {
            return None;
        }
        Some(self.pause_max_ms())
    }

    /// The same, however little has been heard.
    pub(super) fn pause_max_ms(&self) -> i64 {
        let mut gaps: Vec<i64> = self.gaps_ms.iter().copied().collect();
        gaps.sort_unstable();
        let median = gaps.get(gaps.len().wrapping_shr(1)).copied().unwrap_or(0);
        median.saturating_mul(10).max(SILENCE_LEAST_MS)
    }
}

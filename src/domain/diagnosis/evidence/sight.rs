//! How well we see: deliveries that are late or do not open, log groups that have fallen silent.

use std::sync::Arc;

use crate::domain::incidents::fact::{Fact, Finding};
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;

/// How far back a late delivery still tells that lines may be on their way.
const LATE_BEFORE_MS: i64 = 60 * MINUTE_MS;

/// How well we see.
pub(in crate::domain::diagnosis) struct Sight<'a> {
    /// By how much the newest delivery was late, if none since came in time.
    pub(in crate::domain::diagnosis) late_ms: Option<i64>,
    /// A delivery within the last hour that was late: lines come in lumps.
    pub(in crate::domain::diagnosis) late_lump: Option<(Timestamp, i64)>,
    /// More came than a sweep can take in.
    pub(in crate::domain::diagnosis) is_behind: bool,
    /// Payloads that could not be opened, if too many of late.
    pub(in crate::domain::diagnosis) rejected: Option<(u64, Option<Timestamp>)>,
    /// Log groups that have fallen silent, and their last lines.
    pub(in crate::domain::diagnosis) silent: Vec<(&'a Arc<str>, Timestamp)>,
    /// Whether no other group is heard.
    pub(in crate::domain::diagnosis) is_all_silent: bool,
}

impl<'a> Sight<'a> {
    pub(super) fn gather(ledger: &'a Ledger, heard: Timestamp) -> Self {
        let deliveries = &ledger.deliveries;
        let mut silent = Vec::new();
        let mut groups_count: usize = 0;
        for (group, facts) in ledger.sources.iter() {
            groups_count = groups_count.saturating_add(1);
            let (Some(newest), Some(most_ms)) = (facts.newest_line, facts.silence_max_ms()) else { continue };
            if heard.since_ms(newest) > most_ms {
                silent.push((group, newest));
            }
        }
        Self {
            late_ms: deliveries.lag_ms(),
            late_lump: deliveries.late_at.filter(|(at, _)| heard.since_ms(*at) <= LATE_BEFORE_MS),
            is_behind: deliveries.is_behind,
            rejected: deliveries
                .is_rejecting
                .then_some((ledger.tally.payloads_rejected, deliveries.rejected_at)),
            is_all_silent: !silent.is_empty() && silent.len() == groups_count,
            silent,
        }
    }

    /// Payloads that could not be opened.
    pub(in crate::domain::diagnosis) fn rejections(&self) -> Option<Fact> {
        self.rejected.map(|(count, at)| Fact::when(Finding::PayloadsRejected(count), at))
    }

    /// Deliveries that come late.
    pub(in crate::domain::diagnosis) fn lateness(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.is_behind {
            facts.push(Fact::timeless(Finding::DeliveriesBehind));
        }
        let lump = self.late_lump.map(|(at, late_ms)| (Some(at), late_ms));
        if let Some((at, late_ms)) = lump.or(self.late_ms.map(|late_ms| (None, late_ms))) {
            let minutes = u64::try_from(late_ms.wrapping_div(MINUTE_MS)).unwrap_or(0);
            facts.push(Fact::when(Finding::DeliveryLate { minutes }, at));
        }
        facts
    }

    /// The last line of each silent group.
    pub(in crate::domain::diagnosis) fn silences(&self) -> Vec<Fact> {
        let fact = |(group, at): &(&Arc<str>, Timestamp)| {
            Fact::at(Finding::SourceSilent { group: Arc::clone(group) }, *at)
        };
        self.silent.iter().map(fact).collect()
    }
}

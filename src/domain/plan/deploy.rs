//! Until when a deploy goes on: a mark, or the boots of a rollout, and the grace after it.

use super::Planner;
use crate::domain::job::Timestamp;

/// New containers that make a rollout: one alone may as well be a worker that died.
const ROLLOUT_STREAMS: usize = 2;
/// A rollout is over after so many graces, even where containers go on booting: that is a crash loop.
const GRACES_MAX: i64 = 2;

impl Planner<'_> {
    /// When the grace of the newest deploy ends.
    pub(super) fn deployed_until(&self) -> Option<Timestamp> {
        let (now, grace_ms) = (self.horizon.now, self.policy.deploy_grace_ms);
        let marks = self.ledger.circumstances.deploy_marks.range(..=now).next_back();
        let marked = marks.map(|at| at.plus_ms(grace_ms));
        marked.max(self.rolled_out_until(now, grace_ms))
    }

    /// The first boots of streams, as containers have streams of their own, that follow each other within a grace.
    fn rolled_out_until(&self, now: Timestamp, grace_ms: i64) -> Option<Timestamp> {
        let streams = self.ledger.streams.all();
        let mut boots: Vec<Timestamp> = streams
            .iter()
            .filter_map(|stream| stream.boots.first().copied())
            .filter(|at| *at <= now)
            .collect();
        boots.sort_unstable();
        let newest = *boots.last()?;
        let mut first = newest;
        let mut count: usize = 0;
        for at in boots.iter().rev() {
            if first.since_ms(*at) > grace_ms {
                break;
            }
            first = *at;
            count = count.saturating_add(1);
        }
        let until = newest.plus_ms(grace_ms).min(first.plus_ms(grace_ms.saturating_mul(GRACES_MAX)));
        (count >= ROLLOUT_STREAMS).then_some(until)
    }
}

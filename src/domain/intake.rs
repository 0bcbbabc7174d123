//! One payload, read and not yet joined to anything: what a delivery says.
//!
//! A line is believed where its stamp lies near its payload's: CloudWatch takes events from 14 days back to
//! 2 hours ahead, so a line farther from the payload's median than that is a broken clock, counted and left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::account_group;
use super::job::{DAY_MS, HOUR_MS, LineKey, Observation, Timestamp, TracePart};
use super::line::{LineHash, LineStamp};
use super::systems::Unread;

/// How far behind its payload's median a line may be stamped
/// ([PutLogEvents](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html)).
pub const BEHIND_MAX_MS: i64 = 14 * DAY_MS;
/// How far ahead of its payload's median a line may be stamped, by the same page.
pub const AHEAD_MAX_MS: i64 = 2 * HOUR_MS;

/// Before this there was no CloudWatch Logs (July 2014): a stamp from 1970 is a clock that was never set.
pub const PLAUSIBLE_FROM: Timestamp = Timestamp::from_ms(1_404_950_400_000);
/// No log line of this century is stamped in the next one (2100-01-01).
pub const PLAUSIBLE_UNTIL: Timestamp = Timestamp::from_ms(4_102_444_800_000);

/// Whether a stamp can be a CloudWatch event's at all.
#[must_use]
pub fn is_plausible(at: Timestamp) -> bool {
    (PLAUSIBLE_FROM..PLAUSIBLE_UNTIL).contains(&at)
}

/// What one payload says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The account that the lines are of; empty where the envelope does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The app that its source says they are of; empty where that is the stack's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub app: String,
    /// The log group.
    pub log_group: String,
    /// The log stream.
    pub log_stream: String,
    /// The same for a redelivery: a hash of owner, group, stream and event ids.
    pub key: u64,
    /// Every line, in the payload's order; then those that stand within events and say something of their own.
    pub lines: Vec<LineStamp>,
    /// What the presets and rules read.
    pub observations: Vec<Observation>,
    /// Store errors cut in two by the payload's edge.
    #[serde(alias = "halves")]
    pub split_traces: Vec<TracePart>,
    /// The last lines that tell of trouble and are in no known form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_lines: Vec<(Timestamp, Arc<str>)>,
    /// Lines that are too far from the payload's median, all of them if the payload itself is.
    pub late: BTreeSet<LineKey>,
    /// What was passed over.
    #[serde(default, skip_serializing_if = "Unread::is_empty")]
    pub unread: Box<Unread>,
    /// When the payload reached us.
    pub arrived_at: Timestamp,
}

impl DeliveryRecord {
    /// Whether any of its lines says something. Most deliveries are of lines that say nothing, and are not kept.
    #[must_use]
    pub const fn is_telling(&self) -> bool {
        !self.observations.is_empty() || !self.split_traces.is_empty() || !self.last_lines.is_empty()
    }

    /// Puts everything that it says within its app, where that is not the stack's own, and within its account, where
    /// that is not `home`: no job, class or queue of it is any other's. An account that is not known is the stack's.
    pub fn set_apart(&mut self, home: Option<&str>) {
        let is_foreign = !self.owner.is_empty() && home.is_some_and(|home| home != self.owner);
        if is_foreign {
            self.set_account_apart();
        }
        let scope = match (self.app.as_str(), is_foreign) {
            ("", true) => self.owner.as_str(),
            (app, _) => app,
        };
        if !scope.is_empty() {
            self.observations.iter_mut().for_each(|observation| observation.set_within(scope));
        }
    }

    /// What other accounts say under the same names is something else: its group is called by its account, and its
    /// lines are its own, whatever event ids they have.
    fn set_account_apart(&mut self) {
        let owner = LineHash::default().with(self.owner.as_bytes()).finish();
        let own = |key: LineKey| LineKey(LineHash::default().with_key(LineKey(owner)).with_key(key).finish());
        self.log_group = account_group(&self.owner, &self.log_group);
        self.lines.iter_mut().for_each(|line| line.key = own(line.key));
        self.observations.iter_mut().for_each(|seen| seen.line = own(seen.line));
        for half in &mut self.split_traces {
            match half {
                TracePart::Head(_, line) | TracePart::Exception(_, line, _) => *line = own(*line),
                TracePart::Tail(..) => {}
            }
        }
        self.late = self.late.iter().map(|line| own(*line)).collect();
    }

    /// Leaves out the lines that are stamped too far from the payload's median.
    pub fn set_late_aside(&mut self) {
        let Some(median) = self.median() else { return };
        let believed = median.minus_ms(BEHIND_MAX_MS)..=median.plus_ms(AHEAD_MAX_MS);
        self.late = self.lines.iter().filter(|l| !believed.contains(&l.at)).map(|l| l.key).collect();
        self.drop_late();
    }

    /// Leaves out every line: the payload itself lies too far from those around it.
    pub fn set_all_aside(&mut self) {
        self.late = self.lines.iter().map(|l| l.key).collect();
        self.drop_late();
    }

    fn drop_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let late = &self.late;
        self.observations.retain(|o| !late.contains(&o.line));
        let believed: BTreeSet<Timestamp> =
            self.lines.iter().filter(|l| !late.contains(&l.key)).map(|l| l.at).collect();
        self.last_lines.retain(|(at, _)| believed.contains(at));
        self.split_traces.retain(|half| match half {
            TracePart::Head(at, _) | TracePart::Exception(at, ..) | TracePart::Tail(at, _) => {
                believed.contains(at)
            }
        });
    }

    /// The median stamp, of the plausible ones if there are any: one of two lines may be from 1970.
    #[must_use]
    pub fn median(&self) -> Option<Timestamp> {
        let mut stamps: Vec<Timestamp> =
            self.lines.iter().map(|l| l.at).filter(|at| is_plausible(*at)).collect();
        if stamps.is_empty() {
            stamps = self.lines.iter().map(|l| l.at).collect();
        }
        stamps.sort_unstable();
        stamps.get(stamps.len().saturating_sub(1).checked_div(2)?).copied()
    }

    /// The newest line that is believed.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.lines.iter().filter(|l| !self.late.contains(&l.key)).map(|l| l.at).max()
    }
}

/// Whether a delivery was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was, at least as a whole.
    New,
    /// All of it had been merged before.
    Duplicate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stamps: &[i64], late: &[u64]) {
        let lines = stamps
            .iter()
            .zip(0..)
            .map(|(ms, n)| LineStamp { key: LineKey(n), at: Timestamp::from_ms(*ms) })
            .collect();
        let mut record = DeliveryRecord { lines, ..DeliveryRecord::default() };
        record.set_late_aside();
        assert_eq!(record.late.iter().map(|k| k.0).collect::<Vec<_>>(), late);
    }

    const NOW: i64 = 1_765_024_270_000;

    #[test]
    fn a_line_far_from_its_payloads_median_is_late() {
        check(&[NOW, NOW + 1, NOW + 2], &[]);
        check(&[NOW, 0, NOW + 2], &[1]);
        check(&[NOW, NOW + AHEAD_MAX_MS + 1, NOW], &[1]);
        check(&[NOW, NOW + AHEAD_MAX_MS, NOW - BEHIND_MAX_MS], &[]);
        check(&[NOW, NOW - BEHIND_MAX_MS - 1, NOW], &[1]);
        check(&[], &[]);
    }

    #[test]
    fn of_two_lines_the_plausible_one_is_believed() {
        check(&[0, NOW], &[0]);
        check(&[NOW, 95_617_584_000_000], &[1]);
        check(&[i64::MIN, i64::MAX, NOW], &[0, 1]);
    }

    #[test]
    fn a_world_of_small_stamps_is_its_own_measure() {
        check(&[1_000, 2_000, 3_000], &[]);
    }
}

//! What a replay has read: payloads by what became of them, and their lines.

use crate::domain::intake::DeliveryRecord;
use crate::domain::line::KeySet;

/// Payloads by what became of them. `read = data + control + duplicate + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTally {
    /// Opened, and new.
    pub data: u64,
    /// CloudWatch's own reachability checks.
    pub control: u64,
    /// Delivered once more.
    pub duplicate: u64,
    /// Not opened.
    pub rejected: u64,
}

/// Log lines. `read` includes the others; `classified` holds neither duplicates nor late lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTally {
    /// All that were handed out.
    pub read: u64,
    /// New ones that a rule or preset recognised.
    pub classified: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Too far from their payload's time to be believed.
    pub late: u64,
}

/// Everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Payloads.
    pub payloads: PayloadTally,
    /// Lines.
    pub lines: LineTally,
    seen_payloads: KeySet,
    seen_lines: KeySet,
}

fn count(tally: &mut u64, n: usize) {
    *tally = tally.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
}

impl Tally {
    /// Counts a payload and its lines.
    pub(super) fn take(&mut self, record: &DeliveryRecord) {
        let (payloads, lines) = (&mut self.payloads, &mut self.lines);
        count(&mut lines.read, record.lines.len());
        if !record.lines.is_empty() && !self.seen_payloads.insert(record.key) {
            count(&mut payloads.duplicate, 1);
            count(&mut lines.duplicate, record.lines.len());
            return;
        }
        count(&mut payloads.data, 1);
        let telling: KeySet = record.observations.iter().map(|observation| observation.line.0).collect();
        // A line that stands twice in one payload is read once, and a duplicate of itself.
        for line in &record.lines {
            if !self.seen_lines.insert(line.key.0) {
                count(&mut lines.duplicate, 1);
            } else if record.late.contains(&line.key) {
                count(&mut lines.late, 1);
            } else if telling.contains(&line.key.0) {
                count(&mut lines.classified, 1);
            }
        }
    }
}

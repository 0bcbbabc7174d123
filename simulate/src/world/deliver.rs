//! How lines come: batched by stream, seconds late, sometimes in lumps, twice, or in no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dice::Dice;
use super::say::Line;
use super::span::{MINUTE, SECOND};
use super::style::Chaos;

/// Lines that a payload holds at most.
const LINES_MAX: usize = 1_000;

/// One payload of a subscription.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When it arrives.
    pub arrives_ms: i64,
    /// The log group of its lines.
    pub log_group: &'static str,
    /// Their log stream.
    pub log_stream: Arc<str>,
    /// Which lines.
    pub lines: Vec<usize>,
}

/// A batch that an agent sends.
struct Batch {
    closes_ms: i64,
    lines: Vec<usize>,
}

/// Delivers `lines`, and notes on each when CloudWatch took it in.
#[must_use]
pub fn deliver(lines: &mut [Line], chaos: Chaos, dice: &Dice) -> Vec<Delivery> {
    let mut dice = dice.fork("deliver");
    let mut streams: BTreeMap<(Arc<str>, Option<i64>), Vec<usize>> = BTreeMap::new();
    for (n, line) in lines.iter().enumerate() {
        streams.entry((Arc::clone(&line.log_stream), line.held_until_ms)).or_default().push(n);
    }
    let mut deliveries: Vec<Delivery> = Vec::new();
    for ((log_stream, held_until_ms), numbers) in streams {
        let mut before: Vec<usize> = Vec::new();
        for batch in batches(lines, &numbers, held_until_ms, &mut dice) {
            let taken_in_ms = batch.closes_ms + dice.between(200, 1_500);
            let Some(log_group) = batch.lines.first().and_then(|n| lines.get(*n)).map(|line| line.log_group)
            else {
                continue;
            };
            for n in &batch.lines {
                if let Some(line) = lines.get_mut(*n) {
                    line.taken_in_ms = taken_in_ms;
                }
            }
            let mut arrives_ms = taken_in_ms + dice.between(300, 4 * SECOND);
            // Now and then a payload waits for a slow minute of somebody's.
            if dice.chance(0.02) {
                arrives_ms += dice.between(5 * SECOND, 40 * SECOND);
            }
            let one = |arrives_ms: i64, lines: Vec<usize>| Delivery {
                arrives_ms,
                log_group,
                log_stream: Arc::clone(&log_stream),
                lines,
            };
            if chaos != Chaos::Delivery {
                deliveries.push(one(arrives_ms, batch.lines));
                continue;
            }
            if dice.chance(0.3) {
                arrives_ms += dice.between(0, MINUTE);
            }
            if dice.chance(0.05) {
                let again = arrives_ms + dice.between(SECOND, MINUTE);
                deliveries.push(one(again, batch.lines.clone()));
            }
            let overlap = if dice.chance(0.05) { before.split_off(before.len() / 2) } else { Vec::new() };
            before.clone_from(&batch.lines);
            deliveries.push(one(arrives_ms, overlap.into_iter().chain(batch.lines).collect()));
        }
    }
    deliveries.sort_by(|a, b| (a.arrives_ms, &a.log_stream).cmp(&(b.arrives_ms, &b.log_stream)));
    deliveries
}

/// Cuts a stream into what its agent sends together.
fn batches(lines: &[Line], numbers: &[usize], held_until_ms: Option<i64>, dice: &mut Dice) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for n in numbers {
        let Some(line) = lines.get(*n) else { continue };
        let sent_ms = held_until_ms.unwrap_or(line.at_ms);
        match batches.last_mut().filter(|batch| sent_ms < batch.closes_ms && batch.lines.len() < LINES_MAX) {
            Some(batch) => batch.lines.push(*n),
            None => {
                let closes_ms = sent_ms + dice.between(SECOND, 5 * SECOND);
                batches.push(Batch { closes_ms, lines: vec![*n] });
            }
        }
    }
    batches
}

//! What plain CloudWatch alarms find on the same lines.
//!
//! They are given the benefit of every doubt: their filters have the right patterns and know which queue each class
//! goes to; several alarms that ring together count as one.

use cloudwatch_alarms::alarm::{AnyOf, Spell, watch};
use cloudwatch_alarms::baseline;
use cloudwatch_alarms::logs::{Fact, Line, Logs};

use super::Finding;
use crate::world::Day;
use crate::world::say::Tells;
use crate::world::span::DAY;

/// Plays a day to every baseline, and returns each with its spells.
#[must_use]
pub fn spells(day: &Day) -> Vec<(AnyOf, Vec<Spell>)> {
    let mut logs = Logs::default();
    logs.expect_workers_in(day.worker_group);
    for line in &day.lines {
        let queue = line.tells.and_then(|(_, job)| day.history.jobs.get(job)).map(|job| job.lane.queue);
        let fact = line.tells.map(|(tells, _)| match tells {
            Tells::Enqueued => Fact::Enqueued,
            Tells::Started => Fact::Started,
            Tells::Done => Fact::Done,
            Tells::Failed => Fact::Failed,
        });
        let (at_ms, taken_in_ms, log_group) = (line.at_ms, line.taken_in_ms, line.log_group);
        logs.take(Line { at_ms, taken_in_ms, log_group, fact, queue });
    }
    let watched = baseline::all(&logs);
    let spells = watch(&watched, &logs, DAY.to_ms);
    watched.into_iter().zip(spells).collect()
}

/// A baseline's spells as findings. An alarm that rang before is silent: it cannot ring again.
#[must_use]
pub fn findings(name: &str, spells: &[Spell]) -> Vec<Finding> {
    let finding = |spell: &Spell| Finding {
        name: name.to_owned(),
        is_page: true,
        fired_ms: vec![spell.alarm_at_ms],
        resolved_ms: spell.ok_at_ms.into_iter().collect(),
        ..Finding::default()
    };
    spells.iter().map(finding).collect()
}

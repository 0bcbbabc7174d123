//! `replay --versus cloudwatch`: plain CloudWatch alarms over the lines that were read, as if their metric filters had
//! the right patterns.

use std::collections::{BTreeMap, BTreeSet};

use cloudwatch_alarms::alarm::{AnyOf, Spell, watch};
use cloudwatch_alarms::baseline;
use cloudwatch_alarms::logs::{Fact, Line, Logs};

use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::job::{JobClass, LineKey, Observation, QueueName, Stage, Timestamp};
use queuewatch::replay::{Input, Opened};
use queuewatch::report::Moment;
use queuewatch::report::versus::{AlarmRow, SpellRow, Versus};

/// Puts the lines of every payload where metric filters would count them. A line that comes twice counts once: metric
/// filters work before subscriptions do.
pub(crate) fn logs(inputs: &[Input]) -> Logs {
    let read = || {
        inputs.iter().filter_map(|input| match &input.opened {
            Opened::Lines(record, ingested_at) => Some((record.as_ref(), *ingested_at)),
            Opened::Control | Opened::Rejected(_) => None,
        })
    };
    let queues = queues(read().flat_map(|(record, _)| &record.observations));
    let (mut logs, mut seen) = (Logs::default(), BTreeSet::new());
    for (record, ingested_at) in read() {
        take(&mut logs, &mut seen, record, ingested_at, &queues);
    }
    logs
}

/// The queue of each class that goes to one only: lines that do not name the queue may be counted for it, as somebody
/// who knows the app would write the pattern.
fn queues<'a>(observations: impl Iterator<Item = &'a Observation>) -> BTreeMap<&'a JobClass, &'a QueueName> {
    let mut queues: BTreeMap<&JobClass, BTreeSet<&QueueName>> = BTreeMap::new();
    for observation in observations {
        if let (Some(class), Some(queue)) = (&observation.class, &observation.queue) {
            queues.entry(class).or_default().insert(queue);
        }
    }
    let only = queues.into_iter().filter(|(_, queues)| queues.len() == 1);
    only.filter_map(|(class, queues)| Some((class, queues.into_iter().next()?))).collect()
}

fn take(
    logs: &mut Logs,
    seen: &mut BTreeSet<LineKey>,
    record: &DeliveryRecord,
    ingested_at: Option<Timestamp>,
    queues: &BTreeMap<&JobClass, &QueueName>,
) {
    let told: BTreeMap<LineKey, (Fact, &Observation)> = record
        .observations
        .iter()
        .filter_map(|observation| Some((observation.line, (fact(observation.stage)?, observation))))
        .collect();
    let taken_in = ingested_at.or_else(|| record.newest());
    for line in record.lines.iter().filter(|line| !record.late.contains(&line.key)) {
        if !seen.insert(line.key) {
            continue;
        }
        let told = told.get(&line.key);
        let observation = told.map(|(_, observation)| *observation);
        let named = observation.and_then(|it| it.queue.as_ref());
        let queue = named.or_else(|| queues.get(observation?.class.as_ref()?).copied());
        logs.take(Line {
            at_ms: line.at.as_ms(),
            taken_in_ms: taken_in.unwrap_or(line.at).as_ms(),
            log_group: &record.log_group,
            fact: told.map(|(fact, _)| *fact),
            queue: queue.map(QueueName::as_str),
        });
    }
}

const fn fact(stage: Stage) -> Option<Fact> {
    match stage {
        Stage::Enqueued => Some(Fact::Enqueued),
        Stage::Processing => Some(Fact::Started),
        Stage::Processed => Some(Fact::Done),
        Stage::Failed => Some(Fact::Failed),
        Stage::Released
        | Stage::EnqueueError
        | Stage::WorkerStarted
        | Stage::WorkerStopped
        | Stage::WorkerAlive
        | Stage::WorkerError
        | Stage::RedisError
        | Stage::Paused
        | Stage::Resumed
        | Stage::LogFileHint
        | Stage::DeployMark => None,
    }
}

/// Every baseline over these lines, until the last of them: silence after that is no evidence of anything.
pub(crate) fn versus(logs: &Logs, last_delivery: Timestamp) -> Versus {
    let watched = baseline::all(logs);
    let spells = watch(&watched, logs, last_delivery.as_ms());
    let moment = |at_ms: i64| Moment(Timestamp::from_ms(at_ms));
    let row = |(any, spells): (AnyOf, Vec<Spell>)| {
        let spell = |spell: Spell| SpellRow {
            alarm_at: moment(spell.alarm_at_ms),
            ok_at: spell.ok_at_ms.map(moment),
        };
        AlarmRow {
            what: baseline::describe(&any.name),
            looks_at: any.alarms.iter().map(|alarm| alarm.expression.to_string()).collect(),
            name: any.name,
            spells: spells.into_iter().map(spell).collect(),
        }
    };
    Versus { by: "cloudwatch", alarms: watched.into_iter().zip(spells).map(row).collect() }
}

//! What queuewatch finds: the day's deliveries through the code that replays saved events, its report read as JSON.
//!
//! Nothing but the published contract is read, so a kind or a cause is a word, and a new one needs no change here.

use std::str::FromStr;

use anyhow::Context;
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::adapters::settled;
use queuewatch::config::Config;
use queuewatch::domain::envelope::Limits;
use queuewatch::domain::incidents::Register;
use queuewatch::domain::job::Timestamp;
use queuewatch::durable::TableLedger;
use queuewatch::replay::{self, Input, Outcome, SETTLE_MS, Settings};
use queuewatch::report::{Extent, Known, Report};
use queuewatch::saved::{Run, RunLine, Saved, SavedBody};
use serde_json::Value;

use super::Finding;
use crate::world::Day;
use crate::world::deliver::Delivery;

/// Causes that count as named: whoever names them all is right about any.
const NAMED_MAX: usize = 3;

/// Where queuewatch keeps what it knows of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Store {
    /// As `replay` does: one ledger that lasts.
    #[default]
    Memory,
    /// As the function does: items of a table, which is in memory here.
    Table,
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "memory" => Ok(Self::Memory),
            "table" => Ok(Self::Table),
            _ => Err("one of memory, table is expected".to_owned()),
        }
    }
}

/// Replays a day, and returns queuewatch's report of it.
///
/// # Errors
/// Where the day's configuration is wrong, or the report is no JSON.
pub fn report(day: &Day, keeps: Store) -> anyhow::Result<Value> {
    let config = Config::parse(&day.config).context("the day's configuration")?;
    let classifier = config.classifier().context("the day's configuration")?;
    let limits = Limits::default();
    let inputs: Vec<Input> = day
        .deliveries
        .iter()
        .enumerate()
        .flat_map(|(n, delivery)| replay::open(&saved(day, n, delivery), &classifier, &limits))
        .collect();
    let settings = Settings {
        policy: config.policy().clone(),
        settle_ms: SETTLE_MS,
        keeps_order: false,
        visits_every_minute: false,
    };
    let report = match keeps {
        Store::Memory => {
            let outcome: Outcome = replay::replay(inputs, &settings, |_| ());
            Report::new(&outcome, &settings.policy, Extent::default())
        }
        Store::Table => over_a_table(inputs, &settings)?,
    };
    serde_json::to_value(report).context("the report")
}

/// The same through the protocol that the function runs on AWS: every sweep begins from what the last one wrote.
fn over_a_table(inputs: Vec<Input>, settings: &Settings) -> anyhow::Result<Report> {
    let table = MemoryTable::new();
    let store = TableLedger::new(table.clone(), &settings.policy, "simulate".to_owned());
    let settings = Settings { visits_every_minute: true, ..settings.clone() };
    let outcome = replay::replay_over(store, inputs, &settings, |_| ()).context("the table")?;
    let kept = settled(outcome.store.read_only(outcome.ends_at)).context("the table")?;
    let mut register = Register::default();
    for item in table.items().filter(|item| item.key.partition.starts_with("I#")) {
        register.write(serde_json::from_str(&item.body).context("an incident")?);
    }
    // The history holds an incident as it closed, and not that it opened again.
    kept.register.all().into_iter().cloned().for_each(|incident| register.write(incident));
    let known = Known { ledger: &kept.ledger, register: &register };
    Ok(Report::over(&outcome, known, &settings.policy, Extent::default()))
}

/// A delivery as it would have been saved, with the time it arrived.
fn saved(day: &Day, n: usize, delivery: &Delivery) -> Saved {
    let lines = delivery.lines.iter().filter_map(|n| {
        let line = day.lines.get(*n)?;
        Some(RunLine {
            id: format!("{n:056}"),
            at: Timestamp::from_ms(line.at_ms),
            ingested_at: Some(Timestamp::from_ms(delivery.arrives_ms)),
            message: line.message.clone(),
        })
    });
    let run = Run {
        log_group: delivery.log_group.to_owned(),
        log_stream: delivery.log_stream.to_string(),
        lines: lines.collect(),
    };
    Saved { source: format!("delivery {n}"), body: SavedBody::Run(run) }
}

/// Reads the incidents of a report. Those that opened after the last delivery are left out: a day that is cut off is
/// nobody's stall.
#[must_use]
pub fn findings(report: &Value) -> Vec<Finding> {
    let incidents = report.get("incidents").and_then(Value::as_array);
    incidents.into_iter().flatten().filter(|incident| !is(incident, "after_end")).map(finding).collect()
}

/// Whether a report says that lines of workers are missing.
#[must_use]
pub fn says_lines_are_missing(report: &Value) -> bool {
    texts(report.get("blind_spots")).iter().any(|spot| spot.starts_with("worker lines are missing"))
}

fn is(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

fn finding(incident: &Value) -> Finding {
    let notifications = || incident.get("notifications").and_then(Value::as_array).into_iter().flatten();
    let (mut fired_ms, mut resolved_ms, mut is_over) = (Vec::new(), Vec::new(), true);
    for said in notifications() {
        let (state, at) = (text(said, "state").unwrap_or_default(), text(said, "at").unwrap_or_default());
        let Some(at_ms) = moment_ms(&at) else { continue };
        match (state.as_str(), is_over) {
            ("resolved", _) => {
                resolved_ms.push(at_ms);
                is_over = true;
            }
            ("firing", _) | (_, true) => {
                fired_ms.push(at_ms);
                is_over = false;
            }
            _ => {}
        }
    }
    let diagnosis = incident.get("diagnosis").unwrap_or(&Value::Null);
    let said_first = notifications().find_map(|said| text(said, "cause"));
    let cause = said_first.or_else(|| text(diagnosis, "cause"));
    let mut named: Vec<String> = Vec::new();
    let all =
        cause.clone().into_iter().chain(text(diagnosis, "cause")).chain(texts(diagnosis.get("runners_up")));
    for one in all {
        if !named.contains(&one) && named.len() < NAMED_MAX {
            named.push(one);
        }
    }
    let mut queues = texts(incident.get("queues"));
    queues.extend(text(incident, "queue"));
    Finding {
        name: text(incident, "id").unwrap_or_default(),
        kind: text(incident, "kind"),
        queues,
        is_page: text(incident, "severity").as_deref() == Some("page"),
        fired_ms,
        resolved_ms,
        messages: notifications().count(),
        cause,
        named,
    }
}

fn moment_ms(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn incident(states: &[&str]) -> Value {
        let said =
            |(n, state): (usize, &&str)| json!({"at": format!("2026-03-02T10:0{n}:00.000Z"), "state": state});
        let notifications: Vec<Value> = states.iter().enumerate().map(said).collect();
        json!({"incidents": [{
            "id": "stalled-x", "kind": "stalled", "severity": "page", "queue": "default", "queues": ["default"],
            "diagnosis": {"cause": "b", "runners_up": ["c", "d", "e"]}, "notifications": notifications,
        }]})
    }

    /// Minutes past ten of what was said to be there, and to be over.
    #[track_caller]
    fn check(states: &[&str], fired: &[i64], resolved: &[i64]) {
        let findings = findings(&incident(states));
        let minutes = |all: &[i64]| all.iter().map(|ms| ms / 60_000 % 60).collect::<Vec<_>>();
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(
            (minutes(&finding.fired_ms), minutes(&finding.resolved_ms)),
            (fired.to_vec(), resolved.to_vec())
        );
    }

    #[test]
    fn a_reminder_or_an_update_is_no_second_message() {
        check(&["firing", "reminder", "updated", "resolved"], &[0], &[3]);
    }

    #[test]
    fn news_after_the_end_is_a_message_of_its_own() {
        check(&["firing", "resolved", "updated"], &[0, 2], &[1]);
        check(&["firing", "resolved", "firing", "resolved"], &[0, 2], &[1, 3]);
    }

    #[test]
    fn at_most_three_causes_are_named() {
        let findings = findings(&incident(&["firing"]));
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!(finding.cause.as_deref(), Some("b"));
        assert_eq!(finding.named, ["b", "c", "d"]);
    }

    #[test]
    fn what_opened_after_the_last_line_is_left_out() {
        let mut report = incident(&["firing"]);
        if let Some(incident) = report.pointer_mut("/incidents/0") {
            incident["after_end"] = true.into();
        }
        assert_eq!(findings(&report).len(), 0);
    }
}

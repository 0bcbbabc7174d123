//! What queuewatch finds: the day's deliveries through the code that replays saved events, its report read as JSON.
//!
//! Nothing but the published contract is read, so a kind or a cause is a word, and a new one needs no change here.

use anyhow::Context;
use queuewatch::config::Config;
use queuewatch::domain::envelope::Limits;
use queuewatch::domain::job::Timestamp;
use queuewatch::replay::{self, Input, Outcome, SETTLE_MS, Settings};
use queuewatch::report::{Extent, Report};
use queuewatch::saved::{Run, RunLine, Saved, SavedBody};
use serde_json::Value;

use super::Finding;
use crate::world::Day;
use crate::world::deliver::Delivery;

/// Causes that count as named: whoever names them all is right about any.
const NAMED_MAX: usize = 3;

/// Replays a day, and returns queuewatch's report of it.
///
/// # Errors
/// Where the day's configuration is wrong, or the report is no JSON.
pub fn report(day: &Day) -> anyhow::Result<Value> {
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
    let outcome: Outcome = replay::replay(inputs, &settings, |_| ());
    serde_json::to_value(Report::new(&outcome, &settings.policy, Extent::default())).context("the report")
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
    let when = |state: &str| -> Vec<i64> {
        let these = notifications().filter(|said| text(said, "state").as_deref() == Some(state));
        these.filter_map(|said| moment_ms(said.get("at")?.as_str()?)).collect()
    };
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
        fired_ms: when("firing"),
        resolved_ms: when("resolved"),
        cause,
        named,
    }
}

fn moment_ms(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

//! `show`: one day, what was wrong with it, and what was said of it.

use std::fmt::Write;

use serde_json::Value;

use queuewatch_simulate::judge::goals::clock;
use queuewatch_simulate::judge::{ours, plain, verdict::verdict};
use queuewatch_simulate::world::due::{Deadline, due};

use crate::arguments::DayArguments;
use crate::print;

pub(crate) fn run(arguments: &DayArguments) -> anyhow::Result<bool> {
    let (day, setting) = (arguments.day()?, arguments.setting()?);
    let mut text = String::from("what was wrong\n");
    let mut faults = Vec::new();
    for fault in &day.faults {
        let deadline = due(&day, fault, setting.style);
        let told = match deadline {
            Deadline::Never => "cannot be told".to_owned(),
            Deadline::Unnamed => "can be told at some time".to_owned(),
            Deadline::At(at_ms) => format!("can be told from {} on", exact(at_ms)),
        };
        let _ = writeln!(
            text,
            "  {}-{} {:?} {:?}, because of {:?}: {told}",
            clock(fault.span.from_ms),
            clock(fault.span.to_ms),
            fault.queues,
            fault.must,
            fault.causes
        );
        faults.push((fault.clone(), deadline));
    }
    let report = ours::report(&day, ours::Store::Memory)?;
    text.push_str("\nwhat queuewatch said\n");
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    for incident in report.get("incidents").and_then(Value::as_array).into_iter().flatten() {
        let named = incident.get("diagnosis").map(|diagnosis| {
            let runners_up = diagnosis.get("runners_up").map(Value::to_string).unwrap_or_default();
            format!("{} {runners_up}", word(diagnosis, "cause"))
        });
        let _ = writeln!(
            text,
            "  {} ({}): {}",
            word(incident, "id"),
            word(incident, "severity"),
            named.unwrap_or_default()
        );
        for said in incident.get("notifications").and_then(Value::as_array).into_iter().flatten() {
            let _ =
                writeln!(text, "    {} {}: {}", word(said, "at"), word(said, "state"), word(said, "subject"));
        }
    }
    let _ = writeln!(
        text,
        "\nverdict\n  {:?}\n\nwhat plain alarms did",
        verdict(&ours::findings(&report), &faults)
    );
    for (watched, spells) in plain::spells(&day) {
        let shown: Vec<String> = spells
            .iter()
            .map(|spell| {
                format!("{}-{}", clock(spell.alarm_at_ms), spell.ok_at_ms.map_or_else(String::new, clock))
            })
            .collect();
        let _ = writeln!(text, "  {:<10} {}", watched.name, shown.join(" "));
    }
    print(&text)?;
    Ok(true)
}

fn exact(at_ms: i64) -> String {
    format!("{}:{:02}", clock(at_ms), at_ms.div_euclid(1_000).rem_euclid(60))
}

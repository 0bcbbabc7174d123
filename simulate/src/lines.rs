//! `lines`: one day to look at, and `scenarios`: which there are.

use std::fmt::Write;

use queuewatch::domain::job::Timestamp;
use queuewatch::pack::{PackLine, PackOptions, pack};

use queuewatch_simulate::world::scenarios;

use crate::arguments::LinesArguments;
use crate::print;

pub(crate) fn run(arguments: &LinesArguments) -> anyhow::Result<bool> {
    let day = arguments.day.day()?;
    let mut text = String::new();
    if !arguments.events {
        for line in &day.lines {
            let at = Timestamp::from_ms(line.at_ms);
            let _ = writeln!(text, "{at}\t{}\t{}\t{}", line.log_group, line.log_stream, line.message);
        }
        print(&text)?;
        return Ok(true);
    }
    for delivery in &day.deliveries {
        let mut options = PackOptions::new(delivery.log_group, &delivery.log_stream);
        // A payload stays one, however long its first line waited.
        options.batch_ms = i64::MAX;
        let lines = delivery.lines.iter().filter_map(|n| day.lines.get(*n));
        let lines: Vec<PackLine> = lines
            .map(|line| PackLine { at: Timestamp::from_ms(line.at_ms), message: line.message.clone() })
            .collect();
        for event in pack(&lines, &options) {
            text.push_str(&event);
            text.push('\n');
        }
    }
    print(&text)?;
    Ok(true)
}

pub(crate) fn scenarios() -> anyhow::Result<bool> {
    let mut text = String::new();
    for scenario in scenarios::all() {
        let _ = writeln!(text, "{:<17} {}", scenario.name, scenario.title);
    }
    print(&text)?;
    Ok(true)
}

//! `table`: many days, judged and summed up.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use serde::Serialize;

use queuewatch_simulate::judge::goals::{self, Miss};
use queuewatch_simulate::judge::print as sums;
use queuewatch_simulate::judge::table::{self, Judged, Row, Task};
use queuewatch_simulate::world::Setting;
use queuewatch_simulate::world::style::{Chaos, Layout, Style};

use crate::arguments::TableArguments;
use crate::{print, tell};

/// The table for programs.
#[derive(Serialize)]
struct Printed {
    schema: u32,
    days: u64,
    first_seed: u64,
    tables: Vec<Table>,
    missed_goals: Vec<Miss>,
}

#[derive(Serialize)]
struct Table {
    format: Style,
    streams: Layout,
    chaos: Chaos,
    rows: Vec<Row>,
}

/// Judges, prints, and says whether it is good enough.
pub(crate) fn run(arguments: &TableArguments) -> anyhow::Result<bool> {
    let scenarios = arguments.scenarios()?;
    let settings = arguments.settings()?;
    let days = arguments.days.get();
    let store = arguments.store()?;
    let mut tasks: Vec<Task> = Vec::new();
    for setting in &settings {
        for scenario in &scenarios {
            let seeds = arguments.seed..arguments.seed.saturating_add(days);
            tasks.extend(seeds.map(|seed| Task { scenario: *scenario, seed, setting: *setting, store }));
        }
    }
    let all = tasks.len();
    let is_watched = io::stderr().is_terminal();
    let judged = table::judge_all(&tasks, |done| {
        if is_watched {
            let _ = write!(io::stderr().lock(), "\r{done} of {all} days");
        }
    })?;
    if is_watched {
        tell("");
    }
    let missed = goals::missed(&judged);
    let of = |setting: &Setting| -> Vec<Judged> {
        judged.iter().filter(|one| one.task.setting == *setting).cloned().collect()
    };
    let tables = settings.iter().map(|setting| Table {
        format: setting.style,
        streams: setting.layout,
        chaos: setting.chaos,
        rows: table::rows(&of(setting)),
    });
    let tables: Vec<Table> = tables.collect();
    if arguments.json {
        let printed =
            Printed { schema: 1, days, first_seed: arguments.seed, tables, missed_goals: missed.clone() };
        let mut json = serde_json::to_string_pretty(&printed).context("writing the table as JSON")?;
        json.push('\n');
        print(&json)?;
    } else {
        let mut text = String::new();
        for Table { format, streams, chaos, rows } in &tables {
            let heading = format!("== worker lines: {format}; streams: {streams}; on the way: {chaos}");
            text += &format!("{heading}\n\n{}\n", sums::rows(rows));
        }
        let all_rows: Vec<Row> = tables.into_iter().flat_map(|table| table.rows).collect();
        print(&format!("{text}{}", sums::summary(&all_rows)))?;
    }
    if !arguments.goals {
        return Ok(true);
    }
    tell(&goals::print(&missed));
    tell(&format!("{} goals missed on {all} days", missed.len()));
    Ok(missed.is_empty())
}

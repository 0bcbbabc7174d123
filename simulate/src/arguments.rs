//! The flags and arguments.

use std::num::NonZeroU64;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use queuewatch_simulate::judge::ours::Store;
use queuewatch_simulate::world::scenarios::{self, Scenario};
use queuewatch_simulate::world::style::{Chaos, Layout, Style};
use queuewatch_simulate::world::{Day, Setting};

/// Seeded days of queues and workers, and how well queuewatch and plain CloudWatch alarms see them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge many days: what was found, missed, late, wrong and said too often.
    ///
    /// Exits with 1 if --goals finds one missed.
    Table(TableArguments),
    /// Print the log lines of one day: time, group, stream, message; or saved events, for `queuewatch replay`.
    Lines(LinesArguments),
    /// Show one day: what was wrong, what queuewatch and plain alarms said of it.
    Show(DayArguments),
    /// List the days there are.
    Scenarios,
}

#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// Days of each scenario.
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) days: NonZeroU64,
    /// The first day's seed; the next day has the next.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only these scenarios.
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Vec<String>,
    /// Worker lines as json, verbose, text or bracket; or all, which is the first three.
    #[arg(long, value_name = "STYLE", default_value = "json")]
    pub(crate) format: String,
    /// Workers in a log group of their own (separate), in the app's streams (shared), or both in turn.
    #[arg(long, value_name = "LAYOUT", default_value = "separate")]
    pub(crate) streams: String,
    /// Nothing befalls lines (none), they come twice, late and in no order (delivery), or a fifth of the worker's is
    /// lost (loss). Without a value: delivery.
    #[arg(long, value_name = "CHAOS", num_args = 0..=1, default_value = "none", default_missing_value = "delivery")]
    pub(crate) chaos: String,
    /// Keep what is known as replay does (memory), or in a table, as the function does (table): some twenty times slower.
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub(crate) store: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// List every goal that is missed, with the command that shows it, and exit with 1 if there is one.
    #[arg(long)]
    pub(crate) goals: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DayArguments {
    /// Which day.
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: String,
    /// Which of its kind.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Worker lines as json, verbose, text or bracket.
    #[arg(long, value_name = "STYLE", default_value = "json")]
    pub(crate) format: String,
    /// Workers in a log group of their own (separate), or in the app's streams (shared).
    #[arg(long, value_name = "LAYOUT", default_value = "separate")]
    pub(crate) streams: String,
    /// What befalls lines on the way: none, delivery or loss.
    #[arg(long, value_name = "CHAOS", num_args = 0..=1, default_value = "none", default_missing_value = "delivery")]
    pub(crate) chaos: String,
}

#[derive(Debug, Args)]
pub(crate) struct LinesArguments {
    #[command(flatten)]
    pub(crate) day: DayArguments,
    /// Print the payloads as saved events instead, one a line, in the order they arrive.
    #[arg(long)]
    pub(crate) events: bool,
}

fn choose<T: std::str::FromStr<Err = String>>(flag: &str, text: &str) -> anyhow::Result<T> {
    text.parse().map_err(anyhow::Error::msg).with_context(|| format!("{flag} {text}"))
}

fn find(name: &str) -> anyhow::Result<Scenario> {
    scenarios::find(name).with_context(|| format!("there is no scenario {name}: see `scenarios`"))
}

impl DayArguments {
    pub(crate) fn setting(&self) -> anyhow::Result<Setting> {
        Ok(Setting {
            style: choose("--format", &self.format)?,
            layout: choose("--streams", &self.streams)?,
            chaos: choose("--chaos", &self.chaos)?,
        })
    }

    pub(crate) fn day(&self) -> anyhow::Result<Day> {
        Ok(Day::new(&find(&self.scenario)?, self.seed, self.setting()?))
    }
}

impl TableArguments {
    pub(crate) fn store(&self) -> anyhow::Result<Store> {
        choose("--store", &self.store)
    }

    pub(crate) fn scenarios(&self) -> anyhow::Result<Vec<Scenario>> {
        if self.scenario.is_empty() {
            return Ok(scenarios::all());
        }
        self.scenario.iter().map(|name| find(name)).collect()
    }

    /// Every setting asked for.
    pub(crate) fn settings(&self) -> anyhow::Result<Vec<Setting>> {
        let styles = match self.format.as_str() {
            "all" => vec![Style::Json, Style::Verbose, Style::Text],
            one => vec![choose("--format", one)?],
        };
        let layouts = match self.streams.as_str() {
            "both" => Layout::ALL.to_vec(),
            one => vec![choose("--streams", one)?],
        };
        let chaos: Chaos = choose("--chaos", &self.chaos)?;
        let mut settings = Vec::new();
        for style in styles {
            settings.extend(layouts.iter().map(|layout| Setting { style, layout: *layout, chaos }));
        }
        Ok(settings)
    }
}

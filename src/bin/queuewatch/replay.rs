//! `queuewatch replay`: what queuewatch would have said about saved events.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

use queuewatch::config::{Config, Overrides, parse_duration_ms};
use queuewatch::domain::envelope::Limits;
use queuewatch::domain::model::policy::Policy;
use queuewatch::replay::{self, Input, Outcome, Settings, open};
use queuewatch::report::page::{self, Page};
use queuewatch::report::versus::Versus;
use queuewatch::report::{Extent, RejectedRow, Report, text};
use queuewatch::saved;

use crate::args::{ConfigArguments, Format, ReplayArguments, Rival};
use crate::{NOTIFIED, RAN, UNREADABLE, output, versus};

/// A progress bar for less than this is a flicker.
const PROGRESS_FROM: usize = 200;

pub(crate) fn run(arguments: &ReplayArguments) -> anyhow::Result<u8> {
    tell_of_idle_flags(arguments);
    let config = load(&arguments.config)?;
    let classifier = config.classifier()?;
    let settle_ms = parse_duration_ms(&arguments.settle).context("--settle")?;
    let (saved, errors) = saved::read(&arguments.paths, &arguments.log_group, &mut io::stdin().lock());
    for error in &errors {
        output::complain(&anyhow::Error::msg(chain(error)));
    }
    if saved.is_empty() && !errors.is_empty() {
        return Ok(UNREADABLE);
    }
    let limits = Limits::default();
    let bar = progress(saved.len(), "reading");
    let mut inputs: Vec<Input> = Vec::new();
    for one in saved {
        inputs.extend(open(&one, &classifier, &limits));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let rival = arguments.versus.map(|Rival::Cloudwatch| versus::logs(&inputs));
    let policy = config.policy().clone();
    let settings = Settings {
        // The page shows the chat's message beside the mail, whoever would have had which.
        policy: Policy {
            has_chat_topic: policy.has_chat_topic || arguments.report.is_some(),
            ..policy.clone()
        },
        settle_ms,
        keeps_order: arguments.keep_order,
        visits_every_minute: false,
    };
    let bar = progress(inputs.len(), "replaying");
    let outcome = replay::replay(inputs, &settings, |_| bar.inc(1));
    bar.finish_and_clear();
    let extent = Extent { jobs: arguments.jobs, minutes: arguments.metrics };
    let mut report = Report::new(&outcome, &policy, extent);
    report.versus = rival.map(|logs| versus::versus(&logs, outcome.last_delivery.unwrap_or(outcome.ends_at)));
    let has_notified = report.has_notified();
    if let Some(path) = &arguments.report {
        write_page(path, &outcome, &policy, report.versus.clone())?;
    }
    match arguments.format {
        Format::Text => {
            let detail = if arguments.details { text::Detail::Whole } else { text::Detail::Brief };
            let palette = text::Palette::coloured();
            output::print_coloured(&text::render(&outcome, &report, &policy, palette, detail))?;
        }
        Format::Json => {
            let mut json = serde_json::to_string_pretty(&report).context("writing the report as JSON")?;
            json.push('\n');
            output::print(&json)?;
        }
    }
    let is_unreadable = explain_unreadable(&report);
    // The process ends here: taking a ledger of a million jobs apart, piece by piece, is time nobody gets back.
    std::mem::forget((outcome, report));
    Ok(status(!errors.is_empty() || is_unreadable, arguments.exit_code && has_notified))
}

/// Says that a flag does nothing: what it lists is in the JSON alone.
fn tell_of_idle_flags(arguments: &ReplayArguments) {
    for (flag, is_there) in [("--jobs", arguments.jobs), ("--metrics", arguments.metrics)] {
        if is_there && arguments.format == Format::Text {
            output::tell(&format!("queuewatch: {flag} does nothing without --format json"));
        }
    }
}

/// Whether nothing that was named holds a saved event: then a report about no lines looks like one about a quiet day.
/// An event whose payload is broken is one all the same, and was counted.
fn explain_unreadable(report: &Report) -> bool {
    let payloads = &report.payloads;
    let is_no_event = |row: &RejectedRow| matches!(row.reason, "not_json" | "no_payload");
    let is_unreadable = payloads.read > 0
        && payloads.rejected.len() as u64 == payloads.read
        && payloads.rejected.iter().all(is_no_event);
    if is_unreadable {
        output::complain(&anyhow!(
            "nothing here is a saved event. A Lambda event has `awslogs` or `Records`; `aws logs filter-log-events --output \
             json` prints `{{\"events\": [...]}}`: look whether the command failed, or was stopped before its end"
        ));
    }
    is_unreadable
}

/// Writes the page for a post-mortem.
fn write_page(path: &Path, outcome: &Outcome, policy: &Policy, versus: Option<Versus>) -> anyhow::Result<()> {
    let mut report = Report::new(outcome, policy, Extent { jobs: true, minutes: true });
    report.versus = versus;
    let sent = &outcome.alarms.sent;
    let page = Page { report: &report, policy, sent, last_delivery: outcome.last_delivery };
    fs::write(path, page::render(&page)).with_context(|| format!("writing {}", path.display()))?;
    output::tell(&format!("queuewatch: the page is {}", path.display()));
    Ok(())
}

const fn status(has_errors: bool, has_notified: bool) -> u8 {
    if has_errors {
        UNREADABLE
    } else if has_notified {
        NOTIFIED
    } else {
        RAN
    }
}

/// Reads the configuration: flag over environment over file over default.
pub(crate) fn load(arguments: &ConfigArguments) -> anyhow::Result<Config> {
    let flags = Overrides {
        config: arguments.config.clone(),
        app: arguments.app.clone(),
        grace: arguments.grace.clone(),
        ..Overrides::default()
    };
    Ok(Config::load(&flags, &Overrides::from_environment()?)?)
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A bar on standard error, where that is a terminal and there is enough to do.
fn progress(steps: usize, doing: &'static str) -> ProgressBar {
    if steps < PROGRESS_FROM {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(steps as u64).with_message(doing);
    if let Ok(style) = ProgressStyle::with_template("{msg:<10} {bar:40} {pos}/{len} payloads, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

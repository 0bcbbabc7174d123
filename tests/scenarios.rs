//! Stories with their ends: a folder each, told in log lines, with what queuewatch must say.
//!
//! `world.txt` holds `time TAB group TAB stream TAB message`; the group `-` stands for a payload that does not
//! open; `# settle 4d` goes on for that long. `config.toml` may be there. `expected.txt` is written by hand
//! from the contract, before anything runs: on a difference read both, then change the one that is wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a story that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use queuewatch::config::{Config, parse_duration_ms};
use queuewatch::domain::job::SECOND_MS;
use queuewatch::replay::SETTLE_MS;
use serde_json::Value;

/// A payload's lines lie this close together.
const BATCH_MS: i64 = 5 * SECOND_MS;

fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn milliseconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{time}: {error}")).as_millisecond()
}

/// Replays the story, and renders what was said.
fn told(folder: &Path) -> String {
    let config = match fs::read_to_string(folder.join("config.toml")) {
        Ok(text) => Config::parse(&text).unwrap(),
        Err(_) => Config::default(),
    };
    let mut settings = wire::settings(config.policy().clone());
    settings.settle_ms = SETTLE_MS;
    let mut streams: BTreeMap<(String, String), Vec<(i64, String)>> = BTreeMap::new();
    let mut payloads: Vec<(i64, bool, String)> = Vec::new();
    for line in fs::read_to_string(folder.join("world.txt")).unwrap().lines() {
        if let Some(settle) = line.strip_prefix("# settle ") {
            settings.settle_ms = parse_duration_ms(settle).unwrap();
            continue;
        }
        let parts: Vec<&str> = line.splitn(4, '\t').collect();
        let &[time, group, stream, message] = parts.as_slice() else { panic!("{line}") };
        if group == "-" {
            payloads.push((milliseconds(time), true, message.to_owned()));
        } else {
            let lines = streams.entry((group.to_owned(), stream.to_owned())).or_default();
            lines.push((milliseconds(time), message.to_owned()));
        }
    }
    for ((group, stream), lines) in &streams {
        for batch in batches(lines) {
            let newest = batch.iter().map(|(ms, _)| *ms).max().unwrap();
            let events = wire::events(group, stream, batch, BATCH_MS);
            payloads.extend(events.into_iter().map(|event| (newest, false, event)));
        }
    }
    // A payload that does not open comes right after those of its time.
    payloads.sort();
    let events: Vec<String> = payloads.into_iter().map(|(_, _, event)| event).collect();
    render(&wire::report(wire::inputs(&events, &config.classifier().unwrap()), &settings))
}

/// Lines that CloudWatch would have sent together.
fn batches(lines: &[(i64, String)]) -> Vec<&[(i64, String)]> {
    let mut batches = Vec::new();
    let mut rest = lines;
    while let Some((first, _)) = rest.first() {
        let end = rest.iter().position(|(ms, _)| ms.saturating_sub(*first) >= BATCH_MS);
        let (batch, after) = rest.split_at(end.unwrap_or(rest.len()));
        batches.push(batch);
        rest = after;
    }
    batches
}

/// A moment without its milliseconds, where it has none.
fn moment(value: &Value) -> String {
    value.as_str().unwrap().replace(".000Z", "Z")
}

fn render(report: &Value) -> String {
    let mut text = String::new();
    for incident in report["incidents"].as_array().unwrap() {
        let after = if incident["after_end"] == true { " after_end" } else { "" };
        let _ = writeln!(
            text,
            "{} {}{after}",
            incident["id"].as_str().unwrap(),
            incident["severity"].as_str().unwrap()
        );
        let resolved = &incident["resolved_at"];
        let resolved =
            if resolved.is_null() { "open".to_owned() } else { format!("resolved {}", moment(resolved)) };
        let _ = writeln!(text, "  opened {}, {resolved}", moment(&incident["opened_at"]));
        let queues: Vec<&str> =
            incident["queues"].as_array().unwrap().iter().map(|queue| queue.as_str().unwrap()).collect();
        let queues = if queues.is_empty() { "-".to_owned() } else { queues.join(",") };
        let by = incident["matched_by"].as_str().unwrap_or("-");
        let _ = writeln!(text, "  jobs {}, by {by}, queues {queues}", incident["jobs_count"]);
        for said in incident["notifications"].as_array().unwrap() {
            let _ = writeln!(text, "  {} {}", moment(&said["at"]), said["state"].as_str().unwrap());
        }
    }
    let pending = &report["pending"];
    let (jobs, overdue, unknown) = (&pending["jobs"], &pending["overdue"], &pending["unknown"]);
    let _ = writeln!(text, "pending {jobs}, overdue {overdue}, unknown {unknown}");
    let _ = writeln!(text, "blind spots {}", report["blind_spots"].as_array().unwrap().len());
    let _ = writeln!(text, "ends {}", moment(&report["ends_at"]));
    text
}

#[test]
fn every_story_is_told_as_expected() {
    let mut wrong = String::new();
    for folder in stories() {
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let got = told(&folder);
        if got != expected {
            let name = folder.file_name().unwrap().to_string_lossy();
            let _ = writeln!(wrong, "== {name}");
            let _ = writeln!(wrong, "-- expected\n{expected}-- told\n{got}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn stories_are_many() {
    assert!(stories().len() >= 18);
}

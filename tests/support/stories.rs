//! Stories under `tests/scenarios`: a folder each, told in log lines.
//!
//! `world.txt` holds `time TAB group TAB stream TAB message`; the group `-` stands for a payload that does not open,
//! a group with an account's number before it (`222222222222:/ecs/app`) is in that account;
//! `# settle 4d` goes on for that long. `config.toml` may be there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use queuewatch::config::{Config, parse_duration_ms};
use queuewatch::domain::job::SECOND_MS;
use queuewatch::replay::{Input, SETTLE_MS, Settings};

use super::wire;

/// A story, ready to be replayed.
pub(crate) struct Story {
    /// What is delivered.
    pub(crate) inputs: Vec<Input>,
    /// Under which configuration.
    pub(crate) settings: Settings,
}

/// A payload's lines lie this close together.
const BATCH_MS: i64 = 5 * SECOND_MS;

/// Every story's folder, by name.
pub(crate) fn all() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn milliseconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Reads a story.
pub(crate) fn read(folder: &Path) -> Story {
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
        let [time, group, stream, message]: [&str; 4] = parts.try_into().unwrap();
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
    Story { inputs: wire::inputs(&events, &config.classifier().unwrap()), settings }
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

//! What queuewatch says of captured streams: each packed with its stamps as CloudWatch would send it, all replayed as one
//! world by the command.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::app::{command, manifest};
use crate::process::Line;

/// Waits of a few seconds instead of minutes.
pub(crate) const CONFIG: &str = "app = \"my-app\"\n[stall]\ngrace = \"5s\"\njob_timeout = \"10s\"\n";

/// A log stream's name, and its lines.
pub(crate) type Stream<'a> = (&'a str, &'a [Line]);

/// A replay's report.
pub(crate) struct Verdict(pub(crate) Value);

/// queuewatch's own command.
pub(crate) fn queuewatch(folder: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_queuewatch"), folder)
}

/// Runs it, and returns what it wrote on standard output.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Packs and replays.
#[track_caller]
pub(crate) fn verdict(folder: &Path, streams: &[Stream<'_>]) -> Verdict {
    fs::write(folder.join("queuewatch.toml"), CONFIG).unwrap();
    let mut replay = queuewatch(folder);
    replay.args(["replay", "--format", "json", "--jobs", "--config", "queuewatch.toml"]);
    for (name, lines) in streams {
        let file = name.replace('/', "-");
        let log: String = lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        let stamps: String = lines.iter().map(|(ms, _)| format!("{ms}\n")).collect();
        fs::write(folder.join(format!("{file}.log")), log).unwrap();
        fs::write(folder.join(format!("{file}.ts")), stamps).unwrap();
        let mut pack = queuewatch(folder);
        pack.args(["pack", "--log-group", "/ecs/my-app", "--log-stream", name]);
        pack.args(["--timestamps", &format!("{file}.ts"), &format!("{file}.log")]);
        fs::write(folder.join(format!("{file}.jsonl")), said(&mut pack)).unwrap();
        replay.arg(format!("{file}.jsonl"));
    }
    let report = serde_json::from_str(&said(&mut replay)).unwrap();
    check_schema(&report);
    Verdict(report)
}

#[track_caller]
fn check_schema(report: &Value) {
    let schema = fs::read(manifest().join("docs/replay.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The likeliest cause of an incident, then the others that are named.
pub(crate) fn causes(incident: &Value) -> Vec<&str> {
    let diagnosis = &incident["diagnosis"];
    let others = diagnosis["runners_up"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap());
    [diagnosis["cause"].as_str().unwrap()].into_iter().chain(others).collect()
}

impl Verdict {
    pub(crate) fn rows(&self, key: &str) -> &[Value] {
        self.0[key].as_array().unwrap()
    }

    /// Enqueued, started, processed, failed and released lines.
    pub(crate) fn counts(&self) -> [u64; 5] {
        ["enqueued", "processing", "processed", "failed", "released"]
            .map(|key| self.0["counts"][key].as_u64().unwrap())
    }

    /// How many jobs of each class ended in each state.
    pub(crate) fn states(&self) -> BTreeMap<(&str, &str), usize> {
        let mut counted = BTreeMap::new();
        for job in self.rows("jobs") {
            let class = job["class"].as_str().unwrap();
            let class = class.strip_prefix(r"App\Jobs\").unwrap_or(class);
            *counted.entry((class, job["state"].as_str().unwrap())).or_default() += 1;
        }
        counted
    }

    /// The connections and queues that jobs were enqueued on.
    pub(crate) fn queues(&self) -> BTreeSet<(&str, &str)> {
        self.rows("jobs")
            .iter()
            .map(|job| (job["connection"].as_str().unwrap(), job["queue"].as_str().unwrap()))
            .collect()
    }

    /// Kind, connection and queue of each incident, and whether it is over, in alphabetical order.
    pub(crate) fn incidents(&self) -> Vec<(&str, &str, &str, bool)> {
        let mut incidents: Vec<_> = self
            .rows("incidents")
            .iter()
            .map(|row| {
                (
                    row["kind"].as_str().unwrap(),
                    row["connection"].as_str().unwrap_or(""),
                    row["queue"].as_str().unwrap_or(""),
                    row["resolved_at"].is_string(),
                )
            })
            .collect();
        incidents.sort_unstable();
        incidents
    }

    pub(crate) fn blind_spots(&self) -> Vec<&str> {
        self.rows("blind_spots").iter().map(|spot| spot.as_str().unwrap()).collect()
    }
}

//! Stories with their ends: a folder each, told in log lines, with what queuewatch must say.
//!
//! `support/stories.rs` tells how a story is written. `expected.txt` is written by hand from the contract, before
//! anything runs: on a difference read both, then change the one that is wrong. It has a `cause` line for each incident
//! where the story is about why.

#![expect(
    clippy::unwrap_used,
    reason = "a story that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/stories.rs"]
mod stories;
#[path = "support/wire.rs"]
mod wire;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Replays the story, and renders what was said; why, where that is expected.
fn told(folder: &Path, with_causes: bool) -> String {
    let story = stories::read(folder);
    render(&wire::report(story.inputs, &story.settings), with_causes)
}

/// `worker_silent, or logs_not_forwarded`; with a `!` where it is certain.
fn cause(diagnosis: &Value) -> String {
    let Some(cause) = diagnosis["cause"].as_str() else { return "-".to_owned() };
    let certain = if diagnosis["certain"] == true { "!" } else { "" };
    let others = diagnosis["runners_up"].as_array().unwrap().iter();
    let others: String = others.map(|other| format!(", or {}", other.as_str().unwrap())).collect();
    format!("{cause}{certain}{others}")
}

/// A moment without its milliseconds, where it has none.
fn moment(value: &Value) -> String {
    value.as_str().unwrap().replace(".000Z", "Z")
}

fn render(report: &Value, with_causes: bool) -> String {
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
        if with_causes {
            let _ = writeln!(text, "  cause {}", cause(&incident["diagnosis"]));
        }
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
    for folder in stories::all() {
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let got = told(&folder, expected.contains("\n  cause "));
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
    assert!(stories::all().len() >= 18);
}

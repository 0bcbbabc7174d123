//! Commands are pasted as they are, and names in them come from log lines, where anybody may write: each is run here
//! by a shell in which every program only shows its words.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test helpers are outside clippy's exemption; what cannot be run must fail the test"
)]
#![cfg(unix)]

#[path = "support/wire.rs"]
mod wire;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use queuewatch::domain::deployment::Deployment;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use serde_json::{Value, json};

/// 2026-01-05T12:00:00Z.
const BEGIN_MS: i64 = 1_767_614_400_000;

/// Names that would do something, if a shell read them.
const NASTY: [&str; 14] = [
    "a b$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    r"\'; touch pwned #",
    "x' 'y",
    "--option=1",
    "-rf",
    "!!",
    "*",
    "~root",
    "a&touch pwned|cat>pwned",
    "$HOME ${IFS} %s",
    "日本 queue",
];

/// A stall on a queue of this name, whose worker writes into a file of an odd name.
fn stall(queue: &str, connection: &str) -> Value {
    stall_at(Deployment::Aws, queue, connection)
}

fn stall_at(deployment: Deployment, queue: &str, connection: &str) -> Value {
    let context = json!({"id": "h1", "uuid": "u-1", "job": queue, "queue": queue, "connection": connection, "delay": null});
    let lines = [
        (BEGIN_MS, "[Entrypoint] Queue Worker logs: storage/logs/`touch${IFS}pwned`$HOME.log".to_owned()),
        (BEGIN_MS + 60_000, format!("[2026-01-05 12:01:00] production.INFO: Job queued {context} ")),
    ];
    let events = wire::events("/ecs/my app", "ecs/my app/34902fc94fc5b5a745195640d35c0ce4", &lines, 1_000);
    let mut policy = Policy::default();
    policy.ecs.cluster = Some("c $(touch pwned)".into());
    policy.ecs.service = Some("s'; touch pwned; '".into());
    policy.aws.sweep_function = Some("sweep".into());
    policy.deployment = deployment;
    wire::report(wire::inputs(&events, &Classifier::default()), &wire::settings(policy))["incidents"][0]
        .clone()
}

/// Runs a script in an empty folder where programs show their words, and returns those; fails if it left a file.
fn words(name: &str, script: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("paste-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let show = r#"show() { for word in "$@"; do printf '%s\036' "$word"; done; printf '\035'; }"#;
    let programs = ["aws", "php", "ps", "grep", "tail", "printenv", "queuewatch"];
    let functions: String =
        programs.iter().map(|it| format!("{it}() {{ show {it} \"$@\" >&2; }}\n")).collect();
    // What its worker prints goes into this one, which has to take it.
    let tee = r#"tee() { show tee "$@" >&2; cat >&2; }"#;
    // One command is for an entrypoint, and says that it is bash's.
    let shell = if script.contains(">(") { "bash" } else { "sh" };
    let output = Command::new(shell)
        .current_dir(&folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/home/somebody")
        .args(["-c", &format!("{show}\n{functions}\n{tee}\n{script}")])
        .output()
        .unwrap();
    let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert!(left.is_empty(), "{script} left {left:?}");
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(!shown.contains("sh:") && output.status.success(), "{script}\n{shown}");
    shown.split(['\u{1e}', '\u{1d}']).map(str::to_owned).collect()
}

/// What stands behind an option.
fn after<'w>(words: &'w [String], option: &str) -> &'w str {
    let place = words.iter().position(|word| word == option).unwrap_or_else(|| panic!("{option}: {words:?}"));
    &words[place + 1]
}

#[test]
fn every_command_is_harmless_and_says_what_it_means() {
    for (n, queue) in NASTY.iter().enumerate() {
        let incident = stall(queue, "redis");
        assert_eq!(incident["queue"], *queue);
        let commands: Vec<&str> = incident["diagnosis"]["commands"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        assert!(commands.len() >= 5, "{commands:?}");
        for (m, command) in commands.iter().enumerate() {
            let words = words(&format!("{n}-{m}"), command);
            if command.contains("tee -a") {
                inner(&format!("{n}-{m}-tee"), command, queue);
            }
            if !command.contains("execute-command") {
                continue;
            }
            assert_eq!(after(&words, "--cluster"), "c $(touch pwned)");
            assert_eq!(after(&words, "--container"), "my app");
            // ECS splits the line as a shell does, and starts the program.
            inner(&format!("{n}-{m}-inner"), after(&words, "--command"), queue);
        }
    }
}

fn inner(name: &str, line: &str, queue: &str) {
    let words = words(name, line);
    if line.starts_with("tail") || line.contains("tee -a") {
        assert!(words.contains(&"storage/logs/`touch${IFS}pwned`$HOME.log".to_owned()), "{words:?}");
    }
    if line.contains("queue:monitor") {
        assert!(words.contains(&format!("redis:{queue}")), "{words:?}");
    } else if line.contains("queue:work ") {
        assert!(words.contains(&format!("--queue={queue}")), "{words:?}");
    }
}

#[test]
fn a_queue_without_a_connection_is_never_an_option() {
    for (n, queue) in NASTY.iter().enumerate() {
        let incident = stall(queue, "");
        for command in incident["diagnosis"]["commands"].as_array().unwrap() {
            let command = command.as_str().unwrap();
            if !command.contains("queue:monitor") {
                continue;
            }
            let outer = words(&format!("bare-{n}"), command);
            let inner = words(&format!("bare-{n}-inner"), after(&outer, "--command"));
            let place = inner.iter().position(|word| word == queue).unwrap();
            assert!(!queue.starts_with('-') || inner[place - 1] == "--", "{inner:?}");
        }
    }
}

#[test]
fn a_function_is_answered_with_words_that_mean_what_they_say() {
    for (n, queue) in NASTY.iter().enumerate() {
        let incident = stall(queue, "redis");
        let body = incident["notifications"][0]["body"].as_str().unwrap();
        let commands: Vec<&str> = body.lines().filter(|line| line.starts_with("queuewatch ")).collect();
        let [seen, close, silence] = commands[..] else { panic!("{body}") };
        let seen = words(&format!("answer-{n}-seen"), seen);
        assert_eq!(seen[..4], ["queuewatch", "answer", incident["id"].as_str().unwrap(), "seen"]);
        assert_eq!(after(&seen, "--function"), "sweep");
        let close = words(&format!("answer-{n}-close"), close);
        assert_eq!(close[..3], ["queuewatch", "close", incident["id"].as_str().unwrap()]);
        assert_eq!((after(&close, "--function"), after(&close, "--reason")), ("sweep", "WHY"));
        let silence = words(&format!("answer-{n}-silence"), silence);
        assert_eq!(
            (after(&silence, "--function"), after(&silence, "--until")),
            ("sweep", "2026-01-05T16:06Z")
        );
        let before = if queue.starts_with('-') { "--" } else { "silence" };
        assert_eq!(after(&silence, before), *queue);
    }
}

#[test]
fn a_watch_is_answered_with_words_that_mean_what_they_say() {
    let state = "/srv/it's $(touch pwned)/state";
    for (n, queue) in NASTY.iter().enumerate() {
        let incident = stall_at(Deployment::Folder(state.to_owned()), queue, "redis");
        let body = incident["notifications"][0]["body"].as_str().unwrap();
        assert!(!body.contains("aws logs") && !body.contains("$SWEEP"), "{body}");
        let commands: Vec<&str> = body.lines().filter(|line| line.contains(" --state ")).collect();
        let [seen, close, silence] = commands[..] else { panic!("{body}") };
        let seen = words(&format!("seen-{n}"), seen);
        assert_eq!(seen[..4], ["queuewatch", "answer", incident["id"].as_str().unwrap(), "seen"]);
        assert_eq!(after(&seen, "--state"), state);
        let close = words(&format!("close-{n}"), close);
        assert_eq!(close[..3], ["queuewatch", "close", incident["id"].as_str().unwrap()]);
        assert_eq!((after(&close, "--state"), after(&close, "--reason")), (state, "WHY"));
        let silence = words(&format!("silence-{n}"), silence);
        assert_eq!(after(&silence, "--state"), state);
        let before = if queue.starts_with('-') { "--" } else { "silence" };
        assert_eq!(after(&silence, before), *queue);
    }
}

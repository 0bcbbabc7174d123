//! The command line, run as people run it.

#![expect(clippy::unwrap_used, reason = "test helpers are outside clippy's exemption")]

use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str], status: i32) -> (String, String) {
    let Output { status: ended, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_queuewatch-simulate")).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(ended.code(), Some(status), "{arguments:?}: {err}");
    (out, err)
}

#[test]
fn lines_are_rows_of_four() {
    let (out, _) = run(&["lines", "--scenario", "sparse", "--format", "text"], 0);
    let mut jobs = 0;
    for row in out.lines() {
        let fields: Vec<&str> = row.splitn(4, '\t').collect();
        assert_eq!(fields.len(), 4, "{row}");
        jobs += usize::from(fields[3].contains("RUNNING"));
    }
    assert!(jobs > 20, "{jobs}");
}

#[test]
fn events_are_what_a_subscription_sends() {
    let arguments = ["lines", "--scenario", "sparse", "--seed", "2", "--chaos", "--events"];
    let (out, _) = run(&arguments, 0);
    assert_eq!(out, run(&arguments, 0).0);
    for event in out.lines() {
        let event: Value = serde_json::from_str(event).unwrap();
        assert!(event["awslogs"]["data"].is_string(), "{event}");
    }
}

#[test]
fn a_table_for_programs_has_a_row_for_each_who_looks() {
    let arguments =
        ["table", "--scenario", "sparse", "--days", "1", "--streams", "both", "--json", "--goals"];
    let (out, err) = run(&arguments, 0);
    assert!(err.contains("0 goals missed on 2 days"), "{err}");
    let printed: Value = serde_json::from_str(&out).unwrap();
    for table in printed["tables"].as_array().unwrap() {
        let by: Vec<&str> =
            table["rows"].as_array().unwrap().iter().map(|row| row["by"].as_str().unwrap()).collect();
        assert_eq!(by, ["queuewatch", "B1", "B1n", "B2", "B2b", "B3", "B4", "B5", "B2+B3+B5", "per queue"]);
    }
    assert_eq!(printed["tables"].as_array().unwrap().len(), 2);
}

#[test]
fn one_day_is_shown_with_what_was_wrong_and_what_was_said() {
    let (out, _) = run(&["show", "--scenario", "single-job"], 0);
    for part in ["what was wrong", "[\"stalled\"]", "stalled-redis-default-20260302T", "B2+B3+B5"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn what_there_is_not_is_said() {
    let (_, err) = run(&["show", "--scenario", "nonesuch"], 2);
    assert!(err.contains("there is no scenario nonesuch"), "{err}");
    let (_, err) = run(&["table", "--format", "yaml"], 2);
    assert!(err.contains("expected one of json, verbose, text, bracket"), "{err}");
    let (out, _) = run(&["scenarios"], 0);
    assert!(out.lines().count() > 25, "{out}");
}

//! `queuewatch watch` and whom it tells over the network: real servers on this machine, and what they were sent.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a command that does not run must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/tls.rs"]
mod tls;
#[path = "support/watched.rs"]
#[expect(dead_code, reason = "its other half is for the files that are watched")]
mod watched;

use std::process::Command;

use serde_json::Value;
use watched::{Folder, Watched, enqueue, posted, server, success};

/// The root that signed the certificate of [`tls::server`].
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/root.pem");

#[test]
fn an_https_webhook_is_called_where_its_certificate_is_signed_by_a_root_of_this_machine() {
    let folder = Folder::new("https");
    let (url, bodies) = tls::server(2);
    folder.append("q.toml", format!("[notify]\nwebhook = \"{url}\"\n"));
    folder.append("app.log", enqueue(1));
    let arguments = ["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"];
    let mut watch = Watched::with(&folder, &arguments, &[("SSL_CERT_FILE", ROOT)]);
    let firing: Value = serde_json::from_str(&posted(&bodies)).unwrap();
    assert_eq!(firing["notification"]["state"], "firing");
    folder.append("app.log", success(1));
    watch.prints("OK app redis:default");
    let resolved: Value = serde_json::from_str(&posted(&bodies)).unwrap();
    assert_eq!(resolved["notification"]["state"], "resolved");
    let ended = watch.stop();
    assert!(!ended.said.iter().any(|line| line.contains("not delivered")), "{:?}", ended.said);
}

#[test]
fn slack_teams_and_pagerduty_get_their_own_shapes_and_the_webhook_its_own() {
    let folder = Folder::new("shapes");
    let (slack, blocks) = server(&[200, 200, 200]);
    let (teams, cards) = server(&[202, 202, 202]);
    let (pager, events) = server(&[202, 202, 202]);
    let key = "0123456789abcdef0123456789abcdef";
    let pager = format!("{{ routing_key = \"{key}\", url = \"{pager}\" }}");
    folder.append(
        "q.toml",
        format!("[notify]\nslack = \"{slack}\"\nteams = \"{teams}\"\npagerduty = {pager}\n"),
    );
    folder.append("app.log", enqueue(1));
    let mut watch = Watched::of(&folder, &["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"]);
    let next = |bodies| serde_json::from_str::<Value>(&posted(bodies)).unwrap();
    let trigger = next(&events);
    assert_eq!((&trigger["event_action"], &trigger["routing_key"]), (&"trigger".into(), &key.into()));
    assert!(next(&blocks)["blocks"][0]["text"]["text"].as_str().unwrap().starts_with("🚨 "));
    let card = &next(&cards)["attachments"][0]["content"];
    assert_eq!(card["type"], "AdaptiveCard");
    let answer = ["answer", "stalled", "seen", "--by", "anna"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
    assert!(command.args(answer).current_dir(folder.path("")).output().unwrap().status.success());
    watch.says("is seen by anna");
    let acknowledge = next(&events);
    assert_eq!(acknowledge["event_action"], "acknowledge");
    folder.append("app.log", success(1));
    let resolve = next(&events);
    assert_eq!(resolve["event_action"], "resolve");
    assert!(trigger["dedup_key"] == resolve["dedup_key"] && trigger["dedup_key"] == acknowledge["dedup_key"]);
    watch.stop();
    let journal = std::fs::read_to_string(folder.path(".queuewatch/journal.jsonl")).unwrap();
    assert!(!journal.contains(key), "what waits holds no secret");
}

#[test]
fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let folder = Folder::new("https-stranger");
    let (url, bodies) = tls::server(1);
    folder.append("q.toml", format!("[notify]\nwebhook = \"{url}\"\n"));
    folder.append("app.log", enqueue(1));
    let arguments = ["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"];
    // A root of this machine, and not the one that signed: the server's own certificate.
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/server.pem");
    let mut watch = Watched::with(
        &folder,
        &arguments,
        &[("SSL_CERT_FILE", other), ("SSL_CERT_DIR", "/nonexistent/roots")],
    );
    let said = watch.says("is not delivered and will be tried again: the webhook did not take it");
    assert!(said.contains("certificate") && !said.contains(&url), "{said}");
    assert!(bodies.try_recv().is_err());
}

#[test]
fn without_any_root_it_is_said_at_the_start_and_alarms_are_still_printed() {
    let folder = Folder::new("https-no-roots");
    folder.append("q.toml", "[notify]\nwebhook = \"https://127.0.0.1:9/x\"\n");
    folder.append("app.log", enqueue(1));
    let arguments = ["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"];
    let mut watch = Watched::with(&folder, &arguments, &NO_ROOTS);
    let said = watch.says("[notify]: no root certificate is found");
    assert!(said.contains("SSL_CERT_FILE") && said.contains("/nonexistent/roots.pem"), "{said}");
    watch.prints("ALARM app redis:default: no job started for ");
    watch.says("is not delivered and will be tried again: no root certificate");
}

#[test]
fn whoever_waits_for_a_heartbeat_is_called_after_a_sweep_and_not_while_an_alarm_cannot_be_said() {
    let folder = Folder::new("heartbeat");
    let (url, calls) = server(&[200]);
    folder.append("q.toml", format!("[notify]\nheartbeat = \"{url}\"\n"));
    folder.append("app.log", "");
    let mut watch = Watched::of(&folder, &["--config", "q.toml", "--grace", "1s", "app.log"]);
    assert_eq!(posted(&calls), "", "a GET");
    watch.says("watching");
    assert_eq!(watch.stop().status, 0);
    // A command that fails: nobody hears of the stall, and whoever waits for the heartbeat will.
    let (url, calls) = server(&[200]);
    folder.append("mute.toml", format!("[notify]\ncommand = [\"false\"]\nheartbeat = \"{url}\"\n"));
    folder.append("stalled.log", enqueue(1));
    let arguments = ["--no-state", "--config", "mute.toml", "--from-start", "--grace", "1s", "stalled.log"];
    let mut watch = Watched::of(&folder, &arguments);
    for _ in 0..3 {
        watch.says("the command `false` failed");
    }
    assert!(calls.try_recv().is_err(), "it is not called");
}

#[test]
fn a_heartbeat_that_goes_nowhere_is_said_once_and_holds_up_nothing() {
    let folder = Folder::new("heartbeat-lost");
    folder.append("q.toml", "[notify]\nheartbeat = \"http://127.0.0.1:9/secret\"\n");
    folder.append("app.log", enqueue(1));
    let mut watch = Watched::of(&folder, &["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"]);
    let said = watch.says("the heartbeat's address was not reached");
    assert!(!said.contains("secret"), "{said}");
    watch.prints("ALARM app redis:default: no job started for ");
    let ended = watch.stop();
    assert_eq!(ended.said.iter().filter(|line| line.contains("not reached")).count(), 1, "{:?}", ended.said);
}

/// A machine without root certificates.
const NO_ROOTS: [(&str, &str); 2] =
    [("SSL_CERT_FILE", "/nonexistent/roots.pem"), ("SSL_CERT_DIR", "/nonexistent/roots")];

/// What `check` and `watch` make of one file: refused by one, refused by the other, in the same words.
#[track_caller]
fn check(folder: &Folder, text: &str) {
    std::fs::write(folder.path("q.toml"), text).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
        let output = command.args(arguments).current_dir(folder.path("")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (checked, said) = run(&["check", "q.toml"]);
    let (watched, heard) = run(&["watch", "--no-state", "--config", "q.toml", "-"]);
    assert_eq!(checked, watched, "{text}\n{said}\n{heard}");
    if checked != Some(0) {
        assert_eq!(said, heard, "{text}");
    }
}

#[test]
fn check_refuses_what_watch_refuses() {
    let folder = Folder::new("check");
    for text in [
        "",
        "[notify]\nwebhook = \"https://chat.example/x\"\n",
        "[notify]\nwebhook = \"http://127.0.0.1:9/x\"\n",
        "[notify]\nslack = \"https://hooks.slack.com/services/T/B/x\"\n",
        "[notify]\npagerduty = { routing_key = \"short\" }\n",
        "[notify]\npagerduty = { routing_key = \"0123456789abcdef0123456789abcdef\", warnings = true }\n",
        "[notify]\nheartbeat = \"https://hc-ping.com/x\"\n",
        "[notify]\nwebhook = \"ftp://chat.example/x\"\n",
        "[notify]\nwebhook = \"https://chat example/x\"\n",
        "[notify]\ncommand = []\n",
        "[notify]\n",
        "[stall]\ngrace = 5\n",
        "timezone = \"Mars/Base\"\n",
        "[[rule]]\nname = \"a\"\nstage = \"enqueued\"\npattern = \"(\"\n",
        "[[rule]]\nname = \"a\"\nstage = \"enqueued\"\npattern = \"x\"\nexample = \"y\"\n",
    ] {
        check(&folder, text);
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_named() {
    let folder = Folder::new("unmatched");
    folder.append("here/app.txt", "");
    let mut watch = Watched::of(&folder, &["/nonexist/*.log", "here/*.log", "here/*.txt"]);
    watch.says("watching here/app.txt");
    watch.says("/nonexist/*.log matches nothing: there is no folder /nonexist yet");
    watch.says("here/*.log matches no file yet: waiting for one");
    folder.append("here/app.log", enqueue(1));
    let ended = watch.stop();
    assert!(!ended.said.iter().any(|line| line.contains("*.txt")), "{:?}", ended.said);
}

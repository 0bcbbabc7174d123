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
use watched::{Folder, Watched, enqueue, posted, success};

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
    let said = watch.says("notify.webhook: no root certificate is found");
    assert!(said.contains("SSL_CERT_FILE") && said.contains("/nonexistent/roots.pem"), "{said}");
    watch.prints("ALARM app redis:default: no job started for ");
    watch.says("is not delivered and will be tried again: the webhook cannot be called: no root certificate");
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

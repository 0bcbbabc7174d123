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

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use queuewatch::adapters::openmetrics::Series;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::metric::{Datum, Dimensions, Metric};
use queuewatch::ports::MetricSink;
use regex::Regex;
use serde_json::Value;
use watched::{Folder, Watched, enqueue, posted, server, start, success};

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

/// What a scraper gets.
fn scraped(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    body.to_owned()
}

/// The samples of an exposition, each checked against the family that it stands in.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let line = Regex::new(
        r#"^([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? (-?[0-9.]+)$"#,
    )
    .unwrap();
    let (mut family, mut kind, mut seen) = (String::new(), String::new(), BTreeMap::new());
    let mut families = Vec::new();
    let body = text.strip_suffix("# EOF\n").unwrap();
    for text in body.lines() {
        if let Some(head) = text.strip_prefix("# TYPE ") {
            let (name, of) = head.split_once(' ').unwrap();
            (family, kind) = (name.to_owned(), of.to_owned());
            assert!(!families.contains(&family), "a family stands in one place: {family}");
            families.push(family.clone());
        } else if let Some(head) = text.strip_prefix("# UNIT ").or(text.strip_prefix("# HELP ")) {
            assert!(head.starts_with(&format!("{family} ")), "{text}");
        } else {
            let sample = line.captures(text).unwrap_or_else(|| panic!("no sample: {text}"));
            let suffix =
                sample[1].strip_prefix(&family).unwrap_or_else(|| panic!("{text} is not of {family}"));
            let suffixes: &[&str] = match kind.as_str() {
                "gauge" => &[""],
                "counter" => &["_total"],
                "summary" => &["_count", "_sum"],
                _ => &[],
            };
            assert!(suffixes.contains(&suffix), "{text}: {kind}");
            let labels = sample.get(2).map_or("", |labels| labels.as_str());
            let is_new = seen.insert(format!("{}{labels}", &sample[1]), sample[3].parse().unwrap()).is_none();
            assert!(is_new, "twice: {text}");
        }
    }
    seen
}

#[test]
fn a_scraper_reads_what_is_known_and_the_dashboard_asks_for_nothing_else() {
    let folder = Folder::new("metrics");
    folder.append("app.log", "");
    let arguments = ["--grace", "1s", "--metrics", "0", "app.log"];
    let mut watch = Watched::of(&folder, &arguments);
    let said = watch.says("metrics at http://127.0.0.1:");
    let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    // A file is read from the end that it has at the first look, and a page is published after that.
    for _ in 0..100 {
        if samples(&scraped(&address)).contains_key("queuewatch_last_sweep_timestamp_seconds") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    // Lines that come now are jobs of now: those of long ago are forgotten again.
    folder.append("app.log", [enqueue(1), start(1), success(1), enqueue(2)].concat());
    watch.prints("ALARM app redis:default: no job started for ");
    // The page is renewed at the end of the sweep that printed it.
    let mut read = samples(&scraped(&address));
    for _ in 0..50 {
        if read.get("queuewatch_stalled_queues{app=\"app\"}") == Some(&1.0) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        read = samples(&scraped(&address));
    }
    for (name, value) in [
        ("queuewatch_stalled_queues{app=\"app\"}", 1.0),
        ("queuewatch_pending{app=\"app\"}", 1.0),
        ("queuewatch_queue_pending{app=\"app\",queue=\"default\"}", 1.0),
        ("queuewatch_queue_enqueued_total{app=\"app\",queue=\"default\"}", 2.0),
        ("queuewatch_enqueued_total{app=\"app\"}", 2.0),
        ("queuewatch_processed_total{app=\"app\"}", 1.0),
        ("queuewatch_wait_seconds_count{app=\"app\"}", 1.0),
    ] {
        assert_eq!(read.get(name), Some(&value), "{name}: {read:#?}");
    }
    assert!(read["queuewatch_last_sweep_timestamp_seconds"] > 1.7e9);
    let taken = Watched::of(&folder, &["--no-state", "--metrics", &address, "app.log"]).ended();
    assert_eq!(taken.status, 2);
    assert!(
        taken.said.iter().any(|line| line.contains(&format!("--metrics: cannot listen at {address}"))),
        "{:?}",
        taken.said
    );
    watch.stop();
}

#[test]
fn the_dashboard_and_the_page_about_it_name_metrics_that_there_are() {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let dashboard = std::fs::read_to_string(documents.join("grafana.json")).unwrap();
    let parsed: Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() >= 8);
    let mut series = Series::default();
    let data = METRICS.iter().flat_map(|metric| {
        let datum =
            |dimensions| Datum { metric: *metric, dimensions, at: Timestamp::MIN, values: [(1, 1)].into() };
        [datum(Dimensions::App), datum(Dimensions::Queue("default".into()))]
    });
    watched::settled(series.put("app", data.collect(), Timestamp::MIN)).unwrap();
    let names: BTreeSet<String> =
        samples(&series.text()).into_keys().map(|name| name.split('{').next().unwrap().to_owned()).collect();
    let named = Regex::new("queuewatch_[a-z_]+").unwrap();
    let asked: BTreeSet<&str> = named.find_iter(&dashboard).map(|name| name.as_str()).collect();
    assert!(asked.len() >= 15, "{asked:?}");
    for name in asked {
        assert!(names.contains(name), "the dashboard asks for {name}");
    }
}

/// What a watch counts and measures.
const METRICS: [Metric; 18] = [
    Metric::Enqueued,
    Metric::Processing,
    Metric::Processed,
    Metric::Failed,
    Metric::Released,
    Metric::EnqueueErrors,
    Metric::QueueWait,
    Metric::JobDuration,
    Metric::Pending,
    Metric::OldestPendingAge,
    Metric::Overdue,
    Metric::Running,
    Metric::StalledQueues,
    Metric::WorkersAlive,
    Metric::LinesRead,
    Metric::LinesClassified,
    Metric::LateLines,
    Metric::SweepHeartbeat,
];

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

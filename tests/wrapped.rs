//! The same lines in another dress: whatever stands around them, however they are cut into payloads, and in whichever
//! form a logger writes an enqueue, a replay must come to the same verdict.
//!
//! A dress is a row of [`DRESSES`] or of [`FORMATTERS`]; what is dressed are captures of every version, with errors,
//! traces and dead workers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a capture that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "what really happened to the jobs is held by `captures.rs`")]
mod corpus;
#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeMap;

use corpus::{Capture, captures};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use serde_json::{Value, json};

/// Short enough for captures of a minute.
const GRACE_MS: i64 = 5_000;

/// One of each form, and of each kind of trouble.
const CAPTURES: [&str; 8] = [
    "8.83.26/b2-killed",
    "8.83.26/d-redis-lost",
    "9.52.22/e-retries",
    "11.56.0/e-retries-verbose",
    "12.67.0/a-healthy-ansi",
    "12.67.0/d-redis-lost-predis",
    "12.67.0/e-retries-json",
    "13.26.1/a-healthy-verbose",
];

/// A line at a moment, and what comes of it.
type Dress = fn(i64, &str) -> String;

/// What stands around lines.
const DRESSES: &[(&str, Dress)] = &[
    ("carriage returns", |_, line| format!("{line}\r")),
    ("colours", |_, line| format!("\u{1b}[32m{line}\u{1b}[0m")),
    ("a container runtime's time", |ms, line| format!("{} stdout F {line}", iso(ms, 9))),
    ("a container runtime's time, and compose's name", |ms, line| {
        format!("{} stdout F worker-1  | {line}", iso(ms, 9))
    }),
    ("docker logs --timestamps", |ms, line| format!("{} {line}", iso(ms, 9))),
    ("docker compose", |_, line| format!("worker-1  | {line}")),
    ("Foreman", |ms, line| format!("{} worker.1  | {line}", clock(ms))),
    ("supervisor-stdout", |_, line| format!("worker_00 stdout | {line}")),
    ("a label in brackets", |_, line| format!("[queue] {line}")),
    ("a program's name", |_, line| format!("worker: {line}")),
    ("a pod's name", |_, line| format!("[pod/worker-6c9f-abc/app] {line}")),
    ("syslog", |ms, line| format!("Nov 23 {} ip-10-0-0-1 worker[1234]: {line}", clock(ms))),
    ("syslog's protocol", |ms, line| format!("<14>1 {} web-1 worker 1234 - - {line}", iso(ms, 3))),
    ("Heroku", |ms, line| format!("{} app[worker.1]: {line}", iso(ms, 6).replace('Z', "+00:00"))),
    ("docker's file", |ms, line| {
        json!({"log": format!("{line}\n"), "stream": "stdout", "time": iso(ms, 9)}).to_string()
    }),
    ("FireLens", |_, line| {
        json!({"container_name": "worker", "ecs_cluster": "prod", "log": line, "source": "stdout"})
            .to_string()
    }),
    ("EKS", |ms, line| {
        json!({"log": format!("{} stdout F {line}", iso(ms, 9)), "kubernetes": {"pod_name": "w-1"}})
            .to_string()
    }),
    ("the journal", |_, line| json!({"_HOSTNAME": "web-1", "_PID": "70", "MESSAGE": line}).to_string()),
    ("the journal's numbers", |_, line| {
        json!({"_PID": "70", "MESSAGE": format!("\u{1b}[90m{line}").into_bytes()}).to_string()
    }),
    ("OpenTelemetry", |ms, line| {
        json!({"timeUnixNano": format!("{ms}000000"), "severityText": "", "body": {"stringValue": line}, "attributes": []}).to_string()
    }),
    ("Vector", |ms, line| {
        json!({"host": "ip-10", "message": line, "source_type": "docker_logs", "timestamp": iso(ms, 9)})
            .to_string()
    }),
    ("Filebeat", |ms, line| {
        json!({"@timestamp": iso(ms, 3), "message": line, "log": {"offset": 12}, "agent": {"type": "filebeat"}}).to_string()
    }),
    ("Fluent Bit", |ms, line| json!({"date": ms, "log": line}).to_string()),
    ("Fluent Bit's array", |ms, line| json!([{"date": ms, "log": line}]).to_string()),
    ("Loki", |ms, line| {
        json!({"streams": [{"stream": {"app": "w"}, "values": [[format!("{ms}000000"), line]]}]}).to_string()
    }),
    ("Promtail", |ms, line| {
        json!({"line": line, "timestamp": iso(ms, 9), "labels": {"job": "worker"}}).to_string()
    }),
    ("Datadog", |ms, line| {
        json!({"timestamp": ms, "status": "info", "service": "worker", "ddsource": "php", "message": line})
            .to_string()
    }),
    ("Splunk", |ms, line| {
        json!({"event": line, "sourcetype": "httpevent", "host": "web-1", "time": ms}).to_string()
    }),
    ("Docker's GELF", |ms, line| {
        json!({"version": "1.1", "host": "w", "short_message": line, "level": 6, "timestamp": ms, "_container_name": "worker"}).to_string()
    }),
    ("PM2", |ms, line| {
        json!({"message": format!("{line}\n"), "timestamp": iso(ms, 3), "process_id": 0, "app_name": "worker"}).to_string()
    }),
    ("Google Cloud", |_, line| {
        json!({"insertId": "1x", "textPayload": line, "resource": {"type": "k8s_container"}}).to_string()
    }),
    ("Azure", |_, line| {
        json!({"LogMessage": line, "LogSource": "stdout", "PodName": "worker-1"}).to_string()
    }),
    ("Lambda's telemetry", |ms, line| {
        json!({"time": iso(ms, 3), "type": "function", "record": line}).to_string()
    }),
];

/// How loggers write a record: level, message and context.
type Formatter = fn(i64, &str, Value) -> String;

/// Formats of an enqueue.
const FORMATTERS: &[(&str, Formatter)] = &[
    ("a line without a channel", |ms, message, context| format!("[{}] INFO: {message} {context}", stamp(ms))),
    ("a line without brackets", |ms, message, context| {
        format!("{} shop.INFO: {message} {context} []", stamp(ms))
    }),
    ("a line with a request", |ms, message, context| {
        format!("[{}][9f2c] shop.INFO: {message} {context} []", stamp(ms))
    }),
    ("syslog's channel", |_, message, context| format!("shop.INFO: {message} {context} []")),
    ("JSON", |ms, message, context| {
        json!({"message": message, "context": context, "level": 200, "level_name": "INFO", "channel": "shop", "datetime": iso(ms, 6)}).to_string()
    }),
    ("Logstash", |ms, message, context| {
        json!({"@timestamp": iso(ms, 6), "@version": 1, "host": "w", "message": message, "channel": "shop", "level": "INFO", "context": context}).to_string()
    }),
    ("GELF", |_, message, context| {
        let mut record = json!({"version": "1.1", "short_message": message, "level": 6, "_channel": "shop"});
        for (key, value) in context.as_object().unwrap() {
            record.as_object_mut().unwrap().insert(format!("_ctxt_{key}"), value.clone());
        }
        record.to_string()
    }),
    ("Elastic", |ms, message, context| {
        json!({"@timestamp": iso(ms, 6), "log.level": "INFO", "message": message, "labels": context})
            .to_string()
    }),
    ("Google Cloud", |ms, message, context| {
        json!({"severity": "INFO", "message": message, "context": context, "time": iso(ms, 6)}).to_string()
    }),
    ("Fluentd", |ms, message, context| {
        json!(["shop.info", ms, {"message": message, "context": context, "level_name": "INFO"}]).to_string()
    }),
    ("Bref", |_, message, context| {
        format!("INFO\t{message}\t{}", json!({"message": message, "level": "INFO", "context": context}))
    }),
    ("a context as text", |_, message, context| {
        json!({"level": "INFO", "message": message, "context": context.to_string()}).to_string()
    }),
    ("a context in the message", |_, message, context| {
        json!({"level": "INFO", "message": format!("{message} {context}")}).to_string()
    }),
];

/// `2026-11-23T16:49:31.123000000Z`, with so many digits behind the point.
fn iso(ms: i64, digits: usize) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap();
    format!("{}{}Z", at.strftime("%Y-%m-%dT%H:%M:%S%.3f"), "0".repeat(digits.saturating_sub(3)))
}

fn stamp(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn clock(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().strftime("%H:%M:%S").to_string()
}

/// A capture's streams, dressed.
fn dressed(capture: &Capture, dress: impl Fn(i64, &str) -> String) -> [Vec<(i64, String)>; 2] {
    [&capture.app, &capture.worker].map(|lines| {
        let lines = lines.iter().filter(|(_, line)| !line.is_empty());
        lines.map(|(ms, line)| (*ms, dress(*ms, line))).collect()
    })
}

/// What a replay says: lines counted and where each job ends; and each incident with its cause.
fn verdict([app, worker]: &[Vec<(i64, String)>; 2], batch_ms: i64, copies: usize) -> [String; 2] {
    let events = [
        wire::events("/ecs/app", "ecs/app/1", app, batch_ms),
        wire::events("/ecs/worker", "ecs/worker/1", worker, batch_ms),
    ]
    .concat();
    let events: Vec<String> =
        events.into_iter().flat_map(|event| std::iter::repeat_n(event, copies)).collect();
    let settings = wire::settings(Policy::default().with_grace(GRACE_MS));
    let report = wire::report(wire::inputs(&events, &Classifier::default()), &settings);
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for job in report["jobs"].as_array().unwrap() {
        let count = states.entry(format!("{} {}", job["class"], job["state"])).or_default();
        *count = count.saturating_add(1);
    }
    let incidents = report["incidents"].as_array().unwrap().iter();
    let incidents: Vec<String> =
        incidents.map(|it| format!("{} {} {}", it["id"], it["severity"], it["diagnosis"]["cause"])).collect();
    [format!("{} {states:?}", report["counts"]), format!("{incidents:?}")]
}

fn chosen() -> Vec<Capture> {
    let chosen: Vec<Capture> =
        captures().into_iter().filter(|capture| CAPTURES.contains(&capture.name.as_str())).collect();
    assert_eq!(chosen.len(), CAPTURES.len());
    chosen
}

#[track_caller]
fn check(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} dresses change the verdict:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn whatever_stands_around_lines_the_verdict_is_the_same() {
    let mut wrong = Vec::new();
    for capture in chosen() {
        let plain = verdict(&dressed(&capture, |_, line| line.to_owned()), 5_000, 1);
        for (name, dress) in DRESSES {
            let got = verdict(&dressed(&capture, dress), 5_000, 1);
            if got != plain {
                wrong.push(format!("{} in {name}:\n  {got:?}\n  {plain:?}", capture.name));
            }
        }
    }
    check(&wrong);
}

#[test]
fn however_an_enqueue_is_written_the_verdict_is_the_same() {
    let mut wrong = Vec::new();
    for capture in chosen() {
        let plain = verdict(&dressed(&capture, |_, line| line.to_owned()), 5_000, 1);
        for (name, formatter) in FORMATTERS {
            let rewrite = |ms: i64, line: &str| {
                let body =
                    line.split_once("production.INFO: Job queued {").map(|(_, context)| context.trim());
                let context = body.and_then(|body| serde_json::from_str(&format!("{{{body}")).ok());
                context.map_or_else(|| line.to_owned(), |context| formatter(ms, "Job queued", context))
            };
            let rewritten = dressed(&capture, rewrite);
            assert!(
                rewritten.iter().flatten().any(|(_, line)| line.contains("Job queued")),
                "{}",
                capture.name
            );
            let got = verdict(&rewritten, 5_000, 1);
            if got != plain {
                wrong.push(format!("{} by {name}:\n  {got:?}\n  {plain:?}", capture.name));
            }
        }
    }
    check(&wrong);
}

#[test]
fn however_lines_are_delivered_the_verdict_is_the_same() {
    let mut wrong = Vec::new();
    for capture in chosen() {
        let lines = dressed(&capture, |_, line| line.to_owned());
        let plain = verdict(&lines, 5_000, 1);
        let twice = verdict(&lines, 5_000, 2);
        if twice != plain {
            wrong.push(format!("{} twice:\n  {twice:?}\n  {plain:?}", capture.name));
        }
        // What comes sooner may be told of sooner: with so short a grace, incidents may differ, and jobs never.
        for (name, batch_ms) in [("small", 200), ("big", 10_000)] {
            let [got, _] = verdict(&lines, batch_ms, 1);
            if got != plain[0] {
                wrong.push(format!("{} in {name} payloads:\n  {got}\n  {}", capture.name, plain[0]));
            }
        }
    }
    check(&wrong);
}

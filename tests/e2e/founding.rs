//! The incident that queuewatch was made for, put line by line into CloudWatch Logs.

use std::collections::BTreeSet;
use std::path::Path;

use queuewatch::config::Config;
use serde_json::Value;

use crate::servers::{Servers, Tables};
use crate::wire;
use crate::world::World;

const LOG_GROUP: &str = "/ecs/myteacher-production";
const INCIDENT: &str = "stalled-redis-default-20251206T1237Z";
const JOBS_COUNT: f64 = 7.0;
const MINUTE_MS: i64 = 60_000;

/// A line, as `events/lines.txt` has it.
struct Line {
    at_ms: i64,
    log_stream: String,
    text: String,
}

fn story() -> Vec<Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/lines.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Line> = text
        .lines()
        .map(|line| {
            let mut columns = line.splitn(4, '\t');
            let at: jiff::Timestamp = columns.next().unwrap().parse().unwrap();
            assert_eq!(columns.next(), Some(LOG_GROUP));
            let log_stream = columns.next().unwrap().to_owned();
            Line { at_ms: at.as_millisecond(), log_stream, text: columns.next().unwrap().to_owned() }
        })
        .collect();
    lines.sort_by_key(|line| line.at_ms);
    lines
}

/// Feeds lines one by one, with every minute's tick between them, and keeps the payloads.
fn play(world: &mut World<'_>, lines: &[Line], payloads: &mut Vec<String>) {
    for line in lines {
        while world.now_ms.div_euclid(MINUTE_MS) < line.at_ms.div_euclid(MINUTE_MS) {
            world.sweep();
        }
        world.set_clock(line.at_ms);
        for event in world.put(&line.log_stream, &[(line.at_ms, &line.text)]) {
            world.deliver(&event);
            payloads.push(event.to_string());
        }
    }
}

/// The jobs' enqueue lines name ids; a worker that is heard prints one start and one end for each.
fn worker_lines(lines: &[Line], from_ms: i64) -> Vec<Line> {
    let enqueued = lines.iter().filter(|line| line.text.contains("Job queued"));
    let stream = lines.last().unwrap().log_stream.clone();
    let mut out = Vec::new();
    for (n, _) in (0_i64..).zip(enqueued) {
        for (part, what) in [(0, "RUNNING"), (1, "DONE")] {
            let at_ms = from_ms + n * 4_000 + part * 1_500;
            let at: jiff::Timestamp = jiff::Timestamp::from_millisecond(at_ms).unwrap();
            let stamp = at.strftime("%Y-%m-%d %H:%M:%S");
            let took = if part == 1 { " 1.50s" } else { "" };
            let text = format!("  {stamp} App\\Jobs\\GenerateAvatarImagesJob ......{took} {what}");
            out.push(Line { at_ms, log_stream: stream.clone(), text });
        }
    }
    out
}

#[test]
fn the_founding_incident_on_moto() {
    the_founding_incident(Tables::Moto);
}

#[test]
fn the_founding_incident_on_dynalite() {
    the_founding_incident(Tables::Dynalite);
}

#[track_caller]
fn the_founding_incident(tables: Tables) {
    let servers = Servers::start(tables);
    let lines = story();
    let mut world = World::new(&servers, "app", LOG_GROUP, lines[0].at_ms);
    let mut payloads = Vec::new();
    play(&mut world, &lines, &mut payloads);
    world.sweep();

    let firing: Vec<_> = world.messages().into_iter().filter(|it| it.incident == INCIDENT).collect();
    let per_topic = |topic: &str| firing.iter().filter(|it| it.topic == topic).count();
    assert_eq!((per_topic("email"), per_topic("chat")), (1, 1), "{firing:#?}");
    let stalled = world.metric("StalledQueues", None);
    assert_eq!(stalled.last().unwrap().1, 1.0, "the alarm on StalledQueues ≥ 1 would be up");
    assert_eq!(world.metric("Overdue", Some("default")).last().unwrap().1, JOBS_COUNT);
    let report = replayed(&payloads);
    assert_eq!(open_incidents(&report), BTreeSet::from([INCIDENT.to_owned()]));
    for name in ["Enqueued", "Processing", "Processed", "Failed", "Released"] {
        assert_eq!(world.sum(name), replayed_sum(&report, name), "{name}");
    }

    let late = worker_lines(&lines, world.now_ms + 5_000);
    assert_eq!(late.len(), 14);
    play(&mut world, &late, &mut payloads);
    (0..2).for_each(|_| world.sweep());
    let resolved: Vec<_> = world.messages().into_iter().filter(|it| it.incident == INCIDENT).collect();
    assert_eq!(resolved.len(), 2, "{resolved:#?}");
    assert_eq!(world.metric("StalledQueues", None).last().unwrap().1, 0.0);
    assert_eq!(world.metric("Pending", Some("default")).last().unwrap().1, 0.0);
    let report = replayed(&payloads);
    assert_eq!(open_incidents(&report), BTreeSet::new());
    for name in ["Enqueued", "Processing", "Processed", "Failed", "Released"] {
        assert_eq!(world.sum(name), replayed_sum(&report, name), "{name}");
    }
}

fn replayed(payloads: &[String]) -> Value {
    let config = Config::default();
    let mut settings = wire::settings(config.policy().clone());
    settings.settle_ms = 2 * MINUTE_MS;
    wire::report(wire::inputs(payloads, &config.classifier().unwrap()), &settings)
}

fn open_incidents(report: &Value) -> BTreeSet<String> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    incidents
        .filter(|it| it["resolved_at"].is_null())
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

fn replayed_sum(report: &Value, name: &str) -> f64 {
    let rows = report["metrics"].as_array().unwrap().iter();
    let of_app = rows.filter(|row| row["name"] == name && row["dimensions"].get("Queue").is_none());
    of_app.map(|row| row["sum"].as_f64().unwrap()).sum()
}

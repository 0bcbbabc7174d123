//! The incident that queuewatch was made for, put line by line into CloudWatch Logs: it ends as replay says it does.

use std::collections::BTreeMap;
use std::path::Path;

use queuewatch::config::Config;
use queuewatch::domain::model::policy::{Aws, Policy};
use regex::Regex;
use serde_json::{Value, json};

use crate::kept::{same, without_words};
use crate::servers::{Servers, Tables};
use crate::wire;
use crate::world::World;

const LOG_GROUP: &str = "/ecs/myteacher-production";
/// Of the local servers.
const REGION: &str = "us-east-1";
const INCIDENT: &str = "stalled-redis-default-20251206T1237Z";
const JOBS_COUNT: usize = 7;
const MINUTE_MS: i64 = 60_000;
/// How late an id-less line may come and still be matched exactly.
const COUNTING_HORIZON_MS: i64 = 120 * MINUTE_MS;

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
            let took = if part == 1 { " 1s" } else { "" };
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
    let report = replayed(&world, &payloads);
    let mut mail = follow(&mut world, &report);
    assert_eq!(open_incidents(&report), [INCIDENT]);
    assert_eq!(states(&report), BTreeMap::from([("pending".to_owned(), JOBS_COUNT)]));
    assert_eq!(mail.keys().map(|(topic, _)| *topic).collect::<Vec<_>>(), ["chat", "email"]);
    assert_eq!(world.gauge("StalledQueues", None), 1.0);
    assert_eq!(world.gauge("Overdue", Some("default")), JOBS_COUNT as f64);
    assert!(rings(&world, "StalledQueuesAlarm", "StalledQueues"));

    let late = worker_lines(&lines, world.now_ms + 5_000);
    assert_eq!(late.len(), 14);
    play(&mut world, &late, &mut payloads);
    let report = replayed(&world, &payloads);
    mail.extend(follow(&mut world, &report));
    assert_eq!(open_incidents(&report), [""; 0]);
    assert_eq!(states(&report), BTreeMap::from([("processed".to_owned(), JOBS_COUNT)]));
    let topics = |topic: &str| mail.keys().filter(|(it, _)| *it == topic).count();
    assert_eq!((topics("email"), topics("chat")), (2, 2), "one page and one recovery for each topic");
    assert_eq!(world.gauge("StalledQueues", None), 0.0);
    assert_eq!(world.gauge("Pending", Some("default")), 0.0);
    (0..3).for_each(|_| world.sweep());
    assert!(!rings(&world, "StalledQueuesAlarm", "StalledQueues"));
    // Jobs that were matched by counting are asked for until no line can come that would match them otherwise.
    world.set_clock(world.now_ms + COUNTING_HORIZON_MS);
    (0..2).for_each(|_| world.sweep());
    let held = world.held();
    assert_eq!(held.indexed, 0);
    assert!(held.jobs.as_array().unwrap().iter().all(|job| job["state"] == "processed"));
}

/// Sweeps until where the replay ends, and holds everything that can be seen from outside against it: every job, every
/// incident, every counter of every minute, every word that was sent. Answers the mails and chats of the incident.
#[track_caller]
fn follow(world: &mut World<'_>, report: &Value) -> BTreeMap<(&'static str, String), usize> {
    let ends_at: jiff::Timestamp = report["ends_at"].as_str().unwrap().parse().unwrap();
    while world.now_ms < ends_at.as_millisecond() {
        world.sweep();
    }
    assert_eq!(world.now_ms, ends_at.as_millisecond(), "replay ends at a tick that was");
    let held = world.held();
    same(&held.jobs, &report["jobs"]);
    same(&held.incidents, &without_words(&report["incidents"]));
    let incidents = report["incidents"].as_array().unwrap();
    let closed: Vec<&Value> = incidents.iter().filter(|it| !it["resolved_at"].is_null()).collect();
    // The history has the words of the recovery alone: what was said before it is not kept in between.
    same(&without_words(&held.history), &without_words(&json!(closed)));
    for (kept, closed) in held.history.as_array().unwrap().iter().zip(closed) {
        let last = |incident: &Value| incident["notifications"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last(kept), last(closed));
    }
    assert_eq!(counted(world), counters(report));

    let said: BTreeMap<&str, (&str, &str)> = incidents
        .iter()
        .flat_map(|incident| incident["notifications"].as_array().unwrap())
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap();
            (text("id"), (text("subject"), text("body")))
        })
        .collect();
    let mut arrived = BTreeMap::new();
    for message in world.messages().into_iter().filter(|it| it.incident == INCIDENT) {
        let words = (&*message.subject, &*message.body);
        assert!(message.topic == "chat" || said[&*message.notification] == words, "{words:?}");
        *arrived.entry((message.topic, message.notification)).or_default() += 1;
    }
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
    arrived
}

fn replayed(world: &World<'_>, payloads: &[String]) -> Value {
    let config = Config::default();
    // What the function reads from its environment, and its commands name.
    let aws =
        Aws { region: Some(REGION.into()), sweep_function: Some(world.function("sweep")), ..Aws::default() };
    let mut settings = wire::settings(Policy { aws, ..config.policy().clone() });
    settings.settle_ms = 2 * MINUTE_MS;
    settings.visits_every_minute = true;
    wire::report(wire::inputs(payloads, &config.classifier().unwrap()), &settings)
}

fn open_incidents(report: &Value) -> Vec<&str> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    incidents.filter(|it| it["resolved_at"].is_null()).map(|it| it["id"].as_str().unwrap()).collect()
}

fn states(report: &Value) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for job in report["jobs"].as_array().unwrap() {
        *states.entry(job["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    states
}

/// What is counted in the logs' own time; the rest tells of the deliveries, or of now.
const COUNTERS: [&str; 8] = [
    "Enqueued",
    "Processing",
    "Processed",
    "Failed",
    "Released",
    "EnqueueErrors",
    "QueueWait",
    "JobDuration",
];

/// The sum of each counter for each minute and set of dimensions.
type Sums = BTreeMap<String, f64>;

fn counters(report: &Value) -> Sums {
    let mut sums = Sums::new();
    for row in report["metrics"].as_array().unwrap() {
        let name = row["name"].as_str().unwrap();
        for minute in row["minutes"].as_array().unwrap() {
            let at: jiff::Timestamp = minute["at"].as_str().unwrap().parse().unwrap();
            let key = format!("{name} {} {}", row["dimensions"], at.as_millisecond());
            if COUNTERS.contains(&name) {
                sums.insert(key, minute["sum"].as_f64().unwrap());
            }
        }
    }
    sums
}

fn counted(world: &World<'_>) -> Sums {
    let mut sums = Sums::new();
    for datum in world.data().into_iter().filter(|it| COUNTERS.contains(&&*it.name)) {
        let key = format!("{} {} {}", datum.name, json!(datum.dimensions), datum.at_ms);
        *sums.entry(key).or_default() += datum.value;
    }
    sums
}

/// Whether an alarm of the template would be up now: nothing that stands in for CloudWatch evaluates any.
fn rings(world: &World<'_>, alarm: &str, gauge: &str) -> bool {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let start = template.find(&format!("\n  {alarm}:\n")).expect("the template has the alarm");
    let setting = |name: &str| -> usize {
        let pattern = Regex::new(&format!(r"\n      {name}: (\d+)\n")).unwrap();
        pattern.captures_at(&template, start).expect(name)[1].parse().unwrap()
    };
    let (periods, least) = (setting("EvaluationPeriods"), setting("DatapointsToAlarm"));
    let values = world.metric(gauge, None);
    let recent = values.iter().rev().take(periods);
    recent.filter(|(_, value)| *value >= setting("Threshold") as f64).count() >= least
}

//! What the Laravel package and real workers wrote in versions from 9.52 to 13.26, of one app with every way to put a job
//! on a queue: each job must be met by its worker's lines.
//!
//! A capture is one version, driver and worker option: millisecond, stream and line, separated by tabs. The version that
//! Debian has runs live in `tests/laravel`.

#![expect(
    clippy::unwrap_used,
    reason = "a capture that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use serde_json::Value;

/// Short enough for captures of a few seconds.
const GRACE_MS: i64 = 1_000;

/// A capture's name, as `12.67.0/redis-json`, and its lines: the app's, the worker's, and both in their order.
struct Capture {
    name: String,
    app: Vec<(i64, String)>,
    worker: Vec<(i64, String)>,
    shared: Vec<(i64, String)>,
}

fn captures() -> Vec<Capture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/laravel-package");
    let mut captures = Vec::new();
    for version in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().with_extension("").to_str().unwrap().to_owned();
            let mut capture = Capture { name, app: Vec::new(), worker: Vec::new(), shared: Vec::new() };
            for row in fs::read_to_string(path).unwrap().lines() {
                let (ms, rest) = row.split_once('\t').unwrap();
                let (stream, line) = rest.split_once('\t').unwrap();
                let line = (ms.parse().unwrap(), line.to_owned());
                let own = if stream == "app" { &mut capture.app } else { &mut capture.worker };
                own.push(line.clone());
                capture.shared.push(line);
            }
            captures.push(capture);
        }
    }
    captures.sort_by(|one, other| one.name.cmp(&other.name));
    captures
}

impl Capture {
    fn driver(&self) -> &str {
        self.name.split(['/', '-']).nth(1).unwrap()
    }

    /// What replay says, with app and worker apart and in one stream.
    fn reports(&self) -> [Value; 2] {
        let apart = [
            wire::events("/ecs/app", "ecs/app/1", &self.app, 5_000),
            wire::events("/ecs/app", "ecs/worker/1", &self.worker, 5_000),
        ];
        let shared = wire::events("/ecs/app", "ecs/app/1", &self.shared, 5_000);
        [apart.concat(), shared].map(|events| {
            let settings = wire::settings(Policy::default().with_grace(GRACE_MS));
            wire::report(wire::inputs(&events, &Classifier::default()), &settings)
        })
    }
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or("")
}

#[test]
fn every_version_is_there() {
    let names: Vec<String> = captures().into_iter().map(|capture| capture.name).collect();
    let of = |driver: &str| names.iter().filter(|name| name.contains(driver)).count();
    assert_eq!((names.len(), of("redis"), of("database"), of("json")), (18, 9, 9, 6), "{names:?}");
}

#[test]
fn every_job_is_met_by_its_worker_in_every_version() {
    for capture in captures() {
        let is_redis = capture.driver() == "redis";
        let mut expected = BTreeMap::from([
            (r"App\Jobs\Batched", 3),
            (r"App\Jobs\Handler", 1),
            (r"App\Jobs\Plain", 6),
            (r"App\Jobs\Unique", 1),
            ("Closure (Dispatch.php:35)", 1),
        ]);
        if is_redis {
            expected.insert(r"App\Jobs\Released", 1);
        }
        for report in capture.reports() {
            let jobs = report["jobs"].as_array().unwrap();
            let mut classes = BTreeMap::new();
            for job in jobs {
                *classes.entry(text(job, "class")).or_default() += 1;
                assert_eq!(text(job, "state"), "processed", "{}: {job}", capture.name);
                assert!(job["id"].is_string() && job["uuid"].is_string(), "{}: {job}", capture.name);
            }
            assert_eq!(classes, expected, "{}", capture.name);
            let queues: BTreeSet<_> =
                jobs.iter().map(|job| (text(job, "connection"), text(job, "queue"))).collect();
            let driver = capture.driver();
            assert_eq!(queues, BTreeSet::from([(driver, "default"), (driver, "emails")]), "{}", capture.name);
            assert_eq!(report["incidents"], Value::Array(Vec::new()), "{}", capture.name);
            assert_eq!(report["counts"]["enqueued"], expected.values().sum::<u64>(), "{}", capture.name);
        }
    }
}

#[test]
fn blind_spots_are_said_where_there_are_any() {
    for capture in captures() {
        // Rows of a database are renumbered by a retry.
        let has_row_ids = capture.name.ends_with("database-verbose");
        for report in capture.reports() {
            let said = report["blind_spots"].as_array().unwrap();
            assert_eq!(said.len(), usize::from(has_row_ids), "{}: {said:?}", capture.name);
        }
    }
}

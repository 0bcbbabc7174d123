//! The package itself: what it writes, when a worker stops and why, and that no stream it writes to can harm the app.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use queuewatch::domain::job::{LineKey, Observation, Stage, Timestamp};
use queuewatch::domain::systems::Classifier;
use serde_json::Value;

use crate::app::{App, manifest, run};
use crate::process::{Line, Process, text};

/// A pipe takes this much before its writer waits, and this much in one piece.
const PIPE_BYTES: usize = 64 * 1024;
const PIECE_BYTES_MAX: usize = 4096;

fn observations(lines: &[Line]) -> Vec<Observation> {
    let classifier = Classifier::default();
    let mut reader = classifier.stream("/ecs/my-app", "ecs/app/1");
    for (key, (ms, line)) in (0..).zip(lines) {
        reader.line(LineKey(key), Timestamp::from_ms(*ms), line);
    }
    reader.finish().observations
}

/// The package's own lines, opened.
fn records(lines: &[Line]) -> Vec<Value> {
    let own = lines.iter().filter(|(_, line)| line.contains(r#""channel":"queuewatch""#));
    own.map(|(_, line)| serde_json::from_str(line).unwrap()).collect()
}

fn is_stop(record: &Value) -> bool {
    record["message"] == "Worker stopped"
}

/// Why each worker says it stopped.
fn reasons(lines: &[Line]) -> Vec<String> {
    let stops = observations(lines).into_iter().filter(|seen| seen.stage == Stage::WorkerStopped);
    stops.filter(|seen| seen.id.is_some()).map(|seen| seen.text.unwrap().to_string()).collect()
}

#[test]
fn no_argument_of_a_job_is_written_and_every_line_is_one_piece() {
    let app = App::new("secrets", "redis");
    let every = ["plain", "delayed:9", "failing", "closure", "string", "batch:2", "chained", "unique:1"];
    let printed = app.dispatch(&every);
    let worker = app.work(&["--stop-when-empty"]);
    let (_, worked) = worker.end();
    let lines = [printed, worked].concat();
    let records = records(&lines);
    // The chain's second and third job and both of the worker's own lines are in the worker's output.
    assert_eq!(records.len(), 8 + 1 + 2 + 2, "{}", text(&lines));
    let stop = records.iter().find(|record| is_stop(record)).unwrap();
    assert_eq!(stop["context"]["jobs"], 10, "the delayed one still waits: {stop}");
    for record in &records {
        let line = record.to_string();
        assert!(!line.contains("hunter2") && !line.contains("secret"), "{line}");
        assert!(line.len() < PIECE_BYTES_MAX, "{line}");
    }
    let queued: Vec<&Value> = records.iter().filter(|record| record["message"] == "Job queued").collect();
    for record in queued {
        let context = &record["context"];
        for key in ["id", "uuid", "job", "queue", "connection"] {
            assert!(context[key].is_string(), "{key}: {record}");
        }
        assert_eq!(context["queue"], "default");
        let limits = (context["maxTries"].as_u64(), context["timeout"].as_u64());
        let expected = if context["job"] == r"App\Jobs\Plain" { (Some(3), Some(60)) } else { (None, None) };
        assert_eq!(limits, expected, "{record}");
    }
}

#[test]
fn each_worker_beats_under_its_own_name() {
    let app = App::new("heartbeats", "redis");
    let work = |queues: &str| {
        let mut command = app.artisan(&["queue:work", "--sleep=0.1", "--max-time=60", "--queue", queues]);
        Process::start(command.env("QUEUEWATCH_HEARTBEAT", "1"))
    };
    let workers = [work("high,default"), work("emails")];
    for worker in &workers {
        worker.wait_for("Worker heartbeat", 2);
        worker.signal("TERM");
    }
    let ended = workers.map(|worker| worker.end().1);
    for lines in &ended {
        let beats: Vec<i64> =
            lines.iter().filter(|(_, line)| line.contains("heartbeat")).map(|(ms, _)| *ms).collect();
        // Whole seconds are compared, so two beats may be a little closer.
        assert!(beats.windows(2).all(|pair| pair[1] - pair[0] > 500), "{beats:?}");
    }
    let names = ended.each_ref().map(|lines| {
        let seen = observations(lines);
        let names: BTreeSet<String> = seen.iter().map(|line| line.id.as_ref().unwrap().to_string()).collect();
        assert_eq!(names.len(), 1, "a worker has one name from start to stop: {seen:#?}");
        let stages: Vec<Stage> = seen.iter().map(|line| line.stage).collect();
        assert_eq!(stages[0], Stage::WorkerStarted);
        assert!(stages[1..stages.len() - 1].iter().all(|stage| *stage == Stage::WorkerAlive), "{stages:?}");
        assert_eq!(stages[stages.len() - 1], Stage::WorkerStopped);
        assert!(
            seen.iter().all(|line| line.connection.as_ref().is_some_and(|name| name.as_str() == "redis"))
        );
        names.into_iter().next().unwrap()
    });
    assert_ne!(names[0], names[1]);
    let queues = |lines: &[Line]| {
        observations(lines)[1].worker_queues().map(|queue| queue.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(queues(&ended[0]), ["high", "default"]);
    assert_eq!(queues(&ended[1]), ["emails"]);
}

#[test]
fn a_worker_that_stops_says_why() {
    let app = App::new("stops", "redis");
    let (_, lines) = app.work(&["--stop-when-empty"]).end();
    assert_eq!(reasons(&lines), ["limit_or_restart_signal"]);

    let (status, lines) = app.work(&["--memory=1"]).end();
    assert_eq!((status.code(), reasons(&lines)), (Some(12), vec!["memory".to_owned()]));

    let worker = app.work(&[]);
    worker.wait_for("Worker started", 1);
    worker.signal("TERM");
    assert_eq!(reasons(&worker.end().1), ["interrupted_or_lost_connection"]);

    app.dispatch(&["exits"]);
    let (status, lines) = app.work(&[]).end();
    assert_eq!((status.code(), reasons(&lines)), (Some(3), vec!["exit".to_owned()]));

    app.dispatch(&["slow:30"]);
    let (status, lines) = app.work(&["--timeout=1"]).end();
    assert_eq!((status.code(), reasons(&lines)), (None, vec!["timed_out".to_owned()]), "it kills itself");

    app.dispatch(&["fatal"]);
    let (status, lines) = app.work(&[]).end();
    assert_eq!((status.code(), reasons(&lines)), (Some(255), vec!["fatal_error".to_owned()]));

    let worker = app.work(&[]);
    worker.wait_for("Worker started", 1);
    worker.signal("KILL");
    assert_eq!(reasons(&worker.end().1), [] as [&str; 0], "who is killed says nothing more");
}

/// What is on the queue, by the framework's own count.
fn waiting(app: &App) -> String {
    let mut command = app.artisan(&["tinker", "--execute", "echo app('queue')->size()"]);
    let lines = run(command.env("QUEUEWATCH_STREAM", "off"));
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn a_reader_that_sleeps_costs_lines_and_not_the_app() {
    let app = App::new("full-pipe", "redis");
    // Far more than the pipe takes; nobody reads it before the app has ended.
    let jobs = vec!["plain"; 1000];
    let mut command = app.command("timeout");
    command.args(["20", "php", "artisan", "app:dispatch"]).args(jobs);
    let (mut out, into) = std::io::pipe().unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(into).spawn().unwrap();
    drop(command);
    let status = child.wait().unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut out, &mut bytes).unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(waiting(&app), "1000");

    let written = String::from_utf8(bytes).unwrap();
    let whole: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        written.len() <= PIPE_BYTES && written.len() > PIPE_BYTES - 2 * PIECE_BYTES_MAX,
        "{}",
        written.len()
    );
    assert!((100..300).contains(&whole.len()), "{}", whole.len());
}

#[test]
fn what_was_dropped_is_counted_in_the_next_line() {
    let app = App::new("dropped", "redis");
    let fifo = app.path("storage/fifo");
    run(Command::new("mkfifo").arg(&fifo));
    // Nobody has it open: three lines are lost, and the fourth finds a reader.
    let script = "for ($job = 1; $job <= 4; $job++) { if ($job === 4) { $reader = fopen(storage_path('fifo'), 'rn'); } \
                  App\\Jobs\\Plain::dispatch(); } echo fgets($reader)";
    let mut command = app.artisan(&["tinker", "--execute", script]);
    let lines = run(command.env("QUEUEWATCH_STREAM", &fifo));
    let records = records(&lines);
    assert_eq!(records.len(), 1, "{}", text(&lines));
    assert_eq!(records[0]["extra"]["dropped"], 3);
    assert_eq!(waiting(&app), "4");
}

#[test]
fn a_stream_that_is_not_there_is_the_packages_own_matter() {
    let app = App::new("no-stream", "redis");
    let mut jobs = 0;
    // A channel that nobody configured is the framework's to mend; one that cannot be written to throws.
    let channels = ["channel:unheard-of", "channel:broken"];
    let paths = ["/nowhere/at/all", "/proc/version", "/", "php://nothing", "off", ""];
    for stream in channels.into_iter().chain(paths) {
        let printed = run(app.artisan(&["app:dispatch", "plain", "plain"]).env("QUEUEWATCH_STREAM", stream));
        jobs += 2;
        assert_eq!(waiting(&app), jobs.to_string(), "{stream}");
        let is_quiet = stream == "channel:unheard-of" || printed.is_empty();
        assert!(is_quiet, "{stream}: {}", text(&printed));
    }
    assert!(!app.path("off").exists(), "`off` is not a file's name");
    // Standard error closed, as a daemon may have it.
    run(app.command("bash").args(["-c", "php artisan app:dispatch plain 2>&-"]));
    assert_eq!(waiting(&app), (jobs + 1).to_string());
}

#[test]
fn lines_go_where_they_are_told_to() {
    let app = App::new("streams", "redis");
    let file = app.path("storage/logs/queue.log");
    let printed = run(app.artisan(&["app:dispatch", "plain", "plain"]).env("QUEUEWATCH_STREAM", &file));
    assert_eq!(printed, []);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);

    let printed = run(app.artisan(&["app:dispatch", "plain"]).env("QUEUEWATCH_STREAM", "channel:file"));
    assert_eq!(printed, []);
    let log = fs::read_to_string(app.path("storage/logs/laravel.log")).unwrap();
    let lines: Vec<Line> = log.lines().map(|line| (0, line.to_owned())).collect();
    assert!(lines[0].1.contains("production.INFO: Job queued {"), "{log}");
    let seen = observations(&lines);
    assert_eq!(seen.len(), 1, "{log}");
    assert!(seen[0].stage == Stage::Enqueued && seen[0].id.is_some() && seen[0].uuid.is_some(), "{seen:?}");
}

#[test]
fn the_listener_alone_tells_what_its_version_lets_it() {
    let app = App::new("listener", "redis");
    let folder = app.path("app/Listeners");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(
        manifest().join("integrations/laravel/listener/LogQueuedJob.php"),
        folder.join("LogQueuedJob.php"),
    )
    .unwrap();
    // As the file's own head says it.
    let listener = fs::read_to_string(folder.join("LogQueuedJob.php")).unwrap();
    let listen = listener
        .lines()
        .find_map(|line| line.trim().strip_prefix("* ")?.trim().strip_prefix("Event::listen"))
        .unwrap();
    let provider = format!(
        "<?php\nnamespace App;\nuse Illuminate\\Support\\Facades\\Event;\n\
         class Provider extends \\Illuminate\\Support\\ServiceProvider\n{{ public function boot() {{ Event::listen{listen} }} }}\n"
    );
    fs::write(app.path("app/Provider.php"), provider).unwrap();
    let config = fs::read_to_string(app.path("config/app.php")).unwrap();
    fs::write(
        app.path("config/app.php"),
        config.replace("'providers' => [", "'providers' => [App\\Provider::class,"),
    )
    .unwrap();
    fs::remove_file(app.path("bootstrap/cache/packages.php")).unwrap();
    run(app.command("composer").args(["remove", "queuewatch/laravel"]));

    let printed = app.dispatch(&["plain", "plain@emails", "delayed:7", "closure"]);
    assert_eq!(printed.len(), 4, "{}", text(&printed));
    let seen = observations(&printed);
    let told: Vec<_> = seen
        .iter()
        .map(|line| (line.class.as_ref().unwrap().as_str(), line.queue.as_ref().unwrap().as_str()))
        .collect();
    let plain = r"App\Jobs\Plain";
    assert_eq!(
        told,
        [(plain, "default"), (plain, "emails"), (plain, "default"), ("Closure (Dispatch.php:35)", "default")]
    );
    assert!(seen.iter().all(|line| line.id.is_some() && line.delay_ms.is_none()), "{seen:?}");
    assert!(records(&printed).iter().all(|record| !is_stop(record)));
}

#[test]
fn a_payload_is_left_as_it_is() {
    let app = App::new("payload", "redis");
    let script = "App\\Jobs\\Plain::dispatch(); $queue = app('redis')->connection(); \
                  echo implode(',', array_keys(json_decode($queue->lpop('queues:default'), true)))";
    let keys = |stream: &str| {
        let mut command = app.artisan(&["tinker", "--execute", script]);
        let printed = run(command.env("QUEUEWATCH_STREAM", stream));
        assert_eq!(printed.len(), 1, "{}", text(&printed));
        printed[0].1.clone()
    };
    assert!(keys("off").starts_with("uuid,displayName,job,"), "{}", keys("off"));
    assert_eq!(keys("/dev/null"), keys("off"));
}

/// What the package writes where events have the shape of a version's.
fn written(version: &str) -> Vec<Value> {
    let mut command = crate::app::command("php", manifest());
    let lines = run(command.args(["integrations/laravel/tests/versions.php", version]));
    assert!(!text(&lines).contains("hunter2"), "{}", text(&lines));
    records(&lines)
}

#[test]
fn events_of_other_versions_are_told_as_fully() {
    for version in ["10.21", "11.0", "12.59"] {
        let written = written(version);
        let queued = written
            .iter()
            .filter(|record| record["message"] == "Job queued")
            .map(|record| &record["context"]);
        let told: Vec<_> = queued
            .map(|job| {
                assert_eq!((&job["job"], &job["maxTries"]), (&Value::from("App\\Job"), &Value::from(2)));
                assert!(job["uuid"].is_string() && job.get("timeout").is_none(), "{job}");
                (job["id"].as_str().unwrap(), job["queue"].as_str().unwrap(), job["delay"].as_i64())
            })
            .collect();
        let mut expected = vec![
            ("r1", "main", None),
            ("r2", "{emails}", Some(60)),
            ("m1", "mail-staging", None),
            ("m2", "mail-staging.fifo", None),
            ("m3", "https://sqs.eu-west-1.amazonaws.com/1/mail-staging", None),
            ("7", "default", None),
        ];
        if version != "10.21" {
            expected.push(("r3", "emails", Some(5)));
        }
        assert_eq!(told, expected, "{version}");
        let workers: Vec<_> = written.iter().skip(expected.len()).map(|record| &record["message"]).collect();
        assert_eq!(workers, ["Worker started", "Worker stopped"], "{version}");
        let reason = if version == "12.59" { "restart_signal" } else { "memory" };
        assert_eq!(written[written.len() - 1]["context"]["reason"], reason, "{version}");
    }
}

#[test]
fn a_line_costs_microseconds() {
    let app = App::new("bench", "redis");
    // Processor time, of a dispatch and of a turn of an idle worker.
    let microseconds = |stream: &str| -> Vec<f64> {
        let lines = run(app.artisan(&["app:bench", "500"]).env("QUEUEWATCH_STREAM", stream));
        let own = lines.iter().filter_map(|(_, line)| line.strip_suffix(" us")?.split_once(' '));
        own.map(|(_, us)| us.parse().unwrap()).collect()
    };
    let (with, without) = (microseconds("php://stderr"), microseconds("off"));
    assert_eq!((with.len(), without.len()), (2, 2));
    assert!(with[0] - without[0] < 200.0, "a dispatch: {} and {} us", with[0], without[0]);
    assert!(with[1] - without[1] < 10.0, "a turn: {} and {} us", with[1], without[1]);
}

#[test]
fn without_the_event_the_payload_hook_tells_all_but_the_id() {
    let written = written("8.0");
    let queued: Vec<_> = written.iter().filter(|record| record["message"] == "Job queued").collect();
    let told: Vec<_> = queued
        .iter()
        .map(|record| {
            let job = &record["context"];
            assert!(job.get("id").is_none() && job["uuid"].is_string() && job["job"] == "App\\Job", "{job}");
            (job["connection"].as_str().unwrap(), job["queue"].as_str().unwrap(), job["delay"].as_i64())
        })
        .collect();
    let expected = [
        ("redis", "main", None),
        ("cluster", "{emails}", Some(60)),
        ("sqs", "mail-staging", None),
        ("sqs", "mail-staging.fifo", None),
        ("sqs", "https://sqs.eu-west-1.amazonaws.com/1/mail-staging", None),
        ("bare", "default", None),
    ];
    assert_eq!(told, expected);
}

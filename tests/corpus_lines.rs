//! Every line of real captures, against what really happened to their jobs.
//!
//! A capture is one Laravel version in one scenario: the app's and the worker's output as written, a time for
//! each line, and the truth as the queue's own events told it.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a capture that cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/corpus.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use corpus::{Capture, Counts, captures};
use queuewatch::domain::job::{JobClass, LineKey, Observation, Stage, Timestamp};
use queuewatch::domain::systems::{Classified, Classifier};

fn read(lines: &[(i64, String)]) -> Classified {
    let classifier = Classifier::default();
    let mut reader = classifier.stream("/ecs/app", "ecs/app/1");
    for (key, (ms, text)) in (0..).zip(lines) {
        reader.line(LineKey(key), Timestamp::from_ms(*ms), text);
    }
    reader.finish()
}

fn separate(capture: &Capture) -> Vec<Observation> {
    let mut observations = read(&capture.app).observations;
    observations.extend(read(&capture.worker).observations);
    observations
}

fn merged(capture: &Capture) -> Vec<Observation> {
    read(&capture.merged()).observations
}

fn counts(observations: &[Observation]) -> Counts {
    let count = |is: fn(Stage) -> bool| observations.iter().filter(|o| is(o.stage)).count() as u64;
    Counts {
        enqueued: count(|stage| stage == Stage::Enqueued),
        starts: count(|stage| stage == Stage::Processing),
        ends: count(Stage::is_end),
        enqueue_errors: count(|stage| stage == Stage::EnqueueError),
    }
}

/// How often each text occurs.
fn multiset<T: ToString>(items: impl Iterator<Item = T>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for item in items {
        *counted.entry(item.to_string()).or_default() += 1;
    }
    counted
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_capture_is_there() {
    assert_eq!(captures().len(), 38);
}

#[test]
fn lines_count_what_happened_in_two_streams() {
    for capture in captures() {
        assert_eq!(counts(&separate(&capture)), capture.expected(), "{}", capture.name);
    }
}

#[test]
fn lines_count_what_happened_in_one_shared_stream() {
    for capture in captures() {
        assert_eq!(counts(&merged(&capture)), capture.expected(), "{}", capture.name);
    }
}

#[test]
fn a_workers_stream_has_no_enqueue_error() {
    for capture in captures() {
        assert_eq!(counts(&read(&capture.worker).observations).enqueue_errors, 0, "{}", capture.name);
    }
}

#[test]
fn ids_and_classes_of_enqueues_are_the_truths() {
    for capture in captures() {
        let seen = separate(&capture);
        let enqueued = || seen.iter().filter(|o| o.stage == Stage::Enqueued);
        let jobs = || capture.truth.jobs.iter().filter(|job| job.enqueue_id.is_some());
        let ids = multiset(jobs().map(|job| plain(job.enqueue_id.as_ref().unwrap())));
        assert_eq!(multiset(enqueued().filter_map(|o| o.id.clone())), ids, "{}", capture.name);
        let classes = multiset(jobs().map(|job| job.class.clone()));
        assert_eq!(multiset(enqueued().filter_map(|o| o.class.clone())), classes, "{}", capture.name);
        // The 8.x listener has no payload to take a uuid from.
        if !capture.truth.laravel.starts_with("8.") {
            let uuids = multiset(jobs().filter_map(|job| job.uuid.clone()));
            assert_eq!(multiset(enqueued().filter_map(|o| o.uuid.clone())), uuids, "{}", capture.name);
        }
    }
}

#[test]
fn ids_and_classes_of_starts_and_ends_are_the_truths() {
    for capture in captures() {
        let seen = separate(&capture);
        for (kinds, is_stage) in
            [(&["processing"][..], is_start as fn(Stage) -> bool), (capture.ends(), Stage::is_end)]
        {
            let lines = || seen.iter().filter(|o| is_stage(o.stage));
            if lines().next().is_none() {
                continue;
            }
            let jobs = capture.truth.jobs.iter();
            let events: Vec<_> =
                jobs.flat_map(|job| job.events.iter().map(move |event| (job, event))).collect();
            let events = || events.iter().filter(|(_, event)| kinds.contains(&event.0.as_str()));
            let classes = multiset(events().map(|(job, _)| job.class.clone()));
            assert_eq!(multiset(lines().filter_map(|o| o.class.clone())), classes, "{}", capture.name);
            let ids = multiset(events().map(|(_, event)| plain(&event.1)));
            if capture.prints_ids() {
                assert_eq!(multiset(lines().filter_map(|o| o.id.clone())), ids, "{}", capture.name);
            } else {
                assert!(lines().all(|o| o.id.is_none()), "{}", capture.name);
            }
        }
    }
}

fn is_start(stage: Stage) -> bool {
    stage == Stage::Processing
}

#[test]
fn nothing_forged_is_read() {
    let fake = JobClass::from(r"App\Jobs\Fake");
    for capture in captures() {
        assert!(separate(&capture).iter().all(|o| o.class.as_ref() != Some(&fake)), "{}", capture.name);
    }
}

#[test]
fn a_file_that_a_worker_wrote_reads_like_its_stream() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/laravel/12.67.0/h-redirected");
    let log = fs::read_to_string(folder.join("worker.redirected.log")).unwrap();
    let lines: Vec<_> = log.lines().map(|line| (0, line.to_owned())).collect();
    let seen = counts(&read(&lines).observations);
    assert_eq!((seen.starts, seen.ends), (80, 80));
}

/// The pattern for the log driver that the docs give to those who want a stack trace in one event.
fn multiline_pattern() -> regex::Regex {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/getting-started.md")).unwrap();
    let line = readme.lines().find_map(|line| line.strip_prefix("\"awslogs-multiline-pattern\": ")).unwrap();
    regex::Regex::new(&serde_json::from_str::<String>(line).unwrap()).unwrap()
}

/// Lines as the log driver makes events of them: a line that does not fit goes on where the one before it ended.
fn events(lines: &[(i64, String)]) -> Vec<(i64, String)> {
    let pattern = multiline_pattern();
    let mut events: Vec<(i64, String)> = Vec::new();
    for (ms, line) in lines {
        match events.last_mut() {
            Some((_, event)) if !pattern.is_match(line) => *event = format!("{event}\n{line}"),
            _ => events.push((*ms, line.clone())),
        }
    }
    events
}

#[test]
fn the_readmes_multiline_pattern_loses_no_line_and_holds_a_trace_together() {
    let mut longest = 0;
    for capture in captures() {
        let merged = events(&capture.merged());
        assert_eq!(counts(&read(&merged).observations), capture.expected(), "{}", capture.name);
        let worker = events(&capture.worker);
        let mut both = read(&events(&capture.app)).observations;
        both.extend(read(&worker).observations);
        assert_eq!(counts(&both), capture.expected(), "{}", capture.name);
        longest = worker.iter().map(|(_, event)| event.lines().count()).max().unwrap_or(0).max(longest);
    }
    assert!(longest > 30, "{longest}");
}

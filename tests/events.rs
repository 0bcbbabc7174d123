//! Every saved story under `events/`, against what its index says and what a replay finds.

#![expect(
    clippy::unwrap_used,
    reason = "test helpers are outside clippy's exemption; what cannot be read must fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use queuewatch::domain::envelope::{Header, Limits, Line, LineSink, open_base64};
use serde_json::Value;

/// What a replay of a folder finds.
struct Story {
    /// The folder's name; empty for `events/` itself.
    folder: &'static str,
    /// Payloads: data, control, duplicate, rejected.
    payloads: [u64; 4],
    /// Lines: read, classified, duplicate.
    lines: [u64; 3],
    /// Lifecycle lines: enqueued, processing, processed, failed, released, enqueue errors.
    counts: [u64; 6],
    /// Jobs at the end: waiting, overdue, unknown.
    pending: [u64; 3],
    incidents: &'static [Incident],
    /// How each blind spot begins, but for [`DELAY`]; see [`blind_spots`].
    blind_spots: &'static [&'static str],
}

struct Incident {
    id: &'static str,
    kind: &'static str,
    severity: &'static str,
    jobs_count: u64,
    is_open: bool,
    is_after_end: bool,
    /// The likeliest cause, and whether it is certain.
    cause: (&'static str, bool),
}

const fn stalled(id: &'static str, jobs_count: u64, cause: &'static str) -> Incident {
    let cause = (cause, false);
    Incident { id, kind: "stalled", severity: "page", jobs_count, is_open: true, is_after_end: false, cause }
}

/// A page of another kind, after the end of its story; its lines leave no doubt about the cause.
const fn page(
    id: &'static str,
    kind: &'static str,
    jobs_count: u64,
    is_open: bool,
    cause: &'static str,
) -> Incident {
    let cause = (cause, true);
    Incident { id, kind, severity: "page", jobs_count, is_open, is_after_end: true, cause }
}

const fn blind(id: &'static str) -> Incident {
    let cause = ("monitor_blind", true);
    Incident { id, kind: "blind", severity: "warn", jobs_count: 0, is_open: true, is_after_end: false, cause }
}

const DELAY: &str = "delay is not logged";
const NO_ENQUEUES: &str = "no enqueue line has ever matched";
const NO_WORKER: &str = "no job was ever seen to start or end";
const NO_IDS: &str = "worker lines carry no id";

const STORIES: [Story; 17] = [
    Story {
        folder: "",
        payloads: [37, 0, 0, 0],
        lines: [460, 13, 0],
        counts: [7, 0, 0, 0, 0, 0],
        pending: [7, 7, 0],
        incidents: &[stalled("stalled-redis-default-20251206T1237Z", 7, "logs_not_forwarded")],
        blind_spots: &[NO_WORKER],
    },
    Story {
        folder: "2025-11-25-never-started",
        payloads: [31, 0, 0, 0],
        lines: [221, 5, 0],
        counts: [5, 0, 0, 0, 0, 0],
        pending: [5, 5, 0],
        incidents: &[stalled("stalled-redis-default-20251125T0930Z", 5, "never_observed")],
        blind_spots: &[NO_WORKER],
    },
    Story {
        folder: "control-message",
        payloads: [1, 1, 0, 0],
        lines: [6, 6, 0],
        counts: [2, 2, 2, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
    Story {
        folder: "dead-worker",
        payloads: [6, 0, 0, 0],
        lines: [226, 212, 0],
        counts: [120, 46, 46, 0, 0, 0],
        pending: [74, 74, 0],
        incidents: &[Incident {
            is_after_end: true,
            ..stalled("stalled-redis-default-20261123T1658Z", 74, "worker_silent")
        }],
        blind_spots: &[],
    },
    Story {
        folder: "delayed-jobs",
        payloads: [9, 0, 0, 0],
        lines: [123, 112, 0],
        counts: [40, 36, 36, 0, 0, 0],
        pending: [4, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
    Story {
        folder: "duplicates-and-reordering",
        payloads: [13, 0, 6, 0],
        lines: [661, 198, 437],
        counts: [66, 66, 66, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
    Story {
        folder: "filter-log-events",
        payloads: [28, 0, 0, 0],
        lines: [32, 12, 0],
        counts: [6, 3, 3, 0, 0, 0],
        pending: [3, 3, 0],
        incidents: &[stalled("stalled-redis-default-20251213T0311Z", 3, "worker_silent")],
        blind_spots: &[],
    },
    Story {
        folder: "healthy-hour",
        payloads: [70, 0, 0, 0],
        lines: [426, 273, 0],
        counts: [87, 93, 87, 6, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[NO_IDS],
    },
    Story {
        folder: "kinesis",
        payloads: [4, 1, 0, 1],
        lines: [24, 24, 0],
        counts: [8, 8, 8, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
    Story {
        folder: "malformed",
        payloads: [2, 0, 0, 8],
        lines: [12, 12, 0],
        counts: [4, 4, 4, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[Incident { is_open: false, ..blind("blind-rejected-20251215T0731Z") }],
        blind_spots: &[],
    },
    Story {
        folder: "on-failure",
        payloads: [1, 0, 0, 0],
        lines: [9, 9, 0],
        counts: [3, 3, 3, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
    Story {
        folder: "recovery",
        payloads: [43, 0, 0, 0],
        lines: [89, 49, 0],
        counts: [16, 16, 16, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[Incident {
            is_open: false,
            ..stalled("stalled-redis-default-20251212T1415Z", 5, "worker_silent")
        }],
        blind_spots: &[],
    },
    Story {
        folder: "redis-refuses-enqueues",
        payloads: [10, 0, 0, 0],
        lines: [650, 164, 0],
        counts: [52, 49, 49, 0, 0, 8],
        pending: [3, 3, 0],
        incidents: &[
            page(
                "enqueue_errors-unknown-unknown-20261123T1651Z",
                "enqueue_errors",
                8,
                false,
                "enqueue_errors",
            ),
            Incident {
                is_after_end: true,
                ..stalled("stalled-unknown-default-20261123T1656Z", 3, "cannot_fetch")
            },
        ],
        blind_spots: &[NO_IDS],
    },
    Story {
        folder: "retries-and-failures",
        payloads: [4, 0, 0, 0],
        lines: [162, 132, 0],
        counts: [30, 48, 21, 15, 18, 0],
        pending: [0, 0, 0],
        incidents: &[page("failing-redis-default-20261123T1650Z", "failing", 15, true, "failing_fast")],
        blind_spots: &[],
    },
    Story {
        folder: "stock-app",
        payloads: [27, 0, 0, 0],
        lines: [170, 80, 0],
        counts: [0, 40, 40, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[blind("blind-no_enqueue_lines-20251211T0632Z")],
        blind_spots: &[NO_ENQUEUES, NO_IDS],
    },
    Story {
        folder: "unconsumed-queue",
        payloads: [6, 0, 0, 0],
        lines: [192, 180, 0],
        counts: [100, 40, 40, 0, 0, 0],
        pending: [60, 60, 0],
        incidents: &[Incident {
            is_after_end: true,
            ..stalled("stalled-unknown-emails-20261123T1658Z", 60, "queue_not_consumed")
        }],
        blind_spots: &[],
    },
    Story {
        folder: "worker-with-ids",
        payloads: [4, 0, 0, 0],
        lines: [218, 192, 0],
        counts: [64, 64, 64, 0, 0, 0],
        pending: [0, 0, 0],
        incidents: &[],
        blind_spots: &[],
    },
];

/// Files that no function takes, on purpose.
const NO_INVOCATION: [&str; 3] = ["1-not-json.json", "2-no-payload.json", "yesterday.json"];
/// Everything under `events/` together: it is cloned by everybody.
const ALL_BYTES_MAX: u64 = 1_500_000;
/// The founding incident alone.
const FOUNDING_BYTES_MAX: u64 = 300_000;
const FOUNDING_FILES_MAX: usize = 60;
/// How long CloudWatch gathers a line's batch.
const BATCH_MS_MAX: i64 = 5_000;

#[test]
fn every_story_replays_as_told() {
    for story in &STORIES {
        let replay = replay(story);
        let numbers = |of: &str, keys: &[&str]| -> Vec<u64> {
            keys.iter().map(|key| replay[of][*key].as_u64().unwrap()).collect()
        };
        let name = story.path();
        let rejected = replay["payloads"]["rejected"].as_array().unwrap().len() as u64;
        let mut payloads = numbers("payloads", &["data", "control", "duplicate"]);
        payloads.push(rejected);
        assert_eq!(payloads, story.payloads, "{name}: payloads");
        assert_eq!(numbers("lines", &["read", "classified", "duplicate"]), story.lines, "{name}: lines");
        assert_eq!(numbers("lines", &["late"]), [0], "{name}: late lines");
        let stages = ["enqueued", "processing", "processed", "failed", "released", "enqueue_errors"];
        assert_eq!(numbers("counts", &stages), story.counts, "{name}: counts");
        assert_eq!(numbers("pending", &["jobs", "overdue", "unknown"]), story.pending, "{name}: pending");
        check_incidents(story, &replay);
        assert_eq!(blind_spots(story, &replay), story.blind_spots, "{name}: blind spots");
    }
}

#[track_caller]
fn check_incidents(story: &Story, replay: &Value) {
    let name = story.path();
    let incidents = replay["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), story.incidents.len(), "{name}: {incidents:#?}");
    for (got, expected) in incidents.iter().zip(story.incidents) {
        assert_eq!(got["id"], expected.id, "{name}");
        assert_eq!(got["kind"], expected.kind, "{name}");
        assert_eq!(got["severity"], expected.severity, "{name}");
        assert_eq!(got["jobs_count"], expected.jobs_count, "{name}");
        assert_eq!(got["resolved_at"].is_null(), expected.is_open, "{name}: {}", got["resolved_at"]);
        assert_eq!(got["after_end"], expected.is_after_end, "{name}");
        let why = &got["diagnosis"];
        let cause = (why["cause"].as_str().unwrap(), why["certain"] == true);
        assert_eq!(cause, expected.cause, "{name}: {why:#}");
    }
}

/// What is said to be unseen. Of delays only where no enqueue line has the key at all: what a line means that
/// says `"delay":null` is for the tests beside the code.
fn blind_spots(story: &Story, replay: &Value) -> Vec<String> {
    let twin = fs::read_to_string(story.folder().join("lines.txt")).unwrap();
    let said: Vec<&str> =
        replay["blind_spots"].as_array().unwrap().iter().map(|spot| spot.as_str().unwrap()).collect();
    let is_about_delay = |spot: &str| spot.starts_with(DELAY);
    let [enqueued, ..] = story.counts;
    if !twin.contains("\"delay\":") {
        let is_said = said.iter().any(|spot| is_about_delay(spot));
        assert_eq!(is_said, enqueued > 0, "{}: {said:?}", story.path());
    }
    let known = [NO_ENQUEUES, NO_WORKER, NO_IDS];
    let begins = |spot: &str| known.into_iter().find(|known| spot.starts_with(known)).map(ToOwned::to_owned);
    let told = said.into_iter().filter(|spot| !is_about_delay(spot));
    told.map(|spot| begins(spot).unwrap_or_else(|| spot.to_owned())).collect()
}

#[test]
fn the_sixth_of_december_pages_at_the_tick_of_12_37_and_names_the_log_file() {
    let replay = replay(&STORIES[0]);
    let incident = &replay["incidents"][0];
    assert_eq!(incident["opened_at"], "2025-12-06T12:37:00.000Z");
    assert_eq!(incident["oldest_ready_at"], "2025-12-06T12:31:10.000Z");
    assert_eq!(incident["resolved_at"], Value::Null);
    assert_eq!((&incident["connection"], &incident["queue"]), (&"redis".into(), &"default".into()));
    assert_eq!(incident["matched_by"], "uuid");
    let page = &incident["notifications"][0];
    assert_eq!(
        (&page["at"], &page["cause"]),
        (&"2025-12-06T12:37:00.000Z".into(), &"logs_not_forwarded".into())
    );
    let why = &incident["diagnosis"];
    assert_eq!((&why["cause"], &why["certain"]), (&"logs_not_forwarded".into(), &false.into()));
    assert_eq!(why["runners_up"], serde_json::json!(["worker_silent", "failing_fast"]));
    let file = "storage/logs/queue-20251206.log";
    assert!(why["evidence"][0].as_str().unwrap().contains(file), "{why:#}");
    let first = why["commands"][0].as_str().unwrap();
    assert!(first.contains("--task 119ff6db80b1c1a8a6afc0dc9c6f1818 --container app "), "{first}");
    assert!(first.ends_with(&format!("--command \"tail -n 100 {file}\"")), "{first}");
    let body = page["body"].as_str().unwrap();
    let (before, _) = body.split_once("\n2. ").unwrap();
    assert!(before.contains(file) && before.contains(first), "{body}");
    for command in [
        "queuewatch answer stalled-redis-default-20251206T1237Z seen ",
        "queuewatch close stalled-redis-default-20251206T1237Z --reason WHY",
        "queuewatch silence default --until ",
    ] {
        assert!(body.contains(command), "{body}");
    }
}

#[test]
fn the_twenty_fifth_of_november_pages_and_knows_of_no_worker() {
    let replay = replay(&STORIES[1]);
    let incident = &replay["incidents"][0];
    assert_eq!(incident["opened_at"], "2025-11-25T09:30:00.000Z");
    assert_eq!(incident["oldest_ready_at"], "2025-11-25T09:24:48.331Z");
    let why = &incident["diagnosis"];
    assert_eq!((&why["cause"], &why["certain"]), (&"never_observed".into(), &false.into()));
    assert_eq!(why["runners_up"], serde_json::json!(["logs_not_forwarded"]));
    let twin = fs::read_to_string(STORIES[1].folder().join("lines.txt")).unwrap();
    assert!(!twin.to_lowercase().contains("worker"), "no line of a worker, not even of its start");
}

#[test]
fn a_recovery_is_told_at_the_next_tick() {
    let story = STORIES.iter().find(|story| story.folder == "recovery").unwrap();
    let replay = replay(story);
    let incident = &replay["incidents"][0];
    assert_eq!(incident["opened_at"], "2025-12-12T14:15:00.000Z");
    assert_eq!(incident["resolved_at"], "2025-12-12T14:27:00.000Z");
    let states: Vec<&Value> =
        incident["notifications"].as_array().unwrap().iter().map(|said| &said["state"]).collect();
    assert_eq!(states, ["firing", "resolved"]);
}

#[test]
fn each_malformed_payload_is_rejected_for_its_own_reason() {
    let story = STORIES.iter().find(|story| story.folder == "malformed").unwrap();
    let replay = replay(story);
    let rejected = replay["payloads"]["rejected"].as_array().unwrap();
    for row in rejected {
        let (_, file) = row["source"].as_str().unwrap().rsplit_once('/').unwrap();
        let reason = row["reason"].as_str().unwrap().replace('_', "-");
        assert_eq!(file.split_once('-').unwrap().1, format!("{reason}.json"), "{row}");
    }
}

#[test]
fn no_enqueue_of_a_founding_incident_waits_for_its_batch() {
    for story in &STORIES[..2] {
        let mut enqueues_count = 0;
        for path in story.files("json") {
            let event: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let mut batch = Batch::default();
            open_base64(event["awslogs"]["data"].as_str().unwrap(), &Limits::default(), &mut batch).unwrap();
            enqueues_count += batch.enqueues_ms.len();
            for at_ms in batch.enqueues_ms {
                assert!(batch.newest_ms - at_ms <= BATCH_MS_MAX, "{}: {at_ms}", story.path());
            }
        }
        assert_eq!(enqueues_count as u64, story.counts[0], "{}", story.path());
    }
}

#[derive(Default)]
struct Batch {
    newest_ms: i64,
    enqueues_ms: Vec<i64>,
}

impl LineSink for Batch {
    fn begin(&mut self, _: &Header) {}

    fn line(&mut self, line: Line<'_>) {
        self.newest_ms = self.newest_ms.max(line.at.as_ms());
        if line.message.contains("Job queued") {
            self.enqueues_ms.push(line.at.as_ms());
        }
    }
}

#[test]
fn the_readable_twin_is_what_unpack_prints() {
    for story in &STORIES {
        let printed = String::from_utf8(queuewatch(&["unpack", &story.path()]).stdout).unwrap();
        let twin = fs::read_to_string(story.folder().join("lines.txt")).unwrap();
        let first = printed.lines().zip(twin.lines()).find(|(printed, twin)| printed != twin);
        assert!(printed == twin, "{}lines.txt: {first:?}", story.path());
    }
}

#[test]
fn the_index_lists_every_folder_once_and_says_what_a_replay_says() {
    let index = fs::read_to_string(root().join("events/README.md")).unwrap();
    let mut rows: BTreeMap<&str, &str> = BTreeMap::new();
    for row in index.lines().filter(|line| line.starts_with("| [")) {
        let name = row.split('`').nth(1).unwrap();
        assert_eq!(rows.insert(name, row), None, "{name} is listed twice");
    }
    let told: BTreeSet<&str> = STORIES.iter().map(|story| story.folder).collect();
    let listed: BTreeSet<&str> =
        rows.keys().map(|name| if *name == "events/" { "" } else { *name }).collect();
    assert_eq!(listed, told);
    assert_eq!(folders(), told.into_iter().filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect());
    for story in &STORIES {
        let row = rows[if story.folder.is_empty() { "events/" } else { story.folder }];
        let command = format!("`cargo run --release -- replay {}`", story.path());
        assert!(row.contains(&command), "{command}: {row}");
        let [enqueued, _, processed, failed, ..] = story.counts;
        let figures = format!(
            " {enqueued} enqueued, {processed} processed, {failed} failed, {} waiting",
            story.pending[0]
        );
        assert!(row.contains(&figures), "{figures}: {row}");
        for incident in story.incidents {
            for name in [incident.id, incident.cause.0] {
                assert!(row.contains(&format!("`{name}`")), "{name}: {row}");
            }
        }
        assert_eq!(row.contains("no incident"), story.incidents.is_empty(), "{row}");
    }
}

#[test]
fn every_file_is_an_event_that_a_function_takes() {
    let mut exceptions = BTreeSet::new();
    for path in STORIES.iter().flat_map(|story| story.files("json")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let event: Option<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).ok();
        let is_event = event.is_some_and(|event| {
            event["awslogs"]["data"].is_string()
                || event["Records"][0]["kinesis"]["data"].is_string()
                || event["requestPayload"]["awslogs"]["data"].is_string()
        });
        if !is_event {
            exceptions.insert(name);
        }
    }
    assert_eq!(exceptions, NO_INVOCATION.map(ToOwned::to_owned).into());
}

#[test]
fn the_stories_stay_small() {
    let bytes =
        |paths: Vec<PathBuf>| -> u64 { paths.iter().map(|path| fs::metadata(path).unwrap().len()).sum() };
    let all: u64 =
        STORIES.iter().flat_map(|story| [story.files("json"), story.files("txt")]).map(bytes).sum();
    assert!(all < ALL_BYTES_MAX, "{all} bytes");
    let founding = &STORIES[0];
    let files = founding.files("json");
    assert!(files.len() < FOUNDING_FILES_MAX, "{} files", files.len());
    let founding = bytes(files) + bytes(founding.files("txt"));
    assert!(founding < FOUNDING_BYTES_MAX, "{founding} bytes");
}

impl Story {
    /// As it is typed: `events/`, `events/recovery/`.
    fn path(&self) -> String {
        if self.folder.is_empty() { "events/".to_owned() } else { format!("events/{}/", self.folder) }
    }

    fn folder(&self) -> PathBuf {
        root().join("events").join(self.folder)
    }

    /// The files directly in its folder that end so.
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }
}

fn replay(story: &Story) -> Value {
    let output = queuewatch(&["replay", &story.path(), "--format", "json"]);
    assert!(output.status.success(), "{}: {}", story.path(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn queuewatch(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
    command.args(arguments).current_dir(root()).env_clear().output().unwrap()
}

/// The subfolders of `events/`.
fn folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

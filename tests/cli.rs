//! The command itself, on files: exit statuses, what goes where, what it survives.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a command that does not run must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/wire.rs"]
#[expect(dead_code, reason = "the command opens and reports; only packing is done here")]
mod wire;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// 2026-01-05T12:00:20Z.
const BEGIN_MS: i64 = 1_767_614_420_000;
const MINUTE_MS: i64 = 60_000;

/// A folder of the test's own, empty.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, and returns its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

struct Ran {
    status: i32,
    out: String,
    err: String,
}

fn run_with(arguments: &[&str], stdin: &[u8], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
    for name in ["QUEUEWATCH_CONFIG", "QUEUEWATCH_APP", "QUEUEWATCH_GRACE", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that never reads closes the pipe: its own matter.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let err = String::from_utf8(stderr).unwrap();
    assert!(!err.contains("panicked"), "{err}");
    Ran { status: status.code().unwrap(), out: String::from_utf8(stdout).unwrap(), err }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"", &[])
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/replay.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// Replays to JSON, and checks it against the published schema.
fn json_with(arguments: &[&str], stdin: &[u8], status: i32) -> Value {
    let ran = run_with(&[&["replay", "--format", "json"], arguments].concat(), stdin, &[]);
    assert_eq!(ran.status, status, "{}", ran.err);
    let value: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    let errors: Vec<String> = SCHEMA.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    value
}

fn json(arguments: &[&str]) -> Value {
    json_with(arguments, b"", 0)
}

fn enqueue(n: u32) -> String {
    let context = json!({"id": format!("{n:A>32}"), "job": "App\\Jobs\\Mail", "queue": "default",
        "connection": "redis", "uuid": format!("00000000-0000-4000-8000-{n:012}")});
    format!("[2026-01-05 12:00:20] production.INFO: Job queued {context} ")
}

/// One payload of these lines.
fn event(lines: &[(i64, String)]) -> String {
    wire::events("/ecs/app", "ecs/app/1", lines, i64::MAX).concat()
}

/// One job that waits, and a line half an hour later.
fn good() -> [String; 2] {
    let line = (BEGIN_MS + 30 * MINUTE_MS, "GET /health".to_owned());
    [event(&[(BEGIN_MS, enqueue(1))]), event(&[line])]
}

/// What must not change, whatever lies beside the good payloads.
fn essence(report: &Value) -> Value {
    let incidents: Vec<&Value> =
        report["incidents"].as_array().unwrap().iter().filter(|i| i["kind"] != "blind").collect();
    json!([report["counts"], report["pending"], report["jobs"], report["ends_at"], incidents])
}

/// The reasons of rejected payloads, by file name.
fn reasons(report: &Value) -> Vec<(String, String)> {
    let rejected = report["payloads"]["rejected"].as_array().unwrap();
    rejected
        .iter()
        .map(|row| {
            let source = Path::new(row["source"].as_str().unwrap()).file_name().unwrap();
            (source.to_str().unwrap().to_owned(), row["reason"].as_str().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn the_status_tells_what_happened() {
    let folder = Folder::new("status");
    let [job, later] = good();
    let job = folder.file("a/job.json", job);
    folder.file("a/later.json", later);
    let quiet = folder.file("quiet.json", event(&[(BEGIN_MS, "GET /health".into())]));
    let broken = folder.file("broken.json", r#"{"awslogs":{"data":"%%%"}}"#);
    let empty = folder.file("empty.json", "");
    let error =
        folder.file("error.json", "An error occurred (AccessDeniedException) when calling FilterLogEvents");
    let cut_off = folder.file("cut-off.json", "{\"events\": [");
    let none = folder.file("none.json", "{\"events\": []}");
    let bad = folder.file("bad.toml", "[stall]\ngrase = \"5m\"\n");
    let (no_events, gone) = (Folder::new("status-empty"), folder.0.join("gone.json"));
    let (a, gone) = (folder.0.join("a"), gone.to_str().unwrap());
    let a = a.to_str().unwrap();
    for (arguments, status) in [
        (vec!["replay", a], 0),
        (vec!["replay", a, "--exit-code"], 1),
        (vec!["replay", &quiet, "--exit-code"], 0),
        (vec!["replay", &quiet, &broken], 0),
        (vec!["replay", &job, &broken], 0),
        (vec!["replay", a, no_events.path()], 2),
        (vec!["replay", a, gone, "--exit-code"], 2),
        (vec!["replay", &broken], 0),
        (vec!["replay", &empty], 2),
        (vec!["replay", &error], 2),
        (vec!["replay", &cut_off], 2),
        (vec!["replay", &none], 0),
        (vec!["replay", gone], 2),
        (vec!["replay", no_events.path()], 2),
        (vec!["replay", a, "--config", &bad], 2),
        (vec!["replay", a, "--config", gone], 2),
        (vec!["replay", a, "--grace", "5"], 2),
        (vec!["replay", a, "--settle", "soon"], 2),
        (vec!["replay", a, "--format", "yaml"], 2),
        (vec!["replay", a, "--no-such-flag"], 2),
        (vec!["replay"], 2),
        (vec!["no-such-command"], 2),
        (vec!["--version"], 0),
        (vec!["replay", "--help"], 0),
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.err);
        assert_eq!(ran.err.is_empty(), status != 2, "{arguments:?}: {}", ran.err);
    }
}

/// A terminal of 80 columns and 50 rows: the verdict, the alarm and its steps, the queue.
#[test]
fn the_first_screen_of_the_founding_incident_is_short() {
    let founding = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").to_string_lossy().into_owned();
    let brief = run(&["replay", &founding]).out;
    let rows: usize = brief.lines().map(|line| line.chars().count().div_ceil(80).max(1)).sum();
    assert!(rows <= 40, "{rows} rows:\n{brief}");
    assert!(brief.starts_with("1 page, open at the end.\n"), "{brief}");
    for said in [
        "ALARM app redis:default: no job started for 6 min, 2 waiting\n",
        "Most likely: the worker writes to a file that CloudWatch does not get (storage/logs/queue-20251206.log).",
        "3. Count what waits in the queue",
        "redis:default: 7 enqueued, none started, 7 waiting at the end",
        "--details",
    ] {
        assert!(brief.contains(said), "{said}: {brief}");
    }
    let whole = run(&["replay", &founding, "--details"]).out;
    for part in ["TIMELINE", "INCIDENTS", "MESSAGES", "QUEUES", "LINES", "METRICS", "BLIND SPOTS"] {
        assert!(whole.contains(&format!("\n{part}")) && !brief.contains(part), "{part}: {whole}");
    }
}

#[test]
fn what_was_read_of_nothing_is_no_quiet_day() {
    let folder = Folder::new("nothing");
    let none = run(&["replay", &folder.file("none.json", "{\"events\": []}")]);
    assert_eq!(
        none.out,
        "Nothing to judge: no log line was read.\n0 payloads; 0 log lines, 0 about queues and workers\n"
    );
    let error = run(&["replay", &folder.file("error.json", "An error occurred (AccessDeniedException)")]);
    assert!(error.err.contains("nothing here is a saved event"), "{}", error.err);
    let idle = run(&["replay", &folder.file("job.json", good()[0].clone()), "--jobs"]);
    assert_eq!(idle.err, "queuewatch: --jobs does nothing without --format json\n");
    // PowerShell's `>` writes UTF-16.
    let utf16: Vec<u8> = format!("\u{feff}{}", good()[0]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = folder.0.join("windows.json");
    fs::write(&path, utf16).unwrap();
    assert_eq!(json(&[path.to_str().unwrap()])["counts"]["enqueued"], 1);
}

#[test]
fn what_cannot_be_read_loses_only_itself() {
    let folder = Folder::new("partly");
    let [job, later] = good();
    let files = [folder.file("1.json", job), folder.file("2.json", later)];
    let (empty, gone) = (Folder::new("partly-empty"), folder.0.join("gone.json"));
    let whole = json(&[&files[0], &files[1]]);
    let partly = json_with(&[&files[0], empty.path(), gone.to_str().unwrap(), &files[1]], b"", 2);
    assert_eq!(whole, partly);
    let ran = run(&["replay", "--format", "json", &files[0], empty.path(), gone.to_str().unwrap()]);
    assert!(ran.err.contains(empty.path()) && ran.err.contains("gone.json"), "{}", ran.err);
    assert!(ran.out.starts_with('{'), "{}", ran.out);
}

#[test]
fn a_folder_means_the_files_directly_in_it() {
    let folder = Folder::new("folder");
    let [job, later] = good();
    folder.file("b.json", &later);
    folder.file("a.jsonl", &job);
    folder.file("sub/c.json", event(&[(BEGIN_MS, enqueue(2))]));
    for other in ["a.txt", "index.md", ".hidden.json"] {
        folder.file(other, event(&[(BEGIN_MS, enqueue(3))]));
    }
    let report = json(&[folder.path()]);
    assert_eq!(report["payloads"]["data"], 2);
    assert_eq!(report["counts"]["enqueued"], 1);
    let only_sub = Folder::new("folder-sub");
    only_sub.file("sub/c.json", job);
    assert_eq!(run(&["replay", only_sub.path()]).status, 2);
}

#[test]
fn every_way_of_saving_reads_the_same() {
    let folder = Folder::new("forms");
    let [job, later] = good();
    let expected = essence(&json(&["--jobs", &folder.file("1.json", &job), &folder.file("2.json", &later)]));
    let gzip = |text: &str| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let lines = format!("{job}\n\n{later}\n");
    for (name, content) in [
        ("a.jsonl", lines.clone().into_bytes()),
        ("b.ndjson", lines.clone().into_bytes()),
        ("c.jsonl.gz", gzip(&lines)),
        ("d.txt", lines.clone().into_bytes()),
    ] {
        assert_eq!(essence(&json(&["--jobs", &folder.file(name, content)])), expected, "{name}");
    }
    let zipped = [folder.file("1.json.gz", gzip(&job)), folder.file("2.json.gz", gzip(&later))];
    assert_eq!(essence(&json(&["--jobs", &zipped[0], &zipped[1]])), expected);
    assert_eq!(essence(&json_with(&["--jobs", "-"], lines.as_bytes(), 0)), expected);
}

#[test]
fn a_line_of_a_jsonl_is_named_by_its_number() {
    let folder = Folder::new("jsonl");
    let [job, _] = good();
    let path = folder.file("a.jsonl", format!("{job}\n\nnot json\n{{}}\n"));
    let report = json(&[&path]);
    assert_eq!(
        reasons(&report),
        [("a.jsonl:3".to_owned(), "not_json".to_owned()), ("a.jsonl:4".into(), "no_payload".into())]
    );
    assert_eq!(report["payloads"]["read"], 3);
}

#[test]
fn the_output_of_filter_log_events_is_read_in_its_group() {
    let folder = Folder::new("filtered");
    let one = |ms: i64, text: String, id: &str| {
        json!({"logStreamName": "ecs/app/1", "timestamp": ms, "message": text,
            "ingestionTime": ms + 2 * MINUTE_MS, "eventId": id})
    };
    let late = one(BEGIN_MS + 30 * MINUTE_MS, "GET /health".into(), "2");
    let page = json!({"events": [one(BEGIN_MS, enqueue(1), "1"), late], "searchedLogStreams": []});
    let path = folder.file("yesterday.json", page.to_string());
    let config = folder.file(
        "queuewatch.toml",
        "[[source]]\nlog_group = \"/ecs/app\"\npresets = []\n[[source]]\nlog_group = \"*\"\n",
    );
    let report = json(&[&path]);
    // Delivered two minutes late: known for its grace at 12:07:20.
    assert_eq!(report["incidents"][0]["opened_at"], "2026-01-05T12:08:00.000Z");
    let counted = |arguments: &[&str]| json(arguments)["counts"]["enqueued"].clone();
    assert_eq!(counted(&[&path, "--config", &config, "--log-group", "/ecs/other"]), 1);
    assert_eq!(counted(&[&path, "--config", &config, "--log-group", "/ecs/app"]), 0);
    assert_eq!(counted(&[&path, "--config", &config]), 0, "an unnamed group matches any source");
}

#[test]
fn flags_reach_what_they_name() {
    let folder = Folder::new("flags");
    let [job, later] = good();
    let (job, later) = (folder.file("1.json", job), folder.file("2.json", later));
    let opened = |arguments: &[&str]| {
        let report = json(&[&[job.as_str(), later.as_str()], arguments].concat());
        report["incidents"][0]["opened_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(opened(&[]), "2026-01-05T12:06:00.000Z");
    assert_eq!(opened(&["--grace", "10m"]), "2026-01-05T12:11:00.000Z");
    let queue = folder.file("q.toml", "[[queue]]\nname = \"default\"\ngrace = \"20m\"\n");
    assert_eq!(opened(&["--grace", "10m", "--config", &queue]), "2026-01-05T12:21:00.000Z");
    let plain = json(&[&job, &later]);
    assert!(plain.get("jobs").is_none() && plain["metrics"][0].get("minutes").is_none());
    assert_eq!(plain["incidents"][0]["app"], "app");
    let full = json(&[&job, &later, "--jobs", "--metrics", "--app", "staging", "--settle", "2h"]);
    assert_eq!(full["jobs"][0]["state"], "pending");
    assert!(full["metrics"][0]["minutes"].is_array());
    assert_eq!(full["incidents"][0]["app"], "staging");
    assert_eq!(
        (&plain["ends_at"], &full["ends_at"]),
        (&"2026-01-05T13:01:00.000Z".into(), &"2026-01-05T14:31:00.000Z".into())
    );
}

#[test]
fn the_given_order_is_kept_where_asked() {
    let folder = Folder::new("order");
    let [job, later] = good();
    let (job, later) = (folder.file("1.json", job), folder.file("2.json", later));
    // The job's line reaches us half an hour late: it is not overdue before its grace is over again.
    let kept = json(&[&later, &job, "--keep-order"]);
    assert_eq!(kept["incidents"][0]["opened_at"], "2026-01-05T12:36:00.000Z");
    assert_eq!(json(&[&later, &job]), json(&[&job, &later]));
    let same = ["counts", "pending"];
    assert!(same.iter().all(|key| kept[key] == json(&[&job, &later])[key]));
}

#[test]
fn the_environment_yields_to_flags() {
    let folder = Folder::new("environment");
    let [job, later] = good();
    let (job, later) = (folder.file("1.json", job), folder.file("2.json", later));
    let opened = |flags: &[&str], variables: &[(&str, &str)]| {
        let ran = run_with(
            &[&["replay", "--format", "json", job.as_str(), later.as_str()], flags].concat(),
            b"",
            variables,
        );
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        report["incidents"][0]["opened_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(opened(&[], &[("QUEUEWATCH_GRACE", "10m")]), "2026-01-05T12:11:00.000Z");
    assert_eq!(opened(&["--grace", "15m"], &[("QUEUEWATCH_GRACE", "x")]), "2026-01-05T12:16:00.000Z");
    assert_eq!(run_with(&["replay", &job], b"", &[("QUEUEWATCH_GRACE", "x")]).status, 2);
}

#[test]
fn plain_alarms_are_put_beside_the_incidents() {
    let founding = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").to_string_lossy().into_owned();
    let report = json(&[&founding, "--versus", "cloudwatch"]);
    let alarms = report["versus"]["alarms"].as_array().unwrap();
    let rang = |name: &str| -> Vec<&Value> {
        let alarm = alarms.iter().find(|alarm| alarm["name"] == name).unwrap();
        alarm["spells"].as_array().unwrap().iter().map(|spell| &spell["alarm_at"]).collect()
    };
    assert_eq!(alarms.len(), 9);
    assert_eq!(rang("B2").first(), Some(&&json!("2025-12-06T12:33:00.000Z")));
    assert!(rang("B2").len() > 2, "it says that all is well in between: {:?}", rang("B2"));
    assert_eq!(rang("B5"), Vec::<&Value>::new());
    assert_eq!(alarms[2]["looks_at"], json!(["IF(FILL(enqueued,0)>0 AND FILL(started,0)==0,1,0)"]));
    let mut without = report.clone();
    without.as_object_mut().unwrap().remove("versus");
    assert_eq!(without, json(&[&founding]), "it changes nothing else");

    let text = run(&["replay", &founding, "--versus", "cloudwatch"]);
    assert_eq!(text.status, 0);
    for part in [
        "VERSUS plain CloudWatch alarms",
        "stalled-redis-default-20251206T1237Z (page)",
        "2025-12-06 12:33:00",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert!(text.out.contains("and 1 time more\n") && !text.out.contains(" 1 times"), "{}", text.out);
    assert!(!run(&["replay", &founding]).out.contains("VERSUS"));
    assert_eq!(run(&["replay", &founding, "--versus", "nobody"]).status, 2);
}

#[test]
fn what_there_is_one_of_is_told_as_one() {
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/control-message");
    let text = run(&["replay", check.to_str().unwrap()]);
    assert!(text.out.contains(", 1 reachability check;"), "{}", text.out);
    let folder = Folder::new("one");
    let at = |minutes: i64| (BEGIN_MS + minutes * MINUTE_MS, "GET /health".to_owned());
    let late = |back_days: i64| event(&[at(0), at(1), at(2), at(-back_days * 1_440)]);
    let text = run(&["replay", &folder.file("late.json", late(20))]);
    assert!(
        text.out.contains(
            "\n1 line is stamped too far from the rest (14 days back, 2 hours ahead) and was left out\n"
        ),
        "{}",
        text.out
    );
}

/// What metric filters count is what CloudWatch took in, however often a subscription delivers it.
#[test]
fn a_line_delivered_twice_counts_once_for_plain_alarms() {
    let folder = Folder::new("versus");
    let at = |minutes: i64, line: String| event(&[(BEGIN_MS + minutes * MINUTE_MS, line)]);
    // An alarm that looks back an hour is first looked at after one.
    let first = folder.file("0.json", at(0, "GET /health".into()));
    let one = folder.file("1.json", at(50, enqueue(1)));
    let two = folder.file("2.json", at(66, enqueue(2)));
    let last = folder.file("3.json", at(90, "GET /health".into()));
    let alarms = |paths: &[&str]| {
        let report = json(&[&["--versus", "cloudwatch"], paths].concat());
        report["versus"]["alarms"].as_array().unwrap().clone()
    };
    let once = alarms(&[&first, &one, &two, &last]);
    assert_eq!(once, alarms(&[&first, &one, &two, &last, &one, &two, &one, &two]));
    let per_queue = &once[8]["looks_at"];
    assert_eq!(per_queue[0], "IF(FILL(enqueued[default],0)>0 AND FILL(started[default],0)==0,1,0)");
    // Three such jobs each quarter of an hour would have rung.
    assert_eq!((&once[4]["name"], &once[4]["spells"]), (&json!("B3"), &json!([])));
}

#[test]
fn the_same_input_gives_the_same_bytes_and_no_colours_in_a_pipe() {
    let folder = Folder::new("bytes");
    let [job, later] = good();
    folder.file("1.json", job);
    folder.file("2.json", later);
    for arguments in [
        vec!["replay", folder.path(), "--details"],
        vec!["replay", folder.path(), "--format", "json", "--jobs"],
    ] {
        let (one, other) = (run(&arguments), run(&arguments));
        assert_eq!(one.out, other.out);
        assert!(one.err.is_empty(), "{}", one.err);
        assert!(!one.out.contains('\u{1b}'));
        assert!(one.out.contains("stalled-redis-default-20260105T1206Z"));
        let forced = run_with(&arguments, b"", &[("NO_COLOR", "1")]);
        assert_eq!(forced.out, one.out);
    }
}

/// A payload of this document.
fn payload(document: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(document).unwrap();
    let data = base64_simd::STANDARD.encode_to_string(gzip.finish().unwrap());
    json!({"awslogs": {"data": data}}).to_string()
}

fn document(message: &str) -> String {
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/ecs/app","logStream":"s","subscriptionFilters":["f"],"logEvents":[{{"id":"9","timestamp":{BEGIN_MS},"message":"{message}"}}]}}"#
    )
}

/// The data of a good event, changed.
fn damaged(change: impl Fn(&mut Vec<u8>)) -> String {
    let text = payload(document("x").as_bytes());
    let event: Value = serde_json::from_str(&text).unwrap();
    let data = event["awslogs"]["data"].as_str().unwrap();
    let mut bytes = base64_simd::STANDARD.decode_to_vec(data.as_bytes()).unwrap();
    change(&mut bytes);
    json!({"awslogs": {"data": base64_simd::STANDARD.encode_to_string(bytes)}}).to_string()
}

#[test]
fn garbage_beside_a_good_payload_is_counted_and_changes_nothing_else() {
    let folder = Folder::new("garbage");
    let [job, later] = good();
    folder.file("0-job.json", job);
    let alone = Folder::new("garbage-alone");
    alone.file("0-job.json", good()[0].as_bytes());
    alone.file("9-later.json", good()[1].as_bytes());
    let bomb = [br#"{"messageType":"DATA_MESSAGE","owner":""#.as_slice(), &vec![b'a'; 200 << 20]].concat();
    for (name, content, _) in [
        ("bomb.json", payload(&bomb).into_bytes(), "inflated_too_large"),
        ("truncated.json", damaged(|bytes| bytes.truncate(40)).into_bytes(), "truncated"),
        (
            "checksum.json",
            damaged(|b| {
                let n = b.len() - 6;
                b[n] ^= 1;
            })
            .into_bytes(),
            "bad_checksum",
        ),
        ("trailing.json", damaged(|bytes| bytes.extend(*b"more")).into_bytes(), "trailing_bytes"),
        ("gzip.json", damaged(|bytes| bytes[0] = 0).into_bytes(), "not_gzip"),
        ("base64.json", br#"{"awslogs":{"data":"a_-b"}}"#.to_vec(), "bad_base64"),
        ("json.json", b"{not json".to_vec(), "not_json"),
        ("cut.json", payload(b"{}").as_bytes()[..30].to_vec(), "not_json"),
        ("empty.json", Vec::new(), "not_json"),
        ("nothing.json", b"{\"hello\":1}".to_vec(), "no_payload"),
        ("utf8.json", b"\xff\xfe{\"awslogs\":1}".to_vec(), "not_json"),
        ("document.json", payload(br#"{"messageType":"#).into_bytes(), "bad_document"),
        ("inner-utf8.json", payload(b"{\"messageType\":\"\xff\"}").into_bytes(), "bad_document"),
        ("array.json", payload(b"[1,2]").into_bytes(), "bad_document"),
    ] {
        folder.file(&format!("5-{name}"), content);
    }
    folder.file("9-later.json", later);
    let report = json(&["--jobs", folder.path()]);
    assert_eq!(essence(&report), essence(&json(&["--jobs", alone.path()])));
    let got = reasons(&report);
    let expected = [
        ("array", "bad_document"),
        ("base64", "bad_base64"),
        ("bomb", "inflated_too_large"),
        ("checksum", "bad_checksum"),
        ("cut", "not_json"),
        ("document", "bad_document"),
        ("empty", "not_json"),
        ("gzip", "not_gzip"),
        ("inner-utf8", "bad_document"),
        ("json", "not_json"),
        ("nothing", "no_payload"),
        ("trailing", "trailing_bytes"),
        ("truncated", "truncated"),
        ("utf8", "not_json"),
    ]
    .map(|(name, reason)| (format!("5-{name}.json"), reason.to_owned()));
    assert_eq!(got, expected);
}

#[test]
fn strange_lines_are_data() {
    let folder = Folder::new("strange");
    let [job, later] = good();
    let alone = json(&["--jobs", &folder.file("a/1.json", &job), &folder.file("a/2.json", &later)]);
    let long = format!("{}{}", enqueue(2).replace("Job queued", "Job q"), "x".repeat(1 << 20));
    for (name, message) in [
        ("long", long.replace('\\', "\\\\").replace('"', "\\\"")),
        ("surrogate", r"\ud800 Processing: App\\Jobs\\X".to_owned()),
        ("nul", r"\u0000\u001b[31m\u0007".to_owned()),
        ("empty", String::new()),
    ] {
        let strange = folder.file(&format!("{name}.json"), payload(document(&message).as_bytes()));
        let (one, other) = (folder.file("b/1.json", &job), folder.file("b/2.json", &later));
        let report = json(&["--jobs", &one, &strange, &other]);
        assert_eq!(essence(&report), essence(&alone), "{name}");
    }
}

#[test]
fn bits_flipped_anywhere_are_no_panic_and_no_other_count() {
    let folder = Folder::new("bits");
    let [job, later] = good();
    let alone = json(&["--jobs", &folder.file("a/1.json", &job), &folder.file("a/2.json", &later)]);
    let text = payload(document("hello").as_bytes());
    let mut lines = String::new();
    for at in (0..text.len()).step_by(3) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << (at % 7);
        if let Ok(text) = String::from_utf8(bytes) {
            lines.push_str(&text.replace('\n', " "));
            lines.push('\n');
        }
    }
    let flipped = folder.file("flipped.jsonl", lines);
    let (one, other) = (folder.file("b/1.json", &job), folder.file("b/2.json", &later));
    let report = json(&["--jobs", &one, &flipped, &other]);
    assert_eq!(essence(&report), essence(&alone));
    assert!(report["payloads"]["rejected"].as_array().unwrap().len() > 50);
}

#[test]
fn stamps_of_1970_and_of_the_year_5000_move_no_clock() {
    let folder = Folder::new("stamps");
    let [job, later] = good();
    let alone = json(&["--jobs", &folder.file("a/1.json", &job), &folder.file("a/2.json", &later)]);
    for far in [0, 1, 95_617_584_000_000, i64::MAX, i64::MIN, -1] {
        let in_line = event(&[(BEGIN_MS, enqueue(1)), (far, enqueue(7))]);
        // `pack` may cut lines so far apart; then the second is a payload of its own, as below.
        let inside =
            [folder.file("b/1.jsonl", in_line.replace("}}{", "}}\n{")), folder.file("b/2.json", &later)];
        let own = [
            &inside[1],
            &folder.file("c/1.json", &job),
            &folder.file("c/far.json", event(&[(far, enqueue(7))])),
        ];
        for paths in [vec![inside[0].as_str(), inside[1].as_str()], own.map(String::as_str).to_vec()] {
            let report = json(&[&["--jobs"], paths.as_slice()].concat());
            assert_eq!(essence(&report), essence(&alone), "{far} {paths:?}");
            assert_eq!(report["lines"]["late"], 1, "{far} {paths:?}");
        }
    }
}

#[test]
fn explain_tells_who_reads_a_line_or_why_nobody_does() {
    let read = run(&["explain", "  2026-01-05 12:00:00 App\\Jobs\\Mail ........ RUNNING"]);
    assert!(read.status == 0 && read.err.is_empty());
    assert!(read.out.contains("processing") && read.out.contains("App\\Jobs\\Mail"), "{}", read.out);
    let near = run(&["explain", "[2026-01-05 12:00:00] Processing App\\Jobs\\Mail"]);
    assert!(near.out.contains("not a line that queuewatch reads"), "{}", near.out);
    let piped = run_with(&["explain"], format!("{}\nGET /\n", enqueue(1)).as_bytes(), &[]);
    assert!(piped.out.contains("enqueued") && piped.out.contains("GET /"), "{}", piped.out);
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_says_so_where_aws_is_asked_for() {
    for arguments in [
        &["doctor"][..],
        &["redrive"],
        &["close", "stalled-redis-default-20260105T0906Z", "--reason", "r", "--stack", "queuewatch"],
        &["silence", "default", "--until", "2999-01-01T00:00Z", "--reason", "r", "--function", "sweep"],
    ] {
        let ran = run(arguments);
        assert_eq!((ran.status, &*ran.out), (2, ""), "{}", ran.err);
        assert!(ran.err.contains("feature `aws`") && ran.err.contains(arguments[0]), "{}", ran.err);
    }
}

#[test]
fn every_command_has_help_in_every_build() {
    let all = run(&["--help"]);
    for command in
        ["replay", "explain", "pack", "unpack", "check", "watch", "close", "silence", "doctor", "redrive"]
    {
        assert!(all.out.contains(&format!("\n  {command} ")), "{}", all.out);
        let ran = run(&[command, "--help"]);
        assert!(ran.status == 0 && ran.out.contains("Usage: queuewatch "), "{}", ran.out);
    }
}

#[test]
fn the_example_configuration_holds_every_key_and_is_fine() {
    let ran = run(&["check", concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queuewatch.example.toml")]);
    assert!(ran.status == 0 && ran.err.is_empty(), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("[[rule]] 2"), "{}", ran.out);
}

#[test]
fn check_names_rule_key_and_position() {
    let folder = Folder::new("check");
    let good = folder.file("good.toml", "app = \"shop\"\n[stall]\ngrace = \"10m\"\n");
    let ran = run(&["check", &good]);
    assert!(ran.status == 0 && ran.out.contains("shop") && ran.err.is_empty(), "{}{}", ran.out, ran.err);
    let rule =
        "[[rule]]\nname = \"avatar requested\"\nstage = \"enqueued\"\npattern = '(unclosed'\nclass = 'X'\n";
    for (text, said) in [
        (rule, vec!["avatar requested", "pattern", "4"]),
        ("[stall]\ngrase = \"5m\"\n", vec!["grase", "2"]),
        ("[stall]\ngrace = 5\n", vec!["grace", "2"]),
        ("[stall\n", vec!["1"]),
    ] {
        let ran = run(&["check", &folder.file("bad.toml", text)]);
        assert_eq!(ran.status, 2);
        assert!(ran.out.is_empty(), "{}", ran.out);
        assert!(ran.err.contains("bad.toml"), "{}", ran.err);
        assert!(said.iter().all(|word| ran.err.contains(word)), "{said:?}: {}", ran.err);
    }
}

#[test]
fn a_wrong_rule_is_told_alike_by_every_command_with_file_rule_and_key_once() {
    let folder = Folder::new("rule");
    let rule = |key: &str| format!("[[rule]]\nname = \"avatar\"\nstage = \"enqueued\"\n{key}\n");
    for (key, said) in [
        ("pattern = '(unclosed'", "line 4, column 11: rule \"avatar\": pattern: byte 0: regex parse error"),
        (
            "json = { when = { \"a..b\" = 1 } }",
            "line 4, column 8: rule \"avatar\": json.when: byte 2: the path \"a..b\" has an empty segment\n",
        ),
        (
            "pattern = 'x'\nexample = 'y'",
            "line 5, column 11: rule \"avatar\": example: the rule does not read its own example: the pattern \"x\"",
        ),
    ] {
        let bad = folder.file("bad.toml", rule(key));
        let log = folder.file("app.log", "");
        for arguments in [
            vec!["check", &bad],
            vec!["explain", "--config", &bad, "line"],
            vec!["replay", "--config", &bad, &log],
            vec!["watch", "--no-state", "--config", &bad, &log],
        ] {
            let ran = run(&arguments);
            assert_eq!(ran.status, 2, "{arguments:?}");
            assert!(ran.err.starts_with(&format!("queuewatch: {bad}: {said}")), "{arguments:?}: {}", ran.err);
            for once in ["bad.toml", "avatar", "rule \""] {
                assert_eq!(ran.err.matches(once).count(), 1, "{arguments:?}: {}", ran.err);
            }
        }
    }
}

#[test]
fn what_is_packed_unpacks_again() {
    let folder = Folder::new("pack");
    let log = format!("{}\nGET /\thealth\n", enqueue(1).trim_end());
    let (log, stamps) =
        (folder.file("app.log", &log), folder.file("app.ts", format!("{BEGIN_MS}\n{}\n", BEGIN_MS + 9_000)));
    let place = ["--log-group", "/ecs/app", "--log-stream", "ecs/app/1", "--timestamps", &stamps];
    let packed = run(&[&["pack", &log], place.as_slice()].concat());
    assert_eq!((packed.status, packed.out.lines().count()), (0, 2), "{}", packed.err);
    let unpacked = run_with(&["unpack", "-"], packed.out.as_bytes(), &[]);
    let expected = format!(
        "2026-01-05T12:00:20.000Z\t/ecs/app\tecs/app/1\t{}\n2026-01-05T12:00:29.000Z\t/ecs/app\tecs/app/1\tGET /\\thealth\n",
        enqueue(1).trim_end()
    );
    assert_eq!(unpacked.out, expected);
    let out = folder.0.join("out");
    let written =
        run(&[&["pack", &log, "--out", out.to_str().unwrap(), "--batch-ms", "60000"], place.as_slice()]
            .concat());
    assert!(written.status == 0 && written.out.is_empty(), "{}", written.err);
    assert_eq!(run(&["unpack", out.to_str().unwrap()]).out, expected);
    let local = run(&["pack", &log, "--log-group", "g", "--log-stream", "s"]);
    assert!(local.status == 2 && local.err.contains("--timezone"), "{}", local.err);
    let zone = ["pack", &log, "--log-group", "g", "--log-stream", "s", "--timezone", "Asia/Tokyo"];
    let tokyo = run_with(&["unpack", "-"], run(&zone).out.as_bytes(), &[]);
    assert!(tokyo.out.starts_with("2026-01-05T03:00:20.000Z\t"), "{}", tokyo.out);
    let no_time = folder.file("raw.log", "no time here\n");
    let refused = run(&["pack", &no_time, "--log-group", "g", "--log-stream", "s"]);
    assert!(refused.status == 2 && refused.out.is_empty() && refused.err.contains("--timestamps"));
}

/// The job that waits, and a line half an hour later, as `aws logs tail`, Logs Insights and the console have them.
fn exports() -> Vec<(&'static str, String)> {
    let (at, later) = ("2026-01-05T12:00:20", "2026-01-05T12:30:20");
    let (job, health) = (enqueue(1), "GET /health");
    let spaced = |at: &str| at.replace('T', " ");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let field = |name: &str, value: &str| json!({"field": name, "value": value});
    let result = |at: &str, message: &str| {
        json!([
            field("@timestamp", &format!("{}.000", spaced(at))),
            field("@message", message),
            field("@logStream", "s")
        ])
    };
    let downloaded = |at: &str, message: &str| json!({"@timestamp": format!("{}.000", spaced(at)), "@message": message, "@logStream": "s"});
    vec![
        ("short.txt", format!("{at} {job}\n{later} {health}\n")),
        ("detailed.log", format!("{at}.000000+00:00 s {job}\n{later}+00:00 s {health}\n")),
        ("results.json", json!({"results": [result(later, health), result(at, &job)], "status": "Complete"}).to_string()),
        ("downloaded.json", json!([downloaded(later, health), downloaded(at, &job)]).to_string()),
        ("insights.csv", format!("@timestamp,@message,@logStream\n{}.000,{health},s\n{}.000,{},s\n", spaced(later), spaced(at), quoted(&job))),
        ("console.csv", format!("timestamp,message\n{BEGIN_MS},{}\n{},{health}\n", quoted(&job), BEGIN_MS + 30 * MINUTE_MS)),
        ("events.json", json!({"events": [{"timestamp": BEGIN_MS, "message": job, "ingestionTime": BEGIN_MS},
            {"timestamp": BEGIN_MS + 30 * MINUTE_MS, "message": health, "ingestionTime": BEGIN_MS + 30 * MINUTE_MS}], "nextForwardToken": "f/1"}).to_string()),
    ]
}

#[test]
fn what_people_have_saved_is_replayed_as_the_events_would_be() {
    let folder = Folder::new("exports");
    for (name, content) in exports() {
        let path = folder.file(name, &content);
        for report in [json(&[&path]), json_with(&["-"], content.as_bytes(), 0)] {
            assert_eq!(report["counts"]["enqueued"], 1, "{name}");
            assert_eq!(report["lines"]["read"], 2, "{name}");
            assert_eq!(report["incidents"][0]["id"], "stalled-redis-default-20260105T1206Z", "{name}");
        }
    }
    // What is in none of these forms is said with what to do.
    let raw = folder.file("raw.log", enqueue(1));
    let ran = run(&["replay", &raw]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--timezone") && ran.err.contains("queuewatch pack"), "{}", ran.err);
}

#[test]
fn a_shell_can_complete_and_a_manual_can_be_read() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{shell}");
        for word in ["queuewatch", "replay", "versus", "silence"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    let page = run(&["man"]);
    assert!(
        page.status == 0 && page.out.contains(".TH queuewatch 1") && page.out.contains("replay"),
        "{}",
        page.out
    );
    let page = run(&["man", "replay"]);
    assert!(
        page.out.contains(".TH queuewatch-replay 1") && page.out.contains("keep\\-order"),
        "{}",
        page.out
    );
    let none = run(&["man", "nothing"]);
    assert!(none.status == 2 && none.err.contains("there is no command `nothing`"), "{}", none.err);
}

//! Files, folders and streams of saved events, and what is refused.

use std::io::Write;

use super::*;
use crate::domain::job::Timestamp;
use crate::pack::EventIds;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = std::env::temp_dir().join(format!("queuewatch-saved-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self(folder)
    }

    fn read(&self, paths: &[&str]) -> (Vec<Saved>, Vec<SavedError>) {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.0.join(path)).collect();
        read(&paths, "/ecs/a", &mut io::empty())
    }

    /// What was read, as `source=event` or `source=stream[messages]`, and what was not.
    #[track_caller]
    fn check(&self, paths: &[&str], expected: &[&str], expected_errors: &[&str]) {
        let (saved, errors) = self.read(paths);
        let at = format!("{}/", self.0.display());
        assert_eq!(shown(&saved, &at), expected);
        let errors: Vec<String> = errors.iter().map(|error| error.to_string().replace(&at, "")).collect();
        assert_eq!(errors.len(), expected_errors.len(), "{errors:?}");
        for (error, expected) in errors.iter().zip(expected_errors) {
            assert!(error.contains(expected), "{error:?} holds {expected:?}");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn shown(saved: &[Saved], at: &str) -> Vec<String> {
    let body = |body: &SavedBody| match body {
        SavedBody::Event(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        SavedBody::Run(run) => {
            let messages: Vec<&str> = run.lines.iter().map(|line| line.message.as_str()).collect();
            format!("{}[{}]", run.log_stream, messages.join(","))
        }
    };
    saved.iter().map(|saved| format!("{}={}", saved.source.replace(at, ""), body(&saved.body))).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_folder_is_its_event_files_in_name_order_and_nothing_below() {
    let folder = Folder::new(
        "folder",
        &[
            ("b.json", b"{\"b\":1}"),
            ("a.jsonl", b"{\"a\":1}\n\n  \n{\"a\":4}\r\n"),
            ("c.ndjson", b"{\"c\":1}"),
            ("D.JSON", b"{\"d\":1}"),
            ("e.json.gz", &gzip(b"{\"e\":1}")),
            ("f.jsonl.gz", &gzip(b"{\"f\":1}\n{\"f\":2}\n")),
            ("g.txt", b"{\"g\":1}"),
            ("README.md", b"{}"),
            ("h.gz", &gzip(b"{}")),
            ("._b.json", b"\x00"),
            ("json", b"{}"),
            ("deep/x.json", b"{\"x\":1}"),
        ],
    );
    let expected = [
        "D.JSON={\"d\":1}",
        "a.jsonl:1={\"a\":1}",
        "a.jsonl:4={\"a\":4}\r",
        "b.json={\"b\":1}",
        "c.ndjson:1={\"c\":1}",
        "e.json.gz={\"e\":1}",
        "f.jsonl.gz:1={\"f\":1}",
        "f.jsonl.gz:2={\"f\":2}",
    ];
    folder.check(&[""], &expected, &[]);
    folder.check(&["deep", "b.json"], &["deep/x.json={\"x\":1}", "b.json={\"b\":1}"], &[]);
}

#[test]
fn an_unreadable_file_loses_only_itself() {
    let mut cut = gzip(b"{\"cut\":1}");
    cut.truncate(15);
    let files: &[(&str, &[u8])] =
        &[("a.json", b"{}"), ("cut.json.gz", &cut), ("z.json", b"[]x"), ("none/x.txt", b"")];
    let folder = Folder::new("unreadable", files);
    folder.check(
        &["absent.json", "", "none", "absent"],
        &["a.json={}", "z.json=[]x"],
        &["cannot read absent.json", "cannot read cut.json.gz", "none holds no .json", "cannot read absent"],
    );
}

#[test]
fn a_document_is_handed_on_as_it_is() {
    let pretty = "{\n  \"awslogs\": {\n    \"data\": \"H4sI\"\n  }\n}\n";
    let folder =
        Folder::new("as-is", &[("a.json", pretty.as_bytes()), ("b.json", b"\xff\xfe"), ("c.json", b"")]);
    folder.check(&["a.json"], &[&format!("a.json={pretty}")], &[]);
    folder.check(&["b.json", "c.json"], &["b.json=\u{fffd}\u{fffd}", "c.json="], &[]);
}

#[test]
fn another_extension_is_tried_as_json() {
    let files: &[(&str, &[u8])] = &[
        ("a.txt", b" \n{\"a\":1}"),
        ("b", b"{\"b\":"),
        ("c.out", b"{\"c\":1}\n{\"c\":2}\n"),
        ("d.txt", b"[{\"logStreamName\":\"s\",\"timestamp\":1,\"message\":\"m\"}]"),
        ("e.log", b"[2025-12-06 12:31:10] production.INFO: x\n"),
        ("f.log", b"  2025-12-06 12:40:36 App\n"),
        ("g.log", b""),
        ("h.gz", &gzip(b"{\"h\":1}")),
    ];
    let folder = Folder::new("other", files);
    let paths: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let expected = [
        "a.txt= \n{\"a\":1}",
        "b={\"b\":",
        "c.out:1={\"c\":1}",
        "c.out:2={\"c\":2}",
        "d.txt=s[m]",
        "h.gz={\"h\":1}",
    ];
    let errors = ["e.log is a raw log file", "f.log is a raw log file", "g.log is no saved event"];
    folder.check(&paths, &expected, &errors);
}

#[test]
fn lines_that_say_when_they_were_written_are_read() {
    let files: &[(&str, &[u8])] = &[
        ("a.log", b"2025-12-06T12:31:10Z x\n#0 y\n2025-12-06T12:31:11Z z\n"),
        ("b.txt", b"An error occurred (AccessDeniedException)\n"),
        ("c", b"2025-12-06T12:31:10Z x\n"),
    ];
    let folder = Folder::new("raw", files);
    let read = ["a.log=[2025-12-06T12:31:10Z x,#0 y,2025-12-06T12:31:11Z z]"];
    folder.check(&["a.log", "b.txt", "c"], &read, &["b.txt is no saved event", "c is no saved event"]);
}

#[test]
fn an_export_to_s3_is_a_folder_of_streams() {
    let files: &[(&str, &[u8])] = &[
        ("logs/aws-logs-write-test", b"Permission Check Successful"),
        ("logs/4f1e/ecs-app-1/000000.gz", &gzip(b"2025-12-06T12:31:10.000Z x\n")),
        ("logs/4f1e/ecs-app-1/000001.gz", &gzip(b"2025-12-06T12:31:20.000Z y\n")),
        ("logs/4f1e/ecs-worker-1/000000.gz", &gzip(b"2025-12-06T12:31:12.000Z z\n")),
    ];
    let folder = Folder::new("s3", files);
    let read = [
        "logs/4f1e/ecs-app-1/000000.gz=ecs-app-1[2025-12-06T12:31:10.000Z x]",
        "logs/4f1e/ecs-app-1/000001.gz=ecs-app-1[2025-12-06T12:31:20.000Z y]",
        "logs/4f1e/ecs-worker-1/000000.gz=ecs-worker-1[2025-12-06T12:31:12.000Z z]",
    ];
    folder.check(&["logs"], &read, &[]);
    folder.check(&["logs/4f1e/ecs-worker-1"], &read[2..], &[]);
}

#[test]
fn a_dash_is_standard_input() {
    let read = |input: &[u8]| {
        let (saved, errors) = read(&["-".into()], "", &mut &*input);
        (shown(&saved, ""), errors.len())
    };
    assert_eq!(read(b"{\n\"a\":1}"), (vec!["-={\n\"a\":1}".into()], 0));
    assert_eq!(read(b"{\"a\":1}\n{\"a\":2}\n"), (vec!["-:1={\"a\":1}".into(), "-:2={\"a\":2}".into()], 0));
    assert_eq!(read(&gzip(b"{}")), (vec!["-={}".into()], 0));
    assert_eq!(read(b""), (vec![], 1));
}

/// (stream, time, ingestion, message)
type Filtered<'a> = (&'a str, i64, Option<i64>, &'a str);

fn filtered(events: &[Filtered<'_>]) -> String {
    let event = |(stream, at, ingested, message): &Filtered<'_>| {
        serde_json::json!({"logStreamName": stream, "timestamp": at, "ingestionTime": ingested,
            "message": message, "eventId": format!("id-{message}")})
    };
    let events: Vec<_> = events.iter().map(event).collect();
    serde_json::json!({"events": events, "searchedLogStreams": [], "nextToken": "x"}).to_string()
}

#[track_caller]
fn check_runs(events: &[Filtered<'_>], expected: &[&str]) {
    let (saved, errors) = read(&["-".into()], "/ecs/a", &mut filtered(events).as_bytes());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(shown(&saved, "-="), expected.iter().map(|run| format!("-={run}")).collect::<Vec<_>>());
}

#[test]
fn filtered_events_become_runs_of_one_stream() {
    check_runs(&[], &[]);
    check_runs(&[("s", 1, None, "a"), ("s", 2, None, "b")], &["s[a,b]"]);
    check_runs(&[("s", 1, None, "a"), ("t", 2, None, "b"), ("s", 3, None, "c")], &["s[a,c]", "t[b]"]);
}

#[test]
fn a_run_ends_five_seconds_from_its_first_line_by_ingestion() {
    check_runs(&[("s", 0, None, "a"), ("s", 5_000, None, "b"), ("s", 5_001, None, "c")], &["s[a,b]", "s[c]"]);
    check_runs(&[("s", 0, None, "a"), ("s", 4_000, None, "b"), ("s", 8_000, None, "c")], &["s[a,b]", "s[c]"]);
    check_runs(&[("s", 0, Some(90_000), "a"), ("s", 60_000, Some(90_100), "b")], &["s[a,b]"]);
    check_runs(&[("s", 0, Some(0), "a"), ("s", 0, Some(60_000), "b")], &["s[a]", "s[b]"]);
    check_runs(&[("s", 9_000, None, "a"), ("s", 0, None, "b")], &["s[a]", "s[b]"]);
    check_runs(&[("s", i64::MIN, None, "a"), ("s", i64::MAX, None, "b")], &["s[a]", "s[b]"]);
}

#[test]
fn a_run_holds_a_thousand_lines() {
    let events: Vec<Filtered<'_>> = vec![("s", 1, None, "x"); RUN_LINES_MAX + 1];
    let (saved, _) = read(&["-".into()], "", &mut filtered(&events).as_bytes());
    let counts: Vec<usize> = saved
        .iter()
        .map(|saved| match &saved.body {
            SavedBody::Run(run) => run.lines.len(),
            SavedBody::Event(_) => panic!("an event"),
        })
        .collect();
    assert_eq!(counts, [RUN_LINES_MAX, 1]);
}

#[test]
fn a_lines_id_is_cloudwatchs_or_derived_as_pack_does() {
    let text = r#"[{"logStreamName":"s","timestamp":5,"ingestionTime":6,"message":"m","eventId":"39"},
        {"logStreamName":"s","timestamp":5,"message":"n"},{"timestamp":5,"message":"n"},
        {"logStreamName":"s","timestamp":5,"message":"n","eventId":""}]"#;
    let (saved, errors) = read(&["-".into()], "/ecs/a", &mut text.as_bytes());
    assert!(errors.is_empty());
    let at = Timestamp::from_ms(5);
    let mut ids = EventIds::new("/ecs/a");
    let mut derived =
        |stream: &str| RunLine { id: ids.next(stream, at, "n"), at, ingested_at: None, message: "n".into() };
    let first =
        RunLine { id: "39".into(), at, ingested_at: Some(Timestamp::from_ms(6)), message: "m".into() };
    let run = |log_stream: &str, lines: Vec<RunLine>| {
        SavedBody::Run(Run { log_group: "/ecs/a".into(), log_stream: log_stream.into(), lines })
    };
    let named = run("s", vec![first, derived("s"), derived("s")]);
    let unnamed = run("", vec![derived("")]);
    assert_eq!(saved.into_iter().map(|saved| saved.body).collect::<Vec<_>>(), [named, unnamed]);
}

#[test]
fn an_element_that_is_no_log_event_loses_only_itself() {
    let files: &[(&str, &[u8])] = &[
        (
            "a.json",
            br#"{"events":[{"timestamp":1,"message":"a"},{"message":"b"},["s",1,"m",null,null],{"timestamp":2,"message":"c"}]}"#,
        ),
        ("b.json", b"\xef\xbb\xbf{\"events\":[{\"timestamp\":1,\"message\":\"m\"}]}"),
        ("c.json", br#"{"events":3}"#),
        ("d.jsonl", br#"{"events":[{"timestamp":1,"message":"m"}]}"#),
    ];
    Folder::new("elements", files).check(
        &[""],
        &["a.json=[a,c]", "b.json=[m]", "c.json={\"events\":3}", "d.jsonl:1=[m]"],
        &["a.json: element 2 is no log event", "a.json: element 3 is no log event"],
    );
}

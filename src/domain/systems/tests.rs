//! Lines in their order: sources, messages that go on, glued and wrapped lines.

mod package;
mod traces;

use super::*;
use crate::domain::job::{Form, LineKey, Observation, Stage, Timestamp, TracePart, TraceSide};

fn classify(lines: &[&str]) -> Classified {
    let classifier = Classifier::default();
    let mut reader = classifier.stream("/ecs/app", "ecs/app/1");
    for (number, line) in (1_i64..).zip(lines) {
        reader.line(LineKey(number.unsigned_abs()), Timestamp::from_ms(number), line);
    }
    reader.finish()
}

fn stages(lines: &[&str]) -> Vec<Stage> {
    classify(lines).observations.iter().map(|o| o.stage).collect()
}

#[track_caller]
fn check(lines: &[&str], expected: &[Stage]) {
    assert_eq!(stages(lines), expected, "{lines:#?}");
}

fn only(lines: &[&str]) -> Observation {
    let mut observations = classify(lines).observations;
    assert_eq!(observations.len(), 1, "{observations:#?}");
    observations.remove(0)
}

const START: &str = r"  2026-11-23 16:49:31 App\Jobs\X ................. RUNNING";
const DONE: &str = r"  2026-11-23 16:49:31 App\Jobs\X ......... 12.34ms DONE";
const FAIL: &str = r"  2026-11-23 16:49:31 App\Jobs\X ......... 12.34ms FAIL";
const FAKE: &str = r"[2025-01-01 00:00:00][abc] Processed:  App\Jobs\Fake";
const QUEUED: &str = r#"[2026-11-23 16:49:31] production.INFO: Job queued {"id":"h","job":"App\\Jobs\\X"} "#;
const FORGED: &str = r#"[2025-01-01 00:00:00] production.INFO: Job queued {"id":"forged"} "#;
const REFUSED: &str = r#"[2026-11-23 16:49:31] production.ERROR: Connection refused {"exception":"[object] (RedisException(code: 0): Connection refused at /v/PhpRedisConnector.php:185)"#;
const SQL: &str = r#"[2026-11-23 16:49:31] production.ERROR: SQLSTATE[HY000] gone {"userId":1,"exception":"[object] (Illuminate\\Database\\QueryException(code: 2006): SQLSTATE[HY000] gone at /v/Connection.php:1)"#;
const PUSH: &str = r"#1 /v/RedisQueue.php(1): Illuminate\\Queue\\RedisQueue->pushRaw()";
const POP: &str = r"#1 /v/RedisQueue.php(1): Illuminate\\Queue\\RedisQueue->pop()";
const NEUTRAL: &str = r"#0 /v/Connection.php(1): Redis->connect()";
const NOW: &str = r"#1 /v/CallQueuedHandler.php(1): Illuminate\\Bus\\Dispatcher->dispatchNow()";
const MAIN: &str = "#2 {main}";
const END: &str = "\"} ";

#[test]
fn the_first_source_that_covers_a_stream_reads_it() {
    let source = |log_stream: &str, presets: &[Preset]| SourceSpec {
        app: None,
        owner: None,
        log_group: "/ecs/app".into(),
        log_stream: log_stream.into(),
        presets: presets.to_vec(),
        queue: None,
        connection: None,
    };
    let classifier =
        Classifier::new(vec![source("ecs/web/*", &[]), source("ecs/*", Preset::DEFAULT)], Vec::new());
    let count = |log_group: &str, log_stream: &str| {
        let mut reader = classifier.stream(log_group, log_stream);
        reader.line(LineKey(1), Timestamp::from_ms(1), START);
        reader.finish().observations.len()
    };
    assert_eq!(count("/ecs/app", "ecs/worker/1"), 1);
    assert_eq!(count("/ecs/app", "ecs/web/1"), 0);
    assert_eq!(count("/ecs/other", "ecs/worker/1"), 0);
    assert_eq!(count("", "ecs/worker/1"), 1);
    assert_eq!(count("/ecs/app", ""), 0, "an empty stream fits the first source, which has no presets");
    assert_eq!(Classifier::default().stream("", "").finish(), Classified::default());
}

#[test]
fn a_rule_comes_before_the_presets() {
    let spec = RuleSpec {
        name: "starts are releases".into(),
        stage: Stage::Released,
        pattern: Some("RUNNING".into()),
        json: None,
        class: None,
        queue: None,
        connection: None,
        example: None,
    };
    let classifier = Classifier::new(Vec::new(), vec![Rule::compile(spec).expect("a good rule")]);
    let mut reader = classifier.stream("", "");
    reader.line(LineKey(1), Timestamp::from_ms(1), START);
    reader.line(LineKey(2), Timestamp::from_ms(2), DONE);
    let forms: Vec<_> = reader.finish().observations.iter().map(|o| (o.stage, o.form)).collect();
    assert_eq!(forms, [(Stage::Released, Form::Rule), (Stage::Processed, Form::TwoLine)]);
}

#[test]
fn every_line_of_an_event_is_read_but_those_inside_its_record() {
    check(&[&format!("{START}\n{DONE}")], &[Stage::Processing, Stage::Processed]);
    check(&[&format!("text\n{DONE}\n")], &[Stage::Processed]);
    check(
        &[&format!("{QUEUED}\r\n{START}\r\n{DONE}")],
        &[Stage::Enqueued, Stage::Processing, Stage::Processed],
    );
    let glued = format!("{REFUSED}\n[stacktrace]\n{NEUTRAL}\n{PUSH}\n{MAIN}\n{END}\n{START}");
    check(&[&glued], &[Stage::EnqueueError, Stage::Processing]);
    let open = "[2026-11-23 16:49:31] production.INFO: Cache warmed";
    let glued = format!("{open}\n\n{START}\n\n{DONE}");
    check(&[&glued], &[Stage::Processing, Stage::Processed]);
    check(&[&format!("{open}\n{START}\nlast {{\"order\":1}} \n{DONE}")], &[Stage::Processed]);
    check(&[&format!("{open}\n{FAKE}")], &[]);
    check(
        &[&format!("{REFUSED}\n[stacktrace]\n{NEUTRAL}\n{PUSH}\n{DONE}\n{MAIN}\n{END}"), DONE],
        &[Stage::EnqueueError, Stage::Processed],
    );
    let whole = classify(&[&format!("{REFUSED}\n[stacktrace]\n{NEUTRAL}\n")]);
    assert_eq!(whole.split_traces, [], "the event held the whole record");
}

#[test]
fn a_multiline_message_in_one_event_may_hold_a_store_error() {
    let event = format!(
        "[2026-11-23 16:49:31] production.ERROR: first\nsecond {{\"exception\":\"[object] (RedisException(code: 0): first\nsecond at /x.php:1)\n[stacktrace]\n{NEUTRAL}\n{POP}"
    );
    let seen = only(&[&event]);
    assert_eq!((seen.stage, seen.text.as_deref()), (Stage::WorkerError, Some("first")));
}

#[test]
fn each_line_of_an_event_has_a_key_of_its_own() {
    let seen = classify(&[&format!("{START}\n{DONE}"), START]);
    let keys: Vec<LineKey> = seen.observations.iter().map(|o| o.line).collect();
    assert_eq!((keys.first(), keys.get(2)), (Some(&LineKey(1)), Some(&LineKey(2))));
    let within: Vec<LineKey> = seen.within.iter().map(|line| line.key).collect();
    assert_eq!(within, keys.get(1..2).unwrap_or_default(), "and the second is known as a line");
    assert_eq!(
        classify(&[&format!("{START}\n{DONE}")]).within.first().map(|line| line.key),
        within.first().copied()
    );
}

#[test]
fn a_record_that_was_cut_meets_its_rest() {
    let long = "x".repeat(17_000);
    let record = format!(
        r#"{{"message":"Connection refused","context":{{"exception":{{"class":"RedisException","message":"Connection refused","trace":["/v/Illuminate/Queue/RedisQueue.php:1","/v/Illuminate/Queue/Queue.php:2","{long}"]}}}},"level":400,"level_name":"ERROR","channel":"app"}}"#
    );
    let (head, rest) = record.split_at(16_384);
    check(&[head, rest, START], &[Stage::EnqueueError, Stage::Processing]);
    check(&[head, START, rest], &[Stage::Processing, Stage::EnqueueError]);
    check(&[head], &[Stage::EnqueueError]);
    check(&[rest, START], &[Stage::Processing]);
    let piece = |tag: &str, text: &str| format!("2026-03-02T09:00:16Z stdout {tag} {text}");
    let (first, last) = QUEUED.split_at(60);
    check(&[&piece("P", first), &piece("F", last)], &[Stage::Enqueued]);
}

#[test]
fn a_record_may_be_printed_over_many_lines() {
    let record: serde_json::Value = serde_json::json!({
        "message": "Job queued", "context": { "id": "1", "job": "X" }, "level": 200, "level_name": "INFO"
    });
    check(&[&serde_json::to_string_pretty(&record).expect("JSON")], &[Stage::Enqueued]);
    check(&["{\n", "{\n}\n", "{\nx"], &[]);
}

#[test]
fn a_task_of_the_scheduler_is_no_job() {
    check(&[r"  2026-11-23 16:49:31 Running ['artisan' queue:prune-batches] ......... 120.33ms DONE"], &[]);
    check(&[r"  2026-11-23 16:49:31 Running [App\Jobs\Heartbeat] in background ... 12.11ms FAIL"], &[]);
    check(&["  2026-11-23 16:49:31 Running [Callback]", "output", " ........ 12.11ms DONE"], &[]);
    check(
        &["  2026-11-23 16:49:31 Skipping ['artisan' x], because the command already ran on another server."],
        &[],
    );
}

#[test]
fn two_workers_share_a_stream() {
    let both = r"  2026-11-23 16:49:31 App\Jobs\A  2026-11-23 16:49:31 App\Jobs\B ... 71.48ms DONE";
    let seen = classify(&[both, " ........ 881.19ms DONE"]).observations;
    let classes: Vec<_> = seen.iter().map(|o| o.class.as_ref().map(ToString::to_string)).collect();
    assert_eq!(classes, [Some(r"App\Jobs\B".to_owned()), Some(r"App\Jobs\A".to_owned())]);
}

#[test]
fn a_job_that_runs_at_once_says_so() {
    for line in [
        r"[2026-11-23 16:49:31][] Processing: App\Jobs\X",
        r"  2026-11-23 16:49:31 App\Jobs\X  sync sync  RUNNING",
        r"  2026-11-23 16:49:31 App\Jobs\X   RUNNING",
        r#"{"level":"info","connection":"sync","queue":"sync","job":"App\\Jobs\\X","status":"starting"}"#,
    ] {
        let seen = only(&[line]);
        assert!(seen.is_synchronous() && seen.id.is_none(), "{line}: {seen:?}");
        assert_eq!(seen.class.as_ref().map(ToString::to_string).as_deref(), Some(r"App\Jobs\X"), "{line}");
    }
    assert!(!only(&[START]).is_synchronous());
}

#[test]
fn router_records_are_unwrapped_to_a_depth() {
    let wrapped = r#"{"container_name":"app","log":"  2026-11-23 16:49:31 App\\Jobs\\X ..... RUNNING\r\n","source":"stdout"}"#;
    check(&[wrapped], &[Stage::Processing]);
    let json =
        r#"{"log":"{\"status\":\"starting\",\"job\":\"X\",\"connection\":\"redis\"}","container_id":"1"}"#;
    check(&[json], &[Stage::Processing]);
    let twice = r#"{"log":"{\"log\":\"Processing: App\\\\X\",\"source\":\"a\"}","source":"a"}"#;
    check(&[twice], &[Stage::Processing]);
    let mut deep = r"Processing: App\X".to_owned();
    for _ in 0..wrappers::DEPTH_MAX {
        deep = serde_json::json!({ "log": deep, "source": "a" }).to_string();
    }
    check(&[&deep], &[Stage::Processing]);
    check(&[&serde_json::json!({ "log": deep, "source": "a" }).to_string()], &[]);
}

#[test]
fn output_glued_to_an_unfinished_line_is_read_and_the_end_gets_its_class() {
    let glued = r#"  2026-11-23 16:59:47 App\Jobs\X[2026-11-23 16:59:47] production.INFO: Job queued {"id":"h","job":"App\\Jobs\\Y"} "#;
    let seen = classify(&[glued, "more output", " ............... 28.47ms DONE"]).observations;
    assert_eq!(seen.iter().map(|o| o.stage).collect::<Vec<_>>(), [Stage::Enqueued, Stage::Processed]);
    let class = |o: &Observation| o.class.as_ref().map(ToString::to_string);
    assert_eq!(seen.get(1).and_then(class).as_deref(), Some(r"App\Jobs\X"));
    assert_eq!(seen.get(1).map(|o| o.form), Some(Form::EndOnly));
    let alone = only(&[" ............... 28.47ms FAIL"]);
    assert_eq!((alone.stage, alone.class), (Stage::Failed, None));
    check(&["  28.47ms DONE"], &[]);
    let killed = r"  2026-11-23 16:59:47 App\Jobs\X/bin/bash: line 1: 123 Killed    php artisan queue:work";
    check(&[killed], &[Stage::WorkerStopped]);
}

#[test]
fn lines_quoted_in_a_message_are_dropped() {
    let open = "[2026-11-23 16:49:31] production.ERROR: first line";
    let exception = r#"third {"exception":"[object] (RuntimeException(code: 0): first line"#;
    let place = "third at /var/www/html/app/Jobs/MultilineFail.php:9)";
    check(
        &[open, FAKE, FORGED, exception, START, place, "[stacktrace]", DONE, NEUTRAL, DONE],
        &[Stage::Processed, Stage::Processed],
    );
    check(&[open, START, DONE], &[Stage::Processing, Stage::Processed]);
    check(&[open, START, QUEUED, DONE], &[Stage::Processing, Stage::Enqueued, Stage::Processed]);
    check(&[open, FAKE, r#"last {"order":1} "#, DONE], &[Stage::Processed]);
}

#[test]
fn a_payload_may_begin_inside_a_message() {
    let exception = r#"third {"exception":"[object] (RuntimeException(code: 0): first line"#;
    let place = "third at /var/www/html/app/Jobs/MultilineFail.php:9)";
    check(&[FAKE, exception, FAKE, place, "[stacktrace]", DONE], &[Stage::Processed]);
    check(&[FAKE, place, "[stacktrace]", NEUTRAL, DONE], &[Stage::Processed]);
    check(&[START, "[stacktrace]", NEUTRAL, DONE], &[Stage::Processing, Stage::Processed]);
    check(&[START, place, DONE], &[Stage::Processing, Stage::Processed]);
    check(&[START, QUEUED, place, "[stacktrace]"], &[Stage::Processing, Stage::Enqueued]);
}

#[test]
fn a_long_dump_stops_being_provisional() {
    let open = "[2026-11-23 16:49:31] production.ERROR: first line";
    let exception = r#"third {"exception":"[object] (RuntimeException(code: 0): x at /a.php:1)"#;
    let mut lines = vec![open, START];
    lines.extend(std::iter::repeat_n("noise", 300));
    lines.push(exception);
    check(&lines, &[Stage::Processing]);
}

#[test]
fn a_fatal_errors_message_is_quoted_too() {
    check(
        &[
            "PHP Fatal error:  Uncaught Exception: first",
            FAKE,
            "last in /a.php:9",
            "Stack trace:",
            MAIN,
            DONE,
        ],
        &[Stage::Processed],
    );
}

#[test]
fn indented_text_is_no_column_line() {
    check(
        &["  Allowed memory size of 50331648 bytes exhausted (tried to allocate 2097152   ", "  bytes) DONE"],
        &[],
    );
    check(&[r"    2026-11-23 16:49:31 App\Jobs\X .... RUNNING"], &[]);
}

#[test]
fn a_failed_attempt_is_told_its_error_only_by_a_trace_of_its_run() {
    let error = r#"[2026-11-23 16:49:31] production.ERROR: Target class [X] does not exist. {"exception":"[object] (Illuminate\\Contracts\\Container\\BindingResolutionException(code: 0): Target class [X] does not exist. at /a.php:1)"#;
    let run = r"#1 /v/Worker.php(1): Illuminate\\Queue\\CallQueuedHandler->call()";
    let told = only(&[FAIL, error, "[stacktrace]", NEUTRAL, run, MAIN]);
    let text = r"Illuminate\Contracts\Container\BindingResolutionException: Target class [X] does not exist.";
    assert_eq!(told.text.as_deref(), Some(text));
    assert_eq!(only(&[FAIL, error, "[stacktrace]", NEUTRAL, NOW, MAIN]).text, None);
    assert_eq!(only(&[FAIL, "output", error, "[stacktrace]", NEUTRAL, run, MAIN]).text, None);
}

#[test]
fn a_worker_that_dies_at_its_start_is_a_worker_error() {
    let error = r#"[2026-11-23 16:57:20] production.ERROR: The "stop" option does not exist. {"exception":"[object] (Symfony\\Component\\Console\\Exception\\InvalidArgumentException(code: 0): The \"stop\" option does not exist. at /v/Input.php:1)"#;
    let command = r"#1 /v/WorkCommand.php(1): Illuminate\\Queue\\Console\\WorkCommand->runWorker()";
    check(&[error, "[stacktrace]", NEUTRAL, command, MAIN], &[Stage::WorkerError]);
    check(&[error, "[stacktrace]", NEUTRAL, MAIN.replace('2', "1").leak()], &[]);
}

#[test]
fn a_json_record_is_whole() {
    let error = r#"{"message":"Connection refused","context":{"exception":{"class":"RedisException","message":"Connection refused","code":0,"file":"/v/PhpRedisConnector.php:185"}},"level":400,"level_name":"ERROR","channel":"production","extra":{}}"#;
    check(&[error], &[Stage::RedisError]);
    check(&[&error.replace("ERROR", "WARNING")], &[]);
    let queued = r#"{"message":"Job queued","context":{"id":1,"job":"X"},"level":200,"level_name":"INFO"}"#;
    check(&[queued], &[Stage::Enqueued]);
    check(&[&queued.replace("\"Job queued", "\"job queued")], &[]);
    check(&[r#"{"message":"m","context":{"message":"Job queued","id":1},"level_name":"INFO"}"#], &[]);
}

#[test]
fn noise_is_passed_over() {
    check(&["", " ", "#", "[", "{", "Q", "\u{1b}[", "é", "10.0.0.1 - - \"GET / HTTP/1.1\" 200"], &[]);
}

#[test]
fn a_line_glued_to_another_is_timed_to_the_second() {
    let classifier = Classifier::default();
    let mut reader = classifier.stream("", "");
    let event = "[2026-03-02 09:00:00] production.INFO: saved {\"a\":1} \n  2026-03-02 09:00:01 App\\Jobs\\X ... 350.00ms DONE";
    reader.line(LineKey(1), Timestamp::default(), event);
    let read = reader.finish().observations;
    let rough: Vec<bool> =
        read.iter().filter_map(|seen| seen.runtime).map(|runtime| runtime.is_whole_seconds).collect();
    assert_eq!(rough, [true]);
}

#[test]
fn colours_that_were_made_text_of_are_taken_off() {
    for line in [
        "#033[33m[2026-03-02 09:00:16][17] Processing:#033[39m App\\Jobs\\X",
        "^[[33m[2026-03-02 09:00:16][17] Processing:^[[39m App\\Jobs\\X",
        "[33m[2026-03-02 09:00:16][17] Processing:[39m App\\Jobs\\X",
    ] {
        check(&[line], &[Stage::Processing]);
    }
}

#[test]
fn a_record_in_a_format_of_the_apps_own_ends_an_open_one() {
    check(
        &[
            r#"[2026-03-02 09:00:16] ERROR: gone {"exception":"[object] (ErrorException(code: 0): gone at /x.php:3)"#,
            r#"[2026-03-02 09:00:16] INFO: Job queued {"id":"a1","job":"App\\Jobs\\X"}"#,
            "#0 {main}",
            "\"} ",
        ],
        &[Stage::Enqueued],
    );
}

/// The page shows how loggers write a record, and what each line is read as; it stays true.
#[test]
fn records_on_the_page_are_read_as_it_says() {
    let page = include_str!("../../../docs/lines.md");
    let table = page.split("| written by | read as | a line |").nth(1).expect("the table");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|row| row.starts_with('|')).collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').splitn(3, '|').collect();
        let [name, stage, line] = cells.as_slice() else { panic!("{row}") };
        let line = line.trim_matches(' ').trim_matches('`');
        let read: Vec<&str> = stages(&[line]).into_iter().map(Stage::as_str).collect();
        let expected: Vec<&str> = Some(stage.trim()).filter(|stage| *stage != "–").into_iter().collect();
        assert_eq!(read, expected, "{name}: {line}");
    }
}

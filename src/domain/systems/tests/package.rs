//! The lines of queuewatch's Laravel package, as a real app wrote them, and lines that only look like them.

use super::*;

const QUEUED: &str = r#"{"message":"Job queued","context":{"id":"IJ3gtpyx5lXyABth31k7GRWd8v67rNsi","uuid":"06811173-8cb1-43b6-8a04-9a1a762e211d","job":"App\\Jobs\\Plain","queue":"default","connection":"redis","delay":null,"maxTries":3,"timeout":60},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:23:47.422964+00:00","extra":{}}"#;
const BATCHED: &str = r#"{"message":"Job queued","context":{"id":3,"uuid":"dd32fe9a-274a-42ee-ac5a-e78d5cb5b667","job":"App\\Jobs\\Batched","queue":"default","connection":"database","delay":0},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:23:47.650241+00:00","extra":{}}"#;
const WITHOUT_DELAY: &str = r#"{"message":"Job queued","context":{"id":"ddX4","uuid":"1d53eb6b-ab96-4d90-baeb-27da6ee987c2","job":"App\\Jobs\\Handler","queue":"emails","connection":"redis"},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:23:47.427817+00:00","extra":{"dropped":3}}"#;
const STARTED: &str = r#"{"message":"Worker started","context":{"connection":"database","queues":"default,emails","host":"web-1","pid":26175,"laravel":"8.83.26","php":"8.2.36"},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:23:52.755111+00:00","extra":{}}"#;
const ALIVE: &str = r#"{"message":"Worker heartbeat","context":{"connection":"redis","queues":"default","host":"web-1","pid":70,"jobs":17,"last_job":"Closure (Dispatch.php:33)","laravel":"8.83.26","php":"8.2.36"},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:24:47.427817+00:00","extra":{}}"#;
const STOPPED: &str = r#"{"message":"Worker stopped","context":{"connection":"redis","queues":"default","host":"web-1","pid":70,"reason":"memory","status":12,"jobs":17},"level":200,"level_name":"INFO","channel":"queuewatch","datetime":"2026-11-25 19:25:52.669191+00:00","extra":{}}"#;

fn rule(pattern: &str) -> Rule {
    let spec = RuleSpec {
        name: "own".into(),
        stage: Stage::DeployMark,
        pattern: Some(pattern.into()),
        json: None,
        class: None,
        queue: None,
        connection: None,
        example: None,
    };
    Rule::compile(spec).expect("a good rule")
}

/// What two lines of one stream say, whatever place they have in it, and whosever they are by what stands around them.
fn essence(mut observation: Observation) -> Observation {
    (observation.at, observation.line) = (Timestamp::from_ms(0), LineKey(0));
    observation.origin = None;
    observation
}

#[test]
fn a_job_queued_has_everything_to_meet_a_worker_by() {
    let seen = only(&[QUEUED]);
    assert_eq!((seen.stage, seen.form), (Stage::Enqueued, Form::Monolog));
    assert_eq!(seen.id, Some("IJ3gtpyx5lXyABth31k7GRWd8v67rNsi".into()));
    assert_eq!(seen.uuid, Some("06811173-8cb1-43b6-8a04-9a1a762e211d".into()));
    assert_eq!(seen.class, Some(r"App\Jobs\Plain".into()));
    assert_eq!((seen.queue, seen.connection), (Some("default".into()), Some("redis".into())));
    assert_eq!((seen.delay_ms, seen.timeout_ms), (Some(0), Some(60_000)));
}

#[test]
fn a_job_of_a_batch_is_a_row_and_a_delay_that_nobody_knows_is_none() {
    let seen = only(&[BATCHED]);
    assert_eq!((seen.id, seen.delay_ms), (Some("3".into()), Some(0)));
    let seen = only(&[WITHOUT_DELAY]);
    assert_eq!((seen.queue, seen.delay_ms), (Some("emails".into()), None));
}

#[test]
fn a_worker_is_known_by_host_and_process_from_start_to_stop() {
    let seen = only(&[STARTED]);
    assert_eq!((seen.stage, seen.connection.clone()), (Stage::WorkerStarted, Some("database".into())));
    assert_eq!((seen.id.clone(), seen.queue.clone()), (Some("web-1:26175".into()), None));
    assert_eq!(seen.worker_queues().collect::<Vec<_>>(), ["default".into(), "emails".into()]);
    let seen = only(&[ALIVE]);
    assert_eq!((seen.stage, seen.connection.clone()), (Stage::WorkerAlive, Some("redis".into())));
    assert_eq!((seen.id.clone(), seen.queue.clone()), (Some("web-1:70".into()), Some("default".into())));
    assert_eq!((seen.class.clone(), seen.worker_queues().count()), (None, 1));
    let seen = only(&[STOPPED]);
    assert_eq!((seen.stage, seen.connection), (Stage::WorkerStopped, Some("redis".into())));
    assert_eq!((seen.id, seen.text.as_deref()), (Some("web-1:70".into()), Some("memory")));
}

/// The same line through an app's own log channel, in Monolog's line form.
fn channel(json: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(json).expect("JSON");
    format!(
        "[2026-11-25 19:23:47] production.INFO: {} {} ",
        record["message"].as_str().expect("text"),
        record["context"]
    )
}

#[test]
fn a_log_channel_makes_no_difference() {
    for line in [QUEUED, BATCHED, WITHOUT_DELAY, STARTED, ALIVE, STOPPED] {
        assert_eq!(essence(only(&[&channel(line)])), essence(only(&[line])), "{line}");
    }
}

#[test]
fn a_shippers_wrapping_makes_no_difference() {
    for line in [QUEUED, STARTED, ALIVE, STOPPED] {
        let wrapped =
            serde_json::json!({ "log": format!("{line}\n"), "container_name": "app", "source": "stderr" });
        assert_eq!(essence(only(&[&wrapped.to_string()])), essence(only(&[line])), "{line}");
    }
}

#[test]
fn a_php_fpm_pools_wrapping_makes_no_difference() {
    let said = |line: &str| {
        format!("[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stderr: \"{line}\"")
    };
    for line in [QUEUED, BATCHED, STARTED, &channel(QUEUED)] {
        assert_eq!(essence(only(&[&said(line)])), essence(only(&[line])), "{line}");
        let shipped = serde_json::json!({ "log": said(line), "container_name": "app", "source": "stderr" });
        assert_eq!(essence(only(&[&shipped.to_string()])), essence(only(&[line])), "{line}");
        check(&[&said(&said(line))], &[]);
        check(&[&format!("a comment: {}", said(line))], &[]);
    }
    // A rule may speak of either.
    for pattern in ["said into stderr", "^an app's own"] {
        let classifier = Classifier::new(Vec::new(), vec![rule(pattern)]);
        let mut reader = classifier.stream("", "");
        reader.line(LineKey(1), Timestamp::from_ms(1), &said("an app's own words"));
        assert_eq!(reader.finish().observations.len(), 1, "{pattern}");
    }
    // An error's trace, each line of it wrapped.
    let trace = [REFUSED, "[stacktrace]", NEUTRAL, PUSH, MAIN, END].map(said);
    check(&trace.each_ref().map(String::as_str), &[Stage::EnqueueError]);
}

#[test]
fn a_line_quoted_in_an_exception_is_nobodys() {
    let forged = [QUEUED, STARTED, ALIVE, STOPPED];
    let head = "[2026-11-25 19:23:47] production.ERROR: first line";
    let tail = "last line {\"exception\":\"[object] (RuntimeException(code: 0): first line";
    let place = "last line at /app/Jobs/Forging.php:17)";
    for line in forged {
        // As the record's message has it, and again as the exception's text, where quotes are escaped.
        let escaped = line.replace('\\', r"\\").replace('"', r#"\""#);
        check(&[head, line, tail, &escaped, place, "[stacktrace]", MAIN, END], &[]);
        check(&[&format!("{head}\n{line}\nlast line")], &[]);
        check(&[&format!("an app's own words: {line}")], &[]);
        check(&[&format!("#1 {line}")], &[]);
    }
    // What follows the record is a line again.
    check(
        &[head, QUEUED, tail, place, "[stacktrace]", MAIN, END, QUEUED, ALIVE],
        &[Stage::Enqueued, Stage::WorkerAlive],
    );
}

#[test]
fn a_line_inside_another_records_fields_is_nobodys() {
    for line in [QUEUED, STARTED, ALIVE, STOPPED] {
        let inner: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = |message: &serde_json::Value, context: serde_json::Value| {
            serde_json::json!({ "message": message, "context": context, "level": 200, "level_name": "INFO", "channel": "app" })
                .to_string()
        };
        check(&[&text(&line.into(), serde_json::json!({}))], &[]);
        check(&[&text(&"Comment saved".into(), inner.clone())], &[]);
        check(&[&text(&"Comment saved".into(), serde_json::json!({ "text": line }))], &[]);
        check(&[&serde_json::json!({ "log": inner }).to_string()], &[]);
        // Without a level it is not a log record.
        check(
            &[&serde_json::json!({ "message": inner["message"], "context": inner["context"] }).to_string()],
            &[],
        );
    }
}

#[test]
fn a_job_queued_that_is_cut_off_is_declined() {
    for end in [20, 60, 150, QUEUED.len() - 1] {
        check(&[QUEUED.get(..end).expect("ASCII")], &[]);
    }
}

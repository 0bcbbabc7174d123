//! Exports as AWS writes them, and texts that only look like one.

use super::*;

/// Each line as `milliseconds|group|stream|message`.
fn shown(lines: Option<Vec<Exported>>) -> Vec<String> {
    let show = |line: Exported| {
        format!(
            "{}|{}|{}|{}",
            line.at.since_ms(Timestamp::from_ms(1_765_024_270_000)),
            line.log_group,
            line.log_stream,
            line.message
        )
    };
    lines.unwrap_or_default().into_iter().map(show).collect()
}

#[track_caller]
fn check(content: &str, expected: &[&str]) {
    assert_eq!(shown(text(content)), expected);
}

#[track_caller]
fn check_json(content: &str, expected: &[&str]) {
    assert_eq!(shown(insights(content)), expected);
}

#[test]
fn tail_is_read_in_each_of_its_formats() {
    check("2025-12-06T12:31:10 one\n2025-12-06T12:31:11 two 2025\n", &["0|||one", "1000|||two 2025"]);
    // An empty message loses the blank before it.
    check(
        "2025-12-06T12:31:10 one\n2025-12-06T12:31:11\n2025-12-06T12:31:12 x",
        &["0|||one", "1000|||", "2000|||x"],
    );
    check(
        "2025-12-06T12:31:10.114000+00:00 ecs/app/1f [2025-12-06 12:31:10] production.INFO: x\n\
         2025-12-06T12:31:11+00:00 ecs/app/2 two\n",
        &["114||ecs/app/1f|[2025-12-06 12:31:10] production.INFO: x", "1000||ecs/app/2|two"],
    );
    check(
        "2025-12-06T12:31:10.114000+00:00 s {\n    \"a\": 1,\n    \"b\": \"c\"\n}\n2025-12-06T12:31:11+00:00 s trace\n#0 x\n",
        &["114||s|{\"a\":1,\"b\":\"c\"}", "1000||s|trace\n#0 x"],
    );
}

#[test]
fn insights_is_read_from_the_cli_and_from_the_console_newest_first() {
    check_json(
        r#"{"results": [
            [{"field": "@timestamp", "value": "2025-12-06 12:31:11.000"}, {"field": "@message", "value": "two"},
             {"field": "@logStream", "value": "s"}, {"field": "@log", "value": "123456789012:/ecs/app"}, {"field": "@ptr", "value": "x"}],
            [{"field": "@timestamp", "value": "2025-12-06 12:31:10.000"}, {"field": "@message", "value": "b"}],
            [{"field": "@timestamp", "value": "2025-12-06 12:31:10.000"}, {"field": "@message", "value": "a"}],
            [{"field": "count", "value": "3"}]], "status": "Complete"}"#,
        &["0|||a", "0|||b", "1000|/ecs/app|s|two"],
    );
    check_json(
        r#"[{"@timestamp": "2025-12-06 12:31:10.123", "@message": {"status": "done"}, "message": "not this"}]"#,
        &["123|||{\"status\":\"done\"}"],
    );
    check_json(r#"[{"timestamp": 1765024270000, "message": "{\"@timestamp\": \"x\"}"}]"#, &[]);
    check_json(r#"{"events": [], "@message": 1}"#, &[]);
}

#[test]
fn a_table_is_read_by_the_names_of_its_columns() {
    check(
        "@timestamp,@message,@logStream\n2025-12-06 12:31:11.000,\"a \"\"b\"\", c\nd\",s\r\n2025-12-06 12:31:10.000,x,s\n",
        &["0||s|x", "1000||s|a \"b\", c\nd"],
    );
    check("timestamp,message\n1765024270000,one\n1765024270500,\"\"\n", &["0|||one", "500|||"]);
    check("\"Timestamp (UTC)\",Message\n2025-12-06T12:31:10.000Z,one", &["0|||one"]);
}

#[test]
fn other_texts_are_not_taken_for_exports() {
    for other in [
        "",
        "[2025-12-06 12:31:10] production.INFO: Job queued {}",
        "  2025-12-06 12:31:10 App\\Jobs\\A .. RUNNING",
        "2025-12-06T12:31:10.123456789Z stdout F x",
        "2025-12-06T12:31:10+09:00 host app: x",
        "2025-12-06 12:31:10,INFO,message",
        "id,name\n1,x",
        "{\"timestamp\":1,\"message\":\"x\"}",
    ] {
        assert_eq!(text(other), None, "{other}");
    }
}

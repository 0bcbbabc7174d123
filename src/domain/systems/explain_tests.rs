//! Cases of explanations: what read a line, and the near misses.

use super::*;
use crate::domain::job::Stage;
use crate::domain::systems::{JsonConstant, JsonSpec, Rule, RuleSpec, SourceSpec};

#[track_caller]
fn check(line: &str, form: &str, why: &str) {
    let told = Classifier::default().explain("", "", line);
    assert_eq!(told.observation, None, "{line}");
    let nearest = told.nearest.unwrap_or_else(|| panic!("no near miss for {line}"));
    assert!(nearest.form.contains(form) && nearest.why.contains(why), "{line}: {nearest:?}");
}

#[test]
fn a_near_miss_says_what_is_wrong() {
    check(
        r#"[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stderr: "{"message":"Job Queued","level_name":"INFO"}""#,
        "log record",
        "`Job Queued`, not exactly `Job queued`",
    );
    check(r"  2026-11-23 16:49:31 App\Jobs\X ......... RUNING", "column", "ends in `RUNING`");
    check(r" 2026-11-23 16:49:31 App\Jobs\X ......... RUNNING", "column", "two spaces, this one with 1");
    check(r"  2026-11-23 16:49:31 App\Jobs\X ......... DONE", "column", "no runtime");
    check(r"  2026-11-23 16:49:31 App\Jobs\X RUNNING", "column", "neither dots nor two spaces");
    check(r"  2026-11-23 16:49:31 App\Jobs\X .. RUNNING ", "column", "after the status");
    check(r"  2026-11-23 16:49:31 App\Jobs\X", "column", "no status");
    check(
        r"[2026-11-23 16:49:31][a1] Processed: App\Jobs\X",
        "bracket",
        "padded wrong: `Processed:` is followed by 2 spaces, not 1",
    );
    check(r"[2026-11-23 16:49:31][a1] processing: App\Jobs\X", "bracket", "letter case");
    check(r"[2026-11-23 16:49:31][a1] Released: App\Jobs\X", "bracket", "`Released:`");
    check("[2026-11-23 16:49:31] Processed: 5 files", "bracket", "does not look like a class");
    check(
        r#"[2026-11-23 16:49:31] production.INFO: job queued {"id":"1"} "#,
        "log record",
        "`job queued`, not exactly `Job queued`",
    );
    check(
        r#"[2026-11-23 16:49:31] production.INFO: Job queued {"queue":"a"} "#,
        "log record",
        "none of id, uuid and job",
    );
    check(
        r"[2026-11-23 16:49:31] production.INFO: Processing: App\Jobs\X  ",
        "log record",
        "never a lifecycle line",
    );
    check(
        r#"[2026-11-23 16:49:31] production.ERROR: x {"exception":"[object] (RuntimeException(code: 0): x at /a.php:1)"} "#,
        "log record",
        "RuntimeException",
    );
    check(r#"{"status":"starting","id":"1"}"#, "--json", "has status `starting` but no job");
    check(r#"{"job":"X","id":"1"}"#, "--json", "has job `X` but no status");
    check(r#"{"job":"X","status":"begun"}"#, "--json", "`begun`");
    check(r#"{"job":"X","status":"#, "JSON", "is not");
    check(r#"{"message":"job queued","level_name":"INFO"}"#, "log record", "`job queued`");
    let no_level = r#"{"message":"Job queued","context":{"id":"1"}}"#;
    check(
        no_level,
        "log record",
        "has `message`, but a log record also has `level_name`, which is missing here",
    );
    let no_message = r#"{"context":{"id":"1"},"level_name":"INFO"}"#;
    check(no_message, "log record", "has `level_name`, but a log record also has `message`");
    check(r#"{"context":{"id":"1"}}"#, "JSON", "has none of the keys that tell");
    check("Processed: order 17", "bare", "does not look like a class");
    check(r"second [2025-01-01 00:00:00][abc] Processed:  App\Jobs\Fake", "bracket", "quoted text");
    check("#3 /x.php(1): a()", "stack trace", "evidence");
    check("/bin/bash: line 1:  6258 Killed    php artisan migrate", "process", "killed");
}

#[test]
fn nothing_is_near_plain_text() {
    assert_eq!(Classifier::default().explain("", "", "hello").nearest, None);
}

#[test]
fn a_match_names_its_preset_and_what_was_removed() {
    let told =
        Classifier::default().explain("", "", "\x1b[33m[2026-11-23 16:49:31][a1] Processing:\x1b[39m X\r\n");
    assert_eq!(told.line, "[2026-11-23 16:49:31][a1] Processing: X");
    assert!(told.matched_by.is_some_and(|name| name.contains("bracket form")));
    assert_eq!(told.notes, ["Terminal colours were removed."]);
    let wrapped = r#"{"log":"Processing: App\\Jobs\\X\nmore","container_name":"app"}"#;
    let told = Classifier::default().explain("", "", wrapped);
    assert_eq!(told.line, r"Processing: App\Jobs\X");
    assert_eq!(told.notes.len(), 2);
    assert_eq!(told.observation.map(|o| o.stage), Some(Stage::Processing));
}

#[test]
fn a_rule_and_a_source_are_named() {
    let when = [("message".to_owned(), JsonConstant::Text("queued".into()))].into();
    let spec = RuleSpec {
        name: "mine".into(),
        stage: Stage::Enqueued,
        pattern: None,
        json: Some(JsonSpec { when, fields: [("id".to_owned(), "id".to_owned())].into() }),
        class: None,
        queue: None,
        connection: None,
        example: None,
    };
    let rule = Rule::compile(spec).expect("a good rule");
    let classifier = Classifier::new(Vec::new(), vec![rule]);
    let told = classifier.explain("", "", r#"{"message":"queued","id":"1"}"#);
    assert_eq!(told.matched_by.as_deref(), Some("rule \"mine\""));
    let told = classifier.explain("", "", r#"{"message":"Queued","id":"1"}"#);
    assert!(told.nearest.is_some_and(|near| near.why.contains("is \"Queued\", not \"queued\"")));
    let source = SourceSpec {
        app: None,
        owner: None,
        log_group: "/ecs/*".into(),
        log_stream: "*".into(),
        presets: Vec::new(),
        queue: None,
        connection: None,
    };
    let classifier = Classifier::new(vec![source], Vec::new());
    let told = classifier.explain("/eks/app", "x", r"Processing: App\Jobs\X");
    assert!(told.nearest.is_some_and(|near| near.why.contains("no [[source]] covers")));
    let told = classifier.explain("/ecs/app", "x", r"Processing: App\Jobs\X");
    assert!(told.nearest.is_some_and(|near| near.why.contains("does not have a preset")));
}

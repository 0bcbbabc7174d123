//! Cases of configured rules.

use super::*;
use crate::domain::job::Stage;

fn pattern(pattern: &str) -> RuleSpec {
    RuleSpec {
        name: "avatar requested".into(),
        stage: Stage::Enqueued,
        pattern: Some(pattern.into()),
        json: None,
        class: None,
        queue: None,
        connection: None,
        example: None,
    }
}

fn json(when: &[(&str, JsonConstant)], fields: &[(&str, &str)]) -> RuleSpec {
    let when = when.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    let fields = fields.iter().map(|(field, path)| ((*field).to_owned(), (*path).to_owned())).collect();
    RuleSpec { pattern: None, json: Some(JsonSpec { when, fields }), ..pattern("") }
}

#[track_caller]
fn check_error(spec: RuleSpec, expected: &str) {
    let error = Rule::compile(spec).expect_err("a bad rule");
    let error = format!("{}: {error}", error.key());
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn captures_fill_fields_and_constants_fill_the_rest() {
    let mut spec = pattern(
        r"^job (?<class>\S+) id=(?<id>\S*) uuid=(?<uuid>\S+) try=(?<attempt>\d+) delay=(?<delay_s>[\d.]+) took=(?<duration_ms>[\d.]+) err=(?<error>.*)$",
    );
    spec.class = Some("Constant".into());
    spec.queue = Some("reports".into());
    spec.connection = Some("sqs".into());
    let rule = Rule::compile(spec).expect("a good rule");
    let line = "job X id= uuid=u try=2 delay=1.5 took=12.7 err=it broke";
    let seen = rule.read(line).expect("a match");
    assert_eq!((seen.class.as_deref(), seen.id, seen.uuid.as_deref()), (Some("X"), None, Some("u")));
    assert_eq!((seen.queue.as_deref(), seen.connection.as_deref()), (Some("reports"), Some("sqs")));
    assert_eq!((seen.attempt, seen.delay_ms, seen.runtime.map(|r| r.ms)), (Some(2), Some(1500), Some(12)));
    assert_eq!((seen.text.as_deref(), seen.form), (Some("it broke"), Form::Rule));
    assert_eq!(rule.read("jobs X"), None);
}

#[test]
fn json_paths_fill_fields_when_all_conditions_hold() {
    let when = [
        ("message", JsonConstant::Text("queued".into())),
        ("context.n", JsonConstant::Number(2.0)),
        ("context.deep.ok", JsonConstant::Flag(true)),
    ];
    let rule =
        Rule::compile(json(&when, &[("id", "context.id"), ("class", "context.job")])).expect("a good rule");
    let line = r#"{"context":{"n":2,"deep":{"ok":true},"id":17,"job":"X"},"message":"queued"}"#;
    let seen = rule.read(line).expect("a match");
    assert_eq!((seen.id.as_deref(), seen.class.as_deref()), (Some("17"), Some("X")));
    assert_eq!(rule.read(&line.replace("\"queued\"", "\"Queued\"")), None);
    assert_eq!(rule.read(&line.replace(":2,", ":3,")), None);
    assert_eq!(rule.read(&line.replace("true", "\"true\"")), None);
    assert_eq!(rule.read("{}"), None);
    assert_eq!(rule.read("not json"), None);
}

#[test]
fn an_error_names_key_and_place() {
    check_error(RuleSpec { pattern: None, ..pattern("") }, "pattern: needs exactly one of");
    check_error(
        RuleSpec { json: Some(JsonSpec::default()), ..pattern("x") },
        "pattern: needs exactly one of",
    );
    check_error(pattern("abc(def"), "pattern: byte 3: regex parse error");
    check_error(pattern("é(def"), "pattern: byte 2: ");
    check_error(pattern("(?<id>x) (?<identity>y)"), "pattern: byte 12: \"identity\" fills nothing");
    check_error(pattern(r"((\w{100}){100}){100}"), "pattern: compiles to more than");
    check_error(json(&[], &[("id", "id")]), "json.when: needs at least");
    let when = [("message", JsonConstant::Text("x".into()))];
    check_error(json(&when, &[("job", "context.job")]), "json: \"job\" fills nothing");
    check_error(json(&when, &[("id", "context..id")]), "json.id: byte 8: the path \"context..id\"");
    check_error(json(&[("", JsonConstant::Flag(true))], &[]), "json.when: byte 0: ");
}

#[test]
fn an_example_is_read_as_a_line_would_be() {
    let spec = |example: &str| RuleSpec {
        example: Some(example.into()),
        ..pattern(r#""POST /avatars/(?:store|regenerate) HTTP/1\.[01]" 302"#)
    };
    let line = r#"10.0.1.7 - - [06/Dec/2025:12:31:10 +0900] "POST /avatars/regenerate HTTP/1.1" 302 412"#;
    assert_eq!(Rule::compile(spec(line)).expect("a good rule").check_example(), Ok(()));
    assert_eq!(Rule::compile(pattern("x")).expect("a good rule").check_example(), Ok(()));
    let rule = Rule::compile(spec("GET /")).expect("a good rule");
    let error = rule.check_example().expect_err("a declined example");
    assert!(error.key() == "example" && error.to_string().contains("is not found in the line"), "{error}");
    let mut spec = json(&[("message", JsonConstant::Text("Job queued".into()))], &[]);
    spec.example = Some(r#"{"message":"job queued"}"#.into());
    let error = Rule::compile(spec).expect("a good rule").check_example().expect_err("declined").to_string();
    assert!(error.contains(r#""message" is "job queued", not "Job queued""#), "{error}");
}

//! `docs/queuewatch.schema.json` against the code: the same keys, table by table, and the same words.

#![expect(clippy::unwrap_used, reason = "a document of another shape must fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use queuewatch::config::Config;
use regex::Regex;
use serde_json::{Map, Value};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&document("queuewatch.schema.json")).unwrap()
}

/// TOML as editors show it to a schema: a date is a text.
fn plain(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(is) => Value::from(*is),
        toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        toml::Value::Array(values) => values.iter().map(plain).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>())
        }
    }
}

fn errors(text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let value = plain(&toml::Value::Table(text.parse().unwrap()));
    validator.iter_errors(&value).map(|error| error.to_string()).collect()
}

/// What the code would have read in place of a word that it does not know.
#[track_caller]
fn expected(text: &str) -> BTreeSet<String> {
    let error = Config::parse(text).unwrap_err();
    let mut words = String::new();
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        words.push_str(&error.to_string());
        cause = error.source();
    }
    let list = words.split("expected ").nth(1).unwrap_or_else(|| unreachable(&words));
    let word = Regex::new("`([a-z_]+)`").unwrap();
    word.captures_iter(list).map(|hit| hit[1].to_owned()).collect()
}

#[expect(clippy::panic, reason = "it says what the code said instead")]
fn unreachable(words: &str) -> ! {
    panic!("no list of what is expected: {words}")
}

fn keys(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_example_is_what_the_schema_describes_and_has_every_key() {
    let example = document("queuewatch.example.toml");
    assert_eq!(errors(&example), Vec::<String>::new());
    let value = plain(&toml::Value::Table(example.parse().unwrap()));
    let schema = schema();
    for key in keys(&schema) {
        assert!(value.get(&key).is_some(), "the example has no {key}");
        let described = &schema["properties"][&key];
        let table = described.get("items").unwrap_or(described);
        if table["properties"].is_null() {
            continue;
        }
        let rows: Vec<&Value> =
            value[&key].as_array().map_or(vec![&value[&key]], |rows| rows.iter().collect());
        for inner in keys(table) {
            assert!(rows.iter().any(|row| row.get(&inner).is_some()), "the example has no {key}.{inner}");
        }
    }
}

#[test]
fn the_schema_has_the_keys_that_the_code_reads_and_no_other() {
    let schema = schema();
    assert_eq!(keys(&schema), expected("zzz = 1"));
    for (key, table) in schema["properties"].as_object().unwrap() {
        let (described, text) = match table.get("items") {
            Some(items) if items["properties"].is_object() => (items, format!("[[{key}]]\nzzz = 1\n")),
            Some(_) | None if table["properties"].is_object() => (table, format!("[{key}]\nzzz = 1\n")),
            Some(_) | None => continue,
        };
        assert_eq!(keys(described), expected(&text), "{key}");
    }
    let pager = &schema["properties"]["notify"]["properties"]["pagerduty"];
    assert_eq!(keys(pager), expected("[notify.pagerduty]\nzzz = 1\n"), "notify.pagerduty");
}

#[test]
fn the_schema_has_the_words_that_the_code_reads_and_no_other() {
    let schema = schema();
    let words = |pointer: &str| -> BTreeSet<String> {
        let list = schema.pointer(pointer).unwrap().as_array().unwrap();
        list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words("/properties/language/enum"), expected("language = \"zz\""));
    assert_eq!(
        words("/properties/rule/items/properties/stage/enum"),
        expected("[[rule]]\nname = \"a\"\nstage = \"zz\"\npattern = \"x\"\n")
    );
}

#[track_caller]
fn check(text: &str) {
    assert!(!errors(text).is_empty() && Config::parse(text).is_err(), "{text}");
}

#[test]
fn what_the_schema_refuses_the_code_refuses() {
    check("ap = \"x\"");
    check("[stall]\ngrace = 5\n");
    check("[stall]\ngrace = \"5 minutes\"\n");
    check("[[queue]]\ngrace = \"5m\"\n");
    check("[failing]\nratio = 2.0\n");
    check("[failing]\nbad_attempts = 0\n");
    check("[[window]]\ncron = \"0 3 * * 0\"\n");
    check("[[rule]]\nname = \"a\"\nstage = \"begun\"\npattern = \"x\"\n");
    check("[[rule]]\nname = \"a\"\nstage = \"enqueued\"\njson = { id = \"x\" }\n");
    check("[[source]]\npresets = [\"rails\"]\n");
    check("[notify]\nslack = \"hooks.slack.com/x\"\n");
    check("[notify]\npagerduty = { warnings = true }\n");
    check("[notify]\npagerduty = { routing_key = \"short\" }\n");
}

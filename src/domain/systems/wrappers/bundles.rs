//! Many lines in one: a push to Loki, and an array of a router's records. They are made one JSON record a line, so that
//! what reads a router's JSON reads them.

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The records of a line, one a line; `None` where it is no bundle.
pub(in crate::domain::systems) fn lines(line: &str) -> Option<String> {
    if line.starts_with("[{") {
        return array(line);
    }
    if line.starts_with("[\"") {
        return forwarded(line);
    }
    // The gate: no other object begins with it.
    if line.starts_with("{\"streams\":[") { pushed(line) } else { None }
}

/// `{"streams":[{"stream":{"app":"worker"},"values":[["1772442016000000000","line"]]}]}`.
/// <https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs>
fn pushed(line: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Push {
        streams: Vec<Stream>,
    }
    #[derive(Deserialize)]
    struct Stream {
        stream: Map<String, Value>,
        values: Vec<Vec<Value>>,
    }
    let push: Push = serde_json::from_str(line).ok()?;
    let mut records = Vec::new();
    for Stream { stream, values } in push.streams {
        for value in values {
            let mut value = value.into_iter();
            let (time, line) = (value.next()?, value.next()?);
            let labels = Value::Object(stream.clone());
            let record = [("line", line), ("timestamp", time), ("labels", labels)];
            let fields = record.map(|(name, field)| (name.to_owned(), field));
            records.push(Value::Object(fields.into_iter().collect()).to_string());
        }
    }
    joined(&records)
}

/// `[{"log":"line","stream":"stdout"},…]`, as Fluent Bit sends them.
fn array(line: &str) -> Option<String> {
    // The gate: an app's own arrays have no line in them.
    const KEYS: [&str; 3] = ["\"log\":", "\"message\":", "\"line\":"];
    if !KEYS.iter().any(|key| memmem::find(line.as_bytes(), key.as_bytes()).is_some()) {
        return None;
    }
    let records: Vec<&RawValue> = serde_json::from_str(line).ok()?;
    joined(&records.into_iter().map(RawValue::get).collect::<Vec<_>>())
}

/// `["production.info",1772442016,{"message":"Job queued",…}]`: Monolog's formatter for Fluentd.
fn forwarded(line: &str) -> Option<String> {
    let [_, _, record]: [&RawValue; 3] = serde_json::from_str(line).ok()?;
    Some(record.get()).filter(|record| record.starts_with("{\"")).map(str::to_owned)
}

fn joined(records: &[impl std::borrow::Borrow<str>]) -> Option<String> {
    (!records.is_empty()).then(|| records.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(lines(line).as_deref(), expected, "{line}");
    }

    #[test]
    fn a_push_is_a_line_for_each_of_its_values() {
        check(
            r#"{"streams":[{"stream":{"app":"w"},"values":[["17","a"],["18","b",{"trace":"t"}]]}]}"#,
            Some(
                "{\"labels\":{\"app\":\"w\"},\"line\":\"a\",\"timestamp\":\"17\"}\n{\"labels\":{\"app\":\"w\"},\"line\":\"b\",\"timestamp\":\"18\"}",
            ),
        );
        check(r#"{"streams":[{"name":"a video"}]}"#, None);
        check(r#"{"streams":[]}"#, None);
    }

    #[test]
    fn an_array_is_a_line_for_each_of_its_records() {
        check(r#"[{"log":"a"},{"log":"b"}]"#, Some("{\"log\":\"a\"}\n{\"log\":\"b\"}"));
        check(r#"[{"id":1},{"id":2}]"#, None);
        check(r#"[{"log":"a"}"#, None);
        check("[2026-03-02 09:00:16] x", None);
        check(r#"["shop.info",17,{"message":"a"}]"#, Some(r#"{"message":"a"}"#));
        check(r#"["a","b"]"#, None);
    }
}

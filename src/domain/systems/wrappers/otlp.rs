//! OpenTelemetry's log records as its protocol writes them: values with their types, attributes in arrays. They are made
//! plain JSON, so that what reads other loggers' JSON reads them.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::borrow::Cow;

use memchr::memmem;
use serde_json::{Map, Value};

/// Values nest this deep at most; what is deeper is left out.
const DEPTH_MAX: usize = 12;

/// The records of a line as plain JSON, one a line; `None` where it holds no typed value.
pub(in crate::domain::systems) fn plain(line: &str) -> Option<String> {
    const MARKS: [&str; 4] = ["\"stringValue\"", "\"kvlistValue\"", "\"string_value\"", "\"kvlist_value\""];
    if !MARKS.iter().any(|mark| memmem::find(line.as_bytes(), mark.as_bytes()).is_some()) {
        return None;
    }
    let document: Value = serde_json::from_str(line).ok()?;
    let mut lines = String::new();
    for record in records(&document) {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&record.to_string());
    }
    (!lines.is_empty() && lines != line).then_some(lines)
}

/// The records of an export, each with its resource; or the record itself.
fn records(document: &Value) -> Vec<Value> {
    let list = |value: &Value, names: [&str; 2]| -> Vec<Value> {
        let found = names.iter().find_map(|name| value.get(name)?.as_array());
        found.cloned().unwrap_or_default()
    };
    let resources = list(document, ["resourceLogs", "resource_logs"]);
    if resources.is_empty() {
        return vec![value(document, DEPTH_MAX)];
    }
    let mut records = Vec::new();
    for resource in &resources {
        let attributes = resource.get("resource").and_then(|it| it.get("attributes"));
        let attributes = attributes.map(|it| value(it, DEPTH_MAX));
        for scope in list(resource, ["scopeLogs", "scope_logs"]) {
            for record in list(&scope, ["logRecords", "log_records"]) {
                let mut record = value(&record, DEPTH_MAX);
                if let (Value::Object(fields), Some(attributes)) = (&mut record, &attributes) {
                    fields.insert("resource".into(), attributes.clone());
                }
                records.push(record);
            }
        }
    }
    records
}

/// A value without its type, and without those within it.
fn value(typed: &Value, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    match typed {
        Value::Object(fields) => {
            if let Some(plain) = untyped(fields, depth) {
                return plain;
            }
            let fields = fields.iter().map(|(name, field)| (name.clone(), value(field, depth)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => match pairs(items, depth) {
            Some(fields) => Value::Object(fields),
            None => Value::Array(items.iter().map(|item| value(item, depth)).collect()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => typed.clone(),
    }
}

/// What stands under the name of a type, where nothing stands beside it.
fn untyped(fields: &Map<String, Value>, depth: usize) -> Option<Value> {
    let (name, inner) = fields.iter().next().filter(|_| fields.len() == 1)?;
    match &*camel(name) {
        // A whole number of 64 bits is a text there.
        "intValue" => {
            let number = inner.as_str().and_then(|text| text.parse::<i64>().ok());
            Some(number.map_or_else(|| inner.clone(), Value::from))
        }
        "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => Some(inner.clone()),
        "kvlistValue" | "arrayValue" => Some(value(inner.get("values").unwrap_or(&Value::Null), depth)),
        _ => None,
    }
}

/// `[{"key": …, "value": …}]` as an object.
fn pairs(items: &[Value], depth: usize) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for item in items {
        fields.insert(item.get("key")?.as_str()?.to_owned(), value(item.get("value")?, depth));
    }
    (!fields.is_empty()).then_some(fields)
}

/// `string_value` as `stringValue`: protobuf takes both.
fn camel(name: &str) -> Cow<'_, str> {
    match name.strip_suffix("_value") {
        Some(kind) => Cow::Owned(format!("{kind}Value")),
        None => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(plain(line).as_deref(), expected, "{line}");
    }

    #[test]
    fn values_lose_their_types_and_attributes_their_arrays() {
        check(
            r#"{"body":{"stringValue":"x"},"attributes":[{"key":"id","value":{"intValue":"17"}},{"key":"c","value":{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}}}]}"#,
            Some(r#"{"attributes":{"c":{"a":true},"id":17},"body":"x"}"#),
        );
        check(
            r#"{"body":{"string_value":"x"},"list":{"arrayValue":{"values":[{"stringValue":"a"}]}}}"#,
            Some(r#"{"body":"x","list":["a"]}"#),
        );
    }

    #[test]
    fn an_export_is_its_records_each_with_its_resource() {
        check(
            r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}},{"body":{"stringValue":"b"}}]}]}]}"#,
            Some(
                "{\"body\":\"a\",\"resource\":{\"service.name\":\"shop\"}}\n{\"body\":\"b\",\"resource\":{\"service.name\":\"shop\"}}",
            ),
        );
    }

    #[test]
    fn what_has_no_typed_value_stays() {
        check(r#"{"body":"x","attributes":{"id":17}}"#, None);
        check(r#"{"body":{"stringValue":"#, None);
        let deep = format!("{}{{\"stringValue\":\"x\"}}{}", "{\"a\":".repeat(40), "}".repeat(40));
        assert!(plain(&deep).is_some_and(|it| !it.contains('x')));
    }
}

//! Results of Logs Insights as JSON: of `aws logs get-query-results`, and as the console downloads them.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html>

use serde_json::Value;

use super::{Column, Row, in_order};
use crate::saved::runs::Exported;

/// The lines of such a document; `None` where it is something else. A result without a time or a message is none.
pub(in crate::saved) fn read(text: &str) -> Option<Vec<Exported>> {
    // Whoever has none of these is not parsed a second time.
    let has = |key: &str| memchr::memmem::find(text.as_bytes(), key.as_bytes()).is_some();
    if !has("\"@timestamp\"") && !has("\"@message\"") {
        return None;
    }
    let document: Value = serde_json::from_str(text).ok()?;
    let lines: Vec<Exported> = match &document {
        Value::Object(fields) => {
            let results = fields.get("results")?.as_array()?;
            results.iter().filter_map(|result| pairs(result.as_array()?)).collect()
        }
        Value::Array(rows) => {
            // A log event may hold such a key in its message; as an element it has it itself.
            if !rows.iter().any(|row| row.get("@timestamp").is_some()) {
                return None;
            }
            rows.iter().filter_map(object).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    Some(in_order(lines))
}

/// `[{"field": "@timestamp", "value": "…"}, …]`
fn pairs(pairs: &[Value]) -> Option<Exported> {
    let mut row = Row::default();
    for pair in pairs {
        let name = pair.get("field").and_then(Value::as_str).unwrap_or_default();
        take(&mut row, name, pair.get("value").unwrap_or(&Value::Null));
    }
    row.exported()
}

/// `{"@timestamp": "…", "@message": …}`
fn object(row: &Value) -> Option<Exported> {
    let mut found = Row::default();
    for (name, value) in row.as_object()? {
        take(&mut found, name, value);
    }
    found.exported()
}

fn take(row: &mut Row, name: &str, value: &Value) {
    // A field of a message may be called `message`; only what Insights itself names has the sign.
    let Some(column) = Column::of(name).filter(|_| name.starts_with('@')) else { return };
    match value {
        Value::String(text) => row.take(column, text),
        Value::Null => {}
        // The console shows a JSON line as an object.
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            row.take(column, &value.to_string());
        }
    }
}

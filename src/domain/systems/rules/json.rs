//! The `json` part of a rule: dotted paths that must hold a value, and dotted paths that fill fields.

use std::collections::BTreeMap;

use serde_json::Value;

use super::spec::{FIELDS, JsonConstant, JsonSpec, RuleError};

/// A JSON rule that compiled.
#[derive(Clone, Debug)]
pub(super) struct JsonMatcher {
    when: Vec<(Path, JsonConstant)>,
    fields: BTreeMap<String, Path>,
}

/// A dotted path, `context.id`, in its segments.
#[derive(Clone, Debug)]
struct Path(Vec<String>);

impl Path {
    fn compile(key: &str, path: &str) -> Result<Self, RuleError> {
        let mut offset = 0_usize;
        let mut segments = Vec::new();
        for segment in path.split('.') {
            if segment.is_empty() {
                let (key, path) = (key.to_owned(), path.to_owned());
                return Err(RuleError::BadPath { key, path, offset });
            }
            offset = offset.saturating_add(segment.len()).saturating_add(1);
            segments.push(segment.to_owned());
        }
        Ok(Self(segments))
    }

    fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, segment| value.get(segment))
    }
}

impl JsonMatcher {
    pub(super) fn compile(spec: &JsonSpec) -> Result<Self, RuleError> {
        if spec.when.is_empty() {
            return Err(RuleError::NoCondition);
        }
        let mut when = Vec::new();
        for (path, constant) in &spec.when {
            when.push((Path::compile("when", path)?, constant.clone()));
        }
        let mut fields = BTreeMap::new();
        for (field, path) in &spec.fields {
            if !FIELDS.contains(&field.as_str()) {
                let field = field.clone();
                return Err(RuleError::UnknownField { key: "json", field, offset: None });
            }
            fields.insert(field.clone(), Path::compile(field, path)?);
        }
        Ok(Self { when, fields })
    }

    /// The line as JSON, if it fulfils every condition.
    pub(super) fn matching_document(&self, line: &str) -> Option<Value> {
        if !line.starts_with('{') {
            return None;
        }
        let document: Value = serde_json::from_str(line).ok()?;
        let holds = |(path, constant): &(Path, JsonConstant)| {
            path.find(&document).is_some_and(|value| is_equal(value, constant))
        };
        self.when.iter().all(holds).then_some(document)
    }

    /// The value that fills a field: text, or a number as printed.
    pub(super) fn field(&self, document: &Value, field: &str) -> Option<String> {
        match self.fields.get(field)?.find(document)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Why a line is declined.
    pub(super) fn why_not(&self, line: &str) -> String {
        let document: Value = match serde_json::from_str(line) {
            Ok(document) => document,
            Err(error) => return format!("the line is not JSON: {error}"),
        };
        for (Path(segments), constant) in &self.when {
            let path = segments.join(".");
            match Path(segments.clone()).find(&document) {
                None => return format!("the line has no {path:?}"),
                Some(value) if !is_equal(value, constant) => {
                    return format!("{path:?} is {value}, not {}", print(constant));
                }
                Some(_) => {}
            }
        }
        "every condition holds".to_owned()
    }

    /// Whether a JSON line has all the paths the rule looks at, though not their values.
    pub(super) fn is_near(&self, line: &str) -> bool {
        let document: Option<Value> = serde_json::from_str(line).ok();
        document.is_some_and(|document| self.when.iter().all(|(path, _)| path.find(&document).is_some()))
    }
}

fn is_equal(value: &Value, constant: &JsonConstant) -> bool {
    match constant {
        JsonConstant::Text(text) => value.as_str() == Some(text),
        JsonConstant::Number(number) => value.as_f64() == Some(*number),
        JsonConstant::Flag(flag) => value.as_bool() == Some(*flag),
    }
}

fn print(constant: &JsonConstant) -> String {
    match constant {
        JsonConstant::Text(text) => format!("{text:?}"),
        JsonConstant::Number(number) => number.to_string(),
        JsonConstant::Flag(flag) => flag.to_string(),
    }
}

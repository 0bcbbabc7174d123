//! A `[[rule]]` as configured, and what can be wrong with it. Nothing here is compiled.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::job::{ConnectionName, JobClass, QueueName, Stage};

/// Bytes a compiled pattern may take. Fifty times what the patterns of an access log need; a bounded
/// repetition of a bounded repetition stops here instead of in the function's memory.
pub const REGEX_BYTES_MAX: usize = 1 << 20;

/// Names that a pattern's captures, and a JSON rule's keys, may fill.
pub const FIELDS: [&str; 9] =
    ["id", "uuid", "class", "queue", "connection", "attempt", "delay_s", "duration_ms", "error"];

/// A rule as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// How messages call the rule.
    pub name: String,
    /// What a matching line means.
    pub stage: Stage,
    /// A regular expression; its named captures fill fields. This or `json`.
    pub pattern: Option<String>,
    /// Keys of a JSON line. This or `pattern`.
    pub json: Option<JsonSpec>,
    /// The class where the line has none.
    pub class: Option<JobClass>,
    /// The queue where the line has none.
    pub queue: Option<QueueName>,
    /// The connection where the line has none.
    pub connection: Option<ConnectionName>,
    /// A line that the rule must read.
    pub example: Option<String>,
}

/// The `json` part of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonSpec {
    /// Dotted paths and the values they must have.
    pub when: BTreeMap<String, JsonConstant>,
    /// Field names (see [`FIELDS`]) and the dotted paths that fill them.
    pub fields: BTreeMap<String, String>,
}

/// A value that a JSON rule waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonConstant {
    /// This text, exactly.
    Text(String),
    /// This number.
    Number(f64),
    /// This truth value.
    Flag(bool),
}

/// Why a rule cannot be used: what is wrong, and where in the key's value. Whoever knows the rule says its name and
/// [`Self::key`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Neither or both of `pattern` and `json`.
    #[error("needs exactly one of the keys `pattern` and `json`")]
    OneMatcher,
    /// The pattern is not a regular expression.
    #[error("{}{reason}", at_byte(*.offset))]
    BadPattern {
        /// The byte of the pattern where it goes wrong, where that is known.
        offset: Option<usize>,
        /// The parser's words, with its pointer into the pattern.
        reason: String,
    },
    /// The pattern compiles to more than [`REGEX_BYTES_MAX`].
    #[error("compiles to more than {REGEX_BYTES_MAX} bytes; use smaller repetitions")]
    TooLarge,
    /// A capture or JSON key that fills nothing.
    #[error("{}{field:?} fills nothing; use one of {}", at_byte(*.offset), FIELDS.join(", "))]
    UnknownField {
        /// `pattern` or `json`.
        key: &'static str,
        /// The name.
        field: String,
        /// The byte of the pattern where it stands.
        offset: Option<usize>,
    },
    /// A path with an empty segment.
    #[error("{}the path {path:?} has an empty segment", at_byte(Some(*.offset)))]
    BadPath {
        /// The key of `json` that holds the path.
        key: String,
        /// The path.
        path: String,
        /// The byte of the path where the empty segment is.
        offset: usize,
    },
    /// A JSON rule without a condition would match every JSON line.
    #[error("needs at least one path, or every JSON line would match")]
    NoCondition,
    /// The example is not read by the rule.
    #[error("the rule does not read its own example: {reason}")]
    ExampleDeclined {
        /// What kept the rule from reading it.
        reason: String,
    },
}

impl RuleError {
    /// The key of the rule that is wrong: `pattern`, `json.id`.
    #[must_use]
    pub fn key(&self) -> Cow<'static, str> {
        match self {
            Self::OneMatcher | Self::BadPattern { .. } | Self::TooLarge => "pattern".into(),
            Self::UnknownField { key, .. } => (*key).into(),
            Self::BadPath { key, .. } => format!("json.{key}").into(),
            Self::NoCondition => "json.when".into(),
            Self::ExampleDeclined { .. } => "example".into(),
        }
    }
}

fn at_byte(offset: Option<usize>) -> String {
    offset.map_or_else(String::new, |offset| format!("byte {offset}: "))
}

//! A `[[rule]]`: a line the app already writes, read as an observation.
//!
//! Raw ([`RuleSpec`]) becomes checked ([`Rule`]) once, before anything runs; an error names key and place.

mod json;

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex::{Captures, Regex, RegexBuilder};

use crate::domain::job::{ConnectionName, Form, JobClass, QueueName, Runtime, Stage};

use super::normalise;
use super::runtime;
use super::sighting::Sighting;
use json::JsonMatcher;

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

/// A rule that compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    spec: RuleSpec,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Pattern(Regex),
    Json(JsonMatcher),
}

impl Rule {
    /// Compiles a rule.
    ///
    /// # Errors
    /// The first thing wrong with it, with key and place. The example is not run: see
    /// [`Rule::check_example`].
    pub fn compile(spec: RuleSpec) -> Result<Self, RuleError> {
        let matcher = match (&spec.pattern, &spec.json) {
            (Some(pattern), None) => Matcher::Pattern(compile_pattern(pattern)?),
            (None, Some(json)) => Matcher::Json(JsonMatcher::compile(json)?),
            (None, None) | (Some(_), Some(_)) => return Err(RuleError::OneMatcher),
        };
        Ok(Self { spec, matcher })
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether the rule reads its own example; true without one.
    ///
    /// # Errors
    /// [`RuleError::ExampleDeclined`] if it does not.
    pub fn check_example(&self) -> Result<(), RuleError> {
        let Some(example) = &self.spec.example else { return Ok(()) };
        let plain = normalise::strip(example);
        let (line, _) = normalise::first_line(&plain);
        if self.read(line).is_some() {
            return Ok(());
        }
        Err(RuleError::ExampleDeclined { reason: self.why_not(line) })
    }

    /// Reads a line, or declines.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<Sighting<'a>> {
        let mut seen = match &self.matcher {
            Matcher::Pattern(pattern) => {
                let captures = pattern.captures(line)?;
                self.sighting(|field| named(&captures, field))
            }
            Matcher::Json(json) => {
                let document = json.matching_document(line)?;
                self.sighting(|field| json.field(&document, field).map(Cow::Owned))
            }
        };
        seen.class = seen.class.or_else(|| self.spec.class.as_ref().map(|c| c.as_str().to_owned().into()));
        seen.queue = seen.queue.or_else(|| self.spec.queue.as_ref().map(|q| q.as_str().to_owned().into()));
        seen.connection =
            seen.connection.or_else(|| self.spec.connection.as_ref().map(|c| c.as_str().to_owned().into()));
        Some(seen)
    }

    /// Why a line is declined, in words.
    pub(super) fn why_not(&self, line: &str) -> String {
        match &self.matcher {
            Matcher::Pattern(pattern) => {
                format!("the pattern {:?} is not found in the line", pattern.as_str())
            }
            Matcher::Json(json) => json.why_not(line),
        }
    }

    /// Whether a declined line is at least of the rule's kind.
    pub(super) fn is_near(&self, line: &str) -> bool {
        match &self.matcher {
            Matcher::Pattern(_) => false,
            Matcher::Json(json) => json.is_near(line),
        }
    }

    fn sighting<'a>(&self, field: impl Fn(&str) -> Option<Cow<'a, str>>) -> Sighting<'a> {
        let mut seen = Sighting::new(self.spec.stage, Form::Rule);
        seen.id = field("id");
        seen.uuid = field("uuid");
        seen.class = field("class");
        seen.queue = field("queue");
        seen.connection = field("connection");
        seen.attempt = field("attempt").and_then(|text| text.parse().ok());
        let delay = field("delay_s").and_then(|text| text.parse().ok());
        seen.delay_ms = delay.and_then(runtime::from_seconds).map(|delay| delay.ms);
        let duration = field("duration_ms").and_then(|text| text.parse::<f64>().ok());
        let duration = duration.and_then(|ms| runtime::from_seconds(ms / 1000.0));
        seen.runtime = duration.map(|Runtime { ms, .. }| Runtime { ms, is_whole_seconds: false });
        seen.text = field("error");
        seen
    }
}

fn named<'a>(captures: &Captures<'a>, field: &str) -> Option<Cow<'a, str>> {
    captures.name(field).map(|m| m.as_str()).filter(|text| !text.is_empty()).map(Cow::Borrowed)
}

fn compile_pattern(pattern: &str) -> Result<Regex, RuleError> {
    let regex = match RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build() {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => return Err(RuleError::TooLarge),
        Err(error) => {
            let reason = error.to_string();
            return Err(RuleError::BadPattern { offset: pointed_at(&reason), reason });
        }
    };
    if let Some(field) = regex.capture_names().flatten().find(|name| !FIELDS.contains(name)) {
        let offset = pattern.find(&format!("<{field}>")).map(|at| at.saturating_add(1));
        return Err(RuleError::UnknownField { key: "pattern", field: field.to_owned(), offset });
    }
    Ok(regex)
}

/// The byte that the parser's pointer (`    ^`, under a pattern indented by four) stands under.
fn pointed_at(reason: &str) -> Option<usize> {
    let mut lines = reason.lines();
    let pattern = lines.find_map(|line| line.strip_prefix("    "))?;
    let column = lines.next()?.strip_prefix("    ")?.find('^')?;
    pattern.char_indices().nth(column).map_or(Some(pattern.len()), |(offset, _)| Some(offset))
}

#[cfg(test)]
mod tests;

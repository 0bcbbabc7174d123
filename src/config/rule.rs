//! A `[[rule]]` as written: its shape is checked, its pattern and paths are not compiled yet.
//!
//! Whoever compiles it reports what is wrong through [`RuleConfig::error`], which adds the rule's name, the
//! key and its place in the file.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::error::{ConfigError, Place};
use crate::domain::job::{ConnectionName, JobClass, QueueName, Stage};

/// One custom rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleConfig {
    /// What `explain` and errors call it; no two rules share a name.
    pub name: String,
    /// What its lines say happened.
    pub stage: Stage,
    /// Which lines it takes.
    pub matcher: RuleMatcher,
    /// The class of its lines, where the line itself does not carry one.
    pub class: Option<JobClass>,
    /// The queue, likewise.
    pub queue: Option<QueueName>,
    /// The connection, likewise.
    pub connection: Option<ConnectionName>,
    /// A line that it must match.
    pub example: Option<String>,
    /// Where the rule and its keys are written; the rule itself is the empty key.
    pub(super) places: BTreeMap<&'static str, Place>,
}

/// Which lines a rule takes, and what it reads from them.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleMatcher {
    /// A regular expression whose named groups are [`Capture`]s.
    Pattern(String),
    /// A JSON line.
    Json(JsonRule),
}

/// A JSON rule: `json = { when = { message = "Job queued" }, id = "context.id" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonRule {
    /// Dotted paths and the text, number or boolean each must hold; never empty.
    pub when: BTreeMap<String, serde_json::Value>,
    /// The dotted path of each thing to read.
    pub captures: BTreeMap<Capture, String>,
}

/// What a rule can read from a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capture {
    /// The driver's id.
    Id,
    /// The payload's uuid.
    Uuid,
    /// The class.
    Class,
    /// The queue.
    Queue,
    /// The connection.
    Connection,
    /// The attempt, counted from 1.
    Attempt,
    /// The delay in seconds.
    DelayS,
    /// The runtime in milliseconds.
    DurationMs,
    /// The error.
    Error,
}

impl Capture {
    /// Its name, as a key and as a named group.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Uuid => "uuid",
            Self::Class => "class",
            Self::Queue => "queue",
            Self::Connection => "connection",
            Self::Attempt => "attempt",
            Self::DelayS => "delay_s",
            Self::DurationMs => "duration_ms",
            Self::Error => "error",
        }
    }
}

impl RuleConfig {
    /// An error in one of this rule's keys (`pattern`, `json`, `json.id`, `class`, `example`, …), at its place.
    #[must_use]
    pub fn error(&self, key: &str, detail: impl fmt::Display) -> ConfigError {
        let written = key.split('.').next().unwrap_or(key);
        let place = self.places.get(written).or_else(|| self.places.get("")).copied().unwrap_or_default();
        ConfigError::value(place, format!("rule \"{}\": {key}", self.name), detail.to_string())
    }
}

impl<'de> Deserialize<'de> for JsonRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// `serde(flatten)` would lose the place of a wrong value.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            when: BTreeMap<String, serde_json::Value>,
            id: Option<String>,
            uuid: Option<String>,
            class: Option<String>,
            queue: Option<String>,
            connection: Option<String>,
            attempt: Option<String>,
            delay_s: Option<String>,
            duration_ms: Option<String>,
            error: Option<String>,
        }
        let raw = Raw::deserialize(deserializer)?;
        if raw.when.is_empty() {
            return Err(de::Error::custom("`when` is empty, so every JSON line would match"));
        }
        if let Some((path, _)) = raw.when.iter().find(|(_, value)| value.is_object() || value.is_array()) {
            return Err(de::Error::custom(format!(
                "`when.\"{path}\"` must be a text, a number or a boolean"
            )));
        }
        let captures = [
            (Capture::Id, raw.id),
            (Capture::Uuid, raw.uuid),
            (Capture::Class, raw.class),
            (Capture::Queue, raw.queue),
            (Capture::Connection, raw.connection),
            (Capture::Attempt, raw.attempt),
            (Capture::DelayS, raw.delay_s),
            (Capture::DurationMs, raw.duration_ms),
            (Capture::Error, raw.error),
        ];
        let captures: BTreeMap<Capture, String> =
            captures.into_iter().filter_map(|(capture, path)| path.map(|path| (capture, path))).collect();
        if let Some((capture, _)) = captures.iter().find(|(_, path)| path.split('.').any(str::is_empty)) {
            return Err(de::Error::custom(format!("`{}` is no dotted path", capture.as_str())));
        }
        Ok(Self { when: raw.when, captures })
    }
}

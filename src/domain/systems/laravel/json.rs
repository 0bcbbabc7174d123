//! A JSON line: one pass over it, borrowing what it can, whatever the order of its keys and the types of
//! their values.

use std::borrow::Cow;
use std::fmt;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value that is not a container. A field of an unexpected type is [`Scalar::Other`], never an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::domain::systems) enum Scalar<'a> {
    /// No such key, or `null`.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Whole(i64),
    Real(f64),
    Other,
}

impl<'a> Scalar<'a> {
    /// The text, if it is one.
    pub(in crate::domain::systems) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text, if it is one and not empty.
    pub(in crate::domain::systems) fn into_text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text).filter(|t| !t.is_empty()) } else { None }
    }

    /// An identity: text, or a number as the database driver has it.
    pub(in crate::domain::systems) fn into_id(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Whole(number) => Some(Cow::Owned(number.to_string())),
            Self::Absent | Self::Text(_) | Self::Real(_) | Self::Other => None,
        }
    }

    /// A number of seconds in milliseconds, not below zero. Text counts when it is a plain number.
    pub(in crate::domain::systems) fn seconds_as_ms(&self) -> Option<i64> {
        match self {
            Self::Whole(seconds) => Some(seconds.max(&0).saturating_mul(1000)),
            Self::Real(seconds) => super::runtime::from_seconds(seconds.max(0.0)).map(|r| r.ms),
            Self::Text(text) => text.parse::<u32>().ok().map(|s| i64::from(s).saturating_mul(1000)),
            Self::Absent | Self::Other => None,
        }
    }

    /// A number, whole or not.
    pub(in crate::domain::systems) fn as_real(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a runtime in seconds is far below 2^52")]
            Self::Whole(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Absent | Self::Text(_) | Self::Other => None,
        }
    }

    /// A count from one.
    pub(in crate::domain::systems) fn as_count(&self) -> Option<u32> {
        match self {
            Self::Whole(number) => u32::try_from(*number).ok(),
            Self::Absent | Self::Text(_) | Self::Real(_) | Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Real(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// The top-level keys that any JSON form uses. Which of them are there decides the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::domain::systems) struct Document<'a> {
    // `queue:work --json`
    #[serde(borrow)]
    pub(in crate::domain::systems) status: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) job: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) id: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) uuid: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) connection: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) queue: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) result: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) attempts: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) duration: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) exception: Scalar<'a>,
    // both
    #[serde(borrow)]
    pub(in crate::domain::systems) message: Scalar<'a>,
    // Monolog
    #[serde(borrow)]
    pub(in crate::domain::systems) level_name: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) context: Option<&'a RawValue>,
    // FireLens and the json-file driver
    #[serde(borrow)]
    pub(in crate::domain::systems) log: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) container_name: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) container_id: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) source: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) stream: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) ecs_cluster: Scalar<'a>,
    #[serde(borrow)]
    pub(in crate::domain::systems) ecs_task_arn: Scalar<'a>,
}

impl<'a> Document<'a> {
    /// Parses a line, unless it cannot be of use: most JSON noise stops at five short substring searches.
    pub(in crate::domain::systems) fn read(line: &'a str) -> Option<Self> {
        const TELLING: [&str; 5] = ["\"status\"", "queued\"", "\"log\"", "xception", "Worker "];
        // How a worker and Monolog begin the lines that matter: no need to search those.
        const BEGINNINGS: [&str; 2] = ["{\"level\":\"", "{\"message\":\"Job queued\""];
        let finds = |word: &&str| memmem::find(line.as_bytes(), word.as_bytes()).is_some();
        let is_telling = BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
            || (line.starts_with('{') && TELLING.iter().any(finds));
        if is_telling { serde_json::from_str(line).ok() } else { None }
    }

    /// The line inside a FireLens (or json-file) record.
    pub(in crate::domain::systems) fn take_inner_line(&mut self) -> Option<Cow<'a, str>> {
        let marks = [
            &self.container_name,
            &self.container_id,
            &self.source,
            &self.stream,
            &self.ecs_cluster,
            &self.ecs_task_arn,
        ];
        if marks.into_iter().all(|mark| *mark == Scalar::Absent) {
            None
        } else {
            std::mem::take(&mut self.log).into_text()
        }
    }

    /// Whether the record is Monolog's rather than a worker's: a worker's `level` is text, and it has no name.
    pub(in crate::domain::systems) fn is_monolog(&self) -> bool {
        self.level_name.as_text().is_some() && self.message.as_text().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_not_an_error() {
        let line = r#"{"status":{"code":1},"job":["x"],"id":17,"duration":0.5,"uuid":null,"queue":true}"#;
        let document = Document::read(line).expect("JSON");
        assert_eq!(document.status, Scalar::Other);
        assert_eq!(document.job, Scalar::Other);
        assert_eq!(document.id, Scalar::Whole(17));
        assert_eq!(document.duration, Scalar::Real(0.5));
        assert_eq!(document.uuid, Scalar::Absent);
        assert_eq!(document.queue, Scalar::Other);
    }

    #[test]
    fn noise_is_not_parsed_and_broken_json_is_declined() {
        assert!(Document::read(r#"{"message":"GET / 200","context":{}}"#).is_none());
        assert!(Document::read(r#"{"status":"starting","job":"#).is_none());
        assert!(Document::read(r#"["status"]"#).is_none());
    }

    #[track_caller]
    fn check_inner(line: &str, expected: Option<&str>) {
        let inner = Document::read(line).and_then(|mut d| d.take_inner_line());
        assert_eq!(inner.as_deref(), expected, "{line}");
    }

    #[test]
    fn a_router_record_holds_a_line() {
        check_inner(r#"{"log":"a \"b\"","container_name":"app"}"#, Some("a \"b\""));
        check_inner(r#"{"source":"stderr","log":"x","ecs_cluster":"c","container_id":"1"}"#, Some("x"));
        check_inner(r#"{"log":"x\n","stream":"stdout","time":"2026-01-01T00:00:00Z"}"#, Some("x\n"));
        check_inner(r#"{"log":"x"}"#, None);
        check_inner(r#"{"log":{"a":1},"container_name":"app"}"#, None);
    }

    #[test]
    fn a_delay_is_seconds_and_nothing_else() {
        assert_eq!(Scalar::Whole(90).seconds_as_ms(), Some(90_000));
        assert_eq!(Scalar::Whole(0).seconds_as_ms(), Some(0));
        assert_eq!(Scalar::Whole(-5).seconds_as_ms(), Some(0));
        assert_eq!(Scalar::Real(1.5).seconds_as_ms(), Some(1_500));
        assert_eq!(Scalar::Text("30".into()).seconds_as_ms(), Some(30_000));
        assert_eq!(Scalar::Text("2025-12-06T12:00:00Z".into()).seconds_as_ms(), None);
        assert_eq!(Scalar::Other.seconds_as_ms(), None);
        assert_eq!(Scalar::Absent.seconds_as_ms(), None);
    }
}

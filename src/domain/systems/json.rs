//! A JSON line: one pass over it, borrowing what it can, whatever the order of its keys and the types of
//! their values. Which keys are there decides the form, and that is each form's to say.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::redact::constant;

/// A JSON value that is not a container. A field of an unexpected type is [`Scalar::Other`], never an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar<'a> {
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
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text, if it is one and not empty.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text).filter(|t| !t.is_empty()) } else { None }
    }

    /// An identity: text, or a number as the database driver has it.
    pub(super) fn into_id(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Whole(number) => Some(Cow::Owned(number.to_string())),
            Self::Absent | Self::Text(_) | Self::Real(_) | Self::Other => None,
        }
    }

    /// A number of seconds in milliseconds, not below zero. Text counts when it is a plain number.
    pub(super) fn seconds_as_ms(&self) -> Option<i64> {
        match self {
            Self::Whole(seconds) => Some(seconds.max(&0).saturating_mul(1000)),
            Self::Real(seconds) => super::runtime::from_seconds(seconds.max(0.0)).map(|r| r.ms),
            Self::Text(text) => text.parse::<u32>().ok().map(|s| i64::from(s).saturating_mul(1000)),
            Self::Absent | Self::Other => None,
        }
    }

    /// A number, whole or not.
    pub(super) fn as_real(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a runtime in seconds is far below 2^52")]
            Self::Whole(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Absent | Self::Text(_) | Self::Other => None,
        }
    }

    /// A count from one.
    pub(super) fn as_count(&self) -> Option<u32> {
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

/// An object's top-level keys and values, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Document<'a>(Vec<(Cow<'a, str>, Held<'a>)>);

/// A value.
#[derive(Clone, Debug)]
enum Held<'a> {
    /// As it is written: it is parsed when it is asked for.
    Written(&'a RawValue),
    /// One that is no container.
    Read(Scalar<'a>),
}

/// Words of which a JSON line that matters has at least one: a worker's, a logger's, a store's or a router's. Most
/// JSON noise (access lines, an app's own records) ends here.
static TELLING: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        "\"status\"|queue|\"log\"|xception|orker|Process|RUNNING|DONE|FAIL|orizon|artisan|\"kubernetes\"|\"MESSAGE\"\
         |\"stream\":|everity[_TN]|systemdUnit|\"source_type\"|\"container_|\"ecs_|ailed job|equestId\"|\"textPayload\"",
    )
});

/// How a worker and a logger begin the lines that matter most: no need to search those.
const BEGINNINGS: [&str; 2] = ["{\"level\":\"", "{\"message\":\"Job queued\""];

/// Keys under which shippers put a line.
static SHIPPED: LazyLock<Regex> =
    LazyLock::new(|| constant("\"(?:message|log|line|event|content|record|LogMessage|LogEntry|Body)\":\""));

/// What a logger's record has beside its message.
static LEVEL: LazyLock<Regex> = LazyLock::new(|| constant("evel|everity|\"context\""));

/// Whether a JSON line can be of use.
pub(super) fn is_telling(line: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
        || (line.starts_with('{')
            && (TELLING.is_match(line) || (SHIPPED.is_match(line) && !LEVEL.is_match(line))))
}

impl<'a> Document<'a> {
    /// Parses a line, unless it cannot be of use.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        if is_telling(line) { serde_json::from_str(line).ok() } else { None }
    }

    /// One that was read, and holds no container.
    pub(super) fn of_scalars(fields: Vec<(&'a str, Scalar<'a>)>) -> Self {
        Self(fields.into_iter().map(|(key, value)| (Cow::Borrowed(key), Held::Read(value))).collect())
    }

    /// Of a key that stands twice the last counts, as PHP has it.
    fn held(&self, key: &str) -> Option<&Held<'a>> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A key's value as written, unless that was read.
    pub(super) fn get(&self, key: &str) -> Option<&'a RawValue> {
        if let Held::Written(value) = self.held(key)? { Some(value) } else { None }
    }

    /// Every value as written.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a RawValue> {
        self.0
            .iter()
            .filter_map(|(_, value)| if let Held::Written(value) = value { Some(*value) } else { None })
    }

    /// Whether a key is there, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.held(key).is_some()
    }

    /// A key's value, if it is no container.
    pub(super) fn scalar(&self, key: &str) -> Scalar<'a> {
        match self.held(key) {
            None => Scalar::Absent,
            Some(Held::Written(value)) => serde_json::from_str(value.get()).unwrap_or(Scalar::Other),
            Some(Held::Read(value)) => value.clone(),
        }
    }

    /// The text of the first of these keys that has one.
    pub(super) fn text(&self, keys: &[&str]) -> Option<Cow<'a, str>> {
        keys.iter().find_map(|key| self.scalar(key).into_text())
    }

    /// The object under a key.
    pub(super) fn object(&self, key: &str) -> Option<Self> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// The same object with its keys under other names; `None` leaves one out.
    pub(super) fn renamed(&self, name: impl Fn(&str) -> Option<&str>) -> Self {
        let entries = self.0.iter();
        let named =
            entries.filter_map(|(key, value)| Some((Cow::Owned(name(key)?.to_owned()), value.clone())));
        Self(named.collect())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        /// A key that borrows where it has no escapes.
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
        /// Keys of a record of the usual kind.
        const KEYS_EXPECTED: usize = 12;
        let mut found = Vec::with_capacity(KEYS_EXPECTED);
        while let Some((Key(key), value)) = entries.next_entry::<Key<'de>, &'de RawValue>()? {
            found.push((key, Held::Written(value)));
        }
        Ok(Document(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_not_an_error() {
        let line = r#"{"status":{"code":1},"job":["x"],"id":17,"duration":0.5,"uuid":null,"queue":true}"#;
        let document = Document::read(line).expect("JSON");
        assert_eq!(document.scalar("status"), Scalar::Other);
        assert_eq!(document.scalar("job"), Scalar::Other);
        assert_eq!(document.scalar("id"), Scalar::Whole(17));
        assert_eq!(document.scalar("duration"), Scalar::Real(0.5));
        assert_eq!(document.scalar("uuid"), Scalar::Absent);
        assert_eq!(document.scalar("queue"), Scalar::Other);
        assert_eq!(document.scalar("none"), Scalar::Absent);
    }

    #[test]
    fn noise_is_not_parsed_and_broken_json_is_declined() {
        assert!(Document::read(r#"{"message":"GET / 200","context":{}}"#).is_none());
        assert!(Document::read(r#"{"status":"starting","job":"#).is_none());
        assert!(Document::read(r#"["status"]"#).is_none());
    }

    #[test]
    fn keys_are_found_whatever_their_escapes_and_the_last_of_two_counts() {
        let document =
            Document::read(r#"{"status":"a","stat\u0075s":"b","context":{"id":1}}"#).expect("JSON");
        assert_eq!(document.text(&["none", "status"]).as_deref(), Some("b"));
        assert_eq!(document.object("context").map(|it| it.scalar("id")), Some(Scalar::Whole(1)));
        assert!(document.object("status").is_none() && document.has("status") && !document.has("id"));
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

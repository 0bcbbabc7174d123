//! Values that are checked while they are read, so that the TOML reader itself knows the key, line and column
//! of a wrong one.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, de};
use ureq::http::Uri;

use super::duration::parse_duration_ms;
use super::error::ConfigError;
use crate::domain::account::ACCOUNT_DIGITS;
use crate::domain::cron::Cron;
use crate::domain::job::Timestamp;

/// A value written as text.
pub(super) trait FromText: Sized {
    /// What to write; completes "invalid type: integer `300`, expected …".
    const EXPECTED: &str;

    /// Reads the text, or says what is wrong with it.
    fn from_text(text: &str) -> Result<Self, String>;
}

/// The value of a flag or a variable, where there is one.
pub(super) fn checked<T: FromText>(name: &'static str, text: Option<&str>) -> Result<Option<T>, ConfigError> {
    text.map(|text| T::from_text(text).map_err(|detail| ConfigError::Setting { name, detail })).transpose()
}

/// A checked value.
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<T: FromText> de::Visitor<'_> for Visitor<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::from_text(text).map(Text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

/// A duration in milliseconds that may be zero.
pub(super) struct DurationMs(pub(super) i64);

impl FromText for DurationMs {
    const EXPECTED: &str = "a duration in quotes with its unit: \"90s\", \"5m\", \"2h30m\" or \"1d\"";

    fn from_text(text: &str) -> Result<Self, String> {
        parse_duration_ms(text).map(Self).map_err(|error| error.to_string())
    }
}

/// A duration in milliseconds above zero.
pub(super) struct SpanMs(pub(super) i64);

impl FromText for SpanMs {
    const EXPECTED: &str = DurationMs::EXPECTED;

    fn from_text(text: &str) -> Result<Self, String> {
        match DurationMs::from_text(text)? {
            DurationMs(0) => Err(format!("`{text}` must be longer than zero")),
            DurationMs(ms) => Ok(Self(ms)),
        }
    }
}

/// An app's name.
pub(super) struct AppName(pub(super) String);

/// The name is a metric dimension, part of every incident id and of every key in a store.
const APP_CHARS_MAX: usize = 100;

impl FromText for AppName {
    const EXPECTED: &str = "the app's name in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        if text.is_empty() || text.len() > APP_CHARS_MAX || !text.chars().all(is_name) {
            return Err(format!(
                "`{text}` is no app name: 1 to {APP_CHARS_MAX} letters, digits, `.`, `_`, `-`, `/`"
            ));
        }
        Ok(Self(text.into()))
    }
}

/// An AWS account's number.
pub(super) struct AccountId(pub(super) String);

impl FromText for AccountId {
    const EXPECTED: &str = "an AWS account's number in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.len() == ACCOUNT_DIGITS && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(format!("`{text}` is no AWS account: {ACCOUNT_DIGITS} digits"))
        }
    }
}

/// An IANA time zone's name.
pub(super) struct ZoneName(pub(super) String);

impl FromText for ZoneName {
    const EXPECTED: &str = "a time zone's name in quotes, such as \"Asia/Tokyo\"";

    fn from_text(text: &str) -> Result<Self, String> {
        match jiff::tz::TimeZone::get(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(_) => {
                Err(format!("`{text}` is no time zone: write an IANA name, such as `UTC` or `Asia/Tokyo`"))
            }
        }
    }
}

impl FromText for Cron {
    const EXPECTED: &str = "five cron fields in quotes, such as \"0 3 * * 0\"";

    fn from_text(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// A glob.
pub(super) struct Glob(pub(super) String);

impl FromText for Glob {
    const EXPECTED: &str = "a name in quotes, in which `*` is any text and `?` any character";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("it is empty: write `*` for any".into()) } else { Ok(Self(text.into())) }
    }
}

/// A name that is compared whole.
pub(super) struct Name(pub(super) String);

impl FromText for Name {
    const EXPECTED: &str = "a name in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" => Err("the name is empty".into()),
            name => Ok(Self(name.into())),
        }
    }
}

/// A name for which a `*` would look as if it were a glob, and never match.
pub(super) struct ExactName(pub(super) String);

impl FromText for ExactName {
    const EXPECTED: &str = Name::EXPECTED;

    fn from_text(text: &str) -> Result<Self, String> {
        let Name(name) = Name::from_text(text)?;
        if name.contains('*') {
            return Err(format!("`{name}` is no exact name: `*` is not a glob here"));
        }
        Ok(Self(name))
    }
}

/// A webhook's address.
pub(super) struct Webhook(pub(super) String);

impl FromText for Webhook {
    const EXPECTED: &str = "a webhook's URL in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let url =
            text.parse::<Uri>().ok().filter(|url| is_web && url.host().is_some_and(|it| !it.is_empty()));
        // The address itself may be a secret (a chat webhook's is), so it is not repeated.
        url.map(|_| Self(text.into())).ok_or_else(|| {
            "it must begin with `https://` or `http://`, name a host, and have no character that a URL cannot have".into()
        })
    }
}

/// The integration key of a PagerDuty service.
pub(super) struct RoutingKey(pub(super) String);

/// [As PagerDuty gives it out](https://developer.pagerduty.com/docs/events-api-v2/trigger-events/).
const ROUTING_KEY_CHARS: usize = 32;

impl FromText for RoutingKey {
    const EXPECTED: &str = "a PagerDuty integration key in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.len() == ROUTING_KEY_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self(text.into()));
        }
        // It is a secret, and not repeated.
        Err(format!(
            "it is no integration key of PagerDuty's Events API v2: {ROUTING_KEY_CHARS} letters and digits, as its service shows it"
        ))
    }
}

/// Where the runbook is: an address, or the path of a file. Messages append `#` and a section to it.
pub(super) struct RunbookUrl(pub(super) String);

impl FromText for RunbookUrl {
    const EXPECTED: &str = "the runbook's URL in quotes";

    fn from_text(text: &str) -> Result<Self, String> {
        // A mail program ends an address at a space, and a section stands behind the only `#`.
        let is_wrong = |c: char| c == '#' || c.is_whitespace() || c.is_control();
        if text.is_empty() || text.contains(is_wrong) {
            return Err(format!("`{text}` must be an address without `#` and spaces"));
        }
        Ok(Self(text.into()))
    }
}

/// A TOML date and time with its offset; not a text.
#[derive(Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub(super) struct Moment(pub(super) Timestamp);

impl TryFrom<toml::value::Datetime> for Moment {
    type Error = String;

    fn try_from(written: toml::value::Datetime) -> Result<Self, String> {
        let text = written.to_string();
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            format!("`{text}` must be a date and time with an offset, such as `2026-12-01T00:00:00Z`")
        })?;
        Ok(Self(Timestamp::from_ms(moment.as_millisecond())))
    }
}

/// A share, above 0 and at most 1.
#[derive(Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Share(pub(super) f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        if share > 0.0 && share <= 1.0 {
            Ok(Self(share))
        } else {
            Err(format!("`{share}` must be above 0 and at most 1"))
        }
    }
}

/// A count of at least one.
#[derive(Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct AtLeastOne(pub(super) u32);

impl TryFrom<u32> for AtLeastOne {
    type Error = String;

    fn try_from(count: u32) -> Result<Self, String> {
        if count == 0 { Err("it must be at least 1".into()) } else { Ok(Self(count)) }
    }
}

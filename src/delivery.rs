//! The closed list of what may arrive at a function, decided by key and parsed once.
//!
//! Keys it does not know are tolerated: AWS adds some. It opens nothing: the text or bytes of a payload are
//! handed on as they came.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::domain::command::Command;
use crate::domain::job::Timestamp;
use crate::domain::model::policy::Silence;
use crate::domain::printable::printable;

/// What arrived.
#[derive(Debug, PartialEq)]
pub enum Delivery<'a> {
    /// A subscription's payload: base64 of gzip of JSON.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>
    Subscription {
        /// `awslogs.data`; borrowed, unless the JSON escapes a character of it.
        data: Cow<'a, str>,
    },
    /// A batch of Kinesis records, at least one.
    Kinesis(Vec<KinesisPayload>),
    /// What an earlier invocation failed on, as the on-failure destination kept it; never another one of these.
    OnFailure(Box<Delivery<'a>>),
    /// The scheduler's minute.
    Tick,
    /// An operator's word.
    Command(Command),
}

/// One record of a Kinesis batch. A bad one does not take the others with it.
#[derive(Debug, PartialEq)]
pub struct KinesisPayload {
    /// The sequence number, which a batch response names; empty where the record has none.
    pub sequence: String,
    /// The record's bytes (gzip of JSON), or why there are none.
    pub data: Result<Vec<u8>, DeliveryError>,
}

/// Why a delivery can never work. None of these is cured by a retry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// Not JSON, or not UTF-8.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, and nothing in it that queuewatch knows.
    #[error("{0}")]
    NoPayload(String),
    /// A Kinesis record whose data is not base64.
    #[error("the record's data is not base64")]
    BadBase64,
}

impl DeliveryError {
    /// The reason's name in JSON output and in the dimension of `PayloadsRejected`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::NoPayload(_) => "no_payload",
            Self::BadBase64 => "bad_base64",
        }
    }
}

/// Reads what arrived.
///
/// # Errors
/// Not JSON, or JSON without anything known; see [`DeliveryError`]. A bad Kinesis record is no error of its
/// batch, unless no record has Kinesis data at all.
pub fn parse(text: &[u8]) -> Result<Delivery<'_>, DeliveryError> {
    let text = std::str::from_utf8(text).map_err(|error| DeliveryError::NotJson(error.to_string()))?;
    // Editors and shells on Windows begin a file with a byte order mark.
    let shape: Shape<'_> = object(text.trim_start_matches('\u{feff}'), "the event")?;
    match (shape.request_payload, &shape.payload) {
        _ if shape.is_direct() => direct(&shape),
        (Some(inner), _) => once_failed(inner.get()),
        // The record of a failed Kinesis batch holds the whole event as a text.
        (None, Some(inner)) => once_failed(inner).map(Delivery::into_owned),
        (None, None) => {
            Err(no_payload("none of awslogs, Records, requestPayload, tick, close, seen, silence is there"))
        }
    }
}

/// Reads what an on-failure record holds: anything but another such record.
fn once_failed(inner: &str) -> Result<Delivery<'_>, DeliveryError> {
    let shape: Shape<'_> = object(inner, "the failed event")?;
    if !shape.is_direct() {
        return Err(no_payload(
            "the failed event holds none of awslogs, Records, tick, close, seen, silence",
        ));
    }
    direct(&shape).map(|inner| Delivery::OnFailure(Box::new(inner)))
}

/// The keys that decide.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    awslogs: Option<&'a RawValue>,
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestPayload")]
    request_payload: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "text_or_none")]
    payload: Option<Cow<'a, str>>,
    #[serde(borrow)]
    close: Option<&'a RawValue>,
    #[serde(borrow)]
    silence: Option<&'a RawValue>,
    #[serde(borrow)]
    seen: Option<&'a RawValue>,
    #[serde(borrow)]
    by: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    tick: Option<&'a RawValue>,
}

impl Shape<'_> {
    fn is_direct(&self) -> bool {
        self.awslogs.is_some()
            || self.records.is_some()
            || self.close.is_some()
            || self.silence.is_some()
            || self.seen.is_some()
            || self.is_tick()
    }

    /// A schedule of either kind of EventBridge, or `{"tick": true}` by hand.
    fn is_tick(&self) -> bool {
        let source = self.source.map(RawValue::get);
        matches!(source, Some(r#""aws.scheduler""# | r#""aws.events""#))
            || self.tick.is_some_and(|tick| tick.get() == "true")
    }
}

fn direct<'a>(shape: &Shape<'a>) -> Result<Delivery<'a>, DeliveryError> {
    if let Some(awslogs) = shape.awslogs {
        let Awslogs { data } = object(awslogs.get(), "awslogs")?;
        return Ok(Delivery::Subscription { data });
    }
    if let Some(records) = shape.records {
        return kinesis(records.get()).map(Delivery::Kinesis);
    }
    if let Some(close) = shape.close {
        let id = text(close, "close")?;
        return Ok(Delivery::Command(Command::Close { id, reason: reason(shape.reason)? }));
    }
    if let Some(seen) = shape.seen {
        let (id, by) =
            (text(seen, "seen")?, shape.by.map_or_else(|| Ok(String::new()), |by| text(by, "by"))?);
        let by = printable(by.trim()).chars().take(BY_CHARS_MAX).collect();
        return Ok(Delivery::Command(Command::Seen { id, by }));
    }
    if let Some(silence) = shape.silence {
        let silence: RawSilence<'_> = object(silence.get(), "silence")?;
        return silence.checked(shape.reason).map(Delivery::Command);
    }
    Ok(Delivery::Tick)
}

/// Who answers is a name, not a text.
const BY_CHARS_MAX: usize = 60;

#[derive(Deserialize)]
struct Awslogs<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// Records are read one by one and not as one `KinesisEvent`, which a single bad record fails as a whole.
fn kinesis(records: &str) -> Result<Vec<KinesisPayload>, DeliveryError> {
    let records: Vec<&RawValue> = parsed(records, "Records")?;
    let payloads: Vec<_> = records.into_iter().map(|record| kinesis_record(record.get())).collect();
    let is_known = |payload: &KinesisPayload| {
        !payload.sequence.is_empty() || !matches!(payload.data, Err(DeliveryError::NoPayload(_)))
    };
    if payloads.iter().any(is_known) {
        Ok(payloads)
    } else {
        Err(no_payload("no record in Records holds Kinesis data"))
    }
}

fn kinesis_record(record: &str) -> KinesisPayload {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        kinesis: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Kinesis<'a> {
        #[serde(default, borrow, rename = "sequenceNumber", deserialize_with = "text_or_none")]
        sequence: Option<Cow<'a, str>>,
        #[serde(default, borrow, deserialize_with = "text_or_none")]
        data: Option<Cow<'a, str>>,
    }
    let read = || -> Result<Kinesis<'_>, DeliveryError> {
        let Record { kinesis } = object(record, "the record")?;
        object(kinesis.map_or("null", RawValue::get), "kinesis")
    };
    let Kinesis { sequence, data } = match read() {
        Ok(kinesis) => kinesis,
        Err(error) => return KinesisPayload { sequence: String::new(), data: Err(error) },
    };
    let data = match data {
        Some(data) => {
            base64_simd::STANDARD.decode_to_vec(data.as_bytes()).map_err(|_| DeliveryError::BadBase64)
        }
        None => Err(no_payload("the record has no data")),
    };
    KinesisPayload { sequence: sequence.unwrap_or_default().into_owned(), data }
}

#[derive(Deserialize)]
struct RawSilence<'a> {
    #[serde(borrow)]
    queue: Option<&'a RawValue>,
    #[serde(borrow)]
    incident: Option<&'a RawValue>,
    #[serde(borrow)]
    until: &'a RawValue,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
}

impl RawSilence<'_> {
    /// The reason may stand inside or, as for `close`, beside.
    fn checked(&self, reason_beside: Option<&RawValue>) -> Result<Command, DeliveryError> {
        let name = |raw: &RawValue, what: &str| {
            let name = text(raw, what)?.trim().to_owned();
            if name.is_empty() { Err(no_payload(format!("{what} is empty"))) } else { Ok(name) }
        };
        let (queue, incident) = match (self.queue, self.incident) {
            (Some(queue), _) => (Some(name(queue, "silence.queue")?), None),
            (None, Some(incident)) => (None, Some(name(incident, "silence.incident")?)),
            (None, None) => return Err(no_payload("silence: missing field `queue`, and `incident` as well")),
        };
        let until = text(self.until, "silence.until")?;
        let until: jiff::Timestamp = until.parse().map_err(|_| {
            no_payload(format!("silence.until: `{until}` is no RFC 3339 time with an offset"))
        })?;
        let until = Timestamp::from_ms(until.as_millisecond());
        let reason = reason(self.reason.or(reason_beside))?;
        Ok(match (queue, incident) {
            (Some(queue), _) => Command::Silence(Silence { queue, until, reason }),
            (None, id) => Command::Hush { id: id.unwrap_or_default(), until, reason },
        })
    }
}

fn reason(raw: Option<&RawValue>) -> Result<String, DeliveryError> {
    raw.map_or_else(|| Ok(String::new()), |raw| text(raw, "reason"))
}

fn text(raw: &RawValue, what: &str) -> Result<String, DeliveryError> {
    parsed(raw.get(), what)
}

/// Reads a JSON object; without the check of its first byte, serde would also take an array, by position.
fn object<'a, T: Deserialize<'a>>(json: &'a str, what: &str) -> Result<T, DeliveryError> {
    if json.trim_start().starts_with('{') {
        return parsed(json, what);
    }
    let _: &RawValue = parsed(json, what)?;
    Err(no_payload(format!("{what} is no JSON object")))
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str, what: &str) -> Result<T, DeliveryError> {
    serde_json::from_str(json).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => no_payload(format!("{what}: {error}")),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => DeliveryError::NotJson(error.to_string()),
    })
}

fn no_payload(detail: impl Into<String>) -> DeliveryError {
    DeliveryError::NoPayload(detail.into())
}

/// A key of this name that holds anything but a text is somebody else's key.
fn text_or_none<'de: 'a, 'a, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str::<Borrowed<'a>>(raw.get()).ok().map(|Borrowed(text)| text))
}

impl Delivery<'_> {
    /// The same delivery, apart from the text it was read from.
    #[must_use]
    pub fn into_owned(self) -> Delivery<'static> {
        match self {
            Self::Subscription { data } => Delivery::Subscription { data: Cow::Owned(data.into_owned()) },
            Self::Kinesis(payloads) => Delivery::Kinesis(payloads),
            Self::OnFailure(inner) => Delivery::OnFailure(Box::new(inner.into_owned())),
            Self::Tick => Delivery::Tick,
            Self::Command(command) => Delivery::Command(command),
        }
    }
}

#[cfg(test)]
mod tests;

//! Events to an EventBridge bus: the one call that is made there.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::client::{self, Clients};
use super::signed::{SignedEndpoint, SignedError};
use crate::domain::job::Timestamp;
use crate::domain::outbox::OutgoingMessage;
use crate::ports::{Disposed, Disposition};

/// Who the events are from: what a rule matches first.
pub const SOURCE: &str = "queuewatch";
/// What they are.
pub const DETAIL_TYPE: &str = "queuewatch incident";

const TARGET: &str = "AWSEvents.PutEvents";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// An entry may take 256 KB, of which the envelope is little.
const DETAIL_BYTES_MAX: usize = 250_000;

/// An event that did not go out.
#[derive(Debug, Error)]
pub enum EventBusError {
    /// The detail is too long, and JSON that is cut is none.
    #[error("the event takes {0} bytes, and a bus takes {DETAIL_BYTES_MAX}")]
    TooLong(usize),
    /// The event could not be put into words.
    #[error("the event could not be written as JSON")]
    Unwritten(#[source] serde_json::Error),
    /// The bus did not answer.
    #[error("the event bus was not reached")]
    Unanswered(#[from] SignedError),
    /// The bus did not take it.
    #[error("the event bus did not take it: {status} {code}: {message}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The service's name of the error.
        code: String,
        /// What it said.
        message: String,
    },
}

impl Disposed for EventBusError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::TooLong(_) | Self::Unwritten(_) | Self::Unanswered(SignedError::Unmade(_)) => {
                Disposition::Drop
            }
            Self::Unanswered(SignedError::Unanswered(_)) => Disposition::Retry,
            Self::Refused { status, code, .. } => client::answered(*status, code),
        }
    }
}

/// A bus.
#[derive(Clone, Debug)]
pub struct EventBus {
    endpoint: SignedEndpoint,
    bus: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    source: &'a str,
    detail_type: &'a str,
    detail: &'a str,
    event_bus_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asked<'a> {
    entries: [Entry<'a>; 1],
}

/// An answer, of either kind: each entry's own, or an error of the whole.
#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default, rename = "FailedEntryCount")]
    failed_count: u64,
    #[serde(default, rename = "Entries")]
    entries: Vec<Failed>,
    #[serde(default, rename = "__type")]
    code: String,
    #[serde(default, alias = "Message")]
    message: String,
}

#[derive(Default, Deserialize)]
struct Failed {
    #[serde(default, rename = "ErrorCode")]
    code: Option<String>,
    #[serde(default, rename = "ErrorMessage")]
    message: Option<String>,
}

impl EventBus {
    /// Puts events on `bus`, a name or an ARN, in the account and region of `clients`.
    #[must_use]
    pub fn new(clients: Clients, bus: String, clock: fn() -> Timestamp) -> Self {
        Self { endpoint: SignedEndpoint::new(clients, "events", "/", clock), bus }
    }

    /// Puts one event on the bus. It tries once: the next sweep has it in its outbox, and whoever reads it knows a
    /// repeat by its id.
    ///
    /// # Errors
    /// Where it did not go out.
    pub async fn put(&self, message: &OutgoingMessage) -> Result<(), EventBusError> {
        if message.body.len() > DETAIL_BYTES_MAX {
            return Err(EventBusError::TooLong(message.body.len()));
        }
        let entry = Entry {
            source: SOURCE,
            detail_type: DETAIL_TYPE,
            detail: &message.body,
            event_bus_name: &self.bus,
        };
        let body = serde_json::to_vec(&Asked { entries: [entry] }).map_err(EventBusError::Unwritten)?;
        let headers = [("content-type", CONTENT_TYPE), ("x-amz-target", TARGET)];
        let answered = self.endpoint.post(&headers, body).await?;
        judged(answered.status, &answered.body)
    }
}

/// An event may be refused in an answer that is fine otherwise.
fn judged(status: u16, body: &[u8]) -> Result<(), EventBusError> {
    let answered: Answered = serde_json::from_slice(body).unwrap_or_default();
    if status == 200 && answered.failed_count == 0 {
        return Ok(());
    }
    let entry = answered.entries.into_iter().find(|entry| entry.code.is_some()).unwrap_or_default();
    let code = entry.code.unwrap_or(answered.code);
    // `com.amazon.coral.service#ValidationException`
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    Err(EventBusError::Refused { status, code, message: entry.message.unwrap_or(answered.message) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::loopback::{Answer, Loopback};
    use super::*;
    use crate::domain::model::channel::Channel;

    fn message() -> OutgoingMessage {
        OutgoingMessage {
            channel: Channel::EventBus,
            subject: String::new(),
            body: "{\"kind\":\"stalled\"}".into(),
            incident: "stalled-redis-default-20251206T1237Z".into(),
            notification: "stalled-redis-default-20251206T1237Z/1".into(),
            severity: None,
            queue: None,
            labels: BTreeMap::new(),
        }
    }

    fn bus(server: &Loopback) -> EventBus {
        EventBus::new(server.clients(), "alarms".into(), || Timestamp::from_ms(1_765_024_620_000))
    }

    fn answer(status: u16, body: serde_json::Value) -> Answer {
        Answer::new(status, "content-type: application/x-amz-json-1.1\r\n", body.to_string())
    }

    #[tokio::test]
    async fn an_event_is_one_signed_entry_on_its_bus() {
        let server = Loopback::new([answer(
            200,
            serde_json::json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}),
        )]);
        bus(&server).put(&message()).await.unwrap();
        let asked = server.asked();
        assert_eq!(
            asked[0].json(),
            serde_json::json!({"Entries": [{
                "Source": "queuewatch",
                "DetailType": "queuewatch incident",
                "Detail": "{\"kind\":\"stalled\"}",
                "EventBusName": "alarms",
            }]})
        );
        assert_eq!(asked[0].header("x-amz-target"), Some("AWSEvents.PutEvents"));
        assert_eq!(asked[0].header("x-amz-security-token"), Some("token"));
        assert_eq!(asked[0].header("x-amz-date"), Some("20251206T123700Z"));
        let signed = asked[0].header("authorization").unwrap();
        assert!(
            signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDTEST/20251206/eu-west-1/events/aws4_request")
        );
        for name in ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            assert!(signed.contains(name), "{name}: {signed}");
        }
    }

    #[tokio::test]
    async fn an_event_that_is_refused_is_told_with_what_to_do_about_it() {
        let failed = |code: &str| serde_json::json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "no"}]});
        let error = |code: &str| serde_json::json!({"__type": format!("com.amazon#{code}"), "message": "no"});
        for (answer, disposition) in [
            (answer(200, failed("InternalFailure")), Disposition::Retry),
            (answer(200, failed("ThrottlingException")), Disposition::Retry),
            (answer(400, error("ValidationException")), Disposition::Drop),
            (answer(400, error("AccessDeniedException")), Disposition::Retry),
            (Answer::new(503, "", "not JSON"), Disposition::Retry),
            (Answer::lost(), Disposition::Retry),
        ] {
            let server = Loopback::new([answer]);
            let error = bus(&server).put(&message()).await.unwrap_err();
            assert_eq!(error.disposition(), disposition, "{error}");
            assert_eq!(server.asked().len(), 1, "it is sent once");
        }
    }

    #[tokio::test]
    async fn a_detail_that_no_bus_takes_is_not_sent() {
        let server = Loopback::new([]);
        let long = OutgoingMessage { body: "x".repeat(DETAIL_BYTES_MAX + 1), ..message() };
        let error = bus(&server).put(&long).await.unwrap_err();
        assert_eq!((error.disposition(), server.asked().len()), (Disposition::Drop, 0));
    }
}

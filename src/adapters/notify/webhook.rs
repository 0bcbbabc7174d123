//! A URL that messages are posted to.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};
use ureq::Error;

use super::Webhook;
use super::client::client;
use super::error::NotifyError;

/// How long a request may take, from the name's look-up to the end of the answer.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// Posts a message. Any status of success will do; what the server says with it is nobody's business.
pub(super) fn post(webhook: &Webhook, json: &str) -> Result<(), NotifyError> {
    post_within(webhook, json, REQUEST_MAX)
}

pub(super) fn post_within(webhook: &Webhook, json: &str, limit: Duration) -> Result<(), NotifyError> {
    let json = webhook.routing_key.as_ref().map_or(Cow::Borrowed(json), |key| routed(json, key));
    let request = client(&webhook.url, limit)?.post(&webhook.url).header("content-type", "application/json");
    let status = request.send(&*json).and_then(|response| match response.status() {
        status if status.is_success() => Ok(()),
        // A redirect is nobody's word that the message was read.
        status => Err(Error::StatusCode(status.as_u16())),
    });
    status.map_err(|error| NotifyError::Webhook { channel: webhook.channel, source: Box::new(error) })
}

/// An event with the routing key in it. What waits in the outbox has none, since it is a secret.
fn routed<'a>(json: &'a str, key: &str) -> Cow<'a, str> {
    let Ok(mut event) = serde_json::from_str::<Map<String, Value>>(json) else { return Cow::Borrowed(json) };
    event.insert("routing_key".to_owned(), key.into());
    Cow::Owned(Value::Object(event).to_string())
}

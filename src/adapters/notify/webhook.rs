//! A URL that the machine JSON is posted to.

use std::time::Duration;

use ureq::Error;

use super::client::client;
use super::error::NotifyError;

/// How long a request may take, from the name's look-up to the end of the answer.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// Posts a message. Any status of success will do; what the server says with it is nobody's business.
pub(super) fn post(url: &str, json: &str) -> Result<(), NotifyError> {
    post_within(url, json, REQUEST_MAX)
}

pub(super) fn post_within(url: &str, json: &str, limit: Duration) -> Result<(), NotifyError> {
    let request = client(url, limit)?.post(url).header("content-type", "application/json");
    let status = request.send(json).and_then(|response| match response.status() {
        status if status.is_success() => Ok(()),
        // A redirect is nobody's word that the message was read.
        status => Err(Error::StatusCode(status.as_u16())),
    });
    status.map_err(|error| NotifyError::Webhook(Box::new(error)))
}

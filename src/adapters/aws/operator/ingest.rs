//! The function that reads log lines, invoked by hand: whoever does it hears how it went.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;

use super::{OperatorError, called};

/// A function that may be invoked.
#[derive(Clone, Debug)]
pub struct Ingest {
    client: Client,
    function: String,
}

/// How an invocation went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// It failed.
    pub is_error: bool,
    /// What it said, JSON.
    pub payload: Vec<u8>,
}

impl Ingest {
    pub(super) fn new(client: Client, function: &str) -> Self {
        Self { client, function: function.to_owned() }
    }

    /// Invokes it with `event`, and waits.
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
    ///
    /// # Errors
    /// It could not be invoked: there is no such function, it must not be invoked, or the event is over 6 MB.
    pub async fn invoke(&self, event: Vec<u8>) -> Result<Answered, OperatorError> {
        let request = self.client.invoke().function_name(&self.function).payload(Blob::new(event));
        let answer = request.send().await.map_err(|error| called("Invoke", error))?;
        let payload = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
        Ok(Answered { is_error: answer.function_error().is_some(), payload })
    }
}

//! The call to an address that waits for it: a dead man's switch outside of AWS (Healthchecks.io, Cronitor).
//!
//! An alarm of this account on a sweep that stays away is silent where the account itself is: suspended, without quota,
//! or in a region that is down. The connector is the one that the other clients use, so nothing more is linked.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use thiserror::Error;

use super::client::Cause;

/// A call, its answer's status included: far less than a sweep may take, and the next one comes in a minute.
const CALL_MAX: Duration = Duration::from_secs(3);

/// A call that was not heard. The address is a secret, and not repeated.
#[derive(Debug, Error)]
pub enum HeartbeatError {
    /// The request could not be put together.
    #[error("the request could not be made")]
    Unmade(#[source] Cause),
    /// No answer came.
    #[error("the heartbeat's address did not answer")]
    Unanswered(#[source] Cause),
    /// It answered something else than success.
    #[error("the heartbeat's address answered {0}")]
    Refused(u16),
}

/// An address that is called again and again.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    connector: SharedHttpConnector,
    url: String,
}

impl Heartbeat {
    /// A heartbeat to an address.
    #[must_use]
    pub fn new(url: String) -> Self {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        Self { connector: SharedHttpConnector::new(connector), url }
    }

    /// Calls once; a call that is lost is made up for by the next sweep's.
    ///
    /// # Errors
    /// Where it was not heard. That is no failure of the sweep: whoever waits rings by himself.
    pub async fn beat(&self) -> Result<(), HeartbeatError> {
        self.beat_within(CALL_MAX).await
    }

    async fn beat_within(&self, limit: Duration) -> Result<(), HeartbeatError> {
        let mut request = Request::new(SdkBody::empty());
        request.set_uri(self.url.as_str()).map_err(|error| HeartbeatError::Unmade(error.into()))?;
        let answer = tokio::time::timeout(limit, self.connector.call(request));
        let answer = answer.await.map_err(|error| HeartbeatError::Unanswered(error.into()))?;
        let status = answer.map_err(|error| HeartbeatError::Unanswered(error.into()))?.status();
        if status.is_success() { Ok(()) } else { Err(HeartbeatError::Refused(status.as_u16())) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What a server of one call makes of it, and what it was asked.
    async fn called(answer: &'static str) -> (Result<(), HeartbeatError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ping/secret", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            line
        });
        let outcome = Heartbeat::new(url).beat().await;
        (outcome, server.join().unwrap())
    }

    fn chain(error: &dyn std::error::Error) -> String {
        let cause = error.source().map(chain);
        format!("{error}: {}", cause.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_call_is_a_get_and_success_is_enough() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nOK";
        let (outcome, line) = called(answer).await;
        outcome.unwrap();
        assert!(line.starts_with("GET /ping/secret HTTP/1.1"), "{line}");
    }

    #[tokio::test]
    async fn what_is_not_heard_is_an_error_within_its_time_and_without_its_address() {
        let refused = "HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (refused, _) = called(refused).await;
        // The machine takes the connection, and nobody reads from it.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret", silent.local_addr().unwrap());
        let unanswered = Heartbeat::new(url).beat_within(Duration::from_millis(100)).await;
        for (outcome, words) in [(refused, "answered 404"), (unanswered, "did not answer")] {
            let text = chain(&outcome.unwrap_err());
            assert!(text.contains(words) && !text.contains("secret"), "{text}");
        }
        let error = Heartbeat::new("http://127.0.0.1:9/secret".to_owned()).beat().await.unwrap_err();
        let text = chain(&error);
        assert!(matches!(error, HeartbeatError::Unanswered(_)) && !text.contains("secret"), "{text}");
    }
}

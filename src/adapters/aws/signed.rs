//! Requests to services of AWS that are called in one way only, signed by hand.
//!
//! The service's SDK would be one more generated crate in every build of the function; signer and connector are those
//! that the other clients use already.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use thiserror::Error;

use super::client::{Cause, Clients};
use crate::domain::job::Timestamp;

/// One try, answer included.
const ATTEMPT: Duration = Duration::from_secs(5);

/// A request without an answer.
#[derive(Debug, Error)]
pub enum SignedError {
    /// The request could not be put together.
    #[error("the request could not be made")]
    Unmade(#[source] Cause),
    /// No answer came.
    #[error("no answer came")]
    Unanswered(#[source] Cause),
}

/// What a service answered.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// One address of one service.
#[derive(Clone)]
pub(super) struct SignedEndpoint {
    clients: Clients,
    connector: SharedHttpConnector,
    service: &'static str,
    url: String,
    /// Signatures are good for minutes, by the machine's clock.
    clock: fn() -> Timestamp,
}

impl fmt::Debug for SignedEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedEndpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

impl SignedEndpoint {
    /// The path `path` of `service` in the account and region of `clients`.
    pub(super) fn new(clients: Clients, service: &'static str, path: &str, clock: fn() -> Timestamp) -> Self {
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
        let account = &clients.account;
        let host = account.endpoint.as_deref().map_or_else(
            || host(service, &account.region),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        );
        Self { connector: SharedHttpConnector::new(connector), service, url: host + path, clock, clients }
    }

    /// Posts once. What a second try would do is for whoever asks to know.
    pub(super) async fn post(
        &self,
        headers: &[(&'static str, &'static str)],
        body: Vec<u8>,
    ) -> Result<Answered, SignedError> {
        let request = self.signed(headers, body)?;
        let asked = async {
            let answer = self.connector.call(request).await.map_err(unanswered)?;
            let status = answer.status().as_u16();
            let bytes = ByteStream::new(answer.into_body()).collect().await.map_err(unanswered)?;
            Ok(Answered { status, body: bytes.to_vec() })
        };
        tokio::time::timeout(ATTEMPT, asked).await.map_err(unanswered)?
    }

    fn signed(
        &self,
        headers: &[(&'static str, &'static str)],
        body: Vec<u8>,
    ) -> Result<Request<SdkBody>, SignedError> {
        let now = u64::try_from((self.clock)().as_ms()).unwrap_or_default();
        let time: SystemTime = UNIX_EPOCH.checked_add(Duration::from_millis(now)).unwrap_or(UNIX_EPOCH);
        let identity = self.clients.credentials().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.clients.account.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(unmade)?
            .into();
        let headers = headers.iter().copied();
        let signable = SignableRequest::new("POST", &self.url, headers.clone(), SignableBody::Bytes(&body));
        let (signature, _) = sign(signable.map_err(unmade)?, &parameters).map_err(unmade)?.into_parts();
        let mut request = Request::new(SdkBody::from(body));
        request.set_method("POST").map_err(unmade)?;
        request.set_uri(self.url.as_str()).map_err(unmade)?;
        for (name, value) in headers.chain(signature.headers()) {
            request.headers_mut().try_insert(name.to_owned(), value.to_owned()).map_err(unmade)?;
        }
        Ok(request)
    }
}

fn unmade(error: impl Into<Cause>) -> SignedError {
    SignedError::Unmade(error.into())
}

fn unanswered(error: impl Into<Cause>) -> SignedError {
    SignedError::Unanswered(error.into())
}

/// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
fn host(service: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_in_its_region() {
        assert_eq!(host("events", "ap-northeast-1"), "https://events.ap-northeast-1.amazonaws.com");
        assert_eq!(host("monitoring", "cn-north-1"), "https://monitoring.cn-north-1.amazonaws.com.cn");
    }
}

//! What the three clients share: who we are, how long we wait, and what an error means.
//!
//! No `aws-config`: in Lambda the credentials stand in the environment and stay as they are for as long as the
//! container lives, so one look is enough, and a chain of providers is start-up time for nothing.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

use crate::ports::Disposition;

/// Any error, as the source of one of ours.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Who we are and where AWS is.
#[derive(Clone)]
pub struct Account {
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: String,
    /// The session's token; long-lived keys have none.
    pub session_token: Option<String>,
    /// Replaces every service's endpoint, for servers that stand in for AWS.
    pub endpoint: Option<String>,
    /// Replaces DynamoDB's endpoint, before [`Account::endpoint`].
    pub dynamodb_endpoint: Option<String>,
}

impl fmt::Debug for Account {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("region", &self.region).finish_non_exhaustive()
    }
}

/// A new connection inside a region takes milliseconds; one that takes this long leads nowhere.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// One try. The largest answer, 16 MB of items, takes a second or two at a small function's bandwidth.
const ATTEMPT: Duration = Duration::from_secs(5);
/// All tries of a read or write of the table, within an ingest's and a sweep's time.
const OPERATION: Duration = Duration::from_secs(15);
/// Tries of a read or write of the table. Each write names the version it expects, so a second try is harmless.
const ATTEMPTS_MAX: u32 = 4;
/// A connection that was idle for longer is not used again. Between two invocations the container is frozen, and
/// does not hear that the other side has hung up; a page must not be lost to that.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// Makes clients.
#[derive(Clone, Debug)]
pub struct Clients {
    pub(super) account: Account,
    pub(super) http: SharedHttpClient,
}

impl Clients {
    /// Reads the machine's root certificates, once for all clients.
    #[must_use]
    pub fn new(account: Account) -> Self {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let http = Builder::new().tls_provider(tls).pool_idle_timeout(IDLE_MAX).build_https();
        Self { account, http }
    }

    /// The table's client. The SDK tries again by itself.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region())
            .credentials_provider(self.credentials())
            .http_client(self.http.clone())
            .timeout_config(timeouts(OPERATION))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
        config.set_endpoint_url(
            self.account.dynamodb_endpoint.clone().or_else(|| self.account.endpoint.clone()),
        );
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// The metrics' client. It tries once: `PutMetricData` knows no repeats, so a second try after a lost answer
    /// would count twice. The next sweep has what was not published.
    #[must_use]
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        let mut config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region())
            .credentials_provider(self.credentials())
            .http_client(self.http.clone())
            .timeout_config(timeouts(ATTEMPT))
            .retry_config(RetryConfig::disabled());
        config.set_endpoint_url(self.account.endpoint.clone());
        aws_sdk_cloudwatch::Client::from_conf(config.build())
    }

    /// The topics' client. It tries once: a standard topic knows no repeats, so a second try after a lost answer would
    /// page twice. The next sweep has the message in its outbox.
    #[must_use]
    pub fn sns(&self) -> aws_sdk_sns::Client {
        let mut config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region())
            .credentials_provider(self.credentials())
            .http_client(self.http.clone())
            .timeout_config(timeouts(ATTEMPT))
            .retry_config(RetryConfig::disabled());
        config.set_endpoint_url(self.account.endpoint.clone());
        aws_sdk_sns::Client::from_conf(config.build())
    }

    pub(super) fn region(&self) -> Region {
        Region::new(self.account.region.clone())
    }

    pub(super) fn credentials(&self) -> Credentials {
        let Account { access_key_id, secret_access_key, session_token, .. } = &self.account;
        Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "environment")
    }
}

fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ATTEMPT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(operation)
        .build()
}

/// Errors of the request itself: sent again, it fails again. Without the ending `Exception`, which the services and
/// wire forms write or leave out. Of the lists of
/// [DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
/// [CloudWatch](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html) and
/// [SNS](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html).
const HOPELESS: &[&str] = &[
    "InvalidParameter",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "MissingRequiredParameter",
    "ParameterValueInvalid",
    "Serialization",
    "Validation",
    "ValidationError",
];

/// The request is larger than the service takes.
const TOO_LARGE: u16 = 413;
/// From here on it is the service that is ill.
const SERVER_ERROR: u16 = 500;

/// Tells what an error of a service means.
pub(super) fn disposition<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Disposition {
    match error {
        SdkError::ServiceError(service) => {
            answered(service.raw().status().as_u16(), service.err().code().unwrap_or_default())
        }
        // The request could not be put together.
        SdkError::ConstructionFailure(_) => Disposition::Drop,
        // No answer, or none that can be read; a later version of the SDK may know more kinds.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
            Disposition::Retry
        }
    }
}

/// Anything not known to be hopeless is worth another try, a missing table and a missing permission included: a
/// deployment puts both in place in its own order, and what is dropped meanwhile is gone.
pub(super) fn answered(status: u16, code: &str) -> Disposition {
    let is_hopeless = status < SERVER_ERROR && HOPELESS.contains(&code.trim_end_matches("Exception"));
    if is_hopeless || status == TOO_LARGE { Disposition::Drop } else { Disposition::Retry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, code: &str, expected: Disposition) {
        assert_eq!(answered(status, code), expected, "{status} {code}");
    }

    #[test]
    fn a_request_that_is_wrong_in_itself_is_dropped() {
        check(400, "ValidationException", Disposition::Drop);
        check(400, "ValidationError", Disposition::Drop);
        check(400, "InvalidParameterValueException", Disposition::Drop);
        check(400, "InvalidParameterValue", Disposition::Drop);
        check(400, "InvalidParameter", Disposition::Drop);
        check(400, "MissingRequiredParameterException", Disposition::Drop);
        check(400, "SerializationException", Disposition::Drop);
        check(413, "", Disposition::Drop);
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        check(400, "ProvisionedThroughputExceededException", Disposition::Retry);
        check(400, "ThrottlingException", Disposition::Retry);
        check(400, "RequestLimitExceeded", Disposition::Retry);
        check(429, "Throttling", Disposition::Retry);
        check(500, "InternalServerError", Disposition::Retry);
        check(503, "", Disposition::Retry);
        check(500, "ValidationException", Disposition::Retry);
        check(400, "AccessDeniedException", Disposition::Retry);
        check(403, "AuthorizationError", Disposition::Retry);
        check(400, "ResourceNotFoundException", Disposition::Retry);
        check(404, "NotFound", Disposition::Retry);
        check(400, "KMSDisabled", Disposition::Retry);
        check(400, "ExpiredTokenException", Disposition::Retry);
        check(400, "SomethingOfNextYear", Disposition::Retry);
        check(400, "", Disposition::Retry);
    }

    #[test]
    fn an_account_is_printed_without_its_secrets() {
        let account = Account {
            region: "eu-west-1".into(),
            access_key_id: "AKID".into(),
            secret_access_key: "hush".into(),
            session_token: Some("token".into()),
            endpoint: None,
            dynamodb_endpoint: None,
        };
        assert_eq!(format!("{account:?}"), "Account { region: \"eu-west-1\", .. }");
    }
}

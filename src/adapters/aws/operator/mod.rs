//! What an operator's commands ask of AWS: a stack, what feeds it, who is told, and the events that failed.
//!
//! It asks from somebody's desk, not from within a function: it may wait, and tries again.

mod failed_events;
mod feeds;
mod ingest;
mod stack;
mod subscriptions;

use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

use super::client::{CONNECT, Cause, Clients};

pub use failed_events::{FailedEvents, Page};
pub use feeds::{Feeds, Filter, Mapping};
pub use ingest::{Answered, Ingest};
pub use stack::{Stack, Stacks};
pub use subscriptions::{Subscribers, Subscriptions};

/// Why AWS did not do what it was asked.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// It said no.
    #[error("{operation}: {code}: {message}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// The error's name.
        code: String,
        /// In AWS's words.
        message: String,
    },
    /// It did not say anything that can be read.
    #[error("{operation} got no answer")]
    Unanswered {
        /// What was asked.
        operation: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// What was asked for is not there.
    #[error("{what} does not exist")]
    Missing {
        /// What.
        what: String,
    },
}

/// Ingest may take two minutes for one event; whoever invokes it waits for that long, and a little.
const ATTEMPT: Duration = Duration::from_secs(150);
/// Tries of a call.
const ATTEMPTS_MAX: u32 = 4;

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(ATTEMPT)
        .operation_attempt_timeout(ATTEMPT)
        .build()
}

/// The configuration of one service's client: each SDK crate has a type of its own for it.
macro_rules! config {
    ($sdk:ident, $clients:expr) => {{
        let clients: &Clients = $clients;
        let mut config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region(clients.region())
            .credentials_provider(clients.credentials())
            .http_client(clients.http.clone())
            .timeout_config(timeouts())
            .retry_config(retries());
        config.set_endpoint_url(clients.account.endpoint.clone());
        config
    }};
}

impl Clients {
    /// Looks stacks up.
    #[must_use]
    pub fn stacks(&self) -> Stacks {
        let config = config!(aws_sdk_cloudformation, self);
        Stacks::new(aws_sdk_cloudformation::Client::from_conf(config.build()))
    }

    /// Looks up what feeds a function.
    #[must_use]
    pub fn feeds(&self) -> Feeds {
        let logs = aws_sdk_cloudwatchlogs::Client::from_conf(config!(aws_sdk_cloudwatchlogs, self).build());
        Feeds::new(logs, self.lambda())
    }

    /// Looks up who is told.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        Subscriptions::new(aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, self).build()))
    }

    /// The events that failed, in `bucket`.
    #[must_use]
    pub fn failed_events(&self, bucket: &str) -> FailedEvents {
        // A server that stands in for S3 has no name for each bucket.
        let config = config!(aws_sdk_s3, self).force_path_style(self.account.endpoint.is_some());
        FailedEvents::new(aws_sdk_s3::Client::from_conf(config.build()), bucket)
    }

    /// Invokes `function`.
    #[must_use]
    pub fn ingest(&self, function: &str) -> Ingest {
        Ingest::new(self.lambda(), function)
    }

    fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::from_conf(config!(aws_sdk_lambda, self).build())
    }
}

/// An error of the SDK, in the operator's words.
fn called<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> OperatorError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let told = error.as_service_error().and_then(|error| {
        Some((error.code()?.to_owned(), error.message().unwrap_or("no reason given").to_owned()))
    });
    match told {
        Some((code, message)) => OperatorError::Refused { operation, code, message },
        None => OperatorError::Unanswered { operation, source: error.into() },
    }
}

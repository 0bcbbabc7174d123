//! What brings log lines to a function: subscription filters, or the mapping of a stream.

use super::{OperatorError, called};

/// The filters and mappings of an account.
#[derive(Clone, Debug)]
pub struct Feeds {
    logs: aws_sdk_cloudwatchlogs::Client,
    lambda: aws_sdk_lambda::Client,
}

/// A log group's subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// Where the lines go.
    pub destination_arn: String,
}

/// A stream that is read for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The stream.
    pub stream_arn: String,
    /// `Enabled`, `Disabled` or on the way between.
    pub state: String,
    /// How the last reading went.
    pub result: String,
}

impl Feeds {
    pub(super) const fn new(logs: aws_sdk_cloudwatchlogs::Client, lambda: aws_sdk_lambda::Client) -> Self {
        Self { logs, lambda }
    }

    /// A log group's subscriptions; a group has two at most, so they fit a page.
    ///
    /// # Errors
    /// There is no such group, or it must not be seen.
    pub async fn filters(&self, log_group: &str) -> Result<Vec<Filter>, OperatorError> {
        let request = self.logs.describe_subscription_filters().log_group_name(log_group);
        let answer = request.send().await.map_err(|error| called("DescribeSubscriptionFilters", error))?;
        let filter = |it: &aws_sdk_cloudwatchlogs::types::SubscriptionFilter| Filter {
            name: it.filter_name().unwrap_or_default().to_owned(),
            destination_arn: it.destination_arn().unwrap_or_default().to_owned(),
        };
        Ok(answer.subscription_filters().iter().map(filter).collect())
    }

    /// The streams that are read for a function; a stack has one.
    ///
    /// # Errors
    /// There is no such function, or it must not be seen.
    pub async fn mappings(&self, function: &str) -> Result<Vec<Mapping>, OperatorError> {
        let request = self.lambda.list_event_source_mappings().function_name(function);
        let answer = request.send().await.map_err(|error| called("ListEventSourceMappings", error))?;
        let mapping = |it: &aws_sdk_lambda::types::EventSourceMappingConfiguration| Mapping {
            stream_arn: it.event_source_arn().unwrap_or_default().to_owned(),
            state: it.state().unwrap_or_default().to_owned(),
            result: it.last_processing_result().unwrap_or_default().to_owned(),
        };
        Ok(answer.event_source_mappings().iter().map(mapping).collect())
    }
}

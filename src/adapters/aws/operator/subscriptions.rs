//! Who hears of what is published to a topic.

use aws_sdk_sns::Client;

use super::{OperatorError, called};

/// The subscriptions of an account's topics.
#[derive(Clone, Debug)]
pub struct Subscriptions {
    client: Client,
}

/// How many hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscribers {
    /// They have said yes.
    pub confirmed_count: usize,
    /// They have been asked.
    pub pending_count: usize,
}

impl Subscriptions {
    pub(super) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Counts a topic's subscribers. One who left is not among them; one who was asked has no ARN yet
    /// (<https://docs.aws.amazon.com/sns/latest/api/API_Subscription.html>).
    ///
    /// # Errors
    /// There is no such topic, or it must not be seen.
    pub async fn of(&self, topic_arn: &str) -> Result<Subscribers, OperatorError> {
        let mut subscribers = Subscribers::default();
        let mut next = None;
        loop {
            let request = self.client.list_subscriptions_by_topic().topic_arn(topic_arn).set_next_token(next);
            let page = request.send().await.map_err(|error| called("ListSubscriptionsByTopic", error))?;
            for subscription in page.subscriptions() {
                let is_confirmed = subscription.subscription_arn().is_some_and(|arn| arn.starts_with("arn:"));
                let count = if is_confirmed {
                    &mut subscribers.confirmed_count
                } else {
                    &mut subscribers.pending_count
                };
                *count = count.saturating_add(1);
            }
            next = page.next_token().filter(|token| !token.is_empty()).map(ToOwned::to_owned);
            if next.is_none() {
                return Ok(subscribers);
            }
        }
    }
}

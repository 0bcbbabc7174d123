//! What is to be sent, addressed: a notification in the words of one channel.
//!
//! A notification that goes to two channels is two messages, so that a failure of one does not send the other again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::incidents::Severity;

use super::model::channel::Channel;

/// Something to be sent by one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMessage {
    /// Where it goes.
    #[serde(alias = "topic")]
    pub channel: Channel,
    /// At most 99 ASCII characters.
    pub subject: String,
    /// Plain text or JSON, as the channel wants it.
    pub body: String,
    /// The incident's id, `now-watching` for the greeting.
    pub incident: String,
    /// The same whenever the same thing is said again, so that a repeat can be known for one.
    pub notification: String,
    /// How loud; `None` for a greeting.
    pub severity: Option<Severity>,
    /// The queue, where it is known.
    pub queue: Option<String>,
    /// What else a program may sort it by: `app`, `kind`, `state`, `cause`. None for a greeting.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What tells one message from another.
pub type MessageId = (Channel, String);

impl OutgoingMessage {
    /// What tells it from others: its channel and the notification's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        (self.channel, self.notification.clone())
    }
}

//! What is to be sent, addressed: a notification in the words of one topic.
//!
//! A notification that goes to two topics is two letters, so that a failure of one does not send the other again.

use serde::{Deserialize, Serialize};

use super::incidents::Severity;

pub use super::model::channel::Topic;

/// Something to be sent to one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Where it goes.
    pub topic: Topic,
    /// At most 99 ASCII characters.
    pub subject: String,
    /// Plain text or JSON, as the topic wants it.
    pub body: String,
    /// The incident's id, `now-watching` for the greeting.
    pub incident: String,
    /// The same whenever the same thing is said again, so that a repeat can be known for one.
    pub notification: String,
    /// How loud; `None` for a greeting.
    pub severity: Option<Severity>,
    /// The queue, where it is known.
    pub queue: Option<String>,
}

/// What tells one letter from another.
pub type LetterId = (Topic, String);

impl Letter {
    /// What tells it from others: its topic and the notification's id.
    #[must_use]
    pub fn id(&self) -> LetterId {
        (self.topic, self.notification.clone())
    }
}

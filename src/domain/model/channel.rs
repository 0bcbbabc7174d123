//! The ways a message may go.

use serde::{Deserialize, Serialize};

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// People's mail boxes: a subject and a plain text.
    Email,
    /// Amazon Q Developer in chat applications: JSON in its own schema, anything else is dropped there unsaid.
    Chat,
    /// Whoever reads the standard output of `watch`: the machine JSON, one object a line.
    Output,
    /// A command on this machine: the machine JSON.
    Command,
    /// A URL that takes a POST: the machine JSON.
    Webhook,
    /// Slack's incoming webhook: a message of blocks.
    Slack,
    /// A webhook of Teams' Workflows: an adaptive card.
    Teams,
    /// PagerDuty's Events API v2: an event, but for its routing key.
    #[serde(rename = "pagerduty")]
    PagerDuty,
    /// An event bus on AWS: the event's detail, as `docs/event.schema.json` has it.
    EventBus,
}

impl Channel {
    /// Its name in messages to the operator.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "e-mail",
            Self::Chat => "chat",
            Self::Output => "output",
            Self::Command => "command",
            Self::Webhook => "webhook",
            Self::Slack => "Slack webhook",
            Self::Teams => "Teams webhook",
            Self::PagerDuty => "PagerDuty endpoint",
            Self::EventBus => "event bus",
        }
    }
}

//! Messages on one machine: to whoever reads our output, to a command, to webhooks.
//!
//! A command or a webhook may take seconds, or hang, while logs go on being written. So each has a thread, and a
//! message that it has not delivered yet is answered as unsent: it stays in the outbox, and the next sweep asks again.

mod client;
mod command;
mod courier;
mod error;
mod heartbeat;
mod webhook;

use std::collections::BTreeMap;
use std::io;

pub use client::can_check;
pub use error::{NoRoots, NotifyError};
pub use heartbeat::Heartbeat;

use crate::domain::model::channel::Channel;
use crate::domain::outbox::OutgoingMessage;
use crate::ports::AlarmChannel;
use courier::Courier;

/// What shows messages to people, and tells them what went wrong with the others.
pub trait Screen {
    /// Prints a message.
    ///
    /// # Errors
    /// Where nobody reads any more.
    fn print(&mut self, message: &OutgoingMessage) -> io::Result<()>;

    /// Tells that a message could not be delivered, and will be tried again.
    fn complain(&mut self, message: &OutgoingMessage, error: &NotifyError);
}

/// Where messages go.
#[derive(Debug)]
pub struct Outlets<S> {
    screen: S,
    couriers: BTreeMap<Channel, Courier>,
}

/// An address that takes messages.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Whose messages it takes.
    pub channel: Channel,
    /// The address. It may be a secret, and is never repeated.
    pub url: String,
    /// What PagerDuty knows the service by; a secret, too.
    pub routing_key: Option<String>,
}

impl<S: Screen> Outlets<S> {
    /// Outlets to a screen, to a command where there is one, and to webhooks: one a channel.
    pub fn new(screen: S, command: Option<Vec<String>>, webhooks: Vec<Webhook>) -> Self {
        let command =
            command.map(|command| (Channel::Command, Courier::new(move |json| command::run(&command, json))));
        let webhooks = webhooks
            .into_iter()
            .map(|webhook| (webhook.channel, Courier::new(move |json| webhook::post(&webhook, json))));
        Self { screen, couriers: command.into_iter().chain(webhooks).collect() }
    }

    /// Waits for messages to be delivered, from now on: there is no next sweep that could ask again.
    pub fn wait_for_delivery(&mut self) {
        for courier in self.couriers.values_mut() {
            courier.be_patient();
        }
    }

    /// What shows messages to people.
    pub const fn screen_mut(&mut self) -> &mut S {
        &mut self.screen
    }
}

impl<S: Screen> AlarmChannel for Outlets<S> {
    type Error = NotifyError;

    async fn send(&mut self, message: &OutgoingMessage) -> Result<(), NotifyError> {
        let courier = match message.channel {
            Channel::Email | Channel::Chat | Channel::Output | Channel::EventBus => {
                return self.screen.print(message).map_err(NotifyError::Print);
            }
            Channel::Command | Channel::Webhook | Channel::Slack | Channel::Teams | Channel::PagerDuty => {
                self.couriers.get_mut(&message.channel)
            }
        };
        // Left over from a run that had one; whoever took it out of the configuration wants no messages there.
        let Some(courier) = courier else { return Ok(()) };
        let sent = courier.deliver(message);
        if let Err(error) = &sent
            && !matches!(error, NotifyError::OnItsWay)
        {
            self.screen.complain(message, error);
        }
        sent
    }
}

#[cfg(test)]
mod tests;

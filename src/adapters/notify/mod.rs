//! Messages on one machine: to whoever reads our output, to a command, to a webhook.
//!
//! A command or a webhook may take seconds, or hang, while logs go on being written. So each has a thread, and a
//! message that it has not delivered yet is answered as unsent: it stays in the outbox, and the next sweep asks again.

mod client;
mod command;
mod courier;
mod error;
mod webhook;

use std::io;

pub use client::can_check;
pub use error::{NoRoots, NotifyError};

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
    command: Option<Courier>,
    webhook: Option<Courier>,
}

impl<S: Screen> Outlets<S> {
    /// Outlets to a screen, and to a command and a webhook, where there are any.
    pub fn new(screen: S, command: Option<Vec<String>>, webhook: Option<String>) -> Self {
        let command = command.map(|command| Courier::new(move |json| command::run(&command, json)));
        let webhook = webhook.map(|url| Courier::new(move |json| webhook::post(&url, json)));
        Self { screen, command, webhook }
    }

    /// Waits for messages to be delivered, from now on: there is no next sweep that could ask again.
    pub fn wait_for_delivery(&mut self) {
        for courier in [&mut self.command, &mut self.webhook].into_iter().flatten() {
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
            Channel::Command => &mut self.command,
            Channel::Webhook => &mut self.webhook,
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

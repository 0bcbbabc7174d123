//! What operators ask of a running watch: read from the inbox, done, said, and only then taken out of it.

use queuewatch::adapters::file::{Asked, Inbox};
use queuewatch::adapters::settled;
use queuewatch::app::AppError;
use queuewatch::domain::command::Command;
use queuewatch::watch::WatchError;

use super::console::Console;
use super::state_folder::StateFolder;
use super::{ErrorOver, Watched};
use crate::answer::command;
use crate::clock::now;
use crate::replay::chain;

/// The inbox of a watch.
pub(super) struct OperatorInbox {
    inbox: Inbox,
    /// Whether something could not be done, and waits for the next sweep: the disk may be full.
    is_held: bool,
}

impl OperatorInbox {
    pub(super) const fn of(inbox: Inbox) -> Self {
        Self { inbox, is_held: false }
    }

    /// Lets what failed be tried again.
    pub(super) const fn try_again(&mut self) {
        self.is_held = false;
    }

    /// Does what was asked for since it last looked. What could not be done stays asked for.
    pub(super) fn apply_command<T: StateFolder>(
        &mut self,
        watch: &mut Watched<T>,
    ) -> Result<(), ErrorOver<T>> {
        while !self.is_held {
            let asked = match self.inbox.first() {
                Ok(Some(asked)) => asked,
                Ok(None) => break,
                Err(error) => {
                    console(watch).note(&chain(&error));
                    continue;
                }
            };
            let done = match command(&asked.text) {
                Ok(command) => self.carry_out(&asked, &command, watch)?,
                Err(error) => self.refuse(&asked, &error),
            };
            console(watch).note(&done);
        }
        Ok(())
    }

    /// Answers what to say of it.
    fn carry_out<T: StateFolder>(
        &mut self,
        asked: &Asked,
        command: &Command,
        watch: &mut Watched<T>,
    ) -> Result<String, ErrorOver<T>> {
        let done = match settled(watch.apply_command(command, now())) {
            // A message that is not delivered is told already, and sent again by the next sweep.
            Ok(()) | Err(WatchError::Command(AppError::Alarm(_))) => match command {
                Command::Close { id, reason } => format!("{id} is closed by hand: {reason}"),
                Command::Seen { id, by } if by.is_empty() => format!("{id} is seen"),
                Command::Seen { id, by } => format!("{id} is seen by {by}"),
                Command::Hush { id, until, .. } => {
                    format!("messages of {id} and its queue wait until {until}")
                }
                Command::Silence(silence) => {
                    format!(
                        "pages of queue {} wait until {}: {}",
                        silence.queue, silence.until, silence.reason
                    )
                }
            },
            Err(WatchError::Command(AppError::NoSuchIncident)) => {
                match command {
                    Command::Close { id, .. } => format!("{id} is not open: there is nothing to close"),
                    Command::Seen { id, .. } | Command::Hush { id, .. } => format!("{id} is not open"),
                    // It names none.
                    Command::Silence(silence) => format!("{} is no incident", silence.queue),
                }
            }
            Err(error) => {
                self.is_held = true;
                return Err(error);
            }
        };
        Ok(match self.inbox.take_away(asked) {
            Ok(()) => done,
            Err(error) => format!("{done}; {}", chain(&error)),
        })
    }

    fn refuse(&mut self, asked: &Asked, why: &anyhow::Error) -> String {
        let aside = match self.inbox.set_aside(asked) {
            Ok(aside) => format!("it is {} now", aside.display()),
            Err(error) => chain(&error),
        };
        format!(
            "{} is not understood: {why:#}. `queuewatch close` and `queuewatch silence` write what is; {aside}",
            asked.path.display()
        )
    }
}

fn console<T: StateFolder>(watch: &mut Watched<T>) -> &mut Console {
    watch.alarms_mut().screen_mut()
}

//! A thread that delivers messages one after the other, and is asked how each of them fares.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::error::NotifyError;
use crate::domain::outbox::{MessageId, OutgoingMessage};

/// How long a message is waited for at once: most are delivered by then, and the log can wait that long.
const WAIT: Duration = Duration::from_millis(500);
/// How long one is waited for where nobody will ask again: longer than any delivery may take.
const WAIT_LAST: Duration = Duration::from_secs(11);

type Outcome = (MessageId, Result<(), NotifyError>);

/// A thread that delivers.
#[derive(Debug)]
pub(super) struct Courier {
    /// Messages to deliver: what tells each from others, and its JSON.
    messages: Sender<(MessageId, String)>,
    outcomes: Receiver<Outcome>,
    /// Messages handed over, and not answered for.
    on_their_way: BTreeSet<MessageId>,
    /// Outcomes that nobody has asked for yet.
    known: Vec<Outcome>,
    /// Messages asked for since one was asked for again: those of one sweep.
    asked: BTreeSet<MessageId>,
    /// Incidents of which one of these is not delivered.
    held_up: BTreeSet<String>,
    is_patient: bool,
}

impl Courier {
    pub(super) fn new(deliver: impl Fn(&str) -> Result<(), NotifyError> + Send + 'static) -> Self {
        let (messages, to_deliver) = channel::<(MessageId, String)>();
        let (tell, outcomes) = channel();
        thread::spawn(move || {
            for (id, json) in to_deliver {
                if tell.send((id, deliver(&json))).is_err() {
                    return;
                }
            }
        });
        Self {
            messages,
            outcomes,
            on_their_way: BTreeSet::new(),
            known: Vec::new(),
            asked: BTreeSet::new(),
            held_up: BTreeSet::new(),
            is_patient: false,
        }
    }

    /// Waits for messages, from now on.
    pub(super) const fn be_patient(&mut self) {
        self.is_patient = true;
    }

    /// Hands a message over, unless it is on its way already, and answers what became of it. What is said of one
    /// incident is delivered in order: a recovery does not overtake its alarm.
    pub(super) fn deliver(&mut self, message: &OutgoingMessage) -> Result<(), NotifyError> {
        if !self.asked.insert(message.id()) {
            self.asked = BTreeSet::from([message.id()]);
            self.held_up.clear();
        }
        if self.held_up.contains(&message.incident) {
            return Err(NotifyError::OnItsWay);
        }
        let delivered = self.hand_over(message);
        if delivered.is_err() {
            self.held_up.insert(message.incident.clone());
        }
        delivered
    }

    fn hand_over(&mut self, message: &OutgoingMessage) -> Result<(), NotifyError> {
        let id = message.id();
        self.known.extend(self.outcomes.try_iter());
        if let Some(outcome) = self.outcome_of(&id) {
            return outcome;
        }
        // A message behind others is not waited for: whoever holds up the first holds up all.
        let is_first = self.on_their_way.is_empty();
        if self.on_their_way.insert(id.clone())
            && self.messages.send((id.clone(), message.body.clone())).is_err()
        {
            return Err(NotifyError::Gone);
        }
        if !is_first && !self.is_patient {
            return Err(NotifyError::OnItsWay);
        }
        self.wait_for(&id)
    }

    fn wait_for(&mut self, id: &MessageId) -> Result<(), NotifyError> {
        let wait = if self.is_patient { WAIT_LAST } else { WAIT };
        let outcome = loop {
            match self.outcomes.recv_timeout(wait) {
                Ok(outcome) => self.known.push(outcome),
                Err(RecvTimeoutError::Timeout) => break Err(NotifyError::OnItsWay),
                Err(RecvTimeoutError::Disconnected) => break Err(NotifyError::Gone),
            }
            if let Some(outcome) = self.outcome_of(id) {
                break outcome;
            }
        };
        // One failure is enough to wait for: the others would fail like it.
        self.is_patient &= outcome.is_ok();
        outcome
    }

    fn outcome_of(&mut self, id: &MessageId) -> Option<Result<(), NotifyError>> {
        let ix = self.known.iter().position(|(of, _)| of == id)?;
        self.on_their_way.remove(id);
        Some(self.known.swap_remove(ix).1)
    }
}

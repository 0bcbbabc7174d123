//! A thread that delivers letters one after the other, and is asked how each of them fares.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::error::NotifyError;
use crate::domain::outbox::{Letter, LetterId};

/// How long a letter is waited for at once: most are delivered by then, and the log can wait that long.
const WAIT: Duration = Duration::from_millis(500);
/// How long one is waited for where nobody will ask again: longer than any delivery may take.
const WAIT_LAST: Duration = Duration::from_secs(11);

type Outcome = (LetterId, Result<(), NotifyError>);

/// A thread that delivers.
#[derive(Debug)]
pub(super) struct Courier {
    /// Letters to deliver: what tells each from others, and its JSON.
    letters: Sender<(LetterId, String)>,
    outcomes: Receiver<Outcome>,
    /// Letters handed over, and not answered for.
    on_their_way: BTreeSet<LetterId>,
    /// Outcomes that nobody has asked for yet.
    known: Vec<Outcome>,
    /// Letters asked for since one was asked for again: those of one sweep.
    asked: BTreeSet<LetterId>,
    /// Incidents of which one of these is not delivered.
    held_up: BTreeSet<String>,
    is_patient: bool,
}

impl Courier {
    pub(super) fn new(deliver: impl Fn(&str) -> Result<(), NotifyError> + Send + 'static) -> Self {
        let (letters, to_deliver) = channel::<(LetterId, String)>();
        let (tell, outcomes) = channel();
        thread::spawn(move || {
            for (id, json) in to_deliver {
                if tell.send((id, deliver(&json))).is_err() {
                    return;
                }
            }
        });
        Self {
            letters,
            outcomes,
            on_their_way: BTreeSet::new(),
            known: Vec::new(),
            asked: BTreeSet::new(),
            held_up: BTreeSet::new(),
            is_patient: false,
        }
    }

    /// Waits for letters, from now on.
    pub(super) const fn be_patient(&mut self) {
        self.is_patient = true;
    }

    /// Hands a letter over, unless it is on its way already, and answers what became of it. What is said of one
    /// incident is delivered in order: a recovery does not overtake its alarm.
    pub(super) fn deliver(&mut self, letter: &Letter) -> Result<(), NotifyError> {
        if !self.asked.insert(letter.id()) {
            self.asked = BTreeSet::from([letter.id()]);
            self.held_up.clear();
        }
        if self.held_up.contains(&letter.incident) {
            return Err(NotifyError::OnItsWay);
        }
        let delivered = self.hand_over(letter);
        if delivered.is_err() {
            self.held_up.insert(letter.incident.clone());
        }
        delivered
    }

    fn hand_over(&mut self, letter: &Letter) -> Result<(), NotifyError> {
        let id = letter.id();
        self.known.extend(self.outcomes.try_iter());
        if let Some(outcome) = self.outcome_of(&id) {
            return outcome;
        }
        // A letter behind others is not waited for: whoever holds up the first holds up all.
        let is_first = self.on_their_way.is_empty();
        if self.on_their_way.insert(id.clone())
            && self.letters.send((id.clone(), letter.body.clone())).is_err()
        {
            return Err(NotifyError::Gone);
        }
        if !is_first && !self.is_patient {
            return Err(NotifyError::OnItsWay);
        }
        self.wait_for(&id)
    }

    fn wait_for(&mut self, id: &LetterId) -> Result<(), NotifyError> {
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

    fn outcome_of(&mut self, id: &LetterId) -> Option<Result<(), NotifyError>> {
        let ix = self.known.iter().position(|(of, _)| of == id)?;
        self.on_their_way.remove(id);
        Some(self.known.swap_remove(ix).1)
    }
}

//! Where a process waits for its turn: every call to the outside takes a ticket, and the schedule calls it.
//!
//! So any two effects of any two processes may come in any order, and of one process those that it has in flight
//! at once, too.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The calls of one process that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Rc<RefCell<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// By when they are due, then by number.
    tickets: BTreeMap<(i64, u64), Waker>,
    called: Option<u64>,
    count: u64,
}

impl Gate {
    /// Waits until it is called; `due_ms` is when the outside has got round to it.
    pub(crate) fn turn(&self, due_ms: i64) -> Turn {
        Turn { gate: self.clone(), due_ms, number: None }
    }

    /// When the earliest call is due.
    pub(crate) fn earliest_ms(&self) -> Option<i64> {
        self.0.borrow().tickets.keys().next().map(|(due_ms, _)| *due_ms)
    }

    /// Calls the earliest.
    pub(crate) fn call(&self) {
        let waker = {
            let mut waiting = self.0.borrow_mut();
            let Some(((_, number), waker)) = waiting.tickets.pop_first() else { return };
            waiting.called = Some(number);
            waker
        };
        waker.wake();
    }
}

/// A call that waits for its turn.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Gate,
    due_ms: i64,
    number: Option<u64>,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let gate = self.gate.clone();
        let mut waiting = gate.0.borrow_mut();
        let number = *self.number.get_or_insert_with(|| {
            waiting.count += 1;
            waiting.count
        });
        if waiting.called == Some(number) {
            waiting.called = None;
            return Poll::Ready(());
        }
        waiting.tickets.insert((self.due_ms, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Turn {
    /// A call that nobody waits for any more.
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.gate.0.borrow_mut().tickets.remove(&(self.due_ms, number));
        }
    }
}

//! An executor for adapters that never wait: all of replay's, and those of one machine.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future whose adapters answer at once, or keep the thread until they do: polling it until it is done is all
/// the executor it takes.
pub fn settled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

//! Every table of the default build, held to the one contract, each law a test of its own.

#[path = "support/table_contract.rs"]
mod table_contract;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::memory::MemoryTable;

macro_rules! tests {
    ([$make:expr] $($law:ident,)*) => {
        $(
            #[test]
            fn $law() {
                settled(crate::table_contract::$law(&$make));
            }
        )*
    };
}

mod memory {
    use super::{MemoryTable, settled};

    crate::table_contract::for_each_law!(tests[MemoryTable::new()]);
}

#[test]
fn one_table_in_memory_keeps_the_whole_contract() {
    settled(table_contract::contract(&MemoryTable::new()));
}

/// Runs a future by asking it until it is done.
fn settled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

//! Every table of the default build, held to the one contract, each law a test of its own.

#![expect(clippy::unwrap_used, reason = "a table that cannot be made must fail the test")]

#[path = "support/table_contract.rs"]
mod table_contract;

use std::fs;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::file::FileTable;
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::domain::job::Timestamp;

macro_rules! tests {
    ([$make:expr] $($law:ident,)*) => {
        $(
            #[test]
            fn $law() {
                settled(crate::table_contract::$law(&$make(stringify!($law))));
            }
        )*
    };
}

mod memory {
    use super::{new_memory_table, settled};

    crate::table_contract::for_each_law!(tests[new_memory_table]);
}

mod file {
    use super::{new_file_table, settled};

    crate::table_contract::for_each_law!(tests[new_file_table]);
}

#[test]
fn one_table_in_memory_keeps_the_whole_contract() {
    settled(table_contract::contract(&MemoryTable::new()));
}

fn new_memory_table(_law: &str) -> MemoryTable {
    MemoryTable::new()
}

fn new_file_table(law: &str) -> FileTable {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("table-{law}"));
    let _ = fs::remove_dir_all(&folder);
    FileTable::open(&folder, Timestamp::from_ms(0)).unwrap().0
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

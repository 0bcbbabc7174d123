//! queuewatch end to end: the real function on local servers, which can be made to fail at any call.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]

mod concurrent;
mod faults;
mod founding;
mod http;
mod servers;
mod story;
#[path = "../support/table_contract.rs"]
#[expect(unused_imports, reason = "the laws run as one here, on one server")]
mod table_contract;
mod tables;
#[path = "../support/wire.rs"]
mod wire;
mod world;

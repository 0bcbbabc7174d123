//! queuewatch end to end: the real function on local servers, which can be made to fail at any call.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a test are small"
)]

mod concurrent;
mod costs;
mod desk;
mod doctor;
mod failed;
mod faults;
mod founding;
mod http;
mod kept;
mod kinesis;
mod operators;
#[cfg(feature = "packaged")]
mod packaged;
mod reads;
mod redrive;
mod seen;
mod servers;
mod story;
#[path = "../support/table_contract.rs"]
#[expect(unused_imports, reason = "the laws run as one here, on one server")]
mod table_contract;
mod tables;
#[path = "../support/wire.rs"]
mod wire;
mod world;

//! queuewatch against a real Laravel: Debian's framework, real workers over a real Redis and a real SQLite, killed,
//! misrouted and redirected, their lines packed and replayed by the command itself.
//!
//! Nothing here is simulated but queuewatch's clock, which `replay` has anyway; so these tests take the seconds that
//! workers take, and every wait for them is bounded.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]

mod app;
mod entrypoint;
mod lifecycle;
mod live;
mod outage;
mod package;
mod process;
mod readme;
mod redis;
mod verdict;

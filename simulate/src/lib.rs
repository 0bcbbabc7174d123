//! Seeded worlds of apps, queues and workers, and a judge of what queuewatch and plain CloudWatch alarms see of them.
//!
//! [`world`] makes a day from a scenario and a seed: the log lines as CloudWatch would deliver them, and the truth that
//! nobody sees. It does not know queuewatch; a test holds it to that. [`judge`] replays the lines, reads queuewatch's
//! report as anyone else would, and holds it against the truth.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "milliseconds of one day that this crate made itself: nothing here is input"
)]

pub mod judge;
pub mod world;

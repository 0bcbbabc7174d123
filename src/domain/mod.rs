//! The pure core, in pipeline order. It imports only itself and does no I/O.

pub mod blind_spots;
pub mod command;
pub mod cron;
pub mod detect;
pub mod diagnosis;
pub mod envelope;
pub mod glob;
pub mod incident;
pub mod intake;
pub mod job;
pub mod ledger;
pub mod metric;
pub mod outbox;
pub mod pairs;
pub mod plan;
pub mod policy;
pub mod printable;
pub mod reading;
pub mod redact;
pub mod runbook;
pub mod seat;
pub mod systems;
pub mod time;
pub mod watching;

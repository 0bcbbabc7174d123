//! The pure core, in pipeline order. It imports only itself and does no I/O.

#[macro_use]
mod name;

pub mod account;
pub mod blind_spots;
pub mod command;
pub mod cron;
pub mod deployment;
pub mod detectors;
pub mod diagnosis;
pub mod envelope;
pub mod glob;
mod in_place;
pub mod incidents;
pub mod intake;
pub mod job;
pub mod ledger;
pub mod line;
pub mod metric;
pub mod model;
pub mod origin;
pub mod outbox;
pub mod pairs;
pub mod printable;
pub mod queues;
pub(crate) mod quoted;
pub mod reading;
pub mod redact;
pub mod runbook;
mod shell;
pub mod sweep;
pub mod systems;
pub mod time;
pub mod visibility;
pub mod watching;

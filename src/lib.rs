//! queuewatch finds background jobs that are enqueued and never processed, from CloudWatch Logs alone.
//!
//! The path of a line: [`domain::envelope`] opens the payload, [`domain::classify`] reads the line, the
//! ledger joins what it says to what is already known, and a sweep decides once a minute what to tell.
//! Everything under [`domain`] is pure: no clock, files, environment, network or logging.

pub mod adapters;
pub mod app;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod message;
pub mod pack;
pub mod ports;
pub mod replay;
pub mod report;
pub mod saved;

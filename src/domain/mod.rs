//! The pure core, in pipeline order. It imports only itself and does no I/O.

pub mod glob;
pub mod intake;
pub mod job;
pub mod ledger;
pub mod metric;
pub mod policy;

//! The pure core, in pipeline order. It imports only itself and does no I/O.

pub mod blind_spots;
pub mod command;
pub mod cron;
pub mod detectors;
pub mod diagnosis;
pub mod envelope;
pub mod glob;
pub mod incidents;
pub mod intake;
pub mod job;
pub mod ledger;
pub mod line;
pub mod metric;
pub mod model;
mod name;
pub mod origin;
pub mod outbox;
pub mod pairs;
pub mod printable;
pub mod queues;
pub mod reading;
pub mod redact;
pub mod runbook;
pub mod seat;
mod shell;
pub mod sweep;
pub mod systems;
pub mod time;
pub mod visibility;
pub mod watching;

// Paths of before, for as long as other rooms use them.
pub use incidents as incident;
pub use model::policy;
pub use sweep as plan;

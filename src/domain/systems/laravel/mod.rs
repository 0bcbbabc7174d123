//! Laravel's queues: what `queue:work`, Horizon, Vapor and an app's own log print, every version.
//!
//! One form a file. Each reads one line by itself and declines what is not exactly its form; [`Reader`]
//! adds what only the order of lines can tell: messages that go on, traces, unfinished lines.

mod artisan;
mod bare;
mod bracket;
mod columns;
mod error_json;
mod flat_json;
pub(super) mod forms;
pub(super) mod glued;
mod half;
mod managers;
mod monolog;
pub(super) mod near_miss;
mod objects;
mod own_format;
mod platforms;
mod process;
mod queued;
mod quotation;
mod reader;
mod records;
pub mod runbook;
mod stamp;
mod step;
mod store_error;
mod supervisors;
mod trace;
mod unfinished;
mod worker_json;

use super::{json, runtime, sighting};

pub use near_miss::NearMiss;
pub(super) use reader::Reader;
pub(super) use step::Step;

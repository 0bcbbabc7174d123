//! The ledger seen queue by queue at one moment: who waits, who was overtaken, and how fast each queue moves.

pub mod ahead;
mod apps;
pub mod overtaken;
pub mod place;
pub mod resolver;
pub mod throughput;
pub mod view;

//! The pure core, in pipeline order. It imports only itself and does no I/O.

pub mod glob;
pub mod job;
pub mod policy;

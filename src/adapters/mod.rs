//! The outside, without decisions.

#[cfg(feature = "function")]
pub mod aws;
pub mod file;
mod indexed;
pub mod memory;
pub mod notify;
pub mod openmetrics;
pub mod permissions;
mod settled;

pub use settled::settled;

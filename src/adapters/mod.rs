//! The outside, without decisions.

pub mod file;
mod indexed;
#[cfg(feature = "aws")]
pub mod aws;
pub mod memory;
pub mod permissions;

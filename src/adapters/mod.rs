//! The outside, without decisions.

#[cfg(feature = "aws")]
pub mod aws;
pub mod file;
mod indexed;
pub mod memory;
pub mod permissions;

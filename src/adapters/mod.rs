//! The outside, without decisions.

pub mod file;
mod indexed;
pub mod memory;

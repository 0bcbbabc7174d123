//! The outside, without decisions.

pub mod memory;

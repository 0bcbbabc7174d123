//! The conditions that open and close incidents.

pub mod blindness;
pub mod failing_classes;
pub mod refusals;

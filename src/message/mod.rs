//! What is sent: an incident turned into words. Pure; it decides nothing.

mod email;

pub use email::{Words, duration, render};

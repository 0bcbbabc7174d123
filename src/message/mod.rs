//! What is sent: an incident turned into words, and the words addressed. Pure; it decides nothing else.

mod address;
mod email;

pub use address::address;
pub use email::{Words, duration, render};

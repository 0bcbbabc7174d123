//! What is sent: an incident turned into words, and the words addressed. Pure; it decides nothing else.

mod address;
mod chat;
mod email;
mod machine;
#[cfg(test)]
mod samples;
mod watching;

pub use address::address;
pub use email::{Words, duration, render};
pub use machine::machine;
pub use watching::greet;

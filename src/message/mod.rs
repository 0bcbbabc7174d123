//! What is sent: an incident turned into words, and the words addressed. Pure; it decides nothing else.

mod address;
mod chat;
mod clock;
mod duration;
mod email;
mod lines;
mod machine;
mod markdown;
#[cfg(test)]
mod samples;
mod subject;
mod told;
mod watching;
mod words;

pub use address::address;
pub use duration::duration;
pub use email::{Words, render};
pub use machine::machine;
pub use told::{Told, blind_spot, fact, tell};
pub use watching::greet;

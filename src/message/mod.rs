//! What is sent: an incident turned into words, and the words addressed. Pure; it decides nothing else.

mod address;
mod chat;
mod clock;
mod duration;
mod email;
mod explanation;
#[cfg(test)]
mod fixtures;
mod lines;
mod machine;
mod markdown;
mod subject;
mod watching;
mod words;

pub use address::address;
pub use duration::duration;
pub use email::{Words, render};
pub use explanation::{Explanation, blind_spot, explain, fact};
pub use machine::machine;
pub use watching::greet;

//! What is sent: an incident turned into words, and the words addressed. Pure; it decides nothing else.
//!
//! `compose` decides what is said, once, in the reader's language; `mail` and `chat` decide how it looks; `explanation`
//! and `machine` tell programs, `shapes` the webhooks of others.

mod address;
mod announced;
mod chat;
mod clock;
mod compose;
mod duration;
mod event;
mod explanation;
#[cfg(test)]
mod fixtures;
mod machine;
mod mail;
mod markdown;
mod place;
mod sections;
mod shapes;
mod subject;
mod watching;
mod words;

pub use address::address;
pub use announced::{Announced, INCIDENT_FIELDS, announced};
pub use compose::compose;
pub use duration::duration;
pub use explanation::{Explanation, blind_spot, explain};
pub use machine::machine;
pub use mail::{mail, up_to_the_steps};
pub use sections::{Link, Sections, Todo};
pub use watching::greet;

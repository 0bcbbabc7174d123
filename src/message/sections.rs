//! A message in its parts: what mail and chat are both made of.
//!
//! **Invariant:** everything that is said is here, once, in the reader's language. A channel decides how a part looks and
//! how much of it fits, never what is said.

use super::words::Labels;

/// An address to read on at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub label: &'static str,
    /// The address; a relative one is a file of this repository.
    pub url: String,
    /// A longer one that says more, for channels that do not show an address.
    pub long: Option<String>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// What it is for, as a sentence without its full stop.
    pub verb: String,
    /// What to paste; `None` where there is no command for it.
    pub command: Option<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What, where and for how long, in at most 99 ASCII characters: the subject of a mail.
    pub subject: String,
    /// The same in the reader's language: the title of a chat.
    pub title: String,
    /// What and since when.
    pub lead: String,
    /// The likely cause, the others, and what the logs cannot tell. A line each.
    pub causes: Vec<String>,
    /// Where to read on.
    pub links: Vec<Link>,
    /// What to do, in this order: three at most.
    pub steps: Vec<Todo>,
    /// What finds the variables in the steps.
    pub variables: Vec<Todo>,
    /// What `known` is called: facts that were found earlier say when.
    pub known_title: String,
    /// What lines show.
    pub known: Vec<String>,
    /// What they do not show.
    pub unknown: Vec<String>,
    /// How to answer the message.
    pub answers: Vec<Todo>,
    /// The incident's id, and when the next message comes.
    pub foot: String,
    /// The names of the parts.
    pub(super) labels: &'static Labels,
}

//! Lines into observations: which source a stream is, what stands around its lines, whose form a line has, what it says.
//!
//! A job system is a folder: its forms, captured lines of each, and its commands. Rules are one more, tried before the
//! others. [`StreamReader`] takes off what stands around a line (`wrappers`) and hands it on. It refuses to take anything
//! from arguments, contexts of other messages, traces and user text. A line over a limit, or in no known form, is passed
//! over and counted ([`Unread`]).
//!
//! To add a form: a file with `read(line) -> Option<Sighting>`, its place at the gate of its system's reader, its near
//! misses, and its row in `forms.rs` with a captured line; [`form()`] and a test miss what is forgotten. To add a wrapper: a
//! row of `wrappers` with a line. To add a system: a folder, a [`Preset`], and its line in the reader.

mod explain;
mod form;
mod json;
mod laravel;
mod last_lines;
mod line;
mod normalise;
mod reader;
mod rules;
mod runtime;
mod sighting;
mod survey;
mod unread;
mod wrappers;

pub use explain::Explanation;
pub use form::{FormFacts, Sample};
pub use laravel::{NearMiss, runbook};
pub use normalise::LINE_BYTES_MAX;
pub use reader::{Classified, StreamReader};
pub use rules::{FIELDS, JsonConstant, JsonSpec, REGEX_BYTES_MAX, Rule, RuleError, RuleSpec};
pub use survey::{Survey, UnreadShape};
pub use unread::{Near, SHAPES_MAX, Unread, shape};

use super::account::split_account;
use super::glob;
use super::job::{ConnectionName, Form, QueueName};

/// A job system whose forms come with queuewatch, as `presets` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Laravel's worker and log lines, every version.
    Laravel,
}

impl Preset {
    /// Those of a stream that no source names: a stream nobody configured is watched, not ignored.
    pub const DEFAULT: &'static [Self] = &[Self::Laravel];
}

/// What a form prints, and lines of it.
#[must_use]
pub const fn form(form: Form) -> FormFacts {
    match form {
        Form::Bracket => laravel::forms::BRACKET,
        Form::EndOnly => laravel::forms::END_ONLY,
        Form::TwoLine => laravel::forms::COLUMNS,
        Form::Json => laravel::forms::WORKER_JSON,
        Form::Bare => laravel::forms::BARE,
        Form::Monolog => laravel::forms::RECORD,
        Form::Process => laravel::forms::PROCESS,
        Form::Rule => rules::FORM,
    }
}

/// A `[[source]]`: which streams it covers, and how their lines are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// The app that its lines are of, where that is not the stack's own.
    pub app: Option<String>,
    /// The account that it is in; without it, any.
    pub owner: Option<String>,
    /// A glob over log group names.
    pub log_group: String,
    /// A glob over log stream names.
    pub log_stream: String,
    /// Whose forms its lines are read in; rules read them in any case.
    pub presets: Vec<Preset>,
    /// The queue of a class never seen enqueued. Not applied here: what a line lacks stays `None`.
    pub queue: Option<QueueName>,
    /// The connection of a class never seen enqueued. Not applied here either.
    pub connection: Option<ConnectionName>,
}

impl SourceSpec {
    /// Whether a stream belongs here. An empty name fits any glob: saved events may not know theirs.
    fn covers(&self, owner: &str, log_group: &str, log_stream: &str) -> bool {
        (owner.is_empty() || self.owner.as_deref().is_none_or(|it| it == owner))
            && (log_group.is_empty() || glob::matches(&self.log_group, log_group))
            && (log_stream.is_empty() || glob::matches(&self.log_stream, log_stream))
    }
}

/// Sources and rules, compiled once and used for every payload.
#[derive(Clone, Debug, Default)]
pub struct Classifier {
    sources: Vec<SourceSpec>,
    rules: Vec<Rule>,
    account: Option<String>,
}

impl Classifier {
    /// Makes a classifier. Without sources, every stream is read with [`Preset::DEFAULT`].
    #[must_use]
    pub const fn new(sources: Vec<SourceSpec>, rules: Vec<Rule>) -> Self {
        Self { sources, rules, account: None }
    }

    /// The same for a stack of this account: lines of others are set apart.
    #[must_use]
    pub fn in_account(self, account: Option<String>) -> Self {
        Self { account, ..self }
    }

    /// The account of the stack, where that is known.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The first source that covers a stream. The name of a group of another account begins with that.
    #[must_use]
    pub fn source(&self, log_group: &str, log_stream: &str) -> Option<&SourceSpec> {
        let (owner, log_group) = split_account(log_group);
        self.source_in(owner, log_group, log_stream)
    }

    /// The first source that covers a stream of an account; an empty one is not known.
    #[must_use]
    pub fn source_in(&self, owner: &str, log_group: &str, log_stream: &str) -> Option<&SourceSpec> {
        self.sources.iter().find(|source| source.covers(owner, log_group, log_stream))
    }

    /// A reader for one stream's lines of one payload. A stream that no configured source covers is read by
    /// neither rules nor presets.
    #[must_use]
    pub fn stream(&self, log_group: &str, log_stream: &str) -> StreamReader<'_> {
        self.reader(self.source(log_group, log_stream))
    }

    /// The same for a stream of an account.
    #[must_use]
    pub fn stream_in(&self, owner: &str, log_group: &str, log_stream: &str) -> StreamReader<'_> {
        self.reader(self.source_in(owner, log_group, log_stream))
    }

    fn reader(&self, source: Option<&SourceSpec>) -> StreamReader<'_> {
        match (self.sources.is_empty(), source) {
            (true, _) => StreamReader::new(&self.rules, Preset::DEFAULT),
            (false, Some(source)) => StreamReader::new(&self.rules, &source.presets),
            (false, None) => StreamReader::new(&[], &[]),
        }
    }
}

#[cfg(test)]
mod forms_tests;
#[cfg(test)]
mod tests;

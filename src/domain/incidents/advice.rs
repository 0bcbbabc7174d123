//! What a message advises to run and to read, as data; `runbook` writes the commands.

use serde::{Deserialize, Serialize};

use super::purpose::Purpose;
use crate::domain::job::Timestamp;

/// Groups asked at once; an app has one or two.
const GROUPS_MAX: usize = 5;
/// Words looked for; each makes the pattern slower to read.
const WORDS_MAX: usize = 4;

/// A command, and what to know before it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to paste.
    pub command: String,
    /// What to know.
    pub note: Option<Note>,
    /// What it is for; `None` for one that finds a variable.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// What runs inside a container, where the command takes it there: whoever has run one command in the container
    /// needs no more than this of the next.
    #[serde(default)]
    pub inside: Option<Inside>,
}

/// A command line inside a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The task, as it stands in the command.
    pub task: String,
    /// The container, where it is known.
    pub container: Option<String>,
    /// What runs there.
    pub line: String,
}

/// What to know of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It takes a job, and one of its attempts.
    SpendsAttempt,
    /// It is for a client of the database.
    InDatabase,
    /// A way around the store; jobs that are in it stay there.
    JobsStay,
    /// Workers finish their job and end; something must start them again.
    WorkersEnd,
    /// For the entrypoint, instead of a redirection into a file.
    MendsEntrypoint,
    /// Whoever paused it had a reason.
    AskWhoPaused,
    /// It finds what stands for a variable.
    Finds(Variable),
}

/// What is not known, as it stands in commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// The cluster.
    Cluster,
    /// The service.
    Service,
    /// The task.
    Task,
    /// The log group.
    LogGroup,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 4] = [Self::Cluster, Self::Service, Self::Task, Self::LogGroup];

    /// As it stands in a command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cluster => "$CLUSTER",
            Self::Service => "$SERVICE",
            Self::Task => "$TASK",
            Self::LogGroup => "$LOG_GROUP",
        }
    }
}

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsQuery {
    /// Log groups to ask.
    pub groups: Vec<String>,
    /// Words, one of which a line must hold.
    pub words: Vec<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl LogsQuery {
    /// Asks for lines with one of these words, newest last. `None` where no group's name is known. A word that is
    /// more than letters, digits, `_` and `-` would mean something in a pattern, and is left out.
    #[must_use]
    pub fn new<'a>(
        groups: impl Iterator<Item = &'a str>,
        words: impl Iterator<Item = &'a str>,
        from: Timestamp,
        until: Timestamp,
    ) -> Option<Self> {
        let groups: Vec<String> =
            groups.filter(|group| !group.is_empty()).take(GROUPS_MAX).map(str::to_owned).collect();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let plain = words.filter(|word| !word.is_empty() && word.bytes().all(is_plain));
        let words = plain.take(WORDS_MAX).map(str::to_owned).collect();
        (!groups.is_empty()).then_some(Self { groups, words, from, until })
    }
}

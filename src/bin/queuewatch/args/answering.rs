//! The flags and arguments of the commands that answer an alarm.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Why, and to which watch or stack.
#[derive(Debug, Args)]
pub(crate) struct AnswerArguments {
    /// Say why; it is told with the recovery, and kept with the silence.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The folder that the watch keeps its state in.
    #[arg(long, value_name = "DIR", default_value = ".queuewatch")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) deployed: DeployedArguments,
}

/// Who is answered on AWS, in place of a watch on this machine.
#[derive(Debug, Args)]
pub(crate) struct DeployedArguments {
    /// Answer the stack of this name on AWS, not a watch (needs the feature `aws`).
    #[arg(long, value_name = "NAME", conflicts_with = "state")]
    pub(crate) stack: Option<String>,
    /// Answer the function of this name on AWS, not a watch (needs the feature `aws`).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["state", "stack"])]
    pub(crate) function: Option<String>,
    /// The region (replaces AWS_REGION).
    #[arg(long, value_name = "REGION", conflicts_with = "state")]
    pub(crate) region: Option<String>,
}

/// An answer to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Word {
    /// Somebody is at it.
    Seen,
    /// Its queue's messages wait for a while.
    Silence,
    /// It is over.
    Close,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentArguments {
    /// The incident's id, or its beginning where no other open one begins so.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What to answer.
    #[arg(value_enum, value_name = "WORD")]
    pub(crate) word: Word,
    /// For how long it is silent: 30m, 2h, 1d.
    #[arg(value_name = "DURATION", required_if_eq("word", "silence"))]
    pub(crate) duration: Option<String>,
    /// Say why; it is told with the recovery, and kept with the silence.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Who answers (else the name of this machine's user).
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// The folder that the watch keeps its state in.
    #[arg(long, value_name = "DIR", default_value = ".queuewatch")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) deployed: DeployedArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CloseArguments {
    /// The incident's id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) answer: AnswerArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceArguments {
    /// The queue, or a pattern in quotes: `*` is any text.
    #[arg(value_name = "QUEUE")]
    pub(crate) queue: String,
    /// When the silence ends: in 2h, or at 2026-12-01T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: String,
    #[command(flatten)]
    pub(crate) answer: AnswerArguments,
}

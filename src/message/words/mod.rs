//! Words for what the core found, in each language of messages.
//!
//! The core's facts are data; every sentence that is sent stands here, one folder a language. Names, subjects and JSON
//! stay English. **Invariant:** a text from a log line is shown as it was kept: printable, redacted, cut.

mod en;
mod ja;
mod voice;
pub(super) mod watching;

use super::compose::Situation;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Unknown};
use crate::domain::incidents::{Blindness, Kind};
use crate::domain::model::policy::Language;
use crate::domain::runbook::{Note, Purpose, Variable};

pub(super) use voice::Voice;

/// The names of a message's parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) log_lines: &'static str,
    pub(super) dashboard: &'static str,
    pub(super) meaning: &'static str,
    pub(super) fill_in: &'static str,
    pub(super) known: &'static str,
    pub(super) not_known: &'static str,
    pub(super) seen: &'static str,
    pub(super) close: &'static str,
    pub(super) silence: &'static str,
    pub(super) silence_all: &'static str,
    pub(super) incident: &'static str,
    /// Where a channel takes less than there is to say.
    pub(super) shortened: &'static str,
    /// Between two facts of one line.
    pub(super) and: &'static str,
    /// Between a label and what it names.
    pub(super) colon: &'static str,
}

/// The labels of a language.
pub(super) const fn labels(language: Language) -> &'static Labels {
    match language {
        Language::En => &en::LABELS,
        Language::Ja => &ja::LABELS,
    }
}

/// Chooses the language's own function.
macro_rules! spoken {
    ($language:expr, $function:ident $(, $argument:expr)*) => {
        match $language {
            Language::En => en::$function($($argument),*),
            Language::Ja => ja::$function($($argument),*),
        }
    };
}

/// What and since when, in a sentence or three.
pub(super) fn lead(situation: &Situation<'_>, voice: &Voice) -> String {
    spoken!(voice.language, lead, situation, voice)
}

/// The line that a message begins with: how loud, of which app, where, what.
pub(super) fn title(situation: &Situation<'_>, voice: &Voice) -> String {
    spoken!(voice.language, title, situation, voice)
}

/// A cause, as a sentence without its full stop.
pub(super) fn cause(cause: Cause, about: &About<'_>, voice: &Voice) -> String {
    spoken!(voice.language, cause, cause, about, voice)
}

/// What is behind a cause, as the rest of its sentence.
pub(super) fn sub_cause(sub_cause: SubCause, voice: &Voice) -> String {
    spoken!(voice.language, sub_cause, sub_cause, voice)
}

/// What is known beside a cause that its sentence tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About<'a> {
    /// The file that worker output goes to.
    pub(super) file: Option<&'a str>,
    /// Lines are dropped on the way, not sent elsewhere.
    pub(super) is_dropping: bool,
    /// The store came back, and may have forgotten.
    pub(super) has_forgotten: bool,
    /// It is about jobs that were passed over: a store that fails hands none out, or loses them.
    pub(super) is_of_lost: bool,
    /// Attempts do not fail at once: they work for a while.
    pub(super) is_slow: bool,
    /// The app is down for maintenance, not the queue paused.
    pub(super) is_maintenance: bool,
    /// That lines may not arrive is told as a cause of its own.
    pub(super) is_unheard_told: bool,
    /// It is over, or later lines speak of better.
    pub(super) is_past: bool,
    /// It is said first, and not beside others.
    pub(super) is_first: bool,
}

/// The causes as lines: the likeliest first.
pub(super) struct Causes<'a> {
    /// The likeliest, in words.
    pub(super) first: &'a str,
    /// The others.
    pub(super) others: &'a [String],
    /// The lines leave no other.
    pub(super) is_certain: bool,
    /// It is over.
    pub(super) is_over: bool,
    /// The step that tells which it is.
    pub(super) step: Option<usize>,
}

/// The causes as lines.
pub(super) fn causes(causes: &Causes<'_>, voice: &Voice) -> Vec<String> {
    spoken!(voice.language, causes, causes)
}

/// What logs cannot tell, and which step does.
pub(super) fn unknown(unknown: Unknown, step: Option<usize>, voice: &Voice) -> String {
    spoken!(voice.language, unknown, unknown, step, voice)
}

/// What logs cannot tell, for programs: with the command that would.
pub(super) fn unknown_and_command(unknown: Unknown, has_command: bool, voice: &Voice) -> String {
    let said = en::unknown(unknown, None, voice);
    if has_command { format!("{said} (`{}` tells)", unknown.asked_by()) } else { said }
}

/// What a command is for.
pub(super) const fn purpose(language: Language, purpose: Purpose) -> &'static str {
    spoken!(language, purpose, purpose)
}

/// A command whose purpose was not kept.
pub(super) const fn run(language: Language) -> &'static str {
    spoken!(language, run)
}

/// The verb of a command that runs in the container of one above.
pub(super) fn in_same_container(language: Language, verb: &str) -> String {
    spoken!(language, in_same_container, verb)
}

/// A verb and what to know before.
pub(super) fn with_note(language: Language, verb: &str, note: Note) -> String {
    let note = spoken!(language, note, note);
    spoken!(language, with_note, verb, &note)
}

/// What to know of a command before it is run.
pub(super) fn note(language: Language, note: Note) -> String {
    spoken!(language, note, note)
}

/// What stands for a variable, and how it need not be asked for again.
pub(super) fn variable(language: Language, variable: Variable) -> String {
    spoken!(language, variable, variable)
}

/// What to do where the fault is in what queuewatch is given: a verb, and a command where there is one.
pub(super) fn advice(reason: Blindness, voice: &Voice) -> &'static [(&'static str, Option<&'static str>)] {
    spoken!(voice.language, advice, reason, voice)
}

/// A fact, with its moment behind it as `at` shows it.
pub(super) fn fact(fact: &Fact, at: Option<&str>, voice: &Voice) -> String {
    let text = finding(fact, voice);
    match at {
        Some(at) => format!("{text}{}{at}", labels(voice.language).colon),
        None => text,
    }
}

/// A fact without its moment.
pub(super) fn finding(fact: &Fact, voice: &Voice) -> String {
    spoken!(voice.language, finding, fact, voice)
}

/// What a message says besides, a line each.
pub(super) enum Aside<'a> {
    /// Somebody has answered the message.
    Seen { by: &'a str, at: &'a str },
    /// When a job was enqueued and when one was started last.
    LastOnes { enqueued: Option<&'a str>, started: Option<&'a str>, is_none_anywhere: bool },
    /// A line names the file that the cause tells of.
    NamesThatFile { streams: usize, at: Option<&'a str> },
    /// The error's own words.
    Quoted(&'a str),
    /// The jobs' classes, and the oldest one's id.
    Jobs { kind: Kind, classes: &'a [(String, usize)], more: u64, oldest: Option<&'a str> },
    /// Classes that fail, too.
    Classes(&'a [String]),
    /// It joined this message.
    Joined(&'a str),
    /// So many more did.
    JoinedMore(u64),
    /// Jobs that were found to have started while worker lines were missing.
    Unseen(u64),
    /// It opened after the last line of a replay.
    AfterEnd,
    /// Facts that were found earlier.
    KnownAt(&'a str),
    /// When the next message comes.
    Next(&'a str),
}

/// A line besides.
pub(super) fn aside(aside: &Aside<'_>, voice: &Voice) -> String {
    spoken!(voice.language, aside, aside)
}

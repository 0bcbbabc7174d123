//! What a form is: its name, what it prints and leaves out, and real lines of it. Each system declares its own.

use crate::domain::job::Stage;

/// What is known of a line form. Whoever matches jobs asks this, and never for a form by name.
#[derive(Clone, Copy, Debug)]
pub struct FormFacts {
    /// How `explain` calls it, its system first.
    pub name: &'static str,
    /// Whether an attempt's start has a line of its own. Where it has none, a job that hangs looks like one that waits.
    pub prints_starts: bool,
    /// Whether an attempt that is to be tried again prints an end. Where it prints none, two starts in a row tell of
    /// no lost attempt.
    pub prints_retries: bool,
    /// Lines that were captured, at least one.
    pub samples: &'static [Sample],
}

/// One captured line, and a line that is nearly of its form.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What comes before it in its stream, where the form is only read behind something.
    pub before: &'static [&'static str],
    /// The line.
    pub line: &'static str,
    /// What it says.
    pub stage: Stage,
    /// A line that only nearly has the form: it is declined, and `explain` says how near it is.
    pub near: &'static str,
}

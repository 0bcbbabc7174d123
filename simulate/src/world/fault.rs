//! What should be found of a day, under which names.

use super::span::Span;

/// A kind of incident, by the name that the product's contract gives it.
pub type Kind = &'static str;

/// A cause, by the name that the product's contract gives it.
pub type Cause = &'static str;

/// From when on something can be told, so that what comes later is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Jobs are overdue and nothing starts.
    Stall,
    /// Jobs are overdue though others start.
    Backlog,
    /// So many attempts in a row ended badly.
    Failures,
    /// Enqueues were refused three times within five minutes.
    Refusals,
    /// An attempt is past its timeout.
    Timeout,
    /// The contract names no moment.
    Unnamed,
}

/// How loud it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// It should wake somebody.
    Page,
    /// It should be read in the morning.
    Warn,
}

/// Something that is wrong for a while.
#[derive(Clone, Debug)]
pub struct Fault {
    /// How long.
    pub span: Span,
    /// Which queues.
    pub queues: &'static [&'static str],
    /// An incident of any of these kinds finds it; with none, nothing has to be found.
    pub must: &'static [Kind],
    /// Incidents of these kinds may come with it, before it is over or after: they are true, too.
    pub may: &'static [Kind],
    /// How loud the finding should be.
    pub loudness: Loudness,
    /// From when on it can be told.
    pub due: Due,
    /// What is behind it: all of these are true.
    pub causes: &'static [Cause],
    /// The cause that the logs can tell from all others, if they can.
    pub decided: Option<Cause>,
    /// Whether it comes and goes: then it is said to be over some times before it is, and that it is there as often.
    pub flaps: bool,
}

impl Fault {
    /// A stall, of a cause that logs cannot tell from others.
    #[must_use]
    pub const fn stall(span: Span, queues: &'static [&'static str], causes: &'static [Cause]) -> Self {
        Self {
            span,
            queues,
            must: &["stalled"],
            may: &["stuck_running", "lost", "blind"],
            loudness: Loudness::Page,
            due: Due::Stall,
            causes,
            decided: None,
            flaps: false,
        }
    }

    /// Nothing wrong, though incidents of these kinds would be no lie.
    #[must_use]
    pub const fn harmless(span: Span, queues: &'static [&'static str], may: &'static [Kind]) -> Self {
        Self { must: &[], may, loudness: Loudness::Warn, due: Due::Unnamed, ..Self::stall(span, queues, &[]) }
    }

    /// The same, found by these kinds instead.
    #[must_use]
    pub const fn found_by(self, must: &'static [Kind], due: Due) -> Self {
        Self { must, due, ..self }
    }

    /// The same, which these kinds may come with.
    #[must_use]
    pub const fn may(self, may: &'static [Kind]) -> Self {
        Self { may, ..self }
    }

    /// The same, of a cause that logs can tell.
    #[must_use]
    pub const fn decided(self, cause: Cause) -> Self {
        Self { decided: Some(cause), ..self }
    }

    /// The same, which comes and goes.
    #[must_use]
    pub const fn flapping(self) -> Self {
        Self { flaps: true, ..self }
    }

    /// The same, for the morning.
    #[must_use]
    pub const fn warned(self) -> Self {
        Self { loudness: Loudness::Warn, ..self }
    }

    /// Whether an incident of this kind belongs to it.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.must.contains(&kind) || self.may.contains(&kind)
    }
}

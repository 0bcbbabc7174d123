//! What a line turned out to be, as the reader of a stream is told.

use std::borrow::Cow;

/// What a line turned out to be.
#[derive(Debug)]
pub(in crate::domain::systems) enum Step<'a> {
    /// Read, or known for what it is.
    Done,
    /// A router's JSON, the line within, and whose that is.
    Within(Cow<'a, str>, Cow<'a, str>),
    /// JSON that breaks off: its rest may follow.
    BrokenOff,
    /// Nothing that is known.
    Unread,
}

impl From<bool> for Step<'_> {
    fn from(is_read: bool) -> Self {
        if is_read { Self::Done } else { Self::Unread }
    }
}

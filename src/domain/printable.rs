//! Text from logs, made fit to be shown and sent.

use std::borrow::Cow;

/// A name as it may be shown and sent: a control character, which could drive a terminal or break a line of a
/// mail, becomes U+FFFD. Names come from log lines, and those from anywhere.
#[must_use]
pub fn printable(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_control) {
        Cow::Owned(
            name.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect(),
        )
    } else {
        Cow::Borrowed(name)
    }
}

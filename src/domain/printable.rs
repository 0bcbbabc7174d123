//! Text from logs, made fit to be shown and sent.

use std::borrow::Cow;

/// A name as it may be shown and sent. A character that could drive a terminal, break a line of a mail or turn
/// text around becomes U+FFFD. Names come from log lines, and those from anywhere.
#[must_use]
pub fn printable(name: &str) -> Cow<'_, str> {
    // Nearly every name is plain ASCII, which is told eight bytes and more at a time.
    if name.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(name);
    }
    if name.chars().any(is_unprintable) {
        let clean = |c| if is_unprintable(c) { char::REPLACEMENT_CHARACTER } else { c };
        Cow::Owned(name.chars().map(clean).collect())
    } else {
        Cow::Borrowed(name)
    }
}

/// Control characters, and those of Unicode's format category that are invisible, break lines or reverse them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_or_turn_text_around_is_replaced() {
        assert_eq!(printable("App\\Jobs\\Caf\u{e9} \u{1f600}"), "App\\Jobs\\Caf\u{e9} \u{1f600}");
        for bad in ['\u{1b}', '\n', '\u{9b}', '\u{202e}', '\u{2028}', '\u{feff}', '\u{7f}'] {
            assert_eq!(printable(&format!("a{bad}b")), "a\u{fffd}b");
        }
    }
}

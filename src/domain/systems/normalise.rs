//! One message as CloudWatch holds it, made into a line: colours and line ends gone, the first line apart
//! from what follows it.

use std::borrow::Cow;

use memchr::memchr;

/// Bytes of a line that are read. CloudWatch takes events up to 1 MB; the longest form known, a JSON record
/// with a full trace, stays under 100 KB. A longer first line is not examined.
pub const LINE_BYTES_MAX: usize = 256 * 1024;

const ESC: u8 = 0x1b;

/// Removes terminal escape sequences (`ESC [ digits and semicolons, letter`) and trailing line ends.
pub(super) fn strip(message: &str) -> Cow<'_, str> {
    let message = message.trim_end_matches(['\r', '\n']);
    if memchr(ESC, message.as_bytes()).is_none() {
        return Cow::Borrowed(message);
    }
    let mut plain = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after_sequence(after).unwrap_or_else(|| {
            plain.push('\x1b');
            after
        });
    }
    plain.push_str(rest);
    plain.truncate(plain.trim_end_matches(['\r', '\n']).len());
    Cow::Owned(plain)
}

/// A line without what is left of colours where somebody on the way took the escape for text: `#033[33m` (rsyslog),
/// `^[[33m`, or `[33m` alone. `None` where it has none of them.
pub(super) fn without_remnants(line: &str) -> Option<String> {
    // The gate: many lines have brackets, and few a colour's.
    let places = memchr::memchr_iter(b'[', line.as_bytes());
    let remnant = |place: usize| {
        let (before, after) = line.split_at_checked(place)?;
        let parameters = after.get(1..)?;
        let rest =
            parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m')?;
        let digits = parameters.len().saturating_sub(rest.len());
        let escape = ["#033", "^["].iter().find(|escape| before.ends_with(**escape)).map_or(0, |it| it.len());
        (digits > 1).then(|| (place.saturating_sub(escape), line.len().saturating_sub(rest.len())))
    };
    let mut plain: Option<String> = None;
    let mut from = 0;
    for (start, end) in places.filter_map(remnant) {
        plain.get_or_insert_default().push_str(line.get(from..start)?);
        from = end;
    }
    let mut plain = plain?;
    plain.push_str(line.get(from..)?);
    Some(plain)
}

/// Steps over `[`, digits and semicolons, and the letter that ends them.
fn after_sequence(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix('[')?.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    parameters.strip_prefix(|c: char| c.is_ascii_alphabetic())
}

/// The first line, and the lines after it (`None` for the usual one-line message).
///
/// Leading empty lines are not a first line: artisan's banners start with one.
pub(super) fn first_line(text: &str) -> (&str, Option<&str>) {
    let text = if text.starts_with(['\n', '\r']) { text.trim_start_matches(['\n', '\r']) } else { text };
    let Some(end) = memchr(b'\n', text.as_bytes()) else { return (text, None) };
    let (first, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (first.trim_end_matches('\r'), rest.get(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(strip(message), expected);
    }

    #[test]
    fn colours_and_line_ends_go_and_nothing_else() {
        check("plain\r\n", "plain");
        check("trailing space ", "trailing space ");
        check("\x1b[33m[ts] Processing:\x1b[39m X", "[ts] Processing: X");
        check("\x1b[37;41mFailed:\x1b[39;49m X\r", "Failed: X");
        check("a\x1b[2Kb", "ab");
        check("a\x1b[", "a\x1b[");
        check("a\x1b[12", "a\x1b[12");
        check("a\x1b]0;title", "a\x1b]0;title");
        check("x\n\x1b[0m", "x");
    }

    #[test]
    fn what_is_left_of_colours_goes_too() {
        let check = |line: &str, expected| assert_eq!(without_remnants(line).as_deref(), expected, "{line}");
        check("#033[33m[ts] Processing:#033[39m X", Some("[ts] Processing: X"));
        check("^[[37;41mFailed:^[[39;49m X", Some("Failed: X"));
        check("[33m[ts][17] Processing:[39m X", Some("[ts][17] Processing: X"));
        check("[17] x [m] [2026-03-02]", None);
        check("", None);
    }

    #[test]
    fn the_first_line_is_apart_from_the_rest() {
        assert_eq!(first_line("one"), ("one", None));
        assert_eq!(first_line("one\r\ntwo\nthree"), ("one", Some("two\nthree")));
        assert_eq!(first_line("\n   INFO  Ready."), ("   INFO  Ready.", None));
    }
}

//! A dimension's value as CloudWatch takes it: ASCII, printable, not blank, no colon in front, not too long.
//!
//! Queue names come from logs. One that breaks the rules would fail the whole request and with it everybody
//! else's metrics, so it is written differently: every byte that is not allowed as `%` and two hexadecimal digits of
//! UTF-8, as in a URL. A name that keeps the rules is never touched.
//!
//! **Invariant:** the same name gives the same value, in every build, and two names do not meet unless one
//! was made to look like the other's escape.

use std::borrow::Cow;
use std::fmt::Write;

use crate::domain::line::LineHash;

/// The longest value of a dimension, in characters
/// ([Dimension](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html)).
pub const DIMENSION_CHARS_MAX: usize = 1_024;

/// What ends a value that was cut: a dash and sixteen digits of the whole name's hash.
const CUT_TAIL_CHARS: usize = 17;

/// What stands for a name of nothing, which CloudWatch refuses.
const EMPTY: &str = "(empty)";

/// Makes a dimension's value legal.
#[must_use]
pub fn legal(value: &str) -> Cow<'_, str> {
    let is_blank = value.bytes().all(|byte| byte == b' ');
    let is_fine = value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !is_blank
        && !value.starts_with(':')
        && value.len() <= DIMENSION_CHARS_MAX;
    if is_fine {
        return Cow::Borrowed(value);
    }
    if value.is_empty() {
        return Cow::Borrowed(EMPTY);
    }
    let mut text = String::with_capacity(value.len());
    for (place, byte) in value.bytes().enumerate() {
        let is_allowed = matches!(byte, b' '..=b'~') && byte != b'%';
        let is_first_colon = place == 0 && byte == b':';
        if is_allowed && !is_blank && !is_first_colon {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    if text.len() > DIMENSION_CHARS_MAX {
        // Whatever is left after the cut, the hash of the whole keeps two long names apart. All of it is ASCII.
        text.truncate(DIMENSION_CHARS_MAX.saturating_sub(CUT_TAIL_CHARS));
        let _ = write!(text, "-{:016x}", LineHash::default().with(value.as_bytes()).finish());
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(legal(value), expected);
    }

    #[test]
    fn a_name_that_keeps_the_rules_is_not_touched() {
        for name in ["default", "a b", "high:low", "100%", "~", " x", "a/b\\c\"d"] {
            check(name, name);
            assert!(matches!(legal(name), Cow::Borrowed(_)), "{name}");
        }
        let longest = "q".repeat(DIMENSION_CHARS_MAX);
        check(&longest, &longest);
    }

    #[test]
    fn a_byte_that_is_not_allowed_is_escaped_and_then_so_is_the_percent_sign() {
        check("caf\u{e9}", "caf%C3%A9");
        check("\u{30e1}\u{30fc}\u{30eb}", "%E3%83%A1%E3%83%BC%E3%83%AB");
        check("a\tb", "a%09b");
        check("50%\u{e9}", "50%25%C3%A9");
        check("a\u{7f}", "a%7F");
    }

    #[test]
    fn a_colon_in_front_and_a_blank_name_are_escaped() {
        check(":memory", "%3Amemory");
        check(":a:b", "%3Aa:b");
        check("  ", "%20%20");
        check("", "(empty)");
    }

    #[test]
    fn a_name_too_long_is_cut_and_told_apart_by_its_hash() {
        let (one, other) = ("q".repeat(2_000), format!("{}x", "q".repeat(1_999)));
        assert_eq!(legal(&one).len(), DIMENSION_CHARS_MAX);
        assert_eq!(legal(&one), legal(&one));
        assert_ne!(legal(&one), legal(&other));
        assert_eq!(legal(&"\u{30e1}".repeat(1_024)).len(), DIMENSION_CHARS_MAX);
    }

    #[test]
    fn whatever_comes_out_is_legal() {
        for name in ["", ":", "\u{0}", "\u{1f600}:", &" ".repeat(3_000), &"\u{e9}".repeat(600)] {
            let value = legal(name);
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{value}");
            assert!(!value.trim().is_empty() && !value.starts_with(':'), "{value}");
            assert!(value.len() <= DIMENSION_CHARS_MAX, "{value}");
        }
    }
}

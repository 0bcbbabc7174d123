//! Text as Slack shows it: names not read as marks or mentions, commands whole.

use crate::domain::printable::printable;

/// A command between backticks, whole or not at all; `None` for one that has a backtick itself.
pub(super) fn code(command: &str) -> Option<String> {
    let mut shown = String::new();
    for c in command.chars() {
        if c == '`' || c == '\n' {
            return None;
        }
        if entity(c).is_empty() { shown.push(c) } else { shown.push_str(entity(c)) }
    }
    Some(format!("`{shown}`"))
}

/// A name or a sentence on one line, in which nothing is read as markdown or a mention.
///
/// Slack has no escape for its marks: each is parted from its neighbours by a zero-width space, but for those that
/// are read between spaces only, so that `App\Jobs\Make_Thumb` can still be copied.
pub(super) fn inline(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    let mut chars_count: usize = 0;
    for c in cut(text, chars_max).chars() {
        let part = match c {
            '*' | '~' | '`' | '@' => format!("{c}\u{200b}"),
            '\n' => " ".to_owned(),
            _ if entity(c).is_empty() => c.to_string(),
            _ => entity(c).to_owned(),
        };
        chars_count = chars_count.saturating_add(part.chars().count());
        if chars_count > chars_max {
            break;
        }
        shown.push_str(&part);
    }
    shown
}

/// The three characters that [Slack](https://api.slack.com/reference/surfaces/formatting#escaping) wants escaped;
/// nothing for any other.
const fn entity(c: char) -> &'static str {
    match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => "",
    }
}

pub(super) fn cut(text: &str, chars_max: usize) -> String {
    printable(text).chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_whole_between_backticks_or_not_there() {
        assert_eq!(code("a --x 'b & <c>'").as_deref(), Some("`a --x 'b &amp; &lt;c&gt;'`"));
        assert_eq!((code("a `b`"), code("a\nb")), (None, None));
    }

    #[test]
    fn marks_in_a_name_are_parted_from_their_neighbours() {
        assert_eq!(inline("a *b* <@U1>", 99), "a *\u{200b}b*\u{200b} &lt;@\u{200b}U1&gt;");
        assert_eq!(inline("abc", 2), "ab");
    }
}

//! Lines that fit a phone held upright.

use std::fmt::Write;

/// Columns of a phone, in a mail's ordinary type.
pub(super) const COLUMNS: usize = 60;

/// What no line may begin with.
const NEVER_FIRST: &str = "、。，．・：；？！）」』】";

/// Writes a text after a label, wrapped; what goes on is indented as far as the label.
pub(super) fn labelled(text: &mut String, label: &str, words: &str) {
    let indent = " ".repeat(width(label));
    wrapped(text, label, &indent, words);
}

/// Writes a point of a list, wrapped.
pub(super) fn item(text: &mut String, words: &str) {
    wrapped(text, "- ", "  ", words);
}

/// Writes a text, wrapped.
pub(super) fn paragraph(text: &mut String, words: &str) {
    wrapped(text, "", "", words);
}

/// Writes a line as it is: a command, which must stay whole.
pub(super) fn whole(text: &mut String, line: &str) {
    // Writing to a string cannot fail; the result is let go.
    let _ = writeln!(text, "{line}");
}

fn wrapped(text: &mut String, first: &str, indent: &str, words: &str) {
    let mut line = first.to_owned();
    let mut columns = width(first);
    let mut is_fresh = true;
    let mut is_spaced = false;
    for piece in pieces(words) {
        if piece == " " {
            is_spaced = !is_fresh;
            continue;
        }
        let gap = usize::from(is_spaced);
        let needed = width(piece).saturating_add(gap);
        if columns.saturating_add(needed) > COLUMNS && !is_fresh {
            whole(text, &line);
            indent.clone_into(&mut line);
            columns = width(indent);
        } else if is_spaced {
            line.push(' ');
            columns = columns.saturating_add(1);
        }
        line.push_str(piece);
        columns = columns.saturating_add(width(piece));
        (is_fresh, is_spaced) = (false, false);
    }
    whole(text, line.trim_end());
}

/// A text in the pieces between which a line may break: words, single spaces, and each character of a script without
/// spaces, together with the marks that must not begin a line.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last: Option<char> = None;
    for (at, c) in text.char_indices() {
        let is_break = match last {
            None => false,
            Some(before) => {
                (c.is_whitespace() || before.is_whitespace() || is_wide(c) || is_wide(before))
                    && !NEVER_FIRST.contains(c)
                    && !"（「『【".contains(before)
            }
        };
        if is_break {
            pieces.extend(text.get(start..at));
            start = at;
        }
        last = Some(c);
    }
    pieces.extend(text.get(start..));
    pieces.into_iter().map(|piece| if piece.trim().is_empty() { " " } else { piece }).collect()
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).fold(0, usize::saturating_add)
}

/// Whether a character takes two columns: the blocks of Chinese, Japanese and Korean, and their full-width forms.
const fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, expected: &str) {
        let mut text = String::new();
        item(&mut text, words);
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| width(line) <= COLUMNS || !line.trim_start().contains(' ')));
    }

    #[test]
    fn words_break_at_spaces_and_a_long_one_stays_whole() {
        check(
            "a line names the file that worker output goes to, and the newest one is this",
            "- a line names the file that worker output goes to, and the\n  newest one is this\n",
        );
        let path = "x".repeat(80);
        check(&format!("goes to {path} there"), &format!("- goes to\n  {path}\n  there\n"));
    }

    #[test]
    fn a_script_without_spaces_breaks_anywhere_but_before_a_mark() {
        check(
            "ワーカーが動いているか。待機中・停止・一時停止・対象違いはどれもログが出ない（`ps` で分かる）",
            "- ワーカーが動いているか。待機中・停止・一時停止・対象違いは\n  どれもログが出ない（`ps` で分かる）\n",
        );
    }

    #[test]
    fn what_goes_on_is_indented_as_far_as_its_label() {
        let mut text = String::new();
        labelled(&mut text, "LIKELY   ", &"word ".repeat(14));
        let row = "word word word word word word word word word word";
        assert_eq!(text, format!("LIKELY   {row}\n         word word word word\n"));
    }
}

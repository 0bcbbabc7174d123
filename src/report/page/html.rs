//! Text made fit for a page, and numbers as people read them.

use crate::domain::printable::printable;

/// Text in an element or in a quoted attribute. It may come from any log line.
pub(super) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in printable(text).chars() {
        push(&mut shown, c);
    }
    shown
}

fn push(shown: &mut String, c: char) {
    match c {
        '&' => shown.push_str("&amp;"),
        '<' => shown.push_str("&lt;"),
        '>' => shown.push_str("&gt;"),
        '"' => shown.push_str("&quot;"),
        '\'' => shown.push_str("&#39;"),
        c => shown.push(c),
    }
}

/// Lines of text in which addresses can be followed.
pub(super) fn linked(text: &str) -> String {
    text.lines().map(linked_line).collect::<Vec<_>>().join("\n")
}

fn linked_line(line: &str) -> String {
    let mut shown = String::new();
    for (n, word) in line.split(' ').enumerate() {
        if n > 0 {
            shown.push(' ');
        }
        if word.starts_with("https://") || word.starts_with("http://") {
            shown.push_str(&link(word, word));
        } else {
            shown.push_str(&escape(word));
        }
    }
    shown
}

/// A link that tells the other side nothing. The address begins with `http`, as its callers have checked.
pub(super) fn link(url: &str, label: &str) -> String {
    format!("<a rel=\"noreferrer\" href=\"{}\">{}</a>", escape(url), escape(label))
}

/// `5,012`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().wrapping_sub(place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 payload`, `7 payloads`.
pub(super) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", grouped(n)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&\u{202e}"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{fffd}"
        );
    }

    #[test]
    fn an_address_is_a_link_and_nothing_else_is() {
        assert_eq!(
            linked("see https://a.example/?b=1&c=\"2 javascript:x"),
            "see <a rel=\"noreferrer\" href=\"https://a.example/?b=1&amp;c=&quot;2\">\
             https://a.example/?b=1&amp;c=&quot;2</a> javascript:x"
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1_000, 5_012, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "999", "1,000", "5,012", "1,234,567"]);
        assert_eq!((count(1, "job"), count(2_000, "job")), ("1 job".into(), "2,000 jobs".into()));
    }
}

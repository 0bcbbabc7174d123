//! A chat message as Slack shows it: the marks of its text turned into elements.

use serde::Deserialize;

use super::html::{escape, link};

#[derive(Deserialize)]
struct Chat {
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    title: String,
    description: String,
    #[serde(default)]
    next_steps: Vec<String>,
}

/// The signs that titles begin with.
const SIGNS: &[(&str, &str)] = &[
    (":rotating_light:", "\u{1f6a8}"),
    (":warning:", "\u{26a0}"),
    (":white_check_mark:", "\u{2705}"),
    (":grey_question:", "\u{2754}"),
    (":eyes:", "\u{1f440}"),
];

/// The message as elements; `None` for what is no chat message.
pub(super) fn shown(body: &str) -> Option<String> {
    let Chat { content } = serde_json::from_str(body).ok()?;
    let mut title = content.title;
    for (code, sign) in SIGNS {
        title = title.replace(code, sign);
    }
    let mut text = format!("<p class=\"subject\">{}</p>\n", marked(&title));
    for paragraph in content.description.split("\n\n") {
        let lines: Vec<String> = paragraph.lines().map(marked).collect();
        text.push_str(&format!("<p>{}</p>\n", lines.join("<br/>\n")));
    }
    if !content.next_steps.is_empty() {
        text.push_str("<ul>\n");
        for step in &content.next_steps {
            text.push_str(&format!("<li>{}</li>\n", marked(step)));
        }
        text.push_str("</ul>\n");
    }
    Some(text)
}

/// One line: `*bold*`, `` `code` `` and `<url|label>`; anything else is text.
fn marked(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['*', '`', '<']) {
        let (before, from) = rest.split_at(at);
        shown.push_str(&plain(before));
        let (open, close) = match from.as_bytes().first() {
            Some(b'*') => ('*', '*'),
            Some(b'`') => ('`', '`'),
            _ => ('<', '>'),
        };
        let inner = from.strip_prefix(open).unwrap_or(from);
        // A mark that the writer parted from its neighbours is one no more.
        let is_parted = inner.starts_with('\u{200b}');
        match inner.split_once(close).filter(|_| !is_parted) {
            Some((marked, after)) => {
                shown.push_str(&element(open, marked));
                rest = after;
            }
            None => {
                shown.push_str(&escape(&open.to_string()));
                rest = inner;
            }
        }
    }
    shown.push_str(&plain(rest));
    shown
}

fn element(mark: char, inner: &str) -> String {
    match (mark, inner.split_once('|')) {
        ('*', _) => format!("<b>{}</b>", plain(inner)),
        ('`', _) => format!("<code>{}</code>", plain(inner)),
        (_, Some((url, label))) if url.starts_with("http") => link(&entities(url), &entities(label)),
        _ => plain(inner),
    }
}

fn plain(text: &str) -> String {
    escape(&entities(text))
}

/// The three entities that Slack knows, and the spaces of no width that part its marks.
fn entities(text: &str) -> String {
    text.replace('\u{200b}', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(marked(line), expected);
    }

    #[test]
    fn the_marks_of_a_chat_are_elements_and_its_names_are_text() {
        check("*Known* at 5", "<b>Known</b> at 5");
        check("1. Look: `a &lt;b&gt; &amp;&amp; c`", "1. Look: <code>a &lt;b&gt; &amp;&amp; c</code>");
        check(
            "<https://a.example/?b=1&amp;c=2|Log lines>",
            "<a rel=\"noreferrer\" href=\"https://a.example/?b=1&amp;c=2\">Log lines</a>",
        );
        check("<javascript:x|y>", "javascript:x|y");
        check("*\u{200b}5 * * * <b", "*5 <b> </b> * &lt;b");
        check("&lt;script&gt;", "&lt;script&gt;");
    }

    #[test]
    fn what_is_no_chat_message_is_not_shown() {
        assert!(shown("{}").is_none() && shown("plain").is_none());
    }
}

//! Words for a shell: whatever a log line holds, pasted it is one word and runs nothing.
//!
//! What is written here is read by people in bash and zsh, often through a second shell inside a container.

use std::borrow::Cow;

/// One word. Names of files, queues and tasks mostly are words already; anything else goes between single quotes,
/// in which a shell reads nothing but their end.
#[must_use]
pub(in crate::domain) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(quoted(text))
    }
}

/// A whole command line as one word: between double quotes, which reads best, where nothing in it means anything
/// there; else between single quotes.
#[must_use]
pub(super) fn command(line: &str) -> String {
    // `!` is history in an interactive bash.
    if line.contains(['$', '`', '\\', '"', '!']) { quoted(line) } else { format!("\"{line}\"") }
}

/// A word that is a file's name, which no program takes for an option.
#[must_use]
pub(super) fn path(text: &str) -> Cow<'_, str> {
    if text.starts_with('-') { Cow::Owned(word(&format!("./{text}")).into_owned()) } else { word(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_word_stays_and_anything_else_is_quoted() {
        assert_eq!(word("storage/logs/queue-20251206.log"), "storage/logs/queue-20251206.log");
        assert_eq!(word("redis:default"), "redis:default");
        assert_eq!(word(""), "''");
        assert_eq!(word("a b$(x)"), "'a b$(x)'");
        assert_eq!(word("~root"), "'~root'");
        assert_eq!(word("it's;reboot"), r"'it'\''s;reboot'");
        assert_eq!(path("-rf"), "./-rf");
    }

    #[test]
    fn a_command_reads_well_where_it_can() {
        assert_eq!(command("tail -n 100 a.log"), r#""tail -n 100 a.log""#);
        assert_eq!(command("sh -c 'ps aux | grep queue:work'"), r#""sh -c 'ps aux | grep queue:work'""#);
        assert_eq!(command("echo 'a b$(x)'"), r"'echo '\''a b$(x)'\'''");
    }
}

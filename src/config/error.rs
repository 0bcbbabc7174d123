//! What is wrong with a configuration, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A value in the file is wrong.
    #[error(transparent)]
    Value(Box<ValueError>),
    /// A flag or an environment variable is wrong.
    #[error("{name}: {detail}")]
    Setting {
        /// `--grace`, `QUEUEWATCH_GRACE`.
        name: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

impl ConfigError {
    pub(super) fn value(place: Place, key: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Value(Box::new(ValueError { path: None, place, key: key.into(), detail: detail.into() }))
    }

    /// The same error, with the name of the file it is in.
    #[must_use]
    pub(super) fn in_file(mut self, file: &Path) -> Self {
        if let Self::Value(error) = &mut self {
            error.path = Some(file.to_path_buf());
        }
        self
    }
}

/// A wrong value, its key and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct ValueError {
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// Where in the text.
    pub place: Place,
    /// The key's path: `stall.grace`, `rule "avatar requested": pattern`. Empty where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub detail: String,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.detail)
    }
}

/// A place in a text; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of a byte offset; past the end it is the end.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self { line: before.matches('\n').count().saturating_add(1), column: column.saturating_add(1) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Turns what the TOML reader said into key, place and detail.
pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let place = Place::of(text, span.start);
    let detail = match text.get(span.clone()) {
        Some(key) if error.message() == "duplicate key" => format!("the key `{}` appears twice", key.trim()),
        Some(_) | None => error.message().replace('\n', ", "),
    };
    let keys = key_path(error);
    let key = match keys.split_once('.') {
        _ if keys.is_empty() => keys,
        Some((table, key)) => {
            element(text, table, span.start).map_or(keys.clone(), |name| format!("{name}: {key}"))
        }
        None => element(text, &keys, span.start).unwrap_or(keys),
    };
    ConfigError::value(place, key, detail)
}

/// The keys down to the error. The reader shows them only in the last line of a message without its text.
fn key_path(error: &toml::de::Error) -> String {
    let mut error = error.clone();
    error.set_input(None);
    let shown = error.to_string();
    let last = shown.trim_end().rsplit('\n').next().unwrap_or_default();
    last.strip_prefix("in `").and_then(|keys| keys.strip_suffix('`')).unwrap_or_default().to_owned()
}

/// `rule "avatar requested"`: which of a `[[table]]`'s elements the offset lies in. Unnamed ones are counted.
fn element(text: &str, table: &str, offset: usize) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Elements {
        rule: Vec<Spanned<Element>>,
        queue: Vec<Spanned<Element>>,
        class: Vec<Spanned<Element>>,
        source: Vec<Spanned<Element>>,
        window: Vec<Spanned<Element>>,
        silence: Vec<Spanned<Element>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Element {
        name: Option<toml::Value>,
    }
    let all: Elements = toml::from_str(text).ok()?;
    let elements = match table {
        "rule" => all.rule,
        "queue" => all.queue,
        "class" => all.class,
        "source" => all.source,
        "window" => all.window,
        "silence" => all.silence,
        _ => return None,
    };
    // The span of an element is its header's, so the last one that starts before the error holds it.
    let count = elements.iter().take_while(|element| element.span().start <= offset).count();
    let found = elements.get(count.checked_sub(1)?)?;
    match &found.get_ref().name {
        Some(toml::Value::String(name)) => Some(format!("{table} \"{name}\"")),
        Some(_) | None => Some(format!("{table} {count}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, offset: usize, line: usize, column: usize) {
        assert_eq!(Place::of(text, offset), Place { line, column });
    }

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        check("", 0, 1, 1);
        check("ab", 1, 1, 2);
        check("ab\ncd", 3, 2, 1);
        check("é = 1\nb = é2", 12, 2, 7);
        check("ab", 99, 1, 3);
    }
}

//! Names, and the app or account that they are within.
//!
//! Two apps may use the same queue's name, class and row numbers. Where one stack watches several, each name carries
//! whose it is, so that nothing of one ever equals something of the other. The scope stands within the name's own text,
//! so that every key, index and store that holds names tells them apart without knowing of apps; it is not printed.

use std::borrow::Cow;

use super::line::LineHash;

/// Bytes that a name keeps. Names become parts of a store's keys, and DynamoDB takes 1,024 bytes of a sort key
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)): one line with a longer
/// name would have its whole delivery refused.
pub(super) const NAME_BYTES_MAX: usize = 255;
/// Bytes that a longer name loses for a hash of the whole name, so that two such names differ, and some to spare.
const NAME_TAIL_BYTES: usize = 55;

/// A name of at most [`NAME_BYTES_MAX`] bytes.
pub(super) fn bounded(text: &str) -> Cow<'_, str> {
    bounded_to(text, NAME_BYTES_MAX)
}

/// A name of at most so many bytes.
pub(super) fn bounded_to(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    let head_bytes = bytes_max.saturating_sub(NAME_TAIL_BYTES);
    let head = text.get(..text.floor_char_boundary(head_bytes)).unwrap_or_default();
    let hash = LineHash::default().with(text.as_bytes()).finish();
    Cow::Owned(format!("{head}~{hash:016x}"))
}

/// Stands before a scope and behind it. No line's name holds it: what is not printable is replaced as lines are read.
const MARK: char = '\u{1f}';
const MARK_TEXT: &str = "\u{1f}";

/// Whether a name may be within a scope, by its first byte.
pub(super) fn begins_scope(name: &[u8]) -> bool {
    name.first() == MARK_TEXT.as_bytes().first()
}

/// The scope of a name and the name as lines print it.
pub(super) fn split(full: &str) -> (Option<&str>, &str) {
    match full.strip_prefix(MARK).and_then(|rest| rest.split_once(MARK)) {
        Some((scope, plain)) => (Some(scope), plain),
        None => (None, full),
    }
}

/// A name within a scope, instead of the one that it was within.
pub(super) fn join<'a>(scope: Option<&str>, full: &'a str) -> Cow<'a, str> {
    let (_, plain) = split(full);
    match scope {
        Some(scope) => Cow::Owned([MARK_TEXT, scope, MARK_TEXT, plain].concat()),
        None => Cow::Borrowed(plain),
    }
}

/// A name, and how its text is kept.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $text:ty) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($text);

        impl $name {
            /// The name as printed on the line.
            #[must_use]
            pub fn as_str(&self) -> &str {
                super::name::split(self.key()).1
            }

            /// The name with its scope: what tells it from the same name of another app.
            #[must_use]
            pub fn key(&self) -> &str {
                self.0.as_ref()
            }

            /// The same, as bytes: of a name that is kept in place nobody needs to look whether they are text.
            pub(in crate::domain) fn key_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// Whose it is, where one stack watches several apps and it is not the stack's own.
            #[must_use]
            pub fn scope(&self) -> Option<&str> {
                if super::name::begins_scope(self.key_bytes()) { super::name::split(self.key()).0 } else { None }
            }

            /// The same name within a scope, or within none.
            #[must_use]
            pub fn within(&self, scope: Option<&str>) -> Self {
                if self.scope() == scope {
                    return self.clone();
                }
                Self(<$text>::from(&*super::name::join(scope, self.key())))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(<$text>::from(&*super::name::bounded(text)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.key(), f)
            }
        }
    };
}

//! Text that is kept where it stands if it is short. A job's names are its own: shared text would be an allocation for each
//! of them, which the name of a class or a queue is not.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes kept in place: a uuid has 36, a Redis driver's id 32; and forty bytes is what the whole takes.
const BYTES_MAX: usize = 38;

/// A text.
#[derive(Clone)]
pub(in crate::domain) struct InPlace(Kept);

#[derive(Clone)]
enum Kept {
    /// So many of these bytes.
    Here(u8, [u8; BYTES_MAX]),
    Apart(Arc<str>),
}

impl InPlace {
    /// Its bytes.
    #[must_use]
    pub(in crate::domain) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Here(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Apart(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for InPlace {
    fn from(text: &str) -> Self {
        let mut bytes = [0; BYTES_MAX];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(length), Some(room)) => {
                room.copy_from_slice(text.as_bytes());
                Self(Kept::Here(length, bytes))
            }
            _ => Self(Kept::Apart(Arc::from(text))),
        }
    }
}

impl AsRef<str> for InPlace {
    fn as_ref(&self) -> &str {
        match &self.0 {
            // It was text when it was put here.
            Kept::Here(..) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Kept::Apart(text) => text,
        }
    }
}

impl PartialEq for InPlace {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for InPlace {}

impl PartialOrd for InPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for InPlace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl fmt::Debug for InPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_ref(), f)
    }
}

impl Serialize for InPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_ref())
    }
}

impl<'de> Deserialize<'de> for InPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Cow<'de, str> = Deserialize::deserialize(deserializer)?;
        Ok(Self::from(&*text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_in_place_and_apart() {
        let texts = [
            "",
            "7",
            "00000000-0000-4000-8000-000000000001",
            "é",
            &"é".repeat(19),
            &"é".repeat(20),
            &"x".repeat(99),
        ];
        for text in texts {
            let kept = InPlace::from(text);
            assert_eq!((kept.as_ref(), format!("{kept:?}")), (text, format!("{text:?}")));
            let json = serde_json::to_string(&kept).unwrap();
            assert_eq!(json, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<InPlace>(&json).unwrap(), kept);
            for other in texts {
                assert_eq!(kept.cmp(&InPlace::from(other)), text.cmp(other), "{text} {other}");
            }
        }
        assert_eq!(size_of::<InPlace>(), 40);
    }
}

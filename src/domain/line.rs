//! One line's identity: its key, which is a hash that outlives the process, and its stamp.

use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A line's identity, hashed from (log group, log stream, event id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineKey(pub u64);

/// A line's identity and stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStamp {
    /// Which line.
    pub key: LineKey,
    /// CloudWatch's stamp.
    pub at: Timestamp,
}

/// A set of line keys. They are hashes already, so they are not hashed again.
#[expect(
    clippy::disallowed_types,
    reason = "membership only, never iterated; one entry a log line, so a tree's depth would be felt"
)]
pub type KeySet = std::collections::HashSet<u64, BuildHasherDefault<KeyHasher>>;

/// Takes a key for its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = LineHash(self.0).with(bytes).finish();
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A hash that stays the same across builds and machines: line keys outlive the process on AWS.
///
/// Eight bytes a step: an event id has 56 digits, and every log line has one. Each step is a multiplication by
/// an odd constant (2⁶⁴ ÷ the golden ratio), which loses nothing; the end mixes high bits into low ones.
/// It is no defence against somebody who forges ids: who can do that can forge lines.
#[derive(Clone, Copy, Debug)]
pub struct LineHash(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for LineHash {
    fn default() -> Self {
        Self(STEP)
    }
}

impl LineHash {
    /// Takes in `bytes` and how many they are.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.step(u64::from_le_bytes(*word));
        }
        let mut last = [0_u8; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.step(u64::from_le_bytes(last));
        self.step(bytes.len() as u64);
        self
    }

    /// Takes in a hash.
    #[must_use]
    pub const fn with_key(mut self, key: LineKey) -> Self {
        self.step(key.0);
        self
    }

    const fn step(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(STEP);
    }

    /// The hash.
    #[must_use]
    pub const fn finish(self) -> u64 {
        let mixed = (self.0 ^ self.0.wrapping_shr(32)).wrapping_mul(STEP);
        mixed ^ mixed.wrapping_shr(29)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_that_differ_in_one_digit_differ() {
        let digits = "39312634891263489126348912634891263489126348912634891263";
        let mut hashes = BTreeSet::new();
        for place in 0..digits.len() {
            for digit in '0'..='9' {
                let mut id: Vec<char> = digits.chars().collect();
                id[place] = digit;
                let id: String = id.into_iter().collect();
                hashes.insert(LineHash::default().with(id.as_bytes()).finish());
            }
        }
        assert_eq!(hashes.len(), 56 * 9 + 1);
        assert_eq!(
            LineHash::default().with(b"a").finish(),
            10_272_761_470_502_686_877,
            "keys outlive builds"
        );
    }

    #[test]
    fn neighbouring_names_do_not_run_into_each_other() {
        assert_ne!(
            LineHash::default().with(b"ab").with(b"c").finish(),
            LineHash::default().with(b"a").with(b"bc").finish()
        );
    }
}

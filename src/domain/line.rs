//! One line's identity: its key, which is a hash that outlives the process, and its stamp.

use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use super::job::{LineKey, Timestamp};

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

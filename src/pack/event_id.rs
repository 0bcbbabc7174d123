//! Event ids for lines that have none: the same for the same line, however it is packed.
//!
//! **Invariant:** an id depends on nothing but group, stream, time, content and ordinal. Batches do not show in
//! it, so that packing again, or otherwise, is a redelivery and not news.

use std::collections::BTreeMap;

use crate::domain::job::Timestamp;

/// Digits of CloudWatch's own event ids.
pub const EVENT_ID_DIGITS: usize = 56;

/// The largest time that fits the id's 14 leading digits.
const ID_MS_MAX: i64 = 99_999_999_999_999;

/// Hands out the event ids of one log group, counting lines that are alike.
#[derive(Clone, Debug)]
pub struct EventIds<'a> {
    log_group: &'a str,
    /// How many lines of this hash were seen: same stream, time and content.
    seen: BTreeMap<(Timestamp, u128), u64>,
}

impl<'a> EventIds<'a> {
    /// Starts counting for one log group.
    #[must_use]
    pub const fn new(log_group: &'a str) -> Self {
        Self { log_group, seen: BTreeMap::new() }
    }

    /// The id of the next line of this stream, time and content.
    pub fn next(&mut self, log_stream: &str, at: Timestamp, message: &str) -> String {
        let line =
            Fnv::new().text(self.log_group).text(log_stream).bytes(&at.as_ms().to_le_bytes()).text(message);
        let ordinal = self.seen.entry((at, line.0)).or_default();
        let hash = line.bytes(&ordinal.to_le_bytes()).0;
        *ordinal = ordinal.saturating_add(1);
        // As CloudWatch's own, ids sort by time; 39 digits hold any u128.
        format!("{:014}{hash:042}", at.as_ms().clamp(0, ID_MS_MAX))
    }
}

/// FNV-1a in 128 bits: ids only have to be spread, and the same on every machine and in every release, which
/// the standard library's hasher does not promise.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
#[derive(Clone, Copy)]
struct Fnv(u128);

impl Fnv {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(Self::PRIME)))
    }

    /// With its length, so that `ab` + `c` is not `a` + `bc`.
    fn text(self, text: &str) -> Self {
        self.bytes(&(text.len() as u64).to_le_bytes()).bytes(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(log_group: &str, log_stream: &str, at_ms: i64, message: &str) -> String {
        EventIds::new(log_group).next(log_stream, Timestamp::from_ms(at_ms), message)
    }

    #[track_caller]
    fn check_differ(a: String, b: String) {
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (EVENT_ID_DIGITS, EVENT_ID_DIGITS));
        assert!(a.bytes().chain(b.bytes()).all(|byte| byte.is_ascii_digit()), "{a} {b}");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The test vectors of the FNV draft, appendix C.
        assert_eq!(Fnv::new().bytes(b"").0, 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(Fnv::new().bytes(b"a").0, 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn every_part_of_a_line_shows_in_its_id() {
        check_differ(id("g", "s", 5, "m"), id("h", "s", 5, "m"));
        check_differ(id("g", "s", 5, "m"), id("g", "t", 5, "m"));
        check_differ(id("g", "s", 5, "m"), id("g", "s", 6, "m"));
        check_differ(id("g", "s", 5, "m"), id("g", "s", 5, "n"));
        check_differ(id("ab", "c", 5, "m"), id("a", "bc", 5, "m"));
        check_differ(id("g", "s", i64::MIN, ""), id("g", "s", i64::MAX, ""));
        assert_eq!(id("g", "s", 5, "m"), id("g", "s", 5, "m"));
    }

    #[test]
    fn lines_that_are_alike_are_counted() {
        let mut ids = EventIds::new("g");
        let at = Timestamp::from_ms(5);
        let (first, second) = (ids.next("s", at, "m"), ids.next("s", at, "m"));
        assert_eq!(first, id("g", "s", 5, "m"));
        check_differ(first.clone(), second);
        ids.next("s", at, "other");
        check_differ(first, ids.next("s", at, "m"));
    }

    #[test]
    fn ids_sort_by_time() {
        assert!(id("g", "s", 999, "z") < id("g", "s", 1_000, "a"));
        assert!(id("g", "s", 1_765_024_270_000, "z") < id("g", "s", 1_765_024_270_001, "a"));
    }
}

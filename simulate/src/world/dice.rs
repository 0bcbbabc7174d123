//! Chance that repeats itself: the same seed rolls the same, on every machine and in every version.
//!
//! SplitMix64 (Steele, Lea and Flood 2014), written here because a library may change its mind about its stream.

/// A stream of chance.
#[derive(Clone, Debug)]
pub struct Dice(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const ALNUM: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Dice {
    /// Dice of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(GOLDEN))
    }

    /// Dice of their own for one purpose: what one of them rolls does not move the other.
    #[must_use]
    pub fn fork(&self, purpose: &str) -> Self {
        let mut other = Self(self.0);
        for byte in purpose.bytes() {
            other.0 = (other.0 ^ u64::from(byte)).wrapping_mul(GOLDEN).rotate_left(23);
        }
        other.next();
        other
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` up to `to`, which never comes.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = to.abs_diff(from).max(1);
        from + i64::try_from(self.next() % width).unwrap_or(0)
    }

    /// A fraction of 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this share happens.
    pub fn chance(&mut self, share: f64) -> bool {
        self.fraction() < share
    }

    /// How long until the next of events that come by chance, or how long a thing takes whose length has no memory.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of a day")]
    pub fn exponential(&mut self, mean_ms: i64) -> i64 {
        let fraction = 1.0 - self.fraction();
        (-fraction.ln() * mean_ms as f64) as i64
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = self.next() % u64::try_from(of.len()).unwrap_or(u64::MAX).max(1);
        of.get(usize::try_from(at).unwrap_or(0))
    }

    fn text(&mut self, letters: &[u8], length: usize) -> String {
        (0..length).filter_map(|_| self.pick(letters).map(|byte| char::from(*byte))).collect()
    }

    /// An id as Laravel's Redis queue makes them: 32 letters and digits.
    pub fn job_id(&mut self) -> String {
        self.text(ALNUM, 32)
    }

    /// A random UUID.
    pub fn uuid(&mut self) -> String {
        let hex = self.text(HEX, 30);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// A task's id, as in the names of ECS log streams.
    pub fn task_id(&mut self) -> String {
        self.text(HEX, 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_rolls_the_same() {
        let mut dice = Dice::new(7).fork("x");
        let rolled: Vec<i64> = (0..5).map(|_| dice.between(0, 1_000)).collect();
        let mut again = Dice::new(7).fork("x");
        assert_eq!(rolled, (0..5).map(|_| again.between(0, 1_000)).collect::<Vec<_>>());
        let mut other = Dice::new(7).fork("y");
        assert_ne!(rolled, (0..5).map(|_| other.between(0, 1_000)).collect::<Vec<_>>());
        assert_eq!(Dice::new(1).job_id(), "uX4ZOFYzcnOJ7zpteiErBIA1fOeoWR9W", "days outlive versions");
    }

    #[test]
    fn numbers_fill_their_range_and_stay_in_it() {
        let mut dice = Dice::new(3);
        let mut seen = [0; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(dice.between(0, 10)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
    }

    #[test]
    fn waits_have_their_mean() {
        let mut dice = Dice::new(4);
        let sum: i64 = (0..20_000).map(|_| dice.exponential(60_000)).sum();
        assert!((58_000..62_000).contains(&(sum / 20_000)), "{}", sum / 20_000);
    }

    #[test]
    fn ids_look_like_ids() {
        let mut dice = Dice::new(5);
        assert_eq!(dice.job_id().len(), 32);
        let uuid = dice.uuid();
        assert_eq!((uuid.len(), uuid.get(14..15), uuid.get(8..9)), (36, Some("4"), Some("-")), "{uuid}");
        assert_eq!(dice.task_id().len(), 32);
    }
}

//! When the next decision may fall.

use crate::domain::job::Timestamp;

/// The earliest moment at which, with nothing new delivered, a decision may change.
///
/// A clock that jumps over quiet time asks it where to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wake(Option<Timestamp>);

impl Wake {
    /// Notes a moment, if it is still to come.
    pub fn at(&mut self, moment: Timestamp, now: Timestamp) {
        if moment > now {
            self.0 = Some(self.0.map_or(moment, |earliest| earliest.min(moment)));
        }
    }

    /// Notes what another has noted.
    pub fn or(&mut self, other: Self) {
        self.0 = [self.0, other.0].into_iter().flatten().min();
    }

    /// The earliest moment noted.
    #[must_use]
    pub const fn earliest(self) -> Option<Timestamp> {
        self.0
    }
}

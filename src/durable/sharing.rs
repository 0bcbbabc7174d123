//! Who else holds the table: other processes, whose sweeps must be kept out and whose deliveries may come twice, or
//! nobody.

use crate::domain::job::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// Who else holds the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TableSharing {
    /// Other processes may.
    #[default]
    Shared,
    /// This process alone, as a lock says. The table is on its machine, perhaps in its memory, so that what no line
    /// will ask for again is soon forgotten.
    Alone,
}

impl TableSharing {
    /// How long a sweep may keep others out: the function's timeout of 50 s, and 5 s for clocks that differ. Alone,
    /// a lease would keep out nobody but the successor of a process that died.
    pub(super) const fn lease_ms(self) -> Option<i64> {
        match self {
            Self::Shared => Some(55 * SECOND_MS),
            Self::Alone => None,
        }
    }

    /// How long a delivery is kept, so that its lines are known when they come again. Where one process reads and
    /// remembers how far it came, only the last one can, right after a crash.
    pub(super) const fn delivery_kept_ms(self) -> i64 {
        match self {
            Self::Shared => 3 * DAY_MS,
            Self::Alone => 15 * MINUTE_MS,
        }
    }

    /// How long a settled job is kept after the last thing that is known of it. Lines that come late are what
    /// it is kept for: up to 14 days on AWS; the ledger's own lateness horizon of 2 hours, and one for a retry, alone.
    pub(super) const fn settled_job_kept_ms(self) -> i64 {
        match self {
            Self::Shared => 14 * DAY_MS,
            Self::Alone => 3 * HOUR_MS,
        }
    }
}

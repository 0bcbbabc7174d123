//! What a sweep decided, as data.

use std::collections::BTreeSet;

use crate::domain::incidents::cases::Collected;
use crate::domain::incidents::{Incident, NotificationState};
use crate::domain::job::Timestamp;
use crate::domain::ledger::counting::JobIx;
use crate::domain::metric::Datum;
use crate::domain::model::silence::Silence;
use crate::domain::model::wake::Wake;
use crate::domain::watching::Watching;

/// When a sweep happens, and how far its input reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The sweep's moment.
    pub now: Timestamp,
    /// The last delivery of a replay; `None` where there is no end.
    pub last_delivery: Option<Timestamp>,
}

/// What a sweep decided.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Incidents that are new or changed.
    pub incidents: Vec<Incident>,
    /// What to say, of which incident (by its id), in this order.
    pub announcements: Vec<(String, NotificationState)>,
    /// Gauges at now.
    pub gauges: Vec<Datum>,
    /// Jobs found overtaken, and since when.
    pub overtaken: Vec<(JobIx, Timestamp)>,
    /// Jobs nobody can tell of any more.
    pub unknown: Vec<JobIx>,
    /// Jobs that were consumed where nobody could see it, as far as is known now: lines that come late may still tell of
    /// them.
    pub hidden: BTreeSet<JobIx>,
    /// The oldest jobs of every incident that is to be opened or has grown: what a store that answers from an index
    /// looks at once more before anybody is told.
    pub to_verify: Vec<JobIx>,
    /// Silences that somebody asked for.
    pub silences: Vec<Silence>,
    /// What to tell those who have just begun to watch.
    pub greeting: Option<Watching>,
    /// Jobs overdue now.
    pub overdue_count: u64,
    /// Whether nothing waits, runs or is open.
    pub is_quiet: bool,
    /// When, without new deliveries, the next decision may fall.
    pub wake: Wake,
}

impl Plan {
    /// What has been collected, before the rest is known.
    pub(super) fn of(collected: Collected) -> Self {
        Self {
            incidents: collected.incidents,
            announcements: collected.announcements,
            overtaken: collected.overtaken,
            unknown: collected.unknown,
            hidden: collected.hidden,
            to_verify: collected.to_verify,
            wake: collected.wake,
            ..Self::default()
        }
    }
}

//! What is known a quarter of an hour after the first delivery: what the greeting tells.

use std::collections::BTreeSet;

use super::blind_spots::BlindSpot;
use super::job::{MINUTE_MS, Timestamp};

/// The greeting's incident id, which is none's.
pub const NOW_WATCHING: &str = "now-watching";
/// How long after the first delivery the greeting goes out.
pub const GREETING_AFTER_MS: i64 = 15 * MINUTE_MS;

/// What has been seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watching {
    /// The app.
    pub app: String,
    /// When the first delivery arrived.
    pub since: Timestamp,
    /// Distinct lines read.
    pub lines_read: u64,
    /// Lines that told something.
    pub lines_classified: u64,
    /// Queues seen, as `connection:queue`.
    pub queues: BTreeSet<String>,
    /// What lines say of the job they are about.
    pub carried: Carried,
    /// What these logs cannot show.
    pub blind_spots: Vec<BlindSpot>,
    /// How long a ready job may wait, where neither its class nor its queue says.
    pub grace_ms: i64,
}

/// What worker lines say of the job they are about; the best seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carried {
    /// No worker line was seen.
    #[default]
    Unseen,
    /// A class, and nothing that tells one job of it from another.
    Neither,
    /// The driver's id.
    Id,
    /// The payload's uuid.
    Uuid,
}

//! Holds what was found of a day against what was there.
//!
//! [`ours`] replays the day's deliveries through queuewatch and reads its report; [`plain`] plays its lines to plain
//! CloudWatch alarms. Both give [`Finding`]s, which [`mod@verdict`] compares with the truth. [`table`] sums days up,
//! [`mod@print`] shows the sums, and [`goals`] says which are not good enough.

pub mod goals;
pub mod ours;
pub mod plain;
pub mod print;
pub mod table;
pub mod verdict;

/// Something that somebody was told of, and when.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// What it is called; what has no kind may be anything.
    pub name: String,
    /// The kind of incident; plain alarms have none.
    pub kind: Option<String>,
    /// The queues it is about; none is all.
    pub queues: Vec<String>,
    /// Whether it wakes somebody.
    pub is_page: bool,
    /// When somebody was told that it is there; news of it after it was said to be over tells that, too.
    pub fired_ms: Vec<i64>,
    /// When somebody was told that it is over.
    pub resolved_ms: Vec<i64>,
    /// How many messages it sent in all: reminders, updates and recoveries, too.
    pub messages: usize,
    /// The cause that was named first.
    pub cause: Option<String>,
    /// Every cause that was named.
    pub named: Vec<String>,
}

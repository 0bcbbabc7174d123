//! What plain CloudWatch alarms would have said of the same lines, to be read beside our incidents.
//!
//! It only has the form: whoever evaluated the alarms fills it in.

use serde::Serialize;

use super::Moment;

/// Every alarm there would have been.
#[derive(Clone, Debug, Serialize)]
pub struct Versus {
    /// Whose alarms.
    pub by: &'static str,
    /// Each of them.
    pub alarms: Vec<AlarmRow>,
}

/// An alarm, or some that count as one.
#[derive(Clone, Debug, Serialize)]
pub struct AlarmRow {
    /// A short name.
    pub name: String,
    /// What it rings for.
    pub what: &'static str,
    /// What it looks at, as metric math; one for each alarm it is made of.
    pub looks_at: Vec<String>,
    /// When it rang.
    pub spells: Vec<SpellRow>,
}

/// A stretch of time in ALARM.
#[derive(Clone, Debug, Serialize)]
pub struct SpellRow {
    /// When it went to ALARM.
    pub alarm_at: Moment,
    /// When it went back; null where it never did.
    pub ok_at: Option<Moment>,
}

//! The days there are.

mod broken;
mod clocks;
mod habits;
mod healthy;
mod partial;
mod rhythms;
mod stalled;

use serde::Serialize;

use super::dice::Dice;
use super::plan::{Lane, Plan, Traffic, redis};
use super::span::{DAY, Span};

/// What kind of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Nobody should be woken.
    Healthy,
    /// Jobs wait and nobody starts them, or so it looks.
    Stalled,
    /// Jobs start, or cannot even be enqueued, and something is wrong.
    Broken,
}

/// A day by name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its kind.
    pub group: Group,
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// The day, as chance has it.
    pub plan: fn(&mut Dice) -> Plan,
}

/// Every day, the healthy ones first.
#[must_use]
pub fn all() -> Vec<Scenario> {
    [
        healthy::SCENARIOS,
        stalled::SCENARIOS,
        broken::SCENARIOS,
        clocks::SCENARIOS,
        rhythms::SCENARIOS,
        habits::SCENARIOS,
        partial::SCENARIOS,
    ]
    .concat()
}

/// The day of this name.
#[must_use]
pub fn find(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// When most faults are there.
const FAULT: Span = Span::clock((10, 0), (12, 0));

const DEFAULT: Lane = redis("default");

/// The classes of the default queue.
const CLASSES: &[&str] = &["SendWelcomeEmail", "ProcessPodcast", "GenerateInvoicePdf"];

const PER_MINUTE: f64 = 60.0;

/// Jobs of a second or so on the default queue, so many an hour, all day.
fn steady(per_hour: f64) -> Traffic {
    Traffic::new(DEFAULT, CLASSES, vec![(DAY, per_hour)])
}

/// A job a minute from nine to six.
fn office() -> Traffic {
    Traffic::new(DEFAULT, CLASSES, vec![(Span::clock((9, 0), (18, 0)), PER_MINUTE)])
}

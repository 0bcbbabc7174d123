//! A seeded day of an app and its queue workers: what happened, what was logged of it, and how that was delivered.
//!
//! [`scenarios`] name the days. A [`plan::Plan`] is what befalls one: traffic, workers, weather. [`run`] lets it happen,
//! [`say`] puts it into the lines of a Laravel version, [`deliver`] brings them late, twice and in lumps; [`fault`]
//! and [`due`] tell what should be found, and by when.
//!
//! **Invariant:** a scenario, a seed and a [`Setting`] give the same [`Day`], to the byte; and nothing here knows
//! the code that will be judged by it.

pub mod asides;
pub mod deliver;
pub mod dice;
pub mod due;
pub mod fault;
mod forms;
pub mod history;
pub mod plan;
pub mod run;
pub mod say;
pub mod scenarios;
pub mod span;
pub mod style;
mod traces;

use deliver::Delivery;
use dice::Dice;
use fault::Fault;
use history::History;
use say::{APP_GROUP, Line, WORKER_GROUP};
use scenarios::Scenario;
use style::{Chaos, Layout, Style};

/// How a day is logged and delivered: the same day can be seen in many ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// What worker lines look like.
    pub style: Style,
    /// Where they are written.
    pub layout: Layout,
    /// What befalls them on the way.
    pub chaos: Chaos,
}

/// A day: what happened, and what can be seen of it.
#[derive(Clone, Debug)]
pub struct Day {
    /// What happened.
    pub history: History,
    /// Every line that CloudWatch took in, by time.
    pub lines: Vec<Line>,
    /// How a subscription delivered them, by arrival.
    pub deliveries: Vec<Delivery>,
    /// What should be found.
    pub faults: Vec<Fault>,
    /// What an operator who knows this app configured, as TOML.
    pub config: String,
    /// How long a ready job may wait, in milliseconds, by that configuration.
    pub grace_ms: i64,
    /// The log group that workers write to, though nothing there may ever say so.
    pub worker_group: &'static str,
}

impl Day {
    /// Makes the day of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64, setting: Setting) -> Self {
        let dice = Dice::new(seed).fork(scenario.name);
        // What happens does not hang on how it is logged: each step has dice of its own.
        let plan = (scenario.plan)(&mut dice.fork("plan"));
        let history = run::run(&plan, &dice);
        let mut lines = say::say(&plan, &history, setting.style, setting.layout, setting.chaos, &dice);
        let deliveries = deliver::deliver(&mut lines, setting.chaos, &dice);
        Self {
            history,
            lines,
            deliveries,
            faults: plan.faults,
            config: plan.config,
            grace_ms: plan.grace_ms,
            worker_group: match setting.layout {
                Layout::Separate => WORKER_GROUP,
                Layout::Shared => APP_GROUP,
            },
        }
    }
}

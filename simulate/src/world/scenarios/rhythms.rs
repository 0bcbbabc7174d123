//! Days with a rhythm: workers that come by cron, and workers that come and go.

use super::{DEFAULT, FAULT, Group, PER_MINUTE, Scenario, steady};
use crate::world::dice::Dice;
use crate::world::fault::{Due, Fault};
use crate::world::plan::{Plan, Weather, Who};
use crate::world::span::{DAY, HOUR, MINUTE, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { group: Group::Healthy, name: "cron", title: "workers by cron every 10 minutes", plan: cron },
    Scenario {
        group: Group::Healthy,
        name: "cron-sparse",
        title: "the same, 4 jobs an hour",
        plan: cron_sparse,
    },
    Scenario {
        group: Group::Stalled,
        name: "cron-dead",
        title: "the same, cron is off for 2 hours",
        plan: cron_dead,
    },
    Scenario {
        group: Group::Stalled,
        name: "flapping",
        title: "worker dies every quarter of an hour, back after 8 minutes",
        plan: flapping,
    },
];

const ON_DEFAULT: &[&str] = &[DEFAULT.queue];

/// How long it may take to learn a rhythm, and what may be said until then.
fn learning(plan: Plan, until_ms: i64) -> Plan {
    let learning = Span { to_ms: until_ms - HOUR, ..DAY };
    plan.with(Fault::harmless(learning, ON_DEFAULT, &["stalled", "backlog"]))
}

fn every_ten_minutes(per_hour: f64) -> Plan {
    Plan { comes_every_ms: Some(10 * MINUTE), ..Plan::of(vec![steady(per_hour)], 1) }
}

fn cron(_: &mut Dice) -> Plan {
    learning(every_ten_minutes(20.0), clock(1, 30))
}

fn cron_sparse(_: &mut Dice) -> Plan {
    learning(every_ten_minutes(4.0), clock(4, 0))
}

fn cron_dead(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]).found_by(&["stalled"], Due::Unnamed);
    let plan = learning(every_ten_minutes(20.0), clock(1, 30));
    plan.under(FAULT, Weather::Gone(Who::All)).with(fault)
}

fn flapping(_: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    for quarter in 0..12 {
        let dies = Span::lasting(clock(10, 15 * quarter), 8 * MINUTE);
        plan = plan.under(dies, Weather::Gone(Who::All));
    }
    let span = Span::clock((10, 0), (13, 0));
    let fault = Fault::stall(span, ON_DEFAULT, &["worker_silent"]).found_by(&["stalled"], Due::Unnamed);
    plan.with(fault.flapping().may(&["stuck_running", "lost", "blind", "backlog", "failing"]))
}

//! Days on which the clocks of worker hosts are off by up to a minute.

use super::{FAULT, Group, PER_MINUTE, Scenario, steady};
use crate::world::dice::Dice;
use crate::world::fault::Fault;
use crate::world::plan::{Plan, Weather, Who};
use crate::world::span::SECOND;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: Group::Healthy,
        name: "clocks",
        title: "workers' clocks off by up to a minute",
        plan: minutely,
    },
    Scenario {
        group: Group::Healthy,
        name: "clocks-sparse",
        title: "the same, 2 jobs an hour",
        plan: sparse,
    },
    Scenario { group: Group::Stalled, name: "clocks-dead", title: "the same, worker dead", plan: dead },
];

/// How far a clock may be off.
const OFF_MS: i64 = 60 * SECOND;

fn off(dice: &mut Dice, mut plan: Plan) -> Plan {
    // A line that its host stamps with the day before is of no day here.
    for (span, _) in plan.traffic.iter_mut().flat_map(|traffic| &mut traffic.rates) {
        span.from_ms += OFF_MS;
    }
    Plan { worker_clock_ms: dice.between(-OFF_MS, OFF_MS), ..plan }
}

fn minutely(dice: &mut Dice) -> Plan {
    off(dice, Plan::of(vec![steady(PER_MINUTE)], 2))
}

fn sparse(dice: &mut Dice) -> Plan {
    off(dice, Plan::of(vec![steady(2.0)], 2))
}

fn dead(dice: &mut Dice) -> Plan {
    let rate = if dice.chance(0.5) { PER_MINUTE } else { 4.0 };
    let plan = off(dice, Plan::of(vec![steady(rate)], 2));
    plan.under(FAULT, Weather::Gone(Who::All)).with(Fault::stall(FAULT, &["default"], &["worker_silent"]))
}

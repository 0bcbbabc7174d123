//! Days on which nobody should be woken.

use super::{CLASSES, DEFAULT, Group, PER_MINUTE, Scenario, office, steady};
use crate::world::dice::Dice;
use crate::world::fault::{Due, Fault};
use crate::world::plan::{Plan, Single, Traffic, Weather, Worker, all_day, redis};
use crate::world::span::{MINUTE, SECOND, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { group: Group::Healthy, name: "busy", title: "healthy, 6 jobs a minute", plan: busy },
    Scenario { group: Group::Healthy, name: "sparse", title: "healthy, 2 jobs an hour", plan: sparse },
    Scenario {
        group: Group::Healthy,
        name: "office-hours",
        title: "healthy, a job a minute from 9 to 18",
        plan: office_hours,
    },
    Scenario { group: Group::Healthy, name: "deploys", title: "6 deploys of 90 seconds", plan: deploys },
    Scenario {
        group: Group::Healthy,
        name: "delays",
        title: "a tenth delayed by half an hour",
        plan: delays,
    },
    Scenario {
        group: Group::Healthy,
        name: "unlogged-delays",
        title: "the same, and no line tells the delay",
        plan: unlogged_delays,
    },
    Scenario {
        group: Group::Healthy,
        name: "retries",
        title: "a fifth of all attempts throws",
        plan: retries,
    },
    Scenario {
        group: Group::Healthy,
        name: "burst",
        title: "2,000 jobs at once, drained in time",
        plan: burst,
    },
    Scenario {
        group: Group::Healthy,
        name: "long-job",
        title: "a job of 20 minutes, configured, blocks one queue's only worker",
        plan: long_job,
    },
];

fn busy(_: &mut Dice) -> Plan {
    Plan::of(vec![steady(6.0 * PER_MINUTE)], 2)
}

fn sparse(_: &mut Dice) -> Plan {
    Plan::of(vec![steady(2.0)], 1)
}

fn office_hours(_: &mut Dice) -> Plan {
    Plan::of(vec![office()], 1)
}

fn deploys(dice: &mut Dice) -> Plan {
    let mut plan = busy(dice);
    for part in 0..6 {
        let at = clock(4 * part, 0) + dice.between(10 * MINUTE, 200 * MINUTE);
        plan = plan.under(Span::lasting(at, 90 * SECOND), Weather::Deployed);
    }
    plan
}

fn delays(_: &mut Dice) -> Plan {
    let delayed = Some((0.1, 30 * MINUTE));
    Plan::of(vec![Traffic { delayed, ..steady(PER_MINUTE) }], 1)
}

fn unlogged_delays(dice: &mut Dice) -> Plan {
    Plan { logs_delays: false, ..delays(dice) }
}

fn retries(_: &mut Dice) -> Plan {
    let traffic = Traffic { throws: 0.2, ..steady(PER_MINUTE) };
    Plan { backoff_ms: 30 * SECOND, ..Plan::of(vec![traffic], 1) }
}

fn burst(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 2);
    for _ in 0..2_000 {
        plan.singles.push(Single {
            at_ms: clock(10, 0) + dice.between(0, MINUTE),
            lane: DEFAULT,
            class: dice.pick(CLASSES).copied().unwrap_or_default(),
            run_ms: dice.exponential(SECOND).max(5),
        });
    }
    let while_it_drains = Span::lasting(clock(10, 0), 60 * MINUTE);
    plan.with(Fault::harmless(while_it_drains, &["default"], &["backlog"]))
}

fn long_job(_: &mut Dice) -> Plan {
    let reports = redis("reports");
    let traffic = vec![steady(2.0 * PER_MINUTE), Traffic::new(reports, &["WeeklyReport"], all_day(6.0))];
    let mut plan = Plan::of(traffic, 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![reports] }];
    plan.singles =
        vec![Single { at_ms: clock(10, 0), lane: reports, class: "YearlyReport", run_ms: 20 * MINUTE }];
    // The worker's --timeout is higher than its longest job, and so is what Redis waits.
    plan.retry_after_ms = 60 * MINUTE;
    plan.config = "[[class]]\nname = 'App\\Jobs\\YearlyReport'\njob_timeout = \"30m\"\n".to_owned();
    // Nobody is woken; that others wait behind it is worth a line.
    let blocked = Span::lasting(clock(10, 0), 20 * MINUTE);
    let fault = Fault::stall(blocked, &["reports"], &["behind_long_job"]).decided("behind_long_job").warned();
    plan.with(fault.found_by(&["backlog"], Due::Backlog).may(&[]))
}

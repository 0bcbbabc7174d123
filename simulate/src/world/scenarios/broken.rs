//! Days on which jobs start, or cannot even be enqueued, and something is wrong all the same.

use super::{DEFAULT, FAULT, Group, PER_MINUTE, Scenario, steady};
use crate::world::dice::Dice;
use crate::world::fault::{Due, Fault};
use crate::world::plan::{HANGS, Plan, Single, Traffic, Weather, Who, Worker, all_day, redis};
use crate::world::span::{DAY, HOUR, MINUTE, SECOND, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { group: Group::Broken, name: "failing", title: "every job fails at once", plan: failing },
    Scenario {
        group: Group::Broken,
        name: "crash-loop",
        title: "the worker is killed in every job",
        plan: crash_loop,
    },
    Scenario {
        group: Group::Broken,
        name: "enqueue-errors",
        title: "Redis down: enqueues are refused",
        plan: enqueue_errors,
    },
    Scenario {
        group: Group::Broken,
        name: "slow-backlog",
        title: "jobs come faster than they are done",
        plan: slow_backlog,
    },
    Scenario {
        group: Group::Broken,
        name: "stuck-running",
        title: "one job hangs, others go on",
        plan: stuck_running,
    },
    Scenario {
        group: Group::Broken,
        name: "times-out",
        title: "a queue's every job runs into its timeout",
        plan: times_out,
    },
    Scenario {
        group: Group::Broken,
        name: "failover",
        title: "Redis is replaced and loses 40 jobs",
        plan: failover,
    },
    Scenario { group: Group::Broken, name: "logs-gone", title: "nothing at all is logged", plan: logs_gone },
    Scenario {
        group: Group::Broken,
        name: "no-enqueue-lines",
        title: "the app does not log its enqueues",
        plan: no_enqueue_lines,
    },
];

const ON_DEFAULT: &[&str] = &["default"];

fn failing(dice: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["failing_fast"]).decided("failing_fast");
    let fault = fault.found_by(&["failing"], Due::Failures).may(&[]);
    let plan = Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::Throws).with(fault);
    Plan { tries: if dice.chance(0.5) { 1 } else { 3 }, ..plan }
}

fn crash_loop(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["crash_loop"]).decided("crash_loop");
    let fault =
        fault.found_by(&["failing", "stalled"], Due::Unnamed).may(&["stuck_running", "backlog", "lost"]);
    Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::Killed).with(fault)
}

fn enqueue_errors(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["enqueue_errors"]).decided("enqueue_errors");
    let fault =
        fault.found_by(&["enqueue_errors"], Due::Refusals).may(&["stalled", "stuck_running", "blind"]);
    let plan = Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::CannotPush);
    plan.under(FAULT, Weather::CannotFetch).with(fault)
}

fn slow_backlog(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["slow_backlog"]).decided("slow_backlog").warned();
    let fault = fault.found_by(&["backlog"], Due::Backlog).may(&[]);
    // Six come a minute, and four are done.
    Plan::of(vec![steady(6.0 * PER_MINUTE)], 1)
        .under(FAULT, Weather::Slow("default", 15 * SECOND))
        .with(fault)
}

fn stuck_running(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["job_timeout"]).decided("job_timeout").warned();
    let fault = fault.found_by(&["stuck_running"], Due::Timeout).may(&[]);
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 2).with(fault);
    plan.singles = vec![Single { at_ms: clock(10, 0), lane: DEFAULT, class: "ImportCatalog", run_ms: HANGS }];
    plan.retry_after_ms = 4 * HOUR;
    // Somebody restarts the workers at noon.
    plan.under(Span::lasting(FAULT.to_ms, 30 * SECOND), Weather::Gone(Who::All))
}

fn times_out(_: &mut Dice) -> Plan {
    let reports = redis("reports");
    let traffic = vec![steady(PER_MINUTE), Traffic::new(reports, &["WeeklyReport"], all_day(12.0))];
    let mut plan = Plan::of(traffic, 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![reports] }];
    let fault = Fault::stall(FAULT, &["reports"], &["crash_loop"]).decided("crash_loop");
    let fault = fault.found_by(&["failing", "stalled", "stuck_running"], Due::Unnamed);
    let fault = fault.may(&["stuck_running", "backlog", "lost", "failing", "stalled"]);
    plan.under(FAULT, Weather::TimesOut("reports")).with(fault)
}

/// What came within a minute is gone; what comes later is done as ever.
fn failover(dice: &mut Dice) -> Plan {
    let gone = Span::lasting(clock(10, 0), MINUTE);
    let fault = Fault::stall(Span { to_ms: DAY.to_ms, ..gone }, ON_DEFAULT, &[]).warned();
    let fault = fault.found_by(&["lost"], Due::Unnamed).may(&["blind"]);
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 2).under(gone, Weather::Swallowed).with(fault);
    for _ in 0..40 {
        let at_ms = dice.between(gone.from_ms, gone.to_ms);
        plan.singles.push(Single { at_ms, lane: DEFAULT, class: "GenerateInvoicePdf", run_ms: SECOND });
    }
    plan
}

fn logs_gone(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["log_path_down"]).decided("log_path_down");
    let fault = fault.found_by(&["blind"], Due::Unnamed).may(&["stalled", "stuck_running", "lost"]);
    Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::LogsGone).with(fault)
}

fn no_enqueue_lines(_: &mut Dice) -> Plan {
    let fault = Fault::stall(DAY, ON_DEFAULT, &[]).found_by(&["blind"], Due::Unnamed).may(&[]).warned();
    let plan = Plan::of(vec![steady(PER_MINUTE)], 1).with(fault);
    Plan { logs_enqueues: false, ..plan }
}

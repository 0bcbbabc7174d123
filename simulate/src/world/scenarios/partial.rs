//! Days on which something is wrong with a part: one job, one class, one worker, one app.

use super::{CLASSES, DEFAULT, FAULT, Group, PER_MINUTE, Scenario, steady};
use crate::world::dice::Dice;
use crate::world::fault::{Due, Fault};
use crate::world::plan::{HANGS, KILLS, Lane, Plan, Single, Traffic, Weather, Who, Worker, all_day, redis};
use crate::world::span::{DAY, HOUR, MINUTE, SECOND, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: Group::Broken,
        name: "one-lost",
        title: "Redis loses one job, others flow",
        plan: one_lost,
    },
    Scenario {
        group: Group::Stalled,
        name: "hung-only",
        title: "the only worker hangs in a job",
        plan: hung_only,
    },
    Scenario {
        group: Group::Stalled,
        name: "renamed-queue",
        title: "a deploy renames a queue, workers keep the old one",
        plan: renamed_queue,
    },
    Scenario {
        group: Group::Broken,
        name: "poisoned",
        title: "one job of many kills its workers",
        plan: poisoned,
    },
    Scenario {
        group: Group::Broken,
        name: "retry-storm",
        title: "a class throws and is tried again at once, for ever",
        plan: retry_storm,
    },
    Scenario {
        group: Group::Stalled,
        name: "dead-night",
        title: "the worker of a sparse queue dies at night",
        plan: dead_night,
    },
    Scenario {
        group: Group::Broken,
        name: "half-fleet",
        title: "half of four workers dead",
        plan: half_fleet,
    },
    Scenario { group: Group::Broken, name: "slowing", title: "jobs take longer and longer", plan: slowing },
    Scenario {
        group: Group::Stalled,
        name: "half-connection",
        title: "a class on two connections, one's worker dead",
        plan: half_connection,
    },
    Scenario {
        group: Group::Stalled,
        name: "unlogged-dead",
        title: "worker dead, and no line tells delays",
        plan: unlogged_dead,
    },
    Scenario {
        group: Group::Broken,
        name: "retry-too-soon",
        title: "retry_after shorter than the jobs",
        plan: retry_too_soon,
    },
    Scenario {
        group: Group::Broken,
        name: "some-time-out",
        title: "a third of a class runs into its timeout",
        plan: some_time_out,
    },
];

const ON_DEFAULT: &[&str] = &["default"];

fn one_lost(dice: &mut Dice) -> Plan {
    let at_ms = clock(10, 0) + dice.between(0, HOUR);
    let gone = Span::lasting(at_ms, 2);
    let fault = Fault::stall(Span { to_ms: DAY.to_ms, ..gone }, ON_DEFAULT, &["cannot_fetch"]).warned();
    let fault = fault.found_by(&["lost"], Due::Unnamed).may(&["blind"]);
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 2).under(gone, Weather::Swallowed).with(fault);
    plan.singles.push(Single { at_ms, lane: DEFAULT, class: "GenerateInvoicePdf", run_ms: SECOND });
    plan
}

fn hung_only(_: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    plan.singles = vec![Single { at_ms: clock(10, 0), lane: DEFAULT, class: "ImportCatalog", run_ms: HANGS }];
    plan.retry_after_ms = 4 * HOUR;
    // A job that hangs, and a worker that is gone in the middle of one, look the same.
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["behind_long_job"]).may(&["stuck_running", "lost"]);
    // Somebody restarts the worker at noon.
    plan.under(Span::lasting(FAULT.to_ms, 30 * SECOND), Weather::Gone(Who::All)).with(fault)
}

fn renamed_queue(_: &mut Dice) -> Plan {
    let (old, new) = (redis("mails"), redis("notifications"));
    let traffic = vec![steady(PER_MINUTE), Traffic::new(old, &["SendReceipt"], all_day(PER_MINUTE))];
    let mut plan = Plan::of(traffic, 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![old] }];
    let deploy = Span::lasting(FAULT.from_ms - 2 * MINUTE, 90 * SECOND);
    let fault = Fault::stall(FAULT, &["notifications", "mails"], &["queue_not_consumed"]);
    plan.under(deploy, Weather::Deployed)
        .under(FAULT, Weather::Misdirected(old, new))
        .with(fault.decided("queue_not_consumed"))
}

fn poisoned(_: &mut Dice) -> Plan {
    // Thirty tries, a minute and a half apart.
    let fault = Fault::stall(Span::lasting(clock(10, 0), 46 * MINUTE), ON_DEFAULT, &["crash_loop"]).warned();
    let fault = fault.found_by(&["stuck_running"], Due::Unnamed).may(&["failing", "lost"]);
    let mut plan = Plan::of(vec![steady(6.0 * PER_MINUTE)], 2).with(fault);
    plan.singles = vec![Single { at_ms: clock(10, 1), lane: DEFAULT, class: "ResizeImage", run_ms: KILLS }];
    Plan { tries: 30, ..plan }
}

fn retry_storm(_: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 0);
    let hooks = redis("hooks");
    let calls = Traffic::new(hooks, &["CallWebhook"], all_day(0.5 * PER_MINUTE)).running(400);
    plan.traffic.push(calls);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![hooks] }];
    let fault = Fault::stall(FAULT, &["hooks"], &["failing_fast"]).decided("failing_fast");
    let fault = fault.found_by(&["failing"], Due::Unnamed).may(&["backlog", "stuck_running"]);
    let plan = plan.under(FAULT, Weather::ThrowsOn("hooks")).with(fault);
    Plan { tries: 1_000_000, backoff_ms: 5 * SECOND, ..plan }
}

fn dead_night(_: &mut Dice) -> Plan {
    let night = Span::clock((1, 0), (7, 0));
    let reports = redis("reports");
    let day = vec![(Span::clock((7, 0), (22, 0)), 3.0 * PER_MINUTE)];
    let traffic =
        vec![Traffic::new(DEFAULT, CLASSES, day), Traffic::new(reports, &["NightlyReport"], all_day(2.0))];
    let mut plan = Plan::of(traffic, 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![reports] }];
    let fault = Fault::stall(night, &["reports"], &["worker_silent"]);
    plan.under(night, Weather::Gone(Who::One(1))).with(fault)
}

/// Six jobs of 25 seconds a minute keep two and a half workers busy.
fn half_fleet(_: &mut Dice) -> Plan {
    let traffic = steady(6.0 * PER_MINUTE).running(25 * SECOND);
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]).warned();
    let fault = fault.decided("worker_silent").found_by(&["backlog"], Due::Backlog);
    let fault = fault.may(&["stuck_running", "lost", "blind"]);
    let plan = Plan::of(vec![traffic], 4).under(FAULT, Weather::Gone(Who::One(1)));
    let plan = plan.under(FAULT, Weather::Gone(Who::One(3))).with(fault);
    Plan { retry_after_ms: 30 * MINUTE, ..plan }
}

fn slowing(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["slow_backlog"]).decided("slow_backlog").warned();
    let mut plan =
        Plan::of(vec![steady(6.0 * PER_MINUTE)], 1).with(fault.found_by(&["backlog"], Due::Backlog).may(&[]));
    for part in 0..12 {
        let span = Span::lasting(FAULT.from_ms + 10 * MINUTE * part, 10 * MINUTE);
        plan = plan.under(span, Weather::Slow("default", (2 + 2 * part) * SECOND));
    }
    plan
}

fn half_connection(_: &mut Dice) -> Plan {
    let other = Lane { connection: "redis-long", queue: "default" };
    let traffic = [DEFAULT, other].map(|lane| Traffic::new(lane, &["SendReceipt"], all_day(PER_MINUTE)));
    let mut plan = Plan::of(traffic.to_vec(), 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![other] }];
    // Without ids nobody can tell which of the two it is.
    let fault =
        Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]).found_by(&["stalled", "backlog"], Due::Unnamed);
    plan.under(FAULT, Weather::Gone(Who::One(1))).with(fault.may(&["stuck_running", "lost", "blind"]))
}

fn unlogged_dead(_: &mut Dice) -> Plan {
    let delayed = Some((0.1, 30 * MINUTE));
    let plan = Plan::of(vec![Traffic { delayed, ..steady(PER_MINUTE) }], 1);
    let early = Span { to_ms: clock(1, 0), ..DAY };
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]).found_by(&["stalled"], Due::Unnamed);
    let plan = plan.with(Fault::harmless(early, ON_DEFAULT, &["stalled", "lost", "backlog"]));
    Plan { logs_delays: false, ..plan.under(FAULT, Weather::Gone(Who::All)).with(fault) }
}

/// A job of two and a half minutes is given to the next worker after one and a half, and runs twice.
fn retry_too_soon(_: &mut Dice) -> Plan {
    let encode = redis("encode");
    let traffic = Traffic::new(encode, &["EncodeVideo"], vec![(FAULT, 6.0)]);
    let mut plan = Plan::of(vec![steady(PER_MINUTE), traffic], 1);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }];
    plan.workers.extend(vec![Worker { lanes: vec![encode] }; 3]);
    let fault = Fault::stall(FAULT, &["encode"], &["job_timeout"]).warned();
    let fault = fault.found_by(&["stuck_running", "failing"], Due::Unnamed);
    let plan = plan.under(FAULT, Weather::Slow("encode", 150 * SECOND));
    Plan { tries: 1, ..plan.with(fault.may(&["lost", "backlog", "failing"])) }
}

fn some_time_out(_: &mut Dice) -> Plan {
    let reports = redis("reports");
    let traffic = vec![steady(PER_MINUTE), Traffic::new(reports, &["WeeklyReport"], all_day(20.0))];
    let mut plan = Plan::of(traffic, 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }];
    plan.workers.extend(vec![Worker { lanes: vec![reports] }; 2]);
    for part in 0..12 {
        let at_ms = FAULT.from_ms + 10 * MINUTE * part;
        plan.singles.push(Single { at_ms, lane: reports, class: "WeeklyReport", run_ms: KILLS });
    }
    let fault = Fault::stall(FAULT, &["reports"], &["crash_loop"]).warned();
    let fault = fault.found_by(&["failing", "stuck_running"], Due::Unnamed);
    plan.with(fault.may(&["backlog", "lost", "failing", "stalled"]))
}

//! Days on which jobs wait and nobody starts them, or so it looks.

use super::{CLASSES, DEFAULT, FAULT, Group, PER_MINUTE, Scenario, office, steady};
use crate::world::dice::Dice;
use crate::world::fault::{Due, Fault};
use crate::world::plan::{Lane, Plan, Single, Traffic, Weather, Who, Worker, all_day, redis};
use crate::world::span::{DAY, MINUTE, SECOND, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: Group::Stalled,
        name: "dead-busy",
        title: "worker dead, 6 jobs a minute",
        plan: dead_busy,
    },
    Scenario {
        group: Group::Stalled,
        name: "dead-office",
        title: "worker dead, a job a minute",
        plan: dead_office,
    },
    Scenario {
        group: Group::Stalled,
        name: "dead-sparse",
        title: "worker dead, 2 jobs an hour",
        plan: dead_sparse,
    },
    Scenario {
        group: Group::Stalled,
        name: "single-job",
        title: "one job stuck, then quiet",
        plan: single_job,
    },
    Scenario {
        group: Group::Stalled,
        name: "dead-burst",
        title: "worker dead in a burst of 30 jobs",
        plan: dead_burst,
    },
    Scenario {
        group: Group::Stalled,
        name: "dead-queues",
        title: "worker of three queues dead",
        plan: dead_queues,
    },
    Scenario {
        group: Group::Stalled,
        name: "deploy-died",
        title: "worker not back from a deploy",
        plan: deploy_died,
    },
    Scenario {
        group: Group::Stalled,
        name: "unlisted-queue",
        title: "one queue of three unconsumed",
        plan: unlisted_queue,
    },
    Scenario {
        group: Group::Stalled,
        name: "half-dead",
        title: "a class on two queues, one's worker dead",
        plan: half_dead,
    },
    Scenario {
        group: Group::Stalled,
        name: "wrong-connection",
        title: "enqueued on another connection",
        plan: wrong_connection,
    },
    Scenario { group: Group::Stalled, name: "paused", title: "queue paused and forgotten", plan: paused },
    Scenario {
        group: Group::Stalled,
        name: "cannot-fetch",
        title: "Redis lost on the worker only",
        plan: cannot_fetch,
    },
    Scenario {
        group: Group::Stalled,
        name: "never-forwarded",
        title: "worker output goes to a file",
        plan: never_forwarded,
    },
    Scenario {
        group: Group::Stalled,
        name: "founding",
        title: "the same, and every job fails",
        plan: founding,
    },
    Scenario {
        group: Group::Stalled,
        name: "log-gap",
        title: "worker lines lost for 2 hours, jobs fine",
        plan: log_gap,
    },
    Scenario {
        group: Group::Stalled,
        name: "lump",
        title: "worker lines held back for 20 minutes",
        plan: lump,
    },
];

const ON_DEFAULT: &[&str] = &["default"];

fn dead(plan: Plan) -> Plan {
    plan.under(FAULT, Weather::Gone(Who::All)).with(Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]))
}

fn dead_busy(_: &mut Dice) -> Plan {
    dead(Plan::of(vec![steady(6.0 * PER_MINUTE)], 2))
}

fn dead_office(_: &mut Dice) -> Plan {
    dead(Plan::of(vec![office()], 1))
}

fn dead_sparse(_: &mut Dice) -> Plan {
    dead(Plan::of(vec![steady(2.0)], 1))
}

fn single_job(dice: &mut Dice) -> Plan {
    let rates =
        vec![(Span { to_ms: clock(9, 50), ..DAY }, 2.0), (Span { from_ms: clock(12, 5), ..DAY }, 2.0)];
    let mut plan = Plan::of(vec![Traffic::new(DEFAULT, CLASSES, rates)], 1);
    let at_ms = clock(10, 0) + dice.between(SECOND, 10 * MINUTE);
    plan.singles.push(Single { at_ms, lane: DEFAULT, class: "ProcessPodcast", run_ms: SECOND });
    dead(plan)
}

/// Every hour thirty jobs come within a minute; in one of these minutes the worker dies.
fn dead_burst(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(2.0)], 1);
    for hour in 1..24 {
        for _ in 0..30 {
            let at_ms = clock(hour, 0) + dice.between(0, MINUTE);
            let run_ms = dice.exponential(3 * SECOND).max(5);
            plan.singles.push(Single { at_ms, lane: DEFAULT, class: "ProcessPodcast", run_ms });
        }
    }
    let span = Span { from_ms: clock(10, 0) + dice.between(20 * SECOND, 80 * SECOND), ..FAULT };
    let fault = Fault::stall(span, ON_DEFAULT, &["worker_silent"]);
    plan.under(span, Weather::Gone(Who::All)).with(fault)
}

/// Three queues of one worker, classes of their own on each.
fn three_queues() -> Plan {
    let traffic = vec![
        Traffic::new(redis("high"), &["ChargeCustomer"], all_day(2.0 * PER_MINUTE)),
        steady(2.0 * PER_MINUTE),
        Traffic::new(redis("mails"), &["SendNewsletter", "SendReceipt"], all_day(PER_MINUTE)),
    ];
    Plan::of(traffic, 2)
}

fn dead_queues(_: &mut Dice) -> Plan {
    const QUEUES: &[&str] = &["high", "default", "mails"];
    let fault = Fault::stall(FAULT, QUEUES, &["worker_silent"]);
    three_queues().under(FAULT, Weather::Gone(Who::All)).with(fault)
}

fn deploy_died(_: &mut Dice) -> Plan {
    let deploy = Span::lasting(FAULT.from_ms, 90 * SECOND);
    let dead = Span { from_ms: deploy.to_ms, ..FAULT };
    let plan = Plan::of(vec![steady(6.0 * PER_MINUTE)], 2);
    let plan = plan.under(deploy, Weather::Deployed).under(dead, Weather::Gone(Who::All));
    plan.with(Fault::stall(FAULT, ON_DEFAULT, &["worker_silent"]))
}

fn unlisted_queue(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, &["mails"], &["queue_not_consumed"]).decided("queue_not_consumed");
    three_queues().under(FAULT, Weather::Unlisted("mails")).with(fault)
}

fn half_dead(_: &mut Dice) -> Plan {
    const BOTH: &[&str] = &["default", "mails"];
    let mails = redis("mails");
    let traffic = [DEFAULT, mails].map(|lane| Traffic::new(lane, &["SendReceipt"], all_day(PER_MINUTE)));
    let mut plan = Plan::of(traffic.to_vec(), 0);
    plan.workers = vec![Worker { lanes: vec![DEFAULT] }, Worker { lanes: vec![mails] }];
    // Without ids nobody can tell which of the two queues it is.
    let fault = Fault::stall(FAULT, BOTH, &["worker_silent"]).found_by(&["stalled", "backlog"], Due::Unnamed);
    plan.under(FAULT, Weather::Gone(Who::One(1))).with(fault)
}

fn wrong_connection(_: &mut Dice) -> Plan {
    let long = Lane { connection: "redis-long", queue: "default" };
    let traffic = vec![
        steady(PER_MINUTE),
        Traffic::new(redis("reports"), &["WeeklyReport"], all_day(0.5 * PER_MINUTE)),
    ];
    let mut plan = Plan::of(traffic, 1);
    // Somebody adds a worker for the other connection at noon.
    plan.workers.push(Worker { lanes: vec![long] });
    let before = Span { to_ms: FAULT.to_ms, ..DAY };
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["queue_not_consumed"]).decided("queue_not_consumed");
    plan.under(before, Weather::Gone(Who::One(1)))
        .under(FAULT, Weather::Misdirected(DEFAULT, long))
        .with(fault)
}

fn paused(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["paused"]).decided("paused");
    Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::Paused("default")).with(fault)
}

fn cannot_fetch(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["cannot_fetch"]).decided("cannot_fetch");
    Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::CannotFetch).with(fault)
}

fn never_forwarded(_: &mut Dice) -> Plan {
    let fault = Fault::stall(DAY, ON_DEFAULT, &["logs_not_forwarded"]).decided("logs_not_forwarded");
    let plan = Plan::of(vec![steady(PER_MINUTE)], 1).under(DAY, Weather::Unforwarded).with(fault);
    Plan { names_log_file: true, ..plan }
}

fn founding(_: &mut Dice) -> Plan {
    // The hint decides what is named first; the failures behind it nobody can see.
    let since_nine = Span { from_ms: clock(9, 0), ..DAY };
    let fault = Fault::stall(since_nine, ON_DEFAULT, &["logs_not_forwarded", "failing_fast"]);
    let fault = fault.decided("logs_not_forwarded");
    let rates = vec![(Span::clock((9, 0), (18, 0)), 20.0)];
    let plan = Plan::of(vec![Traffic::new(DEFAULT, CLASSES, rates)], 1);
    let plan = plan.under(DAY, Weather::Unforwarded).under(DAY, Weather::Throws).with(fault);
    Plan { names_log_file: true, ..plan }
}

fn log_gap(_: &mut Dice) -> Plan {
    let fault = Fault::stall(FAULT, ON_DEFAULT, &["logs_not_forwarded"]);
    Plan::of(vec![steady(PER_MINUTE)], 1).under(FAULT, Weather::Unforwarded).with(fault)
}

fn lump(_: &mut Dice) -> Plan {
    let span = Span::lasting(FAULT.from_ms, 20 * MINUTE);
    let fault = Fault::stall(span, ON_DEFAULT, &["logs_not_forwarded"]).found_by(&["stalled"], Due::Stall);
    Plan::of(vec![steady(PER_MINUTE)], 1).under(span, Weather::Held).with(fault)
}

//! Days that look like trouble, and are how an app works.

use super::{DEFAULT, Group, PER_MINUTE, Scenario, office, steady};
use crate::world::asides::Aside;
use crate::world::dice::Dice;
use crate::world::fault::Fault;
use crate::world::plan::{Lane, Limit, Plan, Single, Traffic, Weather, Who, Worker, all_day, redis};
use crate::world::span::{DAY, HOUR, MINUTE, SECOND, Span, clock};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: Group::Healthy,
        name: "polling",
        title: "jobs that throw until what they wait for is there",
        plan: polling,
    },
    Scenario {
        group: Group::Healthy,
        name: "sync-errors",
        title: "jobs of web requests that cannot reach Redis",
        plan: sync_errors,
    },
    Scenario {
        group: Group::Healthy,
        name: "chatter",
        title: "jobs print what looks like a worker",
        plan: chatter,
    },
    Scenario {
        group: Group::Healthy,
        name: "neighbour",
        title: "another service's jobs in the same log group",
        plan: neighbour,
    },
    Scenario { group: Group::Healthy, name: "blip", title: "Redis away for 20 seconds at noon", plan: blip },
    Scenario {
        group: Group::Healthy,
        name: "hourly-bursts",
        title: "300 jobs on each hour, done in 3 minutes",
        plan: hourly_bursts,
    },
    Scenario {
        group: Group::Healthy,
        name: "maintenance",
        title: "half an hour of maintenance, configured",
        plan: maintenance,
    },
    Scenario {
        group: Group::Healthy,
        name: "priority-bursts",
        title: "bursts on a queue that goes first",
        plan: priority_bursts,
    },
    Scenario {
        group: Group::Healthy,
        name: "rolling-deploys",
        title: "a deploy each two hours, worker by worker",
        plan: rolling_deploys,
    },
    Scenario {
        group: Group::Healthy,
        name: "newsletter",
        title: "5,000 mails at once, done in 40 minutes",
        plan: newsletter,
    },
    Scenario {
        group: Group::Healthy,
        name: "long-unknown",
        title: "jobs of 20 minutes that nobody configured",
        plan: long_unknown,
    },
    Scenario {
        group: Group::Healthy,
        name: "rate-limited",
        title: "jobs go back until their turn comes",
        plan: rate_limited,
    },
];

const ON_DEFAULT: &[&str] = &["default"];

/// Each asks whether a payment has come, throws if not, and is asked again half a minute later.
fn polling(_: &mut Dice) -> Plan {
    let polls = Traffic { throws: 0.8, ..Traffic::new(DEFAULT, &["PollPayment"], all_day(20.0)) };
    let plan = Plan::of(vec![steady(PER_MINUTE), polls.running(300)], 2);
    Plan { tries: 100, backoff_ms: 30 * SECOND, ..plan }
}

/// So many moments of the day.
fn moments(dice: &mut Dice, count: usize) -> Vec<i64> {
    (0..count).map(|_| dice.between(DAY.from_ms + HOUR, DAY.to_ms)).collect()
}

fn sync_errors(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    // Alone, and some requests within a minute.
    plan.asides = moments(dice, 20).into_iter().map(|at| (at, Aside::SyncJob)).collect();
    let noon = (0..6).map(|n| (clock(12, 0) + 7 * SECOND * n, Aside::SyncJob));
    plan.asides.extend(noon);
    plan
}

fn chatter(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    let all = moments(dice, 400).into_iter().zip(0..);
    plan.asides = all.map(|(at, n)| (at, Aside::Chatter(n))).collect();
    plan
}

fn neighbour(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    let all = moments(dice, 400).into_iter().zip(0..);
    plan.asides = all.map(|(at, n)| (at, Aside::Neighbour(n))).collect();
    plan
}

fn blip(_: &mut Dice) -> Plan {
    let away = Span::lasting(clock(12, 0), 20 * SECOND);
    let plan = Plan::of(vec![steady(30.0 * PER_MINUTE)], 2);
    let plan = plan.under(away, Weather::CannotPush).under(away, Weather::CannotFetch);
    plan.with(Fault::harmless(Span::lasting(away.from_ms, 10 * MINUTE), ON_DEFAULT, &["enqueue_errors"]))
}

fn singles(dice: &mut Dice, count: usize, from_ms: i64, lane: Lane, class: &'static str) -> Vec<Single> {
    let mut one = || {
        let (at_ms, run_ms) = (from_ms + dice.between(0, 20 * SECOND), dice.exponential(SECOND).max(5));
        Single { at_ms, lane, class, run_ms }
    };
    (0..count).map(|_| one()).collect()
}

fn hourly_bursts(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(0.5 * PER_MINUTE)], 2);
    plan.singles =
        (1..24).flat_map(|hour| singles(dice, 300, clock(hour, 0), DEFAULT, "SyncOrder")).collect();
    plan
}

fn maintenance(_: &mut Dice) -> Plan {
    let plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    let plan = plan.under(Span::lasting(clock(10, 1), 28 * MINUTE), Weather::Gone(Who::All));
    // The window says when, in UTC; jobs that waited are worked off within a minute.
    let config = "[[window]]\nqueue = \"*\"\ncron = \"0 10 * * *\"\nlength = \"30m\"\n".to_owned();
    Plan { config, ..plan }
}

fn priority_bursts(dice: &mut Dice) -> Plan {
    let high = redis("high");
    let first = Traffic::new(high, &["ChargeCustomer"], all_day(20.0));
    let mut plan = Plan::of(vec![first, steady(PER_MINUTE)], 1);
    plan.workers = vec![Worker { lanes: vec![high, DEFAULT] }; 2];
    for part in 0..4 {
        let at_ms = clock(3 + 6 * part, 0);
        plan.singles.extend(singles(dice, 900, at_ms, high, "ChargeCustomer"));
        // The other queue waits for seven minutes, and is worked off in one.
        let span = Span::lasting(at_ms, 20 * MINUTE);
        plan = plan.with(Fault::harmless(span, &["high", "default"], &["backlog"]));
    }
    plan
}

fn rolling_deploys(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![steady(6.0 * PER_MINUTE)], 4);
    for part in 1..12 {
        let from_ms = clock(2 * part, 0) + dice.between(0, 20 * MINUTE);
        for worker in 0..4 {
            let at_ms = from_ms + i64::try_from(worker).unwrap_or(0) * 2 * MINUTE;
            plan = plan.under(Span::lasting(at_ms, 90 * SECOND), Weather::Replaced(worker));
        }
    }
    plan
}

fn newsletter(dice: &mut Dice) -> Plan {
    let mails = redis("mails");
    let mut plan = Plan::of(vec![steady(PER_MINUTE)], 1);
    plan.workers.extend(vec![Worker { lanes: vec![mails] }; 2]);
    plan.singles = singles(dice, 5_000, clock(9, 0), mails, "SendNewsletter");
    plan.with(Fault::harmless(Span::lasting(clock(9, 0), HOUR), &["mails"], &["backlog"]))
}

fn long_unknown(dice: &mut Dice) -> Plan {
    let mut plan = Plan::of(vec![office()], 2);
    plan.retry_after_ms = 2 * HOUR;
    for hour in [10, 11, 13, 15] {
        let run_ms = dice.between(15 * MINUTE, 25 * MINUTE);
        plan.singles.push(Single { at_ms: clock(hour, 0), lane: DEFAULT, class: "ExportCatalog", run_ms });
    }
    // How long such a job runs, the first one shows.
    plan.with(Fault::harmless(Span::lasting(clock(10, 0), HOUR / 2), ON_DEFAULT, &["stuck_running"]))
}

fn rate_limited(_: &mut Dice) -> Plan {
    let calls = Traffic::new(redis("api"), &["CallPartner"], all_day(40.0)).running(500);
    let mut plan = Plan::of(vec![steady(PER_MINUTE), calls], 2);
    plan.limit = Some(Limit { class: "CallPartner", every_ms: MINUTE, back_ms: 30 * SECOND });
    // As long as it takes: a job has `retryUntil()`.
    Plan { tries: 10_000, ..plan }
}

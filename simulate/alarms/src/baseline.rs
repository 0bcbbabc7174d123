//! The alarms that people put on queues when all they have is CloudWatch.

use crate::alarm::{Alarm, AnyOf, Comparison};
use crate::evaluate::{Evaluation, Missing};
use crate::logs::{Fact, Logs};
use crate::math::Expression;

/// Queues that get alarms of their own: nobody keeps a hundred alarms for fifty queues.
const QUEUES_MAX: usize = 50;

/// Every baseline, in the order of its name; what each is stands in [`describe`].
#[must_use]
pub fn all(logs: &Logs) -> Vec<AnyOf> {
    let one = |name: &str, alarm: Alarm| AnyOf { name: name.to_owned(), alarms: vec![alarm] };
    let mut per_queue: Vec<Alarm> = Vec::new();
    for queue in logs.queues(QUEUES_MAX) {
        per_queue.extend([none_started(logs, Some(queue), 1), unfinished(logs, Some(queue))]);
    }
    per_queue.push(any_failed(logs));
    vec![
        one("B1", none_done(logs, Missing::Breaching)),
        one("B1n", none_done(logs, Missing::NotBreaching)),
        one("B2", none_started(logs, None, 1)),
        one("B2b", none_started(logs, None, 2)),
        one("B3", unfinished(logs, None)),
        one("B4", silent(logs)),
        one("B5", any_failed(logs)),
        AnyOf {
            name: "B2+B3+B5".to_owned(),
            alarms: vec![none_started(logs, None, 1), unfinished(logs, None), any_failed(logs)],
        },
        AnyOf { name: "per queue".to_owned(), alarms: per_queue },
    ]
}

/// What a baseline is, in one line.
#[must_use]
pub fn describe(name: &str) -> &'static str {
    match name {
        "B1" => "no job done in 5 minutes, missing data breaching",
        "B1n" => "no job done in 5 minutes, missing data not breaching",
        "B2" => "jobs enqueued and none started in 5 minutes",
        "B2b" => "the same for two periods in a row",
        "B3" => "3 jobs more enqueued than done or failed in 15 minutes, twice in a row",
        "B4" => "no line at all from workers in 15 minutes, missing data breaching",
        "B5" => "a failure in 5 minutes",
        "B2+B3+B5" => "any of these three: the strongest set of three plain alarms",
        "per queue" => "B2 and B3 once for each queue, and B5",
        _ => "",
    }
}

const fn evaluation(periods: usize, missing: Missing) -> Evaluation {
    Evaluation { periods, to_alarm: periods, missing }
}

fn none_done(logs: &Logs, missing: Missing) -> Alarm {
    Alarm {
        expression: Expression::Sum(logs.metric(Fact::Done, None)),
        comparison: Comparison::Below,
        threshold: 1,
        period_minutes: 5,
        evaluation: evaluation(1, missing),
    }
}

fn none_started(logs: &Logs, queue: Option<&str>, periods: usize) -> Alarm {
    let filled = |fact| Expression::filled(logs.metric(fact, queue));
    Alarm {
        expression: filled(Fact::Enqueued).above(0).and(filled(Fact::Started).equal(0)).as_flag(),
        comparison: Comparison::Above,
        threshold: 0,
        period_minutes: 5,
        evaluation: evaluation(periods, Missing::NotBreaching),
    }
}

fn unfinished(logs: &Logs, queue: Option<&str>) -> Alarm {
    let filled = |fact| Expression::filled(logs.metric(fact, queue));
    Alarm {
        expression: filled(Fact::Enqueued).minus(filled(Fact::Done)).minus(filled(Fact::Failed)),
        comparison: Comparison::AtLeast,
        threshold: 3,
        period_minutes: 15,
        evaluation: evaluation(2, Missing::NotBreaching),
    }
}

fn silent(logs: &Logs) -> Alarm {
    Alarm {
        expression: Expression::Sum(logs.incoming()),
        comparison: Comparison::Below,
        threshold: 1,
        period_minutes: 15,
        evaluation: evaluation(1, Missing::Breaching),
    }
}

fn any_failed(logs: &Logs) -> Alarm {
    Alarm {
        expression: Expression::Sum(logs.metric(Fact::Failed, None)),
        comparison: Comparison::AtLeast,
        threshold: 1,
        period_minutes: 5,
        evaluation: evaluation(1, Missing::NotBreaching),
    }
}

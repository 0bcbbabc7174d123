//! Every cause, with the facts that would lead to it: what messages are made of without a story.

use std::sync::Arc;

use queuewatch::domain::diagnosis::Who;
use queuewatch::domain::incidents::cause::{Cause, SubCause};
use queuewatch::domain::incidents::fact::Unknown;
use queuewatch::domain::incidents::{Fact, Finding, Kind};
use queuewatch::domain::job::{JobClass, Timestamp};
use queuewatch::domain::systems::Near;

/// 2026-01-05T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_767_614_400_000);
pub(crate) const CLASS: &str = r"App\Jobs\ChargeCustomer";

/// A cause, and what goes with it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) cause: Cause,
    pub(crate) sub_cause: Option<SubCause>,
    pub(crate) is_certain: bool,
    pub(crate) others: Vec<Cause>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) unknown: Vec<Unknown>,
    pub(crate) place: (Option<&'static str>, Option<&'static str>),
}

fn text(text: &str) -> Arc<str> {
    text.into()
}

pub(crate) fn before(minutes: i64) -> Timestamp {
    NOW.minus_ms(minutes * 60_000)
}

fn errors(who: Who, count: u64, error: &str, minutes: i64) -> Fact {
    Fact::at(Finding::StoreErrors { who, count, text: Some(text(error)) }, before(minutes))
}

/// How a queue stands where jobs wait.
fn standing(started: Option<i64>) -> Vec<Fact> {
    vec![
        Fact::at(Finding::LastEnqueue, before(1)),
        Fact::when(Finding::LastStart, started.map(before)),
        Fact::at(Finding::LastLine, before(0)),
    ]
}

fn with(first: Vec<Fact>, rest: Vec<Fact>) -> Vec<Fact> {
    first.into_iter().chain(rest).collect()
}

/// Each cause at the kinds that it is named for, with what is behind it in all its forms.
#[expect(clippy::too_many_lines, reason = "a table: a few lines for each cause")]
pub(crate) fn all() -> Vec<Case> {
    let redis = (Some("redis"), Some("default"));
    let waiting = vec![Cause::LogsNotForwarded];
    let case = |name, kind, cause, facts| Case {
        name,
        kind,
        cause,
        sub_cause: None,
        is_certain: false,
        others: Vec::new(),
        facts,
        unknown: Vec::new(),
        place: redis,
    };
    let class = || JobClass::from(CLASS);
    let file = Finding::LogFile {
        file: text("storage/logs/queue-20260105.log"),
        streams: vec![text("ecs/app/1"), text("ecs/app/2")],
    };
    vec![
        Case {
            others: vec![Cause::WorkerSilent, Cause::FailingFast],
            unknown: vec![Unknown::FileContent, Unknown::Delays, Unknown::WorkerRuns, Unknown::DeadOrUnheard],
            ..case(
                "a worker writes into a file",
                Kind::Stalled,
                Cause::LogsNotForwarded,
                with(
                    vec![Fact::at(file.clone(), before(60))],
                    with(standing(None), vec![Fact::timeless(Finding::NoJobLineEver)]),
                ),
            )
        },
        Case {
            sub_cause: Some(SubCause::LinesDropped),
            unknown: vec![Unknown::GoneOrUnseen],
            ..case("lines are dropped", Kind::Lost, Cause::LogsNotForwarded, standing(Some(2)))
        },
        Case {
            others: waiting.clone(),
            unknown: vec![Unknown::WorkerRuns, Unknown::DeadOrUnheard],
            ..case(
                "no worker was ever seen",
                Kind::Stalled,
                Cause::NeverObserved,
                with(standing(None), vec![Fact::timeless(Finding::NoJobLineEver)]),
            )
        },
        Case {
            others: waiting.clone(),
            unknown: vec![Unknown::WorkerRuns, Unknown::DeadOrUnheard],
            place: (None, Some("emails")),
            ..case(
                "a worker fell silent",
                Kind::Stalled,
                Cause::WorkerSilent,
                with(
                    vec![Fact::at(
                        Finding::WorkerStopped(text("exited: worker_00 (exit status 0; not expected)")),
                        before(9),
                    )],
                    standing(Some(10)),
                ),
            )
        },
        Case {
            sub_cause: Some(SubCause::WrongQueue),
            is_certain: true,
            unknown: vec![Unknown::WorkersQueues],
            ..case(
                "workers list other queues",
                Kind::Stalled,
                Cause::QueueNotConsumed,
                with(
                    vec![
                        Fact::at(
                            Finding::WorkerServes {
                                connection: Some("redis".into()),
                                queues: vec!["high".into(), "low".into()],
                            },
                            before(1),
                        ),
                        Fact::at(Finding::StartsElsewhere { place: "redis:high".into() }, before(2)),
                    ],
                    standing(None),
                ),
            )
        },
        Case {
            sub_cause: Some(SubCause::ReadOnly),
            is_certain: true,
            unknown: vec![Unknown::StoreHolds],
            ..case(
                "workers cannot fetch",
                Kind::Stalled,
                Cause::CannotFetch,
                with(
                    vec![errors(
                        Who::Worker,
                        120,
                        "READONLY You can't write against a read only replica.",
                        0,
                    )],
                    standing(Some(12)),
                ),
            )
        },
        Case {
            sub_cause: Some(SubCause::StoreForgot),
            others: waiting.clone(),
            unknown: vec![Unknown::GoneOrUnseen, Unknown::StoreHolds],
            place: (Some("sqs"), Some("imports")),
            ..case(
                "a store forgot",
                Kind::Lost,
                Cause::CannotFetch,
                with(vec![errors(Who::App, 3, "Connection refused", 20)], standing(Some(1))),
            )
        },
        Case {
            sub_cause: Some(SubCause::TimedOut),
            is_certain: true,
            place: (None, None),
            ..case(
                "enqueues time out",
                Kind::EnqueueErrors,
                Cause::EnqueueErrors,
                vec![
                    errors(Who::App, 4, "RedisException: Operation timed out", 1),
                    Fact::when(Finding::LastEnqueueAnywhere, Some(before(7))),
                ],
            )
        },
        Case {
            sub_cause: Some(SubCause::Refused),
            is_certain: true,
            place: (None, None),
            ..case(
                "enqueues are taken again",
                Kind::EnqueueErrors,
                Cause::EnqueueErrors,
                vec![
                    errors(Who::App, 4, "SQLSTATE[HY000] [2002] Connection refused", 4),
                    Fact::when(Finding::LastEnqueueAnywhere, Some(before(1))),
                ],
            )
        },
        case(
            "a pause",
            Kind::Stalled,
            Cause::Paused,
            with(vec![Fact::at(Finding::Paused, before(30))], standing(Some(31))),
        ),
        Case {
            sub_cause: Some(SubCause::Maintenance),
            ..case(
                "maintenance",
                Kind::Stalled,
                Cause::Paused,
                with(vec![Fact::at(Finding::Maintenance, before(30))], standing(Some(31))),
            )
        },
        Case {
            sub_cause: Some(SubCause::OutOfMemory),
            others: vec![Cause::JobTimeout, Cause::WorkerSilent],
            unknown: vec![Unknown::WhyItDied],
            ..case(
                "workers die",
                Kind::StuckRunning,
                Cause::CrashLoop,
                vec![
                    Fact::at(Finding::LostJobs(1), before(3)),
                    Fact::at(Finding::Killed(3), before(2)),
                    Fact::at(
                        Finding::WorkerErrors {
                            count: 3,
                            text: Some(text("Allowed memory size of 134217728 bytes exhausted")),
                        },
                        before(2),
                    ),
                ],
            )
        },
        Case {
            others: vec![Cause::WorkerSilent],
            unknown: vec![Unknown::RunsOrHangs, Unknown::RanTwice],
            ..case(
                "an attempt hangs",
                Kind::StuckRunning,
                Cause::JobTimeout,
                vec![
                    Fact::at(Finding::StillRunning { class: Some(class()) }, before(12)),
                    Fact::timeless(Finding::RetriedEvery { every_ms: 90_000, timeout_ms: Some(300_000) }),
                ],
            )
        },
        Case {
            is_certain: true,
            sub_cause: Some(SubCause::StalePayload),
            ..case(
                "jobs fail at once",
                Kind::Failing,
                Cause::FailingFast,
                vec![
                    Fact::at(Finding::BadEnds { class: class(), bad: 9, of: 9 }, before(1)),
                    Fact::timeless(Finding::Exception(text("RuntimeException: Card declined"))),
                    Fact::timeless(Finding::BadRuntime(14)),
                ],
            )
        },
        Case {
            unknown: vec![Unknown::FailOrRetry],
            ..case(
                "jobs fail late",
                Kind::Failing,
                Cause::FailingFast,
                vec![
                    Fact::at(Finding::BadEnds { class: class(), bad: 8, of: 10 }, before(1)),
                    Fact::timeless(Finding::Exception(text(
                        "RuntimeException: the remote side did not answer in time",
                    ))),
                    Fact::timeless(Finding::BadRuntime(42_000)),
                    Fact::at(
                        Finding::BadEnds { class: r"App\Jobs\SendInvoice".into(), bad: 5, of: 5 },
                        before(2),
                    ),
                ],
            )
        },
        Case {
            others: vec![Cause::WorkerSilent],
            unknown: vec![Unknown::WorkerRuns],
            ..case(
                "more comes than is done",
                Kind::Backlog,
                Cause::SlowBacklog,
                with(
                    vec![Fact::timeless(Finding::Pace { started: 40, enqueued: 90, minutes: 10 })],
                    standing(Some(0)),
                ),
            )
        },
        Case {
            others: vec![Cause::SlowBacklog],
            unknown: vec![Unknown::RunsOrHangs],
            ..case(
                "a long job",
                Kind::Backlog,
                Cause::BehindLongJob,
                with(
                    vec![Fact::at(Finding::StillRunning { class: Some(class()) }, before(12))],
                    standing(Some(12)),
                ),
            )
        },
        Case {
            others: vec![Cause::JobTimeout],
            ..case(
                "a job is put back for ever",
                Kind::StuckRunning,
                Cause::PutBack,
                vec![Fact::at(Finding::PutBack { class: Some(class()), count: 143 }, before(125))],
            )
        },
        Case {
            others: vec![Cause::MonitorBlind],
            unknown: vec![Unknown::WhySilent],
            place: (None, None),
            ..case(
                "a source is silent",
                Kind::Blind,
                Cause::LogPathDown,
                vec![Fact::at(Finding::SourceSilent { group: text("/ecs/app") }, before(31))],
            )
        },
        Case {
            is_certain: true,
            place: (None, None),
            ..case(
                "lines come late",
                Kind::Blind,
                Cause::MonitorBlind,
                vec![Fact::at(Finding::DeliveryLate { minutes: 14 }, before(1))],
            )
        },
        Case {
            is_certain: true,
            place: (None, None),
            ..case(
                "lines are not recognised",
                Kind::Blind,
                Cause::MonitorBlind,
                vec![
                    Fact::at(Finding::NearlyRead { near: Near::BehindPrefix, count: 42 }, before(1)),
                    Fact::timeless(Finding::UnreadShape {
                        shape: text("<a-9> 9-9-9 9:9:9 a\\a\\a"),
                        count: 42,
                    }),
                    Fact::at(Finding::LastRecognised, before(31)),
                ],
            )
        },
    ]
}

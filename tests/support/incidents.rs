//! The incident of a case of `causes`, with the commands that its cause gets.

use std::collections::BTreeMap;

use queuewatch::domain::diagnosis::{Diagnosis, Weight};
use queuewatch::domain::incidents::cause::Cause;
use queuewatch::domain::incidents::fact::Trend;
use queuewatch::domain::incidents::{
    Blindness, Detail, Fact, Failure, Finding, Incident, Key, Kind, ListedJob, MatchedBy, Severity, Silent,
};
use queuewatch::domain::job::JobClass;
use queuewatch::domain::ledger::stream::Streams;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::model::queue_ref::QueueRef;
use queuewatch::domain::runbook::{self, LogsQuery, Problem};

use crate::causes::{CLASS, Case, NOW, before};

const TASK: &str = "119ff6db80b1c1a8a6afc0dc9c6f1818";

/// The incident of a case, as it opens at [`NOW`].
pub(crate) fn incident(case: &Case, policy: &Policy) -> Incident {
    let source = if policy.deployment.is_on_aws() { "/ecs/app" } else { "/srv/app/worker.log" };
    let (connection, queue) = case.place;
    let reason = (case.kind == Kind::Blind).then_some(match case.cause {
        Cause::LogPathDown => Blindness::SourceSilent,
        _ if case.facts.iter().any(|fact| matches!(fact.what, Finding::UnreadShape { .. })) => {
            Blindness::Unrecognised
        }
        _ => Blindness::Late,
    });
    let key =
        Key { kind: case.kind, connection: connection.map(Into::into), queue: queue.map(Into::into), reason };
    let is_of_jobs = case.kind.is_of_jobs();
    let since = before(12);
    let class = || JobClass::from(CLASS);
    let job = ListedJob {
        id: None,
        uuid: Some("5f0c0e0a-0001".into()),
        class: Some(class()),
        enqueued_at: Some(since),
    };
    let mut classes = BTreeMap::new();
    for fact in case.facts.iter().filter(|_| case.kind == Kind::Failing) {
        if let Finding::BadEnds { class, .. } = &fact.what {
            classes.insert(class.clone(), fact.at.unwrap_or(NOW));
        }
    }
    let sources =
        reason.iter().filter(|it| **it == Blindness::SourceSilent).map(|_| source.to_owned()).collect();
    let detail = match case.kind {
        Kind::Failing => Detail::Failing(Failure { classes, ..Failure::default() }),
        Kind::Blind => Detail::Blind(Silent { sources }),
        other => Detail::blank(other),
    };
    Incident {
        severity: if case.kind == Kind::Blind { Severity::Warn } else { case.kind.severity() },
        queues: queue.into_iter().map(Into::into).collect(),
        detail,
        oldest_ready_at: matches!(case.kind, Kind::Stalled | Kind::Lost | Kind::Backlog).then_some(since),
        since: Some(since),
        jobs_count: 3,
        jobs_now: 3,
        jobs: if is_of_jobs { vec![job] } else { Vec::new() },
        matched_by: is_of_jobs.then_some(MatchedBy::Uuid),
        longest_wait_ms: NOW.since_ms(since),
        evidence: if is_of_jobs {
            vec![Fact::timeless(Finding::JobsWait { waiting: 7, overdue: 3 })]
        } else {
            Vec::new()
        },
        diagnosis: Some(diagnosis(case, policy)),
        ..Incident::open(key.id_at(NOW, None), key, NOW)
    }
}

fn diagnosis(case: &Case, policy: &Policy) -> Diagnosis {
    let mut streams = Streams::default();
    let is_on_aws = policy.deployment.is_on_aws();
    let name = if is_on_aws { format!("ecs/app/{TASK}") } else { "/srv/app/worker.log".to_owned() };
    let key = streams.note(if is_on_aws { "/ecs/app" } else { "watch" }, &name);
    let stream = streams.get(key);
    let place = QueueRef { connection: case.place.0.map(Into::into), queue: case.place.1.map(Into::into) };
    let file = case.facts.iter().find_map(|fact| match &fact.what {
        Finding::LogFile { file, .. } => Some(file.clone()),
        _ => None,
    });
    let problem = Problem {
        cause: case.cause,
        sub_cause: case.sub_cause,
        queue_ref: &place,
        queues: &[],
        stream,
        log_file: file.as_deref().zip(stream),
        log_group: Some("/ecs/app"),
        is_on_ecs: is_on_aws,
    };
    let logs = LogsQuery::new(["/ecs/app"].into_iter(), ["ChargeCustomer"].into_iter(), before(17), NOW);
    Diagnosis {
        cause: case.cause,
        sub_cause: case.sub_cause,
        is_certain: case.is_certain,
        weight: Weight::Strong,
        runners_up: case.others.clone(),
        evidence: case.facts.clone(),
        changes: vec![Fact::at(Finding::Deployed, before(25))],
        trend: (case.kind == Kind::Stalled).then_some(Trend::Growing { per_hour: 24 }),
        cannot_tell: case.unknown.clone(),
        commands: if case.cause == Cause::MonitorBlind {
            Vec::new()
        } else {
            runbook::steps(&problem, policy)
        },
        logs: logs.filter(|_| is_on_aws),
        as_of: NOW,
    }
}

//! An incident and a notification for this module's tests.

use std::collections::BTreeSet;

use crate::domain::diagnosis::{Cause, Diagnosis, Weight};
use crate::domain::incidents::fact::Unknown;
use crate::domain::incidents::{
    Fact, Finding, Incident, Key, Kind, ListedJob, MatchedBy, Notification, NotificationState,
};
use crate::domain::job::Timestamp;
use crate::domain::runbook::{Note, Purpose, Step};

/// 2025-12-06T12:37:00Z.
const OPENED_AT: Timestamp = Timestamp::from_ms(1_765_024_620_000);

pub(super) fn stalled() -> Incident {
    let key = Key {
        kind: Kind::Stalled,
        connection: Some("redis".into()),
        queue: Some("default".into()),
        reason: None,
    };
    Incident {
        queues: BTreeSet::from(["default".into()]),
        oldest_ready_at: Some(OPENED_AT.plus_ms(-350_000)),
        jobs_count: 2,
        jobs_now: 2,
        jobs: vec![ListedJob {
            id: Some("abc".into()),
            uuid: None,
            class: Some(r"App\Jobs\Make".into()),
            enqueued_at: Some(OPENED_AT.plus_ms(-350_000)),
        }],
        matched_by: Some(MatchedBy::Id),
        longest_wait_ms: 350_000,
        evidence: vec![Fact::when(Finding::LastStart, None)],
        diagnosis: Some(diagnosis()),
        ..Incident::open("stalled-redis-default-20251206T1237Z".into(), key, OPENED_AT)
    }
}

fn diagnosis() -> Diagnosis {
    let step = |command: &str, purpose, note| {
        let purpose = Some(purpose);
        Step { command: command.into(), note, purpose, inside: None }
    };
    Diagnosis {
        cause: Cause::WorkerSilent,
        sub_cause: None,
        is_certain: false,
        weight: Weight::Fallback,
        runners_up: vec![Cause::LogsNotForwarded],
        evidence: vec![Fact::at(Finding::LastLine, OPENED_AT.plus_ms(-60_000))],
        changes: Vec::new(),
        trend: None,
        cannot_tell: vec![Unknown::WorkerRuns],
        commands: vec![
            step("php artisan queue:monitor redis:default", Purpose::CountWaiting, None),
            step("php artisan queue:work --once -v", Purpose::RunOneJob, Some(Note::SpendsAttempt)),
        ],
        logs: None,
        as_of: OPENED_AT,
    }
}

pub(super) fn notification(subject: &str, body: &str) -> Notification {
    Notification {
        id: "stalled-redis-default-20251206T1237Z/1".into(),
        at: OPENED_AT,
        state: NotificationState::Firing,
        cause: Some(Cause::WorkerSilent),
        subject: subject.into(),
        body: body.into(),
    }
}

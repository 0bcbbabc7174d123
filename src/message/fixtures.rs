//! An incident and a notification for this module's tests.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::diagnosis::finding::Unknown;
use crate::domain::diagnosis::{Cause, Diagnosis, Weight};
use crate::domain::incident::{
    Fact, Finding, Incident, Key, Kind, ListedJob, MatchedBy, Notification, NotificationState, Severity,
};
use crate::domain::job::Timestamp;
use crate::domain::runbook::{Note, Purpose, Step};

/// 2025-12-06T12:37:00Z.
const OPENED_AT: Timestamp = Timestamp::from_ms(1_765_024_620_000);

pub(super) fn stalled() -> Incident {
    Incident {
        id: "stalled-redis-default-20251206T1237Z".into(),
        key: Key {
            kind: Kind::Stalled,
            connection: Some("redis".into()),
            queue: Some("default".into()),
            reason: None,
        },
        severity: Severity::Page,
        queues: BTreeSet::from(["default".into()]),
        classes: BTreeMap::new(),
        sources: BTreeSet::new(),
        opened_at: OPENED_AT,
        resolved_at: None,
        is_after_end: false,
        oldest_ready_at: Some(OPENED_AT.plus_ms(-350_000)),
        since: None,
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
        newest_start_at_opening: None,
        starts_since: None,
        given_up: 0,
        reminders_count: 0,
        evidence: vec![Fact::when(Finding::LastStart, None)],
        notifications: Vec::new(),
        diagnosis: Some(diagnosis()),
        unseen_count: 0,
        calm_since: None,
        turned_unknown: Vec::new(),
        is_gap_judged: false,
        done_in_ms: None,
        corrections_count: 0,
        followers: BTreeSet::new(),
        grouped_under: None,
        is_withheld: false,
        closed_because: None,
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

//! What a replay found, as one object: the JSON contract, and what the text is printed from.

mod jobs;
mod metrics;
pub mod page;
pub mod text;
pub mod versus;
mod why;

use serde::{Serialize, Serializer};

use crate::domain::blind_spots;
use crate::domain::deployment::Deployment;
use crate::domain::diagnosis::Cause;
use crate::domain::incidents::{Incident, Kind, Register};
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::model::policy::Policy;
use crate::message;
use crate::replay::Outcome;

pub use jobs::{JobRow, rows as job_rows};
pub use metrics::{MetricRow, MinuteRow};
pub use why::DiagnosisRow;

/// The version of the contract: a field may be added, none changes its meaning.
const SCHEMA: u32 = 1;

/// What to report beside the fixed part.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// Every job, one by one.
    pub jobs: bool,
    /// Every metric, minute by minute.
    pub minutes: bool,
}

/// A moment in RFC 3339, UTC, with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// All that a store keeps at the end.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What is known of jobs.
    pub ledger: &'a Ledger,
    /// Every incident.
    pub register: &'a Register,
}

/// What a replay found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    schema: u32,
    /// The last sweep.
    pub ends_at: Moment,
    /// Payloads by what became of them.
    pub payloads: Payloads,
    /// Log lines.
    pub lines: Lines,
    /// Distinct lifecycle lines by what they print.
    pub counts: Counts,
    /// Jobs that wait at the end.
    pub pending: Pending,
    /// Metrics as they would be published.
    pub metrics: Vec<MetricRow>,
    /// What went wrong.
    pub incidents: Vec<IncidentRow>,
    /// What logs like these cannot show.
    pub blind_spots: Vec<String>,
    /// Every job, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Vec<JobRow>>,
    /// What others would have said of the same lines, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versus: Option<versus::Versus>,
}

/// Payloads. `read` is the sum of the others.
#[derive(Clone, Debug, Serialize)]
pub struct Payloads {
    /// All.
    pub read: u64,
    /// Opened, and new.
    pub data: u64,
    /// Reachability checks.
    pub control: u64,
    /// Delivered once more.
    pub duplicate: u64,
    /// Not opened.
    pub rejected: Vec<RejectedRow>,
}

/// A payload that was not opened.
#[derive(Clone, Debug, Serialize)]
pub struct RejectedRow {
    /// `path[:line]`.
    pub source: String,
    /// One of the closed list.
    pub reason: &'static str,
    /// In the operator's words.
    pub detail: String,
}

/// Log lines.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    /// All.
    pub read: u64,
    /// New, believed and recognised.
    pub classified: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Too far from the rest to be believed.
    pub late: u64,
}

/// Distinct lifecycle lines.
#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    /// Enqueue lines.
    pub enqueued: u64,
    /// Start lines.
    pub processing: u64,
    /// Good ends.
    pub processed: u64,
    /// Bad ends.
    pub failed: u64,
    /// Releases.
    pub released: u64,
    /// Refused enqueues.
    pub enqueue_errors: u64,
}

/// Jobs that wait at the end.
#[derive(Clone, Debug, Serialize)]
pub struct Pending {
    /// Enqueued or released and not started, delayed ones too.
    pub jobs: u64,
    /// Ready longer ago than their grace.
    pub overdue: u64,
    /// Given up, and not among `jobs`.
    pub unknown: u64,
}

/// An incident.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentRow {
    /// Derived from kind, place and minute.
    pub id: String,
    /// What went wrong.
    pub kind: &'static str,
    /// How loud it is.
    pub severity: &'static str,
    /// The app.
    pub app: String,
    /// On which connection.
    pub connection: Option<String>,
    /// On which queue.
    pub queue: Option<String>,
    /// The queues it may concern.
    pub queues: Vec<String>,
    /// Why we cannot see.
    pub reason: Option<&'static str>,
    /// The incident whose page it joined.
    pub grouped_under: Option<String>,
    /// The sweep that opened it.
    pub opened_at: Moment,
    /// The sweep that closed it.
    pub resolved_at: Option<Moment>,
    /// It opened after the last delivery.
    pub after_end: bool,
    /// When the oldest job was ready.
    pub oldest_ready_at: Option<Moment>,
    /// The most jobs it held at once.
    pub jobs_count: u64,
    /// How their starts would be known.
    pub matched_by: Option<&'static str>,
    /// The oldest jobs.
    pub jobs: Vec<ListedRow>,
    /// The likely causes, as they were last told.
    pub diagnosis: Option<DiagnosisRow>,
    /// What was said.
    pub notifications: Vec<NotificationRow>,
}

/// A job that an incident lists.
#[derive(Clone, Debug, Serialize)]
pub struct ListedRow {
    /// The driver's id.
    pub id: Option<String>,
    /// The payload's uuid.
    pub uuid: Option<String>,
    /// The display name.
    pub class: Option<String>,
    /// When it was enqueued.
    pub enqueued_at: Option<Moment>,
}

/// One thing said.
#[derive(Clone, Debug, Serialize)]
pub struct NotificationRow {
    /// Derived from the incident's.
    pub id: String,
    /// When.
    pub at: Moment,
    /// What it says of the incident.
    pub state: &'static str,
    /// The cause it names.
    pub cause: Option<&'static str>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

impl Report {
    /// Puts what a replay found into the contract's form.
    #[must_use]
    pub fn new(outcome: &Outcome, policy: &Policy, extent: Extent) -> Self {
        Self::over(
            outcome,
            Known { ledger: &outcome.store.ledger, register: &outcome.store.register },
            policy,
            extent,
        )
    }

    /// The same for a replay over any store, of which `known` is all that it keeps.
    #[must_use]
    pub fn over<S>(outcome: &Outcome<S>, known: Known<'_>, policy: &Policy, extent: Extent) -> Self {
        let Known { ledger, register } = known;
        let unseen = &outcome.last_plan.hidden;
        let rejected: Vec<RejectedRow> = outcome
            .rejected
            .iter()
            .map(|(source, rejected)| RejectedRow {
                source: source.clone(),
                reason: rejected.reason,
                detail: rejected.detail.clone(),
            })
            .collect();
        let payloads = outcome.read.payloads;
        let lines = outcome.read.lines;
        let read = [payloads.data, payloads.control, payloads.duplicate, payloads.rejected];
        let counts = ledger.tally.counts;
        Self {
            schema: SCHEMA,
            ends_at: Moment(outcome.ends_at),
            payloads: Payloads {
                read: read.into_iter().fold(0, u64::saturating_add),
                data: payloads.data,
                control: payloads.control,
                duplicate: payloads.duplicate,
                rejected,
            },
            lines: Lines {
                read: lines.read,
                classified: lines.classified,
                duplicate: lines.duplicate,
                late: lines.late,
            },
            counts: Counts {
                enqueued: counts.enqueued,
                processing: counts.processing,
                processed: counts.processed,
                failed: counts.failed,
                released: counts.released,
                enqueue_errors: counts.enqueue_errors,
            },
            pending: Pending {
                jobs: ledger.waiting().filter(|(ix, _)| !unseen.contains(ix)).count() as u64,
                overdue: outcome.last_plan.overdue_count,
                unknown: ledger.jobs().filter(|(ix, job)| jobs::is_unknown(ledger, *ix, job, unseen)).count()
                    as u64,
            },
            metrics: metrics::rows(outcome, &policy.app, extent.minutes),
            incidents: incident_rows(register, &policy.app),
            blind_spots: blind_spots::find(ledger).into_iter().map(message::blind_spot).collect(),
            jobs: extent.jobs.then(|| job_rows(ledger, policy, unseen)),
            versus: None,
        }
    }

    /// Whether anything was said.
    #[must_use]
    pub fn has_notified(&self) -> bool {
        self.incidents.iter().any(|incident| !incident.notifications.is_empty())
    }
}

/// Every incident, by when it opened.
#[must_use]
pub fn incident_rows(register: &Register, app: &str) -> Vec<IncidentRow> {
    register.all().into_iter().map(|incident| incident_row(incident, app)).collect()
}

fn incident_row(incident: &Incident, app: &str) -> IncidentRow {
    let text = |name: Option<&dyn ToString>| name.map(ToString::to_string);
    let key = &incident.key;
    IncidentRow {
        id: incident.id.clone(),
        kind: key.kind.as_str(),
        severity: incident.severity.as_str(),
        app: key.scope().unwrap_or(app).to_owned(),
        connection: text(key.connection.as_ref().map(|name| name as &dyn ToString)),
        queue: text(key.queue.as_ref().map(|name| name as &dyn ToString)),
        queues: incident.queues.iter().map(ToString::to_string).collect(),
        reason: key.reason.map(|reason| reason.as_str()),
        grouped_under: incident.grouped_under.clone(),
        opened_at: Moment(incident.opened_at),
        resolved_at: incident.resolved_at.map(Moment),
        after_end: incident.is_after_end,
        oldest_ready_at: incident.oldest_ready_at.map(Moment),
        jobs_count: incident.jobs_count,
        matched_by: incident.matched_by.map(|mode| mode.as_str()).filter(|_| key.kind != Kind::Blind),
        jobs: incident
            .jobs
            .iter()
            .map(|job| ListedRow {
                id: text(job.id.as_ref().map(|name| name as &dyn ToString)),
                uuid: text(job.uuid.as_ref().map(|name| name as &dyn ToString)),
                class: text(job.class.as_ref().map(|name| name as &dyn ToString)),
                enqueued_at: job.enqueued_at.map(Moment),
            })
            .collect(),
        diagnosis: message::explain(incident, &Deployment::Aws),
        notifications: incident
            .notifications
            .iter()
            .map(|said| NotificationRow {
                id: said.id.clone(),
                at: Moment(said.at),
                state: said.state.as_str(),
                cause: said.cause.map(Cause::as_str),
                subject: said.subject.clone(),
                body: said.body.clone(),
            })
            .collect(),
    }
}

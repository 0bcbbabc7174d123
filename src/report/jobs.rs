//! Every job, one by one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Moment;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::job_facts::{Enqueue, JobFacts, State};
use crate::domain::ledger::{Job, Ledger};
use crate::domain::model::policy::Policy;
use crate::domain::queues::view::ready_at;

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct JobRow {
    /// The app.
    pub app: String,
    /// The queue connection.
    pub connection: Option<String>,
    /// The queue.
    pub queue: Option<String>,
    /// The display name.
    pub class: Option<String>,
    /// The driver's id.
    pub id: Option<String>,
    /// The payload's uuid.
    pub uuid: Option<String>,
    /// Its newest enqueue.
    pub enqueued_at: Option<Moment>,
    /// When a worker may take it, or might have.
    pub ready_at: Option<Moment>,
    /// Its first start.
    pub started_at: Option<Moment>,
    /// When it ended for good.
    pub settled_at: Option<Moment>,
    /// `pending, running, processed, failed, released` or `unknown`.
    pub state: &'static str,
}

/// Whether a job was given up and has not been heard of since, or was consumed where no line shows it.
pub(super) fn is_unknown(ledger: &Ledger, ix: JobIx, job: &Job, unseen: &BTreeSet<JobIx>) -> bool {
    unseen.contains(&ix) || ledger.state(job).0 == State::Unknown
}

/// Every job, by when it was first heard of, then by name; `unseen` are those that were consumed where no line shows it.
#[must_use]
pub fn rows(ledger: &Ledger, policy: &Policy, unseen: &BTreeSet<JobIx>) -> Vec<JobRow> {
    let told = ledger.jobs().filter(|(_, job)| !ledger.is_told_as_another(job));
    let each = told.map(|(ix, job)| {
        let row = row(ledger, policy, job);
        if is_unknown(ledger, ix, job, unseen) {
            JobRow { state: State::Unknown.as_str(), ..row }
        } else {
            row
        }
    });
    let mut rows: Vec<JobRow> = each.collect();
    rows.sort_by(|a, b| {
        let heard = |row: &JobRow| row.enqueued_at.or(row.started_at);
        (heard(a), &a.class, &a.uuid, &a.id, a).cmp(&(heard(b), &b.class, &b.uuid, &b.id, b))
    });
    rows
}

fn row(ledger: &Ledger, policy: &Policy, job: &Job) -> JobRow {
    let (state, settled_at) = ledger.state(job);
    let known = &job.known;
    // The names that its worker gave it, where its enqueue gave it none.
    let unmatched_start = ledger.unmatched_start_of(job).map(|it| &it.known);
    let never_enqueued = ledger.class(known.class()).is_none_or(|facts| facts.enqueued_on.is_empty());
    let source = known.start().and_then(|(_, stream)| ledger.streams.get(stream));
    let (queue, connection) = match source.filter(|_| never_enqueued) {
        Some(stream) => policy.source_defaults(&stream.log_group, &stream.log_stream),
        None => (None, None),
    };
    let ready = if state.is_waiting() {
        ready_at(ledger, policy, job)
    } else {
        known.enqueued.map(Enqueue::ready_at)
    };
    JobRow {
        app: known.scope().unwrap_or(&policy.app).to_owned(),
        connection: known
            .connection()
            .or(unmatched_start.and_then(JobFacts::connection))
            .or(connection.as_ref())
            .map(ToString::to_string),
        queue: known
            .queue()
            .or(unmatched_start.and_then(JobFacts::queue))
            .or(queue.as_ref())
            .map(ToString::to_string),
        class: known.class().map(ToString::to_string),
        id: known.id().or(unmatched_start.and_then(JobFacts::id)).map(ToString::to_string),
        uuid: known.uuid().or(unmatched_start.and_then(JobFacts::uuid)).map(ToString::to_string),
        enqueued_at: known.enqueued.map(|enqueue| Moment(enqueue.at)),
        ready_at: ready.map(Moment),
        started_at: ledger.started_at(job).map(Moment),
        settled_at: settled_at.map(Moment),
        state: state.as_str(),
    }
}

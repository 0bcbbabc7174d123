//! Names that were learned while an incident was open.

use crate::domain::incidents::{Incident, JOBS_LISTED_MAX, Register};
use crate::domain::job::ConnectionName;
use crate::domain::ledger::Ledger;
use crate::domain::queues::place::Learned;
use crate::domain::queues::view::{QueueView, Queues, WaitingJob};

/// An incident keeps its key when a name is learned: for a queue whose connection was learned while an incident was open,
/// or that turned out to be where jobs wait whose lines name none, the name in the incident's key.
pub(super) fn names(register: &Register, queues: &Queues, ledger: &Ledger) -> Learned {
    let mut learned = Learned::new();
    for incident in register.open().filter(|incident| incident.key.kind.is_of_jobs()) {
        let key = incident.key.place();
        let is_known = key.connection.is_some() && key.queue.is_some();
        if is_known || queues.get(&key).is_some_and(|view| !view.waiting.is_empty()) {
            continue;
        }
        let is_same =
            |connection: &Option<ConnectionName>| key.connection.is_none() || *connection == key.connection;
        let mut same_queue = queues.iter().filter(|(name, view)| match &key.queue {
            Some(_) => name.connection.is_some() && name.queue == key.queue,
            None => name.queue.is_some() && is_same(&name.connection) && holds(view, incident, ledger),
        });
        if let (Some((name, _)), None) = (same_queue.next(), same_queue.next()) {
            learned.insert(name.clone(), key);
        }
    }
    learned
}

/// Whether jobs that an incident lists wait here. Its own jobs tell: others may wait elsewhere for reasons of their own.
fn holds(view: &QueueView, incident: &Incident, ledger: &Ledger) -> bool {
    let is_listed = |job: &WaitingJob| {
        let known = ledger.job(job.ix).map(|job| &job.known);
        let enqueued_at = known.and_then(|known| known.enqueued).map(|enqueue| enqueue.at);
        let class = known.and_then(|known| known.class());
        incident.jobs.iter().any(|it| it.enqueued_at == enqueued_at && it.class.as_ref() == class)
    };
    view.waiting.iter().take(JOBS_LISTED_MAX).any(is_listed)
}

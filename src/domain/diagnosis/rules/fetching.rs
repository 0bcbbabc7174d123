//! Whether the queue's store is the fault: the app cannot put jobs on it, workers cannot fetch, or it lost them.

use super::Candidate;
use crate::domain::diagnosis::evidence::{Errors, Evidence};
use crate::domain::incidents::Kind;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Finding, Unknown, Who};
use crate::domain::incidents::weight::Weight;
use crate::domain::job::{ConnectionName, MINUTE_MS, Timestamp};

/// Errors that are no accident any more.
const ERRORS_LEAST: u64 = 3;
/// A worker that cannot fetch says so each few seconds: after this long without a word it is past, if others reach the
/// store meanwhile.
const SILENT_MS: i64 = MINUTE_MS;
/// The same where nobody is seen to reach the store.
const GOING_ON_MS: i64 = 5 * MINUTE_MS;

/// Workers are alive and get nothing: their fetches fail, or they say that they live and start nothing.
pub(super) fn cannot_fetch(evidence: &Evidence<'_>) -> Option<Candidate> {
    let errors = evidence.store.fetch;
    let newest_start = evidence.workers.newest_job_line;
    let is_going_on = |errors: &Errors<'_>| {
        let since_start = errors.newest.max(newest_start) == errors.newest;
        errors.count >= ERRORS_LEAST && since_start
    };
    // The app has put jobs on this very queue since, and no worker has met an error any more.
    let is_over = errors.newest.is_some_and(|at| {
        evidence.question.view.newest_enqueue > Some(at) && evidence.heard.since_ms(at) > SILENT_MS
    });
    let is_now = errors.newest.is_some_and(|at| evidence.heard.since_ms(at) <= GOING_ON_MS);
    let candidate = |weight| Candidate::new(Cause::CannotFetch, weight).leaving([Unknown::StoreHolds]);
    if is_going_on(&errors) && !is_over {
        // No start anywhere since the first error: there is nothing else that a worker does.
        let is_only = errors.oldest > newest_start;
        let is_known = errors.sub_cause().is_some();
        return Some(
            candidate(Weight::Strong)
                .because(errors.sub_cause())
                .certain_if(is_now && is_only && is_known)
                .with(errors.fact(Who::Worker))
                .with(evidence.store.push.fact(Who::App)),
        );
    }
    if let Some(candidate) = alive_and_idle(evidence) {
        return Some(candidate);
    }
    let unsided = evidence.store.unsided;
    let hint = if errors.count > 0 { errors } else { unsided };
    let who = if errors.count > 0 { Who::Worker } else { Who::Unknown };
    if is_going_on(&hint) || (errors.count > 0 && errors.newest > newest_start) {
        let unknown = (who == Who::Unknown).then_some(Unknown::WhoMetIt);
        return Some(
            candidate(Weight::Possible).because(hint.sub_cause()).with(hint.fact(who)).leaving(unknown),
        );
    }
    None
}

/// Heartbeats that name this queue, newer than its oldest job, and no start.
fn alive_and_idle(evidence: &Evidence<'_>) -> Option<Candidate> {
    if evidence.kind() != Kind::Stalled {
        return None;
    }
    let fresh = evidence.workers.naming.iter().filter(|worker| worker.newest >= evidence.since);
    let (count, newest) = fresh.fold((0_u64, Timestamp::MIN), |(count, newest), worker| {
        (count.saturating_add(1), newest.max(worker.newest))
    });
    (count > 0).then(|| {
        Candidate::new(Cause::CannotFetch, Weight::Strong)
            .with([Fact::at(Finding::WorkersAlive(count), newest)])
            .leaving([Unknown::WorkersStore, Unknown::StoreHolds])
    })
}

/// The app is refused by the store.
pub(super) fn enqueue_errors(evidence: &Evidence<'_>) -> Option<Candidate> {
    let errors = evidence.store.push;
    let is_asked = evidence.kind() == Kind::EnqueueErrors;
    let fact = errors.fact(Who::App);
    if !is_asked
        && (errors.count < ERRORS_LEAST || errors.newest < Some(evidence.since.minus_ms(GOING_ON_MS)))
    {
        return None;
    }
    let weight = if is_asked { Weight::Shown } else { Weight::Possible };
    // Such errors name no queue.
    let newest_enqueue = evidence.ledger.queues().filter_map(|(_, facts)| facts.newest_enqueue).max();
    Some(
        Candidate::new(Cause::EnqueueErrors, weight)
            .because(errors.sub_cause())
            .certain_if(is_asked)
            .with(fact)
            .with(evidence.store.fetch.fact(Who::Worker))
            .with(is_asked.then(|| Fact::when(Finding::LastEnqueueAnywhere, newest_enqueue))),
    )
}

/// The store failed while the oldest jobs waited, and jobs start again since: those may be gone with it. Where jobs are
/// counted, the oldest that wait are none of those, but as many.
pub(super) fn store_came_back(evidence: &Evidence<'_>) -> Option<Candidate> {
    let store = &evidence.store;
    let newest =
        [store.fetch, store.push, store.unsided].into_iter().filter_map(|errors| errors.newest).max()?;
    let is_counted = evidence.question.jobs.iter().any(|job| job.is_counted);
    let is_back = evidence.queue.newest_start > Some(newest);
    store_lost_jobs(evidence).filter(|_| is_back && (is_counted || newest >= evidence.since))
}

/// Jobs that were passed over, and a store that failed between: without persistence it forgets what it held.
pub(super) fn store_lost_jobs(evidence: &Evidence<'_>) -> Option<Candidate> {
    let sides = [
        (evidence.store.fetch, Who::Worker),
        (evidence.store.push, Who::App),
        (evidence.store.unsided, Who::Unknown),
    ];
    let unknown = [Unknown::GoneOrUnseen, Unknown::StoreHolds];
    let met = sides.into_iter().find(|(errors, _)| errors.count > 0);
    let Some((errors, who)) = met else {
        let keeps_rows = evidence
            .question
            .place
            .connection
            .as_ref()
            .map(ConnectionName::as_str)
            .is_some_and(|name| name == "database");
        // A database does not forget a row by itself.
        return (!keeps_rows)
            .then(|| Candidate::new(Cause::CannotFetch, Weight::Conceivable).leaving(unknown));
    };
    let is_restart =
        matches!(errors.sub_cause(), Some(SubCause::Refused | SubCause::ConnectionLost | SubCause::Loading));
    let (weight, sub_cause) = match is_restart {
        true => (Weight::Likely, Some(SubCause::StoreForgot)),
        false => (Weight::Possible, errors.sub_cause()),
    };
    Some(
        Candidate::new(Cause::CannotFetch, weight).because(sub_cause).with(errors.fact(who)).leaving(unknown),
    )
}

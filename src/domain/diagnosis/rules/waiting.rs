//! Why jobs wait though workers are heard: a pause, other queues, too much work.

use super::Candidate;
use crate::domain::diagnosis::evidence::{Elsewhere, Evidence};
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Finding, Unknown};
use crate::domain::incidents::weight::Weight;
use crate::domain::job::{ConnectionName, SECOND_MS, Timestamp};
use crate::domain::model::queue_ref::QueueRef;

/// A worker may take one job more while it reads that its queue is paused.
const PAUSE_TAKES_MS: i64 = 5 * SECOND_MS;

/// Starts within ten minutes that show that a queue flows: one or two may follow a long job.
const STARTS_LEAST: u64 = 5;

/// A line says that the queue is paused, or the app down; none that it goes on; and nothing started since.
pub(super) fn paused(evidence: &Evidence<'_>) -> Option<Candidate> {
    let signals = &evidence.ledger.signals;
    let paused = signals.paused_since(evidence.question.place, &evidence.others.places);
    let (since, is_down) = paused.filter(|(at, _)| *at <= evidence.heard)?;
    if evidence.queue.newest_start > Some(since.plus_ms(PAUSE_TAKES_MS)) {
        return None;
    }
    let finding = if is_down { Finding::Maintenance } else { Finding::Paused };
    Some(
        Candidate::new(Cause::Paused, Weight::Shown)
            .because(is_down.then_some(SubCause::Maintenance))
            // Maintenance may have ended where no line told of it: `artisan up` prints to whoever typed it.
            .certain_if(!is_down)
            .with([Fact::at(finding, since)]),
    )
}

/// Jobs of other queues start, and none of this one.
pub(super) fn queue_not_consumed(evidence: &Evidence<'_>) -> Option<Candidate> {
    let (place, is_spread) = (evidence.question.place, evidence.question.view.is_spread);
    if place.queue.is_none() || is_spread {
        let candidate = one_of_several(evidence);
        if candidate.is_some() || !is_spread {
            return candidate;
        }
    }
    let others = &evidence.workers.naming_others;
    let is_named_by_none = evidence.workers.naming.is_empty() && evidence.workers.naming_none == 0;
    let only_others = !others.is_empty() && is_named_by_none;
    let moved_from = evidence.queue.moved_from.as_ref();
    let elsewhere = telling(evidence).next();
    if elsewhere.is_none() && !only_others && moved_from.is_none() {
        return None;
    }
    let was_consumed = was_consumed(evidence);
    let sub_cause = match wrong_connection(evidence, only_others) {
        true => Some(SubCause::WrongConnection),
        false if only_others || !was_consumed => Some(SubCause::WrongQueue),
        // It was consumed once, and its neighbour has more than enough to do.
        false => elsewhere
            .filter(|it| it.is_busy && it.place.may_share_connection(place))
            .map(|_| SubCause::Starved),
    };
    let is_since = elsewhere.is_some_and(|it| it.is_since);
    let weight = match (only_others, was_consumed, sub_cause) {
        (true, ..) => Weight::Shown,
        _ if !is_since => Weight::Likely,
        (false, false, _) | (_, _, Some(SubCause::Starved | SubCause::WrongConnection)) => Weight::Strong,
        _ => Weight::Likely,
    };
    let serves = others.iter().filter(|_| only_others).max_by_key(|worker| worker.newest).map(|worker| {
        let (connection, queues) = (worker.connection.clone(), worker.queues.iter().cloned().collect());
        Fact::at(Finding::WorkerServes { connection, queues }, worker.newest)
    });
    Some(
        Candidate::new(Cause::QueueNotConsumed, weight)
            .because(sub_cause)
            // Heartbeats name every queue of every worker that speaks, and these workers do work.
            .certain_if(only_others && is_since)
            .with(serves)
            .with(moved_from.map(|(place, at)| started_on(place, *at)))
            .with(elsewhere.map(moving))
            .leaving((!only_others).then_some(Unknown::WorkersQueues)),
    )
}

/// A class waits on several queues, and its starts do not tell from which they came: some of it starts, so that it is
/// one of the queues that is left out.
pub(super) fn one_of_several(evidence: &Evidence<'_>) -> Option<Candidate> {
    let newest_start = evidence.queue.newest_start.filter(|at| *at >= evidence.since)?;
    let place = &evidence.question.place;
    let queues: Vec<String> = if place.queue.is_some() && evidence.question.view.is_spread {
        // One queue, of several connections.
        evidence.queue.places.iter().map(ToString::to_string).collect()
    } else {
        evidence.question.view.queues.iter().map(ToString::to_string).collect()
    };
    let place = queues.join(", ");
    (queues.len() > 1).then(|| {
        Candidate::new(Cause::QueueNotConsumed, Weight::Likely)
            .with([Fact::at(Finding::StartsOnOneOf { place }, newest_start)])
            .leaving([Unknown::WhichQueue, Unknown::WorkersQueues])
    })
}

/// Whether any job of this queue was ever started. One that nothing was put on before was not, whatever starts without
/// names are counted for.
fn was_consumed(evidence: &Evidence<'_>) -> bool {
    evidence.queue.newest_start.is_some() && evidence.queue.moved_from.is_none()
}

/// Jobs go to one connection, and every start since is on another.
fn wrong_connection(evidence: &Evidence<'_>, only_others: bool) -> bool {
    let Some(mine) = &evidence.question.place.connection else { return false };
    let is_other = |name: &Option<ConnectionName>| name.as_ref().is_some_and(|name| name != mine);
    let mut elsewhere = telling(evidence).peekable();
    if elsewhere.peek().is_some() {
        return elsewhere.all(|it| is_other(&it.place.connection));
    }
    only_others && evidence.workers.naming_others.iter().all(|worker| is_other(&worker.connection))
}

/// Queues on which jobs started since. For one that never had a worker it is enough that others had theirs until
/// shortly before.
fn telling<'e, 'a>(evidence: &'e Evidence<'a>) -> impl Iterator<Item = &'e Elsewhere<'a>> {
    let was_consumed = was_consumed(evidence);
    evidence.queue.elsewhere.iter().filter(move |it| it.is_since || !was_consumed)
}

fn moving(elsewhere: &Elsewhere<'_>) -> Fact {
    started_on(elsewhere.place, elsewhere.newest_start)
}

fn started_on(place: &QueueRef, newest: Timestamp) -> Fact {
    Fact::at(Finding::StartsElsewhere { place: place.to_string() }, newest)
}

/// Jobs start, and too few for what comes.
pub(super) fn slow_backlog(evidence: &Evidence<'_>) -> Option<Candidate> {
    let throughput = evidence.queue.throughput;
    let is_moving = evidence.is_moving();
    // Starts that go on, attempts that end well, and jobs that wait all the same: there is no other word for it.
    // Where starts do not tell the queue, one of several may be left out as well.
    let is_whole = is_moving && evidence.fleet.is_none() && !evidence.question.view.is_spread;
    let is_shown = is_moving && throughput.started >= STARTS_LEAST && throughput.good > throughput.bad;
    Some(
        // Of workers that are gone the next cause tells.
        Candidate::new(Cause::SlowBacklog, if is_whole { Weight::Strong } else { Weight::Possible })
            .certain_if(is_shown && is_whole)
            .with([evidence.queue.pace(), Fact::when(Finding::LastStart, evidence.queue.newest_start)]),
    )
}

/// Jobs start on a busier queue of the same connection, and few here.
pub(super) fn starved(evidence: &Evidence<'_>) -> Option<Candidate> {
    let place = evidence.question.place;
    let is_busier = |it: &&Elsewhere<'_>| it.is_busy && it.is_since && it.place.may_share_connection(place);
    let busier = evidence.queue.elsewhere.iter().find(is_busier)?;
    Some(
        Candidate::new(Cause::QueueNotConsumed, Weight::Possible)
            .because(Some(SubCause::Starved))
            .with([moving(busier)])
            .leaving([Unknown::WorkersQueues]),
    )
}

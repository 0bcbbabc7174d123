//! What becomes of attempts that start: workers die under them, or they go on and on.

use std::sync::Arc;

use super::Candidate;
use crate::domain::diagnosis::evidence::Evidence;
use crate::domain::incidents::Kind;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Finding, Unknown};
use crate::domain::incidents::weight::Weight;

/// Open attempts, kills, boots or failed starts that are no accident any more.
const STORM: usize = 3;

/// Workers die and start again: a job that lost its worker twice, open attempts and no success since the oldest,
/// kills, boots of one stream, or errors before a job is taken.
pub(super) fn crash_loop(evidence: &Evidence<'_>) -> Option<Candidate> {
    let (attempts, workers) = (&evidence.attempts, &evidence.workers);
    let process = evidence.store.process;
    let is_storm = |count: usize| count >= STORM;
    let kills = workers.kills.filter(|(count, _)| is_storm(*count));
    let bad_ends = workers.bad_ends.filter(|(count, at)| {
        // Of attempts that end in their worker's death, others may well end between.
        is_storm(*count) && (evidence.kind() == Kind::StuckRunning || Some(*at) > workers.newest_job_line)
    });
    let given_up = workers.given_up.filter(|_| evidence.kind() == Kind::Stalled);
    let boots = workers.boots.filter(|(count, ..)| is_storm(*count));
    let fruitless = Some(attempts.fruitless).filter(|count| is_storm(*count));
    // A worker that fails before it takes a job, again and again.
    let failed_starts =
        (process.count >= STORM as u64 && process.newest > workers.newest_job_line).then_some(process);
    let is_dying = kills.is_some()
        || boots.is_some()
        || failed_starts.is_some()
        || bad_ends.is_some()
        || given_up.is_some_and(|_| workers.bad_ends.is_some());
    // An attempt that cannot end any more: its worker broke off under it.
    let is_orphaned = evidence.kind() == Kind::StuckRunning
        && !attempts.open.is_empty()
        && attempts.open.iter().all(|open| open.is_broken_off);
    let is_repeating = workers.is_repeating && evidence.kind() == Kind::Stalled;
    if attempts.lost_twice.is_none() && fruitless.is_none() && !is_dying && !is_orphaned && !is_repeating {
        return None;
    }
    let text = failed_starts.and_then(|errors| errors.text).or(process.text);
    let sub_cause = match text.and_then(|text| SubCause::of_worker(text)) {
        Some(SubCause::OutOfMemory) => Some(SubCause::OutOfMemory),
        _ => failed_starts.map(|_| SubCause::DiesAtStart),
    };
    let is_starting = attempts.lost_twice.is_some() || fruitless.is_some();
    // Attempts that end in nothing and workers that die are two views of one thing.
    let is_certain = (is_starting && (kills.is_some() || boots.is_some())) || failed_starts.is_some();
    let weight = if is_certain || is_dying { Weight::Strong } else { Weight::Likely };
    let oldest = attempts.open.first().map(|open| open.started_at);
    let mut facts = Vec::new();
    facts.extend(attempts.lost_twice.map(|(count, at)| Fact::at(Finding::LostJobs(count), at)));
    facts.extend(fruitless.map(|count| Fact::when(Finding::OpenStarts(count as u64), oldest)));
    facts.extend(given_up.map(|(at, text)| Fact::at(Finding::WorkerStopped(Arc::clone(text)), at)));
    facts.extend(
        bad_ends.filter(|_| kills.is_none()).map(|(count, at)| Fact::at(Finding::BadExits(count as u64), at)),
    );
    facts.extend(kills.map(|(count, at)| Fact::at(Finding::Killed(count as u64), at)));
    facts.extend(boots.map(|(count, stream, at)| {
        Fact::at(Finding::Boots { count: count as u64, stream: Arc::clone(&stream.log_stream) }, at)
    }));
    facts.extend(process.newest.map(|at| {
        Fact::at(Finding::WorkerErrors { count: process.count, text: process.text.map(Arc::clone) }, at)
    }));
    facts.extend(workers.last_stop.map(|(at, text)| Fact::at(Finding::WorkerStopped(Arc::clone(text)), at)));
    Some(
        Candidate::new(Cause::CrashLoop, weight)
            .because(sub_cause)
            .certain_if(is_certain && evidence.kind() != Kind::StuckRunning)
            .with(facts)
            .leaving(sub_cause.is_none().then_some(Unknown::WhyItDied)),
    )
}

/// A job goes back to its queue by its own will, by its attempts' numbers.
pub(super) fn put_back(evidence: &Evidence<'_>) -> Option<Candidate> {
    let stuck = evidence.question.view.stuck.iter();
    let (count, attempt) =
        stuck.filter_map(|attempt| Some((attempt.put_back?, attempt))).max_by_key(|it| it.0)?;
    let what = Finding::PutBack { class: attempt.class.clone(), count };
    // The attempts' own numbers leave no other, unless other attempts are stuck as well.
    let is_only = evidence.question.view.stuck.iter().all(|attempt| attempt.put_back.is_some());
    let candidate = Candidate::new(Cause::PutBack, Weight::Shown).certain_if(is_only);
    Some(candidate.with([Fact::at(what, attempt.started_at)]))
}

/// The workers that are known are in a job that goes on, and nothing else starts.
pub(super) fn behind_long_job(evidence: &Evidence<'_>) -> Option<Candidate> {
    let alive = evidence.attempts.open.iter().filter(|open| !open.is_broken_off);
    let newest = alive.max_by_key(|open| open.started_at)?;
    let is_last_start = evidence.queue.newest_start <= Some(newest.started_at);
    if !is_last_start || newest.started_at > evidence.heard {
        return None;
    }
    let weight = match (newest.is_in_time, evidence.is_moving()) {
        // Nothing else has started for as long as anybody may wait.
        (true, false) => Weight::Strong,
        (true, true) => Weight::Conceivable,
        // Nothing ended it in its time: the worker may as well have died in it.
        (false, _) => Weight::Fallback,
    };
    let class = newest.class.cloned();
    Some(
        Candidate::new(Cause::BehindLongJob, weight)
            .with([Fact::at(Finding::StillRunning { class }, newest.started_at)])
            .leaving([Unknown::RunsOrHangs]),
    )
}

/// An attempt goes on past its time, and nothing says that its worker died.
pub(super) fn hung(evidence: &Evidence<'_>) -> Option<Candidate> {
    let attempts = &evidence.attempts;
    let over = attempts.open.iter().find(|open| !open.is_in_time).or(attempts.open.first());
    let retried =
        attempts.retried_every.map(|(every_ms, timeout_ms)| Finding::RetriedEvery { every_ms, timeout_ms });
    let is_twice =
        attempts.retried_every.is_some_and(|(every, timeout)| timeout.is_some_and(|ms| every < ms));
    let is_over = attempts.open.iter().all(|open| open.is_broken_off);
    let is_heard = !is_over && over.is_some_and(|open| open.is_heard_since);
    // Its own stream is silent, and jobs go on starting there: what one attempt would hold up is one worker. Where
    // nothing starts any more, it is as likely that the worker is gone.
    let goes_on = !is_over && over.is_some_and(|open| evidence.queue.newest_start > Some(open.started_at));
    let weight = match (is_twice, is_heard || retried.is_some(), goes_on) {
        // It starts again while it may still run: that needs no worker that dies.
        (true, ..) => Weight::Strong,
        // It is heard of, and did not end: it hangs.
        (false, true, _) => Weight::Likely,
        (false, false, true) => Weight::Possible,
        (false, false, false) => Weight::Conceivable,
    };
    Some(
        Candidate::new(Cause::JobTimeout, weight)
            .with(
                over.map(|open| {
                    Fact::at(Finding::StillRunning { class: open.class.cloned() }, open.started_at)
                }),
            )
            .with(retried.map(Fact::timeless))
            .leaving([Unknown::RunsOrHangs])
            .leaving(is_twice.then_some(Unknown::RanTwice)),
    )
}

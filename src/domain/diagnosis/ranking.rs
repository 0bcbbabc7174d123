//! The likely causes in order, and what goes with the likeliest: facts, changes, what is left open, what to run.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Diagnosis;
use super::evidence::{Evidence, counting, queue_facts};
use super::rules::Candidate;
use crate::domain::incidents::cause::Cause;
use crate::domain::incidents::fact::{Fact, Finding, Trend, Unknown};
use crate::domain::incidents::weight::Weight;
use crate::domain::incidents::{Blindness, Kind};
use crate::domain::job::{HOUR_MS, JobClass, JobId, JobUuid, MINUTE_MS, QueueName};
use crate::domain::runbook::{self, LogsQuery, Problem, task_of};

/// Causes named beside the likeliest: more are none.
const RUNNERS_UP_MAX: usize = 2;
/// Facts of one message, the telling ones first: what fits on a phone.
const FACTS_MAX: usize = 6;
/// Changes told: the newest.
const CHANGES_MAX: usize = 3;
/// Things told that logs cannot tell.
const UNKNOWN_MAX: usize = 4;
/// How far back something that changed may have to do with it.
const CHANGED_BEFORE_MS: i64 = HOUR_MS;
/// Jobs whose classes are looked for in the logs.
const JOBS_ASKED_MAX: usize = 100;
/// A queue grows as long as the newest enqueue is this young.
const STILL_COMING_MS: i64 = 2 * MINUTE_MS;
/// What is read of the logs before the trouble began.
const LOGS_BEFORE_MS: i64 = 5 * MINUTE_MS;

/// Puts the causes in order and says what goes with the first.
pub(super) fn rank(candidates: Vec<Candidate>, evidence: &Evidence<'_>) -> Diagnosis {
    let mut candidates = candidates;
    // Where two are certain, the lines leave another.
    if candidates.iter().filter(|it| it.is_certain).count() > 1 {
        candidates.iter_mut().for_each(|it| it.is_certain = false);
    }
    candidates.sort_by_key(|it| Reverse((it.is_certain, it.weight)));
    let mut best = Vec::new();
    for candidate in candidates {
        if best.iter().all(|known: &Candidate| known.cause != candidate.cause) {
            best.push(candidate);
        }
    }
    if best.is_empty() {
        best.push(left_over(evidence));
    }
    let mut best = best.into_iter();
    let Some(first) = best.next() else { return diagnosis(left_over(evidence), Vec::new(), evidence) };
    let rest: Vec<Candidate> =
        if first.is_certain { Vec::new() } else { best.take(RUNNERS_UP_MAX).collect() };
    diagnosis(first, rest, evidence)
}

/// Where no rule has anything to say.
fn left_over(evidence: &Evidence<'_>) -> Candidate {
    let cause = if evidence.is_hidden() { Cause::NeverObserved } else { Cause::WorkerSilent };
    Candidate {
        cause,
        weight: Weight::Fallback,
        sub_cause: None,
        is_certain: false,
        facts: Vec::new(),
        cannot_tell: vec![Unknown::WorkerRuns],
    }
}

fn diagnosis(first: Candidate, rest: Vec<Candidate>, evidence: &Evidence<'_>) -> Diagnosis {
    let question = evidence.question;
    let waiting = question.view.waiting.iter().filter(|job| job.ready_at <= question.now).count();
    let cannot_tell = cannot_tell(&first, &rest, evidence);
    let log_file = evidence.files.first().map(|file| (&**file.file, file.newest_stream));
    // Where output is hidden, the container that hides it is the one to look into.
    let is_hidden = first.cause == Cause::LogsNotForwarded;
    let queues: Vec<QueueName> = question.incident.queues.iter().cloned().collect();
    let silent = evidence.sight.silent.first().map(|(group, _)| &***group);
    let group = silent.or(evidence.workers.stream.map(|stream| &*stream.log_group));
    let is_on_ecs = evidence.policy.ecs.cluster.is_some()
        || evidence.ledger.streams.all().iter().any(|stream| task_of(&stream.log_stream).is_some());
    let problem = Problem {
        cause: first.cause,
        sub_cause: first.sub_cause,
        queue_ref: question.place,
        queues: &queues,
        stream: log_file
            .filter(|_| is_hidden)
            .map(|(_, stream)| stream)
            .or(evidence.workers.app_stream.filter(|_| first.cause == Cause::EnqueueErrors))
            .or(evidence.workers.stream),
        log_file,
        log_group: group,
        is_on_ecs,
    };
    Diagnosis {
        cause: first.cause,
        sub_cause: first.sub_cause,
        is_certain: first.is_certain,
        weight: first.weight,
        runners_up: rest.iter().map(|it| it.cause).collect(),
        evidence: facts(&first, &rest, evidence),
        changes: changes(evidence),
        trend: evidence.queue.trend(waiting).filter(|trend| {
            match evidence.kind() {
                // Nothing starts, so nothing drains.
                Kind::Stalled => matches!(trend, Trend::Growing { .. }),
                // A burst that is over does not make it grow.
                Kind::Backlog => matches!(trend, Trend::Draining { .. }) || is_still_coming(evidence),
                Kind::Lost | Kind::Failing | Kind::StuckRunning | Kind::EnqueueErrors | Kind::Blind => false,
            }
        }),
        cannot_tell,
        commands: if is_ours(evidence) { Vec::new() } else { runbook::steps(&problem, evidence.policy) },
        logs: logs(evidence).filter(|_| evidence.policy.deployment.is_on_aws() && !is_ours(evidence)),
        as_of: question.now,
    }
}

/// Whether jobs came until a moment ago.
fn is_still_coming(evidence: &Evidence<'_>) -> bool {
    let newest = evidence.question.view.newest_enqueue;
    newest.is_some_and(|at| evidence.heard.since_ms(at) <= STILL_COMING_MS)
}

/// Whether the fault is in what we are given, and no command about the app tells more: the advice says what to do.
fn is_ours(evidence: &Evidence<'_>) -> bool {
    matches!(
        evidence.question.incident.key.reason,
        Some(Blindness::NoEnqueueLines | Blindness::Rejected | Blindness::Late | Blindness::Unrecognised)
    )
}

/// Whether it is about jobs that wait on a queue.
fn is_of_a_queue(evidence: &Evidence<'_>) -> bool {
    matches!(evidence.kind(), Kind::Stalled | Kind::Lost | Kind::Backlog)
}

/// What decides, then what speaks for the others, then how the queue stands.
fn facts(first: &Candidate, rest: &[Candidate], evidence: &Evidence<'_>) -> Vec<Fact> {
    let mut facts: Vec<Fact> =
        first.sub_cause.map(|it| Fact::timeless(Finding::Because(it))).into_iter().collect();
    let mut add = |fact: Fact| {
        if facts.len() < FACTS_MAX && !facts.contains(&fact) {
            facts.push(fact);
        }
    };
    let question = evidence.question;
    first.facts.iter().cloned().for_each(&mut add);
    last_words(first, evidence).into_iter().for_each(&mut add);
    evidence.too_few_workers().into_iter().for_each(&mut add);
    let missing = question.missing.filter(|_| evidence.kind().is_of_jobs());
    missing.map(|missing| Fact::timeless(Finding::LinesMissing(missing))).into_iter().for_each(&mut add);
    let queue = if is_of_a_queue(evidence) {
        queue_facts(evidence.ledger, question.view, question.jobs, question.now)
    } else {
        question.incident.evidence.clone()
    };
    // The queue's own three first: enqueues, starts, whether anything is heard; then what speaks for others.
    let is_main = |fact: &&Fact| {
        matches!(
            fact.what,
            Finding::LastEnqueue
                | Finding::LastStart
                | Finding::LastLine
                | Finding::NoJobLineEver
                | Finding::Counted
        )
    };
    queue.iter().filter(is_main).cloned().for_each(&mut add);
    rest.iter().flat_map(|it| it.facts.iter().cloned()).for_each(&mut add);
    queue.iter().cloned().for_each(&mut add);
    facts
}

/// Last words quoted: a shell's complaint, and what it is about.
const LAST_WORDS_MAX: usize = 2;

/// What the stream of silent workers says last, where no form knows it and the cause may be behind it.
fn last_words(first: &Candidate, evidence: &Evidence<'_>) -> Vec<Fact> {
    let is_asked = evidence.kind() == Kind::Stalled
        && matches!(
            first.cause,
            Cause::WorkerSilent | Cause::CrashLoop | Cause::CannotFetch | Cause::LogsNotForwarded
        );
    let lines = evidence.workers.last_lines.iter().filter(|_| is_asked).take(LAST_WORDS_MAX);
    lines.map(|(at, text)| Fact::at(Finding::LastWords(Arc::clone(text)), *at)).collect()
}

/// Deploys and boots from an hour before the trouble on, newest first.
fn changes(evidence: &Evidence<'_>) -> Vec<Fact> {
    let heard = evidence.heard;
    let from = evidence.since.min(heard).minus_ms(CHANGED_BEFORE_MS);
    let deploys = evidence.ledger.signals.deploy_marks.range(from..=heard);
    let mut changes: Vec<Fact> = deploys.map(|at| Fact::at(Finding::Deployed, *at)).collect();
    for stream in evidence.ledger.streams.all() {
        if let Some(at) = stream.boots.range(from..=heard).next_back() {
            changes.push(Fact::at(Finding::Booted { stream: Arc::clone(&stream.log_stream) }, *at));
        }
    }
    changes.sort_by_key(|fact| Reverse(fact.at));
    changes.truncate(CHANGES_MAX);
    changes
}

fn cannot_tell(first: &Candidate, rest: &[Candidate], evidence: &Evidence<'_>) -> Vec<Unknown> {
    let question = evidence.question;
    let mut unknown: Vec<Unknown> = first.cannot_tell.clone();
    let mut add = |it: Unknown| {
        if unknown.len() < UNKNOWN_MAX && !unknown.contains(&it) {
            unknown.push(it);
        }
    };
    if is_of_a_queue(evidence) {
        if question.place.queue.is_none() {
            add(Unknown::WhichQueue);
        }
        if !counting(evidence.ledger, question.jobs).is_empty() {
            add(Unknown::WhichJobs);
        }
        if evidence.ledger.traits.first_enqueue_at.is_some() && !evidence.ledger.traits.is_delay_logged {
            add(Unknown::Delays);
        }
    }
    if !first.is_certain {
        rest.iter().flat_map(|it| it.cannot_tell.iter().copied()).for_each(add);
    }
    unknown.retain(|it| evidence.policy.deployment.is_on_aws() || !it.is_told_by_cloudwatch());
    unknown
}

/// The lines of the oldest job and of its class, from shortly before the trouble on.
fn logs(evidence: &Evidence<'_>) -> Option<LogsQuery> {
    let question = evidence.question;
    let oldest = question.jobs.first().and_then(|job| evidence.ledger.job(job.ix)).map(|job| &job.known);
    let uuid = oldest.and_then(|known| known.uuid()).map(JobUuid::as_str);
    let id = oldest.and_then(|known| known.id()).filter(|id| !id.is_numeric()).map(JobId::as_str);
    // Jobs that are unknown are not in question any more.
    let is_unknown = question.incident.is_of_missing_lines();
    let listed = if is_unknown { question.incident.jobs.as_slice() } else { &[] };
    let failing = question.incident.detail.failure();
    let of_jobs: BTreeSet<&JobClass> = question
        .jobs
        .iter()
        .take(JOBS_ASKED_MAX)
        .filter_map(|job| evidence.ledger.job(job.ix)?.known.class())
        .chain(failing.classes.keys())
        .chain(listed.iter().filter_map(|job| job.class.as_ref()))
        .collect();
    let classes = of_jobs.into_iter().map(class_name);
    let words = uuid.into_iter().chain(id).chain(classes);
    let groups = evidence.ledger.sources.iter().map(|(group, _)| &**group);
    LogsQuery::new(groups, words, evidence.since.minus_ms(LOGS_BEFORE_MS), question.now)
}

/// `GenerateThumb` of `App\Jobs\GenerateThumb`.
fn class_name(class: &JobClass) -> &str {
    class.as_str().rsplit('\\').next().unwrap_or_default()
}

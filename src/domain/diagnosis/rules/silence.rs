//! What is left where workers are silent. None of it is ever certain.

use std::sync::Arc;

use super::Candidate;
use crate::domain::diagnosis::evidence::{Evidence, LogFile};
use crate::domain::incidents::Kind;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Finding, Unknown};
use crate::domain::incidents::weight::Weight;

/// How likely it must be that lines alone are missing before that is named first.
const CHANCE_LEAST: f64 = 0.01;

/// A file that worker output goes to, as far as nothing speaks against it.
pub(super) fn hidden<'e, 'a>(evidence: &'e Evidence<'a>) -> Option<&'e LogFile<'a>> {
    evidence.files.iter().find(|file| !file.is_disproved)
}

/// Jobs may well be processed, and the lines that say so go elsewhere: into a file that a line names, or they come in
/// a lump. Without either, it cannot be excluded.
pub(super) fn logs_not_forwarded(evidence: &Evidence<'_>) -> Option<Candidate> {
    let candidate = |weight| Candidate::new(Cause::LogsNotForwarded, weight);
    if let Some(file) = hidden(evidence) {
        // No job line came after the file was named: since then nothing else is known of any worker.
        let is_newest = evidence.workers.newest_job_line <= Some(file.said_at);
        let is_lost = evidence.kind() == Kind::Lost;
        let weight = if is_newest || is_lost { Weight::Strong } else { Weight::Possible };
        return Some(candidate(weight).with([file.fact()]).leaving([Unknown::FileContent]));
    }
    let unseen_count = evidence.question.incident.detail.loss().hidden_count;
    if unseen_count > 0 {
        // An end whose start never came: jobs do run without a word.
        let unseen = Fact::timeless(Finding::ConsumedUnseen(unseen_count));
        return Some(candidate(Weight::Strong).with([unseen]).leaving([Unknown::GoneOrUnseen]));
    }
    let missing = of_missing_lines(evidence);
    let is_lump = evidence.sight.late_lump.is_some();
    if is_lump && missing.is_none_or(|weight| weight <= Weight::Possible) {
        return Some(
            candidate(Weight::Possible).with(evidence.sight.lateness()).leaving([Unknown::GoneOrUnseen]),
        );
    }
    if let Some(weight) = missing {
        let unknown =
            if evidence.kind() == Kind::Stalled { Unknown::DeadOrUnheard } else { Unknown::GoneOrUnseen };
        return Some(candidate(weight).because(Some(SubCause::LinesDropped)).leaving([unknown]));
    }
    let weight = if evidence.kind() == Kind::Lost { Weight::Fallback } else { Weight::Conceivable };
    let unknown = if evidence.kind() == Kind::Lost { Unknown::GoneOrUnseen } else { Unknown::DeadOrUnheard };
    Some(candidate(weight).leaving([unknown]))
}

/// How much speaks for lines that go missing one by one, where some do. One job that is not seen to start, or whose
/// attempt is not seen to end, is then as likely as not one of those; many at once are not.
fn of_missing_lines(evidence: &Evidence<'_>) -> Option<Weight> {
    let share = evidence.question.missing?.share();
    Some(match evidence.kind() {
        Kind::Lost if evidence.question.incident.is_of_missing_lines() => Weight::Strong,
        // So many that missing lines do not explain them.
        Kind::Lost => Weight::Possible,
        Kind::StuckRunning => Weight::Likely,
        Kind::Stalled => {
            let jobs = i32::try_from(evidence.question.jobs.len()).unwrap_or(i32::MAX);
            // Neither the start nor the end of any of them.
            let chance = share.powi(jobs.saturating_mul(2));
            if chance > CHANCE_LEAST { Weight::Likely } else { Weight::Conceivable }
        }
        Kind::Backlog | Kind::Failing | Kind::EnqueueErrors | Kind::Blind => Weight::Conceivable,
    })
}

/// Workers were heard once, and are not any more.
pub(super) fn worker_silent(evidence: &Evidence<'_>) -> Option<Candidate> {
    let workers = &evidence.workers;
    let heard_once =
        !evidence.is_hidden() || workers.newest_boot.is_some() || workers.last_heartbeat.is_some();
    if !heard_once {
        return None;
    }
    if let Some(fleet) = evidence.fleet.filter(|_| evidence.kind() == Kind::Backlog) {
        let missing = Finding::WorkersSilent { count: fleet.silent, of: fleet.of };
        let candidate = Candidate::new(Cause::WorkerSilent, Weight::Likely);
        let unknown = [Unknown::WorkerRuns, Unknown::DeadOrUnheard];
        return Some(candidate.with([Fact::at(missing, fleet.last_line)]).leaving(unknown));
    }
    let is_alive = match evidence.kind() {
        Kind::StuckRunning => evidence.attempts.open.iter().all(|open| open.is_heard_since),
        Kind::Backlog => evidence.is_moving(),
        Kind::Stalled | Kind::Lost | Kind::Failing | Kind::EnqueueErrors | Kind::Blind => false,
    };
    if is_alive {
        return None;
    }
    // A worker's last words, after which nothing came: it ended, and nothing says that another one began.
    let last_words = workers.last_stop.filter(|(at, _)| {
        let after = [workers.newest_job_line, workers.newest_boot.map(|(at, _)| at), workers.last_heartbeat];
        after.into_iter().flatten().all(|later| later <= *at)
    });
    // Heartbeats that have ceased are more than silence: this worker used to speak when it had nothing to do.
    // In a job it does not: an attempt that hangs is as silent as a worker that is gone.
    let is_of_attempts = evidence.kind() == Kind::StuckRunning;
    let ceased = workers.last_heartbeat.filter(|_| workers.naming.is_empty() && !is_of_attempts);
    // Of several that somebody counts on, some may still speak.
    let is_short =
        workers.last_heartbeat.is_some() && evidence.too_few_workers().is_some() && !is_of_attempts;
    let weight =
        if last_words.is_some() || ceased.is_some() || is_short { Weight::Likely } else { Weight::Fallback };
    let stopped = last_words.map(|(at, text)| Fact::at(Finding::WorkerStopped(Arc::clone(text)), at));
    Some(
        Candidate::new(Cause::WorkerSilent, weight)
            .with(stopped)
            .with(ceased.map(|at| Fact::at(Finding::LastHeartbeat, at)))
            .leaving([Unknown::WorkerRuns, Unknown::DeadOrUnheard]),
    )
}

/// No job line of a worker ever came: it was never started, or nothing of it ever reaches us.
pub(super) fn never_observed(evidence: &Evidence<'_>) -> Option<Candidate> {
    let is_hidden = evidence.is_hidden() && hidden(evidence).is_none();
    is_hidden.then(|| {
        Candidate::new(Cause::NeverObserved, Weight::Possible)
            .with([Fact::timeless(Finding::NoJobLineEver)])
            .leaving([Unknown::WorkerRuns, Unknown::DeadOrUnheard])
    })
}

//! Attempts that end badly: at once, or in their timeout.

use std::sync::Arc;

use super::Candidate;
use super::silence::hidden;
use crate::domain::diagnosis::evidence::{ClassFailure, Evidence};
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Finding, Unknown};
use crate::domain::incidents::weight::Weight;
use crate::domain::incidents::{Kind, Rise};
use crate::domain::job::SECOND_MS;

/// What fails within this time did not get to its work.
const FAST_MS: i64 = 5 * SECOND_MS;
/// Bad ends that are no accident any more.
const BAD_LEAST: u64 = 3;

/// Attempts start, and end in an exception.
pub(super) fn failing_fast(evidence: &Evidence<'_>) -> Option<Candidate> {
    let is_asked = evidence.kind() == Kind::Failing;
    // A timeout is told by its own rule.
    let failures = || evidence.failures.iter().filter(|it| !it.is_timeout() && it.overlapped_ms.is_none());
    let worst = failures().find(|it| is_asked || (it.is_bad() && it.bad >= BAD_LEAST));
    let Some(worst) = worst else {
        // In a file that nobody sees, jobs may fail as well as succeed.
        let is_hidden = evidence.kind() == Kind::Stalled && hidden(evidence).is_some();
        return is_hidden.then(|| Candidate::new(Cause::FailingFast, Weight::Conceivable));
    };
    let is_fast = worst.longest_ms.is_none_or(|ms| ms <= FAST_MS);
    let sub_cause = worst.sub_cause().or_else(|| worst.text.and_then(|text| SubCause::of_store(text)));
    // Ends that lines print leave no doubt that attempts fail; only a lost worker may stand behind used-up attempts.
    let is_cut_off = is_cut_off(evidence, worst);
    let is_certain =
        is_asked && is_fast && worst.is_bad() && sub_cause != Some(SubCause::MaxAttempts) && !is_cut_off;
    let weight = match evidence.kind() {
        Kind::Failing | Kind::Backlog if is_cut_off => Weight::Conceivable,
        Kind::Failing | Kind::Backlog => Weight::Strong,
        // It does not tell why nothing starts.
        Kind::Stalled | Kind::Lost | Kind::StuckRunning | Kind::EnqueueErrors | Kind::Blind => {
            Weight::Conceivable
        }
    };
    Some(
        Candidate::new(Cause::FailingFast, weight)
            .because(sub_cause)
            .certain_if(is_certain)
            .with(rises(evidence).filter(|_| is_asked))
            .with(facts(evidence, worst, is_asked))
            .leaving(worst.is_ambiguous.then_some(Unknown::FailOrRetry))
            .leaving((sub_cause == Some(SubCause::MaxAttempts)).then_some(Unknown::WhyItDied)),
    )
}

/// Whether a platform ends attempts from outside, in its own words, and the class's failures do not say otherwise.
fn is_cut_off(evidence: &Evidence<'_>, failure: &ClassFailure<'_>) -> bool {
    let says_nothing = failure.text.is_none() || failure.sub_cause() == Some(SubCause::MaxAttempts);
    says_nothing && evidence.workers.timed_out.is_some()
}

/// Which classes fail more often than before.
fn rises(evidence: &Evidence<'_>) -> impl Iterator<Item = Fact> {
    let rises = evidence.question.incident.detail.failure().rises;
    rises.into_iter().map(|(class, Rise { percent, before })| {
        Fact::timeless(Finding::FailsMore { class, percent, before })
    })
}

/// Of the worst class, and where that is asked for the first line of each other.
fn facts(evidence: &Evidence<'_>, worst: &ClassFailure<'_>, is_asked: bool) -> Vec<Fact> {
    let others = evidence.failures.iter().filter(|it| is_asked && it.class != worst.class);
    let others = others.filter_map(|it| it.facts().into_iter().next());
    worst.facts().into_iter().chain(others).collect()
}

/// Attempts run into their timeout, in the exception's own words; or the same job starts again and again after the
/// same time.
pub(super) fn job_timeout(evidence: &Evidence<'_>) -> Option<Candidate> {
    let told = evidence.failures.iter().find(|it| it.is_timeout());
    let retried = evidence.attempts.retried_every;
    let is_asked = matches!(evidence.kind(), Kind::Failing | Kind::StuckRunning);
    let mut failures = evidence.failures.iter();
    let overlapped = failures.clone().find(|it| it.overlapped_ms.is_some()).filter(|_| is_asked);
    let may_be_cut_off = failures.clone().next().is_none_or(|worst| is_cut_off(evidence, worst));
    let cut_off = evidence.workers.timed_out.filter(|_| is_asked && may_be_cut_off);
    let used_up = failures.any(|it| it.sub_cause() == Some(SubCause::MaxAttempts));
    let (weight, is_certain) = match (told, used_up || retried.is_some()) {
        (Some(_), _) => (Weight::Shown, evidence.kind() == Kind::Failing),
        _ if overlapped.is_some() || cut_off.is_some() => (Weight::Shown, false),
        // Used-up attempts without a failure before: they were lost, or ran longer than the retry period.
        (None, true) => (Weight::Possible, false),
        (None, false) => return None,
    };
    let known_timeout_ms = retried.and_then(|(_, timeout_ms)| timeout_ms);
    let retried = retried.or_else(|| Some((overlapped?.overlapped_ms?, known_timeout_ms)));
    let is_twice = overlapped.is_some()
        || retried.is_some_and(|(every_ms, timeout_ms)| timeout_ms.is_some_and(|ms| every_ms < ms));
    let retried = retried.map(|(every_ms, timeout_ms)| Finding::RetriedEvery { every_ms, timeout_ms });
    Some(
        Candidate::new(Cause::JobTimeout, weight)
            .certain_if(is_certain)
            .because(overlapped.and_then(ClassFailure::sub_cause))
            .with(cut_off.map(|(at, text)| Fact::at(Finding::WorkerStopped(Arc::clone(text)), at)))
            .with(cut_off.and(evidence.failures.first()).into_iter().flat_map(ClassFailure::facts))
            .with(overlapped.map(ClassFailure::facts).into_iter().flatten())
            .with(told.map(ClassFailure::facts).into_iter().flatten())
            .with(retried.map(Fact::timeless))
            .leaving(is_twice.then_some(Unknown::RanTwice)),
    )
}

//! Whether the fault is in what we get to see.

use super::Candidate;
use crate::domain::diagnosis::evidence::Evidence;
use crate::domain::incidents::cause::Cause;
use crate::domain::incidents::fact::{Fact, Finding, Unknown};
use crate::domain::incidents::weight::Weight;
use crate::domain::incidents::{Blindness, Kind};

/// Deliveries are late, or more than a sweep can take in: what is missing may be among them. Payloads that do not open
/// are an incident of their own: anybody may send some, and they must not change what is said of a queue.
pub(super) fn monitor_blind(evidence: &Evidence<'_>) -> Option<Candidate> {
    let sight = &evidence.sight;
    let candidate = Candidate::new(Cause::MonitorBlind, Weight::Strong);
    (sight.is_behind || sight.late_ms.is_some())
        .then(|| candidate.with(sight.lateness()).leaving([Unknown::WorkerRuns]))
}

/// Every log group is silent, and for longer than it ever usually is.
pub(super) fn log_path_down(evidence: &Evidence<'_>) -> Option<Candidate> {
    let sight = &evidence.sight;
    let is_asked = evidence.question.incident.key.reason == Some(Blindness::SourceSilent);
    let weight = match (sight.is_all_silent, is_asked && !sight.silent.is_empty()) {
        (true, _) => Weight::Strong,
        (false, true) => Weight::Likely,
        (false, false) => return None,
    };
    let candidate = Candidate::new(Cause::LogPathDown, weight).with(sight.silences());
    Some(candidate.leaving([Unknown::WhySilent]))
}

/// What an incident of kind `blind` says of itself.
pub(super) fn blind(evidence: &Evidence<'_>) -> Option<Candidate> {
    let (kind, sight) = (evidence.kind(), &evidence.sight);
    let reason = evidence.question.incident.key.reason.filter(|_| kind == Kind::Blind)?;
    let blind = Candidate::new(Cause::MonitorBlind, Weight::Shown);
    match reason {
        Blindness::NoEnqueueLines => {
            let counts = evidence.ledger.tally.counts;
            let ends = [counts.processed, counts.failed, counts.released];
            let count = ends.into_iter().fold(counts.processing, u64::saturating_add);
            let at = evidence.ledger.traits.first_worker_line_at;
            let hidden = evidence.question.incident.evidence.iter();
            let hidden = hidden.filter(|fact| matches!(fact.what, Finding::NearlyRead { .. })).cloned();
            let lines = Fact::when(Finding::OnlyWorkerLines(count), at);
            Some(blind.certain_if(true).with([lines].into_iter().chain(hidden)))
        }
        Blindness::Rejected => Some(blind.certain_if(true).with(sight.rejections())),
        Blindness::Unrecognised => {
            Some(blind.certain_if(true).with(evidence.question.incident.evidence.iter().cloned()))
        }
        Blindness::Late => Some(blind.certain_if(true).with(sight.lateness())),
        // The subscription may be gone just as well as the lines.
        Blindness::SourceSilent => {
            let blind = Candidate { weight: Weight::Possible, ..blind };
            Some(blind.with(sight.silences()).leaving([Unknown::WhySilent]))
        }
    }
}

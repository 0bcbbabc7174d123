//! One day: what was found, missed, late, wrong, and said too often.

use serde::Serialize;

use super::Finding;
use crate::world::due::{Deadline, SLACK_MS};
use crate::world::fault::{Fault, Loudness};
use crate::world::span::HOUR;

/// How long after a fault is over what it caused may still be told.
const TAIL_MS: i64 = HOUR;

/// How often it may be told of a fault that comes and goes, before it is seen that it does.
const FLAPS_TOLD_MAX: usize = 3;

/// What became of one fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// When it was told first.
    pub at_ms: Option<i64>,
    /// How long after it was due, in milliseconds; less than nothing is early.
    pub late_ms: Option<i64>,
    /// It was told already before it began, by something that rang for no reason and so was silent.
    pub rang_before: bool,
    /// How often somebody was told that it is there.
    pub messages: usize,
    /// How often that may be: once, or a few times where it comes and goes.
    pub messages_max: usize,
    /// How often somebody was told that it is over, and it was not.
    pub false_recoveries: usize,
    /// Whether the cause named first is the one that the logs tell; `None` where they tell none.
    pub first_cause_is_right: Option<bool>,
    /// Whether every true cause is among those named; `None` where none was expected.
    pub causes_are_named: Option<bool>,
    /// What was named.
    pub named: Vec<String>,
}

/// What became of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Each fault that could be found.
    pub faults: Vec<Found>,
    /// What woke somebody for nothing, and when.
    pub false_pages: Vec<(String, i64)>,
    /// What told somebody in the morning of nothing, and when.
    pub false_warnings: Vec<(String, i64)>,
    /// Every message of the day.
    pub messages: usize,
    /// Where so many lines of workers were lost that it can be told, or none: whether just that is said.
    pub is_right_on_loss: Option<bool>,
}

/// Holds what was found against the faults that were there.
#[must_use]
pub fn verdict(findings: &[Finding], faults: &[(Fault, Deadline)]) -> Verdict {
    let messages = findings.iter().map(|finding| finding.messages).sum();
    let mut verdict = Verdict { messages, ..Verdict::default() };
    for (fault, deadline) in faults {
        if !fault.must.is_empty() && *deadline != Deadline::Never {
            verdict.faults.push(found(findings, fault, *deadline));
        }
    }
    for finding in findings {
        let is_true = |at_ms: i64| {
            faults.iter().any(|(fault, _)| {
                let until_ms = if finding.is_page { fault.span.to_ms + TAIL_MS } else { i64::MAX };
                belongs(finding, fault) && (fault.span.from_ms..=until_ms).contains(&at_ms)
            })
        };
        let wrong = finding.fired_ms.iter().filter(|at_ms| !is_true(**at_ms));
        let wrong = wrong.map(|at_ms| (finding.name.clone(), *at_ms));
        if finding.is_page {
            verdict.false_pages.extend(wrong);
        } else {
            verdict.false_warnings.extend(wrong);
        }
    }
    verdict
}

/// Whether a finding may be about a fault. What names no kind or no queue may be about any.
fn belongs(finding: &Finding, fault: &Fault) -> bool {
    let is_kind = finding.kind.as_ref().is_none_or(|kind| fault.knows(kind));
    let is_queue =
        finding.queues.is_empty() || finding.queues.iter().any(|q| fault.queues.contains(&q.as_str()));
    is_kind && is_queue
}

fn found(findings: &[Finding], fault: &Fault, deadline: Deadline) -> Found {
    let mine = || findings.iter().filter(|finding| belongs(finding, fault));
    let is_must =
        |finding: &Finding| finding.kind.as_ref().is_none_or(|kind| fault.must.contains(&kind.as_str()));
    let until_ms = fault.span.to_ms + SLACK_MS;
    let firings = mine().filter(|finding| is_must(finding)).flat_map(|finding| {
        finding
            .fired_ms
            .iter()
            .filter(|at| (fault.span.from_ms..=until_ms).contains(*at))
            .map(move |at| (*at, finding))
    });
    let first = firings.min_by_key(|(at_ms, _)| *at_ms);
    let messages_max = if fault.flaps { FLAPS_TOLD_MAX } else { 1 };
    let mut found = Found { at_ms: first.map(|(at_ms, _)| at_ms), messages_max, ..Found::default() };
    if let (Some(at_ms), Deadline::At(due_ms)) = (found.at_ms, deadline) {
        found.late_ms = Some(at_ms - due_ms);
    }
    found.rang_before = mine().any(|finding| {
        let fired = finding.fired_ms.iter().any(|at_ms| *at_ms < fault.span.from_ms);
        fired && finding.resolved_ms.iter().all(|at_ms| *at_ms > fault.span.from_ms)
    });
    for finding in mine() {
        let counts = match fault.loudness {
            Loudness::Page => finding.is_page,
            Loudness::Warn => is_must(finding),
        };
        let during = |at_ms: &&i64| (fault.span.from_ms..=fault.span.to_ms + TAIL_MS).contains(*at_ms);
        if counts {
            found.messages += finding.fired_ms.iter().filter(during).count();
        }
        let has_fired = finding.fired_ms.iter().any(|at_ms| fault.span.holds(*at_ms));
        if is_must(finding) && has_fired {
            found.false_recoveries += finding.resolved_ms.iter().filter(|at| fault.span.holds(**at)).count();
        }
    }
    if fault.flaps {
        // Each of the first recoveries was one. Whoever says it on and on has not seen the whole.
        found.false_recoveries = found.false_recoveries.saturating_sub(FLAPS_TOLD_MAX - 1);
    }
    let Some((_, finding)) = first.filter(|(_, finding)| finding.kind.is_some()) else { return found };
    found.named.clone_from(&finding.named);
    let is_named = |cause: &str| finding.named.iter().any(|named| named == cause);
    if !fault.causes.is_empty() {
        found.causes_are_named = Some(fault.causes.iter().all(|cause| is_named(cause)));
        found.first_cause_is_right = fault.decided.map(|decided| finding.cause.as_deref() == Some(decided));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::span::{MINUTE, Span, clock};

    const SPAN: Span = Span::clock((10, 0), (12, 0));
    const DUE: i64 = clock(10, 6);

    fn stall() -> Vec<(Fault, Deadline)> {
        vec![(Fault::stall(SPAN, &["default"], &["worker_silent"]), Deadline::At(DUE))]
    }

    fn page(kind: &str, fired: &[i64], resolved: &[i64]) -> Finding {
        Finding {
            name: kind.to_owned(),
            kind: Some(kind.to_owned()),
            queues: vec!["default".to_owned()],
            is_page: true,
            fired_ms: fired.to_vec(),
            resolved_ms: resolved.to_vec(),
            messages: fired.len() + resolved.len(),
            cause: Some("never_observed".to_owned()),
            named: vec!["never_observed".to_owned(), "worker_silent".to_owned()],
        }
    }

    #[test]
    fn a_page_in_time_finds_the_fault() {
        let verdict = verdict(&[page("stalled", &[DUE + MINUTE], &[clock(12, 2)])], &stall());
        let [found] = verdict.faults.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((found.late_ms, found.messages, found.false_recoveries), (Some(MINUTE), 1, 0));
        assert_eq!((found.first_cause_is_right, found.causes_are_named), (None, Some(true)));
        assert!(verdict.false_pages.is_empty());
    }

    #[test]
    fn a_page_of_another_queue_or_kind_or_time_is_false() {
        let mut other = page("stalled", &[DUE], &[]);
        other.queues = vec!["mails".to_owned()];
        let early = page("stalled", &[clock(9, 59)], &[]);
        let wrong = page("failing", &[DUE], &[]);
        let late = page("stalled", &[clock(13, 1)], &[]);
        let verdict = verdict(&[other, early, wrong, late], &stall());
        assert_eq!(verdict.false_pages.len(), 4);
        assert_eq!(verdict.faults.first().and_then(|found| found.at_ms), None);
    }

    #[test]
    fn going_ok_in_between_is_a_false_recovery_and_ringing_again_a_second_page() {
        let flapping = page("stalled", &[DUE, DUE + 20 * MINUTE], &[DUE + 10 * MINUTE, clock(12, 1)]);
        let verdict = verdict(&[flapping], &stall());
        let [found] = verdict.faults.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((found.messages, found.false_recoveries), (2, 1));
    }

    #[test]
    fn an_alarm_that_rang_before_finds_nothing() {
        let plain = Finding { fired_ms: vec![clock(9, 0)], is_page: true, ..Finding::default() };
        let verdict = verdict(&[plain], &stall());
        let [found] = verdict.faults.as_slice() else { panic!("{verdict:?}") };
        assert_eq!((found.at_ms, found.rang_before), (None, true));
        assert_eq!(verdict.false_pages.len(), 1);
    }

    #[test]
    fn a_fault_that_cannot_show_is_not_asked_for() {
        let faults = vec![(Fault::stall(SPAN, &["default"], &[]), Deadline::Never)];
        assert_eq!(verdict(&[], &faults), Verdict::default());
    }

    #[test]
    fn what_logs_decide_must_be_named_first() {
        let fault = Fault::stall(SPAN, &["default"], &["paused"]).decided("paused");
        let mut right = page("stalled", &[DUE], &[]);
        right.cause = Some("paused".to_owned());
        right.named = vec!["paused".to_owned()];
        for (finding, expected) in [(page("stalled", &[DUE], &[]), false), (right, true)] {
            let verdict = verdict(&[finding], &[(fault.clone(), Deadline::Unnamed)]);
            assert_eq!(verdict.faults.first().and_then(|found| found.first_cause_is_right), Some(expected));
        }
    }
}

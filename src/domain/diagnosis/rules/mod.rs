//! One rule a cause: whether the evidence supports it, how much, and by which facts.
//!
//! To add a cause: its name in [`Cause`], a rule here in the list of each kind that it may explain, its commands, and
//! a row for what names it and for each neighbour that must not.

mod failing;
mod fetching;
mod running;
mod sight;
mod silence;
mod waiting;

use super::evidence::Evidence;
use crate::domain::incidents::Kind;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::{Fact, Unknown};
use crate::domain::incidents::weight::Weight;

/// A cause that the evidence supports.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) cause: Cause,
    pub(super) weight: Weight,
    pub(super) sub_cause: Option<SubCause>,
    /// Whether the lines leave no other.
    pub(super) is_certain: bool,
    pub(super) facts: Vec<Fact>,
    pub(super) cannot_tell: Vec<Unknown>,
}

impl Candidate {
    fn new(cause: Cause, weight: Weight) -> Self {
        let (facts, cannot_tell) = (Vec::new(), Vec::new());
        Self { cause, weight, sub_cause: None, is_certain: false, facts, cannot_tell }
    }

    fn because(mut self, sub_cause: Option<SubCause>) -> Self {
        self.sub_cause = sub_cause;
        self
    }

    fn certain_if(mut self, is_certain: bool) -> Self {
        self.is_certain = is_certain;
        self
    }

    fn with(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.facts.extend(facts);
        self
    }

    fn leaving(mut self, unknown: impl IntoIterator<Item = Unknown>) -> Self {
        self.cannot_tell.extend(unknown);
        self
    }
}

type Rule = fn(&Evidence<'_>) -> Option<Candidate>;

/// What may explain each kind, in the order in which it is thought of.
fn rules(kind: Kind) -> &'static [Rule] {
    match kind {
        Kind::Stalled => &[
            sight::monitor_blind,
            sight::log_path_down,
            waiting::paused,
            running::crash_loop,
            fetching::cannot_fetch,
            fetching::store_came_back,
            fetching::enqueue_errors,
            waiting::queue_not_consumed,
            silence::logs_not_forwarded,
            silence::never_observed,
            silence::worker_silent,
            running::behind_long_job,
            failing::failing_fast,
        ],
        Kind::Lost => &[
            sight::monitor_blind,
            fetching::store_lost_jobs,
            silence::logs_not_forwarded,
            running::crash_loop,
        ],
        Kind::Backlog => &[
            sight::monitor_blind,
            failing::failing_fast,
            running::crash_loop,
            running::behind_long_job,
            waiting::slow_backlog,
            waiting::one_of_several,
            waiting::starved,
            fetching::cannot_fetch,
            silence::worker_silent,
        ],
        Kind::Failing => &[failing::job_timeout, running::crash_loop, failing::failing_fast],
        Kind::StuckRunning => &[
            running::put_back,
            failing::job_timeout,
            running::crash_loop,
            running::hung,
            silence::worker_silent,
            silence::logs_not_forwarded,
        ],
        Kind::EnqueueErrors => &[fetching::enqueue_errors],
        Kind::Blind => &[sight::blind, sight::log_path_down, silence::worker_silent],
    }
}

/// Every cause that the evidence supports, in no order yet.
pub(super) fn candidates(evidence: &Evidence<'_>) -> Vec<Candidate> {
    let rules: &[Rule] = if evidence.question.incident.is_of_missing_lines() {
        &[silence::logs_not_forwarded]
    } else {
        rules(evidence.kind())
    };
    rules.iter().filter_map(|rule| rule(evidence)).collect()
}

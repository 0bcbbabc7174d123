//! How the last attempts of each concerned class ended, where some ended badly.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::AROUND_MS;
use crate::domain::incidents::Kind;
use crate::domain::incidents::cause::SubCause;
use crate::domain::incidents::fact::{Fact, Finding};
use crate::domain::job::{DAY_MS, JobClass, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::outcomes::Verdict;

/// Ends judged of each class.
const ENDS_MAX: usize = 10;

/// A class's last attempts.
pub(in crate::domain::diagnosis) struct ClassFailure<'a> {
    pub(in crate::domain::diagnosis) class: &'a JobClass,
    /// Bad ends.
    pub(in crate::domain::diagnosis) bad: u64,
    /// Of how many.
    pub(in crate::domain::diagnosis) of: u64,
    /// The newest bad end.
    pub(in crate::domain::diagnosis) newest: Timestamp,
    /// The longest of the bad attempts, where lines tell.
    pub(in crate::domain::diagnosis) longest_ms: Option<i64>,
    /// The newest exception that is told.
    pub(in crate::domain::diagnosis) text: Option<&'a Arc<str>>,
    /// A bad end came while another attempt of the same job was at work, which ended well: it was handed out again this
    /// long after its start.
    pub(in crate::domain::diagnosis) overlapped_ms: Option<i64>,
    /// The jobs had gone back to their queue by their own will before their attempts were used up.
    pub(in crate::domain::diagnosis) was_released: bool,
    /// Some bad end may be tried again, or not: text cannot tell.
    pub(in crate::domain::diagnosis) is_ambiguous: bool,
}

impl ClassFailure<'_> {
    /// Whether it does little but fail.
    pub(in crate::domain::diagnosis) fn is_bad(&self) -> bool {
        // Four of five, as a class counts as failing by default.
        self.bad.saturating_mul(5) >= self.of.saturating_mul(4)
    }

    /// What the exception tells.
    pub(in crate::domain::diagnosis) fn sub_cause(&self) -> Option<SubCause> {
        match SubCause::of_job(self.text?) {
            Some(SubCause::MaxAttempts) if self.overlapped_ms.is_some() => Some(SubCause::RetriedTooSoon),
            Some(SubCause::MaxAttempts) if self.was_released => Some(SubCause::ReleasedTooOften),
            other => other,
        }
    }

    /// Whether attempts ran into their timeout, in the exception's words.
    pub(in crate::domain::diagnosis) fn is_timeout(&self) -> bool {
        self.text.is_some_and(|text| text.contains("TimeoutExceeded") || text.contains(" has timed out"))
    }

    pub(in crate::domain::diagnosis) fn facts(&self) -> Vec<Fact> {
        let (class, bad, of) = (self.class.clone(), self.bad, self.of);
        let mut facts = vec![Fact::at(Finding::BadEnds { class, bad, of }, self.newest)];
        facts.extend(self.text.map(|text| Fact::timeless(Finding::Exception(Arc::clone(text)))));
        facts.extend(self.longest_ms.map(|ms| Fact::timeless(Finding::BadRuntime(ms))));
        facts
    }
}

pub(super) fn gather<'a>(
    ledger: &'a Ledger,
    classes: &BTreeSet<&'a JobClass>,
    kind: Kind,
    heard: Timestamp,
) -> Vec<ClassFailure<'a>> {
    // A class that fails may do so a few times a day; for anything else only what was just seen counts.
    let from = heard.minus_ms(if kind == Kind::Failing { DAY_MS } else { AROUND_MS.saturating_mul(3) });
    let mut failures: Vec<_> =
        classes.iter().filter_map(|class| of_class(ledger, class, from, heard)).collect();
    failures.sort_by_key(|it| (std::cmp::Reverse(it.newest), it.class));
    failures
}

fn of_class<'a>(
    ledger: &'a Ledger,
    class: &'a JobClass,
    from: Timestamp,
    heard: Timestamp,
) -> Option<ClassFailure<'a>> {
    let outcomes = &ledger.class(Some(class))?.outcomes;
    let mut found: Option<ClassFailure<'a>> = None;
    let mut of = 0_u64;
    let ends = outcomes.newest_first(from, heard).filter(|(_, end)| end.verdict != Verdict::Released);
    for (at, end) in ends.take(ENDS_MAX) {
        of = of.saturating_add(1);
        if end.verdict == Verdict::Good {
            continue;
        }
        let failure = found.get_or_insert(ClassFailure {
            class,
            bad: 0,
            of: 0,
            newest: at,
            longest_ms: None,
            text: None,
            overlapped_ms: None,
            was_released: false,
            is_ambiguous: false,
        });
        failure.bad = failure.bad.saturating_add(1);
        failure.longest_ms = failure.longest_ms.max(end.runtime.map(|runtime| runtime.ms));
        failure.text = failure.text.or(end.text.as_ref());
        failure.is_ambiguous |= end.verdict == Verdict::Bad;
        let overlapped_ms = outcomes.overlapped_ms(at, end);
        // The attempt that went on ended well, which the line above does not count.
        of = of.saturating_add(u64::from(overlapped_ms.is_some()));
        failure.overlapped_ms = failure.overlapped_ms.or(overlapped_ms);
        failure.was_released |= outcomes.was_released(at, end);
    }
    found.map(|failure| ClassFailure { of, ..failure })
}

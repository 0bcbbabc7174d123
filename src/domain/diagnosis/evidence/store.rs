//! Errors of the queue's store around the trouble, by who met them; and errors of workers that are none of a store's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::incidents::cause::SubCause;
use crate::domain::incidents::fact::{Fact, Finding, Who};
use crate::domain::job::{Timestamp, TraceSide};
use crate::domain::ledger::Ledger;

/// Errors of one side.
#[derive(Clone, Copy, Default)]
pub(in crate::domain::diagnosis) struct Errors<'a> {
    pub(in crate::domain::diagnosis) count: u64,
    pub(in crate::domain::diagnosis) oldest: Option<Timestamp>,
    pub(in crate::domain::diagnosis) newest: Option<Timestamp>,
    /// What the newest says.
    pub(in crate::domain::diagnosis) text: Option<&'a Arc<str>>,
}

/// Errors around the trouble.
#[derive(Default)]
pub(in crate::domain::diagnosis) struct Store<'a> {
    /// Of the app, which puts jobs on the queue.
    pub(in crate::domain::diagnosis) push: Errors<'a>,
    /// Of workers, which fetch.
    pub(in crate::domain::diagnosis) fetch: Errors<'a>,
    /// Of either.
    pub(in crate::domain::diagnosis) unsided: Errors<'a>,
    /// Of workers, and not the store's: they die before they fetch.
    pub(in crate::domain::diagnosis) process: Errors<'a>,
}

impl<'a> Errors<'a> {
    fn take(&mut self, at: Timestamp, count: u64, text: Option<&'a Arc<str>>) {
        self.count = self.count.saturating_add(count);
        self.oldest = self.oldest.or(Some(at));
        self.newest = Some(at);
        self.text = text.or(self.text);
    }

    /// What the newest text tells.
    pub(in crate::domain::diagnosis) fn sub_cause(&self) -> Option<SubCause> {
        SubCause::of_store(self.text?)
    }

    pub(in crate::domain::diagnosis) fn fact(&self, who: Who) -> Option<Fact> {
        let text = self.text.map(Arc::clone);
        Some(Fact::at(Finding::StoreErrors { who, count: self.count, text }, self.newest?))
    }
}

impl<'a> Store<'a> {
    pub(super) fn gather(
        ledger: &'a Ledger,
        others: &BTreeSet<u64>,
        from: Timestamp,
        heard: Timestamp,
    ) -> Self {
        let errors = &ledger.signals.store_errors;
        let of = |side| errors.of_all_but(others, side, from, heard);
        let mut store = Self::default();
        for (at, count, text) in of(Some(TraceSide::Push)) {
            store.push.take(at, count, text);
        }
        for (at, count, text) in of(Some(TraceSide::Pop)) {
            let is_process = text.is_some_and(|text| is_of_process(text));
            let side = if is_process { &mut store.process } else { &mut store.fetch };
            side.take(at, count, text);
        }
        for (at, count, text) in of(None) {
            store.unsided.take(at, count, text);
        }
        store
    }
}

/// Whether a worker's error is its own: memory, or a command line that artisan does not take.
fn is_of_process(text: &str) -> bool {
    const WORDS: [&str; 7] = [
        "Could not open input file",
        "spawnerr:",
        "Allowed memory size",
        "option does not exist",
        "is not defined",
        "Not enough arguments",
        "Too many arguments",
    ];
    WORDS.iter().any(|word| text.contains(word))
}

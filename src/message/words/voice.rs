//! What a message's words depend on besides the facts: its language, its reader's clock, and where queuewatch runs.

use crate::domain::job::Timestamp;
use crate::domain::model::policy::{Language, Policy};
use crate::message::clock::Clock;
use crate::message::duration;
use crate::message::place::Store;

/// How a message speaks.
pub(in crate::message) struct Voice {
    /// Its language.
    pub(in crate::message) language: Language,
    /// What keeps the jobs it is about.
    pub(in crate::message) store: Store,
    /// Lines come from CloudWatch, and not from files on this machine.
    pub(in crate::message) is_on_aws: bool,
    clock: Clock,
}

impl Voice {
    /// The voice of a policy's messages at `now`.
    pub(in crate::message) fn of(policy: &Policy, store: Store, now: Timestamp) -> Self {
        Self {
            language: policy.language,
            store,
            is_on_aws: policy.deployment.is_on_aws(),
            clock: Clock::of(&policy.timezone, now),
        }
    }

    /// English, for programs and subjects.
    pub(in crate::message) fn english(store: Store, is_on_aws: bool) -> Self {
        let clock = Clock::of("UTC", Timestamp::from_ms(0));
        Self { language: Language::En, store, is_on_aws, clock }
    }

    /// A moment on the reader's clock, with UTC beside it.
    pub(in crate::message) fn both(&self, at: Timestamp) -> String {
        self.clock.both(at, self.language == Language::Ja)
    }

    /// A moment on the reader's clock.
    pub(in crate::message) fn minute(&self, at: Timestamp) -> String {
        self.clock.minute(at)
    }

    /// A moment on the reader's clock, to the second.
    pub(in crate::message) fn second(&self, at: Timestamp) -> String {
        self.clock.second(at)
    }

    /// A span, rounded.
    pub(in crate::message) fn about(&self, ms: i64) -> String {
        duration::about(self.language, ms)
    }

    /// A span, as it was configured.
    pub(in crate::message) fn exact(&self, ms: i64) -> String {
        duration::exact(self.language, ms)
    }
}

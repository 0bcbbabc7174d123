//! What an incident of one kind knows beyond what all of them have in common: one payload a kind.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::domain::job::{JobClass, Timestamp};

/// The payload of an incident, by its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "detail", rename_all = "snake_case")]
pub enum Detail {
    /// Of [`Kind::Stalled`].
    Stalled(Stall),
    /// Of [`Kind::Lost`].
    Lost(Loss),
    /// Of [`Kind::Backlog`].
    Backlog(Delay),
    /// Of [`Kind::Failing`].
    Failing(Failure),
    /// Of [`Kind::StuckRunning`].
    StuckRunning(Stuck),
    /// Of [`Kind::EnqueueErrors`], which knows no more than how many.
    EnqueueErrors,
    /// Of [`Kind::Blind`].
    Blind(Silent),
}

/// What a stall knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stall {
    /// The newest start known when it opened.
    pub newest_start_at_opening: Option<Timestamp>,
    /// When starts were first seen again.
    pub starts_since: Option<Timestamp>,
    /// Whether what is left from before the silence has been judged.
    #[serde(rename = "is_gap_judged")]
    pub is_silence_judged: bool,
    /// The newest rounds of its queue's workers, those before this stall included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
    /// From one round to the next, where its queue's workers keep a rhythm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm_ms: Option<i64>,
    /// When this stall and those before it on the same queue were over, the newest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<Timestamp>,
    /// Since when it is over, while it is likely to come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calm_since: Option<Timestamp>,
}

/// A first start after a silence in which a job waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Round {
    /// When.
    pub at: Timestamp,
    /// How long nothing had started before.
    pub silent_ms: i64,
}

/// What an incident about overtaken jobs knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Loss {
    /// Hidden jobs that a message has mentioned: jobs that were consumed although no line of theirs was read.
    #[serde(rename = "unseen_count")]
    pub hidden_count: u64,
    /// How many jobs counting alone shows to be gone from the queue, though nothing was silent: lines do not say which.
    pub gone_count: u64,
    /// Since when nobody has seemed to wait in their place: a start's line may come before that of its enqueue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none_gone_since: Option<Timestamp>,
    /// Since when none has been lost, while that may be chance: by counting, where delays are not logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none_lost_since: Option<Timestamp>,
    /// When jobs last turned unknown because lines of workers are missing.
    #[serde(rename = "calm_since")]
    pub turned_unknown_at: Option<Timestamp>,
    /// How many jobs turned unknown of late because lines of workers are missing: when, how many were never seen to
    /// start, and how many never to end.
    pub turned_unknown: Vec<(Timestamp, u64, u64)>,
}

/// What a backlog knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delay {
    /// Since when no job has been overdue any more, while that may be chance.
    pub calm_since: Option<Timestamp>,
    /// How long until its jobs are worked off, where that can be estimated.
    pub done_in_ms: Option<i64>,
}

/// What an incident about failing classes knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// The classes it is about, and the newest bad end known of each.
    pub classes: BTreeMap<JobClass, Timestamp>,
    /// Of those that do not fail most of the time, how much more often than before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rises: BTreeMap<JobClass, Rise>,
}

/// How often a class fails that fails more often than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rise {
    /// How many of a hundred attempts fail now.
    pub percent: u64,
    /// How many did before.
    pub before: u64,
}

/// What an incident about attempts that do not end knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stuck {
    /// The newest start that ended in nothing, of each class it is about.
    #[serde(
        rename = "lost_starts",
        with = "crate::domain::pairs",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub newest_lost: BTreeMap<JobClass, Timestamp>,
    /// Whether more than one attempt ended in nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_repeated: bool,
    /// Since when no attempt has been open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none_open_since: Option<Timestamp>,
}

/// What an incident about our own sight knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Silent {
    /// Sources that are silent, for [`super::Blindness::SourceSilent`].
    pub sources: BTreeSet<String>,
}

impl Detail {
    /// The payload of an incident of this kind that has just opened.
    #[must_use]
    pub fn blank(kind: Kind) -> Self {
        match kind {
            Kind::Stalled => Self::Stalled(Stall::default()),
            Kind::Lost => Self::Lost(Loss::default()),
            Kind::Backlog => Self::Backlog(Delay::default()),
            Kind::Failing => Self::Failing(Failure::default()),
            Kind::StuckRunning => Self::StuckRunning(Stuck::default()),
            Kind::EnqueueErrors => Self::EnqueueErrors,
            Kind::Blind => Self::Blind(Silent::default()),
        }
    }

    /// What a stall knows; of another kind nothing.
    #[must_use]
    pub fn stall(&self) -> Stall {
        if let Self::Stalled(stall) = self { stall.clone() } else { Stall::default() }
    }

    /// What an incident about overtaken jobs knows; of another kind nothing.
    #[must_use]
    pub fn loss(&self) -> Loss {
        if let Self::Lost(loss) = self { loss.clone() } else { Loss::default() }
    }

    /// What a backlog knows; of another kind nothing.
    #[must_use]
    pub fn delay(&self) -> Delay {
        if let Self::Backlog(delay) = self { delay.clone() } else { Delay::default() }
    }

    /// What an incident about failing classes knows; of another kind nothing.
    #[must_use]
    pub fn failure(&self) -> Failure {
        if let Self::Failing(failure) = self { failure.clone() } else { Failure::default() }
    }

    /// What an incident about attempts that do not end knows; of another kind nothing.
    #[must_use]
    pub fn stuck(&self) -> Stuck {
        if let Self::StuckRunning(stuck) = self { stuck.clone() } else { Stuck::default() }
    }

    /// What an incident about our own sight knows; of another kind nothing.
    #[must_use]
    pub fn silent(&self) -> Silent {
        if let Self::Blind(silent) = self { silent.clone() } else { Silent::default() }
    }

    /// The classes that do nothing but fail, by name; none of another kind.
    pub fn classes(&self) -> impl Iterator<Item = &JobClass> {
        let failure = if let Self::Failing(failure) = self { Some(failure) } else { None };
        failure.into_iter().flat_map(|failure| failure.classes.keys())
    }

    /// The log groups that are silent; none of another kind.
    pub fn sources(&self) -> impl Iterator<Item = &String> {
        let silent = if let Self::Blind(silent) = self { Some(silent) } else { None };
        silent.into_iter().flat_map(|silent| &silent.sources)
    }
}

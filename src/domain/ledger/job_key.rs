//! The name under which a job is known, and under which a store keeps what is known of it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::job::{JobId, JobUuid, LineKey, Observation, Stage};
use crate::domain::line::LineHash;
use crate::domain::name::split;

/// The name under which a store keeps a job.
///
/// `i` and its id, so that an enqueue, which carries id and uuid, meets worker lines that carry either one or both.
/// On a database a retry has a new id, so from the second attempt on it is `u` and the uuid. An enqueue that
/// carries neither is `l` and its own line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobKey(String);

/// A job's key, hashed: enough to tell jobs apart where their names are not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobHash(pub u64);

impl JobKey {
    /// The key of the job that a line speaks of. `None` for a worker line without any name: that is counted.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<Self> {
        let is_renewed = observation.attempt.is_some_and(|attempt| attempt >= 2);
        match (&observation.id, &observation.uuid) {
            (Some(id), Some(uuid)) if is_renewed && id.is_numeric() => Some(Self::of_uuid(uuid)),
            (Some(id), _) => Some(Self::of_id(id)),
            (None, Some(uuid)) => Some(Self::of_uuid(uuid)),
            (None, None) if observation.stage == Stage::Enqueued => Some(Self::of_line(observation.line)),
            (None, None) => None,
        }
    }

    /// The name by which lines of a class tell its jobs apart: the id, or where that is a row's and the line carries
    /// it the uuid. `None` for a line without any.
    #[must_use]
    pub fn of_name(id: Option<&JobId>, uuid: Option<&JobUuid>) -> Option<Self> {
        match (id, uuid) {
            (Some(id), None) => Some(Self::of_id(id)),
            (Some(id), Some(_)) if !id.is_numeric() => Some(Self::of_id(id)),
            (_, Some(uuid)) => Some(Self::of_uuid(uuid)),
            (None, None) => None,
        }
    }

    /// The keys of a job that lasting names tell of; of one without any, that of the line it was enqueued by.
    pub fn all_of(
        id: Option<&JobId>,
        uuid: Option<&JobUuid>,
        born: Option<LineKey>,
    ) -> impl Iterator<Item = Self> {
        let by_id = id.filter(|id| !id.is_numeric()).map(Self::of_id);
        let by_line = born.filter(|_| id.is_none() && uuid.is_none()).map(Self::of_line);
        by_id.into_iter().chain(uuid.map(Self::of_uuid)).chain(by_line)
    }

    fn of_id(id: &JobId) -> Self {
        Self(["i", id.key()].concat())
    }

    /// The key of a job that is known by its uuid.
    #[must_use]
    pub fn of_uuid(uuid: &JobUuid) -> Self {
        Self(["u", uuid.key()].concat())
    }

    fn of_line(line: LineKey) -> Self {
        let mut text = String::with_capacity(17);
        // Writing to a string cannot fail.
        let _ = write!(text, "l{:016x}", line.0);
        Self(text)
    }

    /// A key as a store spells it.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The key as a store spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, hashed.
    #[must_use]
    pub fn hash(&self) -> JobHash {
        JobHash(LineHash::default().with(self.0.as_bytes()).finish())
    }

    /// Whether the key is a database row's, which is used again for other jobs.
    #[must_use]
    pub fn is_row(&self) -> bool {
        let (_, id) = split(self.0.strip_prefix('i').unwrap_or_default());
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// The hashes of the names that a line carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    pub(super) id: Option<JobHash>,
    pub(super) uuid: Option<JobHash>,
}

/// Whose a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A job's, by a name that lasts.
    Job(JobHash),
    /// A row's of a table.
    Row,
    /// Nobody says.
    Nobody,
}

impl Hashes {
    /// Those of one line.
    pub(super) fn of(line: &Observation) -> Self {
        Self { id: line.id.as_ref().map(JobHash::of_id), uuid: line.uuid.as_ref().map(JobHash::of_uuid) }
    }

    /// The hash of [`JobKey::of`], and whether that is a row's.
    pub(super) fn named(self, line: &Observation) -> Named {
        let is_renewed = line.attempt.is_some_and(|attempt| attempt >= 2);
        match (self.id, self.uuid) {
            (Some(id), uuid) => match uuid.filter(|_| is_renewed) {
                _ if !line.id.as_ref().is_some_and(JobId::is_numeric) => Named::Job(id),
                Some(uuid) => Named::Job(uuid),
                None => Named::Row,
            },
            (None, Some(uuid)) => Named::Job(uuid),
            (None, None) if line.stage == Stage::Enqueued => Named::Job(JobKey::of_line(line.line).hash()),
            (None, None) => Named::Nobody,
        }
    }

    /// The hash of [`JobKey::of_name`].
    pub(super) fn name(self, id: Option<&JobId>) -> Option<JobHash> {
        match (self.id, self.uuid) {
            (Some(_), Some(uuid)) if id.is_some_and(JobId::is_numeric) => Some(uuid),
            (Some(id), _) => Some(id),
            (None, uuid) => uuid,
        }
    }
}

impl JobHash {
    /// The hash of the key that an id makes.
    #[must_use]
    pub fn of_id(id: &JobId) -> Self {
        Self::of_key(b'i', id.key_bytes()).unwrap_or_else(|| JobKey::of_id(id).hash())
    }

    /// The hash of [`JobKey::of_uuid`].
    #[must_use]
    pub fn of_uuid(uuid: &JobUuid) -> Self {
        Self::of_key(b'u', uuid.key_bytes()).unwrap_or_else(|| JobKey::of_uuid(uuid).hash())
    }

    /// The hash of a key of usual length. Asked of every line, so that it is worth no allocation.
    fn of_key(kind: u8, name: &[u8]) -> Option<Self> {
        let mut key = [0_u8; 64];
        let length = name.len().saturating_add(1);
        let (first, rest) = key.get_mut(..length)?.split_first_mut()?;
        *first = kind;
        rest.copy_from_slice(name);
        Some(Self(LineHash::default().with(key.get(..length)?).finish()))
    }

    /// The hash of the job that a row was from this enqueue line on.
    #[must_use]
    pub fn of_row(row: &JobKey, enqueue: LineKey) -> Self {
        Self(LineHash::default().with(row.as_str().as_bytes()).with_key(enqueue).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, Timestamp};

    #[test]
    fn a_names_hash_is_that_of_its_key_however_long_it_is() {
        for text in [
            "",
            "a",
            "00000000-0000-4000-8000-000000000001",
            &"u".repeat(63),
            &"u".repeat(64),
            &"é".repeat(99),
        ] {
            let uuid = JobUuid::from(text);
            assert_eq!(JobHash::of_uuid(&uuid), JobKey::of_uuid(&uuid).hash(), "{text}");
            let id = JobId::from(text);
            assert_eq!(JobHash::of_id(&id), JobKey::of_id(&id).hash(), "{text}");
        }
    }

    #[test]
    fn the_hashes_of_a_line_are_those_of_its_keys() {
        let names = [None, Some("7"), Some("a7"), Some("\u{1f}billing\u{1f}7"), Some("\u{1f}billing\u{1f}a")];
        for (id, uuid) in names.iter().flat_map(|id| names.iter().map(move |uuid| (id, uuid))) {
            for (stage, attempt) in
                [(Stage::Enqueued, None), (Stage::Processing, Some(1)), (Stage::Processed, Some(2))]
            {
                let line = Observation {
                    id: id.map(JobId::from),
                    uuid: uuid.map(JobUuid::from),
                    attempt,
                    ..Observation::bare(stage, Timestamp::from_ms(1), LineKey(9), Form::Json)
                };
                let hashes = Hashes::of(&line);
                let named = match JobKey::of(&line) {
                    Some(key) if key.is_row() => Named::Row,
                    Some(key) => Named::Job(key.hash()),
                    None => Named::Nobody,
                };
                assert_eq!(hashes.named(&line), named, "{line:?}");
                let name = JobKey::of_name(line.id.as_ref(), line.uuid.as_ref()).map(|key| key.hash());
                assert_eq!(hashes.name(line.id.as_ref()), name, "{line:?}");
            }
        }
    }

    #[test]
    fn a_row_of_another_app_is_a_row_and_another_one() {
        let (mine, other) = (JobId::from("7"), JobId::from("7").within(Some("billing")));
        let (mine, other) = (JobKey::of_id(&mine), JobKey::of_id(&other));
        assert!(mine != other && mine.hash() != other.hash() && mine.is_row() && other.is_row());
    }

    #[test]
    fn a_row_is_an_id_of_digits_alone() {
        let row = |text: &str| JobKey::from_text(text.to_owned()).is_row();
        assert!(row("i7") && row("i0123"));
        assert!(!row("i") && !row("u7") && !row("i7a") && !row("l7"));
    }
}

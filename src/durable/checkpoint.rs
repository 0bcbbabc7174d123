//! The checkpoint's item: what a sweep leaves for the next one, and the lease that keeps others out meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DurableError;
use super::items;
use crate::domain::incidents::Incident;
use crate::domain::job::Timestamp;
use crate::domain::ledger::checkpoint::Checkpoint;
use crate::domain::ledger::heard::Heard;
use crate::domain::model::policy::Silence;
use crate::domain::outbox::OutgoingMessage;
use crate::ports::table::{Expected, Item, Table, Written};

/// The format of the body. A sweep leaves a newer one alone: during a deploy two versions run side by side.
pub(super) const FORMAT: u32 = 2;

/// The body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Saved {
    pub(super) format: u32,
    /// Which sweep wrote it.
    pub(super) owner: String,
    /// When that sweep was.
    pub(super) swept_at: Option<Timestamp>,
    /// Until when that sweep may be at work; `None` once it is done.
    pub(super) lease_until: Option<Timestamp>,
    /// Deliveries that are folded and may still be marked due: partition and sort key.
    pub(super) applied: Vec<(String, String)>,
    /// Everything that is known.
    pub(super) ledger: Checkpoint,
    /// Incidents, without the words of what was said.
    pub(super) incidents: Vec<Incident>,
    /// Closed incidents that are not in the history yet, in full.
    pub(super) closed: Vec<Incident>,
    /// Silences that operators asked for.
    pub(super) silences: Vec<Silence>,
    /// When the greeting was sent.
    pub(super) greeted_at: Option<Timestamp>,
    /// What is to be sent.
    pub(super) outbox: Vec<OutgoingMessage>,
    /// What each process had heard when its counters were last taken.
    pub(super) heard: BTreeMap<String, Heard>,
}

/// The checkpoint as it was last read or written.
#[derive(Clone, Debug)]
pub(super) struct CheckpointItem {
    pub(super) saved: Saved,
    /// `None` before the first.
    version: Option<u64>,
    app: String,
}

impl CheckpointItem {
    /// Reads it.
    pub(super) async fn read<T: Table>(table: &T, app: &str) -> Result<Self, DurableError<T::Error>> {
        let key = items::checkpoint_key(app);
        let found = table.get(std::slice::from_ref(&key)).await?.pop().flatten();
        let saved = match &found {
            Some(item) => {
                let saved: Result<Saved, _> = items::read(&key, &item.body);
                // What a newer version has written may well not be readable any more, so that its number is asked first.
                let format = match &saved {
                    Ok(saved) => saved.format,
                    Err(_) => items::read::<Format, T::Error>(&key, &item.body)?.format,
                };
                if format > FORMAT {
                    return Err(DurableError::Newer { found: format });
                }
                saved?
            }
            None => Saved::default(),
        };
        Ok(Self { saved, version: found.map(|item| item.version), app: app.to_owned() })
    }

    /// Writes it, if nobody else has. A lost acknowledgement looks like somebody else, and is told from it by the
    /// owner's name.
    pub(super) async fn write<T: Table>(&mut self, table: &T) -> Result<bool, DurableError<T::Error>> {
        let key = items::checkpoint_key(&self.app);
        self.saved.format = FORMAT;
        let body = items::written(&key, &self.saved)?;
        let version = self.version.unwrap_or(0).saturating_add(1);
        let item = Item { key: key.clone(), version, due: None, expires_at: None, body };
        let expected = self.version.map_or(Expected::Nothing, Expected::Version);
        if table.put(&item, expected).await? == Written::Conflict {
            let found = table.get(std::slice::from_ref(&key)).await?.pop().flatten();
            let Some(found) = found.filter(|found| found.version == version) else { return Ok(false) };
            let by: Owner = items::read(&key, &found.body)?;
            if by.owner != self.saved.owner {
                return Ok(false);
            }
        }
        self.version = Some(version);
        Ok(true)
    }
}

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: u32,
}

#[derive(Deserialize)]
struct Owner {
    owner: String,
}

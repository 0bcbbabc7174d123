//! A table that survives a restart, for one process on one machine: a journal in a folder, and all of it in memory.
//!
//! Each write is on the disk before it is acknowledged, which takes the disk's own time: some milliseconds, during
//! which the table does nothing else, but for as many writes as wait together. That is meant for `queuewatch watch`,
//! not for a fleet.

mod error;
mod group;
mod inbox;
mod journal;
mod record;

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use error::FileTableError;
use group::{Group, after_the_others};
pub use inbox::{Asked, Inbox, InboxError};
use journal::{Journal, encode};

use crate::adapters::indexed::Indexed;
use crate::adapters::memory::MemoryTable;
use crate::domain::job::Timestamp;
use crate::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};

/// A journal smaller than this is left alone: reading it takes no time that anybody would notice.
const GROWN_BYTES_MIN: u64 = 1024 * 1024;
/// A journal is written anew when it is so many times what it was: each byte kept is copied for three new ones.
const GROWN_TIMES: u64 = 4;

/// A table in a folder. A clone is the same table.
#[derive(Clone, Debug)]
pub struct FileTable {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    folder: PathBuf,
    /// Held as long as the table is; the machine lets it go when the process ends, however it ends.
    _lock: File,
    journal: Journal,
    held: Indexed,
    group: Group,
    /// The journal's size when it held nothing that was replaced.
    compact_bytes: u64,
}

/// What was found when a table was opened. Its words are for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Items that are known.
    pub items: usize,
    /// The size of a last record that a crash had left unfinished, and that was cut off. Nobody had been told
    /// that it was written.
    pub torn_bytes: u64,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items known", self.items)?;
        if self.torn_bytes > 0 {
            write!(
                f,
                "; an unfinished record of {} bytes was cut off, as a crash leaves one",
                self.torn_bytes
            )?;
        }
        Ok(())
    }
}

impl FileTable {
    /// Opens the table of a folder, which is made where there is none. What is expired at `now` is forgotten if the
    /// journal is written anew, which it is if it has grown.
    ///
    /// # Errors
    /// Where the folder cannot be used, another process uses it, or its journal cannot be read.
    pub fn open(folder: &Path, now: Timestamp) -> Result<(Self, Found), FileTableError> {
        let failed = |source| FileTableError::Folder { folder: folder.to_owned(), source: Arc::new(source) };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(folder)?;
        let (journal, contents) = Journal::open(folder)?;
        let mut held = Indexed::default();
        for item in contents.items {
            held.write(item);
        }
        let found = Found { items: held.items().len(), torn_bytes: contents.torn_bytes };
        // How much of it is replaced is not known; an old journal is worth a look the first time it is large.
        let compact_bytes = 0;
        let (folder, group) = (folder.to_owned(), Group::default());
        let mut state = State { folder, _lock: lock, journal, held, group, compact_bytes };
        state.compact_if_grown(now)?;
        Ok((Self { state: Arc::new(Mutex::new(state)) }, found))
    }

    /// Copies the table of a folder, which another process may be using and goes on using; `None` where there is none.
    ///
    /// # Errors
    /// Where its journal cannot be read.
    pub fn copy_of(folder: &Path) -> Result<Option<MemoryTable>, FileTableError> {
        Ok(Journal::peek(folder)?.map(MemoryTable::of))
    }

    /// Writes the journal anew without what was replaced or is expired at `now`, if it has grown to several times of
    /// what it must hold. For whoever ticks: no write does it unasked.
    ///
    /// # Errors
    /// Where the new journal cannot be written. The old one then stands, unless it is not known which of them does:
    /// then the table takes nothing more.
    pub fn compact_if_grown(&self, now: Timestamp) -> Result<bool, FileTableError> {
        self.state().compact_if_grown(now)
    }

    /// Writes the journal anew, however large it is.
    ///
    /// # Errors
    /// As [`Self::compact_if_grown`].
    pub fn compact(&self, now: Timestamp) -> Result<(), FileTableError> {
        self.state().compact(now)
    }

    /// Waits until a group is on the disk.
    async fn written(&self, group: u64) -> Result<(), FileTableError> {
        after_the_others().await;
        self.state().settle(group)
    }

    /// Nothing here stops halfway, so what a panic elsewhere left behind is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Gathers a write, and answers the group that it is in.
    fn gather(&mut self, item: Item) -> Result<u64, FileTableError> {
        let record = encode(&item)?;
        if !self.group.has_room(record.len()) {
            self.end_group();
        }
        Ok(self.group.push(record, item, &mut self.held))
    }

    /// Sees to it that a group is on the disk.
    fn settle(&mut self, group: u64) -> Result<(), FileTableError> {
        if self.group.is_gathered(group) {
            self.end_group();
        }
        self.group.outcome(group)
    }

    fn end_group(&mut self) {
        let Self { journal, held, group, .. } = self;
        group.end(held, |records| journal.append(records));
    }

    fn compact_if_grown(&mut self, now: Timestamp) -> Result<bool, FileTableError> {
        let limit = self.compact_bytes.saturating_mul(GROWN_TIMES).max(GROWN_BYTES_MIN);
        let is_grown = self.journal.bytes > limit;
        if is_grown {
            self.compact(now)?;
        }
        Ok(is_grown)
    }

    fn compact(&mut self, now: Timestamp) -> Result<(), FileTableError> {
        // What is gathered may fail, and then none of it may be in the new journal.
        self.end_group();
        let is_kept = |item: &Item| item.expires_at.is_none_or(|at| at > now);
        Journal::write_next(&self.folder, self.held.items().filter(|item| is_kept(item)))?;
        // Which journal has the name after an error is not known, and a record in the other one would be lost.
        self.journal = Journal::replace(&self.folder).inspect_err(|_| self.journal.close())?;
        self.compact_bytes = self.journal.bytes;
        self.held.retain(is_kept);
        Ok(())
    }
}

/// Locks a folder for this process.
fn lock(folder: &Path) -> Result<File, FileTableError> {
    let path = folder.join("lock");
    let file =
        File::options().write(true).create(true).truncate(false).open(&path).map_err(|source| {
            FileTableError::Folder { folder: folder.to_owned(), source: Arc::new(source) }
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FileTableError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(FileTableError::Lock { path, source: Arc::new(source) }),
    }
}

impl Table for FileTable {
    type Error = FileTableError;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, FileTableError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.held.get(key).cloned()).collect())
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, FileTableError> {
        let gathered = {
            let mut state = self.state();
            if !expected.is_met_by(state.held.get(&item.key)) {
                return Ok(Written::Conflict);
            }
            state.gather(item.clone())?
        };
        self.written(gathered).await.map(|()| Written::Done)
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), FileTableError> {
        let gathered = {
            let mut state = self.state();
            let Some(item) = state.held.get(key).filter(|item| item.due.is_some()) else { return Ok(()) };
            let unmarked = Item { due: None, ..item.clone() };
            state.gather(unmarked)?
        };
        self.written(gathered).await
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, FileTableError> {
        let state = self.state();
        Ok(state.held.due(partition, from, until).take(limit).map(|(_, line)| line.clone()).collect())
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, FileTableError> {
        Ok(self.state().held.range(partition, from).take(limit).cloned().collect())
    }
}

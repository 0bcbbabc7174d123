//! What is remembered of the files from one run to the next, as items of the table that the ledger lies in.
//!
//! | item | partition, sort | what |
//! |---|---|---|
//! | file | `W#<app>#<log group>`, its absolute path | how far each file of that path was read |
//! | run | `W#<app>#<log group>`, `-` | when a run was last known to be at work |

use serde::{Deserialize, Serialize};

use super::WatchError;
use super::files::Places;
use super::inputs::Remembered;
use crate::domain::job::{DAY_MS, Timestamp};
use crate::ports::Disposed;
use crate::ports::table::{Expected, Item, ItemKey, Table};

/// How long a file is remembered that is not watched any more.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Files read back at once.
const PAGE: usize = 1_000;
/// The sort key of the run; no absolute path.
const RUN: &str = "-";

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memory<T> {
    table: T,
    partition: String,
}

#[derive(Serialize, Deserialize)]
struct RunBody {
    alive_at: Timestamp,
}

impl<T: Table> Memory<T> {
    pub(super) fn new(table: T, app: &str, log_group: &str) -> Self {
        Self { table, partition: format!("W#{app}#{log_group}") }
    }

    /// What an earlier run left behind.
    pub(super) async fn read<S: Disposed, A: Disposed>(
        &self,
    ) -> Result<Remembered, WatchError<T::Error, S, A>> {
        let mut remembered = Remembered::default();
        let mut from = String::new();
        loop {
            let page = self.table.range(&self.partition, &from, PAGE).await.map_err(WatchError::Memory)?;
            let is_last = page.len() < PAGE;
            for item in page {
                // The least text that is greater.
                from = format!("{}\0", item.key.sort);
                let broken = |source| WatchError::Broken { key: item.key.sort.clone(), source };
                if item.key.sort == RUN {
                    let body: RunBody = serde_json::from_str(&item.body).map_err(broken)?;
                    remembered.alive_at = Some(body.alive_at);
                } else {
                    let places: Places = serde_json::from_str(&item.body).map_err(broken)?;
                    remembered.places.insert(item.key.sort, places);
                }
            }
            if is_last {
                return Ok(remembered);
            }
        }
    }

    /// Remembers how far the files of a path were read.
    pub(super) async fn write_file<S: Disposed, A: Disposed>(
        &self,
        path: String,
        places: Places,
        now: Timestamp,
    ) -> Result<(), WatchError<T::Error, S, A>> {
        self.write(path, &places, Some(now.plus_ms(KEPT_MS))).await
    }

    /// Remembers that this run was at work.
    pub(super) async fn write_run<S: Disposed, A: Disposed>(
        &self,
        now: Timestamp,
    ) -> Result<(), WatchError<T::Error, S, A>> {
        self.write(RUN.to_owned(), &RunBody { alive_at: now }, None).await
    }

    async fn write<S: Disposed, A: Disposed>(
        &self,
        sort: String,
        body: &impl Serialize,
        expires_at: Option<Timestamp>,
    ) -> Result<(), WatchError<T::Error, S, A>> {
        let broken = |source| WatchError::Broken { key: sort.clone(), source };
        let body = serde_json::to_string(body).map_err(broken)?;
        let key = ItemKey { partition: self.partition.clone(), sort };
        let item = Item { key, version: 1, due: None, expires_at, body };
        self.table.put(&item, Expected::Anything).await.map_err(WatchError::Memory)?;
        Ok(())
    }
}

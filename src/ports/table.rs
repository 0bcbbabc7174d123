//! A table of versioned items with one index of what is due: all the storage that the ledger asks for.
//!
//! It knows items, not jobs. Every write names the version it expects to find, so that a lost acknowledgement
//! is cured by reading again, and any store that can compare and set can hold a ledger.

use std::future::Future;

use super::Disposed;
use crate::domain::job::Timestamp;

/// Where an item lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemKey {
    /// The partition.
    pub partition: String,
    /// The place within the partition, by which [`Table::range`] orders.
    pub sort: String,
}

/// An item's place in the index of what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The partition of the index.
    pub partition: String,
    /// The place within it, by which [`Table::due`] orders.
    pub order: String,
    /// Whether the index carries the body, so that who asks it need not ask for the item.
    pub shows_body: bool,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it lies.
    pub key: ItemKey,
    /// How often it has been written, from 1.
    pub version: u64,
    /// Its place in the index, while it is due.
    pub due: Option<Due>,
    /// When the store may forget it. **It may be read long after**: whoever reads it looks at this.
    pub expires_at: Option<Timestamp>,
    /// JSON.
    pub body: String,
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The item's key.
    pub key: ItemKey,
    /// The item's place in the index.
    pub order: String,
    /// When the store may forget the item.
    pub expires_at: Option<Timestamp>,
    /// The body, where the item shows it.
    pub body: Option<String>,
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No item of this key, expired ones included.
    Nothing,
    /// The item in this version.
    Version(u64),
    /// Whatever there is: the writer is the only one, or the newest word is as good as any.
    Anything,
}

impl Expected {
    /// Whether what there is is as expected, for stores that compare on their own.
    #[must_use]
    pub fn is_met_by(self, found: Option<&Item>) -> bool {
        match self {
            Self::Nothing => found.is_none(),
            Self::Version(version) => found.is_some_and(|item| item.version == version),
            Self::Anything => true,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there.
    Done,
    /// Something else was found than expected; nothing was written.
    Conflict,
}

/// A table.
pub trait Table {
    /// What may go wrong.
    type Error: Disposed;

    /// Reads items as they are now (strongly consistent), in the order of `keys`.
    fn get(&self, keys: &[ItemKey]) -> impl Future<Output = Result<Vec<Option<Item>>, Self::Error>>;

    /// Writes a whole item, if what is there is as expected.
    fn put(&self, item: &Item, expected: Expected) -> impl Future<Output = Result<Written, Self::Error>>;

    /// Takes an item out of the index, if the item is still there. Its version stays.
    fn unmark(&self, key: &ItemKey) -> impl Future<Output = Result<(), Self::Error>>;

    /// Lists a partition of the index from `from` up to `until`, both included, in order, at most
    /// `limit` of them. The index may lag behind the items.
    fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, Self::Error>>;

    /// Reads the items of a partition whose sort key is `from` or greater (strongly consistent), in order, at most
    /// `limit` of them.
    fn range(
        &self,
        partition: &str,
        from: &str,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Item>, Self::Error>>;
}

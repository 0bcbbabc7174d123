//! Writes that reach the disk together: a disk takes as long for fifty records as for one.
//!
//! Whoever writes lets the others of its thread write first, and then takes all of them to the disk, as one line of
//! the journal. **Invariant:** a write is acknowledged when its group is on the disk; of a group that did not get
//! there nothing is left, neither there nor in memory.

use std::future::poll_fn;
use std::task::Poll;

use super::error::FileTableError;
use crate::adapters::indexed::Indexed;
use crate::ports::table::{Item, ItemKey};

/// Bytes of a group: what is written at once, and read at once when the journal is opened.
const BYTES_MAX: usize = 1024 * 1024;
/// Failed groups that are remembered for those who have not asked yet. They ask at once.
const FAILURES_MAX: usize = 16;

/// The group that is being gathered, and what became of those before.
#[derive(Debug, Default)]
pub(super) struct Group {
    number: u64,
    /// The records, without line ends.
    records: Vec<Vec<u8>>,
    bytes: usize,
    /// What was there before each of them.
    before: Vec<(ItemKey, Option<Item>)>,
    failures: Vec<(u64, FileTableError)>,
}

impl Group {
    /// Whether a record of so many bytes may join.
    pub(super) const fn has_room(&self, bytes: usize) -> bool {
        self.records.is_empty() || self.bytes.saturating_add(bytes) <= BYTES_MAX
    }

    /// Adds a record, and answers the number of the group.
    pub(super) fn push(&mut self, record: Vec<u8>, item: Item, held: &mut Indexed) -> u64 {
        self.bytes = self.bytes.saturating_add(record.len());
        self.records.push(record);
        self.before.push((item.key.clone(), held.get(&item.key).cloned()));
        held.write(item);
        self.number
    }

    /// Whether this group is still to be written.
    pub(super) const fn is_gathered(&self, number: u64) -> bool {
        self.number == number
    }

    /// Ends the group. `write` takes its records to the disk; where it fails, everything is as it was.
    pub(super) fn end(
        &mut self,
        held: &mut Indexed,
        write: impl FnOnce(&[Vec<u8>]) -> Result<(), FileTableError>,
    ) {
        let records = std::mem::take(&mut self.records);
        let before = std::mem::take(&mut self.before);
        let number = self.number;
        (self.number, self.bytes) = (number.saturating_add(1), 0);
        if records.is_empty() {
            return;
        }
        if let Err(error) = write(&records) {
            for (key, item) in before.into_iter().rev() {
                match item {
                    Some(item) => held.write(item),
                    None => held.remove(&key),
                };
            }
            if self.failures.len() >= FAILURES_MAX {
                self.failures.remove(0);
            }
            self.failures.push((number, error));
        }
    }

    /// What became of a group that was ended.
    pub(super) fn outcome(&self, number: u64) -> Result<(), FileTableError> {
        let failure = self.failures.iter().find(|(of, _)| *of == number);
        failure.map_or(Ok(()), |(_, error)| Err(error.clone()))
    }
}

/// Lets the others of this thread go first, once.
pub(super) async fn after_the_others() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    fn item(sort: &str, version: u64) -> Item {
        let key = ItemKey { partition: "p".into(), sort: sort.into() };
        Item { key, version, due: None, expires_at: None, body: version.to_string() }
    }

    #[test]
    fn of_a_group_that_fails_nothing_is_left_and_everybody_is_told() {
        let (mut group, mut held) = (Group::default(), Indexed::default());
        held.write(item("a", 1));
        let first = group.push(vec![1], item("a", 2), &mut held);
        assert_eq!(group.push(vec![2], item("a", 3), &mut held), first);
        assert_eq!(group.push(vec![3], item("b", 1), &mut held), first);
        let full = || FileTableError::Write {
            path: "journal".into(),
            source: Arc::new(io::Error::from(io::ErrorKind::StorageFull)),
        };
        group.end(&mut held, |records| {
            assert_eq!(records.len(), 3);
            Err(full())
        });
        assert_eq!(held.items().cloned().collect::<Vec<_>>(), [item("a", 1)]);
        for _ in 0..3 {
            assert_eq!(group.outcome(first).unwrap_err().to_string(), full().to_string());
        }
        let second = group.push(vec![4], item("b", 1), &mut held);
        group.end(&mut held, |_| Ok(()));
        assert!(second != first && group.outcome(second).is_ok());
        assert_eq!(held.items().count(), 2);
    }

    #[test]
    fn a_group_takes_one_record_of_any_size_and_more_up_to_its_bound() {
        let (mut group, mut held) = (Group::default(), Indexed::default());
        assert!(group.has_room(BYTES_MAX * 9));
        group.push(vec![0; BYTES_MAX - 1], item("a", 1), &mut held);
        assert!(group.has_room(1) && !group.has_room(2));
    }
}

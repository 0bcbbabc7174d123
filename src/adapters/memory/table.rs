//! A table in memory, whose index can be made to lag as DynamoDB's may.
//!
//! A clone shares the items, so that several processes of a simulation can hold the same table.
//! **Invariant:** items are always exact; only what [`Table::due`] answers may be old, and only where that was asked for.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::adapters::indexed::{Change, Index, Indexed, Place};
use crate::domain::job::Timestamp;
use crate::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};

/// How many changes of the index can be taken back: more than one sweep of a simulation makes.
pub const INDEX_LAG_MAX: usize = 1_000;

/// A table in memory. A clone is the same table.
#[derive(Clone, Debug, Default)]
pub struct MemoryTable {
    state: Arc<Mutex<State>>,
}

/// How much a table was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Items asked for by key.
    pub gets: u64,
    /// Questions to a partition of the table.
    pub ranges: u64,
    /// Questions to a partition of the index.
    pub dues: u64,
    /// Items written.
    pub puts: u64,
    /// Items not written, because something else was found than expected.
    pub conflicts: u64,
    /// Items asked to be taken out of the index.
    pub unmarks: u64,
}

#[derive(Debug, Default)]
struct State {
    held: Indexed,
    /// The newest changes of the index, oldest first, to be taken back by whoever asks for an older one.
    changes: VecDeque<Change>,
    lag: usize,
    traffic: Traffic,
}

impl MemoryTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A table of these items, of which a later one replaces an earlier one of its key.
    #[must_use]
    pub fn of(items: Vec<Item>) -> Self {
        let mut held = Indexed::default();
        for item in items {
            held.write(item);
        }
        Self { state: Arc::new(Mutex::new(State { held, ..State::default() })) }
    }

    /// Serves the index as it was before the newest `changes` changes of it, until told otherwise; at most
    /// [`INDEX_LAG_MAX`]. It may be set lower and higher again: two reads of a real index may be answered by two
    /// copies of it, the second of them older.
    pub fn set_index_lag(&self, changes: usize) {
        self.state().lag = changes;
    }

    /// What was asked for so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.state().traffic
    }

    /// Every item in the order of keys, expired ones included.
    #[must_use]
    pub fn items(&self) -> std::vec::IntoIter<Item> {
        self.state().held.items().cloned().collect::<Vec<_>>().into_iter()
    }

    /// Forgets what is expired at `now`, as a store does some day.
    pub fn expire(&self, now: Timestamp) {
        let mut state = self.state();
        let is_gone = |item: &&Item| item.expires_at.is_some_and(|at| at <= now);
        let gone: Vec<ItemKey> = state.held.items().filter(is_gone).map(|item| item.key.clone()).collect();
        for key in gone {
            let change = state.held.remove(&key);
            state.note(change);
        }
    }

    /// Nothing here stops halfway, so what a panic elsewhere left behind is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, change: Change) {
        if change.before.is_none() && change.after.is_none() {
            return;
        }
        self.changes.push_back(change);
        if self.changes.len() > INDEX_LAG_MAX {
            self.changes.pop_front();
        }
    }

    /// What a partition of the index holds between two places, as it was `lag` changes ago.
    fn listed(&self, partition: &str, from: &str, until: &str, limit: usize) -> Vec<Listed> {
        let now = self.held.due(partition, from, until);
        if self.lag == 0 {
            return now.take(limit).map(|(_, line)| line.clone()).collect();
        }
        let mut index: Index = now.map(|(place, line)| (place.clone(), line.clone())).collect();
        for change in self.changes.iter().rev().take(self.lag) {
            if let Some((place, _)) = &change.after {
                index.remove(place);
            }
            let is_within =
                |(held, order, _): &Place| held == partition && (from..=until).contains(&order.as_str());
            index.extend(change.before.clone().filter(|(place, _)| is_within(place)));
        }
        index.into_values().take(limit).collect()
    }
}

impl Table for MemoryTable {
    type Error = Infallible;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, Infallible> {
        let mut state = self.state();
        state.traffic.gets = state.traffic.gets.saturating_add(keys.len() as u64);
        Ok(keys.iter().map(|key| state.held.get(key).cloned()).collect())
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, Infallible> {
        let mut state = self.state();
        if !expected.is_met_by(state.held.get(&item.key)) {
            state.traffic.conflicts = state.traffic.conflicts.saturating_add(1);
            return Ok(Written::Conflict);
        }
        state.traffic.puts = state.traffic.puts.saturating_add(1);
        let change = state.held.write(item.clone());
        state.note(change);
        Ok(Written::Done)
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), Infallible> {
        let mut state = self.state();
        state.traffic.unmarks = state.traffic.unmarks.saturating_add(1);
        if let Some(item) = state.held.get(key) {
            let unmarked = Item { due: None, ..item.clone() };
            let change = state.held.write(unmarked);
            state.note(change);
        }
        Ok(())
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, Infallible> {
        let mut state = self.state();
        state.traffic.dues = state.traffic.dues.saturating_add(1);
        Ok(state.listed(partition, from, until, limit))
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, Infallible> {
        let mut state = self.state();
        state.traffic.ranges = state.traffic.ranges.saturating_add(1);
        Ok(state.held.range(partition, from).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::ports::table::Due;

    #[test]
    fn a_lagging_index_shows_what_was_and_items_what_is() {
        let table = MemoryTable::new();
        for version in 1..=3 {
            put(&table, "a", version, Some(("o1", "1", true)));
        }
        assert_eq!(bodies(&table, "o1"), ["a3"]);
        for (lag, body) in [(0, vec!["a3"]), (1, vec!["a2"]), (2, vec!["a1"]), (3, vec![]), (9, vec![])] {
            table.set_index_lag(lag);
            assert_eq!(bodies(&table, "o1"), body, "{lag} changes ago");
            let Ok(found) = now(table.get(&[key("a")]));
            assert_eq!(found[0].as_ref().map(|item| item.version), Some(3));
        }
        table.set_index_lag(1);
        assert_eq!(bodies(&table, "o1"), ["a2"], "an index may be served newer, then older");
    }

    #[test]
    fn a_lagging_index_shows_an_item_where_it_was() {
        let table = MemoryTable::new();
        put(&table, "a", 1, Some(("o1", "1", true)));
        put(&table, "a", 2, Some(("o2", "1", true)));
        let Ok(()) = now(table.unmark(&key("a")));
        assert_eq!((bodies(&table, "o1"), bodies(&table, "o2")), (vec![], vec![]));
        table.set_index_lag(1);
        assert_eq!((bodies(&table, "o1"), bodies(&table, "o2")), (vec![], vec!["a2".into()]));
        table.set_index_lag(2);
        assert_eq!((bodies(&table, "o1"), bodies(&table, "o2")), (vec!["a1".into()], vec![]));
    }

    #[test]
    fn a_clone_is_the_same_table_and_counts_with_it() {
        let table = MemoryTable::new();
        let other = table.clone();
        put(&table, "a", 1, None);
        let Ok(written) = now(other.put(&item("a", 1, None), Expected::Nothing));
        assert_eq!(written, Written::Conflict);
        let Ok(_) = now(other.get(&[key("a"), key("b")]));
        assert_eq!(table.traffic(), Traffic { gets: 2, puts: 1, conflicts: 1, ..Traffic::default() });
        assert_eq!(table.items().map(|item| item.body).collect::<Vec<_>>(), ["a1"]);
    }

    #[test]
    fn what_is_expired_is_there_until_the_store_forgets_it() {
        let table = MemoryTable::new();
        let mortal =
            Item { expires_at: Some(Timestamp::from_ms(5_000)), ..item("a", 1, Some(("o1", "1", false))) };
        let Ok(_) = now(table.put(&mortal, Expected::Nothing));
        table.expire(Timestamp::from_ms(4_999));
        assert_eq!(table.items().len(), 1);
        table.expire(Timestamp::from_ms(5_000));
        let Ok(due) = now(table.due("o1", "", "9", 10));
        assert_eq!((table.items().len(), due.len()), (0, 0));
    }

    fn key(name: &str) -> ItemKey {
        ItemKey { partition: "p".into(), sort: name.into() }
    }

    fn item(name: &str, version: u64, due: Option<(&str, &str, bool)>) -> Item {
        let due = due.map(|(partition, order, shows_body)| Due {
            partition: partition.into(),
            order: order.into(),
            shows_body,
        });
        Item { key: key(name), version, due, expires_at: None, body: format!("{name}{version}") }
    }

    fn put(table: &MemoryTable, name: &str, version: u64, due: Option<(&str, &str, bool)>) {
        let Ok(written) = now(table.put(&item(name, version, due), Expected::Anything));
        assert_eq!(written, Written::Done);
    }

    fn bodies(table: &MemoryTable, partition: &str) -> Vec<String> {
        let Ok(lines) = now(table.due(partition, "", "~", 10));
        lines.into_iter().filter_map(|line| line.body).collect()
    }

    /// What a future that never waits comes to.
    fn now<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("memory keeps nobody waiting"),
        }
    }
}

//! Items in the order of their keys, and the index over those that are due: what tables keep in memory.

use std::collections::BTreeMap;

use crate::ports::table::{Item, ItemKey, Listed};

/// A line's place in the index: partition, order and key, for two items may have the same order.
pub(super) type Place = (String, String, ItemKey);

/// The lines of an index by their places.
pub(super) type Index = BTreeMap<Place, Listed>;

/// Items and their index.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    items: BTreeMap<ItemKey, Item>,
    index: Index,
}

/// The line of an item in the index, before and after a write.
#[derive(Debug)]
pub(super) struct Change {
    /// What it was.
    pub(super) before: Option<(Place, Listed)>,
    /// What it is.
    pub(super) after: Option<(Place, Listed)>,
}

/// The least key there is.
const FIRST_KEY: ItemKey = ItemKey { partition: String::new(), sort: String::new() };

impl Indexed {
    /// The item of a key.
    pub(super) fn get(&self, key: &ItemKey) -> Option<&Item> {
        self.items.get(key)
    }

    /// Every item, in the order of keys.
    pub(super) fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.items.values()
    }

    /// Writes an item over whatever is there.
    pub(super) fn write(&mut self, item: Item) -> Change {
        let after = line(&item);
        let before = self.items.insert(item.key.clone(), item).and_then(|old| line(&old));
        self.change(before, after)
    }

    /// Forgets an item.
    pub(super) fn remove(&mut self, key: &ItemKey) -> Change {
        let before = self.items.remove(key).and_then(|old| line(&old));
        self.change(before, None)
    }

    /// Forgets every item of which `is_kept` is not true, without telling.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Item) -> bool) {
        self.items.retain(|_, item| is_kept(item));
        self.index = self.items.values().filter_map(line).collect();
    }

    /// The items of a partition from a place on.
    pub(super) fn range(&self, partition: &str, from: &str) -> impl Iterator<Item = &Item> {
        let start = ItemKey { partition: partition.to_owned(), sort: from.to_owned() };
        self.items.range(start..).take_while(move |(key, _)| key.partition == partition).map(|(_, item)| item)
    }

    /// The lines of a partition of the index between two places, both included.
    pub(super) fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
    ) -> impl Iterator<Item = (&Place, &Listed)> {
        let start = (partition.to_owned(), from.to_owned(), FIRST_KEY);
        self.index
            .range(start..)
            .take_while(move |((held, order, _), _)| held == partition && order.as_str() <= until)
    }

    fn change(&mut self, before: Option<(Place, Listed)>, after: Option<(Place, Listed)>) -> Change {
        if let Some((place, _)) = &before {
            self.index.remove(place);
        }
        self.index.extend(after.clone());
        Change { before, after }
    }
}

fn line(item: &Item) -> Option<(Place, Listed)> {
    let due = item.due.as_ref()?;
    let listed = Listed {
        key: item.key.clone(),
        order: due.order.clone(),
        expires_at: item.expires_at,
        body: due.shows_body.then(|| item.body.clone()),
    };
    Some(((due.partition.clone(), due.order.clone(), item.key.clone()), listed))
}

//! One line of the journal. Its names are a format on disk, apart from the port's.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::job::Timestamp;
use crate::ports::table::{Due, Item, ItemKey};

/// The first line of every journal.
pub(super) const HEADER: &str = r#"{"queuewatch_table":1}"#;

/// The longest line that is written or read: far above the largest item, and a bound on what a foreign file costs.
pub(super) const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A whole item: the newest of a key is what is there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record<'a> {
    pk: Cow<'a, str>,
    sk: Cow<'a, str>,
    v: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<(Cow<'a, str>, Cow<'a, str>, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<i64>,
    b: Cow<'a, str>,
}

impl<'a> From<&'a Item> for Record<'a> {
    fn from(item: &'a Item) -> Self {
        let due = item.due.as_ref();
        Self {
            pk: Cow::Borrowed(&item.key.partition),
            sk: Cow::Borrowed(&item.key.sort),
            v: item.version,
            due: due.map(|due| (Cow::Borrowed(&*due.partition), Cow::Borrowed(&*due.order), due.shows_body)),
            x: item.expires_at.map(Timestamp::as_ms),
            b: Cow::Borrowed(&item.body),
        }
    }
}

impl From<Record<'_>> for Item {
    fn from(record: Record<'_>) -> Self {
        let due = record.due.map(|(partition, order, shows_body)| Due {
            partition: partition.into_owned(),
            order: order.into_owned(),
            shows_body,
        });
        Self {
            key: ItemKey { partition: record.pk.into_owned(), sort: record.sk.into_owned() },
            version: record.v,
            due,
            expires_at: record.x.map(Timestamp::from_ms),
            body: record.b.into_owned(),
        }
    }
}

//! The table in DynamoDB.
//!
//! It knows keys, versions and the index, and nothing of what lies in a body.

mod attributes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use thiserror::Error;

use super::client::{self, Cause};
use crate::ports::table::{Expected, Item, ItemKey, Listed, Table, Written};
use crate::ports::{Disposed, Disposition};
use attributes::{
    Attributes, DUE_ORDER, DUE_PARTITION, PARTITION, SORT, VERSION, decode, decode_key, decode_listed,
    encode, encode_key, text,
};
pub use attributes::{BODY_BYTES_MAX, Fault, ITEM_BYTES_MAX};

/// The index of what is due.
const INDEX: &str = "due";

/// Keys of one `BatchGetItem`
/// ([page](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)).
const KEYS_MAX: usize = 100;

/// Calls of one read at a time: a delivery of ten thousand jobs takes a hundred.
const READS_AT_ONCE: usize = 8;

/// How often a read that brought nothing is repeated. With the waits below, three seconds.
const IDLE_ROUNDS_MAX: u32 = 6;

/// The first wait after a read that brought nothing; each further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_millis(50);

/// What went wrong with the table.
#[derive(Debug, Error)]
pub enum DynamoError {
    /// DynamoDB refused, or did not answer.
    #[error("DynamoDB's {operation} failed")]
    Call {
        /// The operation's name.
        operation: &'static str,
        /// What to do about it.
        disposition: Disposition,
        /// What it said.
        #[source]
        source: Cause,
    },
    /// DynamoDB was too busy to read all that was asked for.
    #[error("DynamoDB left {keys_count} keys unread")]
    Unread {
        /// How many.
        keys_count: usize,
    },
    /// An item is not what was written.
    #[error("the item {} cannot be read", Shown(.key.as_ref()))]
    Unreadable {
        /// Which; `None` where not even its key can be read.
        key: Option<ItemKey>,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
    /// An item is too large for DynamoDB.
    #[error("the item {} takes {bytes} bytes, and DynamoDB takes {ITEM_BYTES_MAX}", Shown(Some(.key)))]
    TooLarge {
        /// Which.
        key: ItemKey,
        /// How large it is.
        bytes: usize,
    },
    /// A body could not be deflated.
    #[error("the item {} cannot be written", Shown(Some(.key)))]
    Unwritable {
        /// Which.
        key: ItemKey,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Disposed for DynamoError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Call { disposition, .. } => *disposition,
            Self::Unread { .. } => Disposition::Retry,
            // Reading or writing the same once more gives the same.
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Unwritable { .. } => Disposition::Drop,
        }
    }
}

/// A key, as an error shows it.
struct Shown<'a>(Option<&'a ItemKey>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, "{} / {}", key.partition, key.sort),
            None => f.write_str("without a key"),
        }
    }
}

/// A table in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    /// The table called `name`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Reads up to [`KEYS_MAX`] different keys. DynamoDB answers with at most 16 MB, and when it is busy with less
    /// than it was asked for: what it left is asked for again.
    async fn read(&self, keys: Vec<ItemKey>) -> Result<Vec<Item>, DynamoError> {
        let mut left: Vec<Attributes> = keys.iter().map(encode_key).collect();
        let (mut items, mut idle_rounds, mut wait) = (Vec::new(), 0_u32, WAIT_FIRST);
        while !left.is_empty() {
            let asked = left.len();
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut left)))
                .consistent_read(true)
                .build()
                .map_err(|source| DynamoError::Call {
                    operation: "BatchGetItem",
                    disposition: Disposition::Drop,
                    source: source.into(),
                })?;
            let request = self.client.batch_get_item().request_items(&self.name, keys);
            let answer = request.send().await.map_err(|error| called("BatchGetItem", error))?;
            for one in answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default() {
                items.push(decoded(&one, decode)?);
            }
            left = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.name)
                .map(|unread| unread.keys)
                .unwrap_or_default();
            if left.len() < asked {
                (idle_rounds, wait) = (0, WAIT_FIRST);
            } else if idle_rounds >= IDLE_ROUNDS_MAX {
                return Err(DynamoError::Unread { keys_count: left.len() });
            } else {
                tokio::time::sleep(wait).await;
                (idle_rounds, wait) = (idle_rounds.saturating_add(1), wait.saturating_mul(2));
            }
        }
        Ok(items)
    }

    /// Follows a query from page to page until `limit` or its end.
    async fn pages<T>(
        &self,
        query: QueryFluentBuilder,
        limit: usize,
        read: impl Fn(&Attributes) -> Result<T, Fault>,
    ) -> Result<Vec<T>, DynamoError> {
        let mut found = Vec::new();
        let mut next: Option<Attributes> = None;
        while found.len() < limit {
            let rest = i32::try_from(limit.saturating_sub(found.len())).unwrap_or(i32::MAX);
            let page = query.clone().limit(rest).set_exclusive_start_key(next);
            let page = page.send().await.map_err(|error| called("Query", error))?;
            for one in page.items() {
                found.push(decoded(one, &read)?);
            }
            next = page.last_evaluated_key;
            if next.as_ref().is_none_or(Attributes::is_empty) {
                break;
            }
        }
        // A server that stands in for DynamoDB may send more than it was asked for.
        found.truncate(limit);
        Ok(found)
    }
}

impl Table for DynamoTable {
    type Error = DynamoError;

    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<Item>>, DynamoError> {
        // A request that names a key twice is refused.
        let different: Vec<ItemKey> = keys.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let calls: Vec<_> = different.chunks(KEYS_MAX).map(|keys| self.read(keys.to_vec())).collect();
        let read: Vec<Vec<Item>> = stream::iter(calls).buffered(READS_AT_ONCE).try_collect().await?;
        let found: BTreeMap<ItemKey, Item> =
            read.into_iter().flatten().map(|item| (item.key.clone(), item)).collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn put(&self, item: &Item, expected: Expected) -> Result<Written, DynamoError> {
        let (attributes, bytes) =
            encode(item).map_err(|source| DynamoError::Unwritable { key: item.key.clone(), source })?;
        if bytes > ITEM_BYTES_MAX {
            return Err(DynamoError::TooLarge { key: item.key.clone(), bytes });
        }
        let request = self.client.put_item().table_name(&self.name).set_item(Some(attributes));
        let request = match expected {
            Expected::Nothing => request.condition_expression(format!("attribute_not_exists({PARTITION})")),
            Expected::Version(version) => request
                .condition_expression(format!("{VERSION} = :v"))
                .expression_attribute_values(":v", AttributeValue::N(version.to_string())),
            Expected::Anything => request,
        };
        match request.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) if is_conflict(&error) => Ok(Written::Conflict),
            Err(error) => Err(called("PutItem", error)),
        }
    }

    async fn unmark(&self, key: &ItemKey) -> Result<(), DynamoError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(encode_key(key)))
            .update_expression(format!("REMOVE {DUE_PARTITION}, {DUE_ORDER}"))
            // An update makes an item where there is none.
            .condition_expression(format!("attribute_exists({PARTITION})"));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Ok(()),
            Err(error) => Err(called("UpdateItem", error)),
        }
    }

    async fn due(
        &self,
        partition: &str,
        from: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<Listed>, DynamoError> {
        // DynamoDB refuses bounds in the wrong order, and an empty one: no order is empty, so from an empty one on
        // is from the beginning, and nothing lies before an empty end.
        if from > until || until.is_empty() {
            return Ok(Vec::new());
        }
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX)
            .expression_attribute_values(":w", text(partition))
            .expression_attribute_values(":until", text(until));
        let query = if from.is_empty() {
            query.key_condition_expression(format!("{DUE_PARTITION} = :w AND {DUE_ORDER} <= :until"))
        } else {
            query
                .key_condition_expression(format!(
                    "{DUE_PARTITION} = :w AND {DUE_ORDER} BETWEEN :from AND :until"
                ))
                .expression_attribute_values(":from", text(from))
        };
        self.pages(query, limit, decode_listed).await
    }

    async fn range(&self, partition: &str, from: &str, limit: usize) -> Result<Vec<Item>, DynamoError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_values(":pk", text(partition));
        let query = if from.is_empty() {
            query.key_condition_expression(format!("{PARTITION} = :pk"))
        } else {
            query
                .key_condition_expression(format!("{PARTITION} = :pk AND {SORT} >= :from"))
                .expression_attribute_values(":from", text(from))
        };
        self.pages(query, limit, decode).await
    }
}

fn called<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> DynamoError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    DynamoError::Call { operation, disposition: client::disposition(&error), source: error.into() }
}

/// Whether something else was found than expected.
fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ConditionalCheckFailedException")
}

fn decoded<T>(
    attributes: &Attributes,
    read: impl Fn(&Attributes) -> Result<T, Fault>,
) -> Result<T, DynamoError> {
    read(attributes).map_err(|fault| DynamoError::Unreadable { key: decode_key(attributes).ok(), fault })
}

#[cfg(test)]
mod tests;

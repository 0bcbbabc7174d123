//! A queue on a connection, each as far as lines tell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::job::{ConnectionName, QueueName};

/// Both names, as stores hold them.
type Names = (Option<ConnectionName>, Option<QueueName>);

/// A queue on a connection. A name that is not known is `None`: it is never invented, and it prints as `unknown`.
///
/// Equality is exact: `redis:default` and `unknown:default` are two places. Whether two may be the same is asked by name,
/// because an unknown name does not mean the same to everybody who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Names", into = "Names")]
pub struct QueueRef {
    /// The connection.
    pub connection: Option<ConnectionName>,
    /// The queue.
    pub queue: Option<QueueName>,
}

impl QueueRef {
    /// A queue whose connection is not known.
    #[must_use]
    pub const fn of_queue(queue: QueueName) -> Self {
        Self { connection: None, queue: Some(queue) }
    }

    /// Whether both are on one connection, as far as is known: an unknown connection may be any.
    #[must_use]
    pub fn may_share_connection(&self, other: &Self) -> bool {
        self.connection.is_none() || other.connection.is_none() || self.connection == other.connection
    }

    /// Whether nothing tells the two apart: neither a connection nor a queue that both name and in which they differ.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        self.may_share_connection(other)
            && (self.queue.is_none() || other.queue.is_none() || self.queue == other.queue)
    }

    /// Whether both are one queue, on connections that may be the same. An unknown queue is one with an unknown queue
    /// only.
    #[must_use]
    pub fn is_same_queue(&self, other: &Self) -> bool {
        self.may_share_connection(other) && self.queue == other.queue
    }

    /// Whose it is, where that is not the stack's own app.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        let queue = self.queue.as_ref().and_then(QueueName::scope);
        queue.or_else(|| self.connection.as_ref().and_then(ConnectionName::scope))
    }
}

impl From<QueueRef> for Names {
    fn from(queue: QueueRef) -> Self {
        (queue.connection, queue.queue)
    }
}

impl From<&Self> for QueueRef {
    fn from(queue: &Self) -> Self {
        queue.clone()
    }
}

impl From<Names> for QueueRef {
    fn from((connection, queue): Names) -> Self {
        Self { connection, queue }
    }
}

impl fmt::Display for QueueRef {
    /// `redis:default`, as `queue:monitor` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.connection.as_ref().map_or("unknown", ConnectionName::as_str);
        write!(f, "{connection}:{}", self.queue.as_ref().map_or("unknown", QueueName::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place as it prints.
    fn place(text: &str) -> QueueRef {
        let (connection, queue) = text.split_once(':').unwrap();
        let known = |name: &&str| *name != "unknown";
        QueueRef {
            connection: Some(connection).filter(known).map(ConnectionName::from),
            queue: Some(queue).filter(known).map(QueueName::from),
        }
    }

    #[track_caller]
    fn check(one: &str, other: &str, may_share_connection: bool, is_same_queue: bool) {
        let (one, other) = (place(one), place(other));
        assert_eq!(one.may_share_connection(&other), may_share_connection, "{one} {other}");
        assert_eq!(one.is_same_queue(&other), is_same_queue, "{one} {other}");
    }

    #[test]
    fn an_unknown_connection_may_be_any_and_an_unknown_queue_is_none_other() {
        check("redis:default", "redis:default", true, true);
        check("redis:default", "sqs:default", false, false);
        check("redis:default", "unknown:default", true, true);
        check("unknown:default", "unknown:default", true, true);
        check("redis:default", "redis:mail", true, false);
        check("redis:default", "redis:unknown", true, false);
        check("redis:unknown", "unknown:unknown", true, true);
    }

    #[test]
    fn what_is_not_known_prints_as_unknown() {
        for text in ["redis:default", "unknown:default", "redis:unknown", "unknown:unknown"] {
            assert_eq!(place(text).to_string(), text);
        }
    }
}

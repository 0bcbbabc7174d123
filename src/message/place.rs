//! Where an incident is, by the names that lines gave: its connection and queue, and what keeps the jobs.

use std::borrow::Cow;

use crate::domain::incidents::Incident;
use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::printable::printable;

/// Queues named where lines do not tell which it is; the rest are counted.
const QUEUES_MAX: usize = 4;

/// The names of a place; what no line told is missing.
pub(super) struct Place<'a> {
    /// The connection.
    pub(super) connection: Option<Cow<'a, str>>,
    /// The queue.
    pub(super) queue: Option<Cow<'a, str>>,
    /// The queues that it may be, where the queue is not known.
    pub(super) candidates: Vec<Cow<'a, str>>,
    /// How many more it may be.
    pub(super) more: usize,
}

impl<'a> Place<'a> {
    /// The place of an incident.
    pub(super) fn of(incident: &'a Incident) -> Self {
        let key = &incident.key;
        let candidates = incident.queues.iter().filter(|_| key.queue.is_none());
        Self {
            connection: key.connection.as_ref().map(|name| printable(name.as_str())),
            queue: key.queue.as_ref().map(|name| printable(name.as_str())),
            candidates: candidates.clone().take(QUEUES_MAX).map(|name| printable(name.as_str())).collect(),
            more: candidates.count().saturating_sub(QUEUES_MAX),
        }
    }

    /// Whether no line told anything of it.
    pub(super) const fn is_unknown(&self) -> bool {
        self.connection.is_none() && self.queue.is_none() && self.candidates.is_empty()
    }
}

/// `redis:default` of a queue with its connection, for lists.
pub(super) fn pair(connection: Option<&ConnectionName>, queue: &QueueName) -> String {
    match connection {
        Some(connection) => format!("{connection}:{queue}"),
        None => queue.to_string(),
    }
}

/// What keeps the jobs of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// Redis, Valkey, or what speaks as they do.
    Redis,
    /// A table of a database.
    Database,
    /// Amazon SQS.
    Sqs,
    /// beanstalkd.
    Beanstalkd,
    /// RabbitMQ.
    RabbitMq,
    /// Nothing tells.
    Unknown,
}

/// What a connection is called that leads to a store.
const CONNECTIONS: [(Store, &[&str]); 5] = [
    (Store::Redis, &["redis", "horizon", "valkey"]),
    (Store::Sqs, &["sqs"]),
    (Store::Beanstalkd, &["beanstalk"]),
    (Store::RabbitMq, &["rabbit", "amqp"]),
    (Store::Database, &["database", "mysql", "mariadb", "pgsql", "postgres", "sqlite"]),
];

/// What only the errors of one store say.
const TEXTS: [(Store, &[&str]); 5] = [
    (
        Store::Redis,
        &[
            "redis",
            "noauth",
            "wrongpass",
            "noperm",
            "readonly you can't write",
            "moved ",
            "clusterdown",
            "oom command",
            "misconf",
        ],
    ),
    (Store::Sqs, &["sqs"]),
    (Store::Beanstalkd, &["beanstalk", "pheanstalk"]),
    (Store::RabbitMq, &["rabbit", "amqp"]),
    (Store::Database, &["sqlstate", "mysql", "pgsql", "database is locked"]),
];

impl Store {
    /// The store that a connection leads to, or that an error's text is of.
    pub(super) fn of(connection: Option<&ConnectionName>, text: Option<&str>) -> Self {
        let named = connection.and_then(|name| first(&CONNECTIONS, name.as_str()));
        named.or_else(|| first(&TEXTS, text?)).unwrap_or(Self::Unknown)
    }
}

fn first(table: &[(Store, &[&str])], text: &str) -> Option<Store> {
    let text = text.to_ascii_lowercase();
    table.iter().find(|(_, words)| words.iter().any(|word| text.contains(word))).map(|(store, _)| *store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(connection: Option<&str>, text: Option<&str>, expected: Store) {
        let connection = connection.map(ConnectionName::from);
        assert_eq!(Store::of(connection.as_ref(), text), expected, "{connection:?} {text:?}");
    }

    #[test]
    fn a_store_is_named_by_its_connection_or_by_its_errors() {
        check(Some("redis"), None, Store::Redis);
        check(Some("redis-long-running"), None, Store::Redis);
        check(Some("database"), Some("Connection refused"), Store::Database);
        check(Some("sqs-fifo"), None, Store::Sqs);
        check(None, Some("NOAUTH Authentication required."), Store::Redis);
        check(None, Some("SQLSTATE[HY000] [2002] Connection refused"), Store::Database);
        check(None, Some("Connection refused [tcp://10.0.0.1:6379]"), Store::Unknown);
        check(Some("primary"), None, Store::Unknown);
        check(None, None, Store::Unknown);
    }
}

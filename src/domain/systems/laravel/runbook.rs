//! Commands of artisan and of the framework's stores: words for a shell, without where they run.
//!
//! **Invariant:** whatever comes from a log line went through `shell`.

use crate::domain::job::{ConnectionName, QueueName};
use crate::domain::shell;

/// What shows the workers among all processes.
pub const PROCESSES: &str = "ps aux | grep queue:work";

/// Jobs that failed for good.
#[must_use]
pub fn failed() -> String {
    artisan("queue:failed")
}

/// How long queues are, as the app sees it: `redis:default`. Without a queue, of all that it may be.
#[must_use]
pub fn monitor(
    connection: Option<&ConnectionName>,
    queue: Option<&QueueName>,
    others: &[QueueName],
) -> String {
    let places = queue.map_or_else(|| places(connection, others), |queue| place(connection, queue));
    artisan(&format!("queue:monitor {places}"))
}

/// A worker of one queue, as far as it is known: `queue:work redis --queue=default`.
#[must_use]
pub fn work(connection: Option<&ConnectionName>, queue: Option<&QueueName>) -> String {
    let mut words = "queue:work".to_owned();
    if let Some(name) = connection {
        words = format!("{words} {}", shell::word(name.as_str()));
    }
    if let Some(name) = queue {
        words = format!("{words} {}", shell::word(&format!("--queue={name}")));
    }
    artisan(&words)
}

/// After how long a job is tried again that nobody ended.
#[must_use]
pub fn retry_after(connection: Option<&ConnectionName>) -> String {
    let connection = connection.map_or("redis", ConnectionName::as_str);
    let key = format!("queue.connections.{connection}.retry_after");
    artisan(&format!("config:show {}", shell::word(&key)))
}

/// The prefix of the app's keys, where its store has any.
#[must_use]
pub fn key_prefix(connection: Option<&ConnectionName>) -> Option<String> {
    is_redis(connection).then(|| artisan("config:show database.redis.options.prefix"))
}

/// The end of a pause; of a queue that is not known there is none.
#[must_use]
pub fn resume(connection: Option<&ConnectionName>, queue: Option<&QueueName>) -> Option<String> {
    Some(artisan(&format!("queue:resume {}", place(connection, queue?))))
}

/// The end of maintenance.
#[must_use]
pub fn up() -> String {
    artisan("up")
}

/// Workers that load their code anew.
#[must_use]
pub fn restart() -> String {
    artisan("queue:restart")
}

/// Which store the app is told to use.
#[must_use]
pub fn store_names(connection: Option<&ConnectionName>) -> String {
    let names = match connection.map(ConnectionName::as_str) {
        Some("database") => "printenv QUEUE_CONNECTION DB_CONNECTION DB_HOST DB_PORT",
        Some("sqs") => "printenv QUEUE_CONNECTION SQS_PREFIX SQS_QUEUE AWS_DEFAULT_REGION",
        None => "printenv QUEUE_CONNECTION REDIS_HOST REDIS_PORT DB_CONNECTION DB_HOST DB_PORT",
        Some(_) => "printenv QUEUE_CONNECTION REDIS_HOST REDIS_PORT REDIS_DB REDIS_PREFIX",
    };
    names.to_owned()
}

/// Another connection for a while, where the store is Redis.
#[must_use]
pub fn switch_connection(connection: Option<&ConnectionName>) -> Option<String> {
    is_redis(connection).then(|| "QUEUE_CONNECTION=database".to_owned())
}

/// Jobs in the database; no payloads, which hold what jobs are about.
#[must_use]
pub fn jobs_table(connection: Option<&ConnectionName>, queue: Option<&QueueName>) -> Option<String> {
    // Databases differ in what a backslash means in a text, so that a name which is no plain word is left out.
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    let queue = queue.filter(|queue| queue.as_str().bytes().all(is_plain));
    let of = queue.map_or_else(String::new, |queue| format!("WHERE queue = '{queue}' "));
    is_database(connection).then(|| {
        format!(
            "SELECT id, queue, attempts, reserved_at, available_at, created_at FROM jobs {of}ORDER BY id LIMIT 20;"
        )
    })
}

/// Failed jobs in the database; no payloads either.
#[must_use]
pub fn failed_table(connection: Option<&ConnectionName>) -> Option<String> {
    is_database(connection).then(|| {
        "SELECT id, uuid, queue, failed_at, LEFT(exception, 200) FROM failed_jobs \
         ORDER BY failed_at DESC LIMIT 10;"
            .to_owned()
    })
}

fn artisan(words: &str) -> String {
    format!("php artisan {words}")
}

/// Whether the connection is the database's; the name is all there is to go by, and the framework's own.
fn is_database(connection: Option<&ConnectionName>) -> bool {
    connection.is_some_and(|name| name.as_str() == "database")
}

fn is_redis(connection: Option<&ConnectionName>) -> bool {
    connection.is_none_or(|name| name.as_str().starts_with("redis"))
}

/// `redis:default`, as `queue:monitor` and `queue:resume` take it; without a connection the app's own counts.
fn place(connection: Option<&ConnectionName>, queue: &QueueName) -> String {
    match connection {
        Some(connection) => shell::word(&format!("{connection}:{queue}")).into_owned(),
        None => operand(queue.as_str()),
    }
}

/// Every place that it may be.
fn places(connection: Option<&ConnectionName>, queues: &[QueueName]) -> String {
    const QUEUES_MAX: usize = 5;
    let named = queues.iter().take(QUEUES_MAX).map(|queue| match connection {
        Some(connection) => format!("{connection}:{queue}"),
        None => queue.to_string(),
    });
    let list = named.collect::<Vec<_>>().join(",");
    operand(if list.is_empty() { "default" } else { &list })
}

/// One word that is no option: behind `--` nothing is taken for one.
fn operand(word: &str) -> String {
    let quoted = shell::word(word);
    if word.starts_with('-') { format!("-- {quoted}") } else { quoted.into_owned() }
}

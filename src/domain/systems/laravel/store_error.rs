//! Which exceptions are a queue store's by their class alone: Redis, SQS, Beanstalk, AMQP.
//!
//! Any exception whose trace shows a queue at work is the queue's, whatever its class: missing credentials, a payload
//! that cannot be encoded, a driver that is not installed. The class matters only where no trace tells. A Redis error
//! counts then by itself, unless its text shows a wrong command rather than a sick server; a database's does not, as it
//! is mostly an app's own business.

use crate::domain::job::TraceSide;

/// What an exception can be evidence of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The queue's store fails, whoever noticed it.
    Store,
    /// The queue's store said which half it refused.
    Sided(TraceSide),
    /// The queue's, if the trace says so.
    Other,
}

/// Judges an exception by its class (backslashes doubled or not) and the text after it.
pub(super) fn fault(class: &str, message: &str) -> Fault {
    let short = class.rsplit('\\').next().unwrap_or(class);
    let starts = |words: &[&str]| words.iter().any(|word| message.starts_with(word));
    match short {
        "RedisException" | "RedisClusterException" if !starts(&WRONG_COMMANDS) => Fault::Store,
        "ErrorException" if starts(&["Redis::", "RedisCluster::"]) => Fault::Store,
        "SqsException" if message.contains("SendMessage") => Fault::Sided(TraceSide::Push),
        "SqsException" if message.contains("ReceiveMessage") => Fault::Sided(TraceSide::Pop),
        "SqsException" => Fault::Store,
        _ if class.starts_with("Predis\\") && !starts(&WRONG_COMMANDS) => Fault::Store,
        "InvalidPayloadException" if class.contains("Queue") => Fault::Sided(TraceSide::Push),
        "QueryException" | "PDOException" => side_of_statement(message).map_or(Fault::Other, Fault::Sided),
        _ if class.starts_with("Pheanstalk\\") || class.starts_with("PhpAmqpLib\\") => Fault::Store,
        _ => Fault::Other,
    }
}

/// What an error's message says by itself, of a driver that logs no exception, as RabbitMQ's: `AMQP error while
/// attempting pop: Broken pipe or closed connection`. The same of a push, which the app gets to know nothing of.
pub(super) fn side_of_message(message: &str) -> Option<TraceSide> {
    const FETCHES: [&str; 5] = [
        "error while attempting pop",
        "failed to pop job",
        "error while consuming",
        "error while polling",
        "error executing \"receivemessage",
    ];
    const PUSHES: [&str; 4] = [
        "error while attempting pushraw",
        "error while attempting laterraw",
        "failed to push job",
        "error executing \"sendmessage",
    ];
    let beginning: String = message.chars().take(80).collect::<String>().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| beginning.contains(words));
    if has(&FETCHES) {
        return Some(TraceSide::Pop);
    }
    if has(&PUSHES) {
        return Some(TraceSide::Push);
    }
    side_of_statement(message)
}

/// Which half a database refused, by the statement that it was asked: `… (Connection: mysql, SQL: insert into `jobs`
/// (`queue`, `attempts`, `reserved_at`, …`. The queue's table is known by its columns, whatever it is called, and not by
/// its name: apps have jobs, too.
fn side_of_statement(message: &str) -> Option<TraceSide> {
    // The gate: most errors have no statement of a queue's.
    if !message.contains("reserved_at") && !message.contains("illuminate:queue:") {
        return None;
    }
    let (_, statement) = message.split_once("SQL: ")?;
    let has = |words: &[&str]| words.iter().all(|word| statement.contains(word));
    if statement.starts_with("insert into ") {
        return has(&["reserved_at", "available_at", "payload"]).then_some(TraceSide::Push);
    }
    let is_fetch = ["select ", "update ", "with "].iter().any(|verb| statement.starts_with(verb))
        && (has(&["reserved_at"]) || has(&["illuminate:queue:"]));
    is_fetch.then_some(TraceSide::Pop)
}

/// Replies that tell of a wrong command: a bug of the app's, not a sick server.
const WRONG_COMMANDS: [&str; 5] =
    ["WRONGTYPE", "ERR unknown command", "ERR wrong number", "ERR syntax error", "NOSCRIPT"];

/// Splits `RedisException(code: 0): Connection refused at …` as Monolog's line form prints it.
pub(super) fn split_printed(exception: &str) -> (&str, &str) {
    let (class, rest) = exception.split_once("(code: ").unwrap_or((exception, ""));
    (class, rest.split_once("): ").map_or("", |(_, message)| message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(printed: &str, expected: Fault) {
        let (class, message) = split_printed(printed);
        assert_eq!(fault(class, message), expected, "{printed}");
    }

    #[test]
    fn a_driver_without_an_exception_says_which_side_it_was_on() {
        let check = |message: &str, side| assert_eq!(side_of_message(message), side, "{message}");
        check("AMQP error while attempting pop: Broken pipe or closed connection  ", Some(TraceSide::Pop));
        check("AMQP error while attempting pop:", Some(TraceSide::Pop));
        check("Kafka: error while consuming message: Local: Broker transport failure", Some(TraceSide::Pop));
        check("AMQP error while attempting pushRaw: Broken pipe", Some(TraceSide::Push));
        check("Could not pop the champagne", None);
        check(r#"Error executing "SendMessage" on "https://sqs…"; AWS HTTP error"#, Some(TraceSide::Push));
        check(r#"Error executing "ReceiveMessage" on "https://sqs…"; AWS HTTP error"#, Some(TraceSide::Pop));
        check(r#"Error executing "PutObject" on "https://s3…"; AWS HTTP error"#, None);
    }

    #[test]
    fn a_statement_says_whose_table_it_was_about() {
        let check = |sql: &str, side| {
            let message =
                format!("SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, SQL: {sql})");
            assert_eq!(side_of_statement(&message), side, "{message}");
        };
        check(
            "insert into `jobs` (`queue`, `attempts`, `reserved_at`, `available_at`, `created_at`, `payload`) values (default, 0, ?, 1, 1, {})",
            Some(TraceSide::Push),
        );
        check(
            r#"insert into "work" ("queue", "attempts", "reserved_at", "available_at", "payload") values"#,
            Some(TraceSide::Push),
        );
        check(
            "select * from `jobs` where `queue` = default and ((`reserved_at` is null and `available_at` <= 1) or (`reserved_at` <= 0)) order by `id` asc limit 1 FOR UPDATE SKIP LOCKED",
            Some(TraceSide::Pop),
        );
        check("update `jobs` set `reserved_at` = 1, `attempts` = 1 where `id` = 17", Some(TraceSide::Pop));
        check(
            "select * from `cache` where `key` in (shop_cache_illuminate:queue:restart)",
            Some(TraceSide::Pop),
        );
        check("insert into `jobs` (`title`, `company`, `city`) values (Cook, Inn, Rome)", None);
        check("select * from `jobs` where `city` = Rome", None);
        check("delete from `seats` where `reserved_at` < 1", None);
    }

    #[test]
    fn stores_are_told_from_the_apps_own_errors() {
        for text in [
            "Connection refused",
            "Connection lost",
            "Redis server 127.0.0.1:6410 went away",
            "NOAUTH Authentication required.",
            "read error on connection to redis:6379",
            "WRONGPASS invalid username-password pair",
            "MOVED 866 10.0.0.1:6379",
            "php_network_getaddresses: getaddrinfo for redis failed",
            "Operation timed out",
            "READONLY You can't write",
            "OOM command not allowed when used memory > 'maxmemory'.",
        ] {
            check(&format!("RedisException(code: 0): {text} at /x.php:1)"), Fault::Store);
        }
        check(
            r"Predis\\Connection\\ConnectionException(code: 111): Connection refused [tcp://127.0.0.1:6411] at",
            Fault::Store,
        );
        check(r"ErrorException(code: 0): Redis::connect(): php_network_getaddresses: failed", Fault::Store);
        check(
            r"Illuminate\\Database\\QueryException(code: 2002): SQLSTATE[HY000] [2002] Connection refused",
            Fault::Other,
        );
        check(r"PDOException(code: 2002): SQLSTATE[HY000] [2002] Connection refused", Fault::Other);
        check(
            r#"Aws\\Sqs\\Exception\\SqsException(code: 0): Error executing \"SendMessage\" on"#,
            Fault::Sided(TraceSide::Push),
        );
        check(
            r#"Aws\Sqs\Exception\SqsException(code: 0): Error executing "SendMessage" on"#,
            Fault::Sided(TraceSide::Push),
        );
        check(
            r#"Aws\Sqs\Exception\SqsException(code: 0): Error executing "ReceiveMessage" on"#,
            Fault::Sided(TraceSide::Pop),
        );
        check(
            r"Symfony\\Component\\Console\\Exception\\InvalidArgumentException(code: 0): The option",
            Fault::Other,
        );
        check("RuntimeException(code: 0): Connection refused", Fault::Other);
        check("RedisException(code: 0): WRONGTYPE Operation against a key", Fault::Other);
        check(r"Predis\\Response\\ServerException(code: 0): ERR unknown command 'foo'", Fault::Other);
        check("", Fault::Other);
    }
}

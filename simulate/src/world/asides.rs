//! Lines that are of no queued job's life, though some look like it: another service's, a job's own chatter, a web
//! request's errors.

use super::forms::{escape, monolog_json, stamp};
use super::traces::Failure;

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// A web request runs a job at once (`dispatchSync`), and the job itself cannot reach Redis.
    SyncJob,
    /// A job says what it does, in words that a worker might use.
    Chatter(usize),
    /// Another service writes into the same log group.
    Neighbour(usize),
}

const CHATTER: [&str; 6] = [
    "Processing: 17 of 300 rows",
    "[import] Processed: catalog.csv",
    "Failed: row 212 has no price, skipped",
    "production.ERROR is what we would log if row 12 mattered",
    "import ................................................ 12s DONE",
    "catalog 2026-03-02 RUNNING",
];

const NEIGHBOURS: [&str; 5] = [
    r#"{"level":"error","service":"mailer","job":"digest","status":"failed","queue":"outbox","msg":"smtp timeout"}"#,
    r#"{"level":"info","service":"mailer","job":"digest","status":"starting","took":12}"#,
    "mailer[212]: Failed: 3 of 40 recipients",
    "level=error service=mailer msg=\"job failed\" job=digest attempt=1",
    "ERROR mailer.worker - Job digest failed after 3 attempts",
];

impl Aside {
    /// Whether a worker prints it, and not an app.
    #[must_use]
    pub const fn is_of_workers(self) -> bool {
        matches!(self, Self::Chatter(_))
    }

    pub(super) fn lines(self, is_json: bool, at_ms: i64) -> Vec<String> {
        let one = |lines: &[&str], n: usize| lines.get(n % lines.len()).map(|line| (*line).to_owned());
        match self {
            Self::SyncJob if is_json => vec![record(Failure::Sync, at_ms)],
            Self::SyncJob => Failure::Sync.lines(&stamp(at_ms)),
            Self::Chatter(n) => one(&CHATTER, n).into_iter().collect(),
            Self::Neighbour(n) => one(&NEIGHBOURS, n).into_iter().collect(),
        }
    }
}

/// An exception as a record of Monolog's `JsonFormatter`.
pub(super) fn record(failure: Failure, at_ms: i64) -> String {
    let (class, message, file) = failure.exception();
    let trace = failure.files().join("\",\"");
    let context = format!(
        "{{\"exception\":{{\"class\":\"{}\",\"message\":\"{}\",\"code\":0,\"file\":\"{file}\",\"trace\":[\"{trace}\"]}}}}",
        escape(class),
        escape(&message)
    );
    monolog_json(&message, &context, "ERROR", at_ms)
}

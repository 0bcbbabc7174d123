//! Raw lines → events in wire form, as CloudWatch would send them; and back to readable rows.
//!
//! **Invariant:** the same lines and options give the same bytes, and the same line gets the same event id
//! whatever the batch size.

mod event_id;
mod line_time;
mod lines;

use std::io;

use flate2::{Compression, GzBuilder};
use serde::Serialize;

pub use event_id::{EVENT_ID_DIGITS, EventIds};
pub use line_time::{LineTime, line_time};
pub use lines::{PackError, PackLine, read_lines};

use crate::domain::job::Timestamp;

/// Lines a batch holds at most.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub const BATCH_LINES_MAX: usize = 10_000;
/// Bytes a batch holds at most, each line counted with [`LINE_OVERHEAD_BYTES`]; same page. A single line that is
/// longer makes a batch of its own.
pub const BATCH_BYTES_MAX: usize = 1_048_576;
/// Bytes that a line counts for beside its message; same page.
pub const LINE_OVERHEAD_BYTES: usize = 26;

/// Where the lines are said to come from, and how they are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackOptions {
    /// The log group.
    pub log_group: String,
    /// The log stream.
    pub log_stream: String,
    /// A batch closes this many milliseconds after its first line.
    pub batch_ms: i64,
    /// The account.
    pub owner: String,
    /// The subscription filter's name.
    pub subscription_filter: String,
}

impl PackOptions {
    /// The options of a group and stream: batches of 5 s, the account AWS uses in its examples.
    #[must_use]
    pub fn new(log_group: &str, log_stream: &str) -> Self {
        Self {
            log_group: log_group.into(),
            log_stream: log_stream.into(),
            batch_ms: 5_000,
            owner: "123456789012".into(),
            subscription_filter: "queuewatch".into(),
        }
    }
}

/// Packs lines into events, one JSON text each. Within a batch times must not fall, as `PutLogEvents` demands,
/// so lines are sorted by time first; lines of one time keep their order.
#[must_use]
pub fn pack(lines: &[PackLine], options: &PackOptions) -> Vec<String> {
    let mut sorted: Vec<&PackLine> = lines.iter().collect();
    sorted.sort_by_key(|line| line.at);
    let mut ids = EventIds::new(&options.log_group);
    let (mut events, mut batch) = (Vec::new(), Batch::default());
    for line in sorted {
        if !batch.takes(line, options.batch_ms) {
            events.push(event(&std::mem::take(&mut batch).events, options));
        }
        batch.push(line, ids.next(&options.log_stream, line.at, &line.message));
    }
    if !batch.events.is_empty() {
        events.push(event(&batch.events, options));
    }
    events
}

#[derive(Default)]
struct Batch<'a> {
    events: Vec<LogEvent<'a>>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn takes(&self, line: &PackLine, batch_ms: i64) -> bool {
        let Some(first) = self.events.first() else { return true };
        line.at.since_ms(Timestamp::from_ms(first.timestamp)) < batch_ms
            && self.events.len() < BATCH_LINES_MAX
            && self.bytes.saturating_add(line_bytes(line)) <= BATCH_BYTES_MAX
    }

    fn push(&mut self, line: &'a PackLine, id: String) {
        self.bytes = self.bytes.saturating_add(line_bytes(line));
        self.events.push(LogEvent { id, timestamp: line.at.as_ms(), message: &line.message });
    }
}

fn line_bytes(line: &PackLine) -> usize {
    line.message.len().saturating_add(LINE_OVERHEAD_BYTES)
}

/// What `awslogs.data` holds, in CloudWatch's own key order.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'a str; 1],
    log_events: &'a [LogEvent<'a>],
}

#[derive(Serialize)]
struct LogEvent<'a> {
    id: String,
    timestamp: i64,
    message: &'a str,
}

#[expect(clippy::expect_used, reason = "writing to a Vec cannot fail, and the document's keys are all texts")]
fn event(log_events: &[LogEvent<'_>], options: &PackOptions) -> String {
    let document = Document {
        message_type: "DATA_MESSAGE",
        owner: &options.owner,
        log_group: &options.log_group,
        log_stream: &options.log_stream,
        subscription_filters: [&options.subscription_filter],
        log_events,
    };
    let data = gzip(&document).expect("a document in memory");
    format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, base64_simd::STANDARD.encode_to_string(data))
}

/// Without a time of writing in the header, so that the same lines give the same bytes.
fn gzip(document: &Document<'_>) -> io::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    serde_json::to_writer(&mut gzip, document)?;
    gzip.finish()
}

/// Writes lines as rows for a reader and for `grep`: time, group, stream, message, with tabs between. A newline,
/// tab or carriage return inside a message is written as `\n`, `\t`, `\r`, so that a line is a row; a backslash
/// stays one (`App\Jobs\X` must be found), so rows are not meant to be read back.
#[must_use]
pub fn unpack<'a>(
    log_group: &str,
    log_stream: &str,
    lines: impl IntoIterator<Item = (Timestamp, &'a str)>,
) -> String {
    let mut rows = String::new();
    for (at, message) in lines {
        let message = message.replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
        rows.push_str(&format!("{at}\t{log_group}\t{log_stream}\t{message}\n"));
    }
    rows
}

#[cfg(test)]
mod tests;

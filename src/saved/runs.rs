//! The output of `aws logs filter-log-events` and other exports, cut into runs that stand for deliveries.
//!
//! **Invariant:** a run holds lines of one stream, in the order given, at most [`RUN_LINES_MAX`] of them, and none
//! further than [`RUN_SPREAD_MS_MAX`] from its first: a quiet stream's lines are not delivered hours late.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::job::{SECOND_MS, Timestamp};
use crate::pack::EventIds;

/// Lines a run holds at most: a tenth of what one PutLogEvents call may hold.
pub const RUN_LINES_MAX: usize = 1_000;
/// How far a run's lines may lie from its first, by ingestion, in milliseconds; `pack` cuts its batches alike.
pub const RUN_SPREAD_MS_MAX: i64 = 5 * SECOND_MS;

/// Lines of one stream that would have been delivered together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The log group; the output does not name it.
    pub log_group: String,
    /// The log stream.
    pub log_stream: String,
    /// The lines, at least one.
    pub lines: Vec<RunLine>,
}

/// One saved line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// CloudWatch's event id, or one derived as `pack` does.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// When CloudWatch took it in.
    pub ingested_at: Option<Timestamp>,
    /// Its text.
    pub message: String,
}

impl RunLine {
    fn delivered_at(&self) -> Timestamp {
        self.ingested_at.unwrap_or(self.at)
    }
}

/// A line of an export that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exported {
    /// The log group; empty where the export does not name it.
    pub(super) log_group: String,
    /// The log stream; empty where the export does not name it.
    pub(super) log_stream: String,
    /// When it happened.
    pub(super) at: Timestamp,
    /// When CloudWatch took it in, where the export says.
    pub(super) ingested_at: Option<Timestamp>,
    /// Its text.
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilteredEvent {
    /// Absent from the output of `get-log-events`, which reads one stream.
    #[serde(default)]
    log_stream_name: String,
    timestamp: i64,
    message: String,
    ingestion_time: Option<i64>,
    event_id: Option<String>,
}

/// The elements of `{"events": […]}` or of a bare array; `None` where the document is something else.
pub(super) fn elements(text: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        events: Vec<&'a RawValue>,
    }
    match text.trim_start().chars().next() {
        Some('{') => serde_json::from_str(text).ok().map(|page: Page<'_>| page.events),
        Some('[') => serde_json::from_str(text).ok(),
        Some(_) | None => None,
    }
}

/// Cuts elements into runs, in the order of their first lines; and says of each element that is no log event
/// which one it is, from 1, and why.
pub(super) fn runs(elements: Vec<&RawValue>, log_group: &str) -> (Vec<Run>, Vec<(usize, serde_json::Error)>) {
    let mut ids = EventIds::new(log_group);
    let (mut cut, mut refused) = (Cut::default(), Vec::new());
    for (element, ordinal) in elements.into_iter().zip(1_usize..) {
        let event = match log_event(element.get()) {
            Ok(event) => event,
            Err(error) => {
                refused.push((ordinal, error));
                continue;
            }
        };
        let log_stream = event.log_stream_name;
        let at = Timestamp::from_ms(event.timestamp);
        let line = RunLine {
            id: match event.event_id {
                Some(id) if !id.is_empty() => id,
                Some(_) | None => ids.next(&log_stream, at, &event.message),
            },
            at,
            ingested_at: event.ingestion_time.map(Timestamp::from_ms),
            message: event.message,
        };
        cut.push(log_group, log_stream, line);
    }
    (cut.runs, refused)
}

/// Cuts the lines of an export into runs; `log_group` is the group of those that name none.
pub(super) fn exported(lines: Vec<Exported>, log_group: &str) -> Vec<Run> {
    let group_of = |line: &Exported| match line.log_group.as_str() {
        "" => log_group.to_owned(),
        named => named.to_owned(),
    };
    let groups: BTreeSet<String> = lines.iter().map(group_of).collect();
    let mut ids: BTreeMap<&str, EventIds> =
        groups.iter().map(|group| (group.as_str(), EventIds::new(group))).collect();
    let mut cut = Cut::default();
    for line in lines {
        let group = group_of(&line);
        let Exported { log_stream, at, ingested_at, message, .. } = line;
        let id = ids.get_mut(group.as_str()).map(|ids| ids.next(&log_stream, at, &message));
        let line = RunLine { id: id.unwrap_or_default(), at, ingested_at, message };
        cut.push(&group, log_stream, line);
    }
    cut.runs
}

/// Runs, and which of them each stream is filling.
#[derive(Default)]
struct Cut {
    runs: Vec<Run>,
    open: BTreeMap<(String, String), usize>,
}

impl Cut {
    fn push(&mut self, log_group: &str, log_stream: String, line: RunLine) {
        let key = (log_group.to_owned(), log_stream.clone());
        let filling = self.open.get(&key).and_then(|run| self.runs.get_mut(*run));
        match filling.filter(|run| takes(run, &line)) {
            Some(run) => run.lines.push(line),
            None => {
                self.open.insert(key, self.runs.len());
                self.runs.push(Run { log_group: log_group.to_owned(), log_stream, lines: vec![line] });
            }
        }
    }
}

/// Reads an object; serde would also take an array, by position.
fn log_event(element: &str) -> Result<FilteredEvent, serde_json::Error> {
    if element.starts_with('{') {
        serde_json::from_str(element)
    } else {
        Err(serde::de::Error::custom("it is no object"))
    }
}

fn takes(run: &Run, line: &RunLine) -> bool {
    let spread_ms = run.lines.first().map_or(0, |first| line.delivered_at().since_ms(first.delivered_at()));
    run.lines.len() < RUN_LINES_MAX && spread_ms.saturating_abs() <= RUN_SPREAD_MS_MAX
}

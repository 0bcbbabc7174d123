//! The output of `aws logs filter-log-events` and other exports, cut into runs that stand for deliveries.
//!
//! **Invariant:** a run holds lines of one stream, in the order given, at most [`RUN_LINES_MAX`] of them, and none
//! further than [`RUN_SPREAD_MS_MAX`] from its first: a quiet stream's lines are not delivered hours late.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::quick;
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

/// An element of the output.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilteredEvent<'a> {
    /// Absent from the output of `get-log-events`, which reads one stream.
    #[serde(default)]
    pub(super) log_stream_name: Cow<'a, str>,
    pub(super) timestamp: i64,
    pub(super) message: Cow<'a, str>,
    pub(super) ingestion_time: Option<i64>,
    pub(super) event_id: Option<Cow<'a, str>>,
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

/// Elements that are no log events: which of them, from 1, and why.
type Refused = Vec<(usize, serde_json::Error)>;

/// Cuts the elements of a document into runs, in the order of their first lines; `None` where it is something else.
pub(super) fn read(text: &str, log_group: &str) -> Option<(Vec<Run>, Refused)> {
    let mut cutting = Cutting::new(log_group);
    if quick::events(text, |event| cutting.take(event)).is_some() {
        return Some((cutting.cut.runs, Refused::new()));
    }
    let (mut cutting, mut refused) = (Cutting::new(log_group), Refused::new());
    for (element, ordinal) in elements(text)?.into_iter().zip(1_usize..) {
        match log_event(element.get()) {
            Ok(event) => cutting.take(event),
            Err(error) => refused.push((ordinal, error)),
        }
    }
    Some((cutting.cut.runs, refused))
}

/// Cuts log events into runs.
struct Cutting<'g> {
    log_group: &'g str,
    ids: EventIds<'g>,
    cut: Cut,
}

impl<'g> Cutting<'g> {
    fn new(log_group: &'g str) -> Self {
        Self { log_group, ids: EventIds::new(log_group), cut: Cut::default() }
    }

    fn take(&mut self, event: FilteredEvent<'_>) {
        let at = Timestamp::from_ms(event.timestamp);
        let line = RunLine {
            id: match event.event_id {
                Some(id) if !id.is_empty() => id.into_owned(),
                Some(_) | None => self.ids.next(&event.log_stream_name, at, &event.message),
            },
            at,
            ingested_at: event.ingestion_time.map(Timestamp::from_ms),
            message: event.message.into_owned(),
        };
        self.cut.push(self.log_group, &event.log_stream_name, line);
    }
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
        cut.push(&group, &log_stream, line);
    }
    cut.runs
}

/// Runs, and which of them each stream is filling.
#[derive(Default)]
struct Cut {
    runs: Vec<Run>,
    /// By group and stream.
    open: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Cut {
    fn push(&mut self, log_group: &str, log_stream: &str, line: RunLine) {
        let filling = self.open.get(log_group).and_then(|streams| streams.get(log_stream));
        let filling = filling.and_then(|run| self.runs.get_mut(*run));
        match filling.filter(|run| takes(run, &line)) {
            Some(run) => run.lines.push(line),
            None => {
                let (log_group, log_stream) = (log_group.to_owned(), log_stream.to_owned());
                let streams = self.open.entry(log_group.clone()).or_default();
                streams.insert(log_stream.clone(), self.runs.len());
                self.runs.push(Run { log_group, log_stream, lines: vec![line] });
            }
        }
    }
}

/// Reads an object; serde would also take an array, by position.
pub(super) fn log_event(element: &str) -> Result<FilteredEvent<'_>, serde_json::Error> {
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

//! What people save of CloudWatch Logs besides events: the output of `aws logs tail`, and results of Logs Insights and of
//! the console, as JSON and as CSV.
//!
//! Each reader takes a text and answers its lines, or nothing where the text is something else. **Invariant:** lines
//! stand in the order of their times; what the export has newest first is turned around before, so that lines of one
//! moment keep the order in which they were written.

mod csv;
mod insights;
mod tail;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::runs::Exported;
use crate::domain::job::Timestamp;

pub(super) use insights::read as insights;
pub(super) use tail::is_tail;

/// The lines of a text that is no JSON.
pub(super) fn text(text: &str) -> Option<Vec<Exported>> {
    tail::read(text).or_else(|| csv::read(text))
}

/// Whether a text looks like a table of log lines.
pub(super) fn is_table(text: &str) -> bool {
    csv::is_table(text)
}

/// What a column of an export holds, by the names that Logs Insights and the console give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    At,
    Message,
    Stream,
    Group,
    IngestedAt,
}

impl Column {
    fn of(name: &str) -> Option<Self> {
        match name.trim().trim_start_matches('@').to_ascii_lowercase().as_str() {
            "timestamp" | "timestamp (utc)" => Some(Self::At),
            "message" => Some(Self::Message),
            "logstream" | "logstreamname" | "log stream" => Some(Self::Stream),
            "log" | "loggroup" | "loggroupname" => Some(Self::Group),
            "ingestiontime" => Some(Self::IngestedAt),
            _ => None,
        }
    }
}

/// A line that is being put together, column by column.
#[derive(Default)]
struct Row {
    at: Option<Timestamp>,
    message: Option<String>,
    log_stream: String,
    log_group: String,
    ingested_at: Option<Timestamp>,
}

impl Row {
    fn take(&mut self, column: Column, value: &str) {
        match column {
            Column::At => self.at = moment(value),
            Column::Message => self.message = Some(value.to_owned()),
            Column::Stream => value.clone_into(&mut self.log_stream),
            // `@log` is `123456789012:/ecs/app`.
            Column::Group => {
                let group = value.split_once(':').filter(|(account, _)| is_digits(account));
                group.map_or(value, |(_, group)| group).clone_into(&mut self.log_group);
            }
            Column::IngestedAt => self.ingested_at = moment(value),
        }
    }

    fn exported(self) -> Option<Exported> {
        Some(Exported {
            log_group: self.log_group,
            log_stream: self.log_stream,
            at: self.at?,
            ingested_at: self.ingested_at,
            message: self.message?,
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1765024270123`, `2025-12-06 12:31:10.123`, `2025-12-06T12:31:10.123Z`: UTC where no offset stands, as the services
/// write it.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if is_digits(text) && text.len() >= "1000000000000".len() {
        return text.parse().ok().map(Timestamp::from_ms);
    }
    let of = |at: jiff::Timestamp| Timestamp::from_ms(at.as_millisecond());
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(of(at));
    }
    // A bare date would stamp a line with midnight.
    let time = text.parse::<DateTime>().ok().filter(|_| text.len() >= "2025-12-06T12:31:10".len())?;
    TimeZone::UTC.to_timestamp(time).ok().map(of)
}

/// Puts lines in the order of their times.
fn in_order(mut lines: Vec<Exported>) -> Vec<Exported> {
    let is_newest_first = lines.first().zip(lines.last()).is_some_and(|(first, last)| first.at > last.at);
    if is_newest_first {
        lines.reverse();
    }
    lines.sort_by_key(|line| line.at);
    lines
}

#[cfg(test)]
mod tests;

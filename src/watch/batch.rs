//! Lines read together from one log, with the moments that they are taken to be from: what CloudWatch would deliver.
//!
//! A line that is read as it is written is from now, as CloudWatch stamps lines on arrival. Of what was there before
//! anybody looked, a line's own time is believed where it can be true.
//! **Invariant:** the same bytes read again, with what was noted of the first reading, make the same record: lines,
//! keys and stamps.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::lines::{Cut, Ending, Span, cut};
use crate::domain::envelope::Line;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::reading::read_lines;
use crate::domain::systems::Classifier;
use crate::pack::line_time;

/// How far apart lines of one batch may be stamped: a record sets lines aside that are days from its median.
const SPAN_MS_MAX: i64 = DAY_MS;
/// What part of its age a batch may span: small beside any grace, and yet a month's log makes few batches.
const SPAN_SHARE: i64 = 8;
/// Own times are printed in whole seconds.
const PRINTED_MS: i64 = SECOND_MS;

/// When lines were written, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Age {
    /// Just now.
    Live,
    /// Before they were read, and not before this moment, if it is known.
    Old(Option<Timestamp>),
}

/// A log, and where in it a batch begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct From {
    /// The log stream.
    pub(super) stream: String,
    /// What tells the bytes' file from every other that this stream ever was.
    pub(super) origin: String,
    /// The place of the first byte.
    pub(super) offset: u64,
    /// Whether that lies within a line that is passed over.
    pub(super) is_within_line: bool,
    /// The time of the line before.
    pub(super) last_stamp: Option<Timestamp>,
}

/// Lines read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    from: From,
    bytes: Vec<u8>,
    lines: Vec<(Span, Timestamp)>,
    pub(super) age: Age,
    pub(super) read_at: Timestamp,
    /// The place after the last byte that is done with.
    pub(super) until: u64,
    pub(super) is_within_line: bool,
    pub(super) last_stamp: Option<Timestamp>,
    /// Whether there were lines behind it that are for another batch.
    pub(super) is_cut_short: bool,
}

impl Batch {
    /// Makes a batch of the lines in `bytes` that begin before `limit`. `None` where none is done with.
    pub(super) fn of(
        from: From,
        bytes: Vec<u8>,
        ending: Ending,
        age: Age,
        limit: Option<u64>,
        read_at: Timestamp,
    ) -> Option<Self> {
        let mut cut = cut(&bytes, from.is_within_line, ending);
        let whole = cut.bytes;
        let limit = limit.and_then(|limit| usize::try_from(limit.saturating_sub(from.offset)).ok());
        if let Some(limit) = limit {
            end_before(&mut cut, |line| line.start >= limit);
        }
        let stamps = match age {
            Age::Live => vec![read_at; cut.lines.len()],
            Age::Old(since) => own_stamps(&bytes, &cut.lines, from.last_stamp, since, read_at),
        };
        let first = stamps.first().copied().unwrap_or(read_at);
        let span_ms = span_ms(first, read_at);
        let far = stamps.iter().position(|at| at.since_ms(first).saturating_abs() > span_ms);
        if let Some(far) = far.and_then(|ix| cut.lines.get(ix).copied()) {
            end_before(&mut cut, |line| line.start >= far.start);
        }
        if cut.bytes == 0 {
            return None;
        }
        let lines: Vec<(Span, Timestamp)> = cut.lines.into_iter().zip(stamps).collect();
        let last_stamp = match age {
            Age::Live => None,
            Age::Old(_) => lines.last().map(|(_, at)| *at).or(from.last_stamp),
        };
        let until = from.offset.saturating_add(cut.bytes as u64);
        let (is_within_line, is_cut_short) = (cut.is_within_line, cut.bytes < whole);
        Some(Self { from, bytes, lines, age, read_at, until, is_within_line, last_stamp, is_cut_short })
    }

    /// How many lines it holds.
    pub(super) const fn lines_count(&self) -> usize {
        self.lines.len()
    }

    /// What its lines say, as a delivery of `log_group`.
    pub(super) fn record(&self, log_group: &str, classifier: &Classifier) -> Box<DeliveryRecord> {
        let place = |span: &Span| self.from.offset.saturating_add(span.start as u64);
        let texts: Vec<(String, Timestamp, Cow<'_, str>)> = self
            .lines
            .iter()
            .map(|(span, at)| {
                (format!("{}:{}", self.from.origin, place(span)), *at, text(&self.bytes, *span))
            })
            .collect();
        let lines = texts.iter().map(|(id, at, message)| Line { id, at: *at, message });
        let mut record = read_lines(log_group, &self.from.stream, lines, classifier);
        record.arrived_at = match self.age {
            Age::Live => self.read_at,
            // As if it had been read when it was written: what has waited since then has waited long.
            Age::Old(_) => record.newest().unwrap_or(self.read_at),
        };
        record
    }
}

/// How far apart the lines of a batch may be that begins at `first`. A job counts as known to us since its batch's newest
/// line was written; so the younger the lines are, the closer together they must be, and whoever has waited too long
/// when the watch begins is told at once.
fn span_ms(first: Timestamp, read_at: Timestamp) -> i64 {
    read_at.since_ms(first).wrapping_div(SPAN_SHARE).clamp(MINUTE_MS, SPAN_MS_MAX)
}

/// Leaves out the lines from the first one on that `is_out`.
fn end_before(cut: &mut Cut, is_out: impl Fn(&Span) -> bool) {
    if let Some(ix) = cut.lines.iter().position(is_out) {
        cut.bytes = cut.lines.get(ix).map_or(cut.bytes, |line| line.start);
        cut.lines.truncate(ix);
        cut.is_within_line = false;
    }
}

fn text(bytes: &[u8], span: Span) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.get(span.start..span.end).unwrap_or_default())
}

/// A line's own time; a clock without an offset is read as UTC.
fn own_time(line: &str) -> Option<Timestamp> {
    line_time(line)?.within(&TimeZone::UTC)
}

/// The lines' own times, as far as they are no contradiction to when they were read; where a line has none, that of
/// the line before, or, at the beginning, of the line after. A clock without an offset is read as UTC, and where it
/// is not, lines may be from the future, or from before they can have been written: then they are from now.
fn own_stamps(
    bytes: &[u8],
    lines: &[Span],
    last: Option<Timestamp>,
    since: Option<Timestamp>,
    read_at: Timestamp,
) -> Vec<Timestamp> {
    let is_possible = |at: &Timestamp| since.is_none_or(|since| *at >= since.minus_ms(PRINTED_MS));
    let own = lines.iter().map(|span| own_time(&text(bytes, *span)).filter(is_possible));
    let own: Vec<Option<Timestamp>> = own.collect();
    // The line before is no help if it was written before the last look, and this one after it.
    let last = last.filter(|last| since.is_none_or(|since| *last > since));
    let mut known = last.or_else(|| own.iter().flatten().next().copied()).unwrap_or(read_at);
    let stamps = own.into_iter().map(|at| {
        known = at.unwrap_or(known);
        known.min(read_at)
    });
    stamps.collect()
}

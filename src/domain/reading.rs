//! A payload's lines into a delivery record: each line keyed, stamped and classified as it is handed out.
//!
//! The text is streamed; what is kept of a line is its key, its stamp and what it says. Where the payload
//! is rejected after all, the caller drops the reading and with it everything read.

use std::hash::BuildHasherDefault;
use std::sync::Arc;

use super::envelope::{self, Header, Kind, Limits, Line, LineSink, Rejection};
use super::intake::DeliveryRecord;
use super::job::{LineKey, Stage};
use super::line::{KeySet, LineHash, LineStamp};
use super::name::bounded_to;
use super::origin::{Origin, family, told};
use super::printable::printable;
use super::systems::{Classifier, StreamReader};

/// What a payload was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Log lines.
    Lines(Box<DeliveryRecord>),
    /// One of CloudWatch's own reachability checks.
    Control,
}

/// Opens and reads the base64 text of a subscription event.
///
/// # Errors
/// Where the payload cannot be opened; nothing of it is kept.
pub fn read_base64(data: &str, classifier: &Classifier, limits: &Limits) -> Result<Read, Rejection> {
    let mut reading = Reading::new(classifier, data.len().wrapping_div(LINE_BYTES_MIN));
    let header = envelope::open_base64(data, limits, &mut reading)?;
    Ok(reading.finish(&header))
}

/// Opens and reads the gzip bytes of a Kinesis record.
///
/// # Errors
/// Where the payload cannot be opened; nothing of it is kept.
pub fn read_gzip(bytes: &[u8], classifier: &Classifier, limits: &Limits) -> Result<Read, Rejection> {
    let mut reading = Reading::new(classifier, bytes.len().wrapping_div(LINE_BYTES_MIN));
    let header = envelope::open_gzip(bytes, limits, &mut reading)?;
    Ok(reading.finish(&header))
}

/// Reads lines that come without an envelope.
#[must_use]
pub fn read_lines<'a>(
    log_group: &str,
    log_stream: &str,
    lines: impl Iterator<Item = Line<'a>>,
    classifier: &Classifier,
) -> Box<DeliveryRecord> {
    let mut reading = Reading::new(classifier, lines.size_hint().0);
    reading.start("", log_group, log_stream);
    for line in lines {
        reading.line(line);
    }
    reading.into_record()
}

/// Bytes of a name of CloudWatch's that are kept: it takes 512 characters
/// ([CreateLogGroup](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html)), but a
/// payload may be anybody's, and names stand in every report and in keys of 1,024 bytes.
const NAME_BYTES_MAX: usize = 512;
/// Lines of a busy payload for which room is taken at once: to take it again and again on the way there costs more.
const LINES_EXPECTED_MAX: usize = 4_096;
/// Compressed bytes of a line at least, so that a quiet payload is not given a busy one's room.
const LINE_BYTES_MIN: usize = 32;

/// A payload being read.
struct Reading<'c> {
    classifier: &'c Classifier,
    reader: Option<StreamReader<'c>>,
    record: DeliveryRecord,
    names: LineHash,
    key: LineHash,
    here: KeySet,
}

impl<'c> Reading<'c> {
    fn new(classifier: &'c Classifier, lines_expected: usize) -> Self {
        let room = lines_expected.min(LINES_EXPECTED_MAX);
        Self {
            classifier,
            reader: None,
            record: DeliveryRecord::default(),
            names: LineHash::default(),
            key: LineHash::default(),
            here: KeySet::with_capacity_and_hasher(room, BuildHasherDefault::new()),
        }
    }

    fn start(&mut self, owner: &str, log_group: &str, log_stream: &str) {
        let name = |text: &str| bounded_to(&printable(text), NAME_BYTES_MAX).to_string();
        self.record.owner = name(owner);
        self.record.log_group = name(log_group);
        self.record.log_stream = name(log_stream);
        self.names = LineHash::default().with(log_group.as_bytes()).with(log_stream.as_bytes());
        self.key = self.names.with(owner.as_bytes());
        self.reader = Some(self.classifier.stream_in(owner, log_group, log_stream));
        let source = self.classifier.source_in(owner, log_group, log_stream);
        self.record.app = source.and_then(|source| source.app.clone()).unwrap_or_default();
    }

    fn finish(self, header: &Header) -> Read {
        match header.kind {
            Kind::Control => Read::Control,
            Kind::Data => Read::Lines(self.into_record()),
        }
    }

    fn into_record(self) -> Box<DeliveryRecord> {
        let mut record = self.record;
        record.key = self.key.finish();
        if let Some(reader) = self.reader {
            let classified = reader.finish();
            record.observations = classified.observations;
            record.split_traces = classified.split_traces;
            record.lines.extend(classified.within);
            record.unread = Box::new(classified.unread);
            record.last_lines = classified.last_lines;
        }
        let (log_group, family) = (record.log_group.as_str(), family(&record.log_stream));
        // Most lines of a stream say the same of it, and share the text that is kept.
        let mut last: Option<(Arc<str>, Arc<str>)> = None;
        for seen in record.observations.iter_mut().filter(|seen| seen.stage == Stage::Enqueued) {
            let of_line = seen.origin.take().unwrap_or_default();
            if let Some((_, text)) = last.as_ref().filter(|(said, _)| *said == of_line) {
                seen.origin = Some(Arc::clone(text));
                continue;
            }
            let (channel, label) = told(&of_line);
            let text = Origin { channel, log_group, label, family: &family }.text();
            seen.origin = Some(Arc::clone(&text));
            last = Some((of_line, text));
        }
        record.set_late_aside();
        record.set_apart(self.classifier.account());
        Box::new(record)
    }
}

impl LineSink for Reading<'_> {
    fn begin(&mut self, header: &Header) {
        self.start(&header.owner, &header.log_group, &header.log_stream);
    }

    fn line(&mut self, line: Line<'_>) {
        let key = if line.id.is_empty() {
            // No event id: what the line says and when is all there is to know it by.
            self.names.with(&line.at.as_ms().to_le_bytes()).with(line.message.as_bytes()).finish()
        } else {
            self.names.with(line.id.as_bytes()).finish()
        };
        self.key = self.key.with_key(LineKey(key));
        self.record.lines.push(LineStamp { key: LineKey(key), at: line.at });
        if self.here.insert(key)
            && let Some(reader) = &mut self.reader
        {
            reader.line(LineKey(key), line.at, line.message);
        }
    }
}

//! Files that lines say worker output goes to. What goes there does not come to CloudWatch.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::incidents::fact::{Fact, Finding};
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::stream::StreamFacts;

/// A file, and who says so.
pub(in crate::domain::diagnosis) struct LogFile<'a> {
    pub(in crate::domain::diagnosis) file: &'a Arc<str>,
    /// The newest line that says so.
    pub(in crate::domain::diagnosis) said_at: Timestamp,
    /// The stream of that line.
    pub(in crate::domain::diagnosis) newest_stream: &'a StreamFacts,
    streams: Vec<&'a Arc<str>>,
    /// Whether job lines came from such a stream after it had said so: the output goes to both.
    pub(in crate::domain::diagnosis) is_disproved: bool,
}

impl LogFile<'_> {
    pub(in crate::domain::diagnosis) fn fact(&self) -> Fact {
        let streams = self.streams.iter().map(|stream| Arc::clone(stream)).collect();
        Fact::at(Finding::LogFile { file: Arc::clone(self.file), streams }, self.said_at)
    }
}

/// Each file once, the one named last first.
pub(super) fn gather(ledger: &Ledger, heard: Timestamp) -> Vec<LogFile<'_>> {
    let mut files: BTreeMap<&Arc<str>, LogFile<'_>> = BTreeMap::new();
    for stream in ledger.streams.all() {
        for (at, file) in stream.log_files.range(..=heard) {
            let is_disproved = stream.newest_worker_line > Some(*at);
            let known = files.entry(file).or_insert_with(|| LogFile {
                file,
                said_at: *at,
                newest_stream: stream,
                streams: Vec::new(),
                is_disproved: false,
            });
            if *at >= known.said_at {
                (known.said_at, known.newest_stream) = (*at, stream);
            }
            known.is_disproved |= is_disproved;
            if known.streams.last() != Some(&&stream.log_stream) {
                known.streams.push(&stream.log_stream);
            }
        }
    }
    let mut files: Vec<_> = files.into_values().collect();
    files.sort_by_key(|file| (std::cmp::Reverse(file.said_at), file.file));
    files
}

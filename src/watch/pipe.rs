//! Standard input, or anything else that is read once and cannot be read again: by a thread, since a read may wait.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::batch::{Age, Batch, From};
use super::lines::Ending;
use super::notice::Notice;
use crate::domain::job::Timestamp;

/// Bytes of one read: what a pipe holds.
const READ_BYTES: usize = 64 * 1024;
/// Reads that may wait to be looked at; then the writer waits.
const READS_WAITING_MAX: usize = 16;
/// Bytes made into lines at once.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A pipe, read to its end.
#[derive(Debug)]
pub struct Pipe {
    stream: String,
    origin: String,
    reads: Receiver<io::Result<Vec<u8>>>,
    /// Bytes that came and are no whole line yet, or are given out.
    bytes: Vec<u8>,
    /// The place of the first of them.
    offset: u64,
    is_within_line: bool,
    has_ended: bool,
    /// Whether so much came at the last look that more may have come since: a pipe is soon full again.
    has_unread: bool,
    pending: Option<Batch>,
    pub(super) notices: Vec<Notice>,
}

impl Pipe {
    /// Reads `input` as the log stream `stream`. `origin` tells it from every other that had the name: nothing else
    /// tells its lines from those of the run before.
    #[must_use]
    pub fn new(stream: &str, origin: &str, input: impl Read + Send + 'static) -> Self {
        let (sender, reads) = sync_channel(READS_WAITING_MAX);
        thread::spawn(move || read(input, &sender));
        Self {
            stream: stream.to_owned(),
            origin: origin.to_owned(),
            reads,
            bytes: Vec::new(),
            offset: 0,
            is_within_line: false,
            has_ended: false,
            has_unread: false,
            pending: None,
            notices: Vec::new(),
        }
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// Whether everything has come and is passed.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended && self.pending.is_none() && self.bytes.is_empty()
    }

    /// Whether there was more to read at the last look than was read.
    pub(super) fn is_behind(&self) -> bool {
        self.pending.is_some() || self.has_unread
    }

    /// The next lines, if there are any.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<&Batch> {
        if self.pending.is_none() {
            self.pending = self.read_next(now);
        }
        self.pending.as_ref()
    }

    /// Notes that the lines given out are stored.
    pub(super) fn pass(&mut self) {
        if let Some(batch) = self.pending.take() {
            let done = usize::try_from(batch.until.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            self.bytes.drain(..done.min(self.bytes.len()));
            (self.offset, self.is_within_line) = (batch.until, batch.is_within_line);
        }
    }

    fn read_next(&mut self, now: Timestamp) -> Option<Batch> {
        let before = self.bytes.len();
        while self.bytes.len() < CHUNK_BYTES && !self.has_ended {
            match self.reads.try_recv() {
                Ok(Ok(bytes)) => self.bytes.extend(bytes),
                Ok(Err(error)) => {
                    let error = error.to_string();
                    self.notices.push(Notice::Unreadable { path: self.stream.as_str().into(), error });
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.has_ended = true,
            }
        }
        self.has_unread = self.bytes.len().saturating_sub(before) >= READ_BYTES;
        let ending = if self.has_ended { Ending::Final } else { Ending::Open };
        let from = From {
            stream: self.stream.clone(),
            origin: self.origin.clone(),
            offset: self.offset,
            is_within_line: self.is_within_line,
            last_stamp: None,
        };
        Batch::of(from, self.bytes.clone(), ending, Age::Live, None, now)
    }
}

/// Reads to the end, or to the first error.
fn read(mut input: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        // Nobody listens any more.
        if sender.send(read).is_err() || is_over {
            return;
        }
    }
}

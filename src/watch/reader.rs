//! One open file, read forward from where it was left, a batch at a time.
//!
//! It holds no bytes: what is not a whole line yet is read again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::batch::{Age, Batch, From};
use super::lines::Ending;
use super::place::{Cursor, FileId, Head, Place};
use crate::domain::job::Timestamp;
use crate::domain::systems::LINE_BYTES_MAX;

/// Bytes read at once. It holds several of the longest lines, and in some ten thousand lines of usual length most jobs
/// begin and end, so that little has to be stored of them.
const CHUNK_BYTES: u64 = 1024 * 1024;
const _: () = assert!(CHUNK_BYTES > LINE_BYTES_MAX as u64);

/// An open file.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    pub(super) place: Place,
    /// What lies before was written before anybody looked, and after this moment, if it is known.
    old: (u64, Option<Timestamp>),
    /// Its size when nothing in it was left but a line that is not whole.
    read_size: Option<u64>,
    /// Whether there was more to read at the last look than was read.
    pub(super) has_unread: bool,
    /// Since when its name is another file's, or nobody's.
    pub(super) left_at: Option<Timestamp>,
}

/// What a look at a file came to.
#[derive(Debug)]
pub(super) enum NextBatch {
    /// Lines.
    Batch(Batch),
    /// Everything is read.
    End,
    /// It was emptied, and begins anew.
    Emptied,
}

impl Reader {
    /// Begins a file that nobody has read: at its beginning, or at its end.
    pub(super) fn begin(mut file: File, is_at_end: bool, is_old: bool, now: Timestamp) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let size = metadata.len();
        let (mut offset, mut is_within_line) = (0, false);
        if is_at_end && size > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(size.saturating_sub(1)))?;
            file.read_exact(&mut last)?;
            // Half a line is none.
            (offset, is_within_line) = (size, last != *b"\n");
        }
        let head = Head::of(&mut file, size)?;
        let id = FileId::of(&metadata);
        let (last_stamp, taken) = (None, None);
        let place = Place { file: id, begun_at: now, head, offset, is_within_line, last_stamp, taken };
        let old = if is_old { size } else { 0 };
        Ok(Self { file, place, old: (old, None), read_size: None, has_unread: true, left_at: None })
    }

    /// Goes on with a file. What it holds was written while nobody looked, after `since`, if that is known.
    pub(super) fn resume(
        mut file: File,
        place: Place,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let is_same = place.is_of(&mut file)?;
        let old = (size, since);
        let mut reader = Self { file, place, old, read_size: None, has_unread: true, left_at: None };
        if !is_same {
            reader.begin_anew(size, now)?;
        }
        Ok(reader)
    }

    /// Takes what is in it for written while nobody looked, after `since`.
    pub(super) fn grow_old(&mut self, since: Timestamp) -> io::Result<()> {
        self.old = (self.file.metadata()?.len(), Some(since));
        Ok(())
    }

    /// Reads on.
    pub(super) fn read_next(
        &mut self,
        stream: &str,
        ending: Ending,
        now: Timestamp,
    ) -> io::Result<NextBatch> {
        let size = self.file.metadata()?.len();
        if self.read_size == Some(size) && ending == Ending::Open {
            return Ok(NextBatch::End);
        }
        if !self.place.is_of(&mut self.file)? {
            self.begin_anew(size, now)?;
            return Ok(NextBatch::Emptied);
        }
        if let Some(taken) = self.place.taken.take() {
            let bytes = self.read(taken.until.saturating_sub(self.place.offset))?;
            // Where bytes are missing that were there, the file is another one, whatever its head looks like.
            if self.place.offset.saturating_add(bytes.len() as u64) == taken.until
                && let Some(batch) =
                    Batch::of(self.from(stream), bytes, Ending::Final, taken.age, None, taken.read_at)
            {
                return Ok(NextBatch::Batch(batch));
            }
        }
        let (old_until, since) = self.old;
        let is_old = self.place.offset < old_until;
        let (age, limit) = if is_old { (Age::Old(since), Some(old_until)) } else { (Age::Live, None) };
        let bytes = self.read(CHUNK_BYTES)?;
        let is_last = (bytes.len() as u64) < CHUNK_BYTES;
        // Only the last piece of a file is its end.
        let ending = if is_last { ending } else { Ending::Open };
        match Batch::of(self.from(stream), bytes, ending, age, limit, now) {
            Some(batch) => {
                self.read_size = None;
                self.has_unread = !is_last || batch.is_cut_short;
                Ok(NextBatch::Batch(batch))
            }
            None => {
                (self.read_size, self.has_unread) = (Some(size), false);
                Ok(NextBatch::End)
            }
        }
    }

    fn from(&self, stream: &str) -> From {
        let Place { offset, is_within_line, last_stamp, .. } = self.place;
        From { stream: stream.to_owned(), origin: self.place.origin(), offset, is_within_line, last_stamp }
    }

    fn read(&mut self, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.place.offset))?;
        Read::by_ref(&mut self.file).take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Notes that a batch is being stored, so that it can be read again.
    pub(super) fn take(&mut self, batch: &Batch) {
        self.place.taken = Some(Cursor { until: batch.until, read_at: batch.read_at, age: batch.age });
    }

    /// Notes that a batch is stored, or need not be.
    pub(super) fn pass(&mut self, batch: &Batch) -> io::Result<()> {
        self.place.taken = None;
        self.place.offset = batch.until;
        self.place.is_within_line = batch.is_within_line;
        self.place.last_stamp = batch.last_stamp;
        if self.place.head.is_short_of(batch.until) {
            self.place.head = Head::of(&mut self.file, batch.until)?;
        }
        Ok(())
    }

    fn begin_anew(&mut self, size: u64, now: Timestamp) -> io::Result<()> {
        (self.read_size, self.has_unread) = (None, true);
        self.place = Place {
            file: self.place.file,
            begun_at: now,
            head: Head::of(&mut self.file, size)?,
            offset: 0,
            is_within_line: false,
            last_stamp: None,
            taken: None,
        };
        Ok(())
    }
}

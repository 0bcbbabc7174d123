//! One path, followed as `tail -F` does: through a file that is not there yet, rotated, emptied, or gone.
//!
//! A file that lost its name is read on for a while, since whoever writes to it may not have noticed.
//! **Invariant:** a batch is given out until it is passed, and what comes after it only then.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::batch::Batch;
use super::files::{Files, Places, beside};
use super::lines::Ending;
use super::notice::Notice;
use super::place::{FileId, Place};
use super::reader::{NextBatch, Reader};
use crate::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};

/// How long a file that lost its name is read on: whoever writes to it is told to open the new one within seconds.
const LINGER_MS: i64 = MINUTE_MS;
/// Files of one path that are read on at once; with more, something rotates faster than anybody reads.
const READERS_MAX: usize = 8;
/// Files that lost the path and are remembered; of more, the oldest are taken for new if they turn up again.
const DONE_MAX: usize = 32;
/// A pause this long between two looks is no pause of ours: the machine slept, or was stopped. What was written
/// meanwhile is not from now.
const PAUSE_MS: i64 = 5 * SECOND_MS;

/// Where a file is begun that is first met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At its first line: it was made while somebody looked, or all of it is wanted.
    Start,
    /// At its first line, which was written before anybody looked.
    OldStart,
    /// At its end.
    End,
}

/// A path, followed.
#[derive(Debug)]
pub(super) struct Follower {
    path: PathBuf,
    stream: String,
    begin: Begin,
    /// The files that had the path, oldest first. The last one has it, unless it is left.
    readers: Vec<Reader>,
    done: Vec<Place>,
    /// What was read and is not passed: by which reader.
    pending: Option<(usize, Batch)>,
    looked_at: Option<Timestamp>,
    /// What was last said of a file that cannot be read.
    complaint: Option<String>,
    pub(super) notices: Vec<Notice>,
    /// Whether what is to be remembered has changed since it was.
    pub(super) is_changed: bool,
}

impl Follower {
    /// Follows a path that is not known.
    pub(super) fn new(path: &Path, stream: &str, begin: Begin) -> Self {
        Self {
            path: path.to_owned(),
            stream: stream.to_owned(),
            begin,
            readers: Vec::new(),
            done: Vec::new(),
            pending: None,
            looked_at: None,
            complaint: None,
            notices: Vec::new(),
            is_changed: false,
        }
    }

    /// Goes on with a path. What its files hold by now was written after `since`, if that is known.
    pub(super) fn resume(
        path: &Path,
        stream: &str,
        places: Places,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut follower = Self::new(path, stream, Begin::OldStart);
        let own = fs::metadata(path).ok().map(|metadata| FileId::of(&metadata));
        follower.done = places.done;
        let latest = places.open.iter().map(|place| place.file).next_back();
        for place in places.open {
            let (id, offset) = (place.file, place.offset);
            let found = if own == Some(id) { Some(path.to_owned()) } else { beside(path, id) };
            let opened = found.and_then(|path| File::open(path).ok());
            match opened.map(|file| Reader::resume(file, place, since, now)) {
                Some(Ok(mut reader)) => {
                    // It lost its name some time ago; how long ago is not known.
                    reader.left_at = (own != Some(id)).then(|| since.unwrap_or_default());
                    follower.readers.push(reader);
                }
                Some(Err(_)) | None if latest == Some(id) => {
                    follower.notices.push(Notice::Lost { path: path.to_owned(), offset });
                }
                Some(Err(_)) | None => {}
            }
        }
        follower.is_changed = true;
        follower
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// What is to be remembered.
    pub(super) fn places(&self) -> Places {
        let open = self.readers.iter().map(|reader| reader.place.clone());
        Places { open: open.collect(), done: self.done.clone() }
    }

    /// The files that are read.
    pub(super) fn held(&self) -> impl Iterator<Item = FileId> {
        self.readers.iter().map(|reader| reader.place.file)
    }

    /// Whether there was more to read at the last look than was read.
    pub(super) fn is_behind(&self) -> bool {
        self.looked_at.is_none() || self.pending.is_some() || self.readers.iter().any(|it| it.has_unread)
    }

    /// Whether there is no file, and none to be read on.
    pub(super) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// The next lines, if there are any. What others read is not begun again, and what others have read is read on.
    pub(super) fn next(&mut self, now: Timestamp, files: &mut Files) -> Option<&Batch> {
        if self.pending.is_none() {
            self.pending = self.read_next(now, files);
        }
        self.pending.as_ref().map(|(_, batch)| batch)
    }

    /// Notes that the lines given out are being stored.
    pub(super) fn take(&mut self) {
        if let Some((ix, batch)) = &self.pending
            && let Some(reader) = self.readers.get_mut(*ix)
        {
            reader.take(batch);
            self.is_changed = true;
        }
    }

    /// Notes that the lines given out are stored, or need not be.
    pub(super) fn pass(&mut self) {
        if let Some((ix, batch)) = self.pending.take()
            && let Some(reader) = self.readers.get_mut(ix)
        {
            let passed = reader.pass(&batch);
            self.is_changed = true;
            self.complain(passed);
        }
    }

    fn read_next(&mut self, now: Timestamp, files: &mut Files) -> Option<(usize, Batch)> {
        let since = self.looked_at.replace(now).filter(|since| now.since_ms(*since) > PAUSE_MS);
        if let Some(since) = since {
            let aged = self.readers.iter_mut().try_for_each(|reader| reader.grow_old(since));
            self.complain(aged);
        }
        self.meet(now, files);
        let mut ix = 0;
        while let Some(reader) = self.readers.get_mut(ix) {
            let is_over = reader.left_at.is_some_and(|at| now.since_ms(at) > LINGER_MS);
            match reader.read_next(&self.stream, if is_over { Ending::Final } else { Ending::Open }, now) {
                Ok(NextBatch::Batch(batch)) => return Some((ix, batch)),
                Ok(NextBatch::Emptied) => {
                    self.is_changed = true;
                    self.notices.push(Notice::Emptied { path: self.path.clone() });
                }
                Ok(NextBatch::End) if is_over => {
                    let place = self.readers.remove(ix).place;
                    self.finish(place, files);
                }
                Ok(NextBatch::End) => ix = ix.saturating_add(1),
                Err(error) => {
                    self.complain(Err(error));
                    ix = ix.saturating_add(1);
                }
            }
        }
        None
    }

    /// Looks which file has the path by now, and begins it if it is another one.
    fn meet(&mut self, now: Timestamp, files: &mut Files) {
        let metadata = fs::metadata(&self.path);
        let own = metadata.as_ref().ok().map(FileId::of);
        for reader in &mut self.readers {
            // A file that was moved away and back has its name again.
            reader.left_at = if own == Some(reader.place.file) { None } else { reader.left_at.or(Some(now)) };
        }
        let begin = self.begin;
        match metadata {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.readers.is_empty() && begin != Begin::Start {
                    self.notices.push(Notice::Awaited { path: self.path.clone() });
                }
                self.begin = Begin::Start;
            }
            Err(error) => self.complain(Err(error)),
            Ok(metadata) => {
                let id = FileId::of(&metadata);
                if !files.held.insert(id) {
                    return;
                }
                let opened = if metadata.is_file() {
                    self.open(files.known.get(&id), now)
                } else {
                    Err(io::Error::other("it is no file"))
                };
                if let Err(error) = opened {
                    files.held.remove(&id);
                    self.complain(Err(error));
                }
            }
        }
    }

    /// Begins the file that has the path, or goes on with it, if it was read under another name.
    fn open(&mut self, known: Option<&Place>, now: Timestamp) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let path = self.path.clone();
        let reader = match known {
            Some(place) if place.is_of(&mut file)? => Reader::resume(file, place.clone(), None, now)?,
            known => {
                let is_at_end = self.begin == Begin::End && known.is_none();
                Reader::begin(file, is_at_end, self.begin != Begin::Start, now)?
            }
        };
        if !self.readers.is_empty() {
            self.notices.push(Notice::Rotated { path });
        } else if self.begin == Begin::Start {
            self.notices.push(Notice::Appeared { path });
        }
        if self.readers.len() >= READERS_MAX {
            self.readers.remove(0);
        }
        self.readers.push(reader);
        (self.begin, self.complaint, self.is_changed) = (Begin::Start, None, true);
        Ok(())
    }

    /// Notes that a file is read to its end that has lost its name: it may turn up under another one.
    fn finish(&mut self, place: Place, files: &mut Files) {
        files.held.remove(&place.file);
        files.known.insert(place.file, place.clone());
        self.done.retain(|done| done.file != place.file && beside(&self.path, done.file).is_some());
        self.done.push(place);
        let excess = self.done.len().saturating_sub(DONE_MAX);
        self.done.drain(..excess);
        self.is_changed = true;
    }

    /// Says what is wrong, once.
    fn complain(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            let text = error.to_string();
            if self.complaint.as_ref() != Some(&text) {
                self.notices.push(Notice::Unreadable { path: self.path.clone(), error: text.clone() });
                self.complaint = Some(text);
            }
        }
    }
}

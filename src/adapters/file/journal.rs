//! The journal: a file of one record or an array of records a line, appended to, and now and then written anew without
//! what was replaced.
//!
//! **Invariant:** a line is on the disk before [`Journal::append`] returns, and a journal takes its predecessor's
//! name only when it is whole; so a crash costs at most the one line that nobody was told is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::FileTableError;
use super::record::{HEADER, RECORD_BYTES_MAX, Record};
use crate::ports::table::Item;

const NAME: &str = "journal.jsonl";
/// A journal in the making. One that a crash left behind is written over.
const NAME_NEXT: &str = "journal.jsonl.next";

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// How much of the file is known to be good.
    pub(super) bytes: u64,
    /// A write failed in a way that leaves open what is on the disk.
    is_closed: bool,
}

/// What a journal held when it was opened.
pub(super) struct Contents {
    /// The records, oldest first.
    pub(super) items: Vec<Item>,
    /// How much a torn last line held.
    pub(super) torn_bytes: u64,
}

impl Journal {
    /// Opens the journal of a folder, cut to its last whole record; where there is none, an empty one.
    pub(super) fn open(folder: &Path) -> Result<(Self, Contents), FileTableError> {
        let path = folder.join(NAME);
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let contents = Contents { items: Vec::new(), torn_bytes: 0 };
                Self::write_next(folder, std::iter::empty())?;
                return Ok((Self::replace(folder)?, contents));
            }
            Err(source) => return Err(FileTableError::Read { path, source: Arc::new(source) }),
        };
        let (contents, bytes) = read(&path, &file)?;
        let mut journal = Self { path, file, bytes, is_closed: false };
        if contents.torn_bytes > 0 {
            journal.cut()?;
            journal.file.sync_all().map_err(|source| journal.write_error(source))?;
        }
        Ok((journal, contents))
    }

    /// Reads the journal of a folder that another process may be writing to, as far as it goes by now; `None` where
    /// there is none.
    pub(super) fn peek(folder: &Path) -> Result<Option<Vec<Item>>, FileTableError> {
        let path = folder.join(NAME);
        let failed = |source| FileTableError::Read { path: path.clone(), source: Arc::new(source) };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        // What comes after this moment is not read: a line that grows meanwhile would look torn in its middle.
        let bytes = file.metadata().map_err(failed)?.len();
        read(&path, file.take(bytes)).map(|(contents, _)| Some(contents.items))
    }

    /// Writes a journal of these items beside the one that is there, which stays as it is.
    pub(super) fn write_next<'a>(
        folder: &Path,
        items: impl Iterator<Item = &'a Item>,
    ) -> Result<(), FileTableError> {
        let next = folder.join(NAME_NEXT);
        let failed = |source| FileTableError::Write { path: next.clone(), source: Arc::new(source) };
        let mut writer = BufWriter::new(File::create(&next).map_err(failed)?);
        writeln!(writer, "{HEADER}").map_err(failed)?;
        for item in items {
            writer.write_all(&encode(item)?).map_err(failed)?;
            writer.write_all(b"\n").map_err(failed)?;
        }
        let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }

    /// Puts the journal that was written in the place of the one that is there. After an error, either may be there.
    pub(super) fn replace(folder: &Path) -> Result<Self, FileTableError> {
        let path = folder.join(NAME);
        let failed = |source| FileTableError::Write { path: path.clone(), source: Arc::new(source) };
        fs::rename(folder.join(NAME_NEXT), &path).map_err(failed)?;
        // A name is in its folder, and lasts when the folder is on the disk.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Self { path, file, bytes, is_closed: false })
    }

    /// Appends records as one line, and returns when it is on the disk: after a crash all of them are there or none.
    pub(super) fn append(&mut self, records: &[Vec<u8>]) -> Result<(), FileTableError> {
        if self.is_closed {
            return Err(FileTableError::Closed { path: self.path.clone() });
        }
        let mut line = records.join(&b',');
        if records.len() > 1 {
            line.insert(0, b'[');
            line.push(b']');
        }
        line.push(b'\n');
        if let Err(source) = self.file.write_all(&line) {
            // Half a record may be there. Where it cannot be cut off, nothing may follow it.
            self.is_closed = self.cut().is_err();
            return Err(self.write_error(source));
        }
        if let Err(source) = self.file.sync_data() {
            // The kernel may have dropped the pages that it could not write: to ask again proves nothing.
            self.is_closed = true;
            return Err(self.write_error(source));
        }
        self.bytes = self.bytes.saturating_add(line.len() as u64);
        Ok(())
    }

    /// Takes nothing more: what is on the disk is not known.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    fn cut(&mut self) -> Result<(), FileTableError> {
        self.file.set_len(self.bytes).map_err(|source| self.write_error(source))
    }

    fn write_error(&self, source: io::Error) -> FileTableError {
        FileTableError::Write { path: self.path.clone(), source: Arc::new(source) }
    }
}

/// The record of an item.
pub(super) fn encode(item: &Item) -> Result<Vec<u8>, FileTableError> {
    let record =
        serde_json::to_vec(&Record::from(item)).map_err(|error| FileTableError::Encode(Arc::new(error)))?;
    if record.len() >= RECORD_BYTES_MAX {
        return Err(FileTableError::TooLarge { bytes: record.len() });
    }
    Ok(record)
}

/// The records of a line.
fn decode(line: &[u8]) -> Result<Vec<Record<'_>>, serde_json::Error> {
    if line.first() == Some(&b'[') {
        serde_json::from_slice(line)
    } else {
        serde_json::from_slice(line).map(|record| vec![record])
    }
}

/// Reads a journal, and says how much of it is good.
fn read(path: &Path, file: impl Read) -> Result<(Contents, u64), FileTableError> {
    let failed = |source| FileTableError::Read { path: path.to_owned(), source: Arc::new(source) };
    let mut reader = BufReader::new(file);
    let mut contents = Contents { items: Vec::new(), torn_bytes: 0 };
    let (mut good, mut number): (u64, usize) = (0, 0);
    loop {
        let mut line = Vec::new();
        let read =
            reader.by_ref().take(RECORD_BYTES_MAX as u64).read_until(b'\n', &mut line).map_err(failed)?;
        number = number.saturating_add(1);
        if number == 1 {
            // A journal takes its name when its header is on the disk: a torn one is none of ours.
            if line.strip_suffix(b"\n") != Some(HEADER.as_bytes()) {
                return Err(FileTableError::Foreign { path: path.to_owned() });
            }
        } else if read == 0 {
            return Ok((contents, good));
        } else {
            let is_last = reader.fill_buf().map_err(failed)?.is_empty();
            match (line.strip_suffix(b"\n").map(decode), is_last) {
                (Some(Ok(records)), _) => contents.items.extend(records.into_iter().map(Item::from)),
                (None | Some(Err(_)), true) => {
                    contents.torn_bytes = read as u64;
                    return Ok((contents, good));
                }
                (None, false) => return Err(FileTableError::Foreign { path: path.to_owned() }),
                (Some(Err(source)), false) => {
                    let source = Arc::new(source);
                    return Err(FileTableError::Damaged { path: path.to_owned(), line: number, source });
                }
            }
        }
        good = good.saturating_add(read as u64);
    }
}

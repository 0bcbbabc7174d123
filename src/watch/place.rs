//! How far a file has been read: what is remembered of it, so that nothing is lost and nothing counted twice.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::batch::Age;
use crate::domain::job::Timestamp;
use crate::domain::line::LineHash;

/// Bytes at a file's beginning by which it is known again: its first line, mostly, with its time.
const HEAD_BYTES: u64 = 256;

/// What tells one file from another, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileId(u64, u64);

impl FileId {
    /// The device and the inode.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// The moment it was made, where there are no inodes.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let made = metadata.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        Self(0, made.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0)))
    }
}

/// The first bytes of a file, hashed: a file that was emptied and written anew keeps its inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    bytes: u64,
    hash: u64,
}

impl Head {
    /// The head of a file of which at least `bytes` are known to be written.
    pub(super) fn of(file: &mut File, bytes: u64) -> io::Result<Self> {
        let bytes = bytes.min(HEAD_BYTES);
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(bytes).read_to_end(&mut head)?;
        Ok(Self { bytes: head.len() as u64, hash: LineHash::default().with(&head).finish() })
    }

    /// Whether there are bytes that could be added to it.
    pub(super) const fn is_short_of(self, bytes: u64) -> bool {
        self.bytes < HEAD_BYTES && self.bytes < bytes
    }

    /// Whether the file still begins like this.
    pub(super) fn fits(self, file: &mut File) -> io::Result<bool> {
        Ok(self.bytes == 0 || Self::of(file, self.bytes)? == self)
    }
}

/// How far one file has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Which file.
    pub(super) file: FileId,
    /// When it was begun: an inode is used again as soon as its file is gone, and a file may be emptied.
    pub(super) begun_at: Timestamp,
    /// How it begins.
    pub(super) head: Head,
    /// Everything before has been read and stored.
    pub(super) offset: u64,
    /// Whether that lies within a line that is passed over.
    #[serde(default)]
    pub(super) is_within_line: bool,
    /// The time of the line before, where lines are stamped by their own.
    #[serde(default)]
    pub(super) last_stamp: Option<Timestamp>,
    /// What follows was read, and may be stored or not: it is to be read again, just so.
    #[serde(default)]
    pub(super) taken: Option<Cursor>,
}

/// What was read from a place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The place after the last byte.
    pub(super) until: u64,
    /// When.
    pub(super) read_at: Timestamp,
    /// When the lines were written, as far as that was known.
    pub(super) age: Age,
}

impl Place {
    /// Whether this is still the file, and holds what was read of it.
    pub(super) fn is_of(&self, file: &mut File) -> io::Result<bool> {
        Ok(file.metadata()?.len() >= self.offset && self.head.fits(file)?)
    }

    /// What tells the bytes from those of every other file, and from what this one held before it was emptied. It is
    /// written down before any line is stored that bears it.
    pub(super) fn origin(&self) -> String {
        let FileId(device, inode) = self.file;
        format!("{device:x}-{inode:x}-{:x}", self.begun_at.as_ms())
    }
}

//! What may go wrong with a table in a folder, and what its operator can do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::ports::{Disposed, Disposition};

/// An error of a table in a folder. A failed write is told to everybody who waited for it.
#[derive(Clone, Debug, Error)]
pub enum FileTableError {
    /// The folder could not be made, or not be looked into.
    #[error("cannot use the folder {folder}: name one that this user may write to")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the machine said.
        #[source]
        source: Arc<io::Error>,
    },
    /// Another process holds the folder.
    #[error("{folder} is in use by another queuewatch: stop that one, or name another folder")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system takes no locks.
    #[error("cannot lock {path}: name a folder on a local disk")]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The journal could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The journal.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The journal is another's, or of a newer queuewatch.
    #[error(
        "{path} is not a journal that this queuewatch can read: use the one that wrote it, or name another folder"
    )]
    Foreign {
        /// The journal.
        path: PathBuf,
    },
    /// A record before the last cannot be read: no crash leaves that behind.
    #[error(
        "line {line} of {path} is damaged: restore the file from a copy, or move it away to start with nothing known"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// An item could not be put into words.
    #[error("cannot write an item as JSON")]
    Encode(#[source] Arc<serde_json::Error>),
    /// An item is larger than any that could be read again.
    #[error("an item of {bytes} bytes is too large for a record")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Something could not be written.
    #[error("cannot write {path}: look whether the disk is full")]
    Write {
        /// The file, or the folder where its name could not be made to last.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: Arc<io::Error>,
    },
    /// After a failed write, what is on the disk is not known.
    #[error("{path} takes nothing more since a write failed: look at the disk, and start queuewatch again")]
    Closed {
        /// The journal.
        path: PathBuf,
    },
}

impl Disposed for FileTableError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Folder { .. }
            | Self::InUse { .. }
            | Self::Lock { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Closed { .. } => Disposition::Retry,
            Self::Foreign { .. } | Self::Damaged { .. } | Self::Encode(_) | Self::TooLarge { .. } => {
                Disposition::Drop
            }
        }
    }
}

//! The tables that a watch can keep what it knows in.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use queuewatch::adapters::file::{FileTable, FileTableError};
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::app::AppError;
use queuewatch::domain::job::Timestamp;
use queuewatch::durable::DurableError;
use queuewatch::ports::table::Table;
use queuewatch::watch::WatchError;

use super::ErrorOver;

/// A table of this machine.
pub(super) trait StateFolder: Table + Clone {
    /// Forgets what is expired.
    fn tidy(&self, now: Timestamp) -> Result<(), Self::Error>;

    /// Whether the table will never work again in this process.
    fn is_over(error: &Self::Error) -> bool;
}

/// Whether nothing will work again in this process after an error.
pub(super) fn is_over<T: StateFolder>(error: &ErrorOver<T>) -> bool {
    let is_ledger_over = |error: &DurableError<T::Error>| match error {
        DurableError::Table(error) => T::is_over(error),
        DurableError::Body { .. } | DurableError::Newer { .. } => true,
        DurableError::Contended(_) => false,
    };
    match error {
        WatchError::Memory(error) => T::is_over(error),
        WatchError::Broken { .. } => true,
        WatchError::Ledger(error)
        | WatchError::Sweep(AppError::Store(error))
        | WatchError::Command(AppError::Store(error)) => is_ledger_over(error),
        WatchError::Sweep(AppError::Metrics(never)) | WatchError::Command(AppError::Metrics(never)) => {
            match *never {}
        }
        WatchError::Sweep(AppError::Alarm(_) | AppError::Busy | AppError::NoSuchIncident)
        | WatchError::Command(AppError::Alarm(_) | AppError::Busy | AppError::NoSuchIncident) => false,
    }
}

impl StateFolder for MemoryTable {
    fn tidy(&self, now: Timestamp) -> Result<(), Self::Error> {
        self.expire(now);
        Ok(())
    }

    fn is_over(error: &Self::Error) -> bool {
        match *error {}
    }
}

impl StateFolder for FileTable {
    fn tidy(&self, now: Timestamp) -> Result<(), FileTableError> {
        self.compact_if_grown(now).map(|_| ())
    }

    fn is_over(error: &FileTableError) -> bool {
        !matches!(error, FileTableError::Write { .. })
    }
}

/// Keeps a folder out of the version control of the project that it may lie in.
pub(super) fn hide(folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(".gitignore");
    let written = fs::File::create_new(&path).and_then(|mut file| file.write_all(b"*\n"));
    match written {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err::<(), io::Error>(error).with_context(|| format!("cannot write {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

//! What operators ask of a watch: a file each, in a folder beside its journal.
//!
//! It knows nothing of what they ask for. **Invariant:** a file is there as a whole or not at all, and until whoever
//! read it says that it is done with.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

const FOLDER: &str = "inbox";
/// What is read; anything else is one in the making, or one that was refused.
const EXTENSION: &str = "json";
const EXTENSION_IN_THE_MAKING: &str = "part";
const EXTENSION_REFUSED: &str = "refused";
/// An id or a queue, a time and a reason: nobody means more.
const BYTES_MAX: u64 = 64 * 1024;

/// What operators asked for, oldest first.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    /// What is done with and could not be taken away: it is not looked at again by this process.
    passed: BTreeSet<PathBuf>,
}

/// Something asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its file.
    pub path: PathBuf,
    /// What it says.
    pub text: Vec<u8>,
}

/// A file of the inbox could not be made, read or taken away.
#[derive(Debug, Error)]
#[error("cannot {doing} {path}: let the one who runs queuewatch watch do it, on a disk that has room")]
pub struct InboxError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Inbox {
    /// The inbox of a folder that holds the state of a watch.
    #[must_use]
    pub fn of(state: &Path) -> Self {
        Self { folder: state.join(FOLDER), passed: BTreeSet::new() }
    }

    /// Makes its folder, so that it belongs to whoever takes files away from it.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn make(&self) -> Result<(), InboxError> {
        fs::create_dir_all(&self.folder).map_err(|source| failed("make", &self.folder, source))
    }

    /// Puts a text into it, under a name that nobody else takes, and answers where it lies. It is on the disk then.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put(&self, name: &str, text: &str) -> Result<PathBuf, InboxError> {
        self.make()?;
        let path = self.folder.join(name).with_extension(EXTENSION);
        let part = path.with_extension(EXTENSION_IN_THE_MAKING);
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            // A name is in its folder, and lasts when the folder is on the disk.
            File::open(&self.folder)?.sync_all()
        });
        written.map_err(|source| failed("write", &path, source))?;
        Ok(path)
    }

    /// The oldest that was asked for; it stays there.
    ///
    /// # Errors
    /// Where it cannot be read. It is passed over from then on.
    pub fn first(&mut self) -> Result<Option<Asked>, InboxError> {
        let Some(path) = self.oldest()? else { return Ok(None) };
        let mut text = Vec::new();
        match File::open(&path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut text)) {
            Ok(_) => Ok(Some(Asked { path, text })),
            Err(source) => {
                self.passed.insert(path.clone());
                Err(failed("read", &path, source))
            }
        }
    }

    fn oldest(&mut self) -> Result<Option<PathBuf>, InboxError> {
        if self.passed.contains(&self.folder) {
            return Ok(None);
        }
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                self.passed.insert(self.folder.clone());
                return Err(failed("read", &self.folder, source));
            }
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let is_asked = |path: &PathBuf| {
            path.extension().is_some_and(|it| it == EXTENSION) && !self.passed.contains(path)
        };
        Ok(paths.filter(is_asked).min())
    }

    /// Takes away what is done.
    ///
    /// # Errors
    /// Where that is not possible. It is passed over from then on, until another process finds it.
    pub fn take_away(&mut self, asked: &Asked) -> Result<(), InboxError> {
        let gone = fs::remove_file(&asked.path);
        self.passing(asked, gone)
    }

    /// Sets aside what nobody understands, for whoever wrote it, and answers where it lies.
    ///
    /// # Errors
    /// As [`Self::take_away`].
    pub fn set_aside(&mut self, asked: &Asked) -> Result<PathBuf, InboxError> {
        let aside = asked.path.with_extension(EXTENSION_REFUSED);
        let renamed = fs::rename(&asked.path, &aside);
        self.passing(asked, renamed).map(|()| aside)
    }

    fn passing(&mut self, asked: &Asked, done: io::Result<()>) -> Result<(), InboxError> {
        done.map_err(|source| {
            self.passed.insert(asked.path.clone());
            failed("take away", &asked.path, source)
        })
    }
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> InboxError {
    InboxError { doing, path: path.to_owned(), source }
}

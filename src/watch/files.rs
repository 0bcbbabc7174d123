//! Files apart from their names: which are read, how far others were, and what is to be remembered of either.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::{FileId, Place};

/// The files of all paths: a file may have had another name when it was read.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Those that are being read.
    pub(super) held: BTreeSet<FileId>,
    /// How far others were read.
    pub(super) known: BTreeMap<FileId, Place>,
}

/// What is to be remembered of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Places {
    /// The files that had the path and are read on, oldest first.
    pub(super) open: Vec<Place>,
    /// Files that had the path, lost it and were read to their end, and are still there.
    #[serde(default)]
    pub(super) done: Vec<Place>,
}

/// The file of this id in the folder of `path`: rotation gives a file another name, mostly beside its old one.
pub(super) fn beside(path: &Path, id: FileId) -> Option<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let entries = fs::read_dir(folder).ok()?;
    let is_it = |entry: &fs::DirEntry| entry.metadata().is_ok_and(|metadata| FileId::of(&metadata) == id);
    entries.flatten().find(is_it).map(|entry| entry.path())
}

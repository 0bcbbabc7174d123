//! Everything that is watched: files, patterns whose files come and go, and standard input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::files::{Files, Places};
use super::follower::{Begin, Follower};
use super::notice::Notice;
use super::pipe::Pipe;
use super::place::FileId;
use crate::domain::glob;
use crate::domain::job::{SECOND_MS, Timestamp};

/// How often a pattern's folder is listed.
const LIST_EVERY_MS: i64 = SECOND_MS;
/// Files followed: each takes a descriptor, and a process has 1,024 of them where nobody asked for more.
const FILES_MAX: usize = 500;

/// What is to be watched.
#[derive(Debug, Default)]
pub struct Inputs {
    pub(super) files: Vec<Follower>,
    pub(super) pipes: Vec<Pipe>,
    patterns: Vec<Pattern>,
    pub(super) all: Files,
    listed_at: Option<Timestamp>,
    /// Whether it was said that there are too many.
    has_overflowed: bool,
    pub(super) notices: Vec<Notice>,
}

/// A folder, and a glob of the names in it.
#[derive(Debug)]
struct Pattern {
    folder: PathBuf,
    glob: String,
}

/// What an earlier run left behind.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// How far each file was read, by its absolute path.
    pub(super) places: BTreeMap<String, Places>,
    /// When that run was last known to be at work.
    pub(super) alive_at: Option<Timestamp>,
}

impl Inputs {
    /// Adds a file, or, where the path is no file's and its name holds `*` or `?`, all files of such names, those
    /// still to come included.
    pub fn add_path(&mut self, path: &Path) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.exists() || !name.contains(['*', '?']) {
            self.files.push(Follower::new(path, &path.to_string_lossy(), Begin::End));
            return;
        }
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        self.patterns.push(Pattern { folder, glob: name });
    }

    /// Adds a pipe.
    pub fn add_pipe(&mut self, pipe: Pipe) {
        self.pipes.push(pipe);
    }

    /// Decides where each file is begun: where it was left; at its end, if it was there before anybody watched and
    /// not all of it is wanted; else at its beginning.
    pub(super) fn start(&mut self, remembered: &Remembered, is_from_start: bool, now: Timestamp) {
        for Places { open, done } in remembered.places.values() {
            let places = done.iter().chain(open).map(|place| (place.file, place.clone()));
            self.all.known.extend(places);
        }
        for file in std::mem::take(&mut self.files) {
            let (path, stream) = (file.path().to_owned(), file.stream().to_owned());
            self.files.push(follower(&path, &stream, remembered, is_from_start, now));
        }
        self.list(now, |path, stream| follower(path, stream, remembered, is_from_start, now));
        let unmatched = self.patterns.iter().filter(|it| it.list().is_empty()).map(Pattern::unmatched);
        self.notices.extend(unmatched);
    }

    /// Looks for new files of the patterns, if it is time to.
    pub(super) fn list_when_due(&mut self, now: Timestamp) {
        let is_due = self.listed_at.is_none_or(|at| now.since_ms(at).saturating_abs() >= LIST_EVERY_MS);
        if is_due && !self.patterns.is_empty() {
            self.list(now, |path, stream| Follower::new(path, stream, Begin::Start));
        }
    }

    fn list(&mut self, now: Timestamp, make: impl Fn(&Path, &str) -> Follower) {
        self.listed_at = Some(now);
        let mut found: Vec<Follower> = Vec::new();
        let mut held = self.held();
        let followed: BTreeSet<PathBuf> = self.files.iter().map(|file| file.path().to_owned()).collect();
        for pattern in &self.patterns {
            for (path, metadata) in pattern.list() {
                let is_followed = followed.contains(&path) || found.iter().any(|file| file.path() == path);
                // What is read under another name is followed under this one once it is not.
                if is_followed || held.contains(&FileId::of(&metadata)) {
                    continue;
                }
                if self.files.len().saturating_add(found.len()) < FILES_MAX {
                    let file = make(&path, &path.to_string_lossy());
                    held.extend(file.held());
                    found.push(file);
                } else if !std::mem::replace(&mut self.has_overflowed, true) {
                    self.notices.push(Notice::TooMany { limit: FILES_MAX });
                }
            }
        }
        // A file that a pattern found, and that is gone, is not waited for.
        let is_named = |path: &Path| {
            let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            !self.patterns.iter().any(|it| it.folder == folder && glob::matches(&it.glob, &name))
        };
        self.files.retain(|file| !file.is_empty() || is_named(file.path()) || file.path().exists());
        self.files.extend(found);
    }

    /// Looks which files are read.
    pub(super) fn note_held(&mut self) {
        self.all.held = self.held();
    }

    fn held(&self) -> BTreeSet<FileId> {
        self.files.iter().flat_map(Follower::held).collect()
    }

    /// The streams' names.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(Follower::stream).chain(self.pipes.iter().map(Pipe::stream))
    }

    /// Whether nothing more can come.
    pub(super) fn have_ended(&self) -> bool {
        self.files.is_empty() && self.patterns.is_empty() && self.pipes.iter().all(Pipe::has_ended)
    }

    /// What happened to the files since it was last asked.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.notices);
        notices.extend(self.files.iter_mut().flat_map(|file| std::mem::take(&mut file.notices)));
        notices.extend(self.pipes.iter_mut().flat_map(|pipe| std::mem::take(&mut pipe.notices)));
        notices
    }
}

impl Pattern {
    /// What is said where it matches no file at the start: with a folder that is not there, nobody meant it so.
    fn unmatched(&self) -> Notice {
        let is_there = self.folder.as_os_str().is_empty() || self.folder.is_dir();
        Notice::Unmatched {
            pattern: self.folder.join(&self.glob),
            no_folder: (!is_there).then(|| self.folder.clone()),
        }
    }

    /// The files of such names, in name order.
    fn list(&self) -> Vec<(PathBuf, Metadata)> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut found: Vec<(PathBuf, Metadata)> = entries
            .flatten()
            .filter(|entry| glob::matches(&self.glob, &entry.file_name().to_string_lossy()))
            .filter_map(|entry| {
                let path = self.folder.join(entry.file_name());
                // Through links, as the file is opened.
                let metadata = fs::metadata(&path).ok().filter(Metadata::is_file)?;
                Some((path, metadata))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }
}

/// A file's absolute path: the same file is the same, from wherever it is named.
pub(super) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

fn follower(
    path: &Path,
    stream: &str,
    remembered: &Remembered,
    is_from_start: bool,
    now: Timestamp,
) -> Follower {
    if let Some(places) = remembered.places.get(&absolute(path)) {
        return Follower::resume(path, stream, places.clone(), remembered.alive_at, now);
    }
    // A file that was made since the last run is new, and what it holds was missed by nobody's choice.
    let is_made_since = |alive_at: Timestamp| {
        let made = fs::metadata(path).and_then(|metadata| metadata.created()).ok();
        let since_epoch = made.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        since_epoch.is_some_and(|made| i64::try_from(made.as_millis()).unwrap_or(0) > alive_at.as_ms())
    };
    let is_whole = is_from_start || remembered.alive_at.is_some_and(is_made_since);
    Follower::new(path, stream, if is_whole { Begin::OldStart } else { Begin::End })
}

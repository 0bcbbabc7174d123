//! What happened to the files, for whoever runs `watch` to read.

use std::fmt;
use std::path::PathBuf;

/// Something that happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is not there.
    Awaited {
        /// The file.
        path: PathBuf,
    },
    /// It is there now.
    Appeared {
        /// The file.
        path: PathBuf,
    },
    /// Another file has its name.
    Rotated {
        /// The file.
        path: PathBuf,
    },
    /// It was emptied, and is written anew.
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// It was renamed or removed while nobody looked, and is not found in its folder.
    Lost {
        /// The file.
        path: PathBuf,
        /// How far it had been read.
        offset: u64,
    },
    /// It cannot be read; that is tried again.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        error: String,
    },
    /// No file of such a name is there.
    Unmatched {
        /// The pattern, as it was given.
        pattern: PathBuf,
        /// The folder that it looks in, where that is not there either.
        no_folder: Option<PathBuf>,
    },
    /// There are more files than are followed.
    TooMany {
        /// How many are.
        limit: usize,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaited { path } => write!(f, "{} is not there yet: waiting for it", path.display()),
            Self::Appeared { path } => write!(f, "{} is there now", path.display()),
            Self::Rotated { path } => write!(f, "{} is a new file now, after a rotation", path.display()),
            Self::Emptied { path } => {
                write!(f, "{} was emptied: reading it from its beginning", path.display())
            }
            Self::Lost { path, offset } => write!(
                f,
                "the file that was {} is gone: what it held beyond byte {offset} is not read",
                path.display()
            ),
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}, and will try again: {error}", path.display())
            }
            Self::Unmatched { pattern, no_folder: None } => {
                write!(f, "{} matches no file yet: waiting for one", pattern.display())
            }
            Self::Unmatched { pattern, no_folder: Some(folder) } => {
                write!(
                    f,
                    "{} matches nothing: there is no folder {} yet",
                    pattern.display(),
                    folder.display()
                )
            }
            Self::TooMany { limit } => {
                write!(f, "more than {limit} files: the others are not followed")
            }
        }
    }
}

//! Saved events, from files, folders and standard input, for `replay`.
//!
//! It judges no payload: a `.json` that is no event is handed on, and rejected where every delivery is.
//! **Invariant:** an unreadable file loses only itself, and the order of what is read is the order of the paths,
//! then of the names in a folder, then of the lines in a file.

mod exports;
mod quick;
mod runs;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::pack::{PackError, PackLine, read_lines};
use runs::Exported;
pub use runs::{RUN_LINES_MAX, RUN_SPREAD_MS_MAX, Run, RunLine};

/// Bytes read of one file, inflated: a day of a busy app's `filter-log-events` output fits many times, and a
/// compressed bomb ends here.
pub const SAVED_BYTES_MAX: u64 = 1 << 30;

/// One saved invocation, or lines that stand for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// `path`, or `path:line` where a file holds one event a line.
    pub source: String,
    /// What was saved.
    pub body: SavedBody,
}

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedBody {
    /// A Lambda event's text, as it came.
    Event(Vec<u8>),
    /// Lines of one log stream.
    Run(Run),
}

/// What could not be read. The rest was.
#[derive(Debug, Error)]
pub enum SavedError {
    /// The path is not there, or may not be read, or its gzip is broken.
    #[error("cannot read {source_name}")]
    Unreadable {
        /// The path.
        source_name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file larger than [`SAVED_BYTES_MAX`].
    #[error("{source_name} holds more than {SAVED_BYTES_MAX} bytes")]
    TooLarge {
        /// The path.
        source_name: String,
    },
    /// A folder without a file of saved events directly in it.
    #[error(
        "{source_name} holds no .json, .jsonl, .ndjson or .csv file (.gz or not), and is no export to S3"
    )]
    NoEvents {
        /// The folder.
        source_name: String,
    },
    /// A file by name that is no JSON.
    #[error(
        "{source_name} is no saved event: .json, .jsonl and .ndjson (.gz or not) are read, other files that hold JSON, \
         what `aws logs tail` prints, exports to S3, CSV with a timestamp and a message, and .log and .txt whose lines \
         have a time with its offset; make events of other log lines with `queuewatch pack`"
    )]
    NotSaved {
        /// The path.
        source_name: String,
    },
    /// A raw log file whose lines do not say when they were written, or not whose time it is.
    #[error("{source_name} is a raw log file: make events of it with `queuewatch pack`")]
    RawLog {
        /// The path.
        source_name: String,
        /// What is missing.
        #[source]
        source: PackError,
    },
    /// An element of `filter-log-events` output that is no log event.
    #[error("{source_name}: element {ordinal} is no log event")]
    NoLogEvent {
        /// The path.
        source_name: String,
        /// Which element, from 1.
        ordinal: usize,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads every path: a file, a folder (the files directly in it, in name order, hidden ones and other extensions left
/// out; or, where there is none, the parts of an export to S3 in its subfolders), or `-` for `stdin`. `log_group` is the
/// group of runs, which their files do not name.
pub fn read(paths: &[PathBuf], log_group: &str, stdin: &mut dyn Read) -> (Vec<Saved>, Vec<SavedError>) {
    let mut reading = Reading { log_group, saved: Vec::new(), errors: Vec::new() };
    for path in paths {
        if path.as_os_str() == "-" {
            reading.input("-", Form::Raw, stdin);
        } else if path.is_dir() {
            if !reading.folder(path) {
                let source_name = path.to_string_lossy().into_owned();
                reading.errors.push(SavedError::NoEvents { source_name });
            }
        } else {
            reading.file(path);
        }
    }
    (reading.saved, reading.errors)
}

/// How deep folders are looked into: an export to S3 has one for the task, and in it one for each stream.
const FOLDERS_DEEP_MAX: usize = 3;

/// What a file's name says of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `.json`: one document.
    Document,
    /// `.jsonl`, `.ndjson`: one document a line.
    Lines,
    /// `.csv`, or what `aws logs tail` prints: lines that were exported as text.
    Text,
    /// `000000.gz`: a part of a stream that was exported to S3.
    /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/userguide/S3Export.html>
    Part,
    /// `.log`, `.txt`: whatever somebody saved, raw lines as well.
    Raw,
    /// Anything else.
    Unknown,
}

impl Form {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if let Some(name) = name.strip_suffix(".gz")
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_digit())
        {
            return Self::Part;
        }
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.') {
            Some((_, "json")) => Self::Document,
            Some((_, "jsonl" | "ndjson")) => Self::Lines,
            Some((_, "csv")) => Self::Text,
            Some((_, "log" | "txt")) => Self::Raw,
            Some(_) | None => Self::Unknown,
        }
    }
}

struct Reading<'a> {
    log_group: &'a str,
    saved: Vec<Saved>,
    errors: Vec<SavedError>,
}

impl Reading<'_> {
    /// Reads a folder, and says whether it holds anything; of one that cannot be read something else was said.
    fn folder(&mut self, folder: &Path) -> bool {
        let Some(paths) = self.entries(folder) else { return true };
        self.files(&paths, is_saved) || self.parts(&paths, FOLDERS_DEEP_MAX)
    }

    /// Reads the parts of an export below these. Saved events in a subfolder are another story.
    fn parts(&mut self, paths: &[PathBuf], deeper: usize) -> bool {
        let Some(deeper) = deeper.checked_sub(1) else { return false };
        let mut holds = false;
        for folder in paths.iter().filter(|path| path.is_dir()) {
            let below = self.entries(folder).unwrap_or_default();
            holds |= self.files(&below, is_part) || self.parts(&below, deeper);
        }
        holds
    }

    fn files(&mut self, paths: &[PathBuf], is_wanted: impl Fn(&Path) -> bool) -> bool {
        let mut holds = false;
        for file in paths.iter().filter(|path| is_wanted(path)) {
            self.file(file);
            holds = true;
        }
        holds
    }

    /// What is in a folder, in name order.
    fn entries(&mut self, folder: &Path) -> Option<Vec<PathBuf>> {
        match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => {
                let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
                paths.sort();
                Some(paths)
            }
            Err(source) => {
                self.unreadable(&folder.to_string_lossy(), source);
                None
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let source_name = path.to_string_lossy();
        match File::open(path) {
            Ok(mut file) => self.input(&source_name, Form::of(path), &mut file),
            Err(source) => self.unreadable(&source_name, source),
        }
    }

    fn input(&mut self, source_name: &str, form: Form, input: &mut dyn Read) {
        match read_capped(input) {
            Ok(Some(bytes)) => self.content(source_name, form, &bytes),
            Ok(None) => self.errors.push(SavedError::TooLarge { source_name: source_name.into() }),
            Err(source) => self.unreadable(source_name, source),
        }
    }

    fn content(&mut self, source_name: &str, form: Form, bytes: &[u8]) {
        match form {
            Form::Document => self.document(source_name.to_owned(), bytes),
            Form::Lines => self.lines(source_name, bytes),
            Form::Text => self.text(source_name, bytes),
            Form::Part => self.raw(source_name, bytes),
            Form::Raw | Form::Unknown => match sniff(bytes) {
                Form::Document => self.document(source_name.to_owned(), bytes),
                Form::Lines => self.lines(source_name, bytes),
                Form::Text => self.text(source_name, bytes),
                Form::Part | Form::Raw | Form::Unknown if form == Form::Raw => self.raw(source_name, bytes),
                Form::Part | Form::Raw | Form::Unknown => {
                    self.errors.push(SavedError::NotSaved { source_name: source_name.into() })
                }
            },
        }
    }

    fn lines(&mut self, source_name: &str, bytes: &[u8]) {
        let mut rest = bytes;
        for number in 1_usize.. {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
            if !line.trim_ascii().is_empty() {
                self.document(format!("{source_name}:{number}"), line);
            }
            match after.split_first() {
                Some((_, next)) => rest = next,
                None => break,
            }
        }
    }

    fn text(&mut self, source_name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        match exports::text(without_mark(&text)) {
            Some(lines) => self.exported(source_name, lines),
            None => self.errors.push(SavedError::NotSaved { source_name: source_name.into() }),
        }
    }

    /// Lines that say themselves when they were written. A part of an export to S3 is of the stream that its folder is
    /// named after.
    fn raw(&mut self, source_name: &str, bytes: &[u8]) {
        let path = Path::new(source_name);
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let log_stream = if Form::of(path) == Form::Part { folder.into_owned() } else { String::new() };
        let exported = |line: PackLine| Exported {
            log_group: String::new(),
            log_stream: log_stream.clone(),
            at: line.at,
            ingested_at: None,
            message: line.message,
        };
        match read_lines(bytes, None, None) {
            Ok(lines) if !lines.is_empty() => {
                self.exported(source_name, lines.into_iter().map(exported).collect());
            }
            // Whose first line has no time is no log: an error's text, a page of prose.
            Ok(_) | Err(PackError::NoTime { .. }) => {
                self.errors.push(SavedError::NotSaved { source_name: source_name.into() });
            }
            Err(source) => self.errors.push(SavedError::RawLog { source_name: source_name.into(), source }),
        }
    }

    fn exported(&mut self, source_name: &str, lines: Vec<Exported>) {
        let saved = |run| Saved { source: source_name.to_owned(), body: SavedBody::Run(run) };
        self.saved.extend(runs::exported(lines, self.log_group).into_iter().map(saved));
    }

    fn document(&mut self, source: String, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).ok().map(without_mark);
        if let Some(lines) = text.and_then(exports::insights) {
            return self.exported(&source, lines);
        }
        let Some((runs, refused)) = text.and_then(|text| runs::read(text, self.log_group)) else {
            return self.saved.push(Saved { source, body: SavedBody::Event(bytes.to_vec()) });
        };
        self.errors.extend(refused.into_iter().map(|(ordinal, error)| SavedError::NoLogEvent {
            source_name: source.clone(),
            ordinal,
            source: error,
        }));
        let saved = |run| Saved { source: source.clone(), body: SavedBody::Run(run) };
        self.saved.extend(runs.into_iter().map(saved));
    }

    fn unreadable(&mut self, source_name: &str, source: io::Error) {
        self.errors.push(SavedError::Unreadable { source_name: source_name.into(), source });
    }
}

/// Whether a folder's entry is a file of saved events. Hidden ones are other programs' (`._x.json`).
fn is_saved(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    // Regular files only: reading a pipe that nobody writes to would wait for ever.
    !is_hidden && !matches!(Form::of(path), Form::Raw | Form::Unknown) && path.is_file()
}

fn is_part(path: &Path) -> bool {
    Form::of(path) == Form::Part && path.is_file()
}

/// What the text itself says where the name says nothing. `{` is taken at its word; a log line may begin with
/// `[`, so an array must be one.
fn sniff(bytes: &[u8]) -> Form {
    let text = String::from_utf8_lossy(bytes);
    let text = without_mark(&text).trim_ascii();
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match text.chars().next() {
        Some('{') if text.contains('\n') && !is_json(text) && text.lines().next().is_some_and(is_json) => {
            Form::Lines
        }
        Some('{') => Form::Document,
        Some('[') if is_json(text) => Form::Document,
        Some(_) if exports::is_tail(text) || exports::is_table(text) => Form::Text,
        Some(_) | None => Form::Unknown,
    }
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

/// Reads up to [`SAVED_BYTES_MAX`], inflating gzip, known by its first bytes as the name may lie; `None` if there
/// is more.
#[expect(clippy::disallowed_types, reason = "files may have many members; the cap is on what it gives out")]
fn read_capped(input: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let past_cap = SAVED_BYTES_MAX.saturating_add(1);
    let mut bytes = Vec::new();
    input.take(past_cap).read_to_end(&mut bytes)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(past_cap).read_to_end(&mut inflated)?;
        bytes = inflated;
    }
    if let Some(text) = utf16(&bytes) {
        bytes = text.into_bytes();
    }
    let is_over = u64::try_from(bytes.len()).is_ok_and(|len| len > SAVED_BYTES_MAX);
    Ok(if is_over { None } else { Some(bytes) })
}

/// What Windows PowerShell makes of a program's output when it is sent to a file: UTF-16 behind a mark.
fn utf16(bytes: &[u8]) -> Option<String> {
    let units = match bytes.split_at_checked(2)? {
        ([0xff, 0xfe], rest) if !rest.is_empty() => {
            rest.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair))
        }
        _ => return None,
    };
    Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cfg(test)]
mod tests;

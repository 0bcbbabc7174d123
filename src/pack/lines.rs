//! A log file's bytes → lines with their times.
//!
//! It refuses to invent a time. Bytes that are not UTF-8 are replaced: events are JSON, and JSON is text.

use thiserror::Error;

use jiff::tz::TimeZone;

use super::line_time::{LineTime, line_time};
use crate::domain::job::Timestamp;

/// One line to pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackLine {
    /// When.
    pub at: Timestamp,
    /// Its text, without the newline.
    pub message: String,
}

/// Why a file cannot be packed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PackError {
    /// Neither the line nor one before it carries a time.
    #[error(
        "line {line} carries no time, nor does one before it: name a file with one epoch-millisecond per line \
         with --timestamps"
    )]
    NoTime {
        /// The line, counted from 1.
        line: usize,
    },
    /// A line's time has no offset, and nobody said whose it is.
    #[error(
        "line {line} has a local time, {time}, without an offset: say whose it is with --timezone (`UTC`, `Asia/Tokyo`)"
    )]
    NoOffset {
        /// The line, counted from 1.
        line: usize,
        /// The time.
        time: String,
    },
    /// A zone that nobody knows.
    #[error("`{0}` is no time zone: use a name such as `UTC` or `Asia/Tokyo`")]
    NoZone(String),
    /// The timestamps file is for another log.
    #[error("the log has {lines} lines and the timestamps file {timestamps}")]
    Counts {
        /// Lines of the log, blank ones included.
        lines: usize,
        /// Lines of the timestamps file.
        timestamps: usize,
    },
    /// A line of the timestamps file is no number.
    #[error("line {line} of the timestamps file, `{text}`, is no epoch-millisecond")]
    BadTimestamp {
        /// The line, counted from 1.
        line: usize,
        /// What it holds.
        text: String,
    },
}

/// Reads a log file. Each line takes its time from `timestamps` (one epoch-millisecond a line), else its own,
/// else that of the line before it. `timezone` says whose times without an offset are. Empty lines are left out, with their timestamp: CloudWatch takes no empty
/// event.
///
/// # Errors
/// See [`PackError`].
pub fn read_lines(
    log: &[u8],
    timestamps: Option<&[u8]>,
    timezone: Option<&str>,
) -> Result<Vec<PackLine>, PackError> {
    let no_zone = |name: &str| PackError::NoZone(name.to_owned());
    let zone = timezone.map(|name| TimeZone::get(name).map_err(|_| no_zone(name))).transpose()?;
    let log = String::from_utf8_lossy(log);
    let lines = split(&log);
    let times = match timestamps {
        Some(timestamps) => given_times(&String::from_utf8_lossy(timestamps), lines.len())?,
        None => own_times(&lines, zone.as_ref())?,
    };
    let packed = lines.into_iter().zip(times).filter(|(line, _)| !is_blank(line));
    Ok(packed.map(|(line, at)| PackLine { at, message: line.to_owned() }).collect())
}

/// The last newline ends the last line, and begins no other.
fn split(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// Spaces make an event; a lone carriage return is the end of an empty line.
fn is_blank(line: &str) -> bool {
    line.trim_end_matches('\r').is_empty()
}

fn given_times(timestamps: &str, lines_count: usize) -> Result<Vec<Timestamp>, PackError> {
    let timestamps = split(timestamps);
    if timestamps.len() != lines_count {
        return Err(PackError::Counts { lines: lines_count, timestamps: timestamps.len() });
    }
    let numbered = timestamps.into_iter().zip(1_usize..);
    numbered
        .map(|(text, line)| match text.trim().parse() {
            Ok(ms) => Ok(Timestamp::from_ms(ms)),
            Err(_) => Err(PackError::BadTimestamp { line, text: text.trim().to_owned() }),
        })
        .collect()
}

fn own_times(lines: &[&str], zone: Option<&TimeZone>) -> Result<Vec<Timestamp>, PackError> {
    let mut last = None;
    let numbered = lines.iter().zip(1_usize..);
    numbered
        .map(|(text, line)| {
            last = match (line_time(text), zone) {
                (Some(time), Some(zone)) => time.within(zone).or(last),
                (Some(LineTime::At(at)), None) => Some(at),
                (Some(LineTime::Local(time)), None) => {
                    return Err(PackError::NoOffset { line, time: time.to_string() });
                }
                (None, _) => last,
            };
            match last {
                Some(at) => Ok(at),
                // Left out anyway, so it needs no time.
                None if is_blank(text) => Ok(Timestamp::MIN),
                None => Err(PackError::NoTime { line }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(log: &[u8], timestamps: Option<&str>, expected: Result<&[(i64, &str)], PackError>) {
        let lines = read_lines(log, timestamps.map(str::as_bytes), Some("UTC"));
        let found = lines.as_ref().map(|lines| {
            lines.iter().map(|line| (line.at.as_ms(), line.message.as_str())).collect::<Vec<_>>()
        });
        assert_eq!(found, expected.as_ref().map(|lines| lines.to_vec()));
    }

    #[test]
    fn times_come_from_the_timestamps_file() {
        check(b"a\nb\n", Some("1\n2\n"), Ok(&[(1, "a"), (2, "b")]));
        check(b"a\nb", Some("2\r\n1"), Ok(&[(2, "a"), (1, "b")]));
        check(b"", Some(""), Ok(&[]));
        // The file outranks the line.
        check(b"[1970-01-01 00:00:09] x\n", Some("7\n"), Ok(&[(7, "[1970-01-01 00:00:09] x")]));
    }

    #[test]
    fn a_timestamps_file_that_does_not_fit_is_refused() {
        check(b"a\nb\n", Some("1\n"), Err(PackError::Counts { lines: 2, timestamps: 1 }));
        check(b"a\n", Some("1\n2\n"), Err(PackError::Counts { lines: 1, timestamps: 2 }));
        check(b"a\nb\n", Some("1\nx\n"), Err(PackError::BadTimestamp { line: 2, text: "x".into() }));
        check(b"a\nb\n", Some("\n1\n"), Err(PackError::BadTimestamp { line: 1, text: String::new() }));
    }

    #[test]
    fn times_come_from_the_lines_and_a_line_without_one_takes_the_last() {
        let first = "[1970-01-01 00:00:05] boom";
        let log = format!("{first}\n#0 main\n  1970-01-01 00:00:07 App\n\ntail\n");
        let expected: &[(i64, &str)] =
            &[(5_000, first), (5_000, "#0 main"), (7_000, "  1970-01-01 00:00:07 App"), (7_000, "tail")];
        check(log.as_bytes(), None, Ok(expected));
        check(b"", None, Ok(&[]));
    }

    #[test]
    fn a_first_line_without_a_time_is_refused_and_the_way_out_said() {
        check(b"#0 main\n[1970-01-01 00:00:05] x\n", None, Err(PackError::NoTime { line: 1 }));
        check(b"\n\r\nx\n", None, Err(PackError::NoTime { line: 3 }));
        assert!(PackError::NoTime { line: 1 }.to_string().contains("--timestamps"));
        check(b"\n[1970-01-01 00:00:05] x", None, Ok(&[(5_000, "[1970-01-01 00:00:05] x")]));
    }

    #[test]
    fn a_local_time_is_asked_for_and_not_guessed() {
        let log = b"[1970-01-01 09:00:05] x\n";
        let error = read_lines(log, None, None).expect_err("whose time is it?");
        assert!(error.to_string().contains("--timezone"), "{error}");
        let lines = read_lines(log, None, Some("Asia/Tokyo")).expect("a zone");
        assert_eq!(lines.first().map(|line| line.at.as_ms()), Some(5_000));
        assert_eq!(read_lines(log, None, Some("Mars")), Err(PackError::NoZone("Mars".into())));
        let with_offset = b"2025-12-06T12:31:10Z x\nno time\n";
        assert_eq!(read_lines(with_offset, None, None).map(|lines| lines.len()), Ok(2));
    }

    #[test]
    fn an_empty_line_is_left_out_with_its_timestamp_and_a_line_of_spaces_is_not() {
        check(b"a\n\n \n\r\nb\r\n", Some("1\n2\n3\n4\n5\n"), Ok(&[(1, "a"), (3, " "), (5, "b\r")]));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        check(b"a\xffb\n", Some("1\n"), Ok(&[(1, "a\u{fffd}b")]));
    }
}

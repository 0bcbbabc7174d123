//! Opens a CloudWatch Logs subscription payload and hands out its lines one by one.
//!
//! base64 → strict gunzip under a cap → JSON → [`LineSink`]. Memory stays constant: the text is inflated into
//! a window of 128 KiB that moves from log event to log event and grows only for one that is larger.
//!
//! It refuses what could be wrong: a bad checksum or length, a cut end, bytes after the end, more text or
//! lines than [`Limits`] allow. It forgives what costs one line's exactness at most: a lone surrogate, a raw
//! control byte, a wrong escape or invalid UTF-8 in one message stays in that message.
//!
//! **Invariant:** the same content gives the same lines, whatever its layout: key order, whitespace, unknown
//! keys, gzip members, window sizes.
//!
//! Why not serde_json: it fails the whole batch for one lone surrogate, needs the whole text at once (from a
//! reader it is five times slower), and cutting the text for it is exact only for one layout. The tests hold
//! `json` to serde_json's verdict instead.

mod document;
mod gunzip;
mod json;
mod window;

use serde::{Deserialize, Serialize};

use crate::domain::job::Timestamp;

/// How much a payload may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of inflated text, over all gzip members.
    pub inflated_bytes_max: u64,
    /// Log events.
    pub lines_max: usize,
}

/// 64 MiB: CloudWatch cuts batches so that the payload fits in Lambda's 1 MB, and text deflates 5 to 25
/// times; 64 is beyond any honest log and within the smallest useful function. Deflate itself reaches 1,030
/// times, so a payload of 1 MB can name a gigabyte.
pub const INFLATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A million: the shortest log event in CloudWatch's JSON takes about 100 bytes (a 56-digit id, a 13-digit
/// timestamp, the keys), so [`INFLATED_BYTES_MAX`] holds fewer than 700,000 real ones. More means forged events.
pub const LINES_MAX: usize = 1_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self { inflated_bytes_max: INFLATED_BYTES_MAX, lines_max: LINES_MAX }
    }
}

/// Whether a payload carries log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `DATA_MESSAGE`: lines.
    Data,
    /// `CONTROL_MESSAGE`: CloudWatch checks that the destination answers. It carries one log event, which is
    /// no line of anybody's and is not handed out.
    Control,
}

/// What a payload says of all its lines.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The account that the log group is in; empty if not given.
    pub owner: String,
    /// The log group; empty in some control messages, always given with lines.
    pub log_group: String,
    /// The log stream; likewise.
    pub log_stream: String,
    /// The names of the subscription filters that let the lines through; empty if not given.
    pub subscription_filters: Vec<String>,
    /// Whether lines come with it.
    pub kind: Kind,
}

/// One log event, valid for the time of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// CloudWatch's event id, as printed, be it a string or a number; empty if there is none.
    pub id: &'a str,
    /// CloudWatch's timestamp. A fraction is cut off, a number beyond the range becomes the range's end.
    pub at: Timestamp,
    /// The message. What was not text in it is U+FFFD; a raw control byte and an unknown escape stay as they
    /// are; a message that is no string is its JSON text; a missing one is empty.
    pub message: &'a str,
}

/// Where lines go.
///
/// Lines arrive *before* the verdict, since a checksum stands at the end: on an `Err` the caller drops all
/// that the sink got.
pub trait LineSink {
    /// Takes the header: exactly once in a payload that is not rejected, before the first line, never after.
    fn begin(&mut self, header: &Header);
    /// Takes the next line, in the payload's order.
    fn line(&mut self, line: Line<'_>);
}

/// Why a payload was rejected: a closed list, as reports and metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The Lambda event is not JSON (for the caller to give).
    NotJson,
    /// The Lambda event holds no payload where one must be (for the caller to give).
    NoPayload,
    /// The payload is not base64 of the standard alphabet, padded and unbroken.
    BadBase64,
    /// The bytes are not gzip with deflate inside.
    NotGzip,
    /// The gzip data ends early.
    Truncated,
    /// The bytes are damaged: a checksum or a length does not match, or the deflate stream contradicts itself.
    /// The latter is the same fault, noticed before the checksum is reached.
    BadChecksum,
    /// Bytes follow the last gzip member and are no member, zeros included.
    TrailingBytes,
    /// The text is larger than [`Limits::inflated_bytes_max`].
    InflatedTooLarge,
    /// The text is not the JSON document that CloudWatch sends.
    BadDocument,
    /// More log events than [`Limits::lines_max`].
    TooManyLines,
}

impl Reason {
    /// Every reason, in the order that the checks come in.
    pub const ALL: [Self; 10] = [
        Self::NotJson,
        Self::NoPayload,
        Self::BadBase64,
        Self::NotGzip,
        Self::Truncated,
        Self::BadChecksum,
        Self::TrailingBytes,
        Self::InflatedTooLarge,
        Self::BadDocument,
        Self::TooManyLines,
    ];

    /// The reason's name in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NoPayload => "no_payload",
            Self::BadBase64 => "bad_base64",
            Self::NotGzip => "not_gzip",
            Self::Truncated => "truncated",
            Self::BadChecksum => "bad_checksum",
            Self::TrailingBytes => "trailing_bytes",
            Self::InflatedTooLarge => "inflated_too_large",
            Self::BadDocument => "bad_document",
            Self::TooManyLines => "too_many_lines",
        }
    }
}

/// A payload that can never be read, and why. No retry helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Rejection {
    /// Which of the closed list.
    pub reason: Reason,
    /// Where and how, for the operator: offsets and sizes, and no more of the payload than a short name.
    pub detail: String,
}

impl Rejection {
    /// A rejection for `reason`.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Opens the base64 text of a Lambda event's `awslogs.data` and hands its lines to `sink`.
///
/// # Errors
/// As [`open_gzip`], and [`Reason::BadBase64`]. The caller then drops what the sink got.
pub fn open_base64(
    data: &str,
    limits: &Limits,
    sink: &mut (impl LineSink + ?Sized),
) -> Result<Header, Rejection> {
    match base64_simd::STANDARD.decode_to_vec(data) {
        Ok(bytes) => open_gzip(&bytes, limits, sink),
        Err(_) => Err(Rejection::new(Reason::BadBase64, base64_fault(data))),
    }
}

/// Opens gzip bytes, as a Kinesis record carries them, and hands their lines to `sink`.
///
/// Where several things are wrong, the bytes come first: a document's fault is reported only if the
/// checksums, the size and the end of the gzip data are right.
///
/// # Errors
/// A [`Rejection`] for any reason but [`Reason::NotJson`], [`Reason::NoPayload`] and [`Reason::BadBase64`].
/// The caller then drops what the sink got.
pub fn open_gzip(
    bytes: &[u8],
    limits: &Limits,
    sink: &mut (impl LineSink + ?Sized),
) -> Result<Header, Rejection> {
    document::read(bytes, limits, window::WINDOW_BYTES, sink)
}

/// Says what is wrong with a text that is not base64.
fn base64_fault(data: &str) -> String {
    let end = data.trim_end_matches('=').len();
    let stray = |b: u8| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    match data.bytes().take(end).enumerate().find(|&(_, b)| stray(b)) {
        Some((at, b)) if b.is_ascii_whitespace() => {
            format!("whitespace at byte {at} of {}: base64 must be one unbroken line", data.len())
        }
        Some((at, b @ (b'-' | b'_'))) => {
            format!("`{}` at byte {at} of {}: URL-safe base64, not standard", char::from(b), data.len())
        }
        Some((at, b)) => format!("byte 0x{b:02x} at {at} of {} is not of the base64 alphabet", data.len()),
        None if !data.len().is_multiple_of(4) => {
            format!("{} characters are no multiple of 4: cut short, or without padding", data.len())
        }
        None => format!("the padding of {} characters is wrong", data.len()),
    }
}

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;

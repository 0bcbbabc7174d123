//! What container runtimes and Lambda put before a line: a time, and a stream or a request.

use super::{Peeled, begins_like_a_line, is_trace};

/// The length of a date and a time of day, to the second.
pub(super) const CLOCK_BYTES: usize = "2026-03-02T09:00:16".len();

/// Whether a text begins with a date and a time of day, with one of these bytes between them.
pub(super) fn is_clock(text: &str, between: &[u8]) -> bool {
    text.len() == CLOCK_BYTES
        && text.bytes().zip(*b"dddd-dd-dd dd:dd:dd").all(|(found, wanted)| match wanted {
            b'd' => found.is_ascii_digit(),
            b' ' => between.contains(&found),
            _ => found == wanted,
        })
}

/// Splits a time of RFC 3339 with its offset off the beginning, and what follows it.
pub(super) fn time(line: &str) -> Option<(&str, &str)> {
    // The gate: many lines begin with a digit, and few with a date.
    if line.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let end = memchr::memchr2(b' ', b'\t', line.as_bytes())?;
    let (time, rest) = line.split_at_checked(end)?;
    // `2025-12-06T12:31:10Z` at least, `2025-12-06T12:31:10.123456789+09:00` at most.
    if !(20..=35).contains(&time.len()) {
        return None;
    }
    let (clock, offset) = time.split_at_checked(CLOCK_BYTES)?;
    let fits = is_clock(clock, b"Tt");
    let is_offset = offset.bytes().all(|b| b.is_ascii_digit() || b".,:+-Zz".contains(&b));
    (fits && is_offset && offset.contains(['Z', 'z', '+', '-'])).then_some((time, rest))
}

/// `TIME stdout F line`: containerd's and CRI-O's. `P` marks a piece whose rest follows.
/// <https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>
pub(super) fn cri(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = time(line)?;
    let rest = rest.strip_prefix(' ')?;
    let rest = rest.strip_prefix("stdout ").or_else(|| rest.strip_prefix("stderr "))?;
    let (tags, inner) = rest.split_once(' ').unwrap_or((rest, ""));
    match tags.split(':').next()? {
        "F" => Some(Peeled::whole(inner)),
        "P" => Some(Peeled { goes_on: true, ..Peeled::whole(inner) }),
        _ => None,
    }
}

/// `TIME<tab>request<tab>LEVEL<tab>line`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub(super) fn lambda(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = time(line)?;
    let (request, rest) = rest.strip_prefix('\t')?.split_once('\t')?;
    let (level, inner) = rest.split_once('\t')?;
    let is_request = !request.is_empty() && request.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_level = !level.is_empty() && level.bytes().all(|b| b.is_ascii_alphabetic());
    (is_request && is_level).then(|| Peeled::whole(inner))
}

/// `TIME stream line`, as `aws logs tail` prints it, before what begins like a line: a stream's name is one word.
pub(super) fn tail(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = time(line)?;
    let (stream, inner) = rest.strip_prefix(' ')?.split_once(' ')?;
    (!stream.is_empty() && begins_like_a_line(inner)).then(|| Peeled::whole(inner))
}

/// `TIME line`, as `docker logs --timestamps`, `kubectl logs --timestamps` and `tail`s of many kinds print it.
pub(super) fn timestamp(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = time(line)?;
    Some(Peeled::whole(rest.strip_prefix(' ')?))
}

/// `[2026-03-02 09:00:16] line`, as moreutils' `ts` and shell loops print it, before what begins like a line: a
/// record's channel stands in the same place.
pub(super) fn bracketed_time(line: &str) -> Option<Peeled<'_>> {
    let (time, inner) = line.strip_prefix('[')?.split_once("] ")?;
    let fits = is_clock(time, b" T");
    (fits && (begins_like_a_line(inner) || is_trace(inner))).then(|| Peeled::whole(inner))
}

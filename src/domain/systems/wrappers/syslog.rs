//! Syslog's and the journal's heads: a time, a host, a program and its process.

use super::{Peeled, container};

/// Programs that tell of others.
const SUPERVISORS: [&str; 4] = ["systemd", "supervisord", "kernel", "monit"];

/// The months as syslog prints them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Dec 06 12:31:10 host php[1234]: line`, RFC 3164 and `journalctl`.
pub(super) fn traditional(line: &str) -> Option<Peeled<'_>> {
    let (month, rest) = line.split_once(' ')?;
    if !MONTHS.contains(&month) {
        return None;
    }
    // The day is padded with a blank or a zero.
    let (day, rest) = rest.trim_start_matches(' ').split_once(' ')?;
    let is_day = day.len() <= 2 && day.bytes().all(|b| b.is_ascii_digit());
    let (time, rest) = rest.split_once(' ')?;
    (is_day && is_clock(time)).then_some(())?;
    program(rest)
}

/// `2026-03-02T09:00:16.123456+00:00 host php[1234]: line`.
pub(super) fn iso(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = container::time(line)?;
    program(rest.strip_prefix(' ')?)
}

/// `<14>1 TIME host program pid id data line` (RFC 5424), or a priority before [`traditional`].
pub(super) fn protocol(line: &str) -> Option<Peeled<'_>> {
    let (priority, rest) = line.strip_prefix('<')?.split_once('>')?;
    if priority.is_empty() || priority.len() > 3 || !priority.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let Some(rest) = rest.strip_prefix("1 ") else { return traditional(rest).or_else(|| iso(rest)) };
    let rest = match rest.strip_prefix("- ") {
        Some(rest) => rest,
        None => container::time(rest)?.1.strip_prefix(' ')?,
    };
    let mut fields = rest.splitn(5, ' ');
    let (_host, _program, _process, _id) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let rest = fields.next()?;
    let inner = match rest.strip_prefix('-') {
        Some(inner) => inner,
        // Structured data: its brackets may hold quoted ones.
        None => rest.strip_prefix('[').and_then(|data| data.split_once(']')).map(|(_, inner)| inner)?,
    };
    Some(Peeled::whole(inner.strip_prefix(' ')?.trim_start_matches('\u{feff}')))
}

/// `host php[1234]: line`, `host supervisord: line`.
fn program(rest: &str) -> Option<Peeled<'_>> {
    let (host, after) = rest.split_once(' ')?;
    // A local message has no host: `php[12]: line`.
    let (host, rest) = if host.ends_with(':') { ("localhost", rest) } else { (host, after) };
    let (tag, inner) =
        rest.split_once(": ").or_else(|| rest.split_once(':').filter(|(_, it)| it.is_empty()))?;
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@()".contains(&b))
    };
    let name = match tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('[')) {
        Some((name, process)) if is_word(process) => name,
        Some(_) => return None,
        None => tag,
    };
    let is_host = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    let is_supervisors = SUPERVISORS.contains(&name);
    (is_host && is_word(name)).then(|| Peeled { is_supervisors, ..Peeled::whole(inner).of(host) })
}

/// `12:31:10`, with a fraction or without.
fn is_clock(text: &str) -> bool {
    let (clock, fraction) = text.split_at_checked(8).unwrap_or(("", text));
    clock.bytes().zip(*b"dd:dd:dd").all(
        |(found, wanted)| {
            if wanted == b'd' { found.is_ascii_digit() } else { found == wanted }
        },
    ) && clock.len() == 8
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

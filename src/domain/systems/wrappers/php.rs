//! What php-fpm, nginx, Apache and PHP's own error log put around a line.

use std::borrow::Cow;

use super::{Peeled, begins_like_a_line};

/// `[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stderr: "line"`: a pool with
/// `catch_workers_output = yes`, unless `decorate_workers_output = no`. Quotes inside are not escaped, so the last
/// one ends it. <https://www.php.net/manual/en/install.fpm.configuration.php>
pub(super) fn said(line: &str) -> Option<Peeled<'_>> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let is_stamp = stamp.starts_with(|c: char| c.is_ascii_digit()) && !stamp.contains('"');
    if is_stamp { said_without_time(rest) } else { None }
}

/// The same where whoever collects the lines has taken the time off.
pub(super) fn said_without_time(line: &str) -> Option<Peeled<'_>> {
    let level = line.strip_prefix("WARNING").or_else(|| line.strip_prefix("NOTICE"))?;
    let rest = level.strip_prefix(": [pool ")?;
    let (pool, rest) = rest.split_once("] child ")?;
    let (pid, rest) = rest.split_once(" said into ")?;
    let said = rest.strip_prefix("stderr: \"").or_else(|| rest.strip_prefix("stdout: \""))?;
    let is_child = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    if !is_child || pool.contains(['"', ' ']) {
        return None;
    }
    let inner = said.strip_suffix('"').or_else(|| said.strip_suffix("\", pipe is closed"))?;
    Some(Peeled::whole(inner))
}

/// `NOTICE: PHP message: line`: what a child of php-fpm wrote with `error_log`.
pub(super) fn message(line: &str) -> Option<Peeled<'_>> {
    let rest = line.strip_prefix("NOTICE: ").unwrap_or(line);
    Some(messages(rest.strip_prefix("PHP message: ")?))
}

/// `2026/03/02 09:00:00 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: line" while reading …`.
pub(super) fn nginx(line: &str) -> Option<Peeled<'_>> {
    if line.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (_, rest) = line.split_once("FastCGI sent in stderr: \"")?;
    let (said, _) = rest.rsplit_once("\" while ")?;
    Some(messages(said.strip_prefix("PHP message: ").unwrap_or(said)))
}

/// `[Mon Mar 02 09:00:00 2026] [proxy_fcgi:error] … AH01071: Got error 'PHP message: line'`.
pub(super) fn apache(line: &str) -> Option<Peeled<'_>> {
    let (_, rest) = line.split_once("AH01071: Got error '")?;
    let said = rest.strip_suffix('\'').or_else(|| rest.rsplit_once("', referer: ").map(|(said, _)| said))?;
    Some(messages(said.strip_prefix("PHP message: ").unwrap_or(said)))
}

/// `[02-Mar-2026 09:00:00 UTC] line`, before what begins like a line.
pub(super) fn error_log(line: &str) -> Option<Peeled<'_>> {
    let (stamp, inner) = line.strip_prefix('[')?.split_once("] ")?;
    let mut parts = stamp.splitn(3, '-');
    let (day, month) = (parts.next()?, parts.next()?);
    let is_stamp = day.len() == 2
        && day.bytes().all(|b| b.is_ascii_digit())
        && month.len() == 3
        && month.bytes().all(|b| b.is_ascii_alphabetic());
    let is_line =
        begins_like_a_line(inner) || inner.starts_with("PHP Fatal error:") || message(inner).is_some();
    (is_stamp && is_line).then(|| Peeled::whole(inner))
}

/// One request's messages, which stand behind one another on one line.
fn messages(said: &str) -> Peeled<'_> {
    const NEXT: &str = "; PHP message: ";
    if said.contains(NEXT) {
        return Peeled { inner: Cow::Owned(said.replace(NEXT, "\n")), ..Peeled::whole(said) };
    }
    Peeled::whole(said)
}

//! `[time][id] Processing: Class`, Laravel 5.2 to 9.20.
//!
//! The id's bracket is absent in 5.2–5.5 and empty when a driver has none. From 5.4.19 the status is padded
//! to eleven columns. Before that it is not, and then nothing but the name tells the line from prose
//! (`[…] Processed: 5 files`): such a name must look like a class.

use crate::domain::job::{Form, SYNC_CONNECTION};

use super::bare::{STATUSES, class_of, is_plausible_class};
use super::sighting::Sighting;
use super::stamp;

/// Splits `[time]`, `[id]` and what follows. Also used to explain a near miss.
pub(super) fn split(line: &str) -> Option<(Option<&str>, &str)> {
    let rest = stamp::skip(line.strip_prefix('[')?)?.strip_prefix(']')?;
    match rest.strip_prefix('[') {
        None => Some((None, rest.strip_prefix(' ')?)),
        Some(rest) => {
            let (id, rest) = rest.split_once(']')?;
            if id.contains(' ') {
                return None;
            }
            Some((Some(id), rest.strip_prefix(' ')?))
        }
    }
}

/// Reads the line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    let (id, rest) = split(line)?;
    let (status, stage, padding) = STATUSES.into_iter().find(|(status, ..)| rest.starts_with(status))?;
    let padded = rest.strip_prefix(status)?;
    let name = padded.trim_start_matches(' ');
    let spaces = padded.len().saturating_sub(name.len());
    let is_certain = id.is_some() || padding > 1;
    if name.is_empty() || name.ends_with(' ') {
        return None;
    }
    let fits = if spaces == padding && is_certain {
        true
    } else {
        id.is_none() && (spaces == padding || spaces == 1) && is_plausible_class(name)
    };
    if !fits {
        return None;
    }
    let mut seen = Sighting::new(stage, Form::Bracket);
    seen.class = class_of(name);
    seen.id = id.map(Into::into);
    if id == Some("") {
        // Every driver gives its jobs ids but the one that runs a job at once, inside another.
        seen.connection = Some(SYNC_CONNECTION.into());
    }
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::Stage;

    #[track_caller]
    fn check(line: &str, expected: Option<(Stage, Option<&str>, Option<&str>)>) {
        let seen = read(line);
        let got = seen.as_ref().map(|s| (s.stage, s.class.as_deref(), s.id.as_deref()));
        assert_eq!(got, expected, "{line}");
    }

    #[test]
    fn each_status_is_read_with_its_padding() {
        let id = Some("hGTusZBOe04jzF4dbUTIF7AkSjAAEm4i");
        let line = |rest: &str| format!("[2026-11-23 16:49:31][hGTusZBOe04jzF4dbUTIF7AkSjAAEm4i] {rest}");
        let class = Some(r"App\Jobs\X");
        check(&line(r"Processing: App\Jobs\X"), Some((Stage::Processing, class, id)));
        check(&line(r"Processed:  App\Jobs\X"), Some((Stage::Processed, class, id)));
        check(&line(r"Failed:     App\Jobs\X"), Some((Stage::Failed, class, id)));
        let spaced = Some("Nightly report: 2025-12-06");
        check(&line("Processed:  Nightly report: 2025-12-06"), Some((Stage::Processed, spaced, id)));
        check(&line(r"Processed: App\Jobs\X"), None);
        check(&line(r"Processing:  App\Jobs\X"), None);
        check(&line(r"Processing: App\Jobs\X "), None);
        check(&line("Processing: "), None);
        check(&line(r"processing: App\Jobs\X"), None);
        check(&line(r"Released: App\Jobs\X"), None);
    }

    #[test]
    fn the_id_may_be_a_number_empty_or_absent() {
        let class = Some(r"App\Jobs\X");
        check(
            r"[2026-11-23 16:49:31][17] Processing: App\Jobs\X",
            Some((Stage::Processing, class, Some("17"))),
        );
        check(r"[2026-11-23 16:49:31][] Processing: App\Jobs\X", Some((Stage::Processing, class, Some(""))));
        check(r"[2026-11-23 16:49:31] Processing: App\Jobs\X", Some((Stage::Processing, class, None)));
        check(r"[2026-11-23 16:49:31] Processed: App\Jobs\X", Some((Stage::Processed, class, None)));
        check(r"[2026-11-23 16:49:31] Failed: App\Jobs\X", Some((Stage::Failed, class, None)));
        let handler = r"[2016-01-01 00:00:00] Processed: Illuminate\Queue\CallQueuedHandler@call";
        check(handler, Some((Stage::Processed, None, None)));
    }

    #[test]
    fn prose_and_quotations_are_declined() {
        check("[2026-11-23 16:49:31] Processed: 5 files", None);
        check("[2026-11-23 16:49:31] Processing: order 17", None);
        check(r"[2026-11-23 16:49:31] production.INFO: Processing: App\Jobs\X", None);
        check(r"second line [2025-01-01 00:00:00][abc] Processed:  App\Jobs\Fake", None);
        check(r" [2025-01-01 00:00:00][abc] Processed:  App\Jobs\Fake", None);
        check(r"[2026-11-23][abc] Processed:  App\Jobs\Fake", None);
        check(r"[2026-11-23 16:49:31][a b] Processed:  App\Jobs\Fake", None);
    }
}

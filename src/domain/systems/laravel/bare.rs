//! `Processing: Class` with neither time nor id: Laravel 5.0 and 5.1, and Vapor.
//!
//! It refuses prose: the name must look like a class, because nothing else marks the line.

use std::borrow::Cow;

use crate::domain::job::{Form, Stage};

use super::sighting::Sighting;

/// Each status as printed, with its stage and its padding from 5.4.19 on.
pub(super) const STATUSES: [(&str, Stage, usize); 3] = [
    ("Processing:", Stage::Processing, 1),
    ("Processed:", Stage::Processed, 2),
    ("Failed:", Stage::Failed, 5),
];

/// Reads the line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    let (status, stage, padding) = STATUSES.into_iter().find(|(status, ..)| line.starts_with(status))?;
    let padded = line.strip_prefix(status)?;
    let name = padded.trim_start_matches(' ');
    let spaces = padded.len().saturating_sub(name.len());
    if !(spaces == padding || spaces == 1) || !is_plausible_class(name) {
        return None;
    }
    let mut seen = Sighting::new(stage, Form::Bare);
    seen.class = class_of(name);
    Some(seen)
}

/// Whether a name can be a PHP class: one word with a namespace, or one capitalised identifier.
pub(super) fn is_plausible_class(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\\' | '@');
    let starts_high = name.starts_with(|c: char| c.is_uppercase());
    let is_closure = name.starts_with("Closure (") && name.ends_with(')');
    is_closure || (name.chars().all(is_word) && !name.is_empty() && (starts_high || name.contains('\\')))
}

/// The class a name stands for. Before 5.2.36 the name is the handler's, the same for every job: no class.
pub(super) fn class_of(name: &str) -> Option<Cow<'_, str>> {
    if name == r"Illuminate\Queue\CallQueuedHandler@call" { None } else { Some(Cow::Borrowed(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::Stage;

    #[track_caller]
    fn check(line: &str, expected: Option<(Stage, Option<&str>)>) {
        let seen = read(line);
        assert_eq!(seen.as_ref().map(|s| (s.stage, s.class.as_deref())), expected, "{line}");
    }

    #[test]
    fn a_class_is_needed() {
        check(r"Processing: App\Jobs\X", Some((Stage::Processing, Some(r"App\Jobs\X"))));
        check(r"Processed:  App\Jobs\X", Some((Stage::Processed, Some(r"App\Jobs\X"))));
        check(r"Processed: App\Jobs\X", Some((Stage::Processed, Some(r"App\Jobs\X"))));
        check(r"Failed:     App\Jobs\X", Some((Stage::Failed, Some(r"App\Jobs\X"))));
        check("Processed: SendWelcomeEmail", Some((Stage::Processed, Some("SendWelcomeEmail"))));
        check("Processing: Closure (web.php:28)", Some((Stage::Processing, Some("Closure (web.php:28)"))));
        check(r"Processed: Illuminate\Queue\CallQueuedHandler@call", Some((Stage::Processed, None)));
    }

    #[test]
    fn prose_is_declined() {
        check("Processing: 5 of 10 files", None);
        check("Processed: order 17", None);
        check("Failed: could not connect", None);
        check("Failed: timeout", None);
        check("Processing: ", None);
        check("Processing:", None);
        check(r"Processed:   App\Jobs\X", None);
        check(r"Processing: App\Jobs\X now", None);
        check(r" Processing: App\Jobs\X", None);
        check(r"Job Processing: App\Jobs\X", None);
    }
}

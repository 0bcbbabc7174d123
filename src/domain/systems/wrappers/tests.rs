//! Each row of the table takes its own sample apart, and lines that only look wrapped stay whole.

use super::*;
use crate::domain::job::Form;
use crate::domain::systems::form;
use crate::domain::systems::json::Document;

#[track_caller]
fn check(line: &str, expected: Option<&str>) {
    assert_eq!(peel(line).map(|(_, peeled)| peeled.inner.into_owned()).as_deref(), expected, "{line}");
}

#[test]
fn every_row_takes_its_sample_apart() {
    for wrapper in ALL {
        let (line, inner) = wrapper.sample;
        let (by, peeled) = peel(line).unwrap_or_else(|| panic!("{}: nothing peels {line}", wrapper.name));
        assert_eq!((by.name, &*peeled.inner), (wrapper.name, inner), "{line}");
    }
    for field in fields::ALL {
        let (line, inner) = field.sample;
        let document: Document<'_> = serde_json::from_str(line).expect("a sample is JSON");
        let (by, found) = fields::inner(&document).unwrap_or_else(|| panic!("{}: {line}", field.name));
        assert_eq!((by.name, &*found), (field.name, inner), "{line}");
    }
}

/// The page names every form and every wrapper with its sample, so that it stays true.
#[test]
fn the_page_on_lines_shows_every_sample() {
    let page = include_str!("../../../../docs/lines.md").replace("\\|", "|");
    let wrappers = ALL.iter().map(|it| (it.name, it.sample.0));
    let fields = fields::ALL.iter().map(|it| (it.name, it.sample.0));
    let forms = Form::ALL.iter().flat_map(|name| {
        let facts = form(*name);
        facts.samples.iter().map(move |sample| (facts.name, sample.line))
    });
    let missing: Vec<String> = wrappers
        .chain(fields)
        .chain(forms)
        .filter(|(name, sample)| !page.contains(name) || !page.contains(&sample.replace('\t', "␉")))
        .map(|(name, sample)| format!("| {name} | `{}` |", sample.replace('|', "\\|").replace('\t', "␉")))
        .collect();
    assert!(missing.is_empty(), "docs/lines.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn prefixes_of_many_kinds_are_taken_off() {
    let line = "  2026-03-02 09:00:16 App ... RUNNING";
    for prefix in [
        "worker-1  | ",
        "php-worker_1           | ",
        "0|worker   | ",
        "web.1 | ",
        "12:00:01 worker.1  | ",
        "laravel-worker stdout | ",
        "[pod/worker-7c9f/app] ",
        "[0] ",
        "Mar  2 09:00:16 host supervisord[1]: ",
        "2026-03-02T09:00:16+0000 host php[12]: ",
        "<13>Mar  2 09:00:16 host php: ",
        "<13>Mar  2 09:00:16 php[12]: ",
        "<14>1 2026-03-02T09:00:16Z host app worker.1 - [meta sequenceId=\"1\"] ",
        "2026-03-02T09:00:16.123Z stderr F ",
        "2026-03-02T09:00:16.123Z ",
    ] {
        check(&format!("{prefix}{line}"), Some(line));
    }
}

#[test]
fn labels_stand_before_other_wrappers() {
    let line = "2026-03-02T09:00:16Z Processing: App";
    check(&format!("[pod/worker-1/app] {line}"), Some(line));
    check(r"[queue] Processing: App\Jobs\X", Some(r"Processing: App\Jobs\X"));
    check("[billing] Processing: order 17", None);
    check("[queue] Processing: order 17", Some("Processing: order 17"));
    check("[billing] #12 /app/vendor/x.php(3): y()", Some("#12 /app/vendor/x.php(3): y()"));
    check("[pod/worker-1/app] Killed", Some("Killed"));
    let message = "NOTICE: PHP message: [2026-03-02 09:00:00] production.INFO: x";
    check(&format!("[02-Mar-2026 09:00:00] {message}"), Some(message));
}

#[test]
fn a_piece_says_that_it_goes_on() {
    let (_, peeled) = peel("2026-03-02T09:00:16Z stdout P {\"a\":").expect("a piece");
    assert_eq!((&*peeled.inner, peeled.goes_on), ("{\"a\":", true));
}

#[test]
fn one_requests_messages_are_lines() {
    let line = "2026/03/02 09:00:00 [error] 7#7: *1 FastCGI sent in stderr: \"PHP message: a; PHP message: b\" while reading";
    check(line, Some("a\nb"));
}

#[test]
fn what_has_no_wrapper_stays_whole() {
    for line in [
        "",
        " ",
        "  2026-03-02 09:00:16 App ... RUNNING",
        "[2026-03-02 09:00:16][17] Processing: App",
        "[2026-03-02 09:00:16] production.INFO: a | b",
        "[Entrypoint] Queue Worker started with PID: 70",
        "[error] a sentence",
        "   INFO  Horizon started successfully.  ",
        "Processing: App",
        "a | b | c is a sentence",
        "see the table | below",
        "INFO\tno json",
        "10.0.0.1 - - [02/Mar/2026:09:00:16 +0000] \"GET / HTTP/1.1\" 200",
        "2026-03-02 09:00:13,144 INFO exited: laravel-worker_07 (exit status 255; not expected)",
        "2026-03-02 09:00:13 line",
        "WARNING: [pool www] child said \"x\"",
        "Mar 02 the meeting: is off",
        "<b>bold</b>",
    ] {
        check(line, None);
    }
}

#[test]
fn an_apps_own_record_is_no_wrapper() {
    for line in [
        r#"{"message":"Processing: App","timestamp":"2026-03-02T09:00:16Z"}"#,
        r#"{"message":"Processing: App","level_name":"INFO"}"#,
        r#"{"log":"Processing: App"}"#,
        r#"{"log":["x"],"stream":"stdout"}"#,
        r#"{"message":"Processing: App","host":"web-1","level":"info"}"#,
        r#"{"message":"Processing: App","host":"web-1","context":{}}"#,
    ] {
        let document: Document<'_> = serde_json::from_str(line).expect("JSON");
        assert!(fields::inner(&document).is_none(), "{line}");
    }
}

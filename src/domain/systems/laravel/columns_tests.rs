//! Cases of the dotted columns.

use super::*;

#[test]
fn a_line_that_lost_its_two_spaces_needs_dots_or_a_namespace() {
    let read =
        |line: &str| read_trimmed(line).map(|seen| (seen.stage, seen.class.map(|class| class.into_owned())));
    let class = Some(r"App\Jobs\X".to_owned());
    assert_eq!(
        read(r"2026-11-23 16:49:31 App\Jobs\X ..... RUNNING"),
        Some((Stage::Processing, class.clone()))
    );
    assert_eq!(
        read(r"2026-11-23 16:49:31 App\Jobs\X 17 redis default  12.01ms 22MB DONE"),
        Some((Stage::Processed, class))
    );
    assert_eq!(read("2026-11-23 16:49:31 the import  RUNNING"), None);
    assert_eq!(read("2026-11-23 16:49:31 DONE"), None);
    assert_eq!(read("2026-11-23 16:49:31,123 INFO exited: worker"), None);
    assert_eq!(read("2026-11-23 16:49:31 Running [Callback] ..... 12.01ms DONE"), None);
}

#[track_caller]
fn check(line: &str, expected: Option<(Stage, &str)>) {
    let seen = read(line);
    let got = seen.as_ref().map(|s| (s.stage, s.class.as_deref().unwrap_or_default()));
    assert_eq!(got, expected, "{line}");
}

/// Class, id, connection and queue.
#[track_caller]
fn check_names(line: &str, expected: (&str, Option<&str>, Option<&str>, Option<&str>)) {
    let seen = read(line).expect("a lifecycle line");
    let got = (
        seen.class.as_deref().unwrap_or_default(),
        seen.id.as_deref(),
        seen.connection.as_deref(),
        seen.queue.as_deref(),
    );
    assert_eq!(got, expected, "{line}");
}

#[test]
fn start_and_end_are_read_at_any_width() {
    let start = r"  2026-11-23 16:49:31 App\Jobs\X ........................... RUNNING";
    check(start, Some((Stage::Processing, r"App\Jobs\X")));
    check(r"  2026-11-23 16:49:38 App\Jobs\X ......... 2s FAIL", Some((Stage::Failed, r"App\Jobs\X")));
    check(r"  2026-11-23 16:49:31 App\Jobs\X . 39.98ms DONE", Some((Stage::Processed, r"App\Jobs\X")));
    check(r"  2026-11-23 16:49:31 App\Jobs\X  39.98ms DONE", Some((Stage::Processed, r"App\Jobs\X")));
    check(r"  2026-11-23 16:49:31 App\Jobs\X  RUNNING", Some((Stage::Processing, r"App\Jobs\X")));
    let wide = format!(r"  2026-11-23 16:49:31 App\Jobs\X {} 1m 5s DONE", ".".repeat(400));
    check(&wide, Some((Stage::Processed, r"App\Jobs\X")));
}

#[test]
fn a_runtime_above_a_second_has_several_words() {
    let line = r"  2026-11-23 16:49:38 App\Jobs\X ......... 1h 2m FAIL";
    let seen = read(line).expect("a lifecycle line");
    assert_eq!(seen.runtime.map(|r| (r.ms, r.is_whole_seconds)), Some((3_720_000, true)));
    assert_eq!(seen.ending, Ending::FailOrRetry);
}

#[test]
fn a_display_name_may_hold_spaces_colons_parentheses_and_dots() {
    let line = |name: &str| format!("  2026-11-23 16:59:49 {name} .... 24.76ms DONE");
    for name in
        ["Nightly report: 2025-12-06", "Closure (AppSimulate.php:28)", "Report 17", "a ... b", "v1. 2"]
    {
        check_names(&line(name), (name, None, None, None));
    }
    check_names("  2026-11-23 16:59:49 Nightly report: 2025-12-06  RUNNING", {
        ("Nightly report: 2025-12-06", None, None, None)
    });
}

#[test]
fn verbose_lines_carry_an_id_in_three_shapes() {
    let id = "yRDMDfg8GdZTrmwPoiAfIjDS3Tc8JHbt";
    let uuid = "9ca7c2a2-0b10-4f15-acb4-4fbabb2f03f8";
    let class = r"App\Jobs\X";
    let line = |rest: &str| format!(r"  2026-11-23 16:52:38 {rest}");
    check_names(&line(&format!("{class} {id}  15.74ms FAIL")), (class, Some(id), None, None));
    check_names(&line(&format!("{class} {id} ..... RUNNING")), (class, Some(id), None, None));
    let named = (class, Some(id), Some("redis"), Some("default"));
    check_names(&line(&format!("{class} {id} redis default  14.51ms FAIL")), named);
    check_names(&line(&format!("{class} {id} redis default  13.49ms 22MB FAIL")), named);
    check_names(&line(&format!("{class} {id} redis default .. 1m 5s 22.5MB DONE")), named);
    let sqs = "https://sqs.eu-west-1.amazonaws.com/1/emails";
    let named = (class, Some(uuid), Some("sqs"), Some(sqs));
    check_names(&line(&format!("{class} {uuid} sqs {sqs}  RUNNING")), named);
    check_names(&line(&format!("{class} 17  RUNNING")), (class, Some("17"), None, None));
    let named = (class, Some("17"), Some("database"), Some("default"));
    check_names(&line(&format!("{class} 17 database default  RUNNING")), named);
    let spaced = ("Nightly report: 2025", Some(id), Some("redis"), Some("high"));
    check_names(&line(&format!("Nightly report: 2025 {id} redis high  RUNNING")), spaced);
    let spaced = ("Nightly report:", Some("17"), Some("database"), Some("high"));
    check_names(&line("Nightly report: 17 database high  RUNNING"), spaced);
    for closure in ["Closure (routes.php:28)", "nightly sums - Closure (AppServiceProvider.php:7)"] {
        check_names(&line(&format!("{closure} 17 ... RUNNING")), (closure, Some("17"), None, None));
        check_names(&line(&format!("{closure} ... RUNNING")), (closure, None, None, None));
        let named = (closure, Some("17"), Some("jobs"), Some("high"));
        check_names(&line(&format!("{closure} 17 jobs high ... RUNNING")), named);
    }
    let told = "Closure (of the shop) 17";
    check_names(&line(&format!("{told}  RUNNING")), (told, None, None, None));
    check_names(&line("Sales of 2025 by region  RUNNING"), ("Sales of 2025 by region", None, None, None));
}

#[test]
fn a_queue_pauses_and_resumes() {
    let seen = read("  2026-11-23 16:54:24 Queue default PAUSED").expect("a pause");
    assert_eq!((seen.stage, seen.queue.as_deref()), (Stage::Paused, Some("default")));
    let seen = read("  2026-11-23 16:54:24 Queue emails-high RESUMED").expect("a pause");
    assert_eq!((seen.stage, seen.queue.as_deref()), (Stage::Resumed, Some("emails-high")));
    check("  2026-11-23 16:54:24 Queue of two PAUSED", None);
    check("  2026-11-23 16:54:24 Printer default PAUSED", None);
}

#[test]
fn fragments_and_lookalikes_are_declined() {
    check(r"  2026-11-23 16:49:31 App\Jobs\X ............ RUNING", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X ............ RUNNING ", None);
    check(r" 2026-11-23 16:49:31 App\Jobs\X ............ RUNNING", None);
    check(r"   2026-11-23 16:49:31 App\Jobs\X ............ RUNNING", None);
    check(r"2026-11-23 16:49:31 App\Jobs\X ............ RUNNING", None);
    check(r"  2026-11-23 16:49:31  App\Jobs\X ........... RUNNING", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X DONE", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X 12ms DONE", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X .... DONE", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X RUNNING", None);
    check(r"  2026-11-23 16:49:31 App\Jobs\X", None);
    check(r"  2026-11-23 16:49:31 ........... RUNNING", None);
    check("  bytes exhausted  12.3ms DONE", None);
    check("", None);
}

#[track_caller]
fn check_rest(line: &str, expected: Option<(Stage, i64)>) {
    let got = read_continuation(line).map(|s| (s.stage, s.runtime.map_or(-1, |r| r.ms)));
    assert_eq!(got, expected, "{line}");
}

#[test]
fn the_end_after_a_jobs_own_output_has_no_class() {
    check_rest(" ............... 28.47ms DONE", Some((Stage::Processed, 28)));
    check_rest(" .............. 1,301.36ms FAIL", Some((Stage::Failed, 1301)));
    check_rest("  28.47ms DONE", Some((Stage::Processed, 28)));
    check_rest("............... 28.47ms DONE", None);
    check_rest(" ............... RUNNING", None);
    check_rest(" text ........... 28.47ms DONE", None);
    check_rest(" ............... DONE", None);
}

#[test]
fn output_glued_to_a_class_is_split_at_a_visible_seam_only() {
    let glued =
        r#"  2026-11-23 16:59:47 App\Jobs\X[2026-11-23 16:59:47] production.INFO: Job queued {"id":1} "#;
    let (class, record) = split_glued(glued).expect("an unfinished line");
    assert_eq!(class, Some(r"App\Jobs\X"));
    assert!(record.starts_with("[2026-11-23 16:59:47] production.INFO"));
    let glued = r#"  2026-11-23 16:59:47 App\Jobs\X{"message":"Job queued"}"#;
    assert_eq!(split_glued(glued), Some((Some(r"App\Jobs\X"), r#"{"message":"Job queued"}"#)));
    let killed = r"  2026-11-23 16:59:47 App\Jobs\X/bin/bash: line 1: 123 Killed  php artisan queue:work";
    assert_eq!(split_glued(killed).and_then(|(class, _)| class), Some(r"App\Jobs\X"));
    assert_eq!(split_glued(r"  2026-11-23 16:59:47 App\Jobs\Xplain echo"), Some((None, "")));
    assert_eq!(split_glued("no stamp"), None);
}

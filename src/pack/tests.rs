//! Lines to events and back.

use std::collections::BTreeSet;
use std::io::Read;

use proptest::prelude::*;

use super::*;

type Opened = Vec<(String, i64, String)>;

/// Opens an event by another road than the crate's own.
#[expect(clippy::disallowed_types, reason = "a decoder of our own cannot prove what we write")]
fn open(event: &str) -> (serde_json::Value, Opened) {
    let event: serde_json::Value = serde_json::from_str(event).unwrap();
    let data = event["awslogs"]["data"].as_str().unwrap();
    let gzip = base64_simd::STANDARD.decode_to_vec(data).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut text).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let line = |line: &serde_json::Value| {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        (text("id"), line["timestamp"].as_i64().unwrap(), text("message"))
    };
    let lines = document["logEvents"].as_array().unwrap().iter().map(line).collect();
    (document, lines)
}

fn lines(lines: &[(i64, &str)]) -> Vec<PackLine> {
    let line =
        |(at, message): &(i64, &str)| PackLine { at: Timestamp::from_ms(*at), message: (*message).into() };
    lines.iter().map(line).collect()
}

fn options(batch_ms: i64) -> PackOptions {
    PackOptions { batch_ms, ..PackOptions::new("/ecs/a", "ecs/app/1") }
}

/// The times in each batch.
#[track_caller]
fn check(times_ms: &[i64], batch_ms: i64, expected: &[&[i64]]) {
    let lines: Vec<_> = times_ms.iter().map(|at| (*at, "x")).collect();
    let events = pack(&self::lines(&lines), &options(batch_ms));
    let found: Vec<Vec<i64>> =
        events.iter().map(|event| open(event).1.into_iter().map(|(_, at, _)| at).collect()).collect();
    assert_eq!(found, expected);
}

#[test]
fn packed_lines_come_out_as_they_went_in() {
    let written =
        [(5, "[2025-12-06 12:00:01] \"a\" \\ \t \u{1b}[90m é \u{fffd}"), (5, "b\r"), (7, "two\nlines")];
    let events = pack(&lines(&written), &options(5_000));
    let [event] = &events[..] else { panic!("{events:?}") };
    let (document, opened) = open(event);
    let opened: Vec<(i64, &str)> = opened.iter().map(|(_, at, message)| (*at, message.as_str())).collect();
    assert_eq!(opened, written);
    assert_eq!(document["messageType"], "DATA_MESSAGE");
    assert_eq!(document["owner"], "123456789012");
    assert_eq!(document["logGroup"], "/ecs/a");
    assert_eq!(document["logStream"], "ecs/app/1");
    assert_eq!(document["subscriptionFilters"], serde_json::json!(["queuewatch"]));
    assert!(event.starts_with("{\"awslogs\":{\"data\":\"H4sIAAAAAAA"), "no time of writing: {event}");
}

#[test]
fn packing_twice_gives_the_same_bytes() {
    let lines = lines(&[(5, "a"), (9_000, "b")]);
    assert_eq!(pack(&lines, &options(5_000)), pack(&lines, &options(5_000)));
}

#[test]
fn a_batch_closes_some_time_after_its_first_line() {
    check(&[], 5_000, &[]);
    check(&[0, 4_999, 5_000, 9_999, 10_000], 5_000, &[&[0, 4_999], &[5_000, 9_999], &[10_000]]);
    check(&[0, 3_000, 6_000], 5_000, &[&[0, 3_000], &[6_000]]);
    check(&[0, 0, 1], 0, &[&[0], &[0], &[1]]);
    let (first, last) = (Timestamp::MIN.as_ms(), i64::MAX);
    check(&[first, last], 5_000, &[&[first], &[last]]);
}

#[test]
fn lines_are_sorted_by_time_and_keep_their_order_within_one() {
    let events = pack(&lines(&[(9, "c"), (5, "a"), (5, "b")]), &options(5_000));
    let messages: Vec<String> = open(&events[0]).1.into_iter().map(|(_, _, message)| message).collect();
    assert_eq!(messages, ["a", "b", "c"]);
}

#[test]
fn a_batch_closes_at_ten_thousand_lines() {
    let many: Vec<(i64, &str)> = vec![(1, "x"); BATCH_LINES_MAX + 1];
    let counts: Vec<usize> =
        pack(&lines(&many), &options(5_000)).iter().map(|event| open(event).1.len()).collect();
    assert_eq!(counts, [BATCH_LINES_MAX, 1]);
}

#[test]
fn a_batch_closes_at_one_megabyte_with_the_overhead_counted() {
    let half = "x".repeat(BATCH_BYTES_MAX / 2 - LINE_OVERHEAD_BYTES);
    let over = format!("{half}x");
    let counts = |messages: &[&str]| -> Vec<usize> {
        let written: Vec<(i64, &str)> = messages.iter().map(|message| (1, *message)).collect();
        pack(&lines(&written), &options(5_000)).iter().map(|event| open(event).1.len()).collect()
    };
    assert_eq!(counts(&[&half, &half]), [2]);
    assert_eq!(counts(&[&half, &over]), [1, 1]);
    let whole = "x".repeat(BATCH_BYTES_MAX + 1);
    assert_eq!(counts(&["a", &whole, "b"]), [1, 1, 1]);
}

#[test]
fn rows_are_one_a_line_and_keep_backslashes() {
    let at = Timestamp::from_ms(1_765_024_270_000);
    let rows = unpack("/ecs/a", "ecs/app/1", [(at, "App\\Jobs\\X"), (at, "a\n\tb\r")]);
    let head = "2025-12-06T12:31:10.000Z\t/ecs/a\tecs/app/1\t";
    assert_eq!(rows, format!("{head}App\\Jobs\\X\n{head}a\\n\\tb\\r\n"));
    assert_eq!(unpack("g", "s", []), "");
}

proptest! {
    #[test]
    fn ids_are_unique_and_do_not_depend_on_the_batch(
        written in proptest::collection::vec((0_i64..20_000, "[ab]{0,2}"), 0..60),
        batch_ms in 0_i64..30_000,
    ) {
        let written: Vec<(i64, &str)> = written.iter().map(|(at, text)| (*at, text.as_str())).collect();
        let opened = |batch_ms: i64| -> Opened {
            pack(&lines(&written), &options(batch_ms)).iter().flat_map(|event| open(event).1).collect()
        };
        let (one, other) = (opened(5_000), opened(batch_ms));
        prop_assert_eq!(&one, &other);
        let ids: BTreeSet<&String> = one.iter().map(|(id, _, _)| id).collect();
        prop_assert_eq!(ids.len(), written.len());
        prop_assert!(ids.iter().all(|id| id.len() == EVENT_ID_DIGITS));
    }
}

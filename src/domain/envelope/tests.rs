//! Payloads that open, and every reason for which one does not.

use std::io::Write as _;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde_json::json;

use super::*;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Got {
    pub(super) headers: Vec<Header>,
    pub(super) lines: Vec<(String, i64, String)>,
}

impl LineSink for Got {
    fn begin(&mut self, header: &Header) {
        assert!(self.headers.is_empty() && self.lines.is_empty(), "begin comes once, and first");
        self.headers.push(header.clone());
    }

    fn line(&mut self, line: Line<'_>) {
        assert!(!self.headers.is_empty(), "no line before begin");
        self.lines.push((line.id.into(), line.at.as_ms(), line.message.into()));
    }
}

pub(super) const DOCUMENT: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/ecs/app","logStream":"ecs/app/0af1","subscriptionFilters":["all"],"logEvents":[{"id":"1","timestamp":1765024270000,"message":"[2025-12-06 12:31:10] Processing: App\\Jobs\\X"},{"id":"2","timestamp":1765024270001,"message":"second"}]}"#;

pub(super) fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn open(bytes: &[u8], limits: &Limits, window_bytes: usize) -> Result<Got, Rejection> {
    let mut got = Got::default();
    let header = document::read(bytes, limits, window_bytes, &mut got)?;
    assert_eq!(got.headers, [header], "begin got the header that is returned");
    Ok(got)
}

pub(super) fn open_whole(bytes: &[u8]) -> Result<Got, Rejection> {
    open(bytes, &Limits::default(), window::WINDOW_BYTES)
}

fn original() -> Got {
    open_whole(&gzip(DOCUMENT)).unwrap()
}

#[track_caller]
fn check(document: impl AsRef<[u8]>, expected: &[(&str, i64, &str)]) {
    for window_bytes in [1, 50, window::WINDOW_BYTES] {
        let got = open(&gzip(&document), &Limits::default(), window_bytes).unwrap();
        let lines: Vec<_> =
            got.lines.iter().map(|(id, at, text)| (id.as_str(), *at, text.as_str())).collect();
        assert_eq!(lines, expected, "window of {window_bytes}");
    }
}

#[track_caller]
fn check_rejected(bytes: &[u8], reason: Reason, detail: &str) {
    for window_bytes in [1, 50, window::WINDOW_BYTES] {
        let rejection = open(bytes, &Limits::default(), window_bytes).unwrap_err();
        assert_eq!(rejection.reason, reason, "{rejection}");
        assert!(rejection.detail.contains(detail), "{rejection}");
    }
}

#[track_caller]
fn check_declined(document: &str, detail: &str) {
    check_rejected(&gzip(document), Reason::BadDocument, detail);
}

/// A document with the events given as JSON text.
fn with_events(events: &str) -> String {
    let (head, _) = DOCUMENT.split_once(r#"{"id""#).unwrap();
    format!("{head}{events}]}}")
}

#[test]
fn a_payload_gives_its_header_and_lines() {
    let got = original();
    let header = &got.headers[0];
    assert_eq!(header.owner, "123456789012");
    assert_eq!((header.log_group.as_str(), header.log_stream.as_str()), ("/ecs/app", "ecs/app/0af1"));
    assert_eq!((header.subscription_filters.as_slice(), header.kind), (&["all".to_owned()][..], Kind::Data));
    let first = ("1", 1_765_024_270_000, r"[2025-12-06 12:31:10] Processing: App\Jobs\X");
    check(DOCUMENT, &[first, ("2", 1_765_024_270_001, "second")]);
}

#[test]
fn base64_is_standard_padded_and_unbroken() {
    let good = base64_simd::STANDARD.encode_to_string(gzip(DOCUMENT));
    let open = |data: &str| {
        let mut got = Got::default();
        open_base64(data, &Limits::default(), &mut got).map(|_| got)
    };
    assert_eq!(open(&good), Ok(original()));
    let declined = |data: &str, detail: &str| {
        let rejection = open(data).unwrap_err();
        assert_eq!(rejection.reason, Reason::BadBase64, "{rejection}");
        assert!(rejection.detail.contains(detail), "{rejection}");
    };
    let (line, rest) = good.split_at(76);
    declined(&format!("{line}\n{rest}"), "whitespace at byte 76");
    declined(&format!("{good}\n"), "whitespace");
    declined(&good.replacen('H', "-", 1), "URL-safe");
    declined(&format!("é{good}"), "byte 0xc3 at 0");
    declined("AAA", "no multiple of 4");
    declined("AA==AAAA", "byte 0x3d at 2");
    declined("A===", "padding");
    declined("AB==", "padding");
    for end in 0..good.len() {
        assert!(open(good.split_at(end).0).is_err(), "cut at {end}");
    }
}

#[test]
fn optional_gzip_fields_are_read_and_skipped() {
    let fields = GzBuilder::new().extra(vec![0, 31, 0]).filename("name").comment("why").mtime(7);
    let mut encoder = fields.write(Vec::new(), Compression::fast());
    encoder.write_all(DOCUMENT.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    assert_eq!(open_whole(&bytes), Ok(original()));
    for end in 0..bytes.len() {
        let rejection = open_whole(&bytes[..end]).unwrap_err();
        assert_eq!(rejection.reason, Reason::Truncated, "cut at {end}: {rejection}");
    }
}

#[test]
fn a_headers_checksum_is_checked() {
    let plain = gzip(DOCUMENT);
    let mut head = plain[..10].to_vec();
    head[3] |= 1 << 1;
    let mut crc = flate2::Crc::new();
    crc.update(&head);
    let sum = u16::try_from(crc.sum() & 0xffff).unwrap();
    let good = [&head, &sum.to_le_bytes()[..], &plain[10..]].concat();
    assert_eq!(open_whole(&good), Ok(original()));
    let bad = [&head, &(sum ^ 1).to_le_bytes()[..], &plain[10..]].concat();
    check_rejected(&bad, Reason::BadChecksum, "the header's checksum");
    check_rejected(&good[..11], Reason::Truncated, "header of gzip member 1");
}

#[test]
fn every_member_is_read_and_verified() {
    let (one, two) = DOCUMENT.split_at(150);
    let (first, second) = (gzip(one), gzip(two));
    let members = |parts: &[&[u8]]| parts.concat();
    assert_eq!(open_whole(&members(&[&first, &second])), Ok(original()));
    assert_eq!(open_whole(&members(&[&gzip(""), &first, &gzip(""), &second, &gzip("")])), Ok(original()));
    let whole = members(&[&first, &second]);
    for end in (0..whole.len()).filter(|&end| end != first.len()) {
        assert_eq!(open_whole(&whole[..end]).unwrap_err().reason, Reason::Truncated, "cut at {end}");
    }
    check_rejected(&first, Reason::BadDocument, "breaks off at byte 150");
    let mut bad_second = second;
    let crc_at = bad_second.len() - 8;
    bad_second[crc_at] ^= 1;
    check_rejected(&members(&[&first, &bad_second]), Reason::BadChecksum, "gzip member 2");
}

#[test]
fn what_is_wrong_with_the_bytes_is_told_apart() {
    let good = gzip(DOCUMENT);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let len = good.len();
    check_rejected(b"", Reason::Truncated, "0 bytes end inside the header");
    check_rejected(DOCUMENT.as_bytes(), Reason::NotGzip, "gzip with [1f, 8b, 08]");
    check_rejected(b"PK\x03\x04", Reason::NotGzip, "[50, 4b, 03]");
    check_rejected(&with(2, 7), Reason::NotGzip, "[1f, 8b, 07]");
    check_rejected(&with(3, 0x20), Reason::NotGzip, "reserved flags 0x20");
    check_rejected(&with(10, 0xff), Reason::BadChecksum, "corrupt near byte");
    check_rejected(&with(len - 8, !good[len - 8]), Reason::BadChecksum, "CRC-32 is");
    check_rejected(&with(len - 4, !good[len - 4]), Reason::BadChecksum, "bytes inflated");
    check_rejected(&[&good, &b"\0"[..]].concat(), Reason::TrailingBytes, "1 bytes after the gzip data");
    check_rejected(&[&good, &[0; 512][..]].concat(), Reason::TrailingBytes, "512 bytes");
    check_rejected(&[&good, &b"garbage"[..]].concat(), Reason::TrailingBytes, &format!("at byte {len} of"));
    check_rejected(&[&good, &b"\x1f\x8b"[..]].concat(), Reason::Truncated, "header of gzip member 2");
}

#[test]
fn a_payload_cut_at_any_byte_is_rejected() {
    let good = gzip(DOCUMENT);
    for end in 0..good.len() {
        let rejection = open_whole(&good[..end]).unwrap_err();
        assert_eq!(rejection.reason, Reason::Truncated, "cut at {end}: {rejection}");
    }
}

#[test]
fn a_flipped_bit_is_rejected_or_changes_nothing() {
    let good = gzip(DOCUMENT);
    let original = original();
    let mut accepted_bytes = std::collections::BTreeSet::new();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            if let Ok(got) = open_whole(&bytes) {
                assert_eq!(got, original, "byte {at}, bit {bit}");
                accepted_bytes.insert(at);
            }
        }
    }
    // FTEXT in the flags, the time, the compression level, the system, and the bits that fill the deflate
    // stream's last byte: nothing is read from them.
    let last_of_stream = good.len() - 9;
    assert!(
        accepted_bytes.iter().all(|&at| (3..10).contains(&at) || at == last_of_stream),
        "{accepted_bytes:?}"
    );
}

#[test]
fn a_fault_of_the_bytes_is_told_before_one_of_the_document() {
    let mut bytes = gzip("not a document");
    let crc_at = bytes.len() - 8;
    bytes[crc_at] ^= 1;
    check_rejected(&bytes, Reason::BadChecksum, "CRC-32");
}

#[test]
fn the_cap_is_exact_and_counts_all_members() {
    let exact = DOCUMENT.len() as u64;
    let limits = |inflated_bytes_max| Limits { inflated_bytes_max, ..Limits::default() };
    let (one, two) = DOCUMENT.split_at(150);
    for bytes in [gzip(DOCUMENT), [gzip(one), gzip(two)].concat()] {
        for window_bytes in [1, 64, window::WINDOW_BYTES] {
            assert_eq!(open(&bytes, &limits(exact), window_bytes), Ok(original()));
            let rejection = open(&bytes, &limits(exact - 1), window_bytes).unwrap_err();
            assert_eq!(rejection.reason, Reason::InflatedTooLarge, "{rejection}");
        }
    }
    assert_eq!(open(&gzip(DOCUMENT), &limits(0), 64).unwrap_err().reason, Reason::InflatedTooLarge);
    assert_eq!(open(&gzip(DOCUMENT), &limits(u64::MAX), 64), Ok(original()));
}

#[test]
fn a_bomb_ends_at_the_cap() {
    for (head, filler) in [(DOCUMENT, b' '), (r#"{"owner":""#, b'x')] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(head.as_bytes()).unwrap();
        for _ in 0..200 {
            encoder.write_all(&[filler; 1_000_000]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 250_000);
        let rejection = open_whole(&bomb).unwrap_err();
        assert_eq!(rejection.reason, Reason::InflatedTooLarge, "{rejection}");
    }
}

#[test]
fn lines_are_counted_to_the_limit() {
    let limits = |lines_max| Limits { lines_max, ..Limits::default() };
    assert_eq!(open(&gzip(DOCUMENT), &limits(2), 64), Ok(original()));
    let rejection = open(&gzip(DOCUMENT), &limits(1), 64).unwrap_err();
    assert_eq!(
        (rejection.reason, rejection.detail.as_str()),
        (Reason::TooManyLines, "more than 1 log events")
    );
}

#[test]
fn documents_are_declined() {
    check_declined("", "breaks off at byte 0");
    check_declined("[]", "byte 0 of the document: expected an object");
    check_declined("null", "expected an object");
    check_declined("{}", "no messageType");
    check_declined(r#"{"messageType":null}"#, "messageType \"\"");
    check_declined(&DOCUMENT.replace("DATA_M", "TEST_M"), "messageType \"TEST_MESSAGE\"");
    check_declined(&DOCUMENT.replace(r#""messageType""#, r#""type""#), "no messageType");
    check_declined(&DOCUMENT.replace("logGroup", "group"), "no logGroup");
    check_declined(&DOCUMENT.replace(r#""ecs/app/0af1""#, "null"), "no logStream");
    check_declined(&DOCUMENT.replace("logEvents", "events"), "no logEvents");
    check_declined(&DOCUMENT.replace(r#"["all"]"#, r#"["all",7]"#), "a subscription filter's name");
    check_declined(&DOCUMENT.replace(r#""/ecs/app""#, "{}"), "expected a string");
    check_declined(&DOCUMENT.replace(r#""owner""#, r#""logGroup""#), "logGroup twice");
    check_declined(&format!("{DOCUMENT}{DOCUMENT}"), "expected nothing after");
    check_declined(&format!("{DOCUMENT}\n,"), "expected nothing after");
    check_declined(&DOCUMENT.replace("}]}", "}]"), "breaks off");
    check_declined(&DOCUMENT.replace("}]}", "},]}"), "a log event, an object");
    check_declined(&DOCUMENT.replace("}]}", "}],}"), "a key in double quotes");
    check_declined(&with_events("7"), "a log event, an object");
    check_declined(&with_events(r#"{"id":"1","message":"x"}"#), "has no timestamp");
    check_declined(&with_events(r#"{"timestamp":null}"#), "expected a timestamp");
    check_declined(&with_events(r#"{"timestamp":"noon"}"#), "expected a timestamp");
    check_declined(&with_events(r#"{"timestamp":"NaN"}"#), "expected a timestamp");
    check_declined(&with_events(r#"{"timestamp":01}"#), "expected `,` or `}`");
    let (head, _) = DOCUMENT.split_once(r#"[{"#).unwrap();
    check_declined(&format!("{head}{{}}}}"), "expected an array of log events");
    check_declined(&format!("{head}null}}"), "no logEvents");
    check_declined(&format!(r#"{head}null,"logEvents":[]}}"#), "logEvents twice");
}

#[test]
fn layouts_do_not_matter() {
    let value: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let events = value["logEvents"].to_string();
    let late = format!(
        r#"{{"logEvents":{events},"logStream":"ecs/app/0af1","policyLevel":"ACCOUNT","logGroup":"/ecs/app","subscriptionFilters":["all"],"owner":"123456789012","messageType":"DATA_MESSAGE"}}"#
    );
    let unknown = DOCUMENT.replace(r#""logEvents""#, r#""policyLevel":{"a":[1,"}]"]},"logEvents""#).replace(
        r#","message":"second""#,
        r#","extractedFields":{"a":"},{\"id\":\"9","n":-1e5},"message":"second""#,
    );
    for text in [pretty, late, unknown, format!(" {DOCUMENT}\r\n\t ")] {
        for window_bytes in [1, 50, window::WINDOW_BYTES] {
            assert_eq!(open(&gzip(&text), &Limits::default(), window_bytes), Ok(original()), "{text}");
        }
    }
}

#[test]
fn a_missing_owner_or_filter_is_forgiven() {
    for (text, owner, filters_count) in [
        (DOCUMENT.replace(r#""owner":"123456789012","#, ""), "", 1),
        (DOCUMENT.replace(r#""123456789012""#, "null"), "", 1),
        (DOCUMENT.replace(r#""123456789012""#, "123456789012"), "123456789012", 1),
        (DOCUMENT.replace(r#"["all"]"#, "null"), "123456789012", 0),
        (DOCUMENT.replace(r#"["all"]"#, "[ ]"), "123456789012", 0),
    ] {
        let got = open_whole(&gzip(&text)).unwrap();
        assert_eq!(got.headers[0].owner, owner, "{text}");
        assert_eq!(got.headers[0].subscription_filters.len(), filters_count, "{text}");
        assert_eq!(got.lines, original().lines);
    }
}

#[test]
fn a_control_message_gives_no_lines() {
    let control = DOCUMENT.replace("DATA_MESSAGE", "CONTROL_MESSAGE");
    let type_last = control
        .replace(r#""messageType":"CONTROL_MESSAGE","#, "")
        .replace("}]}", r#"}],"messageType":"CONTROL_MESSAGE"}"#);
    for text in [control.as_str(), &type_last, r#"{"messageType":"CONTROL_MESSAGE"}"#] {
        let got = open_whole(&gzip(text)).unwrap();
        assert_eq!((got.headers[0].kind, got.lines.len()), (Kind::Control, 0), "{text}");
    }
}

#[test]
fn events_are_read_leniently() {
    check(with_events(""), &[]);
    check(with_events(r#"{"timestamp":5}"#), &[("", 5, "")]);
    check(with_events(r#"{"message":"m","timestamp":5,"id":"i"}"#), &[("i", 5, "m")]);
    check(with_events(r#"{"id":17,"timestamp":-5,"message":"m"}"#), &[("17", -5, "m")]);
    check(with_events(r#"{"id":null,"timestamp":1.9,"message":null}"#), &[("", 1, "")]);
    check(with_events(r#"{"id":{},"timestamp":"12","message":{"a": 1}}"#), &[("", 12, r#"{"a": 1}"#)]);
    check(with_events(r#"{"id":"\u0031","timestamp":1.5e3}"#), &[("1", 1500, "")]);
    check(with_events(r#"{"timestamp":9223372036854775808}"#), &[("", i64::MAX, "")]);
    check(with_events(r#"{"timestamp":-1e999}"#), &[("", Timestamp::MIN.as_ms(), "")]);
    check(with_events(r#"{"\u0069d":"a","timestamp":1,"m\u0065ssage":"b"}"#), &[("a", 1, "b")]);
    check(with_events(r#"{"id":"\u0061","timestamp":"\u0037","message":"x"}"#), &[("a", 7, "x")]);
}

#[test]
fn what_is_no_text_costs_only_its_message() {
    let bad = [br#"a \ud83d b"#.as_slice(), b"a \x01\x1b b", b"a \xff b", br"a \q b"];
    let read = ["a \u{fffd} b", "a \u{1}\u{1b} b", "a \u{fffd} b", r"a \q b"];
    for (bad, read) in bad.into_iter().zip(read) {
        let document =
            with_events(r#"{"id":"1","timestamp":1,"message":"@"},{"id":"2","timestamp":2,"message":"ok"}"#);
        let (before, after) = document.split_once('@').unwrap();
        let document = [before.as_bytes(), bad, after.as_bytes()].concat();
        check(&document, &[("1", 1, read), ("2", 2, "ok")]);
    }
}

#[test]
fn messages_larger_than_the_window_are_whole() {
    for unit in ["x", "\\", "é\n"] {
        let message = unit.repeat(1_500_000 / unit.len());
        let event = json!({"id": "1", "timestamp": 1, "message": message}).to_string();
        let document = with_events(&format!(r#"{event},{{"id":"2","timestamp":2,"message":"after"}}"#));
        let got = open_whole(&gzip(document)).unwrap();
        assert!(got.lines[0].2 == message && got.lines[1].2 == "after");
    }
}

#[test]
fn a_rejection_prints_its_reason_and_detail() {
    assert_eq!(Rejection::new(Reason::NotGzip, "why").to_string(), "not_gzip: why");
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}

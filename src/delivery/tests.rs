//! Every kind of delivery, and what is no delivery.

use super::*;
use crate::domain::command::Command;

#[track_caller]
fn check(text: &str, expected: Delivery<'_>) {
    assert_eq!(parse(text.as_bytes()), Ok(expected), "{text}");
}

#[track_caller]
fn check_declined(text: &[u8], reason: &str, detail: &str) {
    let error = parse(text).expect_err(&String::from_utf8_lossy(text));
    assert_eq!(error.reason(), reason, "{error}");
    assert!(error.to_string().contains(detail), "{error}");
}

fn subscription(data: &str) -> Delivery<'_> {
    Delivery::Subscription { data: Cow::Borrowed(data) }
}

fn record(sequence: &str, data: Result<&[u8], DeliveryError>) -> KinesisPayload {
    KinesisPayload { sequence: sequence.into(), data: data.map(<[u8]>::to_vec) }
}

#[test]
fn a_subscription_is_known_by_awslogs() {
    check(r#"{"awslogs":{"data":"H4sI"}}"#, subscription("H4sI"));
    check(" {\n \"awslogs\" : { \"data\": \"H4sI\", \"extra\": 1 }, \"more\": [] }\n", subscription("H4sI"));
    check("\u{feff}{\"awslogs\":{\"data\":\"\"}}", subscription(""));
    // What is beside it does not decide.
    check(r#"{"awslogs":{"data":"a"},"source":"aws.events","payload":"x"}"#, subscription("a"));
}

#[test]
fn a_payload_is_borrowed_unless_the_json_escapes_it() {
    let is_borrowed = |text: &[u8]| {
        let Delivery::Subscription { data } = parse(text).unwrap() else { panic!("no subscription") };
        (matches!(data, Cow::Borrowed(_)), data.into_owned())
    };
    assert_eq!(is_borrowed(br#"{"awslogs":{"data":"H4/I"}}"#), (true, "H4/I".into()));
    assert_eq!(is_borrowed(br#"{"awslogs":{"data":"H4\/I"}}"#), (false, "H4/I".into()));
    let failed = br#"{"requestPayload":{"awslogs":{"data":"H4/I"}}}"#;
    let Delivery::OnFailure(inner) = parse(failed).unwrap() else { panic!() };
    assert!(matches!(*inner, Delivery::Subscription { data: Cow::Borrowed("H4/I") }));
}

#[test]
fn a_bad_kinesis_record_does_not_take_the_others_with_it() {
    check(
        r#"{"Records":[
            {"kinesis":{"sequenceNumber":"1","data":"aGVsbG8="},"eventSource":"aws:kinesis"},
            {"kinesis":{"sequenceNumber":"2","data":"%%%"}},
            {"kinesis":{"sequenceNumber":"3"}},
            {"kinesis":{"data":"aGk="}},
            {"kinesis":{"sequenceNumber":"5","data":7}},
            17]}"#,
        Delivery::Kinesis(vec![
            record("1", Ok(b"hello")),
            record("2", Err(DeliveryError::BadBase64)),
            record("3", Err(no_payload("the record has no data"))),
            record("", Ok(b"hi")),
            record("5", Err(no_payload("the record has no data"))),
            record("", Err(no_payload("the record is no JSON object"))),
        ]),
    );
}

#[test]
fn records_agree_with_the_reference_decoder() {
    let text = r#"{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"a","sequenceNumber":"4954",
        "data":"SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==","approximateArrivalTimestamp":1545084650.987},
        "eventSource":"aws:kinesis","eventID":"shardId-000000000006:4954"}]}"#;
    let reference: aws_lambda_events::event::kinesis::KinesisEvent = serde_json::from_str(text).unwrap();
    let expected = &reference.records[0].kinesis;
    check(text, Delivery::Kinesis(vec![record(&expected.sequence_number, Ok(&expected.data.0))]));
}

#[test]
fn records_of_another_service_are_declined() {
    check_declined(br#"{"Records":[{"s3":{}},{"Sns":{}}]}"#, "no_payload", "no record in Records");
    check_declined(br#"{"Records":[]}"#, "no_payload", "no record in Records");
    check_declined(br#"{"Records":"x"}"#, "no_payload", "Records: invalid type");
}

#[test]
fn an_on_failure_record_holds_one_delivery() {
    check(
        r#"{"version":"1.0","timestamp":"2025-12-06T12:31:10Z","requestContext":{"condition":"RetriesExhausted"},
            "requestPayload":{"awslogs":{"data":"H4sI"}},"responsePayload":{"errorMessage":"x"}}"#,
        Delivery::OnFailure(Box::new(subscription("H4sI"))),
    );
    check(r#"{"requestPayload":{"tick":true}}"#, Delivery::OnFailure(Box::new(Delivery::Tick)));
    let kinesis = Delivery::Kinesis(vec![record("1", Ok(b"hi"))]);
    check(
        r#"{"KinesisBatchInfo":{},"payload":"{\"Records\":[{\"kinesis\":{\"sequenceNumber\":\"1\",\"data\":\"aGk=\"}}]}"}"#,
        Delivery::OnFailure(Box::new(kinesis)),
    );
    check_declined(
        br#"{"requestPayload":{"requestPayload":{"tick":true}}}"#,
        "no_payload",
        "the failed event",
    );
    check_declined(br#"{"requestPayload":{}}"#, "no_payload", "the failed event");
    check_declined(br#"{"requestPayload":"x"}"#, "no_payload", "is no JSON object");
    check_declined(br#"{"payload":"{"}"#, "not_json", "EOF");
    check_declined(br#"{"payload":3}"#, "no_payload", "none of awslogs");
}

#[test]
fn a_tick_comes_from_a_schedule_or_by_hand() {
    check(r#"{"source":"aws.scheduler","detail-type":"Scheduled Event","detail":"{}"}"#, Delivery::Tick);
    check(r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#, Delivery::Tick);
    check(r#"{"tick":true}"#, Delivery::Tick);
    check_declined(br#"{"tick":false}"#, "no_payload", "none of awslogs");
    check_declined(br#"{"source":"aws.ec2"}"#, "no_payload", "none of awslogs");
}

#[test]
fn an_operator_closes_and_silences() {
    let close = |reason: &str| {
        let id = "stalled-redis-default-20251206T1237Z".to_owned();
        Delivery::Command(Command::Close { id, reason: reason.into() })
    };
    check(r#"{"close":"stalled-redis-default-20251206T1237Z","reason":"fixed"}"#, close("fixed"));
    check(r#"{"close":"stalled-redis-default-20251206T1237Z"}"#, close(""));
    let silence = Delivery::Command(Command::Silence(Silence {
        queue: "reports".into(),
        until: Timestamp::from_ms(1_796_083_200_000),
        reason: "migration".into(),
    }));
    let inside = r#"{"silence":{"queue":"reports","until":"2026-12-01T00:00:00Z","reason":"migration"}}"#;
    check(inside, silence);
    let silence = Delivery::Command(Command::Silence(Silence {
        queue: "reports".into(),
        until: Timestamp::from_ms(1_796_083_200_000),
        reason: "beside".into(),
    }));
    check(
        r#"{"silence":{"queue":"reports","until":"2026-12-01T09:00:00+09:00"},"reason":"beside"}"#,
        silence,
    );
    let seen = |by: &str| Delivery::Command(Command::Seen { id: "stalled-a".into(), by: by.into() });
    check(r#"{"seen":"stalled-a","by":" anna "}"#, seen("anna"));
    check(r#"{"seen":"stalled-a"}"#, seen(""));
    check(r#"{"seen":"stalled-a","by":"a\u001bb"}"#, seen("a\u{fffd}b"));
    let hush = Delivery::Command(Command::Hush {
        id: "stalled-a".into(),
        until: Timestamp::from_ms(1_796_083_200_000),
        reason: "migration".into(),
    });
    check(
        r#"{"silence":{"incident":"stalled-a","until":"2026-12-01T00:00:00Z","reason":"migration"}}"#,
        hush,
    );
    check_declined(br#"{"seen":3}"#, "no_payload", "seen: invalid type");
    check_declined(br#"{"seen":"a","by":3}"#, "no_payload", "by: invalid type");
    check_declined(br#"{"silence":{"until":"2026-12-01T00:00:00Z"}}"#, "no_payload", "missing field `queue`");
    check_declined(
        br#"{"silence":{"incident":"","until":"2026-12-01T00:00:00Z"}}"#,
        "no_payload",
        "silence.incident is empty",
    );
    check_declined(br#"{"close":3}"#, "no_payload", "close: invalid type");
    check_declined(br#"{"close":"a","reason":3}"#, "no_payload", "reason: invalid type");
    check_declined(br#"{"silence":"reports"}"#, "no_payload", "silence is no JSON object");
    check_declined(br#"{"silence":{"queue":"reports"}}"#, "no_payload", "missing field `until`");
    check_declined(
        br#"{"silence":{"queue":"reports","until":"soon"}}"#,
        "no_payload",
        "`soon` is no RFC 3339",
    );
    check_declined(br#"{"silence":{"queue":" ","until":"2026-12-01T00:00:00Z"}}"#, "no_payload", "is empty");
}

#[test]
fn what_is_no_json_is_declined() {
    for text in
        [&b""[..], b" ", b"hello", b"{", b"{\"awslogs\":", b"{} x", b"\xff\xfe{", b"[1", b"[2025-12-06] x"]
    {
        check_declined(text, "not_json", "not JSON");
    }
}

#[test]
fn json_without_a_payload_is_declined() {
    for text in [&b"{}"[..], b"[]", b"3", b"null", b"\"x\"", br#"{"awslogs":null}"#] {
        check_declined(text, "no_payload", "");
    }
    check_declined(br#"{"awslogs":{}}"#, "no_payload", "awslogs: missing field `data`");
    check_declined(br#"{"awslogs":{"data":3}}"#, "no_payload", "awslogs: invalid type");
    // Serde would read these arrays by position.
    check_declined(br#"{"awslogs":["H4sI"]}"#, "no_payload", "awslogs is no JSON object");
    check_declined(br#"[{"data":"H4sI"}]"#, "no_payload", "the event is no JSON object");
}

//! The reader against a slow reference: the AWS event crate's own type, read from inflated text.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::io::Write as _;

use aws_lambda_events::cloudwatch_logs::{LogData, LogEntry};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use queuewatch::domain::envelope::{Header, Kind, Limits, Line, LineSink, open_base64};

#[derive(Default)]
struct Collected(LogData);

impl LineSink for Collected {
    fn begin(&mut self, header: &Header) {
        self.0.owner.clone_from(&header.owner);
        self.0.log_group.clone_from(&header.log_group);
        self.0.log_stream.clone_from(&header.log_stream);
        self.0.subscription_filters.clone_from(&header.subscription_filters);
        self.0.message_type = match header.kind {
            Kind::Data => "DATA_MESSAGE".into(),
            Kind::Control => "CONTROL_MESSAGE".into(),
        };
    }

    fn line(&mut self, line: Line<'_>) {
        let mut entry = LogEntry::default();
        entry.id = line.id.into();
        entry.timestamp = line.at.as_ms();
        entry.message = line.message.into();
        self.0.log_events.push(entry);
    }
}

fn check(document: &str) {
    let expected: LogData = serde_json::from_str(document).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(document.as_bytes()).unwrap();
    let data = base64_simd::STANDARD.encode_to_string(encoder.finish().unwrap());
    let mut collected = Collected::default();
    open_base64(&data, &Limits::default(), &mut collected).unwrap();
    assert_eq!(collected.0, expected);
}

fn document(message_type: &str, events: &[(String, i64, String)]) -> String {
    let events: Vec<_> = events
        .iter()
        .map(|(id, at, message)| serde_json::json!({"id": id, "timestamp": at, "message": message}))
        .collect();
    serde_json::json!({
        "messageType": message_type, "owner": "123456789012", "logGroup": "/ecs/app",
        "logStream": "ecs/app/0af1", "subscriptionFilters": ["all", "ünder"], "logEvents": events,
    })
    .to_string()
}

#[test]
fn an_empty_payload_reads_as_the_reference_does() {
    check(&document("DATA_MESSAGE", &[]));
    check(&document("CONTROL_MESSAGE", &[]));
}

#[test]
fn a_payload_of_many_windows_reads_as_the_reference_does() {
    let events: Vec<_> = (0..5_000)
        .map(|i| (format!("{i:056}"), i, format!(r#"[x] {{"job":"App\\Jobs\\Y","i":{i}}}"#).repeat(3)))
        .collect();
    check(&document("DATA_MESSAGE", &events));
}

proptest! {
    #[test]
    fn any_ordinary_payload_reads_as_the_reference_does(
        events in prop::collection::vec(("[0-9]{56}", any::<i64>(), ".{0,200}"), 0..20),
    ) {
        check(&document("DATA_MESSAGE", &events));
    }
}

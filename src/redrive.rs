//! Failed events once more: what is sent of each, and what the function's answer means for it. Pure.

use serde::Deserialize;

use crate::delivery::{self, Delivery};

/// What to do with a saved event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Send this to ingest.
    Send(Vec<u8>),
    /// Nothing that ingest could take; why.
    Leave(String),
}

/// What became of an event that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is joined to what is known.
    Delivered,
    /// It can never work, whatever the outside does; why.
    Hopeless(String),
    /// The function is ill, and the event may work another time; why.
    Ill(String),
}

/// Decides what is sent of an event. A record of a failed invocation goes as it is: ingest then answers with an error
/// whatever part of it fails. Any other event is made such a record, as of a Kinesis batch that is sent by hand nobody
/// would read which part failed.
#[must_use]
pub fn errand(event: &[u8]) -> Errand {
    let event = event.strip_prefix("\u{feff}".as_bytes()).unwrap_or(event);
    match delivery::parse(event) {
        Ok(Delivery::OnFailure(inner)) if is_lines(&inner) => Errand::Send(event.to_vec()),
        Ok(direct) if is_lines(&direct) => {
            Errand::Send([br#"{"requestPayload":"#, event.trim_ascii(), b"}"].concat())
        }
        Ok(_) => Errand::Leave("it is for the sweep, and of its minute".to_owned()),
        Err(error) => Errand::Leave(format!("it is no failed event: {error}")),
    }
}

fn is_lines(delivery: &Delivery<'_>) -> bool {
    match delivery {
        Delivery::Subscription { .. } | Delivery::Kinesis(_) => true,
        Delivery::OnFailure(_) | Delivery::Tick | Delivery::Command(_) => false,
    }
}

/// Tells what an answer means. Ingest calls an error `Drop` that no retry can cure.
#[must_use]
pub fn outcome(is_error: bool, payload: &[u8]) -> Outcome {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Told {
        error_type: String,
        error_message: String,
    }
    if !is_error {
        return Outcome::Delivered;
    }
    let told: Told = serde_json::from_slice(payload).unwrap_or_default();
    let why = match (told.error_message.is_empty(), told.error_type.is_empty()) {
        (false, _) => told.error_message,
        (true, false) => told.error_type.clone(),
        (true, true) => "the function did not say why".to_owned(),
    };
    if told.error_type == "Drop" { Outcome::Hopeless(why) } else { Outcome::Ill(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &str, expected: &str) {
        assert_eq!(errand(event.as_bytes()), Errand::Send(expected.as_bytes().to_vec()));
    }

    #[test]
    fn a_record_goes_as_it_is_and_any_other_event_as_one() {
        let record = r#"{"version":"1.0","requestPayload":{"awslogs":{"data":"H4sI"}}}"#;
        check(record, record);
        check(&format!("\u{feff}{record}"), record);
        let batch = r#"{"KinesisBatchInfo":{},"payload":"{\"Records\":[{\"kinesis\":{\"sequenceNumber\":\"1\",\"data\":\"aGk=\"}}]}"}"#;
        check(batch, batch);
        check("{\"awslogs\":{\"data\":\"H4sI\"}}\n", r#"{"requestPayload":{"awslogs":{"data":"H4sI"}}}"#);
        let records = r#"{"Records":[{"kinesis":{"sequenceNumber":"1","data":"aGk="}}]}"#;
        check(records, &format!(r#"{{"requestPayload":{records}}}"#));
    }

    #[test]
    fn what_ingest_cannot_take_is_left() {
        for event in [r#"{"tick":true}"#, r#"{"requestPayload":{"close":"x"}}"#] {
            let left = Errand::Leave("it is for the sweep, and of its minute".to_owned());
            assert_eq!(errand(event.as_bytes()), left, "{event}");
        }
        for event in ["", "{}", "log line", r#"{"Records":[{"s3":{}}]}"#, "\u{feff}"] {
            let Errand::Leave(why) = errand(event.as_bytes()) else { panic!("{event} is sent") };
            assert!(why.starts_with("it is no failed event: "), "{why}");
        }
    }

    #[test]
    fn an_answer_tells_what_can_never_work_from_what_may() {
        assert_eq!(outcome(false, b"null"), Outcome::Delivered);
        let hopeless = br#"{"errorType":"Drop","errorMessage":"the payload cannot be opened: not_gzip"}"#;
        let why = "the payload cannot be opened: not_gzip".to_owned();
        assert_eq!(outcome(true, hopeless), Outcome::Hopeless(why));
        let ill = br#"{"errorType":"Retry","errorMessage":"the ledger's store failed"}"#;
        assert_eq!(outcome(true, ill), Outcome::Ill("the ledger's store failed".to_owned()));
        let exit = br#"{"errorType":"Runtime.ExitError"}"#;
        assert_eq!(outcome(true, exit), Outcome::Ill("Runtime.ExitError".to_owned()));
        assert_eq!(outcome(true, b""), Outcome::Ill("the function did not say why".to_owned()));
    }
}

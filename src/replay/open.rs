//! Saved bodies into replay inputs: the same delivery parsing and payload opening as the function's.

use super::{Input, Opened, Rejected};
use crate::delivery::{self, Delivery, DeliveryError};
use crate::domain::envelope::{Limits, Line, Reason, Rejection};
use crate::domain::reading::{Read, read_base64, read_gzip, read_lines};
use crate::domain::systems::Classifier;
use crate::saved::{Saved, SavedBody};

/// Opens one saved body. A Kinesis event holds as many payloads as it has records.
#[must_use]
pub fn open(saved: &Saved, classifier: &Classifier, limits: &Limits) -> Vec<Input> {
    let opened = match &saved.body {
        SavedBody::Event(text) => match delivery::parse(text) {
            Ok(delivery) => open_delivery(delivery, classifier, limits),
            Err(error) => vec![Opened::Rejected(refused(&error))],
        },
        SavedBody::Run(run) => {
            let lines =
                run.lines.iter().map(|line| Line { id: &line.id, at: line.at, message: &line.message });
            let record = read_lines(&run.log_group, &run.log_stream, lines, classifier);
            let ingested_at = run.lines.iter().filter_map(|line| line.ingested_at).max();
            vec![Opened::Lines(record, ingested_at)]
        }
    };
    opened.into_iter().map(|opened| Input { source: saved.source.clone(), opened }).collect()
}

fn open_delivery(delivery: Delivery<'_>, classifier: &Classifier, limits: &Limits) -> Vec<Opened> {
    match delivery {
        Delivery::Subscription { data } => vec![read(read_base64(&data, classifier, limits))],
        Delivery::Kinesis(records) => records
            .into_iter()
            .map(|record| match record.data {
                Ok(bytes) => read(read_gzip(&bytes, classifier, limits)),
                Err(error) => Opened::Rejected(refused(&error)),
            })
            .collect(),
        Delivery::OnFailure(inner) => open_delivery(*inner, classifier, limits),
        Delivery::Tick | Delivery::Command(_) => vec![Opened::Rejected(Rejected {
            reason: Reason::NoPayload.as_str(),
            detail: "a schedule tick or an operator's command carries no log lines".to_owned(),
        })],
    }
}

fn read(result: Result<Read, Rejection>) -> Opened {
    match result {
        Ok(Read::Lines(record)) => Opened::Lines(record, None),
        Ok(Read::Control) => Opened::Control,
        Err(rejection) => {
            Opened::Rejected(Rejected { reason: rejection.reason.as_str(), detail: rejection.detail })
        }
    }
}

fn refused(error: &DeliveryError) -> Rejected {
    Rejected { reason: error.reason(), detail: error.to_string() }
}

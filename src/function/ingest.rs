//! One delivery of log lines: opened, read, joined; what cannot be opened is counted and given back.

use aws_lambda_events::event::streams::KinesisEventResponse;

use super::error::{IngestError, Unfit, chain, name};
use super::{Answer, Function};
use crate::app;
use crate::delivery::{self, Delivery, DeliveryError, KinesisPayload};
use crate::domain::envelope::Rejection;
use crate::domain::intake::Merged;
use crate::domain::job::Timestamp;
use crate::domain::line::LineHash;
use crate::domain::reading::{Read, read_base64, read_gzip};
use crate::ports::{Disposition, LedgerStore};

/// Who is told what of a Kinesis batch failed.
#[derive(Clone, Copy)]
enum Told {
    /// The stream, which delivers the rest again.
    Stream,
    /// Nobody reads the answer: an operator sent the event once more, so a failure must be an error.
    Nobody,
}

impl Function {
    pub(super) async fn ingest<S: LedgerStore>(
        &self,
        payload: &[u8],
        now: Timestamp,
        store: &mut S,
    ) -> Result<Answer, IngestError<S::Error>> {
        match delivery::parse(payload) {
            Ok(Delivery::OnFailure(inner)) => self.deliver(*inner, Told::Nobody, now, store).await,
            Ok(direct) => self.deliver(direct, Told::Stream, now, store).await,
            Err(error) => {
                reject(store, error.reason(), payload, now).await?;
                Err(Unfit::Delivery(error).into())
            }
        }
    }

    async fn deliver<S: LedgerStore>(
        &self,
        delivery: Delivery<'_>,
        told: Told,
        now: Timestamp,
        store: &mut S,
    ) -> Result<Answer, IngestError<S::Error>> {
        match delivery {
            Delivery::Subscription { data } => {
                let read = read_base64(&data, &self.classifier, &self.limits);
                self.take(read, data.as_bytes(), now, store).await?;
                Ok(Answer::Done)
            }
            Delivery::Kinesis(records) => self.take_batch(records, told, now, store).await,
            Delivery::Tick => Err(Unfit::Misdirected { what: "a tick", role: "ingest" }.into()),
            Delivery::Command(_) => Err(Unfit::Misdirected { what: "a command", role: "ingest" }.into()),
            Delivery::OnFailure(_) => {
                Err(Unfit::Misdirected { what: "a record within a record", role: "ingest" }.into())
            }
        }
    }

    /// Takes records one by one, in the stream's order. What follows the first that failed is delivered again, so
    /// a record that can never work does not keep the others waiting: they are joined now and known the next
    /// time. Where the store is ill there is no use in going on.
    async fn take_batch<S: LedgerStore>(
        &self,
        records: Vec<KinesisPayload>,
        told: Told,
        now: Timestamp,
        store: &mut S,
    ) -> Result<Answer, IngestError<S::Error>> {
        let mut first: Option<(String, IngestError<S::Error>)> = None;
        let mut failed_count = 0_u64;
        for KinesisPayload { sequence, data } in records {
            let Err(error) = self.take_record(&sequence, data, now, store).await else { continue };
            failed_count = failed_count.saturating_add(1);
            let is_ill = error.disposition() == Disposition::Retry;
            first.get_or_insert((sequence, error));
            if is_ill {
                break;
            }
        }
        let mut response = KinesisEventResponse::default();
        if let Some((sequence, error)) = first {
            // Without a number there is nothing to name, and the batch as a whole is to come again.
            if matches!(told, Told::Nobody) || sequence.is_empty() {
                return Err(error);
            }
            // The answer tells the number only, so why is told here.
            let (error_type, error) = (name(error.disposition()), chain(&error));
            tracing::error!(error_type, error, sequence, failed_count, "a record failed");
            response.add_failure(sequence);
        }
        Ok(Answer::Batch(response))
    }

    async fn take_record<S: LedgerStore>(
        &self,
        sequence: &str,
        data: Result<Vec<u8>, DeliveryError>,
        now: Timestamp,
        store: &mut S,
    ) -> Result<(), IngestError<S::Error>> {
        match data {
            Ok(bytes) => {
                let read = read_gzip(&bytes, &self.classifier, &self.limits);
                self.take(read, &bytes, now, store).await
            }
            Err(error) => {
                reject(store, error.reason(), sequence.as_bytes(), now).await?;
                Err(Unfit::Delivery(error).into())
            }
        }
    }

    /// Joins what a payload says.
    async fn take<S: LedgerStore>(
        &self,
        read: Result<Read, Rejection>,
        bytes: &[u8],
        now: Timestamp,
        store: &mut S,
    ) -> Result<(), IngestError<S::Error>> {
        let mut record = match read {
            Ok(Read::Lines(record)) => record,
            // It says that the subscription works, which the next log line says as well.
            Ok(Read::Control) => return Ok(()),
            Err(rejection) => {
                reject(store, rejection.reason.as_str(), bytes, now).await?;
                return Err(Unfit::Payload(rejection).into());
            }
        };
        if self.own_log_groups.contains(&record.log_group) {
            return Ok(());
        }
        record.arrived_at = now;
        let merged = app::ingest(store, &record).await.map_err(IngestError::Store)?;
        if merged == Merged::New && !record.observations.is_empty() {
            tracing::info!(
                lines_count = record.lines.len(),
                observations_count = record.observations.len(),
                late_count = record.late.len(),
                "took in a delivery"
            );
        }
        Ok(())
    }
}

/// Counts a payload that can never work, once however often it comes: the same bytes have the same key.
async fn reject<S: LedgerStore>(
    store: &mut S,
    reason: &'static str,
    bytes: &[u8],
    at: Timestamp,
) -> Result<(), IngestError<S::Error>> {
    store.reject(reason, LineHash::default().with(bytes).finish(), at).await.map_err(IngestError::Store)
}

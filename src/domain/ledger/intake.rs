//! What one line adds to what is known beside jobs: it is counted once, and its class, its stream and its worker learn of
//! it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Ledger;
use super::job_facts::{StreamKey, may_be_retried};
use super::job_key::Hashes;
use super::pairing::CountedEnd;
use super::split_traces::Reattribution;
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{Form, JobId, LineKey, Observation, Stage, Timestamp, TraceSide};
use crate::domain::metric::{Counts, Dimensions, Metric};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::systems::form;

/// Queues of a class that a line's is compared with before its name is made: most have one.
const ENQUEUED_ON_LOOKED_AT: usize = 4;

pub(super) fn count(tally: &mut u64, n: usize) {
    *tally = tally.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
}

/// What an end line says of its attempt; `None` of a start line.
fn counted_end(observation: &Observation) -> Option<CountedEnd> {
    (observation.stage != Stage::Processing).then(|| CountedEnd {
        at: observation.at,
        is_failure: observation.stage == Stage::Failed,
        may_retry: may_be_retried(observation),
        runtime: observation.runtime,
    })
}

impl Ledger {
    /// Notes lines as seen, so that [`Self::fold`] passes over them.
    pub fn note_seen(&mut self, record: &DeliveryRecord) {
        for line in &record.lines {
            self.seen_lines.insert(line.key.0);
        }
    }

    /// Notes a payload that could not be opened.
    pub fn reject(&mut self, reason: &str, at: Timestamp) {
        count(&mut self.tally.payloads_rejected, 1);
        self.unpublished.add(Metric::PayloadsRejected, Dimensions::Reason(Arc::from(reason)), at, 1);
        self.deliveries.rejected(at);
    }

    /// Notes the lines that say something, and returns those seen before.
    pub(super) fn note_lines(&mut self, record: &DeliveryRecord) -> BTreeSet<LineKey> {
        let lines = || record.observations.iter().map(|observation| observation.line);
        let repeated = lines().filter(|line| self.seen_lines.contains(&line.0)).collect();
        self.seen_lines.extend(lines().map(|line| line.0));
        repeated
    }

    /// Takes one new observation.
    pub(super) fn take<'l>(
        &mut self,
        observation: &'l Observation,
        names: Hashes,
        (stream, workplace): (StreamKey, u64),
        counts: &mut Counts<'l>,
    ) {
        self.tally.counts.add(observation);
        let metric = match observation.stage {
            Stage::Enqueued => Some(Metric::Enqueued),
            Stage::Processing => Some(Metric::Processing),
            Stage::Processed => Some(Metric::Processed),
            Stage::Failed => Some(Metric::Failed),
            Stage::Released => Some(Metric::Released),
            Stage::EnqueueError => Some(Metric::EnqueueErrors),
            Stage::WorkerStarted
            | Stage::WorkerStopped
            | Stage::WorkerAlive
            | Stage::WorkerError
            | Stage::RedisError
            | Stage::Paused
            | Stage::Resumed
            | Stage::LogFileHint
            | Stage::DeployMark => None,
        };
        if let Some(metric) = metric {
            self.unpublished.count_line(counts, metric, observation);
        }
        if observation.stage.is_lifecycle() {
            self.note_traits(observation);
            self.take_lifecycle(observation, names, stream);
        } else {
            self.signals.store_errors.take(observation, workplace);
            self.take_process_line(observation, stream, workplace);
        }
    }

    /// Notes a store error whose payload told its side, so that a stray trace is not taken for another's.
    pub(super) fn note_store_error(
        &mut self,
        observation: &Observation,
        stream: StreamKey,
        is_repeated: bool,
    ) {
        let place = (observation.at, observation.line);
        let side = match (observation.form, observation.stage) {
            (Form::Monolog, Stage::EnqueueError) => Some(TraceSide::Push),
            (Form::Monolog, Stage::WorkerError) => Some(TraceSide::Pop),
            (Form::Monolog, Stage::RedisError) => None,
            _ => return,
        };
        let Some(facts) = self.streams.get_mut(stream) else { return };
        let reattributions = match (is_repeated, side) {
            (false, _) => facts.split_traces.add_told(place),
            (true, Some(side)) => facts.split_traces.add_copy(place, side),
            (true, None) => return,
        };
        self.reattribute(&reattributions);
    }

    /// Counts the enqueue errors that parts of traces from two payloads made, and takes back those they were not.
    pub(super) fn reattribute(&mut self, reattributions: &[Reattribution]) {
        for reattribution in reattributions {
            let is_push = |side: Option<TraceSide>| i64::from(side == Some(TraceSide::Push));
            let n = is_push(reattribution.after).saturating_sub(is_push(reattribution.before));
            let errors = &mut self.tally.counts.enqueue_errors;
            *errors = errors.saturating_add_signed(n);
            self.unpublished.correct(Metric::EnqueueErrors, reattribution.at, n);
            self.signals.store_errors.reattribute(reattribution);
        }
    }

    fn take_process_line(&mut self, observation: &Observation, stream: StreamKey, workplace: u64) {
        self.signals.take(observation, stream, workplace);
        let Some(facts) = self.streams.get_mut(stream) else { return };
        if matches!(observation.stage, Stage::WorkerStarted | Stage::WorkerStopped) {
            facts.breaks.insert(observation.at);
            let is_kill = observation.text.as_deref() == Some("Killed");
            if observation.stage == Stage::WorkerStarted {
                facts.boots.insert(observation.at);
            } else {
                if is_kill {
                    facts.kills.insert(observation.at);
                }
                if let Some(text) = &observation.text {
                    facts.note_stop(observation.at, text);
                }
            }
        } else if observation.stage == Stage::WorkerError && observation.form == Form::Process {
            facts.faults.insert(observation.at);
        } else if let (Stage::LogFileHint, Some(file)) = (observation.stage, &observation.text) {
            facts.log_files.insert(observation.at, Arc::clone(file));
        }
    }

    fn note_traits(&mut self, observation: &Observation) {
        let at = observation.at;
        let earlier = |first: Option<Timestamp>| Some(first.map_or(at, |first| first.min(at)));
        let traits = &mut self.traits;
        if observation.stage == Stage::Enqueued {
            traits.first_enqueue_at = earlier(traits.first_enqueue_at);
            traits.is_delay_logged |= observation.delay_ms.is_some();
            return;
        }
        traits.first_worker_line_at = earlier(traits.first_worker_line_at);
        traits.newest_worker_line_at = traits.newest_worker_line_at.max(Some(at));
        traits.worker_has_uuid |= observation.uuid.is_some();
        traits.worker_has_id |= observation.id.is_some();
        traits.worker_has_neither |= observation.id.is_none() && observation.uuid.is_none();
        traits.has_end_only |= !form(observation.form).prints_starts;
        traits.has_row_ids |=
            observation.uuid.is_none() && observation.id.as_ref().is_some_and(JobId::is_numeric);
    }

    fn take_lifecycle(&mut self, observation: &Observation, names: Hashes, stream: StreamKey) {
        self.note_class(observation, names, stream);
        if names == Hashes::default() && observation.stage != Stage::Enqueued {
            self.take_counted(observation, stream);
        }
    }

    fn take_counted(&mut self, observation: &Observation, stream: StreamKey) {
        let Some(class) = observation.class.clone() else { return };
        let series = match self.series.get_mut(&class) {
            Some(series) => series,
            None => self.series.entry(class.clone()).or_default(),
        };
        match counted_end(observation) {
            Some(end) => series.add_end(stream, observation.line, end),
            None => series.add_start(stream, (observation.at, observation.line)),
        }
        self.dirty_series.insert(class);
    }

    fn note_class(&mut self, observation: &Observation, names: Hashes, stream: StreamKey) {
        let Some(class) = &observation.class else { return };
        let facts = match self.classes.get_mut(class) {
            Some(facts) => facts,
            None => self.classes.entry(class.clone()).or_default(),
        };
        facts.take_pace(observation);
        facts.outcomes.take(observation, names);
        facts.tries.take(observation);
        facts.rates.take(observation);
        self.coverage.take(observation, names);
        facts.has_start_lines |= observation.stage == Stage::Processing;
        if let Some(stream) = self.streams.get_mut(stream) {
            let is_enqueue = observation.stage == Stage::Enqueued;
            let newest =
                if is_enqueue { &mut stream.newest_enqueue_line } else { &mut stream.newest_worker_line };
            *newest = (*newest).max(Some(observation.at));
            if !is_enqueue {
                let oldest = stream.oldest_worker_line.unwrap_or(observation.at);
                stream.oldest_worker_line = Some(oldest.min(observation.at));
            }
            if observation.stage.is_end() {
                stream.newest_end_line = stream.newest_end_line.max(Some(observation.at));
            }
        }
        if observation.stage == Stage::Enqueued {
            let (connection, queue) = (&observation.connection, &observation.queue);
            let mut few = facts.enqueued_on.iter().take(ENQUEUED_ON_LOOKED_AT);
            if !few.any(|at| at.connection == *connection && at.queue == *queue) {
                facts.enqueued_on.insert(QueueRef { connection: connection.clone(), queue: queue.clone() });
            }
            facts.is_delay_logged |= observation.delay_ms.is_some();
            facts.lacks_names |= observation.id.is_none() || observation.uuid.is_none();
        } else if observation.queue.is_none() {
            let runtime_ms = observation.runtime.map_or(0, |runtime| runtime.ms.max(0));
            let start = (observation.at.minus_ms(runtime_ms), stream);
            facts.newest_start = facts.newest_start.max(Some(start));
        }
        if let Some(runtime) = observation.runtime.filter(|_| observation.stage.is_end()) {
            facts.longest_run_ms = facts.longest_run_ms.max(runtime.ms);
            let of = (observation.queue.as_ref(), observation.class.as_ref());
            self.unpublished.sample_job(Metric::JobDuration, of, observation.at, runtime.ms);
        }
    }
}

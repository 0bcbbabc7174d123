//! How a delivery joins the ledger. It counts what is new and changes nothing that is not.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::counting::JobIx;
use super::halves::Turn;
use super::identity::{Found, RowFact};
use super::pairing::CountedEnd;
use super::record::{Registers, StreamKey, may_be_retried};
use super::retries::Retries;
use super::{Job, Ledger};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{Form, JobId, LineKey, Observation, Stage, Timestamp, TraceHalf, TraceSide};
use crate::domain::metric::{Dimensions, Metric};

/// Whether a delivery was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was, at least as a whole.
    New,
    /// All of it had been merged before.
    Duplicate,
}

fn count(tally: &mut u64, n: usize) {
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
    /// Joins what a delivery says. A second time it changes nothing but the count of duplicates.
    pub fn merge(&mut self, record: &DeliveryRecord) -> Merged {
        let at = record.arrived_at;
        count(&mut self.tally.lines.read, record.lines.len());
        self.unpublished.count(Metric::LinesRead, None, at, record.lines.len() as u64);
        if !record.lines.is_empty() && !self.seen_deliveries.insert(record.key) {
            count(&mut self.tally.payloads.duplicate, 1);
            count(&mut self.tally.lines.duplicate, record.lines.len());
            self.unpublished.count(Metric::DuplicateDeliveries, None, at, 1);
            return Merged::Duplicate;
        }
        count(&mut self.tally.payloads.data, 1);
        let repeated = self.note_lines(record);
        self.join_lines(record, &repeated);
        Merged::New
    }

    /// Joins what the lines say that are not repeated, and how they came.
    pub(super) fn join_lines(&mut self, record: &DeliveryRecord, repeated: &BTreeSet<LineKey>) {
        let at = record.arrived_at;
        let stream = self.streams.note(&record.log_group, &record.log_stream);
        // What one line says stands together, so a new line begins where the key changes.
        let (mut classified, mut last) = (0_usize, None);
        for observation in &record.observations {
            let is_repeated = !repeated.is_empty() && repeated.contains(&observation.line);
            self.note_store_error(observation, stream, is_repeated);
            if !is_repeated {
                classified = classified.saturating_add(usize::from(last != Some(observation.line)));
                last = Some(observation.line);
                self.take(observation, stream, at);
            }
        }
        if let Some(facts) = self.streams.get_mut(stream) {
            facts.note_last_lines(&record.last_lines);
        }
        for half in &record.halves {
            let Some(facts) = self.streams.get_mut(stream) else { continue };
            let turns = match half {
                TraceHalf::Head(at, line) => facts.halves.add_open((*at, *line), repeated.contains(line)),
                TraceHalf::Exception(at, line, text) => {
                    self.circumstances.store_errors.expect(*at, text);
                    facts.halves.add_open((*at, *line), repeated.contains(line))
                }
                TraceHalf::Tail(at, side) => facts.halves.add_tail(*at, *side),
            };
            self.turn(&turns);
        }
        count(&mut self.tally.lines.classified, classified);
        self.unpublished.count(Metric::LinesClassified, None, at, classified as u64);
        let lag_ms = record.newest().map(|newest| at.since_ms(newest));
        self.deliveries.opened(at, lag_ms);
        if let Some(newest) = record.newest() {
            self.sources.heard(&Arc::from(record.log_group.as_str()), newest);
            self.unpublished.sample(Metric::DeliveryLag, None, at, at.since_ms(newest).max(0));
            if let Some(facts) = self.streams.get_mut(stream) {
                facts.newest_line = facts.newest_line.max(Some(newest));
            }
        }
    }

    /// Notes a payload that could not be opened.
    pub fn reject(&mut self, reason: &str, at: Timestamp) {
        count(&mut self.tally.payloads.rejected, 1);
        self.unpublished.add(Metric::PayloadsRejected, Dimensions::Reason(Arc::from(reason)), at, 1);
        self.deliveries.rejected(at);
    }

    /// Notes one of CloudWatch's own reachability checks.
    pub fn note_control(&mut self, at: Timestamp) {
        count(&mut self.tally.payloads.control, 1);
        self.deliveries.opened(at, None);
    }

    /// Notes every line, and returns those seen before.
    pub(super) fn note_lines(&mut self, record: &DeliveryRecord) -> BTreeSet<LineKey> {
        let mut repeated = BTreeSet::new();
        let (mut duplicates, mut late) = (0_usize, 0_usize);
        // First who was here before, then who is new: a line that stands twice in this payload was read once,
        // and is a duplicate of itself, but not repeated.
        for line in &record.lines {
            if self.seen_lines.contains(&line.key.0) {
                repeated.insert(line.key);
            }
        }
        for line in &record.lines {
            if self.seen_lines.insert(line.key.0) {
                late = late.saturating_add(usize::from(record.late.contains(&line.key)));
            } else {
                duplicates = duplicates.saturating_add(1);
            }
        }
        count(&mut self.tally.lines.duplicate, duplicates);
        count(&mut self.tally.lines.late, late);
        self.unpublished.count(Metric::LateLines, None, record.arrived_at, late as u64);
        repeated
    }

    /// Takes one new observation.
    fn take(&mut self, observation: &Observation, stream: StreamKey, arrived_at: Timestamp) {
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
            self.unpublished.count_line(metric, observation);
        }
        if observation.stage.is_lifecycle() {
            self.note_traits(observation);
            self.take_lifecycle(observation, stream, arrived_at);
        } else {
            self.take_process_line(observation, stream);
        }
    }

    /// Notes a store error whose payload told its side, so that a stray trace is not taken for another's.
    fn note_store_error(&mut self, observation: &Observation, stream: StreamKey, is_repeated: bool) {
        let place = (observation.at, observation.line);
        let side = match (observation.form, observation.stage) {
            (Form::Monolog, Stage::EnqueueError) => Some(TraceSide::Push),
            (Form::Monolog, Stage::WorkerError) => Some(TraceSide::Pop),
            (Form::Monolog, Stage::RedisError) => None,
            _ => return,
        };
        let Some(facts) = self.streams.get_mut(stream) else { return };
        let turns = match (is_repeated, side) {
            (false, _) => facts.halves.add_told(place),
            (true, Some(side)) => facts.halves.add_copy(place, side),
            (true, None) => return,
        };
        self.turn(&turns);
    }

    /// Counts the enqueue errors that halves from two payloads made, and takes back those they were not.
    fn turn(&mut self, turns: &[Turn]) {
        for turn in turns {
            let is_push = |side: Option<TraceSide>| i64::from(side == Some(TraceSide::Push));
            let n = is_push(turn.after).saturating_sub(is_push(turn.before));
            let errors = &mut self.tally.counts.enqueue_errors;
            *errors = errors.saturating_add_signed(n);
            self.unpublished.correct(Metric::EnqueueErrors, turn.at, n);
            self.circumstances.store_errors.turn(turn);
        }
    }

    fn take_process_line(&mut self, observation: &Observation, stream: StreamKey) {
        self.circumstances.take(observation, stream);
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
        traits.has_end_only |= observation.form == Form::EndOnly;
        traits.has_row_ids |=
            observation.uuid.is_none() && observation.id.as_ref().is_some_and(JobId::is_numeric);
    }

    fn take_lifecycle(&mut self, observation: &Observation, stream: StreamKey, arrived_at: Timestamp) {
        self.note_class(observation, stream);
        let is_enqueue = observation.stage == Stage::Enqueued;
        let has_name = observation.id.is_some() || observation.uuid.is_some();
        if !has_name && !is_enqueue {
            return self.take_counted(observation, stream);
        }
        if self.apart.is_some() {
            // A record tells of the job.
            return;
        }
        let registers = Registers::of(observation, stream, arrived_at);
        let row_id = observation.id.as_ref().filter(|id| id.is_numeric());
        match row_id {
            Some(id) if observation.uuid.is_none() && !is_enqueue => {
                let (at, line, end) = (observation.at, observation.line, counted_end(observation));
                self.identity.row(id).add_fact(RowFact { at, line, end, registers });
                self.share_row(id);
            }
            Some(id) => {
                let job = self.job_named(observation, is_enqueue && observation.uuid.is_none());
                self.learn(job, &registers, observation.line);
                self.learn_backoff(job, observation);
                let (at, connection) = (observation.at, observation.connection.clone());
                if is_enqueue {
                    let has_uuid = observation.uuid.is_some();
                    self.identity.row(id).add_enqueue(at, job, connection, has_uuid);
                    self.share_row(id);
                    self.link_row(id);
                } else if observation.attempt.is_none_or(|attempt| attempt <= 1) {
                    self.identity.row(id).add_claim(at, job, connection);
                    self.link_row(id);
                }
                self.pass_on(job);
            }
            None => {
                let job = self.job_named(observation, !has_name);
                self.learn(job, &registers, observation.line);
                self.learn_backoff(job, observation);
            }
        }
    }

    /// The job a line names, a new one where `is_its_own` or nobody has that name yet.
    fn job_named(&mut self, observation: &Observation, is_its_own: bool) -> JobIx {
        let (uuid, id) = (observation.uuid.as_ref(), observation.id.as_ref());
        let found = if is_its_own { Found::New } else { self.identity.find(uuid, id) };
        let job = match found {
            Found::One(job) => return job,
            Found::OneByPart(job) => job,
            Found::Both(one, other) => self.unite(one, other),
            Found::New => self.new_job(),
        };
        self.identity.name(job, uuid, id);
        job
    }

    pub(super) fn new_job(&mut self) -> JobIx {
        let ix = JobIx(self.jobs.len());
        self.jobs.push(Job::default());
        ix
    }

    /// Makes one job of two that a line showed to be the same.
    pub(super) fn unite(&mut self, kept: JobIx, gone: JobIx) -> JobIx {
        let Some(lost) = self.jobs.get_mut(gone.0) else { return kept };
        let own = lost.take_own();
        let retries = lost.retries.take();
        let born = lost.born;
        lost.is_merged_away = true;
        self.refresh(gone);
        self.identity.rename(&own, gone, kept);
        if let Some(job) = self.jobs.get_mut(kept.0) {
            job.learn(&own);
            if let Some(retries) = retries {
                job.retries.get_or_insert_default().join(*retries);
            }
            job.born = match (job.born, born) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        self.refresh(kept);
        kept
    }

    fn learn(&mut self, ix: JobIx, registers: &Registers, line: LineKey) {
        if let Some(job) = self.jobs.get_mut(ix.0) {
            job.learn(registers);
            job.born = Some(job.born.map_or(line, |born| born.min(line)));
        }
        self.refresh(ix);
    }

    /// Learns how long the class's released jobs wait before they start again.
    fn learn_backoff(&mut self, ix: JobIx, observation: &Observation) {
        if !Retries::concerns(observation) {
            return;
        }
        let Some(job) = self.jobs.get_mut(ix.0) else { return };
        let retries = job.retries.get_or_insert_default();
        retries.add(observation);
        if let Some(class) = job.known.class()
            && let Some(facts) = self.classes.get_mut(class)
        {
            facts.longest_backoff_ms = facts.longest_backoff_ms.max(retries.longest_backoff_ms());
        }
    }

    fn take_counted(&mut self, observation: &Observation, stream: StreamKey) {
        let Some(class) = observation.class.clone() else { return };
        let series = self.series.entry(class.clone()).or_default();
        match counted_end(observation) {
            Some(end) => series.add_end(stream, observation.line, end),
            None => series.add_start(stream, (observation.at, observation.line)),
        }
        self.dirty_series.insert(class);
    }

    fn note_class(&mut self, observation: &Observation, stream: StreamKey) {
        let Some(class) = &observation.class else { return };
        let facts = self.classes.entry(class.clone()).or_default();
        facts.take_pace(observation);
        facts.outcomes.take(observation);
        self.reads.take(observation);
        facts.has_start_lines |= observation.stage == Stage::Processing;
        if let Some(stream) = self.streams.get_mut(stream) {
            let is_enqueue = observation.stage == Stage::Enqueued;
            let newest =
                if is_enqueue { &mut stream.newest_enqueue_line } else { &mut stream.newest_worker_line };
            *newest = (*newest).max(Some(observation.at));
            if observation.stage.is_end() {
                stream.newest_end_line = stream.newest_end_line.max(Some(observation.at));
            }
        }
        if observation.stage == Stage::Enqueued {
            facts.enqueued_on.insert((observation.connection.clone(), observation.queue.clone()));
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

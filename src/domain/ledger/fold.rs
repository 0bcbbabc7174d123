//! How a delivery joins the ledger: each line is counted once, and joined to the job that it names.
//!
//! A line goes to its job in place, and a job's indexes are brought in line once for all lines of the delivery. Stores
//! join the same lines key by key instead, as entries: [`entries_of`] says what they are. A row's lines go that way here
//! as well, as they are dealt out to the jobs that the row was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Ledger;
use super::counting::JobIx;
use super::entry::{Entry, entries_of};
use super::intake::count;
use super::job_facts::StreamKey;
use super::job_key::{Hashes, JobKey, Named};
use crate::domain::intake::DeliveryRecord;
use crate::domain::job::{LineKey, Observation, Stage, Timestamp, TracePart};
use crate::domain::metric::{Counts, Metric};
use crate::domain::origin::workplace;

/// The jobs that a delivery's lines tell of.
#[derive(Default)]
struct Touched(Vec<JobIx>);

impl Ledger {
    /// Joins what a delivery's lines say; and of the jobs that they name what `beyond` says, which a store knew when it
    /// took the delivery. Lines that were seen before say nothing again.
    pub fn fold(&mut self, record: &DeliveryRecord, beyond: impl IntoIterator<Item = (JobKey, Entry)>) {
        let repeated = self.note_lines(record);
        let stream = self.streams.note(&record.log_group, &record.log_stream);
        let mut touched = Touched::default();
        let rows = self.join_lines(record, &repeated, stream, &mut touched);
        self.join_traces(record, &repeated, stream);
        self.note_delivery(record, stream);
        let at = record.arrived_at;
        let mut beyond: BTreeMap<JobKey, Entry> = beyond.into_iter().collect();
        for (key, mut entry) in entries_of(rows.into_iter(), stream, at) {
            // An end tells nothing new of how long the job waited, unless its start was never printed.
            let has_news = !entry.has_only_ends();
            if let Some(more) = beyond.remove(&key) {
                entry.join(&more);
            }
            for ix in self.take_entry(&key, entry) {
                self.touch(&mut touched, ix, has_news);
            }
        }
        for (key, entry) in beyond {
            for ix in self.take_entry(&key, entry) {
                self.touch(&mut touched, ix, false);
            }
        }
        for ix in touched.0 {
            self.bring_in_line(ix, at);
        }
    }

    /// Joins what the lines say that are not repeated to all that is known beside jobs, and every line to its job; answers
    /// those of rows.
    fn join_lines<'l>(
        &mut self,
        record: &'l DeliveryRecord,
        repeated: &BTreeSet<LineKey>,
        stream: StreamKey,
        touched: &mut Touched,
    ) -> Vec<&'l Observation> {
        let (at, workplace) = (record.arrived_at, workplace(&record.log_group, &record.log_stream));
        // What one line says stands together, so a new line begins where the key changes.
        let (mut classified, mut last) = (0_usize, None);
        let (mut counts, mut rows) = (Counts::default(), Vec::new());
        for observation in &record.observations {
            let is_repeated = !repeated.is_empty() && repeated.contains(&observation.line);
            let is_lifecycle = observation.stage.is_lifecycle();
            let names = if is_lifecycle { Hashes::of(observation) } else { Hashes::default() };
            self.note_store_error(observation, stream, is_repeated);
            if !is_repeated {
                classified = classified.saturating_add(usize::from(last != Some(observation.line)));
                last = Some(observation.line);
                self.take(observation, names, (stream, workplace), &mut counts);
            }
            if is_lifecycle {
                match names.named(observation) {
                    Named::Job(name) => {
                        let ix = self.take_line((name, names.uuid), observation, stream, at);
                        let has_news = matches!(observation.stage, Stage::Enqueued | Stage::Processing);
                        self.touch(touched, ix, has_news);
                    }
                    Named::Row => rows.push(observation),
                    Named::Nobody => {}
                }
            }
        }
        self.unpublished.take(counts);
        count(&mut self.tally.lines_classified, classified);
        self.unpublished.count(Metric::LinesClassified, None, at, classified as u64);
        rows
    }

    fn touch(&mut self, touched: &mut Touched, ix: JobIx, has_news: bool) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        job.has_news |= has_news;
        if !std::mem::replace(&mut job.is_touched, true) {
            touched.0.push(ix);
        }
    }

    fn bring_in_line(&mut self, ix: JobIx, at: Timestamp) {
        let Some(job) = self.jobs.get_mut(ix) else { return };
        job.is_touched = false;
        let has_news = std::mem::take(&mut job.has_news);
        self.learn_backoff(ix);
        self.refresh(ix);
        self.note_wait(ix, has_news, at);
    }

    /// Notes that there may be news of how long a job waited.
    fn note_wait(&mut self, ix: JobIx, has_news: bool, at: Timestamp) {
        let Some(job) = self.job(ix) else { return };
        if job.wait_told_at.is_none() && (has_news || job.known.first_start.is_none()) {
            self.fresh_waits.entry(ix).or_insert(at);
        }
    }

    /// Joins the store errors and traces that payloads cut apart.
    fn join_traces(&mut self, record: &DeliveryRecord, repeated: &BTreeSet<LineKey>, stream: StreamKey) {
        let workplace = workplace(&record.log_group, &record.log_stream);
        if let Some(facts) = self.streams.get_mut(stream) {
            facts.note_last_lines(&record.last_lines);
        }
        for half in &record.split_traces {
            let Some(facts) = self.streams.get_mut(stream) else { continue };
            let reattributions = match half {
                TracePart::Head(at, line) => {
                    facts.split_traces.add_open((*at, *line), repeated.contains(line))
                }
                TracePart::Exception(at, line, text) => {
                    self.signals.store_errors.expect(*at, text, workplace);
                    facts.split_traces.add_open((*at, *line), repeated.contains(line))
                }
                TracePart::Tail(at, side) => facts.split_traces.add_tail(*at, *side),
            };
            self.reattribute(&reattributions);
        }
    }

    /// Notes how a delivery came.
    fn note_delivery(&mut self, record: &DeliveryRecord, stream: StreamKey) {
        let at = record.arrived_at;
        let lag_ms = record.newest().map(|newest| at.since_ms(newest));
        self.deliveries.opened(at, lag_ms);
        if let Some(newest) = record.newest() {
            self.sources.heard(&Arc::from(record.log_group.as_str()), newest);
            if let Some(facts) = self.streams.get_mut(stream) {
                facts.newest_line = facts.newest_line.max(Some(newest));
            }
        }
    }
}

//! Live files and standard input, followed on one machine: what CloudWatch, the two functions and the clock do on AWS,
//! over the same [`app`], step by step. Each step is told what time it is.
//!
//! What is read is noted before it is stored, and the note is replaced only by the next one. So a process that dies in
//! between reads the same bytes again, finds the same lines with the same keys and moments in them, and stores nothing
//! twice.

mod batch;
mod files;
mod follower;
mod inputs;
mod lines;
mod memory;
mod notice;
mod pace;
mod pipe;
mod place;
mod reader;

use std::convert::Infallible;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use thiserror::Error;

pub use inputs::Inputs;
pub use notice::Notice;
pub use pipe::Pipe;

use crate::app::{self, AppError, Swept};
use crate::domain::command::Command;
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::model::policy::Policy;
use crate::domain::sweep::Horizon;
use crate::domain::systems::Classifier;
use crate::ports::table::Table;
use crate::ports::{AlarmChannel, Disposed, LedgerStore, MetricSink};
use follower::Follower;
use memory::Memory;
use pace::Pace;

/// A step that failed. Made again, it goes on where it broke off.
#[derive(Debug, Error)]
pub enum WatchError<T: Disposed, S: Disposed, A: Disposed> {
    /// What is remembered of the files could not be read or written.
    #[error("cannot remember how far the files were read")]
    Memory(#[source] T),
    /// What is remembered of a file makes no sense.
    #[error("what is remembered of {key} cannot be read or written")]
    Broken {
        /// The file.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Lines could not be stored.
    #[error("the ledger's store failed")]
    Ledger(#[source] S),
    /// A sweep failed.
    #[error("a sweep failed")]
    Sweep(#[source] AppError<S, Infallible, A>),
    /// What an operator asks for was not done.
    #[error("what an operator asks for is not done")]
    Command(#[source] AppError<S, Infallible, A>),
}

/// The error of a step over these adapters.
pub type ErrorOf<T, S, A> =
    WatchError<<T as Table>::Error, <S as LedgerStore>::Error, <A as AlarmChannel>::Error>;

/// What a look at the inputs came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// Lines read.
    pub lines_count: u64,
    /// Whether there was more to read than was read.
    pub has_more: bool,
}

/// Everything that is watched, and what is known of it.
#[derive(Debug)]
pub struct Watch<T, S, M, A> {
    inputs: Inputs,
    memory: Memory<T>,
    store: S,
    metrics: M,
    alarms: A,
    classifier: Classifier,
    policy: Policy,
    log_group: String,
    /// Whether everything has been read that was there at the start.
    is_caught_up: bool,
    /// Whether it is written down where each file was begun.
    is_begun: bool,
    polled_at: Timestamp,
    pace: Pace,
}

/// Writes that may go to the disk together.
const WRITES_IN_FLIGHT: usize = 50;
/// A pause this long between two looks at the inputs is no busy machine, but one that slept.
const PAUSE_MS: i64 = MINUTE_MS;

/// What a watch works with.
#[derive(Debug)]
pub struct Outside<T, S, M, A> {
    /// Keeps how far files were read.
    pub table: T,
    /// Keeps what is known of jobs.
    pub store: S,
    /// Takes metrics.
    pub metrics: M,
    /// Tells people.
    pub alarms: A,
}

/// How to watch.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Reads lines.
    pub classifier: Classifier,
    /// The checked configuration.
    pub policy: Policy,
    /// The log group that all lines are taken to be of.
    pub log_group: String,
    /// Read files from their beginning that are met for the first time.
    pub is_from_start: bool,
}

impl<T: Table, S: LedgerStore, M: MetricSink<Error = Infallible>, A: AlarmChannel> Watch<T, S, M, A> {
    /// Goes on where an earlier run left off, or begins.
    ///
    /// # Errors
    /// Where what is remembered cannot be read.
    pub async fn start(
        mut inputs: Inputs,
        outside: Outside<T, S, M, A>,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Self, ErrorOf<T, S, A>> {
        let Outside { table, mut store, metrics, alarms } = outside;
        let Settings { classifier, policy, log_group, is_from_start } = settings;
        store.attend_since(now);
        let memory = Memory::new(table, &policy.app, &log_group);
        let remembered = memory.read().await?;
        inputs.start(&remembered, is_from_start, now);
        let pace = Pace::of(&policy, now);
        let (is_caught_up, is_begun, polled_at) = (false, false, now);
        Ok(Self {
            inputs,
            memory,
            store,
            metrics,
            alarms,
            classifier,
            policy,
            log_group,
            is_caught_up,
            is_begun,
            polled_at,
            pace,
        })
    }

    /// Reads on from every input, once, and stores what was read.
    ///
    /// # Errors
    /// Where something could not be stored; the lines are kept for the next time.
    pub async fn poll(&mut self, now: Timestamp) -> Result<Polled, ErrorOf<T, S, A>> {
        if now.since_ms(std::mem::replace(&mut self.polled_at, now)) > PAUSE_MS {
            self.store.attend_since(now);
        }
        self.inputs.list_when_due(now);
        let mut polled = Polled::default();
        self.inputs.note_held();
        for file in &mut self.inputs.files {
            let batch = file.next(now, &mut self.inputs.all);
            if let Some(batch) = batch {
                polled.lines_count = polled.lines_count.saturating_add(batch.lines_count() as u64);
                let record = batch.record(&self.log_group, &self.classifier);
                let says_nothing = record.observations.is_empty()
                    && record.split_traces.is_empty()
                    && record.last_lines.is_empty();
                if !says_nothing {
                    file.take();
                    self.memory.write_file(inputs::absolute(file.path()), file.places(), now).await?;
                }
                if !record.lines.is_empty() {
                    app::ingest(&mut self.store, &record).await.map_err(WatchError::Ledger)?;
                }
                file.pass();
            }
        }
        for pipe in &mut self.inputs.pipes {
            let Some(batch) = pipe.next(now) else { continue };
            polled.lines_count = polled.lines_count.saturating_add(batch.lines_count() as u64);
            let record = batch.record(&self.log_group, &self.classifier);
            if !record.lines.is_empty() {
                app::ingest(&mut self.store, &record).await.map_err(WatchError::Ledger)?;
            }
            pipe.pass();
        }
        if !self.is_begun {
            // A file that is begun at its end is missed from there on, even by a process that dies at once.
            self.remember(now).await?;
            self.is_begun = true;
        }
        polled.has_more = self.is_behind();
        self.is_caught_up |= !polled.has_more;
        Ok(polled)
    }

    /// Whether there was more to read, when it last looked, than was read.
    fn is_behind(&self) -> bool {
        self.inputs.files.iter().any(Follower::is_behind) || self.inputs.pipes.iter().any(Pipe::is_behind)
    }

    /// Whether everything has been read that was there at the start. Before, no sweep can tell a job that waits from
    /// one whose start is not read yet.
    #[must_use]
    pub const fn is_caught_up(&self) -> bool {
        self.is_caught_up
    }

    /// How long from one sweep to the next, in milliseconds.
    #[must_use]
    pub const fn sweeps_every_ms(&self) -> i64 {
        self.pace.every_ms()
    }

    /// Whether it is time to sweep.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let is_behind = self.is_behind();
        self.pace.is_due(now, is_behind) && self.is_caught_up
    }

    /// Whether no line can come any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.inputs.have_ended()
    }

    /// Looks at what is known and says what there is to say, as the function does each minute on AWS.
    ///
    /// # Errors
    /// Where something could not be stored or said; the next sweep goes on from what was written.
    pub async fn sweep(&mut self, now: Timestamp) -> Result<Swept, ErrorOf<T, S, A>> {
        self.pace.swept(now);
        self.remember(now).await?;
        let horizon = Horizon { now, last_delivery: None };
        let (store, metrics, alarms) = (&mut self.store, &mut self.metrics, &mut self.alarms);
        app::sweep(store, metrics, alarms, &self.policy, horizon).await.map_err(WatchError::Sweep)
    }

    /// Does what an operator asks for. When it returns, that is written down; asked for once more, an incident is
    /// not open any more, and a silence is the same silence.
    ///
    /// # Errors
    /// Where no such incident is open, or something could not be stored; or said, which the next sweep does.
    pub async fn apply_command(&mut self, command: &Command, now: Timestamp) -> Result<(), ErrorOf<T, S, A>> {
        let horizon = Horizon { now, last_delivery: None };
        let (store, metrics, alarms) = (&mut self.store, &mut self.metrics, &mut self.alarms);
        let applied = app::apply_command(store, metrics, alarms, &self.policy, horizon, command).await;
        applied.map(drop).map_err(WatchError::Command)
    }

    /// Writes down how far every file was read.
    ///
    /// # Errors
    /// Where it could not be written.
    pub async fn remember(&mut self, now: Timestamp) -> Result<(), ErrorOf<T, S, A>> {
        let changed = self.inputs.files.iter_mut().filter(|file| file.is_changed);
        let memory = &self.memory;
        stream::iter(changed)
            .map(|file| async move {
                memory.write_file(inputs::absolute(file.path()), file.places(), now).await?;
                file.is_changed = false;
                Ok(())
            })
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        memory.write_run(now).await
    }

    /// What happened to the files since it was last asked.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.inputs.take_notices()
    }

    /// What is watched.
    pub const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The metrics.
    pub const fn metrics(&self) -> &M {
        &self.metrics
    }

    /// The channel.
    pub const fn alarms_mut(&mut self) -> &mut A {
        &mut self.alarms
    }
}

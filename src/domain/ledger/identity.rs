//! Who is who: which lines speak of the same job.
//!
//! A uuid is a job's name for good, and so is an id that is not a number. A numeric id is a database row:
//! reused by other jobs and renewed by every release, so a line that carries only such an id belongs to
//! the newest enqueue of that id before it.

use std::collections::BTreeMap;

use super::counting::JobIx;
use super::pairing::CountedEnd;
use super::record::{ENQUEUE_TOLERANCE_MS, Registers};
use crate::domain::job::{ConnectionName, JobId, JobUuid, LineKey, Timestamp};

#[expect(
    clippy::disallowed_types,
    reason = "looked up by key only, never iterated: its order cannot show, and ids are random"
)]
type Index<K> = std::collections::HashMap<K, JobIx, foldhash::fast::FixedState>;

/// The names of all jobs.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    by_uuid: Index<JobUuid>,
    by_id: Index<JobId>,
    rows: BTreeMap<JobId, RowId>,
}

/// What a line's names lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// One job, by every name the line has.
    One(JobIx),
    /// One job, which does not have all of these names yet.
    OneByPart(JobIx),
    /// Two that this line shows to be one.
    Both(JobIx, JobIx),
    /// None yet.
    New,
}

/// A numeric id: the jobs enqueued under it, and the lines that carry nothing else.
#[derive(Clone, Debug, Default)]
pub struct RowId {
    enqueues: BTreeMap<(Timestamp, JobIx), RowEnqueue>,
    /// First attempts of jobs that a worker line gives this id and a uuid: when they were first heard of, and where.
    claims: BTreeMap<JobIx, (Timestamp, Option<ConnectionName>)>,
    /// The job for lines older than every enqueue of the id.
    orphan: Option<JobIx>,
    facts: Vec<RowFact>,
}

/// An enqueue under a numeric id.
#[derive(Clone, Debug)]
struct RowEnqueue {
    connection: Option<ConnectionName>,
    /// Whether its line carried a uuid, too: then names decide whose a line with a uuid is.
    has_uuid: bool,
}

/// A worker line that carries a numeric id and no uuid.
#[derive(Clone, Debug)]
pub struct RowFact {
    /// When the line was stamped.
    pub at: Timestamp,
    /// The line.
    pub line: LineKey,
    /// How it ended an attempt, if it did.
    pub end: Option<CountedEnd>,
    /// What it says.
    pub registers: Registers,
}

impl Identity {
    /// Finds the job that a uuid or a lasting id names.
    #[must_use]
    pub fn find(&self, uuid: Option<&JobUuid>, id: Option<&JobId>) -> Found {
        let by_uuid = uuid.and_then(|uuid| self.by_uuid.get(uuid)).copied();
        let by_id = id.filter(|id| !id.is_numeric()).and_then(|id| self.by_id.get(id)).copied();
        match (by_uuid, by_id) {
            (Some(one), Some(other)) if one != other => Found::Both(one, other),
            (Some(job), Some(_)) => Found::One(job),
            (Some(job), None) if id.is_none_or(JobId::is_numeric) => Found::One(job),
            (None, Some(job)) if uuid.is_none() => Found::One(job),
            (Some(job), None) | (None, Some(job)) => Found::OneByPart(job),
            (None, None) => Found::New,
        }
    }

    /// Notes that these names are `job`'s.
    pub fn name(&mut self, job: JobIx, uuid: Option<&JobUuid>, id: Option<&JobId>) {
        if let Some(uuid) = uuid {
            self.by_uuid.insert(uuid.clone(), job);
        }
        if let Some(id) = id.filter(|id| !id.is_numeric()) {
            self.by_id.insert(id.clone(), job);
        }
    }

    /// The numeric id `id`.
    pub fn row(&mut self, id: &JobId) -> &mut RowId {
        self.rows.entry(id.clone()).or_default()
    }

    /// Replaces a job by the one it was found to be.
    pub fn rename(&mut self, registers: &Registers, gone: JobIx, kept: JobIx) {
        self.name(kept, registers.uuid(), registers.id());
        for row in self.rows.values_mut() {
            row.rename(gone, kept);
        }
    }
}

impl RowId {
    /// Notes a job enqueued under this id.
    pub fn add_enqueue(
        &mut self,
        at: Timestamp,
        job: JobIx,
        connection: Option<ConnectionName>,
        has_uuid: bool,
    ) {
        self.enqueues.insert((at, job), RowEnqueue { connection, has_uuid });
    }

    /// Notes a worker line of a first attempt that gives a job both names.
    pub fn add_claim(&mut self, at: Timestamp, job: JobIx, connection: Option<ConnectionName>) {
        let claim = self.claims.entry(job).or_insert_with(|| (at, connection.clone()));
        *claim = claim.clone().min((at, connection));
    }

    /// Which job each of those is that lines name by a uuid: the newest enqueue of the id before it, if that carried
    /// no uuid to tell by.
    #[must_use]
    pub fn links(&self) -> Vec<(JobIx, Option<JobIx>)> {
        let link = |(job, (at, connection)): (&JobIx, &(Timestamp, Option<ConnectionName>))| {
            let owner = self.newest_before(*at, connection.as_ref());
            (*job, owner.filter(|(_, enqueue)| !enqueue.has_uuid).map(|(owner, _)| owner))
        };
        self.claims.iter().map(link).collect()
    }

    /// Notes a worker line that carries nothing else.
    pub fn add_fact(&mut self, fact: RowFact) {
        self.facts.push(fact);
    }

    fn rename(&mut self, gone: JobIx, kept: JobIx) {
        let moved: Vec<_> = self.enqueues.keys().filter(|(_, job)| *job == gone).copied().collect();
        for (at, job) in moved {
            if let Some(enqueue) = self.enqueues.remove(&(at, job)) {
                self.enqueues.insert((at, kept), enqueue);
            }
        }
    }

    /// Whether a line older than every enqueue needs a job of its own.
    #[must_use]
    pub fn needs_orphan(&self) -> bool {
        self.orphan.is_none() && self.facts.iter().any(|fact| self.owner(fact).is_none())
    }

    /// Names the job for lines older than every enqueue.
    pub fn set_orphan(&mut self, job: JobIx) {
        self.orphan = Some(job);
    }

    /// The job for lines that no enqueue of the id explains, and those lines.
    #[must_use]
    pub fn unexplained(&self) -> Option<(JobIx, impl Iterator<Item = &RowFact>)> {
        let orphan = self.orphan?;
        Some((orphan, self.facts.iter().filter(|fact| self.owner(fact).is_none())))
    }

    /// What the lines of this id say of each of its jobs.
    #[must_use]
    pub fn shares(&self) -> BTreeMap<JobIx, Registers> {
        let mut shares: BTreeMap<JobIx, Registers> =
            self.enqueues.keys().map(|(_, job)| (*job, Registers::default())).collect();
        if let Some(orphan) = self.orphan {
            shares.insert(orphan, Registers::default());
        }
        for fact in &self.facts {
            if let Some(owner) = self.owner(fact).or(self.orphan) {
                shares.entry(owner).or_default().join(&fact.registers);
            }
        }
        shares
    }

    /// The newest enqueue that lies before the line, on the line's connection where both name one.
    fn owner(&self, fact: &RowFact) -> Option<JobIx> {
        self.newest_before(fact.at, fact.registers.connection()).map(|(job, _)| job)
    }

    fn newest_before(
        &self,
        at: Timestamp,
        connection: Option<&ConnectionName>,
    ) -> Option<(JobIx, &RowEnqueue)> {
        let by = at.plus_ms(ENQUEUE_TOLERANCE_MS);
        let before = self.enqueues.range(..=(by, JobIx(usize::MAX))).rev();
        let is_there = |enqueue: &RowEnqueue| {
            enqueue.connection.as_ref().zip(connection).is_none_or(|(one, other)| one == other)
        };
        before.map(|((_, job), enqueue)| (*job, enqueue)).find(|(_, enqueue)| is_there(enqueue))
    }
}

//! The jobs that a ledger holds, by their numbers; and the few names of each.
//!
//! They stand in pieces of some hundred: one row that grows would be copied again and again, and have room for as many
//! more.

use super::Job;
use super::counting::JobIx;
use super::job_key::JobHash;

/// Jobs in a piece.
const PIECE_JOBS: usize = 256;

/// All jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct JobTable(Vec<Vec<Job>>);

impl JobTable {
    /// Adds a job of which nothing is known yet.
    pub(super) fn add(&mut self) -> JobIx {
        if self.0.last().is_none_or(|piece| piece.len() >= PIECE_JOBS) {
            self.0.push(Vec::with_capacity(PIECE_JOBS));
        }
        let before = self.0.len().saturating_sub(1).saturating_mul(PIECE_JOBS);
        let Some(piece) = self.0.last_mut() else { return JobIx(0) };
        piece.push(Job::default());
        JobIx(before.saturating_add(piece.len()).saturating_sub(1))
    }

    pub(super) fn get(&self, JobIx(ix): JobIx) -> Option<&Job> {
        self.0.get(ix.wrapping_div(PIECE_JOBS))?.get(ix.wrapping_rem(PIECE_JOBS))
    }

    pub(super) fn get_mut(&mut self, JobIx(ix): JobIx) -> Option<&mut Job> {
        self.0.get_mut(ix.wrapping_div(PIECE_JOBS))?.get_mut(ix.wrapping_rem(PIECE_JOBS))
    }

    /// All of them, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.0.iter().flatten()
    }
}

/// The names that a job is known by: nearly always one or two, which take no allocation.
#[derive(Clone, Debug)]
pub(super) enum JobHashes {
    /// The same twice is one.
    Two([JobHash; 2]),
    Many(Vec<JobHash>),
}

impl Default for JobHashes {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl JobHashes {
    pub(super) fn as_slice(&self) -> &[JobHash] {
        match self {
            Self::Two([one, other]) if one == other => std::slice::from_ref(one),
            Self::Two(both) => both,
            Self::Many(all) => all,
        }
    }

    pub(super) fn add(&mut self, hash: JobHash) {
        let more = match self.as_slice() {
            known if known.contains(&hash) => return,
            [] => Self::Two([hash, hash]),
            [one] => Self::Two([*one, hash]),
            known => Self::Many([known, &[hash]].concat()),
        };
        *self = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_found_by_their_numbers_over_all_pieces() {
        let mut jobs = JobTable::default();
        for n in 0..PIECE_JOBS * 2 + 3 {
            let ix = jobs.add();
            assert_eq!(ix, JobIx(n));
            jobs.get_mut(ix).unwrap().hashes.add(JobHash(n as u64));
        }
        assert_eq!(jobs.iter().count(), PIECE_JOBS * 2 + 3);
        for n in [0, 1, PIECE_JOBS - 1, PIECE_JOBS, PIECE_JOBS * 2 + 2] {
            assert_eq!(jobs.get(JobIx(n)).unwrap().hashes.as_slice(), [JobHash(n as u64)]);
        }
        assert!(jobs.get(JobIx(PIECE_JOBS * 2 + 3)).is_none());
    }

    #[test]
    fn a_name_is_kept_once_however_many_there_are() {
        let mut hashes = JobHashes::default();
        for n in [3, 3, 1, 3, 7, 1, 9, 7] {
            hashes.add(JobHash(n));
        }
        assert_eq!(hashes.as_slice(), [3, 1, 7, 9].map(JobHash));
        assert_eq!(size_of::<JobHashes>(), size_of::<Vec<JobHash>>());
    }
}

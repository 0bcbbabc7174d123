//! Lines that carry a numeric id, a row of a database: dealt out to the jobs that were enqueued under it, and dealt
//! again whenever that changes.

use super::counting::JobIx;
use super::{Ledger, strangers};
use crate::domain::job::JobId;

impl Ledger {
    /// Deals the lines of a numeric id out to its jobs again.
    pub(super) fn share_row(&mut self, id: &JobId) {
        if self.identity.row(id).needs_orphan() {
            let orphan = self.new_job();
            self.identity.row(id).set_orphan(orphan);
        }
        for (ix, mut registers) in self.identity.row(id).shares() {
            for named in self.linked.get(&ix).into_iter().flatten() {
                if let Some(named) = self.jobs.get(named.0) {
                    registers.join(&named.known);
                }
            }
            if let Some(job) = self.jobs.get_mut(ix.0) {
                job.set_row(registers);
            }
            self.refresh(ix);
        }
        let unexplained = self.identity.row(id).unexplained();
        if let Some((orphan, found)) =
            unexplained.map(|(orphan, facts)| (orphan, strangers::of_row(orphan, facts)))
        {
            self.set_strangers(orphan, found);
        }
    }

    /// Finds out again which jobs of a numeric id are those that worker lines name by a uuid.
    pub(super) fn link_row(&mut self, id: &JobId) {
        let mut is_news = false;
        for (named, owner) in self.identity.row(id).links() {
            let Some(job) = self.jobs.get_mut(named.0).filter(|job| job.linked_to != owner) else { continue };
            is_news = true;
            if let Some(before) = std::mem::replace(&mut job.linked_to, owner)
                && let Some(linked) = self.linked.get_mut(&before)
            {
                linked.remove(&named);
            }
            if let Some(owner) = owner {
                self.linked.entry(owner).or_default().insert(named);
            }
            self.refresh(named);
        }
        if is_news {
            self.share_row(id);
        }
    }

    /// Passes on what is new of a job that is told as another.
    pub(super) fn pass_on(&mut self, ix: JobIx) {
        let owner = self.jobs.get(ix.0).and_then(|job| self.jobs.get(job.linked_to?.0));
        if let Some(id) = owner.and_then(|owner| owner.known.id()).cloned() {
            self.share_row(&id);
        }
    }
}

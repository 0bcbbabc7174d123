//! Attempts neither end nor start again, or jobs lose one worker after the other.

use std::collections::BTreeSet;

use super::lost::LOST_GIVEN_UP_MS;
use super::{Planner, key_of};
use crate::domain::incidents::{Incident, JOBS_LISTED_MAX, Kind, ListedJob};
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::{QueueView, StuckAttempt};

impl Planner<'_> {
    pub(super) fn judge_stuck_running(&mut self, lane: &QueueRef, view: &QueueView) {
        let now = self.horizon.now;
        let mut stuck: Vec<&StuckAttempt> = Vec::new();
        let mut given_up: u64 = 0;
        let key = key_of(Kind::StuckRunning, lane);
        let open = self.opened(&key);
        let unread: BTreeSet<JobIx> = self.plan.given_up.iter().copied().collect();
        for attempt in &view.stuck {
            if attempt.ix.is_some_and(|ix| unread.contains(&ix)) {
                // The incident that tells of missing lines tells of it, and so does this one if it has begun to.
                given_up = given_up.saturating_add(1);
                continue;
            }
            if open.is_none() && self.is_waited_for(attempt) {
                continue;
            }
            let given_up_at = attempt.stuck_at.plus_ms(LOST_GIVEN_UP_MS);
            self.plan.wake.at(given_up_at, now);
            match attempt.ix {
                Some(ix) if given_up_at <= now => {
                    self.plan.given_up.push(ix);
                    given_up = given_up.saturating_add(1);
                }
                None if given_up_at <= now => {}
                _ => stuck.push(attempt),
            }
        }
        stuck.sort_by_key(|attempt| (attempt.started_at, attempt.ix));
        match open {
            Some(mut incident) => {
                incident.given_up = incident.given_up.saturating_add(given_up);
                self.follow_attempts(&mut incident, &stuck);
                if stuck.is_empty() {
                    let since = incident.since.unwrap_or(incident.opened_at);
                    incident.longest_wait_ms = now.since_ms(since);
                    self.resolve(incident);
                } else {
                    self.diagnose(&mut incident, view, &[]);
                    self.keep(incident);
                }
            }
            None if !stuck.is_empty() => {
                let mut incident = self.reopen(key, view);
                self.follow_attempts(&mut incident, &stuck);
                self.plan
                    .suspects
                    .extend(stuck.iter().filter_map(|attempt| attempt.ix).take(super::SUSPECTS_MAX));
                self.diagnose(&mut incident, view, &[]);
                self.fire(incident);
            }
            None => {}
        }
    }

    fn follow_attempts(&self, incident: &mut Incident, stuck: &[&StuckAttempt]) {
        incident.jobs_now = stuck.len() as u64;
        let Some(oldest) = stuck.first() else { return };
        let since = incident.since.unwrap_or(oldest.started_at);
        incident.since = Some(since.min(oldest.started_at));
        let running_ms = self.horizon.now.since_ms(oldest.started_at);
        incident.longest_wait_ms = incident.longest_wait_ms.max(running_ms);
        if incident.jobs_now <= incident.jobs_count {
            return;
        }
        incident.jobs_count = incident.jobs_now;
        let listed = stuck.iter().take(JOBS_LISTED_MAX).map(|attempt| match attempt.ix {
            Some(ix) => self.listed(ix),
            None => ListedJob { id: None, uuid: None, class: attempt.class.clone(), enqueued_at: None },
        });
        incident.jobs = listed.collect();
        let is_counted = stuck.iter().any(|attempt| attempt.ix.is_none());
        incident.matched_by = Some(self.told_by(is_counted));
    }
}

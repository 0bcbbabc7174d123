//! What must hold of the incidents: every stall is told by one, in time, and nothing else is told to be a stall.
//!
//! Only incidents of kind `stalled` are judged; others may open for reasons of their own.

use queuewatch::domain::incidents::{Incident, Kind, NotificationState, Severity};
use queuewatch::domain::job::{MINUTE_MS, QueueName, Timestamp};

use crate::oracle::{Broken, Judge};
use crate::story::{Fate, GRACE_MS, JOB_TIMEOUT_MS, Prints, Queue, Tells};

impl Judge<'_> {
    pub(crate) fn stalls(&mut self) {
        let queues = self.history.story.queues.clone();
        for (n, queue) in queues.iter().enumerate() {
            let incidents = self.stalls_of(queue);
            let stands = matches!(queue.fate, Fate::Stalls | Fate::Recovers);
            if stands && !incidents.iter().any(|incident| incident.severity == Severity::Page) {
                self.broken(Broken::StallMissed, format!("{queue:?}"));
            }
            let ids: Vec<&str> = incidents.iter().map(|incident| incident.id.as_str()).collect();
            let is_told_twice = incidents.iter().any(is_told_twice);
            if is_told_twice || (ids.len() > 1 && !self.was_told_late(n)) {
                self.broken(Broken::SecondIncident, format!("{queue:?}: {ids:?}"));
            }
            let is_open = incidents.iter().any(Incident::is_open);
            if is_open && queue.fate != Fate::Stalls {
                self.broken(Broken::NotResolved, format!("{queue:?}"));
            }
            if !is_open && queue.fate == Fate::Stalls {
                self.broken(Broken::FalseRecovery, format!("{queue:?}"));
            }
            for incident in &incidents {
                self.firings(n, incident);
            }
            if stands && !self.history.has_faults && !self.history.is_slow {
                self.deadline(n, &incidents);
            }
        }
    }

    /// The queue's stalls that anybody was told of.
    fn stalls_of(&self, queue: &Queue) -> Vec<Incident> {
        let is_of_queue = |incident: &&Incident| {
            let name = incident.key.queue.as_ref().map(QueueName::as_str);
            incident.key.kind == Kind::Stalled && name == Some(queue.name.as_str())
        };
        self.incidents.iter().filter(is_of_queue).filter(|it| self.was_told(it)).cloned().collect()
    }

    /// Whether it was told, or one that tells of both.
    fn was_told(&self, incident: &Incident) -> bool {
        let has_fired = |incident: &Incident| {
            incident.notifications.iter().any(|told| told.state == NotificationState::Firing)
        };
        let leads = |leader: &&Incident| leader.grouped.contains(&incident.id);
        has_fired(incident) || self.incidents.iter().filter(leads).any(has_fired)
    }

    /// Whether a job's start became known only after the job was overdue: then a page for it was honest, and there
    /// may be two.
    fn was_told_late(&self, queue: usize) -> bool {
        let story = &self.history.story;
        let known = &self.history.outside.witness.known_ms;
        story.jobs_on(queue).any(|job| {
            let Some(start) = story.first(job, Tells::Started) else { return false };
            let is_recovery = story.lines[start].at_ms - story.ready_ms(job) > 10 * MINUTE_MS;
            !is_recovery && known[&start] >= story.ready_ms(job) + GRACE_MS - self.history.skew_max_ms
        })
    }

    /// When a sweep says that a queue stands still, some job of it is overdue by all that was taken in before the
    /// sweep began.
    fn firings(&mut self, queue: usize, incident: &Incident) {
        let story = &self.history.story;
        let witness = &self.history.outside.witness;
        let is_counted = story.prints == Prints::Plain;
        let skew_ms = self.history.skew_max_ms;
        let hidden_ms = skew_ms + if story.can_be_looked_up() { 0 } else { self.history.stale_max_ms };
        let told = incident.notifications.iter().filter(|told| told.state == NotificationState::Firing);
        for at in told.map(|told| told.at).chain([incident.opened_at]) {
            let now_ms = at.as_ms();
            let is_known =
                |line: Option<usize>| line.is_some_and(|line| witness.known_ms[&line] + hidden_ms < now_ms);
            let is_taken = |job: &usize| is_known(story.first(*job, Tells::Started));
            let is_due = |job: &usize| {
                let came_ms = witness.came_ms[&story.first(*job, Tells::Enqueued).unwrap()];
                story.ready_ms(*job).max(came_ms - skew_ms) + GRACE_MS <= now_ms
            };
            // Of jobs that are counted the oldest are taken to be those that were taken.
            let is_enqueued = |job: &usize| is_known(story.first(*job, Tells::Enqueued));
            let taken = story.jobs_on(queue).filter(|job| is_enqueued(job) && is_taken(job)).count();
            let is_honest = if is_counted {
                story.jobs_on(queue).skip(taken).any(|job| is_due(&job))
            } else {
                story.jobs_on(queue).any(|job| is_due(&job) && !is_taken(&job))
            };
            if !is_honest {
                self.broken(Broken::FalseStall, format!("{} at {at}", incident.id));
            }
        }
    }

    /// Two minutes after the latest of: ready and grace, arrival and grace, last start and grace, end of work.
    fn deadline(&mut self, queue: usize, incidents: &[Incident]) {
        let story = &self.history.story;
        let known = &self.history.outside.witness.known_ms;
        let mut latest_ms = 0;
        let mut oldest_ms: Option<i64> = None;
        for job in story.jobs_on(queue) {
            let start_ms = story.first(job, Tells::Started).map(|line| story.lines[line].at_ms);
            match start_ms.filter(|at_ms| *at_ms < story.ready_ms(job) + GRACE_MS) {
                Some(start_ms) => latest_ms = latest_ms.max(start_ms + GRACE_MS.max(JOB_TIMEOUT_MS)),
                None => {
                    let known_ms = known[&story.first(job, Tells::Enqueued).unwrap()];
                    oldest_ms = oldest_ms.or(Some(known_ms.max(story.ready_ms(job)) + GRACE_MS));
                }
            }
        }
        let deadline_ms = latest_ms.max(oldest_ms.unwrap()) + 2 * MINUTE_MS;
        let opened_at = incidents.iter().map(|incident| incident.opened_at).min();
        if let Some(opened_at) = opened_at.filter(|at| at.as_ms() > deadline_ms) {
            let what = format!("opened at {opened_at}, deadline {}", Timestamp::from_ms(deadline_ms));
            self.broken(Broken::StallLate, what);
        }
    }
}

/// Whether one stall was told as if it were two.
fn is_told_twice(incident: &Incident) -> bool {
    let turns = [NotificationState::Firing, NotificationState::Resolved];
    let told: Vec<_> =
        incident.notifications.iter().map(|told| told.state).filter(|state| turns.contains(state)).collect();
    told.windows(2).any(|pair| pair[0] == pair[1])
}

//! What keeps us from seeing, as incidents.

use super::Planner;
use crate::domain::detectors::blindness;
use crate::domain::incidents::{Incident, Key, Kind, NotificationState};
use crate::domain::job::Timestamp;
use crate::domain::queues::view::QueueView;

impl Planner<'_> {
    pub(super) fn judge_blindness(&mut self) {
        let now = self.horizon.now;
        let heard_until = self.horizon.last_delivery.unwrap_or(Timestamp::MAX);
        let mut wake = self.plan.wake;
        let mut waiting = self.queues.values().flat_map(|view| &view.waiting);
        let is_anybody_overdue = waiting.any(|job| job.due_at <= now);
        let found = blindness::detect(self.ledger, (now, heard_until), is_anybody_overdue, &mut wake);
        self.plan.wake = wake;
        let open: Vec<Incident> = self
            .book
            .open()
            .filter(|incident| incident.key.kind == Kind::Blind)
            .filter(|incident| found.iter().all(|blind| Some(blind.reason) != incident.key.reason))
            .cloned()
            .collect();
        for incident in open {
            self.resolve(incident);
        }
        let closed =
            self.book.newest.values().filter(|it| it.key.kind == Kind::Blind && it.closed_because.is_some());
        let mended = closed.filter(|it| found.iter().all(|blind| Some(blind.reason) != it.key.reason));
        // What was closed by hand and is over may be told again another time.
        let mended: Vec<Incident> = mended.cloned().collect();
        self.plan.incidents.extend(mended.into_iter().map(|it| Incident { closed_because: None, ..it }));
        for blind in found {
            let key = Key::blind(blind.reason);
            match self.book.newest.get(&key).filter(|incident| incident.is_open()) {
                Some(open) => {
                    let mut incident = open.clone();
                    let is_louder = blind.severity > incident.severity;
                    incident.sources.extend(blind.sources);
                    if is_louder {
                        // One source's silence was worth a line; all of them are worth waking somebody.
                        incident.severity = blind.severity;
                        incident.evidence = blind.evidence;
                        incident.diagnosis = None;
                        self.diagnose(&mut incident, &QueueView::default(), &[]);
                        self.announce(&mut incident, NotificationState::Updated);
                    }
                    self.keep(incident);
                }
                // Closed by hand, and it has been so ever since.
                None if self.book.newest.get(&key).is_some_and(|past| past.closed_because.is_some()) => {}
                None => {
                    let mut incident = self.open(key, &QueueView::default());
                    incident.severity = blind.severity;
                    incident.sources = blind.sources;
                    incident.since = blind.since;
                    incident.evidence = blind.evidence;
                    self.diagnose(&mut incident, &QueueView::default(), &[]);
                    self.fire(incident);
                }
            }
        }
    }
}

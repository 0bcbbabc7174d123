//! Classes that do nothing but fail, an incident a queue.

use std::collections::{BTreeMap, BTreeSet};

use super::{Planner, key_of};
use crate::domain::detectors::failing_classes::{self, FailingClass};
use crate::domain::incidents::{Incident, Kind};
use crate::domain::job::JobClass;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::view::QueueView;

impl Planner<'_> {
    pub(super) fn judge_failing(&mut self) {
        let mut by_lane: BTreeMap<QueueRef, Vec<FailingClass>> = BTreeMap::new();
        let found = failing_classes::detect(self.ledger, self.policy, self.horizon.now, &mut self.plan.wake);
        for class in found {
            by_lane.entry(self.resolver.place_of_class(&class.class)).or_default().push(class);
        }
        let open = self.book.open().filter(|incident| incident.key.kind == Kind::Failing);
        let mut lanes: BTreeSet<QueueRef> = open.map(|it| it.key.place()).collect();
        lanes.extend(by_lane.keys().cloned());
        let nothing = QueueView::default();
        for lane in lanes {
            let classes = by_lane.remove(&lane).unwrap_or_default();
            let view = self.queues.get(&lane).unwrap_or(&nothing);
            self.judge_failing_at(&lane, view, &classes);
        }
    }

    fn judge_failing_at(&mut self, lane: &QueueRef, view: &QueueView, classes: &[FailingClass]) {
        let key = key_of(Kind::Failing, lane);
        match self.opened(&key) {
            Some(mut incident) => {
                follow_classes(&mut incident, classes);
                // A class that succeeds now and then, and fails most of the time, has not recovered.
                if classes.is_empty() && self.has_succeeded(&incident) {
                    self.resolve(incident);
                } else {
                    self.diagnose(&mut incident, view, &[]);
                    self.keep(incident);
                }
            }
            None if !classes.is_empty() => {
                let mut incident = self.reopen(key, view);
                incident.classes.clear();
                incident.since = classes.iter().map(|class| class.since).min();
                if incident.key.queue.is_none() {
                    incident.queues.extend(self.queues_of(classes.iter().map(|class| &class.class)));
                }
                follow_classes(&mut incident, classes);
                self.diagnose(&mut incident, view, &[]);
                self.fire(incident);
            }
            None => {}
        }
    }

    /// Whether every class has succeeded since it was last seen to do nothing but fail.
    fn has_succeeded(&self, incident: &Incident) -> bool {
        incident.classes.iter().all(|(class, newest_bad)| {
            let facts = self.ledger.class(Some(class));
            // A class that nobody knows any more fails no more.
            facts.is_none_or(|facts| facts.outcomes.newest_success() > Some(*newest_bad))
        })
    }

    fn queues_of<'c>(
        &self,
        classes: impl Iterator<Item = &'c JobClass>,
    ) -> BTreeSet<crate::domain::job::QueueName> {
        let facts = classes.filter_map(|class| self.ledger.class(Some(class)));
        facts.flat_map(|facts| facts.enqueued_on.iter().filter_map(|(_, queue)| queue.clone())).collect()
    }
}

fn follow_classes(incident: &mut Incident, classes: &[FailingClass]) {
    for class in classes {
        let newest = incident.classes.entry(class.class.clone()).or_insert(class.newest);
        *newest = (*newest).max(class.newest);
    }
    incident.jobs_now = classes.iter().map(|class| class.jobs_count).fold(0, u64::saturating_add);
    incident.jobs_count = incident.jobs_count.max(incident.jobs_now);
}

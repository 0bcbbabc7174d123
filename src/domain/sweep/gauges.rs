//! The gauges: what is waiting, overdue, running and stalled now.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use crate::domain::incidents::{Incident, Kind};
use crate::domain::job::{MINUTE_MS, QueueName, Timestamp};
use crate::domain::ledger::counting::JobIx;
use crate::domain::metric::{Datum, Dimensions, Metric};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::queues::place::World;
use crate::domain::queues::view::WaitingJob;

/// Measures everything, and whether nothing is going on. `is_awaiting`: an attempt that does not end is given a while.
pub(super) fn measure(plan: &mut Plan, world: &World<'_>, is_awaiting: bool) {
    let now = world.now;
    let mut by_queue: BTreeMap<Option<QueueName>, Gauges> = BTreeMap::new();
    let mut all = Gauges::default();
    // Found by this very sweep: the views were drawn before.
    let gone: BTreeSet<JobIx> = plan.unknown.iter().chain(&plan.hidden).copied().collect();
    for (QueueRef { queue, .. }, view) in world.queues {
        let named = by_queue.entry(queue.clone()).or_default();
        for gauges in [named, &mut all] {
            gauges.running = gauges.running.saturating_add(view.running_count);
        }
        // Neighbours mostly share a queue: each run of them is added up before it is looked up.
        let mut run: (Option<&QueueName>, Gauges) = (queue.as_ref(), Gauges::default());
        for waiting in view.waiting.iter().filter(|waiting| !gone.contains(&waiting.ix)) {
            let of = world.ledger.job(waiting.ix).and_then(|job| job.known.queue()).or(queue.as_ref());
            if of != run.0 {
                let (of, gauges) = std::mem::replace(&mut run, (of, Gauges::default()));
                by_queue.entry(of.cloned()).or_default().add(gauges);
            }
            run.1.take(waiting, now);
            all.take(waiting, now);
        }
        by_queue.entry(run.0.cloned()).or_default().add(run.1);
    }
    let open = |kind: Kind| {
        let changed: BTreeMap<&str, &Incident> =
            plan.incidents.iter().map(|incident| (incident.id.as_str(), incident)).collect();
        changed.values().filter(|i| i.is_open() && i.key.kind == kind).count() as u64
    };
    let stalled = open(Kind::Stalled);
    let is_any_open = plan.incidents.iter().any(Incident::is_open);
    plan.overdue_count = all.overdue;
    let is_idle = all.pending == 0 && all.running == 0 && !is_awaiting;
    plan.is_quiet = is_idle && !is_any_open;
    let mut data = all.data(&Dimensions::App, now);
    let mut rows: BTreeMap<QueueName, Gauges> = BTreeMap::new();
    for (queue, gauges) in by_queue {
        if let Some(queue) = queue {
            rows.entry(world.ledger.unpublished.row_of(&queue)).or_default().add(gauges);
        }
    }
    for (queue, gauges) in rows {
        data.extend(gauges.data(&Dimensions::Queue(queue), now));
    }
    let fresh_from = now.minus_ms(HEARTBEAT_FRESH_MS);
    let workers = world.ledger.signals.workers.values();
    let alive: Vec<_> = workers.filter(|worker| worker.is_alive_since(fresh_from)).collect();
    // A metric a queue costs, so only those have one where somebody says how many there should be.
    for queue in world.policy.queues.iter().filter(|queue| queue.expect_workers.is_some()) {
        let here = alive.iter().filter(|worker| worker.queues.contains(&queue.name)).count() as u64;
        data.push(gauge(Metric::WorkersAlive, Dimensions::Queue(queue.name.clone()), now, here));
    }
    let alive = alive.len() as u64;
    data.push(gauge(Metric::StalledQueues, Dimensions::App, now, stalled));
    data.push(gauge(Metric::WorkersAlive, Dimensions::App, now, alive));
    data.push(gauge(Metric::SweepHeartbeat, Dimensions::None, now, 1));
    plan.gauges = data;
}

/// Two heartbeats a minute apart may be this far apart when one is lost on the way.
const HEARTBEAT_FRESH_MS: i64 = 3 * MINUTE_MS;

#[derive(Clone, Copy, Debug, Default)]
struct Gauges {
    pending: u64,
    overdue: u64,
    running: u64,
    oldest_age_ms: i64,
}

impl Gauges {
    fn take(&mut self, job: &WaitingJob, now: Timestamp) {
        self.pending = self.pending.saturating_add(1);
        self.overdue = self.overdue.saturating_add(u64::from(job.overdue_at <= now));
        self.oldest_age_ms = self.oldest_age_ms.max(now.since_ms(job.ready_at));
    }

    fn add(&mut self, other: Self) {
        self.pending = self.pending.saturating_add(other.pending);
        self.overdue = self.overdue.saturating_add(other.overdue);
        self.running = self.running.saturating_add(other.running);
        self.oldest_age_ms = self.oldest_age_ms.max(other.oldest_age_ms);
    }

    fn data(self, dimensions: &Dimensions, now: Timestamp) -> Vec<Datum> {
        let age_s = u64::try_from(self.oldest_age_ms.wrapping_div(1000)).unwrap_or(0);
        [
            (Metric::Pending, self.pending),
            (Metric::OldestPendingAge, age_s),
            (Metric::Overdue, self.overdue),
            (Metric::Running, self.running),
        ]
        .into_iter()
        .map(|(metric, value)| gauge(metric, dimensions.clone(), now, value))
        .collect()
    }
}

fn gauge(metric: Metric, dimensions: Dimensions, at: Timestamp, value: u64) -> Datum {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    Datum { metric, dimensions, at: at.minute(), values: BTreeMap::from([(value, 1)]) }
}

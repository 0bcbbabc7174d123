//! A short stall: three jobs wait too long, then a worker takes them. What it must come to, whatever goes wrong on the way.

use std::collections::BTreeMap;

use crate::world::World;

/// 2026-01-05T09:00:10Z.
pub(crate) const BEGIN_MS: i64 = 1_767_603_610_000;
const MINUTE_MS: i64 = 60_000;
const JOBS: i64 = 3;

/// What became of it, as others see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    /// How often each notification arrived at each topic.
    pub(crate) messages: BTreeMap<(&'static str, String), usize>,
    /// Counters.
    pub(crate) sums: BTreeMap<&'static str, f64>,
    /// `Pending` and `StalledQueues` at the end.
    pub(crate) gauges: (f64, f64),
}

pub(crate) fn enqueued(n: i64) -> String {
    format!(
        r#"[2026-01-05 09:00:10] production.INFO: Job queued {{"id":"job{n}","uuid":"00000000-0000-4000-8000-0000000000{n:02}","job":"App\\Jobs\\Render","queue":"default","connection":"redis","delay":null}} "#
    )
}

pub(crate) fn worked(n: i64, status: &str) -> String {
    format!(
        r#"{{"level":"info","id":"job{n}","uuid":"00000000-0000-4000-8000-0000000000{n:02}","connection":"redis","queue":"default","job":"App\\Jobs\\Render","status":"{status}","result":null,"attempts":1,"exception":"","message":"","timestamp":"2026-01-05T09:10:00+00:00"}}"#
    )
}

/// Plays it: failed deliveries are repeated as Lambda would, ticks are not, and the next one comes a minute later.
pub(crate) fn play(world: &mut World<'_>) -> End {
    for n in 0..JOBS {
        let at_ms = BEGIN_MS + n * 1_000;
        world.set_clock(at_ms);
        for event in world.put("ecs/app/one", &[(at_ms, &enqueued(n))]) {
            world.deliver(&event);
            world.deliver(&event);
        }
    }
    world.tick();
    world.set_clock(BEGIN_MS + 6 * MINUTE_MS);
    (0..3).for_each(|_| drop(world.tick()));
    for n in 0..JOBS {
        let at_ms = world.now_ms + 1_000;
        world.set_clock(at_ms);
        let (start, end) = (worked(n, "starting"), worked(n, "success"));
        for event in world.put("ecs/worker/one", &[(at_ms, &start), (at_ms + 500, &end)]) {
            world.deliver(&event);
        }
    }
    (0..4).for_each(|_| drop(world.tick()));
    let mut messages = BTreeMap::new();
    for message in world.messages() {
        *messages.entry((message.topic, message.notification)).or_default() += 1;
    }
    let counters = ["Enqueued", "Processing", "Processed", "Failed"];
    let last = |name: &str| world.metric(name, None).last().map_or(-1.0, |(_, value)| *value);
    End {
        messages,
        sums: counters.into_iter().map(|name| (name, world.sum(name))).collect(),
        gauges: (last("Pending"), last("StalledQueues")),
    }
}

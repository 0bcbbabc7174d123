//! One history: a story, what is delivered of it and when, and what came of it.

use std::cell::RefCell;
use std::rc::Rc;

use queuewatch::domain::job::{MINUTE_MS, Timestamp};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;

use crate::deliveries::{self, Delivery};
use crate::dice::Dice;
use crate::faults::Faults;
use crate::outside::Outside;
use crate::protocol::Protocol;
use crate::story::{GRACE_MS, Story};
use crate::timetable::{self, Tick};
use crate::world::{Event, World};

/// How long after everything else the last two sweeps come, in which nothing goes wrong: all that waits is overdue by
/// then, however late the deliveries were.
const SETTLED_AFTER_MS: i64 = 16 * MINUTE_MS;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// A container's protocol.
    pub(crate) protocol: fn() -> Rc<dyn Protocol>,
    pub(crate) has_faults: bool,
    pub(crate) is_traced: bool,
}

/// A history that is over.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) story: Story,
    pub(crate) policy: Policy,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) has_faults: bool,
    pub(crate) is_slow: bool,
    pub(crate) stale_max_ms: i64,
    pub(crate) skew_max_ms: i64,
    pub(crate) outside: Outside,
}

impl History {
    /// The lines, then every call and what became of it, for whoever reads one history.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("{:?}\n", self.story.prints);
        for (n, line) in self.story.lines.iter().enumerate() {
            let at = Timestamp::from_ms(line.at_ms);
            let queue = line.tells.map(|(job, _)| &self.story.queues[self.story.jobs[job].queue]);
            told += &format!("line {n} {at} stream {} {:?} {queue:?}\n", line.stream, line.tells);
        }
        told + &self.outside.trace.as_ref().map(|trace| trace.join("\n")).unwrap_or_default()
    }
}

pub(crate) fn play(plan: Plan, classifier: &Classifier) -> History {
    let Plan { seed, has_faults, .. } = plan;
    let mut dice = Dice::new(seed, 1);
    let story = Story::tell(&mut dice);
    let has_late = dice.happens(400);
    let policy = Policy { has_chat_topic: dice.happens(500), ..Policy::default().with_grace(GRACE_MS) };
    let ticks = timetable::ticks(&story, &mut Dice::new(seed, 2), has_faults, has_late);
    let deliveries = deliveries::deliver(&story, &mut Dice::new(seed, 3), &ticks, has_late, classifier);
    let mut dice = Dice::new(seed, 4);
    let faults = if has_faults { Faults::roll(&mut dice) } else { Faults::none(&mut dice) };
    let outside = Rc::new(RefCell::new(Outside::new(faults, dice, plan.is_traced)));
    let dice = Dice::new(seed, 5);
    let mut world = World::new(plan.protocol, &policy, &deliveries, faults, Rc::clone(&outside), dice);
    for (number, delivery) in deliveries.iter().enumerate() {
        world.at(delivery.at_ms, Event::Deliver { number, tries: 0 });
    }
    for tick in &ticks {
        world.at(tick.at_ms, Event::Tick(*tick));
    }
    world.run();
    let mut ticks = ticks;
    let settled_ms = outside.borrow().now_ms + SETTLED_AFTER_MS;
    for at_ms in [settled_ms, settled_ms + MINUTE_MS] {
        let tick = Tick { at_ms, is_calm: true };
        world.at(at_ms, Event::Tick(tick));
        ticks.push(tick);
    }
    world.run();
    drop(world);
    let outside = Rc::into_inner(outside).unwrap().into_inner();
    let (is_slow, Faults { stale_max_ms, skew_max_ms, .. }) = (faults.is_slow(), faults);
    History { story, policy, deliveries, ticks, has_faults, is_slow, stale_max_ms, skew_max_ms, outside }
}

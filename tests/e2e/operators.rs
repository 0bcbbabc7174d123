//! What operators say to the sweep, and what the stack says to them when it is new.

use serde_json::json;

use crate::seen::Message;
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::World;

const MINUTE_MS: i64 = 60_000;

/// A stack with two jobs that nobody takes; nothing is overdue yet.
fn waiting<'a>(servers: &'a Servers, name: &str) -> World<'a> {
    let mut world = World::new(servers, name, &format!("/ecs/{name}"), BEGIN_MS);
    for n in 0..2 {
        for event in world.put("ecs/app/one", &[(BEGIN_MS + n, &story::enqueued(n))]) {
            world.deliver(&event);
        }
    }
    world.sweep();
    world
}

/// Sweeps each minute up to this one after the beginning.
fn sweep_until(world: &mut World<'_>, minute: i64) {
    while world.now_ms < BEGIN_MS + minute * MINUTE_MS {
        world.sweep();
    }
}

/// Of the messages that have come since the last time: topic and notification.
fn told(world: &World<'_>, is_meant: impl Fn(&Message) -> bool) -> Vec<(&'static str, String)> {
    let meant = world.messages().into_iter().filter(is_meant);
    meant.map(|message| (message.topic, message.notification)).collect()
}

#[test]
fn an_incident_is_closed_by_hand_and_stays_closed() {
    let servers = Servers::start(Tables::Moto);
    let mut world = waiting(&servers, "close");
    sweep_until(&mut world, 7);
    let incident = "stalled-redis-default-20260105T0906Z";
    let page = format!("{incident}/1");
    assert_eq!(told(&world, |_| true), [("email", page.clone()), ("chat", page)]);

    let unknown = world.invoke("sweep", &json!({ "close": "stalled-redis-default-20200101T0000Z" }));
    assert_eq!(unknown.outcome, "error");
    assert!(unknown.payload.contains("no incident of this id is open"), "{}", unknown.payload);

    world.set_clock(world.now_ms + 5_000);
    let ended = world.invoke("sweep", &json!({ "close": incident, "reason": "flushed by hand" }));
    assert_eq!(ended.outcome, "response", "{}", ended.payload);
    let messages = world.messages();
    assert_eq!(messages.iter().map(|message| message.topic).collect::<Vec<_>>(), ["email", "chat"]);
    assert!(messages[0].subject.contains("closed by hand: flushed by hand"), "{messages:?}");

    sweep_until(&mut world, 90);
    assert_eq!(told(&world, |message| message.incident != "now-watching"), []);
    let gauges = ["Pending", "Overdue", "StalledQueues"].map(|name| world.gauge(name, None));
    assert_eq!(gauges, [0.0; 3]);
    let held = world.held();
    assert_eq!((held.indexed, &held.jobs[0]["state"]), (0, &json!("unknown")));
    assert_eq!(held.history[0]["id"], incident);
}

#[test]
fn a_silence_delays_a_page_and_does_not_cancel_it() {
    let servers = Servers::start(Tables::Moto);
    let mut world = waiting(&servers, "silence");
    let until = jiff::Timestamp::from_millisecond(BEGIN_MS + 20 * MINUTE_MS).unwrap().to_string();
    let silence = json!({ "silence": { "queue": "default", "until": until, "reason": "migration" } });
    world.set_clock(world.now_ms + 5_000);
    let ended = world.invoke("sweep", &silence);
    assert_eq!(ended.outcome, "response", "{}", ended.payload);
    let is_page = |message: &Message| message.incident.starts_with("stalled");
    sweep_until(&mut world, 19);
    assert_eq!(told(&world, is_page), []);
    assert_eq!(world.gauge("StalledQueues", None), 1.0, "what is silent is seen");
    sweep_until(&mut world, 22);
    let page = "stalled-redis-default-20260105T0906Z/1".to_owned();
    assert_eq!(told(&world, is_page), [("email", page.clone()), ("chat", page)]);
}

#[test]
fn a_new_stack_says_once_that_it_is_watching() {
    let servers = Servers::start(Tables::Moto);
    let mut world = waiting(&servers, "greeting");
    let is_greeting = |message: &Message| message.incident == "now-watching";
    sweep_until(&mut world, 14);
    assert_eq!(told(&world, is_greeting), []);
    let greeting = |topic| (topic, "now-watching/1".to_owned());
    sweep_until(&mut world, 17);
    assert_eq!(told(&world, is_greeting), [greeting("email"), greeting("chat")]);
    sweep_until(&mut world, 40);
    assert_eq!(told(&world, is_greeting), []);
}

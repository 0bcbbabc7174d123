//! Every call site in turn goes wrong, in every way that a call can; and processes die anywhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::seen::Call;
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS, End, side_by_side};
use crate::world::World;

/// Worlds at a time: two cores, and some that wait.
const AT_ONCE: usize = 4;
/// Longer than the SDK waits for one answer, which is 5 s.
const HANG_MS: u64 = 5_500;

/// A call site: who calls which operation on what.
type Site = (String, String, String, String);

fn site(call: &Call) -> Site {
    (call.function.clone(), call.service.clone(), call.operation.clone(), call.detail.clone())
}

fn clean(servers: &Servers) -> (End, Vec<Call>) {
    let mut world = World::new(servers, "clean", "/ecs/clean", BEGIN_MS);
    let end = story::clean(&mut world);
    (end, world.calls())
}

/// Plays the story with these faults in a world of its own.
fn disturbed(servers: &Servers, name: &str, rules: &Value, wanted: &End) -> Option<String> {
    let mut world = World::new(servers, name, &format!("/ecs/{name}"), BEGIN_MS);
    world.faults(rules);
    let end = story::play(&mut world);
    let calls = world.calls();
    let has_met = calls.iter().any(|call| call.fault.is_some());
    let judged = if has_met { story::judge(&end, wanted, &calls) } else { Err("never met".to_owned()) };
    judged.err().map(|why| format!("{rules}: {why}\n{}", world.output()))
}

fn every_site(at_once: usize, kinds: &[Value]) {
    let servers = Servers::start(Tables::Moto);
    let (wanted, calls) = clean(&servers);
    let sites: BTreeSet<Site> = calls.iter().map(site).collect();
    assert!(sites.len() > 12, "{sites:#?}");
    let mut work = Vec::new();
    for (n, (function, service, operation, detail)) in sites.into_iter().enumerate() {
        for (k, kind) in kinds.iter().enumerate() {
            let name = format!("s{n}k{k}");
            let mut rule = kind.clone();
            rule["detail"] =
                json!(if service == "sns" { format!("{name}-{detail}") } else { detail.clone() });
            rule["function"] = json!(format!("{name}-{function}"));
            (rule["service"], rule["operation"]) = (json!(service), json!(operation));
            work.push((name, json!([rule])));
        }
    }
    side_by_side(at_once, work, |(name, rules)| disturbed(&servers, &name, &rules, &wanted));
}

#[test]
fn a_refusal_at_any_call_changes_nothing() {
    every_site(
        AT_ONCE,
        &[
            json!({ "kind": "refuse", "status": 500, "code": "InternalServerError" }),
            json!({ "kind": "refuse", "status": 400, "code": "ThrottlingException" }),
        ],
    );
}

#[test]
fn a_lost_reply_at_any_call_repeats_what_was_asked_and_nothing_else() {
    every_site(
        AT_ONCE,
        &[
            json!({ "kind": "lose", "status": 500, "code": "InternalServerError" }),
            json!({ "kind": "break" }),
        ],
    );
}

#[test]
fn a_reply_that_does_not_come_in_time_is_a_lost_one() {
    // They wait, so more of them fit.
    every_site(3 * AT_ONCE, &[json!({ "kind": "hang", "ms": HANG_MS })]);
}

#[test]
fn a_death_at_any_call_loses_nothing() {
    every_site(AT_ONCE, &[json!({ "kind": "kill" }), json!({ "kind": "kill_after" })]);
}

/// Where it dies: a generator of our own, so that a seed means the same for ever
/// (SplitMix64, <https://doi.org/10.1145/2714064.2660195>).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }
}

/// Stories in which processes die at random.
const DEATHS: u64 = 40;
/// Deaths in one of them. A page may be three ticks late then, and the worker comes after the fourth.
const DEATHS_MAX: usize = 3;

#[test]
fn processes_that_are_killed_at_random_lose_nothing() {
    let servers = Servers::start(Tables::Moto);
    let (wanted, calls) = clean(&servers);
    let work: Vec<u64> = (0..DEATHS).collect();
    side_by_side(AT_ONCE, work, |seed| {
        let mut random = Seeded(seed);
        let mut rule = || {
            let kind = ["kill", "kill_after"][random.below(2)];
            // Writes and what is told are few among the calls, and are where it hurts.
            let site = match random.below(3) {
                0 => json!({ "nth": 1 + random.below(calls.len()) }),
                n => {
                    let site = ["PutItem", "Publish"][n - 1];
                    let of_site = calls.iter().filter(|call| call.operation == site).count();
                    json!({ "operation": site, "nth": 1 + random.below(of_site) })
                }
            };
            let mut rule = site;
            rule["kind"] = json!(kind);
            rule
        };
        let first = rule();
        let rules: Vec<Value> = std::iter::once(first).chain((1..DEATHS_MAX).map(|_| rule())).collect();
        disturbed(&servers, &format!("seed{seed}"), &json!(rules), &wanted)
    });
}

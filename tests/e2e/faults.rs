//! Every call site in turn goes wrong, in every way that a call can.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS, End};
use crate::world::{Call, World};

/// A call site: who calls which operation on what.
type Site = (String, String, String, String);

fn site(call: &Call) -> Site {
    (call.function.clone(), call.service.clone(), call.operation.clone(), call.detail.clone())
}

fn clean(servers: &Servers) -> (End, Vec<Call>) {
    let mut world = World::new(servers, "clean", "/ecs/clean", BEGIN_MS);
    let end = story::play(&mut world);
    assert_eq!(end.gauges, (0.0, 0.0), "{end:?}\n{}", world.output());
    assert_eq!(end.sums.values().sum::<f64>(), 9.0, "{end:?}");
    assert!(end.messages.values().all(|count| *count == 1) && end.messages.len() == 4, "{end:?}");
    (end, world.calls())
}

/// Where a reply was lost, or the process died, its effect may come once more. Nowhere else, and never less.
fn judge(end: &End, clean: &End, pages_max: usize, counters_max: f64) -> Result<(), String> {
    let same_messages = end.messages.keys().eq(clean.messages.keys());
    let pages = end.messages.values().copied().max().unwrap_or(0);
    let fits = |(name, wanted): (&&str, &f64)| {
        *wanted <= end.sums[*name] && end.sums[*name] <= wanted * counters_max
    };
    let counters = clean.sums.iter().all(fits);
    if same_messages && pages <= pages_max && counters && end.gauges == clean.gauges {
        Ok(())
    } else {
        Err(format!("{end:#?}"))
    }
}

fn every_site(kinds: &[Value]) {
    let servers = Servers::start(Tables::Moto);
    let (wanted, calls) = clean(&servers);
    let sites: BTreeSet<Site> = calls.iter().map(site).collect();
    assert!(sites.len() > 12, "{sites:#?}");
    let mut failed = Vec::new();
    for (n, (function, service, operation, detail)) in sites.iter().enumerate() {
        for (k, kind) in kinds.iter().enumerate() {
            let name = format!("s{n}k{k}");
            let mut world = World::new(&servers, &name, &format!("/ecs/{name}"), BEGIN_MS);
            let mut rule = kind.clone();
            rule["function"] = json!(format!("{name}-{function}"));
            rule["service"] = json!(service);
            rule["operation"] = json!(operation);
            rule["detail"] =
                json!(if service == "sns" { format!("{name}-{detail}") } else { detail.clone() });
            world.faults(&json!([rule]));
            let end = story::play(&mut world);
            let met = world.calls().iter().any(|call| call.fault.is_some());
            let is_lost = ["lose", "break", "kill_after", "hang"].contains(&kind["kind"].as_str().unwrap());
            let has_died = function == "sweep" && kind["kind"].as_str().unwrap().starts_with("kill");
            let pages_max = if has_died || (is_lost && service == "sns") { 2 } else { 1 };
            let counters_max = if has_died || (is_lost && service == "cloudwatch") { 2.0 } else { 1.0 };
            let judged = judge(&end, &wanted, pages_max, counters_max);
            if !met {
                failed.push(format!("{rule}: never met"));
            } else if let Err(why) = judged {
                failed.push(format!("{rule}: {why}"));
            }
        }
    }
    assert!(failed.is_empty(), "wanted {wanted:#?}\n{}", failed.join("\n"));
}

#[test]
fn a_refusal_or_a_lost_reply_at_any_call_changes_nothing_that_it_may_not() {
    every_site(&[
        json!({ "kind": "refuse", "status": 500, "code": "InternalServerError" }),
        json!({ "kind": "refuse", "status": 400, "code": "ThrottlingException" }),
        json!({ "kind": "lose", "status": 500, "code": "InternalServerError" }),
        json!({ "kind": "break" }),
    ]);
}

#[test]
fn a_death_at_any_call_loses_nothing() {
    every_site(&[json!({ "kind": "kill" }), json!({ "kind": "kill_after" })]);
}

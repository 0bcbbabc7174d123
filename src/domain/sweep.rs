//! Decide, then do: what a sweep finds, as complete data. Whoever carries it out has no choice left.
//!
//! This is the order of a sweep. Each detector sees what is known, what could be seen, and its past incident; none sees
//! what another has decided.

mod command;
mod gauges;
mod greeting;
mod learned;
mod plan;

use std::collections::BTreeSet;

use super::detectors::{backlog, blind, failing, lost, refused, stalled, stuck};
use super::diagnosis::{Question, diagnose};
use super::incidents::cases::{Cases, Verdict};
use super::incidents::{Diagnosis, Incident, Key, Kind, Register, group};
use super::ledger::Ledger;
use super::model::policy::Policy;
use super::model::queue_ref::QueueRef;
use super::model::wake::Wake;
use super::queues::ahead;
use super::queues::place::World;
use super::queues::resolver::QueueResolver;
use super::queues::view::{self, QueueView, WaitingJob};
use super::visibility;
use super::visibility::coverage::Coverage;

pub use command::plan_command;
pub use plan::{Horizon, Plan};

/// Decides what a sweep does. Pure: the same ledger, register, policy and moment make the same plan.
#[must_use]
pub fn plan_sweep(ledger: &Ledger, register: &Register, policy: &Policy, horizon: Horizon) -> Plan {
    let (mut wake, Horizon { now, last_delivery }) = (Wake::default(), horizon);
    let queues = view::read(ledger, policy, now, &mut wake);
    let resolver = QueueResolver::of(ledger, policy);
    let learned = learned::names(register, &queues, ledger);
    let world =
        World { ledger, policy, resolver: &resolver, learned: &learned, queues: &queues, now, last_delivery };
    let coverage = Coverage::of(ledger, now);
    if !learned.is_empty() {
        // Where the incident ends now, the jobs are at their own place from the next look on.
        wake.at(now.plus_ms(1), now);
    }
    let mut cases = Cases::new(ledger, register, policy, now, wake);
    let (nothing, busy) = (QueueView::default(), ahead::busy(&world));
    for name in &names(&world, register) {
        let view = queues.get(name).unwrap_or(&nothing);
        let place = world.place(learned.get(name).unwrap_or(name), view);
        let past = |kind: Kind| register.newest.get(&Key::at(kind, place.at));
        let why = why(&world, &coverage, view);
        let visible = visibility::decide(&place, &coverage, past(Kind::Lost));
        cases.wake_by(visible.wake);
        cases.apply(Verdict { unknown: view.worked_off.clone(), ..Verdict::default() }, &why);
        cases.apply(
            stalled::judge(&place, &visible, past(Kind::Stalled), ahead::drained_at(&world, &place, &busy)),
            &why,
        );
        let verdict = stalled::judge_silence(&place, cases.newest(&Key::at(Kind::Stalled, place.at)));
        cases.apply(verdict, &why);
        cases.apply(lost::judge(&place, &visible, past(Kind::Lost), past(Kind::Stalled)), &why);
        cases.apply(backlog::judge(&place, &visible, past(Kind::Backlog), past(Kind::Stalled)), &why);
        cases.apply(stuck::judge(&place, &visible, past(Kind::StuckRunning)), &why);
    }
    for verdict in failing::judge(&world, register) {
        let why = |incident: &Incident, jobs: &[&WaitingJob]| {
            let view = queues.get(&incident.key.place()).unwrap_or(&nothing);
            why(&world, &coverage, view)(incident, jobs)
        };
        cases.apply(verdict, why);
    }
    let why = why(&world, &coverage, &nothing);
    cases.apply(refused::judge(&world, register.newest.get(&refused::key())), &why);
    for verdict in blind::judge(&world, register) {
        cases.apply(verdict, &why);
    }
    group::group(&mut cases);
    cases.tell_beyond();
    cases.remind();
    let collected = cases.finish();
    let is_awaiting = collected.is_awaiting;
    let mut plan = Plan::of(collected);
    plan.greeting = greeting::greeting(&world, register);
    gauges::measure(&mut plan, &world, is_awaiting);
    plan
}

/// The queues to judge: those that anything is known of, and those of open incidents, each once.
fn names(world: &World<'_>, register: &Register) -> BTreeSet<QueueRef> {
    let mut names: BTreeSet<QueueRef> = world.queues.keys().cloned().collect();
    let open = register.open().filter(|incident| incident.key.kind.is_of_jobs());
    names.extend(open.map(|incident| incident.key.place()));
    names.retain(|name| world.learned.values().all(|known| known != name));
    names
}

/// Names the likely causes of an incident whose queue shows this.
fn why<'w>(
    world: &'w World<'_>,
    coverage: &'w Coverage<'_>,
    view: &'w QueueView,
) -> impl Fn(&Incident, &[&WaitingJob]) -> Diagnosis + 'w {
    move |incident, jobs| {
        let now = world.now;
        let question = Question {
            incident,
            place: &incident.key.place(),
            view,
            jobs,
            queues: world.queues,
            resolver: world.resolver,
            missing: coverage.missing(),
            now,
            heard_until: world.last_delivery.map_or(now, |last| last.min(now)),
        };
        diagnose(world.ledger, world.policy, &question)
    }
}

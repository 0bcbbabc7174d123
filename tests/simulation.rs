//! The whole of it in one process, seeded: ingests and sweeps over a table and sinks that throttle, lose replies, show
//! an old index and let processes die at any call; deliveries that come twice, in other payloads, late and at once.
//!
//! Whatever happens: no job is forgotten, counters are exact, every stall is told once, and the ledger is that of a run
//! in which nothing goes wrong. Five variants of the protocol that look as good must be found out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "what goes wrong here must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "simulation/deliveries.rs"]
mod deliveries;
#[path = "simulation/dice.rs"]
mod dice;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/gate.rs"]
mod gate;
#[path = "simulation/history.rs"]
mod history;
#[path = "simulation/ledger.rs"]
mod ledger;
#[path = "simulation/mutants.rs"]
mod mutants;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/outside.rs"]
mod outside;
#[path = "simulation/printing.rs"]
mod printing;
#[path = "simulation/protocol.rs"]
mod protocol;
#[path = "simulation/reference.rs"]
mod reference;
#[path = "simulation/stalls.rs"]
mod stalls;
#[path = "simulation/story.rs"]
mod story;
#[path = "simulation/timetable.rs"]
mod timetable;
#[path = "simulation/truth.rs"]
mod truth;
#[path = "simulation/witness.rs"]
mod witness;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::rc::Rc;

use queuewatch::domain::systems::Classifier;

use history::{History, Plan, play};
use mutants::{ClaimFirst, LateClear, NoEventIds, NoLease, NoLives};
use oracle::{Broken, Violation, judge};
use protocol::{AsDeployed, Protocol};

/// Histories in which things go wrong.
const HISTORIES: u64 = 8_500;
/// Histories in which nothing does: processes are slow, the index is old, deliveries come twice, late and cut otherwise.
const QUIET_HISTORIES: u64 = 1_500;
/// Histories within which a variant must be found out; the true protocol survives them all.
const VARIANT_HISTORIES: u64 = 300;
const _: () = assert!(VARIANT_HISTORIES <= HISTORIES && VARIANT_HISTORIES <= QUIET_HISTORIES);

/// Set to a seed, only that history is played, and told call by call.
const SEED: &str = "SIMULATION_SEED";

#[expect(
    clippy::disallowed_methods,
    reason = "who replays one history has no other way to name it to a test"
)]
fn seed() -> Option<u64> {
    std::env::var(SEED).ok().map(|seed| seed.parse().unwrap())
}

/// Plays and judges.
fn run(plan: Plan, classifier: &Classifier) -> (History, Vec<Violation>) {
    let history = play(plan, classifier);
    let violations = judge(&history);
    (history, violations)
}

/// How often what happened, and what did not hold.
type Survived = (BTreeMap<&'static str, usize>, Vec<String>);

/// Plays histories of the true protocol, fails with all that did not hold, and answers how often what happened;
/// nothing where only one was asked for.
fn survive(test: &str, histories: u64, has_faults: bool) -> Option<BTreeMap<&'static str, usize>> {
    let asked = seed();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let each = |thread: u64| match asked {
        Some(seed) => (seed..seed + u64::from(thread == 0)).step_by(1),
        None => (thread..histories).step_by(usize::try_from(threads).unwrap()),
    };
    let play = |thread: u64| survive_each(test, each(thread), has_faults, asked.is_some());
    let survived: Vec<Survived> = std::thread::scope(|scope| {
        let players: Vec<_> = (0..threads).map(|thread| scope.spawn(move || play(thread))).collect();
        players.into_iter().map(|player| player.join().unwrap()).collect()
    });
    let mut tally: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for (happened, broken) in survived {
        for (what, n) in happened {
            *tally.entry(what).or_default() += n;
        }
        wrong.extend(broken);
    }
    assert!(wrong.is_empty(), "{} did not hold\n{}", wrong.len(), wrong.join("\n"));
    asked.is_none().then_some(tally)
}

fn survive_each(test: &str, seeds: impl Iterator<Item = u64>, has_faults: bool, is_traced: bool) -> Survived {
    let classifier = Classifier::default();
    let (mut tally, mut wrong) = Survived::default();
    for seed in seeds {
        let protocol: fn() -> Rc<dyn Protocol> = || Rc::new(AsDeployed);
        let (history, violations) = run(Plan { seed, protocol, has_faults, is_traced }, &classifier);
        if is_traced {
            eprintln!("{}", history.told());
        }
        for (what, n) in history.outside.witness.tally {
            *tally.entry(what).or_default() += n;
        }
        let told = violations.iter().map(|it| {
            format!(
                "{:?}: {}\n  replay: {SEED}={seed} cargo test --test simulation {test} -- --nocapture",
                it.broken, it.what
            )
        });
        wrong.extend(told);
    }
    (tally, wrong)
}

#[test]
fn whatever_goes_wrong_nothing_is_forgotten_nor_told_twice_without_a_cause() {
    let Some(tally) = survive("whatever_goes_wrong", HISTORIES, true) else { return };
    for what in [
        "calls refused",
        "counters repeated",
        "deaths",
        "deliveries lost",
        "messages repeated",
        "old indices shown",
        "replies lost",
        "sweeps at once",
        "sweeps of an older version refused",
        "timeouts",
    ] {
        assert!(tally.get(what).is_some_and(|n| *n >= 20), "too little goes wrong: {tally:?}");
    }
}

#[test]
fn where_nothing_goes_wrong_everything_is_told_once_and_in_time() {
    let Some(tally) = survive("where_nothing_goes_wrong", QUIET_HISTORIES, false) else { return };
    let happened: Vec<&str> = tally.keys().copied().collect();
    assert_eq!(happened, ["old indices shown", "sweeps at once"], "{tally:?}");
}

#[test]
fn a_seed_gives_the_same_history_again() {
    let classifier = Classifier::default();
    for seed in 0..5 {
        let plan = Plan { seed, protocol: || Rc::new(AsDeployed), has_faults: true, is_traced: true };
        assert_eq!(play(plan, &classifier).told(), play(plan, &classifier).told());
    }
}

/// Plays histories of a variant until what must break breaks.
#[track_caller]
fn found_out(protocol: fn() -> Rc<dyn Protocol>, broken: Broken, has_faults: bool) {
    let classifier = Classifier::default();
    let breaks = |seed: u64| {
        let (_, violations) = run(Plan { seed, protocol, has_faults, is_traced: false }, &classifier);
        violations.iter().any(|violation| violation.broken == broken)
    };
    let found = (0..VARIANT_HISTORIES).find(|seed| breaks(*seed));
    assert!(found.is_some(), "{broken:?} is not found in {VARIANT_HISTORIES} histories");
}

#[test]
fn a_delivery_claimed_before_its_jobs_are_written_is_found_out() {
    found_out(|| Rc::new(ClaimFirst), Broken::JobForgotten, true);
}

#[test]
fn deliveries_claimed_without_event_ids_are_found_out() {
    found_out(|| Rc::new(NoEventIds), Broken::CountedTooOften, true);
    // Nothing has to go wrong for it but that lines come in two payloads.
    found_out(|| Rc::new(NoEventIds), Broken::CountedTooOften, false);
}

#[test]
fn lives_told_whole_that_nobody_asks_for_are_found_out() {
    found_out(|| Rc::new(NoLives), Broken::FalsePending, true);
}

#[test]
fn a_checkpoint_without_a_lease_is_found_out_where_nothing_goes_wrong() {
    found_out(|| Rc::new(NoLease), Broken::LetterRepeated, false);
}

#[test]
fn an_outbox_cleared_at_the_end_of_the_sweep_is_found_out() {
    found_out(|| Rc::new(LateClear::default()), Broken::LetterRepeated, true);
}

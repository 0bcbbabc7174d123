//! What an operator asks for, as a plan: an incident seen, or closed by hand with its jobs given up, or a silence.

use super::{Horizon, Plan, learned};
use crate::domain::command::Command;
use crate::domain::detectors::jobs_of;
use crate::domain::incidents::cases::Cases;
use crate::domain::incidents::{Incident, Register};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::policy::Policy;
use crate::domain::model::silence::Silence;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::World;
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::view;

/// Decides what a command does. `None` where it names an incident that is not open.
#[must_use]
pub fn plan_command(
    ledger: &Ledger,
    register: &Register,
    policy: &Policy,
    horizon: Horizon,
    command: &Command,
) -> Option<Plan> {
    let mut wake = Wake::default();
    let queues = view::read(ledger, policy, horizon.now, &mut wake);
    match command {
        Command::Silence(silence) => Some(Plan { silences: vec![silence.clone()], wake, ..Plan::default() }),
        Command::Hush { id, until, reason } => {
            let incident = register.open_by_name(id)?;
            // One of its queues is enough: a silence concerns what may be on any of them.
            let queue = incident.key.queue.as_ref().or_else(|| incident.queues.first());
            let queue = queue.map_or("*", |queue| queue.as_str()).to_owned();
            let silence = Silence { queue, until: *until, reason: reason.clone() };
            Some(Plan { silences: vec![silence], wake, ..Plan::default() })
        }
        Command::Seen { id, by } => {
            let incident = register.open_by_name(id)?;
            // What is told with another is seen with it.
            let leader = incident.grouped_under.as_ref().and_then(|leader| register.open_by_name(leader));
            let mut cases = Cases::new(ledger, register, policy, horizon.now, wake);
            cases.see(leader.unwrap_or(incident).clone(), by);
            Some(Plan::of(cases.finish()))
        }
        Command::Close { id, reason } => {
            let incident = register.open_by_name(id)?;
            let resolver = QueueResolver::of(ledger, policy);
            let learned = learned::names(register, &queues, ledger);
            let Horizon { now, last_delivery } = horizon;
            let world = World {
                ledger,
                policy,
                resolver: &resolver,
                learned: &learned,
                queues: &queues,
                now,
                last_delivery,
            };
            let mut cases = Cases::new(ledger, register, policy, now, wake);
            let unknown = jobs_at(&world, incident);
            cases.close(incident.clone(), reason, unknown);
            Some(Plan::of(cases.finish()))
        }
    }
}

/// The jobs that an incident is about, which are given up with it.
fn jobs_at(world: &World<'_>, incident: &Incident) -> Vec<JobIx> {
    if !incident.key.kind.is_of_jobs() {
        return Vec::new();
    }
    let at = incident.key.place();
    let views = world.queues.iter().filter(|(name, view)| world.place(&at, view).is_here(name));
    views.flat_map(|(_, view)| jobs_of(incident.key.kind, view, world.now)).collect()
}

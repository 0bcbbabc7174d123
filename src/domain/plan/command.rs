//! What an operator asks for, as a plan: an incident closed by hand with its jobs given up, or a silence.

use super::{Horizon, Plan, Planner};
use crate::domain::command::Command;
use crate::domain::detect::queues::{self, Queues};
use crate::domain::incident::{Book, Incident, Kind};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::class::Lane;
use crate::domain::policy::Policy;

/// Decides what a command does. `None` where it names an incident that is not open.
#[must_use]
pub fn plan_command(
    ledger: &Ledger,
    book: &Book,
    policy: &Policy,
    horizon: Horizon,
    command: &Command,
) -> Option<Plan> {
    let mut planner = Planner { ledger, book, policy, horizon, plan: Plan::default() };
    match command {
        Command::Silence(silence) => planner.plan.silences.push(silence.clone()),
        Command::Close { id, reason } => {
            let incident = book.open().find(|incident| incident.id == *id)?;
            let queues = queues::look(ledger, policy, horizon.now, &mut planner.plan.wake);
            planner.close(incident.clone(), &queues, reason);
        }
    }
    Some(planner.plan)
}

impl Planner<'_> {
    fn close(&mut self, mut incident: Incident, queues: &Queues, reason: &str) {
        incident.closed_because = Some(reason.to_owned());
        if incident.key.kind != Kind::Blind {
            let place: Lane = (incident.key.connection.clone(), incident.key.queue.clone());
            let homes = self.homes(queues);
            let is_at_home = |lane: &Lane| homes.get(lane).unwrap_or(lane) == &place;
            let views = queues.iter().filter(|(lane, _)| is_at_home(lane)).map(|(_, view)| view);
            let overdue = views.flat_map(|view| &view.waiting).filter(|job| job.due_at <= self.horizon.now);
            let is_of = |is_passed_over: bool| (incident.key.kind == Kind::Lost) == is_passed_over;
            let of = overdue.filter(|job| is_of(job.passed_over_at.is_some())).map(|job| job.ix);
            self.plan.given_up.extend(of);
            incident.given_up = incident.given_up.saturating_add(self.plan.given_up.len() as u64);
        }
        self.resolve(incident);
    }
}

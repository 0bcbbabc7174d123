//! What an operator asks for, as a plan: an incident closed by hand with its jobs given up, or a silence.

use super::{Horizon, Plan, Planner};
use crate::domain::command::Command;
use crate::domain::incidents::{Book, Incident, Kind};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::counting::JobIx;
use crate::domain::model::policy::Policy;
use crate::domain::model::wake::Wake;
use crate::domain::queues::view::{self, QueueView};

/// Decides what a command does. `None` where it names an incident that is not open.
#[must_use]
pub fn plan_command(
    ledger: &Ledger,
    book: &Book,
    policy: &Policy,
    horizon: Horizon,
    command: &Command,
) -> Option<Plan> {
    let mut wake = Wake::default();
    let queues = view::read(ledger, policy, horizon.now, &mut wake);
    let mut planner = Planner::new(ledger, book, policy, horizon, &queues);
    planner.plan.wake = wake;
    match command {
        Command::Silence(silence) => planner.plan.silences.push(silence.clone()),
        Command::Close { id, reason } => {
            let incident = book.open().find(|incident| incident.id == *id)?;
            planner.close(incident.clone(), reason);
        }
    }
    Some(planner.plan)
}

impl Planner<'_> {
    fn close(&mut self, mut incident: Incident, reason: &str) {
        incident.closed_because = Some(reason.to_owned());
        if incident.key.kind.is_of_jobs() {
            let place = incident.key.place();
            let views = self
                .queues
                .iter()
                .filter(|(lane, _)| self.is_at((*lane).clone(), &place))
                .map(|(_, view)| view);
            let of: Vec<JobIx> = views.flat_map(|view| self.jobs_of(incident.key.kind, view)).collect();
            self.plan.given_up.extend(of);
            incident.given_up = incident.given_up.saturating_add(self.plan.given_up.len() as u64);
        }
        self.resolve(incident);
    }

    /// The jobs of a place that an incident of a kind is about.
    fn jobs_of(&self, kind: Kind, view: &QueueView) -> Vec<JobIx> {
        if kind == Kind::StuckRunning {
            return view.stuck.iter().filter_map(|attempt| attempt.ix).collect();
        }
        let overdue = view.waiting.iter().filter(|job| job.due_at <= self.horizon.now);
        let is_of = |is_passed_over: bool| (kind == Kind::Lost) == is_passed_over;
        overdue.filter(|job| is_of(job.passed_over_at.is_some())).map(|job| job.ix).collect()
    }
}

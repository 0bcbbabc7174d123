//! The order of the steps: what a delivery and a sweep do, one after the other. The same for the function
//! and for replay; `now` is an argument.

use thiserror::Error;

use crate::domain::incident::{Incident, Notification, NotificationState};
use crate::domain::intake::DeliveryRecord;
use crate::domain::ledger::merge::Merged;
use crate::domain::metric::Datum;
use crate::domain::plan::{Horizon, Plan, plan_sweep};
use crate::domain::policy::Policy;
use crate::message;
use crate::ports::{AlarmChannel, Commit, Disposed, Disposition, LedgerStore, MetricSink};

/// A step that failed.
#[derive(Debug, Error)]
pub enum AppError<S: Disposed, M: Disposed, A: Disposed> {
    /// The ledger could not be read or written.
    #[error("the ledger's store failed")]
    Store(#[source] S),
    /// Metrics could not be published.
    #[error("the metric sink failed")]
    Metrics(#[source] M),
    /// A notification could not be sent.
    #[error("the alarm channel failed")]
    Alarm(#[source] A),
}

impl<S: Disposed, M: Disposed, A: Disposed> AppError<S, M, A> {
    /// What to do with the input.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) => error.disposition(),
            Self::Metrics(error) => error.disposition(),
            Self::Alarm(error) => error.disposition(),
        }
    }
}

/// Joins what a delivery says to what is known.
///
/// # Errors
/// Where the store fails; merging again is harmless.
pub async fn ingest<S: LedgerStore>(store: &mut S, record: &DeliveryRecord) -> Result<Merged, S::Error> {
    store.merge(record).await
}

/// Looks at everything once: fold, decide, write down, then say.
///
/// Whatever is said has been written first, so that a crash in between repeats it instead of losing it.
///
/// # Errors
/// Where an adapter fails; the next sweep goes on from what was written.
pub async fn sweep<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
    store: &mut S,
    metrics: &mut M,
    alarms: &mut A,
    policy: &Policy,
    horizon: Horizon,
) -> Result<Plan, AppError<S::Error, M::Error, A::Error>> {
    let (ledger, book) = store.fold().await.map_err(AppError::Store)?;
    let mut plan = plan_sweep(ledger, book, policy, horizon);
    let said = say(&mut plan, policy, horizon);
    let commit = Commit {
        incidents: plan.incidents.clone(),
        passed_over: plan.passed_over.clone(),
        given_up: plan.given_up.clone(),
    };
    let counters: Vec<Datum> = store.commit(commit).await.map_err(AppError::Store)?;
    for (incident, notification) in &said {
        alarms.send(incident, notification).await.map_err(AppError::Alarm)?;
    }
    metrics.put(&policy.app, plan.gauges.clone()).await.map_err(AppError::Metrics)?;
    metrics.put(&policy.app, counters).await.map_err(AppError::Metrics)?;
    Ok(plan)
}

/// Puts the plan's announcements into words and notes them with their incidents.
fn say(plan: &mut Plan, policy: &Policy, horizon: Horizon) -> Vec<(Incident, Notification)> {
    let mut said = Vec::new();
    for (id, state) in &plan.announcements {
        let Some(incident) = plan.incidents.iter_mut().find(|incident| incident.id == *id) else { continue };
        let notification = notification(incident, *state, policy, horizon);
        incident.notifications.push(notification.clone());
        said.push((incident.clone(), notification));
    }
    said
}

fn notification(
    incident: &Incident,
    state: NotificationState,
    policy: &Policy,
    horizon: Horizon,
) -> Notification {
    let now = horizon.now;
    let words = message::render(&policy.app, &policy.timezone, incident, state, now);
    Notification {
        id: incident.next_notification_id(),
        at: now,
        state,
        subject: words.subject,
        body: words.body,
    }
}

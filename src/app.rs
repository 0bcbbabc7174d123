//! The order of the steps: what a delivery and a sweep do, one after the other. The same for the function
//! and for replay; `now` is an argument.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::domain::command::Command;
use crate::domain::incidents::{Incident, Notification, NotificationState};
use crate::domain::intake::{DeliveryRecord, Merged};
use crate::domain::job::Timestamp;
use crate::domain::metric::Metric;
use crate::domain::model::policy::Policy;
use crate::domain::outbox::OutgoingMessage;
use crate::domain::sweep::{Horizon, Plan, plan_command, plan_sweep};
use crate::message::{self, Sections};
use crate::ports::{AlarmChannel, Commit, Disposed, Disposition, LedgerStore, MetricSink, View};

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
    /// A sweep is at work.
    #[error("a sweep is at work: try again in a minute")]
    Busy,
    /// The incident that was named is not open.
    #[error("no incident of this id is open; `queuewatch doctor` lists those that are")]
    NoSuchIncident,
}

impl<S: Disposed, M: Disposed, A: Disposed> AppError<S, M, A> {
    /// What to do with the input.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) => error.disposition(),
            Self::Metrics(error) => error.disposition(),
            Self::Alarm(error) => error.disposition(),
            Self::Busy => Disposition::Retry,
            Self::NoSuchIncident => Disposition::Drop,
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

/// What a sweep came to.
#[derive(Clone, Debug)]
pub enum Swept {
    /// It decided this, and did it.
    Done(Box<Done>),
    /// Another sweep was at work, or came first: nothing was done.
    Stood,
}

/// What was said, by the notification's id: what messages were made of, for whoever shows them in another form.
pub type Said = BTreeMap<String, Sections>;

/// What was decided and done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was decided.
    pub plan: Plan,
    /// What was said.
    pub said: Said,
}

/// Looks at everything once: fold, decide, write down, then say.
///
/// Whatever is said has been written first, so that a crash in between repeats it instead of losing it; and that
/// it was said is written before anything else is done, so that as little as can be is ever said twice.
///
/// # Errors
/// Where an adapter fails; the next sweep goes on from what was written.
pub async fn sweep<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
    store: &mut S,
    metrics: &mut M,
    alarms: &mut A,
    policy: &Policy,
    horizon: Horizon,
) -> Result<Swept, AppError<S::Error, M::Error, A::Error>> {
    let now = horizon.now;
    let Some(View { ledger, register }) = store.fold(now).await.map_err(AppError::Store)? else {
        return Ok(Swept::Stood);
    };
    let mut plan = plan_sweep(ledger, register, policy, horizon);
    if !plan.to_verify.is_empty()
        && let Some(View { ledger, register }) =
            store.confirm(&plan.to_verify).await.map_err(AppError::Store)?
    {
        plan = plan_sweep(ledger, register, policy, horizon);
    }
    carry_out(store, metrics, alarms, policy, horizon, plan).await
}

/// Does what an operator asks for, and answers what that came to.
///
/// # Errors
/// Where an adapter fails, another sweep is at work, or no such incident is open.
pub async fn apply_command<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
    store: &mut S,
    metrics: &mut M,
    alarms: &mut A,
    policy: &Policy,
    horizon: Horizon,
    command: &Command,
) -> Result<Box<Plan>, AppError<S::Error, M::Error, A::Error>> {
    let Some(View { ledger, register }) = store.fold(horizon.now).await.map_err(AppError::Store)? else {
        return Err(AppError::Busy);
    };
    let Some(plan) = plan_command(ledger, register, policy, horizon, command) else {
        return Err(AppError::NoSuchIncident);
    };
    match carry_out(store, metrics, alarms, policy, horizon, plan).await? {
        Swept::Done(done) => Ok(Box::new(done.plan)),
        Swept::Stood => Err(AppError::Busy),
    }
}

/// Carries a plan out: write down, say, write down that it was said, publish, tidy up.
async fn carry_out<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
    store: &mut S,
    metrics: &mut M,
    alarms: &mut A,
    policy: &Policy,
    horizon: Horizon,
    mut plan: Plan,
) -> Result<Swept, AppError<S::Error, M::Error, A::Error>> {
    let now = horizon.now;
    let (mut messages, said) = say(&mut plan, policy, horizon);
    let greeting = plan.greeting.as_ref().map(|watching| message::greet(watching, policy));
    messages.extend(greeting.into_iter().flatten());
    let commit = Commit {
        at: now,
        incidents: plan.incidents.clone(),
        messages,
        passed_over: plan.overtaken.clone(),
        given_up: plan.unknown.clone(),
        unseen: plan.hidden.iter().copied().collect(),
        silences: plan.silences.clone(),
        greeted_at: plan.greeting.as_ref().map(|_| now),
    };
    let Some(committed) = store.commit(commit).await.map_err(AppError::Store)? else {
        return Ok(Swept::Stood);
    };
    // What fails does not stop the rest: a topic that is ill must not cost the other its page, nor the gauges.
    let (mut sent, mut failed) = (Vec::new(), None);
    for message in &committed.messages {
        match alarms.send(message).await {
            Ok(()) => sent.push(message.id()),
            Err(error) => failed = Some(AppError::Alarm(error)),
        }
    }
    if !sent.is_empty() && !store.sent(&sent).await.map_err(AppError::Store)? {
        return Ok(Swept::Stood);
    }
    let mut is_published = true;
    let (heartbeat, gauges) = plan.gauges.iter().cloned().partition(|it| it.metric == Metric::SweepHeartbeat);
    for (data, is_counted) in [(gauges, false), (committed.counters, true), (heartbeat, false)] {
        if data.is_empty() {
            continue;
        }
        if let Err(error) = metrics.put(&policy.app, data, now).await {
            // What can never be taken is not tried again: the rest of it went through, and would be counted twice.
            is_published &= !(is_counted && error.disposition() == Disposition::Retry);
            failed = Some(AppError::Metrics(error));
        }
    }
    store.finish(is_published).await.map_err(AppError::Store)?;
    failed.map_or_else(|| Ok(Swept::Done(Box::new(Done { plan, said }))), Err)
}

/// Puts the plan's announcements into words, notes them with their incidents, and addresses them.
fn say(plan: &mut Plan, policy: &Policy, horizon: Horizon) -> (Vec<OutgoingMessage>, Said) {
    let (mut messages, mut said) = (Vec::new(), Said::new());
    for (id, state) in &plan.announcements {
        let Some(incident) = plan.incidents.iter_mut().find(|incident| incident.id == *id) else { continue };
        let sections = message::compose(policy, incident, *state, horizon.now);
        let notification = notification(incident, *state, &sections, horizon.now);
        messages.extend(message::address(incident, &notification, &sections, policy));
        said.insert(notification.id.clone(), sections);
        incident.notifications.push(notification);
    }
    (messages, said)
}

fn notification(
    incident: &Incident,
    state: NotificationState,
    sections: &Sections,
    now: Timestamp,
) -> Notification {
    Notification {
        id: incident.next_notification_id(),
        at: now,
        state,
        cause: incident.diagnosis.as_ref().map(|diagnosis| diagnosis.cause),
        subject: sections.subject.clone(),
        body: message::mail(sections),
    }
}

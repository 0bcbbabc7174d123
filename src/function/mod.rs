//! What one invocation of a function does: tell what arrived, and run the steps of [`crate::app`] on it.
//!
//! It is generic over the ports, so that tests run it over memory. It refuses the log groups that the functions
//! themselves write to, without a word: a line printed about one would come back as the next delivery.

mod error;
mod ingest;
pub mod log;

use aws_lambda_events::event::streams::KinesisEventResponse;
use serde::Serialize;

pub use error::{FunctionError, Unfit};

use crate::app::{self, Swept};
use crate::config::function::Role;
use crate::delivery::{self, Delivery};
use crate::domain::envelope::Limits;
use crate::domain::job::Timestamp;
use crate::domain::model::policy::Policy;
use crate::domain::sweep::Horizon;
use crate::domain::systems::Classifier;
use crate::message;
use crate::ports::{AlarmChannel, LedgerStore, MetricSink};

/// What an invocation answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Nothing: it is done.
    Done,
    /// Nothing: a sweep looked at everything and said what there was to say.
    Swept,
    /// From which record on a Kinesis batch is to be delivered again, if at all.
    Batch(KinesisEventResponse),
}

/// A function: what does not change from one invocation to the next.
#[derive(Debug)]
pub struct Function {
    /// What it does.
    pub role: Role,
    /// What it is configured to.
    pub policy: Policy,
    /// Reads lines.
    pub classifier: Classifier,
    /// How much a payload may hold.
    pub limits: Limits,
    /// Log groups that are not taken in.
    pub own_log_groups: Vec<String>,
}

/// The error of an invocation over these ports.
pub type ErrorOf<S, M, A> =
    FunctionError<<S as LedgerStore>::Error, <M as MetricSink>::Error, <A as AlarmChannel>::Error>;

/// What an invocation works on.
#[derive(Debug)]
pub struct Outside<S, M, A> {
    /// Keeps what is known.
    pub store: S,
    /// Takes metrics.
    pub metrics: M,
    /// Tells people.
    pub alarms: A,
}

impl Function {
    /// Does what `payload`, the event's JSON, asks for.
    ///
    /// # Errors
    /// What can never work, or an adapter's failure; see [`FunctionError::disposition`].
    pub async fn handle<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
        &self,
        payload: &[u8],
        now: Timestamp,
        outside: &mut Outside<S, M, A>,
    ) -> Result<Answer, ErrorOf<S, M, A>> {
        match self.role {
            Role::Ingest => self.ingest(payload, now, &mut outside.store).await.map_err(Into::into),
            Role::Sweep => {
                let delivery = delivery::parse(payload).map_err(Unfit::Delivery)?;
                self.sweep_or_command(delivery, now, outside).await
            }
        }
    }

    /// Sweeps, or does what an operator asks for.
    async fn sweep_or_command<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
        &self,
        delivery: Delivery<'_>,
        now: Timestamp,
        outside: &mut Outside<S, M, A>,
    ) -> Result<Answer, ErrorOf<S, M, A>> {
        // A tick or a command that failed once is one all the same.
        let delivery = match delivery {
            Delivery::OnFailure(inner) => *inner,
            direct @ (Delivery::Subscription { .. }
            | Delivery::Kinesis(_)
            | Delivery::Tick
            | Delivery::Command(_)) => direct,
        };
        match delivery {
            Delivery::Tick => self.sweep(now, outside).await,
            Delivery::Command(command) => {
                let Outside { store, metrics, alarms } = outside;
                let horizon = Horizon { now, last_delivery: None };
                let applied =
                    app::apply_command(store, metrics, alarms, &self.policy, horizon, &command).await;
                let plan = applied.map_err(FunctionError::App)?;
                tracing::info!(?command, "applied");
                log::incidents(&message::announced(&plan, now));
                Ok(Answer::Done)
            }
            Delivery::Subscription { .. } | Delivery::Kinesis(_) | Delivery::OnFailure(_) => {
                Err(Unfit::Misdirected { what: "log lines", role: "sweep" }.into())
            }
        }
    }

    async fn sweep<S: LedgerStore, M: MetricSink, A: AlarmChannel>(
        &self,
        now: Timestamp,
        outside: &mut Outside<S, M, A>,
    ) -> Result<Answer, ErrorOf<S, M, A>> {
        let Outside { store, metrics, alarms } = outside;
        let horizon = Horizon { now, last_delivery: None };
        let swept = app::sweep(store, metrics, alarms, &self.policy, horizon).await;
        match swept.map_err(FunctionError::App)? {
            Swept::Done(done) => {
                let plan = &done.plan;
                if !plan.announcements.is_empty() {
                    tracing::info!(
                        incidents_count = plan.incidents.len(),
                        announcements_count = plan.announcements.len(),
                        overdue_count = plan.overdue_count,
                        "swept"
                    );
                }
                log::incidents(&message::announced(plan, now));
                Ok(Answer::Swept)
            }
            Swept::Stood => {
                tracing::info!("another sweep is at work");
                Ok(Answer::Done)
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! What an operator decided: names, graces, sources, silences. The checked configuration, as the pure core
//! asks for it.
//!
//! It refuses nothing: whoever fills it has checked every value.

use std::collections::BTreeSet;

use super::channel::Channel;
use super::silence;
use crate::domain::account::split_account;
use crate::domain::cron::Cron;
use crate::domain::deployment::Deployment;
use crate::domain::glob;
use crate::domain::job::{ConnectionName, JobClass, MINUTE_MS, QueueName};

pub use super::silence::Silence;

pub use crate::domain::systems::Preset;

/// Everything the core may ask of a configuration. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The app every job of this deployment belongs to.
    pub app: String,
    /// The language of messages.
    pub language: Language,
    /// The IANA time zone shown beside UTC.
    pub timezone: String,
    /// Where the app runs, for commands that are ready to paste.
    pub ecs: Ecs,
    /// Where queuewatch itself runs, for the same.
    pub aws: Aws,
    /// Where each alarm is explained; without it, the files of this repository.
    pub runbook_url: Option<String>,
    /// Where an operator gets at it, for the commands that answer a message.
    pub deployment: Deployment,
    /// What to take the lines of a log stream for; the first match wins.
    pub sources: Vec<SourcePolicy>,
    /// How long a ready job may wait, where neither its class nor its queue says.
    pub grace_ms: i64,
    /// How long an attempt may run, where its class does not say; `None` learns it from the runs seen.
    pub job_timeout_ms: Option<i64>,
    /// How long after a deploy mark a page waits.
    pub deploy_grace_ms: i64,
    /// When a class counts as failing.
    pub failing: FailingPolicy,
    /// What single queues are allowed.
    pub queues: Vec<QueuePolicy>,
    /// What single classes are allowed.
    pub classes: Vec<ClassPolicy>,
    /// When pages wait.
    pub windows: Vec<Window>,
    /// Which queues send no page.
    pub silences: Vec<Silence>,
    /// Whether metrics carry the job's class.
    pub class_dimension: bool,
    /// Whether there is a topic for chat: warnings go there, and pages to both.
    pub has_chat_topic: bool,
    /// Where programs are told of everything, whatever people are told.
    pub machine_topics: Vec<Channel>,
    /// Whether a pager is told of warnings, too.
    pub does_pager_take_warnings: bool,
}

/// The language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

/// The ECS service that runs the app; what is not configured is printed as a shell variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ecs {
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The service's name.
    pub service: Option<String>,
}

/// Where queuewatch itself runs: what its environment tells, and no file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// The account that it runs in.
    pub account: Option<String>,
    /// The region; without it a command uses its reader's own.
    pub region: Option<String>,
    /// The function that takes an operator's word.
    pub sweep_function: Option<String>,
}

impl Aws {
    /// The stack, where the function still has the name that CloudFormation gave it: `queuewatch-SweepFunction-1A2B3C`.
    #[must_use]
    pub fn stack(&self) -> Option<&str> {
        let (stack, _) = self.sweep_function.as_deref()?.split_once("-SweepFunction-")?;
        Some(stack).filter(|stack| !stack.is_empty())
    }
}

/// What the lines of some log streams mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePolicy {
    /// The app that they are of; without it, the stack's.
    pub app: Option<String>,
    /// The AWS account that they are of; without it, any.
    pub owner: Option<String>,
    /// A glob of log groups.
    pub log_group: String,
    /// A glob of log streams.
    pub log_stream: String,
    /// Which families of line forms to try.
    pub presets: Vec<Preset>,
    /// The queue of a class that was never seen enqueued.
    pub queue: Option<QueueName>,
    /// The connection of a class that was never seen enqueued.
    pub connection: Option<ConnectionName>,
}

/// When a class counts as failing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailingPolicy {
    /// The share of bad attempts, above 0 and at most 1.
    pub ratio: f64,
    /// How many bad attempts it takes at least.
    pub bad_attempts: u32,
}

/// What one queue is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePolicy {
    /// The queue, by its exact name.
    pub name: QueueName,
    /// How long its jobs may wait.
    pub grace_ms: Option<i64>,
    /// How many workers should be alive on it.
    pub expect_workers: Option<u32>,
}

/// What one class is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassPolicy {
    /// The class, by its exact display name.
    pub name: JobClass,
    /// How long its jobs may wait.
    pub grace_ms: Option<i64>,
    /// How long an attempt may run.
    pub job_timeout_ms: Option<i64>,
    /// How long a released job waits before it is ready again.
    pub backoff_ms: Option<i64>,
}

/// A maintenance window: pages wait for its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// A glob of queues.
    pub queue: String,
    /// When it begins: five cron fields, in the policy's time zone.
    pub cron: Cron,
    /// How long it lasts.
    pub length_ms: i64,
}

impl Window {
    /// Whether it concerns something that may be on any of these queues, as [`Silence::concerns`] does.
    #[must_use]
    pub fn concerns(&self, queues: &BTreeSet<QueueName>) -> bool {
        silence::concerns(&self.queue, queues)
    }
}

impl Default for Policy {
    /// One app called `app`, five minutes of grace, every stream read with [`Preset::DEFAULT`].
    fn default() -> Self {
        Self {
            app: "app".into(),
            language: Language::En,
            timezone: "UTC".into(),
            ecs: Ecs::default(),
            aws: Aws::default(),
            runbook_url: None,
            deployment: Deployment::default(),
            sources: Vec::new(),
            // Longer than the three minutes that AWS names for a subscription's delivery.
            grace_ms: 5 * MINUTE_MS,
            job_timeout_ms: None,
            // Covers the gap between the last worker's stop and its successor's boot.
            deploy_grace_ms: 3 * MINUTE_MS,
            failing: FailingPolicy { ratio: 0.8, bad_attempts: 10 },
            queues: Vec::new(),
            classes: Vec::new(),
            windows: Vec::new(),
            silences: Vec::new(),
            class_dimension: false,
            has_chat_topic: false,
            machine_topics: Vec::new(),
            does_pager_take_warnings: false,
        }
    }
}

impl Policy {
    /// This policy with another default grace; what single queues and classes are allowed stays.
    #[must_use]
    pub fn with_grace(self, grace_ms: i64) -> Self {
        Self { grace_ms, ..self }
    }

    /// How long a ready job may wait: its class says, else its queue, else the default.
    #[must_use]
    pub fn grace_ms(&self, queue: Option<&QueueName>, class: Option<&JobClass>) -> i64 {
        self.class(class)
            .and_then(|class| class.grace_ms)
            .or_else(|| self.queue(queue).and_then(|queue| queue.grace_ms))
            .unwrap_or(self.grace_ms)
    }

    /// The longest grace of any queue or class.
    #[must_use]
    pub fn grace_max_ms(&self) -> i64 {
        let queues = self.queues.iter().filter_map(|queue| queue.grace_ms);
        let classes = self.classes.iter().filter_map(|class| class.grace_ms);
        queues.chain(classes).fold(self.grace_ms, i64::max)
    }

    /// How long an attempt may run: its class says, else the default; `None` where nothing is configured.
    #[must_use]
    pub fn job_timeout_ms(&self, class: Option<&JobClass>) -> Option<i64> {
        self.class(class).and_then(|class| class.job_timeout_ms).or(self.job_timeout_ms)
    }

    /// How long a released job of this class waits, where configured.
    #[must_use]
    pub fn backoff_ms(&self, class: Option<&JobClass>) -> Option<i64> {
        self.class(class).and_then(|class| class.backoff_ms)
    }

    /// How many workers should be alive on this queue, where configured.
    #[must_use]
    pub fn expect_workers(&self, queue: Option<&QueueName>) -> Option<u32> {
        self.queue(queue).and_then(|queue| queue.expect_workers)
    }

    /// The queue and connection of a class that was never seen enqueued, by the stream its lines came from.
    #[must_use]
    pub fn source_defaults(
        &self,
        log_group: &str,
        log_stream: &str,
    ) -> (Option<QueueName>, Option<ConnectionName>) {
        match self.source(log_group, log_stream) {
            Some(source) => (source.queue.clone(), source.connection.clone()),
            None => (None, None),
        }
    }

    /// Which presets read this stream; all of them where no source names it.
    #[must_use]
    pub fn presets(&self, log_group: &str, log_stream: &str) -> &[Preset] {
        self.source(log_group, log_stream).map_or(Preset::DEFAULT, |source| &source.presets)
    }

    /// The first source whose globs match. A group, stream or account that is not known (saved `filter-log-events`
    /// output names neither group nor account) is empty, and matches any.
    #[must_use]
    pub fn source(&self, log_group: &str, log_stream: &str) -> Option<&SourcePolicy> {
        let is_match = |glob: &str, text: &str| text.is_empty() || glob::matches(glob, text);
        let (owner, log_group) = split_account(log_group);
        self.sources.iter().find(|source| {
            let is_owner = owner.is_empty() || source.owner.as_deref().is_none_or(|it| it == owner);
            is_owner && is_match(&source.log_group, log_group) && is_match(&source.log_stream, log_stream)
        })
    }

    fn queue(&self, name: Option<&QueueName>) -> Option<&QueuePolicy> {
        let name = name?.as_str();
        self.queues.iter().find(|queue| queue.name.as_str() == name)
    }

    fn class(&self, name: Option<&JobClass>) -> Option<&ClassPolicy> {
        let name = name?.as_str();
        self.classes.iter().find(|class| class.name.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let class = |name: &str, grace_ms, job_timeout_ms, backoff_ms| ClassPolicy {
            name: JobClass::from(name),
            grace_ms,
            job_timeout_ms,
            backoff_ms,
        };
        Policy {
            grace_ms: 1,
            job_timeout_ms: Some(2),
            queues: vec![QueuePolicy { name: "reports".into(), grace_ms: Some(10), expect_workers: Some(3) }],
            classes: vec![
                class("Export", Some(100), Some(200), Some(300)),
                class("Import", None, None, Some(400)),
            ],
            ..Policy::default()
        }
    }

    #[track_caller]
    fn check(
        queue: Option<&str>,
        class: Option<&str>,
        grace: i64,
        timeout: Option<i64>,
        backoff: Option<i64>,
    ) {
        let (queue, class) = (queue.map(QueueName::from), class.map(JobClass::from));
        let policy = policy();
        assert_eq!(policy.grace_ms(queue.as_ref(), class.as_ref()), grace);
        assert_eq!(policy.job_timeout_ms(class.as_ref()), timeout);
        assert_eq!(policy.backoff_ms(class.as_ref()), backoff);
    }

    #[test]
    fn a_class_beats_its_queue_and_a_queue_beats_the_default() {
        check(None, None, 1, Some(2), None);
        check(Some("default"), Some("Other"), 1, Some(2), None);
        check(Some("reports"), None, 10, Some(2), None);
        check(Some("reports"), Some("Export"), 100, Some(200), Some(300));
        check(Some("reports"), Some("Import"), 10, Some(2), Some(400));
        check(None, Some("Export"), 100, Some(200), Some(300));
    }

    #[test]
    fn another_grace_leaves_queues_and_classes_alone() {
        let policy = policy().with_grace(7);
        assert_eq!(policy.grace_ms(None, None), 7);
        assert_eq!(policy.grace_ms(Some(&"reports".into()), None), 10);
        assert_eq!(policy.grace_ms(None, Some(&"Export".into())), 100);
    }

    #[test]
    fn workers_are_expected_only_where_a_queue_says_so() {
        assert_eq!(policy().expect_workers(Some(&"reports".into())), Some(3));
        assert_eq!(policy().expect_workers(Some(&"default".into())), None);
        assert_eq!(policy().expect_workers(None), None);
    }

    #[track_caller]
    fn check_source(log_group: &str, log_stream: &str, queue: Option<&str>, presets: &[Preset]) {
        let source = |log_group: &str, log_stream: &str, queue: &str, presets: &[Preset]| SourcePolicy {
            app: None,
            owner: None,
            log_group: log_group.into(),
            log_stream: log_stream.into(),
            presets: presets.to_vec(),
            queue: QueueName::parse(queue),
            connection: None,
        };
        let policy = Policy {
            sources: vec![
                source("/ecs/a", "ecs/app/*", "first", &[Preset::Laravel]),
                source("/ecs/*", "*", "second", &[]),
            ],
            ..Policy::default()
        };
        assert_eq!(policy.source_defaults(log_group, log_stream).0, queue.map(QueueName::from));
        assert_eq!(policy.presets(log_group, log_stream), presets);
    }

    #[test]
    fn the_first_source_that_matches_wins_and_an_unknown_name_matches_any() {
        check_source("/ecs/a", "ecs/app/1", Some("first"), &[Preset::Laravel]);
        check_source("/ecs/a", "ecs/web/1", Some("second"), &[]);
        check_source("/ecs/b", "", Some("second"), &[]);
        check_source("", "", Some("first"), &[Preset::Laravel]);
        check_source("", "ecs/web/1", Some("second"), &[]);
        check_source("/rds/a", "x", None, &[Preset::Laravel]);
    }
}

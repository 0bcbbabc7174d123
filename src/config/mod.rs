//! The configuration: raw TOML → a checked [`Config`], before anything runs.
//!
//! It refuses unknown keys, and names the key, line and column of whatever is wrong.
//! **Invariant:** a `Config` holds no value that still has to be checked, but for the patterns of rules.

#[cfg(feature = "function")]
pub mod account;
mod check;
mod classifier;
mod duration;
mod error;
#[cfg(feature = "function")]
pub mod function;
mod overrides;
mod parameters;
mod raw;
mod rule;
mod text;
mod variables;

use std::fs;
use std::path::{Path, PathBuf};

pub use duration::{DURATION_MS_MAX, DurationError, parse_duration_ms};
pub use error::{ConfigError, Place, ValueError};
pub use overrides::Overrides;
pub use parameters::Parameters;
pub use rule::{Capture, JsonRule, RuleConfig, RuleMatcher};
pub use variables::FUNCTION_VARIABLES;

use crate::domain::deployment::Deployment;
use crate::domain::job::MINUTE_MS;
use crate::domain::model::channel::Channel;
use crate::domain::model::policy::Policy;
use overrides::Origin;

/// A checked configuration. The default reads every line of every stream with the Laravel presets, as one app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The file that it was read from.
    path: Option<PathBuf>,
    policy: Policy,
    rules: Vec<RuleConfig>,
    notify: Option<Notify>,
}

/// Where `watch` sends what it finds; at least one of these is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// A program and its arguments; it gets the machine JSON on its standard input.
    pub command: Option<Vec<String>>,
    /// A URL that the machine JSON is posted to.
    pub webhook: Option<String>,
    /// Slack's incoming webhook.
    pub slack: Option<String>,
    /// A webhook of Teams' Workflows.
    pub teams: Option<String>,
    /// PagerDuty's Events API v2.
    pub pagerduty: Option<PagerDuty>,
    /// A URL that is called after each sweep that worked: whoever waits for it rings where it stays away.
    pub heartbeat: Option<String>,
}

/// A service of PagerDuty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerDuty {
    /// Its integration key.
    pub routing_key: String,
    /// The address that takes events.
    pub url: String,
    /// Whether warnings are for it, too.
    pub is_for_warnings: bool,
}

/// Where PagerDuty takes events; an account of its European region names `events.eu.pagerduty.com`.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// The least grace that does not page for lines still on their way: a subscription's delivery usually takes
/// up to 3 minutes, and a sweep comes once a minute.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html>
const AWS_GRACE_MS_MIN: i64 = 4 * MINUTE_MS;

impl Config {
    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// The first wrong key or value, with its line and column.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        check::check(text)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Config::parse`], with the file's name.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_path_buf(), source })?;
        let config = Self::parse(&text).map_err(|error| error.in_file(path))?;
        Ok(Self { path: Some(path.to_owned()), ..config })
    }

    /// Puts flags over the environment over the file over the defaults. Without a file named by either, there
    /// is no file.
    ///
    /// # Errors
    /// As [`Config::read`]; or a flag or variable that is used and wrong. One that another outranks is not
    /// looked at.
    pub fn load(flags: &Overrides, environment: &Overrides) -> Result<Self, ConfigError> {
        let mut config = match flags.config().or(environment.config()) {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        let app = match flags.app(Origin::Flag)? {
            Some(app) => Some(app),
            None => environment.app(Origin::Environment)?,
        };
        if let Some(app) = app {
            config.policy.app = app;
        }
        let grace_ms = match flags.grace_ms(Origin::Flag)? {
            Some(grace_ms) => Some(grace_ms),
            None => environment.grace_ms(Origin::Environment)?,
        };
        if let Some(grace_ms) = grace_ms {
            config.policy = config.policy.with_grace(grace_ms);
        }
        environment.parameters.apply(&mut config.policy)?;
        Ok(config)
    }

    /// This configuration for a stack: with a topic for chats, or without; and the function that sweeps it.
    #[must_use]
    pub fn with_stack(mut self, has_chat_topic: bool, sweep_function: Option<String>) -> Self {
        self.policy.has_chat_topic = has_chat_topic;
        self.policy.aws.sweep_function = sweep_function;
        self
    }

    /// This configuration for a stack of this account that tells an event bus, too; or none.
    #[must_use]
    pub fn with_event_bus(mut self, has_event_bus: bool, account: Option<String>) -> Self {
        self.policy.aws.account = account;
        self.policy.machine_topics.extend(has_event_bus.then_some(Channel::EventBus));
        self
    }

    /// This configuration for a process that sits elsewhere than on AWS.
    #[must_use]
    pub fn with_deployment(mut self, deployment: Deployment) -> Self {
        self.policy.deployment = deployment;
        self
    }

    /// This configuration for a process that tells programs, too: those of `[notify]`, and whoever reads its output,
    /// where that is for programs.
    #[must_use]
    pub fn with_machine_topics(mut self, is_output_for_programs: bool) -> Self {
        let has = |target: fn(&Notify) -> bool| self.notify.as_ref().is_some_and(target);
        let topics = [
            (Channel::Output, is_output_for_programs),
            (Channel::Command, has(|notify| notify.command.is_some())),
            (Channel::Webhook, has(|notify| notify.webhook.is_some())),
            (Channel::Slack, has(|notify| notify.slack.is_some())),
            (Channel::Teams, has(|notify| notify.teams.is_some())),
            (Channel::PagerDuty, has(|notify| notify.pagerduty.is_some())),
        ];
        self.policy.does_pager_take_warnings =
            has(|notify| notify.pagerduty.as_ref().is_some_and(|pager| pager.is_for_warnings));
        self.policy.machine_topics =
            topics.into_iter().filter_map(|(topic, is_there)| is_there.then_some(topic)).collect();
        self
    }

    /// The file that it was read from, if any.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the pure core asks of a configuration.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The custom rules, in the order written.
    #[must_use]
    pub fn rules(&self) -> &[RuleConfig] {
        &self.rules
    }

    /// Where `watch` sends what it finds.
    #[must_use]
    pub const fn notify(&self) -> Option<&Notify> {
        self.notify.as_ref()
    }

    /// What `check` says of a configuration that is not wrong: graces that are short for AWS.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let policy = &self.policy;
        let stall = ("stall.grace".to_owned(), Some(policy.grace_ms));
        let queues = policy.queues.iter().map(|it| (format!("queue \"{}\": grace", it.name), it.grace_ms));
        let classes = policy.classes.iter().map(|it| (format!("class \"{}\": grace", it.name), it.grace_ms));
        let graces = [stall].into_iter().chain(queues).chain(classes).filter_map(|(key, grace_ms)| {
            let seconds = grace_ms.filter(|ms| *ms < AWS_GRACE_MS_MIN)?.checked_div(1_000)?;
            Some(format!(
                "{key} is {seconds}s: logs may take 3 minutes to arrive on AWS, so anything below 4m pages for \
                 jobs that are fine"
            ))
        });
        graces.collect()
    }
}

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod tests;

//! The configuration as written: every key, all optional, unknown ones refused.

use serde::Deserialize;
use toml::Spanned;

use super::rule::JsonRule;
use super::text::{
    AccountId, AppName, AtLeastOne, DurationMs, ExactName, Glob, Moment, Name, RoutingKey, RunbookUrl, Share,
    SpanMs, Text, Webhook, ZoneName,
};
use crate::domain::cron::Cron;
use crate::domain::job::Stage;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) app: Option<Text<AppName>>,
    pub(super) language: RawLanguage,
    pub(super) timezone: Option<Text<ZoneName>>,
    pub(super) runbook_url: Option<Text<RunbookUrl>>,
    pub(super) ecs: RawEcs,
    pub(super) source: Vec<RawSource>,
    pub(super) stall: RawStall,
    pub(super) deploy: Option<RawDeploy>,
    pub(super) failing: Option<RawFailing>,
    pub(super) queue: Vec<RawQueue>,
    pub(super) class: Vec<RawClass>,
    pub(super) window: Vec<RawWindow>,
    pub(super) notify: Option<Spanned<RawNotify>>,
    pub(super) silence: Vec<RawSilence>,
    pub(super) metrics: RawMetrics,
    pub(super) rule: Vec<Spanned<RawRule>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawLanguage {
    #[default]
    En,
    Ja,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawPreset {
    Laravel,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawEcs {
    pub(super) cluster: Option<Text<Name>>,
    pub(super) service: Option<Text<Name>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) app: Option<Text<AppName>>,
    pub(super) owner: Option<Text<AccountId>>,
    pub(super) log_group: Option<Text<Glob>>,
    pub(super) log_stream: Option<Text<Glob>>,
    pub(super) presets: Option<Vec<RawPreset>>,
    pub(super) queue: Option<Text<ExactName>>,
    pub(super) connection: Option<Text<ExactName>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStall {
    pub(super) grace: Option<Text<SpanMs>>,
    pub(super) job_timeout: Option<Text<SpanMs>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawDeploy {
    pub(super) grace: Option<Text<DurationMs>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawFailing {
    pub(super) ratio: Option<Share>,
    pub(super) bad_attempts: Option<AtLeastOne>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    pub(super) name: Spanned<Text<ExactName>>,
    pub(super) grace: Option<Text<SpanMs>>,
    pub(super) expect_workers: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClass {
    pub(super) name: Spanned<Text<ExactName>>,
    pub(super) grace: Option<Text<SpanMs>>,
    pub(super) job_timeout: Option<Text<SpanMs>>,
    pub(super) backoff: Option<Text<DurationMs>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWindow {
    pub(super) queue: Option<Text<Glob>>,
    pub(super) cron: Text<Cron>,
    pub(super) length: Text<SpanMs>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawNotify {
    pub(super) command: Option<Vec<String>>,
    pub(super) webhook: Option<Text<Webhook>>,
    pub(super) slack: Option<Text<Webhook>>,
    pub(super) teams: Option<Text<Webhook>>,
    pub(super) pagerduty: Option<RawPagerDuty>,
    pub(super) heartbeat: Option<Text<Webhook>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPagerDuty {
    pub(super) routing_key: Text<RoutingKey>,
    pub(super) url: Option<Text<Webhook>>,
    #[serde(default)]
    pub(super) warnings: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSilence {
    pub(super) queue: Text<Glob>,
    pub(super) until: Moment,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMetrics {
    pub(super) class_dimension: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: Spanned<Text<Name>>,
    pub(super) stage: Stage,
    pub(super) pattern: Option<Spanned<String>>,
    pub(super) json: Option<Spanned<JsonRule>>,
    pub(super) class: Option<Spanned<Text<Name>>>,
    pub(super) queue: Option<Spanned<Text<Name>>>,
    pub(super) connection: Option<Spanned<Text<Name>>>,
    pub(super) example: Option<Spanned<String>>,
}

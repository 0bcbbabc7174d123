//! Raw configuration → checked configuration: defaults, and what no single value can tell.
//!
//! **Invariant:** every error names its key and its place; the first wrong value in the order of the checks
//! is the one reported.

use std::collections::BTreeMap;

use toml::Spanned;

use super::error::{ConfigError, Place, from_toml};
use super::raw::{
    RawClass, RawConfig, RawLanguage, RawNotify, RawPreset, RawQueue, RawRule, RawSilence, RawSource,
    RawWindow,
};
use super::rule::{RuleConfig, RuleMatcher};
use super::text::{ExactName, Name, Text, Webhook};
use super::{Config, Notify, PAGERDUTY_URL, PagerDuty};
use crate::domain::job::{ConnectionName, JobClass, QueueName};
use crate::domain::model::policy::{
    ClassPolicy, Ecs, FailingPolicy, Language, Policy, Preset, QueuePolicy, Silence, SourcePolicy, Window,
};

/// Reads and checks a whole file.
pub(super) fn check(text: &str) -> Result<Config, ConfigError> {
    let raw: RawConfig = toml::from_str(text).map_err(|error| from_toml(text, &error))?;
    let notify = raw.notify.map(|raw| notify(text, raw)).transpose()?;
    unique(text, "queue", raw.queue.iter().map(|queue| &queue.name), |Text(ExactName(name))| name)?;
    unique(text, "class", raw.class.iter().map(|class| &class.name), |Text(ExactName(name))| name)?;
    unique(text, "rule", raw.rule.iter().map(|rule| &rule.get_ref().name), |Text(Name(name))| name)?;
    let rules = raw.rule.into_iter().map(|raw| rule(text, raw)).collect::<Result<Vec<_>, _>>()?;
    let default = Policy::default();
    let failing = raw.failing.unwrap_or_default();
    let policy = Policy {
        app: raw.app.map_or(default.app, |Text(app)| app.0),
        language: match raw.language {
            RawLanguage::En => Language::En,
            RawLanguage::Ja => Language::Ja,
        },
        timezone: raw.timezone.map_or(default.timezone, |Text(zone)| zone.0),
        ecs: Ecs {
            cluster: raw.ecs.cluster.map(|Text(Name(name))| name),
            service: raw.ecs.service.map(|Text(Name(name))| name),
        },
        aws: default.aws,
        runbook_url: raw.runbook_url.map(|Text(url)| url.0),
        deployment: default.deployment,
        sources: raw.source.into_iter().map(source).collect(),
        grace_ms: raw.stall.grace.map_or(default.grace_ms, |Text(grace)| grace.0),
        job_timeout_ms: raw.stall.job_timeout.map(|Text(timeout)| timeout.0),
        deploy_grace_ms: raw
            .deploy
            .and_then(|deploy| deploy.grace)
            .map_or(default.deploy_grace_ms, |Text(grace)| grace.0),
        failing: FailingPolicy {
            ratio: failing.ratio.map_or(default.failing.ratio, |share| share.0),
            bad_attempts: failing.bad_attempts.map_or(default.failing.bad_attempts, |count| count.0),
        },
        queues: raw.queue.into_iter().map(queue).collect(),
        classes: raw.class.into_iter().map(class).collect(),
        windows: raw.window.into_iter().map(window).collect(),
        silences: raw.silence.into_iter().map(silence).collect(),
        class_dimension: raw.metrics.class_dimension.unwrap_or(default.class_dimension),
        has_chat_topic: default.has_chat_topic,
        machine_topics: default.machine_topics,
        does_pager_take_warnings: default.does_pager_take_warnings,
    };
    Ok(Config { path: None, policy, rules, notify })
}

fn source(raw: RawSource) -> SourcePolicy {
    SourcePolicy {
        app: raw.app.map(|Text(app)| app.0),
        owner: raw.owner.map(|Text(owner)| owner.0),
        log_group: raw.log_group.map_or_else(|| "*".into(), |Text(glob)| glob.0),
        log_stream: raw.log_stream.map_or_else(|| "*".into(), |Text(glob)| glob.0),
        presets: raw.presets.unwrap_or_else(|| vec![RawPreset::Laravel]).into_iter().map(preset).collect(),
        queue: raw.queue.and_then(|Text(ExactName(name))| QueueName::parse(&name)),
        connection: raw.connection.map(|Text(ExactName(name))| ConnectionName::from(name.as_str())),
    }
}

fn preset(raw: RawPreset) -> Preset {
    match raw {
        RawPreset::Laravel => Preset::Laravel,
    }
}

fn queue(raw: RawQueue) -> QueuePolicy {
    let Text(ExactName(name)) = raw.name.into_inner();
    QueuePolicy {
        // Lines are read by the same function, so a URL in the file meets a URL on the line.
        name: QueueName::parse(&name).unwrap_or_else(|| QueueName::from(name.as_str())),
        grace_ms: raw.grace.map(|Text(grace)| grace.0),
        expect_workers: raw.expect_workers,
    }
}

fn class(raw: RawClass) -> ClassPolicy {
    let Text(ExactName(name)) = raw.name.into_inner();
    ClassPolicy {
        name: JobClass::from(name.as_str()),
        grace_ms: raw.grace.map(|Text(grace)| grace.0),
        job_timeout_ms: raw.job_timeout.map(|Text(timeout)| timeout.0),
        backoff_ms: raw.backoff.map(|Text(backoff)| backoff.0),
    }
}

fn window(raw: RawWindow) -> Window {
    let (Text(cron), Text(length)) = (raw.cron, raw.length);
    Window { queue: raw.queue.map_or_else(|| "*".into(), |Text(glob)| glob.0), cron, length_ms: length.0 }
}

fn silence(raw: RawSilence) -> Silence {
    let Text(queue) = raw.queue;
    Silence { queue: queue.0, until: raw.until.0, reason: raw.reason }
}

fn notify(text: &str, raw: Spanned<RawNotify>) -> Result<Notify, ConfigError> {
    let place = Place::of(text, raw.span().start);
    let raw = raw.into_inner();
    let refuse = |key: &str, detail: &str| Err(ConfigError::value(place, key, detail));
    match raw.command.as_deref() {
        Some([]) => return refuse("notify.command", "it is empty: write the program and its arguments"),
        Some([program, ..]) if program.is_empty() => return refuse("notify.command", "the program is empty"),
        Some(_) | None => {}
    }
    let url = |url: Option<Text<Webhook>>| url.map(|Text(url)| url.0);
    let pagerduty = raw.pagerduty.map(|raw| PagerDuty {
        routing_key: raw.routing_key.0.0,
        url: url(raw.url).unwrap_or_else(|| PAGERDUTY_URL.to_owned()),
        is_for_warnings: raw.warnings,
    });
    let notify = Notify {
        command: raw.command,
        webhook: url(raw.webhook),
        slack: url(raw.slack),
        teams: url(raw.teams),
        pagerduty,
        heartbeat: url(raw.heartbeat),
    };
    if notify == Notify::default() {
        return refuse(
            "notify",
            "it names nobody: a `command`, `webhook`, `slack`, `teams`, `pagerduty` or `heartbeat`",
        );
    }
    Ok(notify)
}

/// Two elements of one name would make the second one silently dead.
fn unique<'a, T: 'a>(
    text: &str,
    table: &str,
    names: impl Iterator<Item = &'a Spanned<T>>,
    name: impl Fn(&'a T) -> &'a String,
) -> Result<(), ConfigError> {
    let mut first_lines = BTreeMap::new();
    for spanned in names {
        let (name, place) = (name(spanned.get_ref()), Place::of(text, spanned.span().start));
        if let Some(line) = first_lines.insert(name, place.line) {
            return Err(ConfigError::value(
                place,
                format!("{table} \"{name}\": name"),
                format!("line {line} has a {table} of this name already"),
            ));
        }
    }
    Ok(())
}

fn rule(text: &str, raw: Spanned<RawRule>) -> Result<RuleConfig, ConfigError> {
    let mut places = BTreeMap::from([("", Place::of(text, raw.span().start))]);
    let raw = raw.into_inner();
    let Text(Name(name)) = raw.name.into_inner();
    let pattern = take(text, &mut places, "pattern", raw.pattern);
    let json = take(text, &mut places, "json", raw.json);
    let class = take(text, &mut places, "class", raw.class);
    let queue = take(text, &mut places, "queue", raw.queue);
    let connection = take(text, &mut places, "connection", raw.connection);
    let example = take(text, &mut places, "example", raw.example);
    let matcher = match (pattern, json) {
        (Some(pattern), None) => Ok(RuleMatcher::Pattern(pattern)),
        (None, Some(json)) => Ok(RuleMatcher::Json(json)),
        (Some(_), Some(_)) => Err(("json", "a rule has a `pattern` or `json`, not both")),
        (None, None) => Err(("pattern", "a rule needs a `pattern` or `json`")),
    };
    // The matcher is filled in last, so that a rule without a good one can still name itself in the error.
    let rule = RuleConfig {
        name,
        stage: raw.stage,
        matcher: RuleMatcher::Pattern(String::new()),
        class: class.map(|Text(Name(name))| JobClass::from(name.as_str())),
        queue: queue.and_then(|Text(Name(name))| QueueName::parse(&name)),
        connection: connection.map(|Text(Name(name))| ConnectionName::from(name.as_str())),
        example,
        places,
    };
    match matcher {
        Ok(RuleMatcher::Pattern(pattern)) if pattern.is_empty() => {
            Err(rule.error("pattern", "it is empty, so every line would match"))
        }
        Ok(matcher) => Ok(RuleConfig { matcher, ..rule }),
        Err((key, detail)) => Err(rule.error(key, detail)),
    }
}

/// Unwraps a key's value and notes its place.
fn take<T>(
    text: &str,
    places: &mut BTreeMap<&'static str, Place>,
    key: &'static str,
    value: Option<Spanned<T>>,
) -> Option<T> {
    let value = value?;
    places.insert(key, Place::of(text, value.span().start));
    Some(value.into_inner())
}

//! The configuration's sources and rules, compiled.

use super::Config;
use super::error::ConfigError;
use super::rule::{Capture, RuleConfig, RuleMatcher};
use crate::domain::systems::{Classifier, JsonConstant, JsonSpec, Rule, RuleError, RuleSpec, SourceSpec};

impl Config {
    /// Compiles the sources and rules.
    ///
    /// # Errors
    /// A rule that cannot work, or that does not read its own example; with the file and its place there.
    pub fn classifier(&self) -> Result<Classifier, ConfigError> {
        let policy = self.policy();
        let sources = policy.sources.iter().map(|source| SourceSpec {
            // What is the stack's own app's needs no telling apart.
            app: source.app.clone().filter(|app| *app != policy.app),
            owner: source.owner.clone(),
            log_group: source.log_group.clone(),
            log_stream: source.log_stream.clone(),
            presets: source.presets.clone(),
            queue: source.queue.clone(),
            connection: source.connection.clone(),
        });
        let rules = self.rules().iter().map(compile).collect::<Result<Vec<Rule>, ConfigError>>();
        let rules = rules.map_err(|error| match self.path() {
            Some(path) => error.in_file(path),
            None => error,
        })?;
        Ok(Classifier::new(sources.collect(), rules))
    }
}

fn compile(config: &RuleConfig) -> Result<Rule, ConfigError> {
    let wrong = |error: RuleError| config.error(&error.key(), error);
    let rule = Rule::compile(spec(config)).map_err(wrong)?;
    rule.check_example().map_err(wrong)?;
    Ok(rule)
}

fn spec(config: &RuleConfig) -> RuleSpec {
    let (pattern, json) = match &config.matcher {
        RuleMatcher::Pattern(pattern) => (Some(pattern.clone()), None),
        RuleMatcher::Json(json) => {
            let constant = |value: &serde_json::Value| {
                if let Some(flag) = value.as_bool() {
                    JsonConstant::Flag(flag)
                } else if let Some(number) = value.as_f64() {
                    JsonConstant::Number(number)
                } else {
                    JsonConstant::Text(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                }
            };
            let when = json.when.iter().map(|(path, value)| (path.clone(), constant(value))).collect();
            let field = |(capture, path): (&Capture, &String)| (capture.as_str().to_owned(), path.clone());
            (None, Some(JsonSpec { when, fields: json.captures.iter().map(field).collect() }))
        }
    };
    RuleSpec {
        name: config.name.clone(),
        stage: config.stage,
        pattern,
        json,
        class: config.class.clone(),
        queue: config.queue.clone(),
        connection: config.connection.clone(),
        example: config.example.clone(),
    }
}

//! Tells a person what became of one line: how it was read, or which form it nearly had and why not.

use crate::domain::job::{Form, LineKey, Observation, Timestamp};

use super::laravel::NearMiss;
use super::laravel::json::Document;
use super::laravel::near_miss;
use super::rules::Rule;
use super::wrappers::fpm;
use super::{Classifier, normalise};

/// What became of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The line that was examined: colours, line ends and a router's wrapping removed.
    pub line: String,
    /// What was done to get there, and what else a reader should know, a sentence each.
    pub notes: Vec<String>,
    /// The rule or preset that read it.
    pub matched_by: Option<String>,
    /// What it said, at time zero.
    pub observation: Option<Observation>,
    /// The nearest form, if nothing read it.
    pub nearest: Option<NearMiss>,
}

impl Classifier {
    /// Explains one message, alone: what came before it in its stream is not known here.
    #[must_use]
    pub fn explain(&self, log_group: &str, log_stream: &str, message: &str) -> Explanation {
        let mut notes = Vec::new();
        let line = examined(message, &mut notes);
        let mut reader = self.stream(log_group, log_stream);
        reader.line(LineKey(0), Timestamp::default(), message);
        let classified = reader.finish();
        if !classified.halves.is_empty() {
            notes.push(
                "It is one half of an error record: the trace in the lines after it decides whose it is."
                    .into(),
            );
        }
        let observation = classified.observations.into_iter().next();
        let inner = fpm::inner(&line);
        if inner.is_some() {
            notes.push("php-fpm's own words around it were removed: what its child said is the line.".into());
        }
        let read = |rule: &Rule| rule.read(&line).or_else(|| rule.read(inner?));
        let rule = self.rules.iter().find(|rule| read(rule).is_some());
        let matched_by = observation.as_ref().map(|seen| match (seen.form, rule) {
            (Form::Rule, Some(rule)) => format!("rule {:?}", rule.name()),
            (form, _) => super::form(form).name.to_owned(),
        });
        let said = inner.unwrap_or(&line);
        let nearest = if observation.is_some() { None } else { self.nearest(log_group, log_stream, said) };
        Explanation { line, notes, matched_by, observation, nearest }
    }

    fn nearest(&self, log_group: &str, log_stream: &str, line: &str) -> Option<NearMiss> {
        let source = self.source(log_group, log_stream);
        if !self.sources.is_empty() && source.is_none() {
            let why = format!(
                "no [[source]] covers log group {log_group:?}, log stream {log_stream:?}: nothing is read there"
            );
            return Some(NearMiss { form: "[[source]]".into(), why });
        }
        if let Some(rule) = self.rules.iter().find(|rule| rule.is_near(line)) {
            return Some(NearMiss { form: format!("rule {:?}", rule.name()), why: rule.why_not(line) });
        }
        if source.is_some_and(|source| source.presets.is_empty()) {
            let why = "its [[source]] does not have a preset, and no rule reads the line";
            return Some(NearMiss { form: "[[source]]".into(), why: why.into() });
        }
        near_miss::find(line)
    }
}

/// The line that presets see.
fn examined(message: &str, notes: &mut Vec<String>) -> String {
    let mut line = first_line(message, notes);
    if let Some(inner) = Document::read(&line).and_then(|mut document| document.take_inner_line()) {
        notes.push("A log router's JSON was unwrapped: its `log` is the line.".into());
        line = first_line(&inner, notes);
    }
    line
}

fn first_line(message: &str, notes: &mut Vec<String>) -> String {
    let plain = normalise::strip(message);
    if plain.len() < message.trim_end_matches(['\r', '\n']).len() {
        notes.push("Terminal colours were removed.".into());
    }
    let (line, rest) = normalise::first_line(&plain);
    if let Some(rest) = rest {
        let lines_count = rest.lines().count();
        notes.push(format!(
            "The event has {lines_count} more lines: evidence for a trace, never lifecycle lines."
        ));
    }
    if line.len() > normalise::LINE_BYTES_MAX {
        notes.push(format!(
            "The line is longer than {} bytes and is not examined.",
            normalise::LINE_BYTES_MAX
        ));
    }
    line.to_owned()
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;

//! Tells a person what became of one line: how it was read, or which form it nearly had and why not.

use serde_json::Value;

use crate::domain::job::{Form, LineKey, Observation, Timestamp};

use super::json::Document;
use super::laravel::{NearMiss, glued, near_miss};
use super::unread::shape;
use super::{Classifier, normalise, wrappers};

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
        let levels = levels(message, &mut notes);
        let line = levels.last().cloned().unwrap_or_default();
        let mut reader = self.stream(log_group, log_stream);
        reader.line(LineKey(0), Timestamp::default(), message);
        let classified = reader.finish();
        if !classified.split_traces.is_empty() {
            notes.push(
                "It is one half of an error record: the trace in the lines after it decides whose it is."
                    .into(),
            );
        }
        let observation = classified.observations.into_iter().next();
        let rule = self.rules.iter().find(|rule| levels.iter().any(|line| rule.read(line).is_some()));
        let matched_by = observation.as_ref().map(|seen| match (seen.form, rule) {
            (Form::Rule, Some(rule)) => format!("rule {:?}", rule.name()),
            (form, _) => super::form(form).name.to_owned(),
        });
        if matched_by.is_some() && glued::tail(&line).is_some() {
            notes.push("What stands in front of it is taken for a job's output without a line end.".into());
        }
        let nearest = if observation.is_some() { None } else { self.nearest(log_group, log_stream, &line) };
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
        self.in_field(line).or_else(|| self.behind_prefix(line)).or_else(|| near_miss::find(line))
    }

    /// Whether a text is a line that says something, by itself.
    fn reads(&self, text: &str) -> bool {
        let mut reader = self.stream("", "");
        reader.line(LineKey(0), Timestamp::default(), text);
        !reader.finish().observations.is_empty()
    }

    /// A line that stands in a field where no known router puts one.
    fn in_field(&self, line: &str) -> Option<NearMiss> {
        let document: Value = line.starts_with('{').then(|| serde_json::from_str(line).ok())??;
        let path = self.field(&document, FIELD_DEPTH_MAX)?;
        let why = format!(
            "a line that would be read stands in the field `{path}`, but nothing beside it shows a log router's JSON; \
             a [[rule]] with `json` reads it"
        );
        Some(NearMiss { form: "inside a field".into(), why })
    }

    fn field(&self, value: &Value, depth: usize) -> Option<String> {
        let entries = value.as_object().filter(|_| depth > 0)?;
        entries.iter().find_map(|(key, value)| match value {
            Value::String(text) if self.reads(text) => Some(key.clone()),
            Value::Object(_) => Some(format!("{key}.{}", self.field(value, depth.saturating_sub(1))?)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        })
    }

    /// A line that stands behind something that no known wrapper prints.
    fn behind_prefix(&self, line: &str) -> Option<NearMiss> {
        // A record's message quotes whatever it likes, and a trace's frame its arguments.
        if near_miss::is_record(line) || wrappers::begins_like_a_line(line) || line.starts_with(['#', '{']) {
            return None;
        }
        let begins = BEGINNINGS.iter().flat_map(|word| line.match_indices(word)).map(|(place, _)| place);
        let place = begins
            .filter(|place| *place > 0)
            .find(|place| line.get(*place..).is_some_and(|it| self.reads(it)))?;
        let prefix = line.get(..place)?;
        // Words alone are a sentence that quotes the line.
        if prefix.chars().all(|c| c.is_alphabetic() || c == ' ') {
            return None;
        }
        let prefix = shape(prefix);
        let why = format!(
            "a line that would be read stands behind a prefix of the shape `{prefix}`, which no known wrapper prints; \
             take it off, or read the line with a [[rule]]"
        );
        Some(NearMiss { form: "behind a prefix".into(), why })
    }
}

/// How deep in an object a line is looked for.
const FIELD_DEPTH_MAX: usize = 3;

/// How lines begin that stand behind a prefix.
const BEGINNINGS: [&str; 7] =
    ["[2", "  2", "{\"", "Processing: ", "Processed: ", "Failed:     ", "   INFO  "];

/// The line with all that stands around it, then without the outermost wrapper, and so on to what presets see.
fn levels(message: &str, notes: &mut Vec<String>) -> Vec<String> {
    let mut levels = vec![first_line(message, notes)];
    let mut outer = None;
    while let Some(line) = levels.last().filter(|_| levels.len() <= wrappers::DEPTH_MAX) {
        let within = match wrappers::peel(line) {
            Some((wrapper, _)) if outer == Some(wrapper.name) => None,
            Some((wrapper, peeled)) => Some((wrapper.name, peeled.inner.into_owned())),
            None => Document::read(line).and_then(|document| {
                wrappers::fields::inner(&document).map(|(field, inner)| (field.name, inner.into_owned()))
            }),
        };
        let Some((name, inner)) = within else { break };
        outer = Some(name);
        notes.push(format!("It stands in a wrapper, which was taken off: {name}."));
        let line = first_line(&inner, notes);
        levels.push(line);
    }
    levels
}

fn first_line(message: &str, notes: &mut Vec<String>) -> String {
    let plain = normalise::strip(message);
    if plain.len() < message.trim_end_matches(['\r', '\n']).len() {
        notes.push("Terminal colours were removed.".into());
    }
    let (line, rest) = normalise::first_line(&plain);
    if let Some(rest) = rest {
        let lines_count = rest.lines().count();
        notes.push(format!("The event has {lines_count} more lines: each is read as a line of its own."));
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

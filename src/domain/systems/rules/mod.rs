//! A `[[rule]]`: a line the app already writes, read as an observation.
//!
//! Raw ([`RuleSpec`]) becomes checked ([`Rule`]) once, before anything runs; an error names key and place.

mod json;
mod spec;

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

use crate::domain::job::{Form, Runtime, Stage};

use super::form::{FormFacts, Sample};
use super::normalise;
use super::runtime;
use super::sighting::Sighting;
use json::JsonMatcher;

pub use spec::{FIELDS, JsonConstant, JsonSpec, REGEX_BYTES_MAX, RuleError, RuleSpec};

/// Lines of rules: what they print is whatever the app prints.
pub(super) const FORM: FormFacts = FormFacts {
    name: "rule",
    prints_starts: true,
    prints_retries: true,
    samples: &[Sample {
        before: &[],
        line: r#"10.0.1.7 - - [06/Dec/2025:12:31:10 +0900] "POST /avatars/regenerate HTTP/1.1" 302 412"#,
        stage: Stage::Enqueued,
        near: r#"10.0.1.7 - - [06/Dec/2025:12:31:10 +0900] "GET /avatars/regenerate HTTP/1.1" 200 412"#,
    }],
};

/// A rule that compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    spec: RuleSpec,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Pattern(Regex),
    Json(JsonMatcher),
}

impl Rule {
    /// Compiles a rule.
    ///
    /// # Errors
    /// The first thing wrong with it, with key and place. The example is not run: see
    /// [`Rule::check_example`].
    pub fn compile(spec: RuleSpec) -> Result<Self, RuleError> {
        let matcher = match (&spec.pattern, &spec.json) {
            (Some(pattern), None) => Matcher::Pattern(compile_pattern(pattern)?),
            (None, Some(json)) => Matcher::Json(JsonMatcher::compile(json)?),
            (None, None) | (Some(_), Some(_)) => return Err(RuleError::OneMatcher),
        };
        Ok(Self { spec, matcher })
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether the rule reads its own example; true without one.
    ///
    /// # Errors
    /// [`RuleError::ExampleDeclined`] if it does not.
    pub fn check_example(&self) -> Result<(), RuleError> {
        let Some(example) = &self.spec.example else { return Ok(()) };
        let plain = normalise::strip(example);
        let (line, _) = normalise::first_line(&plain);
        if self.read(line).is_some() {
            return Ok(());
        }
        Err(RuleError::ExampleDeclined { reason: self.why_not(line) })
    }

    /// Reads a line, or declines.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<Sighting<'a>> {
        let mut seen = match &self.matcher {
            Matcher::Pattern(pattern) => {
                // Most lines are none of a rule's, and captures cost an allocation before they are looked for.
                let captures = if pattern.is_match(line) { pattern.captures(line) } else { None }?;
                self.sighting(|field| named(&captures, field))
            }
            Matcher::Json(json) => {
                let document = json.matching_document(line)?;
                self.sighting(|field| json.field(&document, field).map(Cow::Owned))
            }
        };
        seen.class = seen.class.or_else(|| self.spec.class.as_ref().map(|c| c.as_str().to_owned().into()));
        seen.queue = seen.queue.or_else(|| self.spec.queue.as_ref().map(|q| q.as_str().to_owned().into()));
        seen.connection =
            seen.connection.or_else(|| self.spec.connection.as_ref().map(|c| c.as_str().to_owned().into()));
        Some(seen)
    }

    /// Why a line is declined, in words.
    pub(super) fn why_not(&self, line: &str) -> String {
        match &self.matcher {
            Matcher::Pattern(pattern) => {
                format!("the pattern {:?} is not found in the line", pattern.as_str())
            }
            Matcher::Json(json) => json.why_not(line),
        }
    }

    /// Whether a declined line is at least of the rule's kind.
    pub(super) fn is_near(&self, line: &str) -> bool {
        match &self.matcher {
            Matcher::Pattern(_) => false,
            Matcher::Json(json) => json.is_near(line),
        }
    }

    fn sighting<'a>(&self, field: impl Fn(&str) -> Option<Cow<'a, str>>) -> Sighting<'a> {
        let mut seen = Sighting::new(self.spec.stage, Form::Rule);
        seen.id = field("id");
        seen.uuid = field("uuid");
        seen.class = field("class");
        seen.queue = field("queue");
        seen.connection = field("connection");
        seen.attempt = field("attempt").and_then(|text| text.parse().ok());
        let delay = field("delay_s").and_then(|text| text.parse().ok());
        seen.delay_ms = delay.and_then(runtime::from_seconds).map(|delay| delay.ms);
        let duration = field("duration_ms").and_then(|text| text.parse::<f64>().ok());
        let duration = duration.and_then(|ms| runtime::from_seconds(ms / 1000.0));
        seen.runtime = duration.map(|Runtime { ms, .. }| Runtime { ms, is_whole_seconds: false });
        seen.text = field("error");
        seen
    }
}

fn named<'a>(captures: &Captures<'a>, field: &str) -> Option<Cow<'a, str>> {
    captures.name(field).map(|m| m.as_str()).filter(|text| !text.is_empty()).map(Cow::Borrowed)
}

fn compile_pattern(pattern: &str) -> Result<Regex, RuleError> {
    let regex = match RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build() {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => return Err(RuleError::TooLarge),
        Err(error) => {
            let reason = error.to_string();
            return Err(RuleError::BadPattern { offset: pointed_at(&reason), reason });
        }
    };
    if let Some(field) = regex.capture_names().flatten().find(|name| !FIELDS.contains(name)) {
        let offset = pattern.find(&format!("<{field}>")).map(|at| at.saturating_add(1));
        return Err(RuleError::UnknownField { key: "pattern", field: field.to_owned(), offset });
    }
    Ok(regex)
}

/// The byte that the parser's pointer (`    ^`, under a pattern indented by four) stands under.
fn pointed_at(reason: &str) -> Option<usize> {
    let mut lines = reason.lines();
    let pattern = lines.find_map(|line| line.strip_prefix("    "))?;
    let column = lines.next()?.strip_prefix("    ")?.find('^')?;
    pattern.char_indices().nth(column).map_or(Some(pattern.len()), |(offset, _)| Some(offset))
}

#[cfg(test)]
mod tests;

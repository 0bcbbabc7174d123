//! `queuewatch explain`: which rule reads a line, or the nearest one and why it does not; of a file, what its lines are
//! read as, and the shapes of those that nobody reads.

use std::fmt::Write;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;

use queuewatch::domain::job::{Ending, Observation};
use queuewatch::domain::printable::printable;
use queuewatch::domain::systems::{Classifier, Explanation, Near, Survey};

use crate::args::{ConfigArguments, ExplainArguments};
use crate::replay::load;
use crate::{RAN, output};

pub(crate) fn run(arguments: &ExplainArguments) -> anyhow::Result<u8> {
    let config = load(&ConfigArguments { config: arguments.config.clone(), app: None, grace: None })?;
    let classifier = config.classifier()?;
    let given = arguments.line.as_deref().filter(|line| *line != "-");
    if let Some(path) = given.map(Path::new).filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let survey = classifier.survey(&arguments.log_group, &arguments.log_stream, text.lines());
        output::print(&told(&survey))?;
        return Ok(RAN);
    }
    let mut input = String::new();
    if given.is_none() {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        input = String::from_utf8_lossy(&bytes).into_owned();
    }
    let lines: Vec<&str> = match given {
        Some(line) => vec![line],
        None => input.lines().filter(|line| !line.trim().is_empty()).collect(),
    };
    let mut is_first = true;
    for &line in &lines {
        output::print(&format!(
            "{}{}",
            if is_first { "" } else { "\n" },
            explain(&classifier, arguments, line)
        ))?;
        is_first = false;
    }
    if lines.len() > 1 {
        let survey = classifier.survey(&arguments.log_group, &arguments.log_stream, lines.iter().copied());
        output::print(&format!("\n{}", told(&survey)))?;
    }
    Ok(RAN)
}

/// Shapes printed: the rest are seldom, and the last line says how many.
const SHAPES_MAX: usize = 30;

/// What a file's lines are, without a word of them.
fn told(survey: &Survey) -> String {
    let Survey { lines_count, read, unread } = survey;
    let mut text = format!("{lines_count} lines\n");
    for (form, stage, count) in read {
        let _ = writeln!(text, "  {count:>8}  {:<14} {form}", stage.as_str());
    }
    let unread_count = unread.iter().fold(0_u64, |sum, it| sum.saturating_add(it.count));
    if unread_count == 0 {
        return text;
    }
    let _ = writeln!(
        text,
        "\n{unread_count} of them say nothing to queuewatch. Their shapes (a word is `a`, a number `9`):"
    );
    for shape in unread.iter().take(SHAPES_MAX) {
        let _ = writeln!(text, "  {:>8}  {}", shape.count, printable(&shape.shape));
        if let Some(near) = shape.near {
            let _ = writeln!(text, "            {}", words(near));
        }
        if let Some(nearest) = &shape.nearest {
            let _ = writeln!(text, "            nearest: {nearest}");
        }
    }
    if let Some(more) = unread.len().checked_sub(SHAPES_MAX).filter(|more| *more > 0) {
        let _ = writeln!(text, "            and {more} shapes more");
    }
    text.push_str("\n`queuewatch explain 'LINE'` tells of one line what keeps it from being read.\n");
    text
}

const fn words(near: Near) -> &'static str {
    match near {
        Near::BehindPrefix => "a worker's line stands behind a prefix that no known wrapper prints",
        Near::InField => "a worker's or a logger's line stands inside a field of the JSON",
        Near::EnqueueWords => {
            "it says that a job was queued, but not as a log record whose message is exactly that"
        }
        Near::ServersUnknownError => {
            "Octane with FrankenPHP prints this instead of a line that the app wrote to standard error: start it with \
             --log-level, or log to a file"
        }
    }
}

fn explain(classifier: &Classifier, arguments: &ExplainArguments, line: &str) -> String {
    let explanation = classifier.explain(&arguments.log_group, &arguments.log_stream, line);
    let mut text = format!("{}\n", printable(&explanation.line));
    let Explanation { notes, matched_by, observation, nearest, .. } = explanation;
    match (&matched_by, &observation) {
        (Some(name), Some(observation)) => {
            let _ = writeln!(text, "  read by     {name}");
            let _ = writeln!(text, "  stage       {}", observation.stage.as_str());
            for (field, value) in fields(observation) {
                let _ = writeln!(text, "  {field:<11} {value}");
            }
        }
        _ => {
            let _ = writeln!(text, "  not a line that queuewatch reads");
        }
    }
    if let Some(nearest) = nearest {
        let _ = writeln!(text, "  nearest     {}\n              {}", nearest.form, nearest.why);
    }
    for note in notes {
        let _ = writeln!(text, "  note        {note}");
    }
    text
}

/// What the line carries, in the configuration's names.
fn fields(observation: &Observation) -> Vec<(&'static str, String)> {
    let seconds = |ms: i64| format!("{}.{:03}", ms.wrapping_div(1000), ms.wrapping_rem(1000).wrapping_abs());
    let ending = "failed for good or goes back to be retried: the line does not tell";
    [
        ("class", observation.class.as_ref().map(ToString::to_string)),
        ("queue", observation.queue.as_ref().map(ToString::to_string)),
        ("connection", observation.connection.as_ref().map(ToString::to_string)),
        ("id", observation.id.as_ref().map(ToString::to_string)),
        ("uuid", observation.uuid.as_ref().map(ToString::to_string)),
        ("attempt", observation.attempt.map(|n| n.to_string())),
        ("delay_s", observation.delay_ms.map(seconds)),
        ("duration_ms", observation.runtime.map(|runtime| runtime.ms.to_string())),
        ("timeout_s", observation.timeout_ms.map(seconds)),
        ("text", observation.text.as_ref().map(ToString::to_string)),
        ("ending", (observation.ending == Ending::FailOrRetry).then(|| ending.to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

//! What to do first: three steps, each with its purpose above its command.

use crate::domain::incidents::Incident;
use crate::domain::incidents::fact::Unknown;
use crate::domain::runbook::{Note, Step};
use crate::message::sections::Todo;
use crate::message::words::{self, Voice};

/// Steps of a message: what fits one screen of a phone.
const STEPS_MAX: usize = 3;

/// The first steps of the diagnosis, or what to do where the fault is in what queuewatch is given.
pub(super) fn steps(incident: &Incident, voice: &Voice) -> Vec<Todo> {
    let advised = incident.key.reason.map_or(&[][..], |reason| words::advice(reason, voice));
    let advised = advised
        .iter()
        .map(|(verb, command)| Todo { verb: (*verb).to_owned(), command: command.map(str::to_owned) });
    let commands = first(incident);
    let asked = commands.iter().enumerate().map(|(place, step)| {
        let above = commands.get(..place).unwrap_or_default();
        todo(step, above, voice)
    });
    // Commands first: what is advised beside them is for whoever has none.
    asked.chain(advised).take(STEPS_MAX).collect()
}

/// The commands that stand first, without those that find variables.
fn first(incident: &Incident) -> Vec<&Step> {
    let commands = incident.diagnosis.as_ref().map_or(&[][..], |diagnosis| &diagnosis.commands);
    commands.iter().filter(|step| !is_finder(step)).take(STEPS_MAX).collect()
}

fn is_finder(step: &Step) -> bool {
    matches!(step.note, Some(Note::Finds(_)))
}

/// A step; of one that runs in a container that a step above has named, only what runs inside.
fn todo(step: &Step, above: &[&Step], voice: &Voice) -> Todo {
    let language = voice.language;
    let verb = step.purpose.map_or_else(|| words::run(language), |it| words::purpose(language, it));
    let is_same = |inside: &&crate::domain::runbook::Inside| {
        let others = above.iter().filter_map(|step| step.inside.as_ref());
        others.into_iter().any(|it| (&it.task, &it.container) == (&inside.task, &inside.container))
    };
    let inside = step.inside.as_ref().filter(is_same);
    let verb = match inside {
        Some(_) => words::in_same_container(language, verb),
        None => verb.to_owned(),
    };
    let verb = match step.note {
        Some(note) => words::with_note(language, &verb, note),
        None => verb,
    };
    Todo { verb, command: Some(inside.map_or_else(|| step.command.clone(), |it| it.line.clone())) }
}

/// The step that answers a question.
pub(in crate::message) fn step_of(unknown: Unknown, steps: &[Todo]) -> Option<usize> {
    let tells = |todo: &Todo| todo.command.as_ref().is_some_and(|it| it.contains(unknown.asked_by()));
    steps.iter().position(tells).map(|place| place.saturating_add(1))
}

/// What finds the variables in the first steps.
pub(super) fn variables(incident: &Incident, voice: &Voice) -> Vec<Todo> {
    let commands = incident.diagnosis.as_ref().map_or(&[][..], |diagnosis| &diagnosis.commands);
    let shown: Vec<&str> = first(incident).iter().map(|step| step.command.as_str()).collect();
    let finders: Vec<(&Step, &'static str, _)> = commands
        .iter()
        .filter_map(|step| match step.note {
            Some(Note::Finds(variable)) => Some((step, variable.name(), variable)),
            _ => None,
        })
        .collect();
    // A finder may itself need what another one finds.
    let is_needed = |name: &str| {
        let mut texts = shown.iter().copied().chain(finders.iter().map(|(step, ..)| step.command.as_str()));
        texts.any(|text| text.contains(name))
    };
    let needed = finders.iter().filter(|(_, name, _)| is_needed(name));
    needed
        .map(|(step, _, variable)| Todo {
            verb: words::variable(voice.language, *variable),
            command: Some(step.command.clone()),
        })
        .collect()
}

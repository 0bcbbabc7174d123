//! An incident → what a message about it says, as [`Sections`].

mod known;
mod situation;
mod steps;

use super::place::Store;
use super::sections::{Link, Sections, Todo};
use super::subject;
use super::words::{self, About, Aside, Causes, Voice};
use crate::domain::diagnosis::{Diagnosis, Weight};
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::{Finding, Incident, Kind, NotificationState, Seen};
use crate::domain::job::Timestamp;
use crate::domain::model::policy::{Language, Policy};
use crate::domain::runbook;

pub(super) use situation::Situation;
pub(super) use steps::step_of;

/// A failure that takes no longer than this came as soon as the job was started.
const FAST_MS: i64 = 5_000;
/// Where the meaning of each alarm is explained, where nothing else is configured: files of this repository.
const RUNBOOKS: [(Language, &str); 2] =
    [(Language::En, "docs/runbook.md"), (Language::Ja, "docs/runbook.ja.md")];

/// Composes a message about an incident, as of `now`, in the policy's language and time zone.
#[must_use]
pub fn compose(policy: &Policy, incident: &Incident, state: NotificationState, now: Timestamp) -> Sections {
    let situation = Situation::of(policy, incident, state, now);
    let voice = Voice::of(policy, store(incident), now);
    let is_over = situation.is_over();
    let steps = if is_over { Vec::new() } else { steps::steps(incident, &voice) };
    let (variables, links, answers) = if is_over {
        (Vec::new(), Vec::new(), Vec::new())
    } else {
        (steps::variables(incident, &voice), links(policy, incident), answers(policy, incident, now))
    };
    let mut known = if is_over { Vec::new() } else { known::known(incident, &situation, &voice, now) };
    known.extend(seen(incident, &voice).filter(|_| !is_over && state != NotificationState::Seen));
    let unknown = if is_over { Vec::new() } else { known::unknown(incident, &steps, &voice) };
    Sections {
        subject: subject::subject(Situation::of(policy, incident, state, now), &voice),
        title: words::title(&situation, &voice),
        lead: lead(incident, &situation, &voice),
        causes: causes(incident, &situation, &steps, &voice),
        links,
        steps,
        variables,
        known_title: known_title(incident, &voice, now),
        known,
        unknown,
        answers,
        foot: foot(incident, is_over, &voice),
        labels: words::labels(policy.language),
    }
}

/// What and since when; first who has seen it, where that is the news.
fn lead(incident: &Incident, situation: &Situation<'_>, voice: &Voice) -> String {
    let lead = words::lead(situation, voice);
    match seen(incident, voice).filter(|_| situation.state == NotificationState::Seen) {
        Some(seen) if voice.language == Language::Ja => format!("{seen}。{lead}"),
        Some(seen) => format!("{seen}. {lead}"),
        None => lead,
    }
}

/// Who has seen it.
fn seen(incident: &Incident, voice: &Voice) -> Option<String> {
    let Seen { at, by } = incident.seen.as_ref()?;
    Some(words::aside(&Aside::Seen { by, at: &voice.minute(*at) }, voice))
}

/// What keeps the jobs of an incident, by its connection's name or its errors.
pub(super) fn store(incident: &Incident) -> Store {
    let text = situation::facts(incident).iter().rev().find_map(|fact| {
        let Finding::StoreErrors { text, .. } = &fact.what else { return None };
        text.as_deref()
    });
    Store::of(incident.key.connection.as_ref(), text)
}

/// Whether the lines leave no other cause, and none of the facts beside it speaks against it.
pub(super) fn is_certain(diagnosis: &Diagnosis) -> bool {
    let at = |what: fn(&Finding) -> bool| {
        diagnosis.evidence.iter().filter(|fact| what(&fact.what)).filter_map(|fact| fact.at).max()
    };
    let started = at(|it| matches!(it, Finding::LastStart));
    let is_contradicted = match diagnosis.cause {
        Cause::Paused => {
            started.is_some() && started > at(|it| matches!(it, Finding::Paused | Finding::Maintenance))
        }
        Cause::CannotFetch => {
            started.is_some() && started > at(|it| matches!(it, Finding::StoreErrors { .. }))
        }
        Cause::EnqueueErrors
        | Cause::FailingFast
        | Cause::JobTimeout
        | Cause::MonitorBlind
        | Cause::LogPathDown
        | Cause::CrashLoop
        | Cause::QueueNotConsumed
        | Cause::SlowBacklog
        | Cause::BehindLongJob
        | Cause::PutBack
        | Cause::LogsNotForwarded
        | Cause::NeverObserved
        | Cause::WorkerSilent => false,
    };
    diagnosis.is_certain && !is_contradicted
}

fn causes(incident: &Incident, situation: &Situation<'_>, steps: &[Todo], voice: &Voice) -> Vec<String> {
    let Some(diagnosis) = &incident.diagnosis else { return Vec::new() };
    if incident.key.kind == Kind::Blind && diagnosis.is_certain {
        // The first sentence has said so.
        return Vec::new();
    }
    let is_past = situation.is_over() || situation.is_taken_again();
    let about = About {
        is_of_lost: incident.key.kind == Kind::Lost,
        is_past,
        is_unheard_told: !situation.is_over() && diagnosis.names(Cause::LogsNotForwarded),
        ..about(diagnosis)
    };
    let first = words::cause(diagnosis.cause, &about, voice);
    let is_told = about.has_forgotten || about.is_maintenance && diagnosis.cause == Cause::Paused;
    let behind = diagnosis.sub_cause.filter(|_| !is_told).map(|it| words::sub_cause(it, voice));
    let first = match behind {
        Some(behind) => format!("{first}{}{behind}", words::labels(voice.language).colon),
        None => first,
    };
    let beside = About { is_first: false, ..about };
    let others: Vec<String> =
        diagnosis.runners_up.iter().map(|cause| words::cause(*cause, &beside, voice)).collect();
    words::causes(
        &Causes {
            first: &first,
            others: &others,
            is_certain: is_certain(diagnosis),
            is_over: situation.is_over(),
            step: diagnosis.cannot_tell.iter().find_map(|unknown| step_of(*unknown, steps)),
        },
        voice,
    )
}

/// What is known beside the causes.
fn about(diagnosis: &Diagnosis) -> About<'_> {
    let find = |what: fn(&Finding) -> bool| diagnosis.evidence.iter().any(|fact| what(&fact.what));
    let file = diagnosis.evidence.iter().find_map(|fact| {
        let Finding::LogFile { file, .. } = &fact.what else { return None };
        Some(&**file)
    });
    About {
        file,
        is_dropping: diagnosis.sub_cause == Some(SubCause::LinesDropped),
        has_forgotten: diagnosis.sub_cause == Some(SubCause::StoreForgot),
        is_slow: find(|it| matches!(it, Finding::BadRuntime(ms) if *ms > FAST_MS))
            && diagnosis.weight > Weight::Conceivable,
        is_maintenance: find(|it| matches!(it, Finding::Maintenance)),
        is_first: true,
        ..About::default()
    }
}

fn links(policy: &Policy, incident: &Incident) -> Vec<Link> {
    let labels = words::labels(policy.language);
    let logs = incident.diagnosis.as_ref().and_then(|diagnosis| diagnosis.logs.as_ref());
    let lines = logs.and_then(|logs| {
        Some(Link { label: labels.log_lines, url: logs.events_url(policy)?, long: logs.url(policy) })
    });
    let dashboard = runbook::dashboard(policy).map(|url| Link { label: labels.dashboard, url, long: None });
    let meaning = Link { label: labels.meaning, url: meaning(policy, incident), long: None };
    lines.into_iter().chain(dashboard).chain([meaning]).collect()
}

/// The section of the runbook that is about an incident: its cause's, or its reason's where queuewatch cannot see.
fn meaning(policy: &Policy, incident: &Incident) -> String {
    let language = policy.language;
    let default = RUNBOOKS.iter().find(|(it, _)| *it == language).map_or("", |(_, file)| *file);
    let base = policy.runbook_url.as_deref().unwrap_or(default);
    let cause = incident.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
    let anchor = match incident.key.reason {
        Some(reason) => format!("blind-{}", reason.as_str()),
        None => cause.unwrap_or(incident.key.kind.as_str()).to_owned(),
    };
    format!("{base}#{}", anchor.replace('_', "-"))
}

fn answers(policy: &Policy, incident: &Incident, now: Timestamp) -> Vec<Todo> {
    let labels = words::labels(policy.language);
    let is_all = incident.key.queue.is_none() && incident.queues.is_empty();
    let silence = if is_all { labels.silence_all } else { labels.silence };
    let seen = runbook::seen(incident, policy).filter(|_| incident.seen.is_none());
    let seen = seen.map(|command| (labels.seen, command));
    let close = runbook::close(incident, policy).map(|command| (labels.close, command));
    let silence = runbook::silence(incident, policy, now).map(|command| (silence, command));
    let todo = |(verb, command): (&str, String)| Todo { verb: verb.to_owned(), command: Some(command) };
    seen.into_iter().chain(close).chain(silence).map(todo).collect()
}

fn known_title(incident: &Incident, voice: &Voice, now: Timestamp) -> String {
    let earlier = incident.diagnosis.as_ref().map(|diagnosis| diagnosis.as_of).filter(|at| *at != now);
    match earlier {
        Some(at) => words::aside(&Aside::KnownAt(&voice.minute(at)), voice),
        None => words::labels(voice.language).known.to_owned(),
    }
}

fn foot(incident: &Incident, is_over: bool, voice: &Voice) -> String {
    let labels = words::labels(voice.language);
    let id = format!("{}{}{}", labels.incident, labels.colon, incident.id);
    if is_over || incident.seen.is_some() {
        return id;
    }
    let next = voice.minute(incident.next_reminder_at());
    format!("{id}{}{}", labels.and, words::aside(&Aside::Next(&next), voice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incidents::{Detail, Fact, Stall};
    use crate::message::{fixtures, mail};

    const AT: Timestamp = Timestamp::from_ms(1_765_024_620_000);

    /// A diagnosis that is certain, with a pause and what was seen beside it.
    #[track_caller]
    fn check_certain(cause: Cause, started_ms: i64, expected: bool) {
        let mut incident = fixtures::stalled();
        let diagnosis = incident.diagnosis.as_mut().unwrap();
        diagnosis.cause = cause;
        diagnosis.is_certain = true;
        diagnosis.runners_up.clear();
        diagnosis.evidence = vec![
            Fact::at(Finding::Paused, AT.minus_ms(60_000)),
            Fact::at(Finding::LastStart, AT.plus_ms(started_ms)),
        ];
        assert_eq!(is_certain(diagnosis), expected, "{cause:?}");
        let text = mail(&compose(&Policy::default(), &incident, NotificationState::Firing, AT));
        assert_eq!(text.contains("\nCause: "), expected, "{text}");
    }

    #[test]
    fn a_cause_is_certain_only_where_no_fact_speaks_against_it() {
        check_certain(Cause::Paused, -120_000, true);
        check_certain(Cause::Paused, -30_000, false);
        check_certain(Cause::CrashLoop, -30_000, true);
    }

    /// The first paragraph of a message on a queue where starts are seen again, or were since the oldest was ready.
    #[track_caller]
    fn check_lead(change: fn(&mut Incident), expected: &str) {
        let mut incident = fixtures::stalled();
        change(&mut incident);
        let lead = compose(&Policy::default(), &incident, NotificationState::Reminder, AT).lead;
        assert_eq!(lead, expected);
    }

    #[test]
    fn nothing_is_said_of_starts_that_lines_contradict() {
        let waited = "app: jobs on redis:default have waited since 12:31 UTC";
        check_lead(|_| (), &format!("{waited} and none was started. 2 waiting, all over the 5 min limit."));
        check_lead(
            |incident| {
                let starts_since = Some(AT.minus_ms(60_000));
                incident.detail = Detail::Stalled(Stall { starts_since, ..Stall::default() });
            },
            &format!("{waited}. Jobs are started again since 12:36. 2 waiting, all over the 5 min limit."),
        );
        check_lead(
            |incident| {
                let fact = Fact::at(Finding::LastStart, AT.minus_ms(120_000));
                incident.diagnosis.as_mut().unwrap().evidence.push(fact);
            },
            &format!("{waited}; the last one was started at 12:35. 2 waiting, all over the 5 min limit."),
        );
        // Its facts are an hour old: whether anything was started since, they do not tell.
        check_lead(
            |incident| incident.diagnosis.as_mut().unwrap().as_of = AT.minus_ms(3_600_000),
            &format!("{waited}. 2 over the 5 min limit."),
        );
    }

    #[test]
    fn a_link_leads_to_the_section_of_the_runbook_that_the_configuration_names() {
        let policy = Policy { runbook_url: Some("https://wiki.example/qw".into()), ..Policy::default() };
        let links = compose(&policy, &fixtures::stalled(), NotificationState::Firing, AT).links;
        assert_eq!(links.last().unwrap().url, "https://wiki.example/qw#worker-silent");
    }
}
